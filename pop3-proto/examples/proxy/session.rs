//! One session: a command comes from the mail program, goes to the server, and its answer comes back.
//!
//! ```text
//! mail program --> Server::next_event --> Command --> Client::send --> server
//! mail program <-- Server::reply, ... <-- Event <-- Client::next_event <-- server
//! ```

use crate::downstream::Downstream;
use crate::upstream::{Failure, Target, Upstream, passes, words};
use pop3_proto::{
    Capability, Command, Config, Data, Event, Greeting, Incoming, Login, Misuse, Reply, ResponseCode, Server, Shape,
    State, Status, StatusLine, Text, Wait,
};
use std::error::Error;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};

/// What all sessions share.
pub(crate) struct House {
    pub(crate) config: Arc<Config>,
    pub(crate) target: Target,
}

/// After so many lines that were no good the mail program is none.
const REFUSED: u32 = 100;
/// After so many failed logins it is a guesser.
const FAILED_LOGINS: u32 = 5;

/// Serves one session to its end. An error is for the log.
pub(crate) async fn serve(house: &House, stream: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    let patience = house.config.patience(Wait::Command).unwrap_or(Duration::from_secs(600));
    let mut down = Downstream { stream, out: Vec::new(), patience };
    let server = Server::new(Arc::clone(&house.config), Greeting::text("POP3 proxy ready")?, &mut down.out);
    let mut session = Session { house, server, down, upstream: None };
    let end = session.run().await;
    let Session { mut down, upstream, .. } = session;
    // Without a QUIT that was answered, this is where the server learns that nothing is to be deleted: its connection ends.
    drop(upstream);
    match end {
        Ok(End::Said) => {
            down.flush().await?;
            down.close().await?;
            Ok(())
        }
        Ok(End::Silent) => Ok(()),
        Err(error) => {
            // What was said before it went wrong is said; what was begun has no end.
            down.flush().await?;
            down.close().await?;
            Err(error)
        }
    }
}

struct Session<'h> {
    house: &'h House,
    server: Server,
    down: Downstream,
    /// From the first CAPA or the first login on.
    upstream: Option<Upstream>,
}

/// How a session ends.
enum End {
    /// With an answer that the mail program is to read.
    Said,
    /// The mail program is gone, or is to hear nothing.
    Silent,
}

/// Which side is lost, when an answer is on its way from one to the other.
enum Broken {
    Upstream(Failure),
    Downstream(io::Error),
}

impl From<Failure> for Broken {
    fn from(failure: Failure) -> Self {
        Self::Upstream(failure)
    }
}

impl From<io::Error> for Broken {
    fn from(error: io::Error) -> Self {
        Self::Downstream(error)
    }
}

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

