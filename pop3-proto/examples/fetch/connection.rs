//! The machine and its line: all input and output of the session is here.

use crate::log::Log;
use crate::tls::Tls;
use pop3_proto::{
    Client, Command, Config, ErrorClass, Event, Exchange, Misuse, Peer, ResponseCode, State, Timestamp, Verb, Wait,
};
use rustls::{ClientConnection, StreamOwned};
use std::fmt;
use std::io::{self, ErrorKind, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// As much as a socket has at once when the server is faster than we are. What comes of a message in one read goes to its file in
/// one write, from this buffer.
const READ: usize = 256 * 1024;

/// What a session runs over.
pub(crate) enum Line {
    Clear(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
    /// A handshake came to nothing.
    None,
}

impl Line {
    /// From here on a read or a write that takes longer fails.
    fn set_patience(&self, patience: Option<Duration>) -> io::Result<()> {
        let socket = match self {
            Self::Clear(socket) => socket,
            Self::Tls(tls) => &tls.sock,
            Self::None => return Err(ErrorKind::NotConnected.into()),
        };
        socket.set_read_timeout(patience)?;
        socket.set_write_timeout(patience)
    }

    fn write(&mut self, octets: &[u8]) -> io::Result<()> {
        match self {
            Self::Clear(socket) => socket.write_all(octets),
            Self::Tls(tls) => {
                tls.write_all(octets)?;
                tls.flush()
            }
            Self::None => Err(ErrorKind::NotConnected.into()),
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = match self {
                Self::Clear(socket) => socket.read(buffer),
                Self::Tls(tls) => tls.read(buffer),
                Self::None => Err(ErrorKind::NotConnected.into()),
            };
            match read {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // Not every server ends TLS with its own word for it (close_notify). Nothing is lost by that: every answer
                // in POP3 shows its own end, and the machine knows one that is cut off.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
        }
    }
}

/// Several commands that are sent as the machine lets them go, and their answers.
pub(crate) trait Dialogue {
    /// Sends what may be sent now. The dialogue ends when nothing was sent and nothing is outstanding.
    fn speak(&mut self, client: &mut Client, out: &mut Vec<u8>) -> Result<(), Misuse>;

    /// Takes the next event; they come in the order of the commands.
    fn hear(&mut self, event: Event<'_>);
}

/// A session over a line.
pub(crate) struct Connection {
    client: Client,
    line: Line,
    buffer: Box<[u8]>,
    out: Vec<u8>,
    timeout: Option<Duration>,
    /// How long the line waits, if that was set.
    waits: Option<Option<Duration>>,
    log: Log,
}

impl Connection {
    /// In the clear. With a `timeout`, every wait is that long; else the machine says how long each may be.
    pub(crate) fn new(socket: TcpStream, config: Config, timeout: Option<Duration>, log: Log) -> Self {
        Self::begin(Client::with_config(config), Line::Clear(socket), timeout, log)
    }

    /// TLS from the first octet (RFC 8314 §3).
    pub(crate) fn over_tls(
        socket: TcpStream,
        config: Config,
        timeout: Option<Duration>,
        log: Log,
        tls: Tls,
    ) -> Result<Self, Failure> {
        let patience = timeout.or_else(|| config.patience(Wait::Tls));
        let (line, peer) = handshake(socket, patience, tls)?;
        log.tls(&line, peer);
        Ok(Self::begin(Client::over_tls(config, peer), line, timeout, log))
    }

    fn begin(client: Client, line: Line, timeout: Option<Duration>, log: Log) -> Self {
        let buffer = vec![0; READ].into_boxed_slice();
        Self { client, line, buffer, out: Vec::new(), timeout, waits: None, log }
    }

    /// Waits for the greeting, and gives the timestamp that APOP needs, if it holds one.
    pub(crate) fn greeting(&mut self) -> Result<Option<Timestamp<'static>>, Failure> {
        let mut found = None;
        while self.client.state() == State::Greeting {
            self.turn(|_, _, event| {
                if let Event::Greeting { timestamp, .. } = event {
                    found = timestamp.map(Timestamp::into_owned);
                }
                Ok(())
            })?;
        }
        Ok(found)
    }

    /// Sends one command and hands over its answer, event by event. `-ERR` is [`Failure::Refused`].
    pub(crate) fn ask(&mut self, command: &Command<'_>, hear: impl FnMut(Event<'_>)) -> Result<(), Failure> {
        self.client.send(command, &mut self.out)?;
        self.answer(None, hear)
    }

    /// Goes through a SASL exchange. `-ERR` is [`Failure::Refused`].
    pub(crate) fn authenticate(&mut self, exchange: &mut Exchange<'_>) -> Result<(), Failure> {
        self.client.authenticate(exchange, &mut self.out)?;
        self.answer(Some(exchange), |_| {})
    }

    fn answer(
        &mut self,
        mut exchange: Option<&mut Exchange<'_>>,
        mut hear: impl FnMut(Event<'_>),
    ) -> Result<(), Failure> {
        let mut refused = None;
        while self.client.outstanding() > 0 {
            self.turn(|client, out, event| {
                match (event, exchange.as_deref_mut()) {
                    (Event::Challenge(challenge), Some(exchange)) => client.answer(&challenge, exchange, out)?,
                    (Event::Err { to, code, text }, _) => {
                        let code = code.map(ResponseCode::into_owned);
                        refused = Some(Failure::Refused { to, code, text: text.to_string() });
                    }
                    (event, _) => hear(event),
                }
                Ok(())
            })?;
        }
        refused.map_or(Ok(()), Err)
    }

    /// STLS was answered `+OK`: TLS begins here (RFC 2595 §4).
    ///
    /// Nothing that came before gets into it. The machine has seen every octet that was read so far, and had there been
    /// one behind the `+OK`, this would not be reached; what comes from here on, TLS reads from the socket itself, and it
    /// takes nothing that is not its own.
    pub(crate) fn begin_tls(&mut self, tls: Tls) -> Result<(), Failure> {
        if self.client.awaiting() != Wait::Tls {
            return Err(Misuse::NoHandshake.into());
        }
        let patience = self.timeout.or_else(|| self.client.patience());
        self.buffer.fill(0);
        let Line::Clear(socket) = std::mem::replace(&mut self.line, Line::None) else {
            return Err(Misuse::NoHandshake.into());
        };
        let (line, peer) = handshake(socket, patience, tls)?;
        self.line = line;
        self.waits = None;
        self.client.tls_established(peer)?;
        self.log.tls(&self.line, peer);
        Ok(())
    }

    /// Goes through a dialogue to its end.
    pub(crate) fn converse(&mut self, dialogue: &mut impl Dialogue) -> Result<(), Failure> {
        loop {
            dialogue.speak(&mut self.client, &mut self.out)?;
            if self.client.outstanding() == 0 {
                return Ok(());
            }
            self.turn(|_, _, event| {
                dialogue.hear(event);
                Ok(())
            })?;
        }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// One write, one read, and what the octets mean.
    ///
    /// To write all before reading is safe because the machine keeps the window: it never lets more commands out than the
    /// buffers on the way take in (RFC 2449 §6.6).
    fn turn(
        &mut self,
        mut hear: impl FnMut(&mut Client, &mut Vec<u8>, Event<'_>) -> Result<(), Misuse>,
    ) -> Result<(), Failure> {
        let awaiting = self.client.awaiting();
        let patience = self.timeout.or_else(|| self.client.patience());
        let lost = |error: io::Error| lost(error, patience, awaiting);
        if self.waits != Some(patience) {
            self.line.set_patience(patience).map_err(lost)?;
            self.waits = Some(patience);
        }
        self.log.sent(&self.out);
        // Where the server has closed already, its last words are still to be read: they say more than "broken pipe".
        let written = self.line.write(&self.out);
        self.out.clear();

        let octets = self.line.read(&mut self.buffer).map_err(lost)?;
        if octets == 0 {
            self.client.handle_eof()?;
            return Err(written.map_or_else(lost, |()| Failure::Closed));
        }
        let mut input = &self.buffer[..octets];
        loop {
            let before = input;
            let event = self.client.next_event(&mut input);
            // What the machine stumbled over is worth seeing whole.
            let left = if event.is_ok() { input.len() } else { 0 };
            self.log.received(&before[..before.len() - left], &event);
            let Some(event) = event? else { break };
            if let Event::Closing { code, text } = event {
                return Err(Failure::Closing { code: code.map(ResponseCode::into_owned), text: text.to_string() });
            }
            hear(&mut self.client, &mut self.out, event)?;
        }
        written.map_err(lost)
    }
}

impl Drop for Connection {
    /// TLS has a word of its own for the end (close_notify), and some servers complain when it does not come.
    fn drop(&mut self) {
        if let Line::Tls(tls) = &mut self.line {
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
    }
}

fn handshake(socket: TcpStream, patience: Option<Duration>, tls: Tls) -> Result<(Line, Peer), Failure> {
    let begun = socket.set_read_timeout(patience).and_then(|()| socket.set_write_timeout(patience));
    begun.and_then(|()| tls.handshake(socket)).map_err(|error| match lost(error, patience, Wait::Tls) {
        Failure::Lost { error, .. } => Failure::Handshake(error),
        silent => silent,
    })
}

fn lost(error: io::Error, patience: Option<Duration>, awaiting: Wait) -> Failure {
    match (error.kind(), patience) {
        (ErrorKind::WouldBlock | ErrorKind::TimedOut, Some(patience)) => Failure::Silent { patience, awaiting },
        _ => Failure::Lost { error, awaiting },
    }
}

/// Why a session, or a command of it, came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server broke the protocol or closed the connection.
    Peer(pop3_proto::Error),
    /// The machine does not let the command out.
    Ours(Misuse),
    /// The command was answered `-ERR`. The session goes on.
    Refused { to: Verb, code: Option<ResponseCode<'static>>, text: String },
    /// The server said why it closes the connection.
    Closing { code: Option<ResponseCode<'static>>, text: String },
    /// The server closed the connection.
    Closed,
    /// Nothing came for too long.
    Silent { patience: Duration, awaiting: Wait },
    /// The network failed.
    Lost { error: io::Error, awaiting: Wait },
    /// There is no TLS with this server.
    Handshake(io::Error),
}

impl From<pop3_proto::Error> for Failure {
    fn from(error: pop3_proto::Error) -> Self {
        Self::Peer(error)
    }
}

impl From<Misuse> for Failure {
    fn from(misuse: Misuse) -> Self {
        Self::Ours(misuse)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(error @ pop3_proto::Error::GreetingRefused { code, .. }) => {
                write!(f, "{error}{}", what_it_means(code.as_ref()))
            }
            Self::Peer(error) => error.fmt(f),
            Self::Ours(misuse) => misuse.fmt(f),
            Self::Refused { to, code, text } => {
                write!(f, "the server refuses {to}; it says: {text}{}", what_it_means(code.as_ref()))
            }
            Self::Closing { code, text } => {
                write!(f, "the server closes the connection; it says: {text}{}", what_it_means(code.as_ref()))
            }
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Silent { patience, awaiting } => {
                write!(f, "nothing came for {} seconds {awaiting}", patience.as_secs())
            }
            Self::Lost { error, awaiting } => write!(f, "the connection broke {awaiting}: {error}"),
            Self::Handshake(error) => write!(f, "TLS cannot begin: {error}"),
        }
    }
}

/// What the response code of a refusal means to the person who waits. Only one of them speaks against the password.
pub(crate) fn what_it_means(code: Option<&ResponseCode<'_>>) -> &'static str {
    match code.map(ResponseCode::error_class) {
        Some(ErrorClass::Credentials) => " (the name or the password is wrong)",
        Some(ErrorClass::Busy) => " (another session has the maildrop: try again when it is over)",
        Some(ErrorClass::Delay) => " (it is too soon after the last login: try again later)",
        Some(ErrorClass::Temporary) => " (it will pass: try again later)",
        Some(ErrorClass::Permanent) => " (it will not pass by itself: somebody has to look after the server)",
        _ => "",
    }
}
