//! The driver: what stands between a stream of octets and [`Server`].
//!
//! ```text
//! stream --> buffer --> next_event() --> answer() --> out --> stream
//! ```
//!
//! It reads only when all that was read before is answered and written. So a client that sends commands faster than it
//! reads answers is held up by its own socket, and no queue grows here. The stream may be any: with STLS it becomes another
//! one in the middle of the session.

use crate::account::{Accounts, Verdict};
use crate::maildir::{Mailbox, NotOpened};
use crate::message::CHUNK;
use crate::tls::{self, Tls};
use base64ct::{Base64, Encoding as _};
use pop3_proto::{
    Auth, Command, Config, Greeting, Incoming, Maildrop, MessageNumber, Misuse, Reply, ResponseCode, Server, State,
    Top, Trace, Wait,
};
use std::error::Error;
use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::Poll;
use std::time::{Duration, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, ReadBuf};
use tokio::time::{Instant, sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What all sessions share.
pub(crate) struct House {
    pub(crate) accounts: Accounts,
    pub(crate) tls: Tls,
    pub(crate) config: Arc<Config>,
    /// Whether greetings carry a timestamp.
    pub(crate) apop: bool,
    /// Whether the dialogues go to stderr.
    pub(crate) trace: bool,
}

/// The one mechanism that is not the machine's (RFC 2195).
pub(crate) const CRAM_MD5: &str = "CRAM-MD5";

/// Commands are short, and a longer line comes in several reads.
const READ: usize = 4096;
/// From so many octets on, what is written so far is sent before more is made.
const FULL: usize = CHUNK;
/// A chunk in more pieces than this is sent sooner when it is copied into one.
const PIECES: usize = 64;
/// After so many lines that were no good the client is no client.
const REFUSED: u32 = 100;
/// After so many failed logins it is a guesser. Each costs it a second, and does not hold up anybody else.
const FAILED_LOGINS: u32 = 3;
const FAILED_LOGIN_DELAY: Duration = Duration::from_secs(1);
/// How long, and for how many octets, the end of the connection waits for the client to have read its last answer.
const LINGER: Duration = Duration::from_secs(2);
const LINGER_OCTETS: usize = 64 * 1024;

/// Serves one session to its end. An error is for the log: the client did not wait for the end, or we could not give it.
pub(crate) async fn serve<S>(house: &House, stream: S, peer: SocketAddr) -> Result<(), Box<dyn Error + Send + Sync>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    match &house.tls {
        Tls::None => {
            Session::new(house, stream, peer, Server::new)?.run().await?;
        }
        Tls::Implicit(acceptor) => {
            let stream = tls::accept(acceptor, stream, house.config.patience(Wait::Tls)).await?;
            Session::new(house, stream, peer, Server::over_tls)?.run().await?;
        }
        Tls::Stls(acceptor) => {
            if let Some(session) = Session::new(house, stream, peer, Server::new)?.run().await? {
                session.over_tls(acceptor).await?.run().await?;
            }
        }
    }
    Ok(())
}

struct Session<'h, S> {
    house: &'h House,
    /// From the login on. It holds the lock, and stands before the stream: who sees the connection end may log in again at
    /// once.
    mailbox: Option<Mailbox>,
    maildrop: Maildrop,
    server: Server,
    timestamp: Option<String>,
    /// The challenge of CRAM-MD5 that waits for its response.
    challenge: Option<String>,
    wire: Wire<S>,
}

impl<'h, S: AsyncRead + AsyncWrite + Unpin> Session<'h, S> {
    /// `server` is [`Server::new`] or [`Server::over_tls`].
    fn new(
        house: &'h House,
        stream: S,
        peer: SocketAddr,
        server: impl FnOnce(Arc<Config>, Greeting<'_>, &mut Vec<u8>) -> Server,
    ) -> Result<Self, Misuse> {
        let timestamp = house.apop.then(timestamp);
        let mut greeting = Greeting::text("POP3 server ready")?;
        if let Some(timestamp) = &timestamp {
            greeting = greeting.with_timestamp(timestamp)?;
        }
        let mut out = Vec::new();
        let server = server(Arc::clone(&house.config), greeting, &mut out);
        // As long as the client may be silent, it may also refuse to read. Longer, and it would keep the maildrop locked.
        let patience = house.config.patience(Wait::Command);
        let trace = house.trace.then(|| (peer, Trace::new()));
        let wire = Wire { stream, out, chunk: Vec::new(), patience, trace };
        Ok(Self { house, mailbox: None, maildrop: Maildrop::default(), server, timestamp, challenge: None, wire })
    }

    /// The session as it goes on behind STLS. If the handshake fails, it does not.
    async fn over_tls(
        mut self,
        acceptor: &TlsAcceptor,
    ) -> Result<Session<'h, TlsStream<S>>, Box<dyn Error + Send + Sync>> {
        let stream = tls::accept(acceptor, self.wire.stream, self.server.patience()).await?;
        self.server.tls_established()?;
        // The timestamp was part of a greeting in the clear, and is forgotten with all that was said there (RFC 2595
        // section 4).
        Ok(Session {
            house: self.house,
            mailbox: self.mailbox,
            maildrop: self.maildrop,
            server: self.server,
            timestamp: None,
            challenge: None,
            wire: Wire {
                stream,
                out: self.wire.out,
                chunk: self.wire.chunk,
                patience: self.wire.patience,
                trace: self.wire.trace,
            },
        })
    }