impl Session<'_> {
    async fn run(&mut self) -> Outcome<End> {
        // Commands are short, and a longer line comes in several reads.
        let mut buffer = vec![0; 4096];
        let mut last_command = Instant::now();
        while !self.server.is_over() {
            self.down.flush().await?;
            let Some(n) = self.read(&mut buffer, last_command).await? else { return Ok(End::Silent) };

            // Each command is answered before the next is asked for, and so a batch is answered in order.
            let mut input = &buffer[..n];
            while let Some(incoming) = self.server.next_event(&mut input, &mut self.down.out)? {
                self.answer(incoming).await?;
                last_command = Instant::now();
                if self.server.refused() >= REFUSED || self.server.failed_logins() >= FAILED_LOGINS {
                    self.server.abort();
                }
            }
        }
        Ok(End::Said)
    }

    /// Octets of the mail program. `None`: it is gone, or was silent for too long.
    async fn read(&mut self, buffer: &mut [u8], last_command: Instant) -> Outcome<Option<usize>> {
        let Self { server, down, upstream, .. } = self;
        let deadline = last_command + server.patience().unwrap_or(down.patience);
        let spoken = async {
            match upstream {
                Some(upstream) => upstream.hear(|_, _, _| Ok(())).await,
                None => std::future::pending().await,
            }
        };
        let gone = tokio::select! {
            read = timeout_at(deadline, down.stream.read(buffer)) => match read {
                Ok(Ok(0)) => {
                    server.handle_eof();
                    return Ok(None);
                }
                Ok(n) => return Ok(Some(n?)),
                Err(_) => {
                    server.handle_autologout();
                    return Ok(None);
                }
            },
            spoken = spoken => spoken,
        };
        // The server has nothing to say that nobody asked for, unless it says that it leaves.
        self.upstream = None;
        match (self.server.state(), gone) {
            // Nobody is logged in: the next login finds a new connection.
            (State::Authorization, _) => Ok(Some(0)),
            (_, Err(failure)) => Err(failure.to_string().into()),
            (_, Ok(_)) => Err("the server speaks without being asked".into()),
        }
    }

    async fn answer(&mut self, incoming: Incoming<'_>) -> Outcome<()> {
        let out = &mut self.down.out;
        match incoming {
            Incoming::Login(login) => self.login(&login).await,
            Incoming::Update => self.update().await,
            Incoming::Command(Command::User(_)) => Ok(self.server.reply(&Reply::ok("send PASS")?, out)?),
            Incoming::Command(Command::Capa) => self.capabilities().await,
            Incoming::Command(Command::Quit) => {
                self.server.reply(&Reply::ok("POP3 proxy signing off")?, out)?;
                if let Some(upstream) = self.upstream.take() {
                    upstream.leave().await;
                }
                Ok(())
            }
            Incoming::Command(command) if passes(command.verb()) => match self.pass(&command).await {
                Ok(()) => Ok(()),
                Err(Broken::Upstream(failure)) => self.broken(failure),
                Err(Broken::Downstream(error)) => Err(error.into()),
            },
            Incoming::Command(_) => Ok(self.server.reply(&Reply::err("not implemented")?, out)?),
            // Answered already.
            _ => Ok(()),
        }
    }

    /// The connection upstream, made when it is needed first, and again if the server left meanwhile.
    async fn upstream(&mut self) -> Result<&mut Upstream, Failure> {
        let alive = match self.upstream.take() {
            Some(mut upstream) => upstream.is_alive().await.then_some(upstream),
            None => None,
        };
        let upstream = match alive {
            Some(upstream) => upstream,
            None => Upstream::connect(&self.house.target).await?,
        };
        Ok(self.upstream.insert(upstream))
    }

    async fn login(&mut self, login: &Login<'_>) -> Outcome<()> {
        let answer = match self.upstream().await {
            Ok(upstream) => upstream.login(login).await,
            Err(failure) => Err(failure),
        };
        match answer {
            Ok(status) => self.say(&status)?,
            Err(failure) => {
                eprintln!("{failure}");
                self.upstream = None;
                self.server.reply(&coded(Reply::err(failure.said)?, failure.code), &mut self.down.out)?;
            }
        }
        Ok(())
    }

    /// QUIT, and with it the deletions: what the server says to it is what the mail program hears.
    async fn update(&mut self) -> Outcome<()> {
        let Some(mut upstream) = self.upstream.take() else { return Err("nobody is logged in upstream".into()) };
        match upstream.ask(&Command::Quit).await {
            Ok(status) => self.say(&status)?,
            Err(failure) => {
                eprintln!("{failure}");
                // RFC 1939 section 6: some of the messages are deleted, or none. Nobody knows.
                let reply = Reply::err("the server behind this one did not say whether messages are deleted")?;
                self.server.reply(&reply.with_code(ResponseCode::SysTemp), &mut self.down.out)?;
            }
        }
        Ok(())
    }

    fn say(&mut self, line: &StatusLine<'_>) -> Result<(), Misuse> {
        let text = words(&line.text);
        let reply = match line.status {
            Status::Ok => Reply::ok(&text)?,
            Status::Err => Reply::err(&text)?,
        };
        self.server.reply(&coded(reply, line.code.clone()), &mut self.down.out)
    }

    /// What the proxy does itself, and what the server has and passes.
    async fn capabilities(&mut self) -> Outcome<()> {
        let mut list = vec![
            Capability::User,
            Capability::Other { tag: Text::from("SASL"), arguments: Text::from("PLAIN LOGIN") },
            // A text in brackets is a code, whoever it is from.
            Capability::RespCodes,
            Capability::Pipelining,
        ];
        let asked = match self.server.state() {
            State::Transaction => match &mut self.upstream {
                Some(upstream) => upstream.ask_capabilities().await,
                None => Ok(()),
            },
            _ => self.upstream().await.map(|_| ()),
        };
        match (asked, &self.upstream) {
            (Ok(()), Some(upstream)) => {
                let passing = upstream.capabilities().iter().filter(|capability| may_pass(capability));
                list.extend(passing.cloned());
            }
            (Err(failure), _) if self.server.state() == State::Transaction => return self.broken(failure),
            // The login will say it in a way that programs understand.
            (Err(failure), _) => eprintln!("{failure}"),
            (Ok(()), None) => {}
        }
        self.server.begin("capability list follows", &mut self.down.out)?;
        for capability in list {
            // What makes no line of its own does not pass.
            let _ = self.server.listing(capability, &mut self.down.out);
        }
        Ok(self.server.end(&mut self.down.out)?)
    }

    /// One command and its answer, a read at a time. What came is written before more is read.
    async fn pass(&mut self, command: &Command<'_>) -> Result<(), Broken> {
        let Self { server, down, upstream, .. } = self;
        let Some(upstream) = upstream else { return Ok(()) };
        upstream.send(command)?;
        let mut answered = false;
        while !answered {
            answered = upstream.hear(|_, event, _| forward(event, command, server, &mut down.out)).await?;
            down.flush().await?;
        }
        Ok(())
    }

    /// The answer will not come. If it was not begun it becomes `-ERR`; else its end is missing, and that is what the mail
    /// program must see.
    fn broken(&mut self, failure: Failure) -> Outcome<()> {
        let _ = self.server.reply(&coded(Reply::err(failure.said)?, failure.code.clone()), &mut self.down.out);
        self.server.abort();
        self.upstream = None;
        Err(failure.to_string().into())
    }
}

