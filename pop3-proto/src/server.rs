//! The server's machine.
//!
//! ```text
//! octets of the client --> next_event() --> Command, Login, Update, Refused, ...
//! reply / begin, listing or body, end / challenge --> octets for the client (appended to the caller's buffer)
//! ```

mod announced;
mod answers;
mod commands;
mod exchange;

use crate::capability::Capability;
use crate::command::{Command, MAX_COMMAND, Name};
use crate::config::{Config, Shared};
use crate::error::{Error, Misuse, Wait};
use crate::event::Incoming;
use crate::grammar;
use crate::listing::{ScanListing, UniqueIdListing};
use crate::quirk::Quirk;
use crate::reply::{Greeting, LanguageListing};
#[cfg(feature = "sasl")]
use crate::sasl::Running;
use crate::state::{Shape, State, Verb};
use crate::text::Carried;
use crate::wire::dot::{Stuff, Stuffed};
use crate::wire::line::{Ending, Found, Lines};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use announced::Now;
use core::time::Duration;

/// The server's side of one POP3 session.
///
/// It knows the protocol and no mailbox: that is [`Maildrop`](crate::Maildrop)'s, and neither needs the other. Each
/// command is answered before the next is read, so that commands which come in a batch are served in order; what is
/// left of the input stays with the caller.
///
/// ```
/// use pop3_proto::{Command, Config, Greeting, Incoming, Reply, Server};
///
/// let mut out = Vec::new();
/// let mut server = Server::new(Config::new().allow_cleartext_login(), Greeting::text("POP3 server ready")?, &mut out);
/// assert_eq!(out, b"+OK POP3 server ready\r\n");
///
/// out.clear();
/// let mut input: &[u8] = b"USER mrose\r\nPASS secret\r\n";
/// assert!(matches!(server.next_event(&mut input, &mut out)?, Some(Incoming::Command(Command::User(_)))));
/// assert_eq!(server.next_event(&mut input, &mut out)?, None); // first the answer
/// server.reply(&Reply::ok("mrose is a real hoopy frood")?, &mut out)?;
///
/// assert!(matches!(server.next_event(&mut input, &mut out)?, Some(Incoming::Login(_))));
/// server.reply(&Reply::ok("mrose's maildrop has 2 messages (320 octets)")?, &mut out)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Server {
    config: Shared,
    lines: Lines,
    user: Option<User>,
    fatal: Option<Box<Error>>,
    discarded: usize,
    refused: u32,
    failed_logins: u32,
    answering: Answering,
    state: State,
    outcome: Outcome,
    tls: bool,
    layer: Layer,
    timestamp: bool,
    user_accepted: bool,
    utf8: bool,
    lang: bool,
    leftover: bool,
    /// No setting stands against the plain commands of the TRANSACTION state.
    plain: bool,
    /// The exchange that the machine runs by itself.
    #[cfg(feature = "sasl")]
    running: Option<Running>,
    /// Whether the login that waits for its answer came with a bearer token.
    bearer: bool,
}

/// The name that waits for its password. Nothing shows it: people type passwords a line too early.
struct User(Name<'static>);

impl core::fmt::Debug for User {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("<secret>")
    }
}

/// Where a security layer stands (RFC 5034 §4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layer {
    /// None can begin.
    None,
    /// AUTH was just answered `+OK`: one may begin here.
    Due,
    /// Octets came in the clear behind AUTH: none can begin any more.
    Missed,
}

/// What is being answered.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Answering {
    Nothing,
    Command(Verb, Shape),
    /// A challenge was sent, and the response is due.
    Challenge,
    Rows(Verb),
    Body(Verb, Stuff),
    /// Message text that is stuffed already.
    Stuffed(Verb, Stuffed),
    /// Message text of which a chunk was refused: it is not to be ended.
    Spoiled(Verb),
}

/// How the session ended.
///
/// ```
/// use pop3_proto::{Config, Greeting, Outcome, Server};
///
/// let mut server = Server::new(Config::new(), Greeting::text("ready")?, &mut Vec::new());
/// assert_eq!(server.handle_eof(), Outcome::Lost); // no QUIT: nothing is removed
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// QUIT was answered.
    Quit,
    /// QUIT came in the TRANSACTION state and is not answered yet: the removal goes on, and nobody hears its outcome.
    Update,
    /// There was no QUIT: nothing is removed (RFC 1939 §6).
    Lost,
}