    /// Gives the session back where a TLS handshake is due, with the stream at its first octet.
    async fn run(mut self) -> Result<Option<Self>, Box<dyn Error + Send + Sync>> {
        let mut read = Vec::new();
        let mut last_command = Instant::now();
        let mut lost = None;
        while !self.server.is_over() {
            self.wire.flush().await?;
            if self.server.state() == State::Handshake {
                return Ok(Some(self));
            }
            // From command to command, and not from read to read: an octet now and then is no sign of life.
            let silence = self.server.patience().map(|patience| patience.saturating_sub(last_command.elapsed()));
            let came = match within(silence, self.wire.read(&mut read)).await {
                Some(came) => came?,
                None => {
                    self.server.handle_autologout();
                    return Ok(None);
                }
            };
            if !came {
                self.server.handle_eof();
                return Ok(None);
            }

            // Each command is answered before the next is asked for. So `None` means that the input is used up, or that
            // the session is over and nobody wants the rest.
            let mut input = read.as_slice();
            loop {
                let more = match self.server.next_event(&mut input, &mut self.wire.out) {
                    Ok(Some(incoming)) => {
                        self.answer(incoming).await?;
                        last_command = Instant::now();
                        true
                    }
                    // The machine may have refused something all the same: it ends some SASL exchanges by itself.
                    Ok(None) => false,
                    Err(error) => {
                        lost = Some(error);
                        false
                    }
                };
                if self.server.refused() >= REFUSED || self.server.failed_logins() >= FAILED_LOGINS {
                    self.server.abort();
                    break;
                }
                if !more {
                    break;
                }
                self.wire.flush_if_full().await?;
            }
        }
        // What led to the end may have been answered: QUIT is, and a line that is too long.
        self.mailbox = None;
        self.wire.flush().await?;
        self.wire.close().await?;
        lost.map_or(Ok(None), |error| Err(error.into()))
    }

    async fn answer(&mut self, incoming: Incoming<'_>) -> Result<(), Box<dyn Error + Send + Sync>> {
        match incoming {
            Incoming::Login(login) => {
                let verdict = self.house.accounts.judge(&login, self.timestamp.as_deref());
                Ok(self.login(verdict).await?)
            }
            Incoming::Auth(auth) => Ok(self.begin_cram_md5(&auth)?),
            Incoming::Response(response) => Ok(self.end_cram_md5(response.reveal()).await?),
            Incoming::Update => Ok(self.update().await?),
            Incoming::Command(Command::Retr(number)) => self.message(number, None).await,
            Incoming::Command(Command::Top { number, lines }) => self.message(number, Some(Top::new(lines))).await,
            Incoming::Command(Command::List(None)) => self.scan_listing().await,
            Incoming::Command(Command::Uidl(None)) => self.unique_id_listing().await,
            Incoming::Command(Command::Stls) => {
                Ok(self.server.reply(&Reply::ok("begin TLS negotiation")?, &mut self.wire.out)?)
            }
            other => Ok(self.maildrop.answer(&other, &mut self.server, &mut self.wire.out)?),
        }
    }

    /// CRAM-MD5 is the only mechanism of ours that the machine does not run. The challenge is a new one each time: a
    /// response that somebody overheard is worth nothing.
    fn begin_cram_md5(&mut self, auth: &Auth<'_>) -> Result<(), Misuse> {
        if auth.initial_line().is_some() {
            return self.server.reply(&Reply::err("in this mechanism the server speaks first")?, &mut self.wire.out);
        }
        let challenge = timestamp();
        self.server.challenge(challenge.as_bytes(), &mut self.wire.out)?;
        self.challenge = Some(challenge);
        Ok(())
    }

    async fn end_cram_md5(&mut self, response: &[u8]) -> Result<(), Misuse> {
        let decoded = std::str::from_utf8(response).ok().and_then(|line| Base64::decode_vec(line).ok());
        let verdict = match (self.challenge.take(), decoded) {
            (Some(challenge), Some(response)) => self.house.accounts.judge_cram_md5(challenge.as_bytes(), &response),
            _ => Verdict::Refused("the response is not base64"),
        };
        self.login(verdict).await
    }