/// Says downstream what the server said.
fn forward(event: Event<'_>, command: &Command<'_>, server: &mut Server, out: &mut Vec<u8>) -> Result<(), Misuse> {
    match event {
        Event::Ok { text, .. } if command.shape() == Shape::MultiLine => server.begin(&words(&text), out),
        Event::Ok { code, text, data, .. } => {
            let text = words(&text);
            let reply = match data {
                Data::Drop(listing) => Reply::drop_listing(listing.messages, listing.octets.unwrap_or(0)),
                Data::Scan(listing) => Reply::scan_listing(listing.number, listing.octets),
                Data::UniqueId(listing) if listing.id.conforms() => {
                    return server.reply(&coded(Reply::unique_id(listing)?, code), out);
                }
                Data::UniqueId(_) | Data::Malformed(_) => {
                    Reply::err("the answer of the server behind this one makes no sense")?
                        .with_code(ResponseCode::SysTemp)
                }
                _ => Reply::ok(&text)?,
            };
            server.reply(&coded(reply, code), out)
        }
        Event::Err { code, text, .. } => server.reply(&coded(Reply::err(&words(&text))?, code), out),
        Event::Scan(listing) => server.listing(listing, out),
        // A unique-id that no server may send is left out: half a listing would be worse.
        Event::UniqueId(listing) if listing.id.conforms() => server.listing(listing, out),
        Event::Body(octets) => server.body_stuffed(octets, out),
        Event::End { .. } => server.end(out),
        _ => Ok(()),
    }
}

fn coded<'a>(reply: Reply<'a>, code: Option<ResponseCode<'a>>) -> Reply<'a> {
    match code {
        Some(code) => reply.with_code(code),
        None => reply,
    }
}

/// Whether the server's line holds downstream too. TLS, mechanisms and pipelining are each side's own; of languages and UTF-8
/// nothing passes here, and of an unknown capability nobody knows what it brings.
const fn may_pass(capability: &Capability<'_>) -> bool {
    matches!(
        capability,
        Capability::Top
            | Capability::Uidl
            | Capability::AuthRespCode
            | Capability::LoginDelay { .. }
            | Capability::Expire { .. }
            | Capability::Implementation(_)
    )
}