/// A line of a listing. See [`Server::listing`].
///
/// ```
/// use pop3_proto::{Capability, Config, Greeting, Row, Server};
///
/// let mut out = Vec::new();
/// let mut server = Server::new(Config::new(), Greeting::text("ready")?, &mut out);
/// server.next_event(&mut &b"CAPA\r\n"[..], &mut out)?;
/// out.clear();
/// server.begin("", &mut out)?;
/// server.listing(Row::Capability(Capability::Top), &mut out)?;
/// server.listing(Capability::Uidl, &mut out)?; // what has one form only needs no `Row`
/// server.end(&mut out)?;
/// assert_eq!(out, b"+OK\r\nTOP\r\nUIDL\r\n.\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Row<'a> {
    /// For LIST.
    Scan(ScanListing),
    /// For UIDL.
    UniqueId(UniqueIdListing<'a>),
    /// For CAPA.
    Capability(Capability<'a>),
    /// For LANG.
    Language(LanguageListing<'a>),
    /// For [`Command::Other`](crate::Command::Other).
    Line(&'a str),
}

impl From<ScanListing> for Row<'_> {
    fn from(listing: ScanListing) -> Self {
        Self::Scan(listing)
    }
}

impl<'a> From<UniqueIdListing<'a>> for Row<'a> {
    fn from(listing: UniqueIdListing<'a>) -> Self {
        Self::UniqueId(listing)
    }
}

impl<'a> From<Capability<'a>> for Row<'a> {
    fn from(capability: Capability<'a>) -> Self {
        Self::Capability(capability)
    }
}

impl<'a> From<LanguageListing<'a>> for Row<'a> {
    fn from(listing: LanguageListing<'a>) -> Self {
        Self::Language(listing)
    }
}

impl Server {
    /// A server on a connection without TLS. The greeting is appended to `out`.
    #[must_use]
    pub fn new(config: impl Into<Arc<Config>>, greeting: Greeting<'_>, out: &mut Vec<u8>) -> Self {
        Self::start(config.into(), &greeting, false, out)
    }

    /// A server on a connection that speaks TLS from the first octet (implicit TLS, RFC 8314 §3). The handshake is
    /// done.
    #[must_use]
    pub fn over_tls(config: impl Into<Arc<Config>>, greeting: Greeting<'_>, out: &mut Vec<u8>) -> Self {
        Self::start(config.into(), &greeting, true, out)
    }

    fn start(config: Arc<Config>, greeting: &Greeting<'_>, tls: bool, out: &mut Vec<u8>) -> Self {
        // A timestamp invites to APOP: where that cannot succeed, there is none.
        let apop = config.apop && (tls || config.cleartext_login);
        let greeting = Greeting { text: greeting.text, timestamp: greeting.timestamp.clone().filter(|_| apop) };
        greeting.encode(out);
        let plain = config.announced.top && config.announced.uidl && config.command_line >= MAX_COMMAND;
        Self {
            config: Shared::new(config),
            lines: Lines::new(),
            user: None,
            fatal: None,
            discarded: 0,
            refused: 0,
            failed_logins: 0,
            answering: Answering::Nothing,
            state: State::Authorization,
            outcome: Outcome::Lost,
            tls,
            layer: Layer::None,
            timestamp: greeting.timestamp.is_some(),
            user_accepted: false,
            utf8: false,
            lang: false,
            leftover: false,
            plain,
            #[cfg(feature = "sasl")]
            running: None,
            bearer: false,
        }
    }