    async fn login(&mut self, verdict: Verdict<'h>) -> Result<(), Misuse> {
        let out = &mut self.wire.out;
        let account = match verdict {
            Verdict::Admitted(account) => account,
            Verdict::Refused(words) => {
                sleep(FAILED_LOGIN_DELAY).await;
                return self.server.reply(&Reply::err(words)?, out);
            }
            Verdict::TokenRefused(json) => {
                sleep(FAILED_LOGIN_DELAY).await;
                return self.server.reject_token(json, out);
            }
        };
        match account.maildir.open().await {
            Ok((mailbox, maildrop)) => {
                self.mailbox = Some(mailbox);
                self.maildrop = maildrop;
                self.server.reply(&Reply::ok("maildrop locked and ready")?, out)
            }
            // RFC 1939 section 4: "If the lock cannot be acquired, the POP3 server responds with a negative status
            // indicator". The code keeps the client from asking its user for another password (RFC 2449 section 8.1.2).
            Err(NotOpened::InUse) => {
                self.server.reply(&Reply::err("maildrop already locked")?.with_code(ResponseCode::InUse), out)
            }
            Err(NotOpened::Io(error)) => {
                eprintln!("the maildrop cannot be opened: {error}");
                self.server.reply(&Reply::err("maildrop not available")?.with_code(ResponseCode::SysTemp), out)
            }
        }
    }

    /// RFC 1939 section 6: remove, release the lock, and then say how it went.
    async fn update(&mut self) -> Result<(), Misuse> {
        let removed = match self.mailbox.take() {
            Some(mailbox) => mailbox.remove(self.maildrop.deleted().collect()).await,
            None => Ok(()),
        };
        if let Err(error) = &removed {
            eprintln!("some deleted messages are not removed: {error}");
        }
        self.server.reply(&Reply::from(removed), &mut self.wire.out)
    }

    /// RETR, or TOP with its cutter.
    async fn message(
        &mut self,
        number: MessageNumber,
        mut top: Option<Top>,
    ) -> Result<(), Box<dyn Error + Send + Sync>> {
        let Self { mailbox, maildrop, server, wire, .. } = self;
        let index = match maildrop.get(number) {
            Ok(message) => message.index,
            Err(why) => return Ok(server.reply(&Reply::from(why), &mut wire.out)?),
        };
        // The first octets are read before anything is said: once `+OK` is out there is no way back to `-ERR`.
        let opened = match mailbox {
            Some(mailbox) => mailbox.message(index, &mut wire.chunk),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        let mut octets = match opened {
            Ok(octets) => octets,
            Err(error) => {
                eprintln!("message {number} cannot be read: {error}");
                let reply = Reply::err("the message cannot be read")?;
                // A message that somebody else removed is gone. Anything else may pass (RFC 3206 section 4).
                let gone = error.kind() == io::ErrorKind::NotFound;
                let reply = if gone { reply } else { reply.with_code(ResponseCode::SysTemp) };
                return Ok(server.reply(&reply, &mut wire.out)?);
            }
        };
        server.begin("message follows", &mut wire.out)?;
        loop {
            wire.body(server, top.as_mut()).await?;
            if octets.is_over() || top.as_ref().is_some_and(Top::is_done) {
                break;
            }
            // A message of one chunk stays in `out`, and its end goes with it.
            wire.flush_if_full().await?;
            if let Err(error) = octets.advance(&mut wire.chunk) {
                // The client must see that the end is missing.
                server.abort();
                return Err(format!("message {number} cannot be read to its end: {error}").into());
            }
        }
        Ok(server.end(&mut wire.out)?)
    }

    async fn scan_listing(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.server.begin("scan listing follows", &mut self.wire.out)?;
        for row in self.maildrop.scan_listings() {
            self.server.listing(row, &mut self.wire.out)?;
            self.wire.flush_if_full().await?;
        }
        Ok(self.server.end(&mut self.wire.out)?)
    }

    async fn unique_id_listing(&mut self) -> Result<(), Box<dyn Error + Send + Sync>> {
        self.server.begin("unique-id listing follows", &mut self.wire.out)?;
        for row in self.maildrop.unique_id_listings() {
            self.server.listing(row, &mut self.wire.out)?;
            self.wire.flush_if_full().await?;
        }
        Ok(self.server.end(&mut self.wire.out)?)
    }
}

/// The stream, and what is to be written to it.
struct Wire<S> {
    stream: S,
    out: Vec<u8>,
    /// Message text as it is stored.
    chunk: Vec<u8>,
    patience: Option<Duration>,
    /// With the client's address, because several dialogues share stderr.
    trace: Option<(SocketAddr, Trace)>,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Wire<S> {
    /// Waits for octets. `false`: the client has closed.
    ///
    /// A session that waits keeps no buffers. They are given back as soon as nothing is there to be read, and what is read
    /// goes over the stack.
    async fn read(&mut self, read: &mut Vec<u8>) -> io::Result<bool> {
        poll_fn(|context| {
            let mut space = [0; READ];
            let mut buffer = ReadBuf::new(&mut space);
            match Pin::new(&mut self.stream).poll_read(context, &mut buffer) {
                Poll::Pending => {
                    *read = Vec::new();
                    self.out = Vec::new();
                    self.chunk = Vec::new();
                    Poll::Pending
                }
                Poll::Ready(Err(error)) => Poll::Ready(Err(error)),
                Poll::Ready(Ok(())) => {
                    read.clear();
                    read.extend_from_slice(buffer.filled());
                    Poll::Ready(Ok(()))
                }
            }
        })
        .await?;
        if let Some((peer, trace)) = &mut self.trace {
            trace.client(read, |line| eprintln!("{peer} {line}"));
        }
        Ok(!read.is_empty())
    }

    /// A chunk of the message. Where its lines end in CRLF as it is stored, it goes out as it is, in one write with what was
    /// to be sent before it; else it is copied, for every line gets an octet.
    async fn body(&mut self, server: &mut Server, top: Option<&mut Top>) -> Result<(), Box<dyn Error + Send + Sync>> {
        let chunk = top.map_or(self.chunk.as_slice(), |top| top.take(&self.chunk));
        let first_line = chunk.iter().position(|&octet| octet == b'\n').map_or(chunk, |lf| &chunk[..lf]);
        let vectored = self.stream.is_write_vectored() && self.trace.is_none();
        if chunk.len() < CHUNK || !first_line.ends_with(b"\r") || !vectored {
            return Ok(server.body(chunk, &mut self.out)?);
        }
        let mut segments = server.body_segments(chunk)?;
        let mut pieces: Vec<_> = segments.by_ref().take(PIECES).map(IoSlice::new).collect();
        if pieces.len() == PIECES {
            for piece in pieces {
                self.out.extend_from_slice(&piece);
            }
            segments.for_each(|segment| self.out.extend_from_slice(segment));
            return Ok(());
        }
        if !self.out.is_empty() {
            pieces.insert(0, IoSlice::new(&self.out));
        }
        let written = within(self.patience, write_all_vectored(&mut self.stream, &mut pieces)).await;
        written.ok_or_else(not_read)??;
        self.out.clear();
        Ok(())
    }

    async fn flush_if_full(&mut self) -> io::Result<()> {
        if self.out.len() < FULL { Ok(()) } else { self.flush().await }
    }

    async fn flush(&mut self) -> io::Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        if let Some((peer, trace)) = &mut self.trace {
            trace.server(&self.out, |line| eprintln!("{peer} {line}"));
        }
        let written = async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        };
        within(self.patience, written).await.ok_or_else(not_read)??;
        self.out.clear();
        Ok(())
    }

    /// Ends our side, and waits for the client to end its own. A socket that is closed with octets unread takes answers
    /// that are still on their way down with it (RFC 1122 section 4.2.2.13).
    async fn close(&mut self) -> io::Result<()> {
        self.stream.shutdown().await?;
        let mut dropped = vec![0; READ];
        let drain = async {
            let mut octets = 0;
            while octets < LINGER_OCTETS {
                match self.stream.read(&mut dropped).await {
                    Ok(0) | Err(_) => break,
                    Ok(n) => octets += n,
                }
            }
        };
        within(Some(LINGER), drain).await;
        Ok(())
    }
}

async fn write_all_vectored<S: AsyncWrite + Unpin>(stream: &mut S, mut pieces: &mut [IoSlice<'_>]) -> io::Result<()> {
    while !pieces.is_empty() {
        match stream.write_vectored(pieces).await? {
            0 => return Err(io::ErrorKind::WriteZero.into()),
            n => IoSlice::advance_slices(&mut pieces, n),
        }
    }
    stream.flush().await
}

fn not_read() -> io::Error {
    io::Error::new(io::ErrorKind::TimedOut, "the client does not read its answers")
}

/// What comes of it, if it is done in time. `None` for the time: it may take as long as it takes.
pub(crate) async fn within<F: Future>(patience: Option<Duration>, future: F) -> Option<F::Output> {
    match patience {
        Some(patience) => timeout(patience, future).await.ok(),
        None => Some(future.await),
    }
}

/// "The syntax of the timestamp corresponds to the `msg-id' in RFC 822, and MUST be different each time the POP3 server
/// issues a banner greeting" (RFC 1939 section 7): process, connection and time.
fn timestamp() -> String {
    static CONNECTIONS: AtomicU64 = AtomicU64::new(1);
    let connection = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    format!("<{}.{connection}.{}@maildir-server.invalid>", std::process::id(), now.as_nanos())
}