    /// Takes octets off the front of `input` and says what the client wants. `Ok(None)`: used up, read more; or an
    /// answer is owed ([`Server::owes`]), or the session is over, and then the rest of `input` is to be kept or
    /// dropped.
    ///
    /// Lines that no application could act on are refused here: `-ERR` is appended to `out`, and
    /// [`Incoming::Refused`] says so.
    ///
    /// # Errors
    ///
    /// [`Error`]: the session is lost, the connection is to be closed, and every later call says the same.
    pub fn next_event<'i>(&mut self, input: &mut &'i [u8], out: &mut Vec<u8>) -> Result<Option<Incoming<'i>>, Error> {
        let ready =
            self.state == State::Transaction && self.answering == Answering::Nothing && self.layer != Layer::Due;
        if ready && self.plain && self.lines.held() == 0 && self.discarded == 0 {
            if let Some((rest, verb, command)) = grammar::command::bare_command_crlf(input) {
                *input = rest;
                self.answering = Answering::Command(verb, Shape::SingleLine);
                return Ok(Some(Incoming::Command(command)));
            }
            return self.next_plain(input, out);
        }
        self.next_line(input, out)
    }

    /// The other commands that most of a session is made of.
    #[inline(never)]
    fn next_plain<'i>(&mut self, input: &mut &'i [u8], out: &mut Vec<u8>) -> Result<Option<Incoming<'i>>, Error> {
        if let Some((rest, plain)) = grammar::command::plain_command_crlf(input) {
            *input = rest;
            self.answering = Answering::Command(plain.verb, plain.shape);
            return Ok(Some(Incoming::Command(plain.command())));
        }
        self.next_line(input, out)
    }

    /// Whatever the line is.
    #[inline(never)]
    fn next_line<'i>(&mut self, input: &mut &'i [u8], out: &mut Vec<u8>) -> Result<Option<Incoming<'i>>, Error> {
        if let Some(fatal) = &self.fatal {
            return Err((**fatal).clone());
        }
        if input.is_empty() || self.state == State::Closed {
            return Ok(None);
        }
        if self.state == State::Handshake {
            return Err(self.fail(Error::PlaintextAfterStls));
        }
        if self.layer == Layer::Due {
            self.layer = Layer::Missed;
        }
        let ending = if self.config.quirks.contains(Quirk::BareLfCommand) { Ending::Lf } else { Ending::Crlf };
        loop {
            let limit = match self.answering {
                Answering::Nothing => self.config.command_line,
                Answering::Challenge => self.config.sasl_line,
                Answering::Command(..)
                | Answering::Rows(_)
                | Answering::Body(..)
                | Answering::Stuffed(..)
                | Answering::Spoiled(_) => {
                    // Octets that came before the answer stay with the caller, but not unnoticed.
                    self.leftover = true;
                    return Ok(None);
                }
            };
            if self.discarded > 0 {
                return self.discard(input, ending, out);
            }
            let incoming = match self.lines.find(input, ending, limit) {
                Ok(None) => return Ok(None),
                Ok(Some(Found::Whole(line, _))) => {
                    let incoming = self.line(line, out);
                    self.keep_user(incoming.as_ref());
                    incoming
                }
                Ok(Some(Found::Carried(_))) => {
                    let carried = self.lines.take_carried();
                    let incoming = self.line(&carried, out).map(|said| said.out_of(&mut Carried::new(&carried)));
                    self.keep_user(incoming.as_ref());
                    self.lines.reuse(carried);
                    incoming
                }
                Err(_) => {
                    self.discarded = limit.max(1);
                    continue;
                }
            };
            if incoming.is_some() {
                self.leftover = !input.is_empty();
                return Ok(incoming);
            }
        }
    }

    /// The TLS handshake behind STLS is done. All that the client said before is forgotten (RFC 2595 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::NoHandshake`] unless STLS was just answered `+OK`, and [`Misuse::Over`] if octets came in the clear behind
    /// the command.
    pub fn tls_established(&mut self) -> Result<(), Misuse> {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        if self.state != State::Handshake {
            return Err(Misuse::NoHandshake);
        }
        self.state = State::Authorization;
        self.tls = true;
        self.forget();
        // RFC 1939 §7: the timestamp was part of a greeting in the clear.
        self.timestamp = false;
        self.lang = false;
        self.lines.clear();
        Ok(())
    }

    /// A security layer that a SASL mechanism negotiated is in force from here on (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::NoSecurityLayer`] unless an AUTH command was just answered `+OK`; [`Misuse::InTheClear`] if octets came
    /// in the clear behind it.
    pub fn security_layer_established(&mut self) -> Result<(), Misuse> {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        match self.layer {
            Layer::Due => {
                self.layer = Layer::None;
                Ok(())
            }
            Layer::Missed => Err(Misuse::InTheClear),
            Layer::None => Err(Misuse::NoSecurityLayer),
        }
    }

    /// The client closed the connection. Without a QUIT in the TRANSACTION state nothing is removed.
    pub fn handle_eof(&mut self) -> Outcome {
        self.close();
        self.outcome
    }

    /// The client was silent for too long: the session is over, nothing is sent and nothing is removed
    /// (RFC 1939 §3: the server "should close the TCP connection without removing any messages or sending any
    /// response").
    pub fn handle_autologout(&mut self) {
        self.close();
    }

    /// Gives buffers that are empty back to the allocator, for a connection that will wait for long. A machine whose lines
    /// came whole has none; else at most 1 KiB is kept for the next line that is cut.
    pub fn shrink_to_fit(&mut self) {
        self.lines.shrink_to_fit();
    }

    /// The command that waits for its answer.
    #[must_use]
    pub const fn owes(&self) -> Option<Verb> {
        match self.answering {
            Answering::Command(verb, _)
            | Answering::Rows(verb)
            | Answering::Body(verb, _)
            | Answering::Stuffed(verb, _)
            | Answering::Spoiled(verb) => Some(verb),
            Answering::Nothing | Answering::Challenge => None,
        }
    }

    /// Whether the connection is to be closed once `out` is written: QUIT is answered, or the session is lost.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.fatal.is_some() || self.state == State::Closed
    }

    /// The state of the session.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// What the machine waits for.
    #[must_use]
    pub fn awaiting(&self) -> Wait {
        match (self.owes(), self.state) {
            _ if self.is_over() => Wait::Close,
            (Some(verb), _) => Wait::Answer(verb),
            (None, State::Handshake) => Wait::Tls,
            (None, _) => Wait::Command,
        }
    }

    /// How long that may take by the settings; the driver owns the clock. `None` where the wait is for the application.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        match (self.awaiting(), self.state) {
            (Wait::Command, State::Authorization) => Some(self.config.login_patience()),
            (wait, _) => self.config.patience(wait),
        }
    }

    /// Whether TLS is on.
    #[must_use]
    pub const fn tls(&self) -> bool {
        self.tls
    }

    /// How many lines were refused. A driver that has seen enough closes the connection.
    #[must_use]
    pub const fn refused(&self) -> u32 {
        self.refused
    }

    /// How many logins failed for their credentials. A driver that has seen enough closes the connection.
    #[must_use]
    pub const fn failed_logins(&self) -> u32 {
        self.failed_logins
    }

    /// How many octets of an unfinished line are held back.
    #[must_use]
    pub fn held(&self) -> usize {
        self.lines.held()
    }

    /// The name waits for its password. (The name of a line that was carried is kept where it lies.)
    fn keep_user(&mut self, incoming: Option<&Incoming<'_>>) {
        if let Some(Incoming::Command(Command::User(name))) = incoming {
            self.user = Some(User(name.clone().into_owned()));
        }
    }

    fn forget(&mut self) {
        self.user = None;
        self.user_accepted = false;
    }

    fn close(&mut self) {
        self.forget();
        self.lines.clear();
        self.answering = Answering::Nothing;
        self.state = State::Closed;
    }

    fn fail(&mut self, error: Error) -> Error {
        self.fatal = Some(Box::new(error.clone()));
        self.close();
        error
    }

    fn may_login(&self) -> bool {
        self.tls || self.config.cleartext_login
    }

    /// RFC 2595 §4: in the AUTHORIZATION state only, and once; never behind UTF8 (RFC 6856 §2.1).
    fn may_stls(&self) -> bool {
        !self.tls && !self.utf8 && self.state == State::Authorization
    }

    fn now(&self) -> Now {
        Now { may_login: self.may_login(), may_stls: self.may_stls(), logged_in: self.state == State::Transaction }
    }
}
