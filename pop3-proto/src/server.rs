//! The server's machine.
//!
//! ```text
//! octets of the client --> next_event() --> Command, Login, Update, Refused, ...
//! reply / begin, listing or body, end / challenge --> octets for the client (appended to the caller's buffer)
//! ```

mod commands;
mod exchange;

use crate::capability::Capability;
use crate::command::check_base64;
use crate::config::{Config, Now, Quirk, Shared};
use crate::error::{Error, Misuse, Wait};
use crate::event::Incoming;
use crate::grammar;
use crate::listing::{ScanListing, UniqueIdListing};
use crate::reply::{Data, ErrorClass, Greeting, LanguageListing, Reply, ResponseCode, Status};
#[cfg(feature = "sasl")]
use crate::sasl::Running;
use crate::state::{Shape, State, Verb};
use crate::text::Secret;
use crate::wire::dot::{Segments, Stuff, Stuffed};
use crate::wire::line::{Ending, Found, Lines};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
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
    user: Option<Secret<'static>>,
    fatal: Option<Box<Error>>,
    discarded: usize,
    refused: u32,
    failed_logins: u32,
    answering: Answering,
    state: State,
    outcome: Outcome,
    tls: bool,
    /// AUTH was just answered `+OK`: a security layer may begin here.
    layer_due: bool,
    timestamp: bool,
    user_accepted: bool,
    utf8: bool,
    lang: bool,
    leftover: bool,
    /// The exchange that the machine runs by itself.
    #[cfg(feature = "sasl")]
    running: Option<Running>,
    /// Whether the login that waits for its answer came with a bearer token.
    bearer: bool,
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
}

/// How the session ended.
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
            layer_due: false,
            timestamp: greeting.timestamp.is_some(),
            user_accepted: false,
            utf8: false,
            lang: false,
            leftover: false,
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
        if let Some(fatal) = &self.fatal {
            return Err((**fatal).clone());
        }
        if input.is_empty() || self.state == State::Closed {
            return Ok(None);
        }
        if self.state == State::Handshake {
            return Err(self.fail(Error::PlaintextAfterStls));
        }
        self.layer_due = false;
        let ending = if self.config.quirks.contains(Quirk::BareLfCommand) { Ending::Lf } else { Ending::Crlf };
        loop {
            let limit = match self.answering {
                Answering::Nothing => self.config.command_line,
                Answering::Challenge => self.config.sasl_line,
                Answering::Command(..) | Answering::Rows(_) | Answering::Body(..) | Answering::Stuffed(..) => {
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
                Ok(Some(Found::Whole(line, _))) => self.line(line, out),
                Ok(Some(Found::Carried(_))) => {
                    let carried = self.lines.take_carried();
                    let incoming = self.line(&carried, out).map(Incoming::into_owned);
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

    /// Answers with a single line. `-ERR` answers any command; `+OK` only one whose response has no further lines, and
    /// with the data that the command asks for.
    ///
    /// # Errors
    ///
    /// [`Misuse::NothingOwed`], [`Misuse::InsideAnswer`], [`Misuse::WrongAnswer`], or [`Misuse::NeedsLang`] for text
    /// beyond ASCII without LANG or UTF8.
    pub fn reply(&mut self, reply: &Reply<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (verb, shape) = self.owed()?;
        // RFC 1939 §5 and RFC 6856 §3.2 have data right behind "+OK": a response code would stand in its place.
        let coded = reply.code.is_some();
        let fits = match (reply.status, verb, shape, &reply.data) {
            (Status::Err, _, _, Data::None) => true,
            (Status::Err, ..) | (Status::Ok, _, Shape::MultiLine, _) => false,
            (Status::Ok, Verb::Stat, _, data) => matches!(data, Data::Drop(_)) && !coded,
            (Status::Ok, Verb::List, _, data) => matches!(data, Data::Scan(_)) && !coded,
            (Status::Ok, Verb::Uidl, _, data) => matches!(data, Data::UniqueId(_)) && !coded,
            (Status::Ok, Verb::Lang, _, data) => matches!(data, Data::Language(_)) && !coded,
            (Status::Ok, _, _, data) => *data == Data::None,
        };
        if !fits {
            return Err(Misuse::WrongAnswer { to: verb });
        }
        self.check_text(reply.text)?;
        if let Some(ResponseCode::Other(code)) = &reply.code {
            // A variant that anybody can fill is checked where it is used.
            ResponseCode::new(code.as_str().ok_or(Misuse::NotUtf8)?)?;
        }
        let refused_login = reply.status == Status::Err && matches!(verb, Verb::Pass | Verb::Apop | Verb::Auth);
        if refused_login && reply.code.is_none() && self.config.announced.resp_codes {
            // RFC 3206 §6: who announces AUTH-RESP-CODE gives the code with every refused credential.
            reply.clone().with_code(ResponseCode::Auth).encode(out);
        } else {
            reply.encode(out);
        }
        // A maildrop that is locked, or a disk that is full, says nothing about the credentials.
        let class = reply.code.as_ref().map_or(ErrorClass::Credentials, ResponseCode::error_class);
        let wrong = refused_login && matches!(class, ErrorClass::Credentials | ErrorClass::Unknown);
        self.failed_logins = self.failed_logins.saturating_add(u32::from(wrong));
        self.answered(verb, reply.status);
        Ok(())
    }

    /// Begins an answer of several lines: `+OK text`. Rows ([`Server::listing`]) or message text ([`Server::body`])
    /// follow, and [`Server::end`].
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] for a command whose response is a single line, and as [`Server::reply`] and
    /// [`Reply::ok`].
    pub fn begin(&mut self, text: &str, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (verb, shape) = self.owed()?;
        if shape == Shape::SingleLine && verb != Verb::Other {
            return Err(Misuse::WrongAnswer { to: verb });
        }
        self.check_text(text)?;
        Reply::ok(text)?.encode(out);
        self.answering = match verb {
            Verb::Retr | Verb::Top => Answering::Body(verb, Stuff::new(self.config.newlines)),
            _ => Answering::Rows(verb),
        };
        Ok(())
    }

    /// One line of the listing that was begun.
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] for a row that is not of the command's listing, [`Misuse::UniqueId`],
    /// [`Misuse::ForbiddenOctet`], [`Misuse::TooLong`] beyond 512 octets.
    pub fn listing<'a>(&mut self, row: impl Into<Row<'a>>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let verb = match self.answering {
            Answering::Rows(verb) => verb,
            Answering::Command(to, _) | Answering::Body(to, _) | Answering::Stuffed(to, _) => {
                return Err(Misuse::WrongAnswer { to });
            }
            Answering::Nothing | Answering::Challenge => return Err(Misuse::NothingOwed),
        };
        let row = row.into();
        let start = out.len();
        match (verb, &row) {
            (Verb::List, Row::Scan(listing)) => grammar::encode_scan_row(listing, out),
            (Verb::Uidl, Row::UniqueId(listing)) if !listing.id.conforms() => return Err(Misuse::UniqueId),
            (Verb::Uidl, Row::UniqueId(listing)) => grammar::encode_unique_id_row(listing, out),
            (Verb::Capa, Row::Capability(capability)) if is_stls(capability) && !self.may_stls() => {
                return Err(Misuse::WrongAnswer { to: verb });
            }
            // Nor a login that the policy refuses (RFC 8314 §3).
            (Verb::Capa, Row::Capability(capability)) if is_login(capability) && !self.may_login() => {
                return Err(Misuse::WrongAnswer { to: verb });
            }
            (Verb::Capa, Row::Capability(capability)) => grammar::encode_capability_row(capability, out),
            (Verb::Lang, Row::Language(listing)) if listing.description.as_str().is_none() => {
                return Err(Misuse::NotUtf8);
            }
            (Verb::Lang, Row::Language(listing)) if listing.description.is_empty() => return Err(Misuse::Empty),
            (Verb::Lang, Row::Language(listing)) => {
                out.extend_from_slice(listing.tag.as_bytes());
                out.push(b' ');
                out.extend_from_slice(listing.description.as_bytes());
                out.extend_from_slice(b"\r\n");
            }
            (Verb::Other, Row::Line(text)) => {
                out.extend_from_slice(text.as_bytes());
                grammar::stuff_line(start, out);
                out.extend_from_slice(b"\r\n");
            }
            _ => return Err(Misuse::WrongAnswer { to: verb }),
        }
        let checked = check_row(out.get(start..).unwrap_or_default(), verb);
        if checked.is_err() {
            out.truncate(start);
        }
        checked
    }

    /// A chunk of the message, cut anywhere: line ends become what [`Config::newlines`] says, and dots are stuffed.
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] unless an answer to RETR or TOP was begun; [`Misuse::Offence`] under
    /// [`Newlines::Reject`](crate::wire::dot::Newlines::Reject): nothing of the chunk was written then, and
    /// [`Server::abort`] is what is left.
    pub fn body(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        Ok(self.stuff()?.encode(chunk, out)?)
    }

    /// The same octets as [`Server::body`] appends, as slices for a vectored write, nothing copied. The whole chunk
    /// counts as sent.
    ///
    /// # Errors
    ///
    /// As [`Server::body`].
    pub fn body_segments<'c>(&mut self, chunk: &'c [u8]) -> Result<Segments<'c>, Misuse> {
        Ok(self.stuff()?.segments(chunk)?)
    }

    /// A chunk of message text that is stuffed already, as a client with
    /// [`Config::stuffed_bodies`] hands it out: it passes as it is. Text with the end of a message in it, as a reader of
    /// CRLF or of LF, or one that stops at NUL, would see it, is refused.
    ///
    /// # Errors
    ///
    /// [`Misuse::Terminator`]: nothing of the chunk was written, and [`Server::abort`] is what is left.
    /// [`Misuse::InsideAnswer`] if [`Server::body`] left the text in the middle of a line; else as [`Server::body`].
    pub fn body_stuffed(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        if let Answering::Body(verb, stuff) = &self.answering {
            if !stuff.at_line_start() {
                return Err(Misuse::InsideAnswer { to: *verb });
            }
            self.answering = Answering::Stuffed(*verb, Stuffed::new());
        }
        match &mut self.answering {
            Answering::Stuffed(_, stuffed) => {
                if !stuffed.pass(chunk) {
                    return Err(Misuse::Terminator);
                }
                out.extend_from_slice(chunk);
                Ok(())
            }
            Answering::Command(to, _) | Answering::Rows(to) | Answering::Body(to, _) => {
                Err(Misuse::WrongAnswer { to: *to })
            }
            Answering::Nothing | Answering::Challenge => Err(Misuse::NothingOwed),
        }
    }

    /// Ends the listing or message that was begun, with the termination octet.
    ///
    /// # Errors
    ///
    /// [`Misuse::NothingOwed`] or [`Misuse::WrongAnswer`] if none was begun; [`Misuse::Offence`] as [`Server::body`].
    pub fn end(&mut self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let verb = match &mut self.answering {
            Answering::Rows(verb) => {
                out.extend_from_slice(b".\r\n");
                *verb
            }
            Answering::Body(verb, stuff) => {
                out.extend_from_slice(stuff.finish()?);
                *verb
            }
            Answering::Stuffed(verb, stuffed) => {
                out.extend_from_slice(stuffed.finish().ok_or(Misuse::InsideAnswer { to: *verb })?);
                *verb
            }
            Answering::Command(to, _) => return Err(Misuse::WrongAnswer { to: *to }),
            Answering::Nothing | Answering::Challenge => return Err(Misuse::NothingOwed),
        };
        self.answered(verb, Status::Ok);
        Ok(())
    }

    /// Gives an answer up that cannot be finished: the session is over, and the connection is to be closed, so that
    /// the client sees the end missing. There is no way to turn a message that was begun into `-ERR`.
    pub fn abort(&mut self) {
        self.close();
    }

    /// Sends a challenge that is base64 already; an empty one is allowed (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] unless a SASL exchange is under way and it is our turn; [`Misuse::ForbiddenOctet`] for
    /// what is no base64; [`Misuse::TooLong`] beyond the limit of a SASL line.
    pub fn challenge_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (verb, _) = self.owed()?;
        if verb != Verb::Auth {
            return Err(Misuse::WrongAnswer { to: verb });
        }
        if line.len().saturating_add(4) > self.config.sasl_line {
            return Err(Misuse::TooLong { limit: self.config.sasl_line });
        }
        if !line.is_empty() {
            check_base64(line)?;
        }
        out.extend_from_slice(b"+ ");
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        self.answering = Answering::Challenge;
        Ok(())
    }

    /// Sends a challenge in base64; an empty one is allowed (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] unless a SASL exchange is under way and it is our turn; [`Misuse::TooLong`] beyond the
    /// limit of a SASL line.
    #[cfg(feature = "sasl")]
    pub fn challenge(&mut self, challenge: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenge_line(crate::sasl::encode(challenge).as_bytes(), out)
    }

    /// Refuses the bearer token of [`Login::Bearer`](crate::Login::Bearer): the JSON says why, and once the client has heard it, `-ERR`
    /// follows by itself (RFC 7628 §3.2.3).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] or [`Misuse::NothingOwed`] unless such a login waits for its answer; [`Misuse::TooLong`].
    #[cfg(feature = "sasl")]
    pub fn reject_token(&mut self, json: &str, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let (to, _) = self.owed()?;
        if !self.bearer {
            return Err(Misuse::WrongAnswer { to });
        }
        self.challenge(json.as_bytes(), out)?;
        self.bearer = false;
        self.running = Some(Running::Rejected);
        Ok(())
    }

    /// Answers CAPA with what the settings and the state of the session say (RFC 2449 §5).
    ///
    /// # Errors
    ///
    /// [`Misuse::WrongAnswer`] or [`Misuse::NothingOwed`] if CAPA does not wait for its answer.
    pub fn capabilities(&mut self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        match self.owed()? {
            (Verb::Capa, _) => {}
            (to, _) => return Err(Misuse::WrongAnswer { to }),
        }
        self.begin("capability list follows", out)?;
        for capability in self.config.capabilities(self.now()) {
            grammar::encode_capability_row(&capability, out);
        }
        self.end(out)
    }

    /// The TLS handshake behind STLS is done. All that the client said before is forgotten (RFC 2595 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::NoTls`] unless STLS was just answered `+OK`, and [`Misuse::Over`] if octets came in the clear behind
    /// the command.
    pub fn tls_established(&mut self) -> Result<(), Misuse> {
        if self.fatal.is_some() {
            return Err(Misuse::Over);
        }
        if self.state != State::Handshake {
            return Err(Misuse::NoTls);
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
    /// [`Misuse::NoTls`] unless an AUTH command was just answered `+OK`, or if octets came in the clear behind it.
    pub fn security_layer_established(&mut self) -> Result<(), Misuse> {
        if self.fatal.is_some() {
            return Err(Misuse::Over);
        }
        if !core::mem::take(&mut self.layer_due) {
            return Err(Misuse::NoTls);
        }
        Ok(())
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

    /// The command that waits for its answer.
    #[must_use]
    pub const fn owes(&self) -> Option<Verb> {
        match self.answering {
            Answering::Command(verb, _)
            | Answering::Rows(verb)
            | Answering::Body(verb, _)
            | Answering::Stuffed(verb, _) => Some(verb),
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

    fn owed(&self) -> Result<(Verb, Shape), Misuse> {
        match self.answering {
            _ if self.fatal.is_some() || self.state == State::Closed => Err(Misuse::Over),
            Answering::Command(verb, shape) => Ok((verb, shape)),
            Answering::Rows(to) | Answering::Body(to, _) | Answering::Stuffed(to, _) => {
                Err(Misuse::InsideAnswer { to })
            }
            Answering::Nothing | Answering::Challenge => Err(Misuse::NothingOwed),
        }
    }

    fn stuff(&mut self) -> Result<&mut Stuff, Misuse> {
        match &mut self.answering {
            Answering::Body(_, stuff) => Ok(stuff),
            Answering::Command(to, _) | Answering::Rows(to) => Err(Misuse::WrongAnswer { to: *to }),
            Answering::Stuffed(to, _) => Err(Misuse::InsideAnswer { to: *to }),
            Answering::Nothing | Answering::Challenge => Err(Misuse::NothingOwed),
        }
    }

    fn answered(&mut self, verb: Verb, status: Status) {
        self.answering = Answering::Nothing;
        self.bearer = false;
        match (status, verb) {
            (Status::Ok, Verb::User) => self.user_accepted = true,
            (Status::Ok, Verb::Auth) => self.layer_due = !self.leftover,
            (Status::Ok, Verb::Utf8) => self.utf8 = true,
            (Status::Ok, Verb::Lang) => self.lang = true,
            (_, Verb::Quit) => self.outcome = Outcome::Quit,
            (Status::Err, Verb::User) => self.forget(),
            _ => {}
        }
        self.state = match status {
            Status::Ok => self.state.after_ok(verb),
            Status::Err => self.state.after_err(verb),
        };
        if self.state == State::Handshake && self.leftover {
            // RFC 2595 §4: octets behind STLS in the clear. Whatever the driver does with them, they die here.
            self.fail(Error::PlaintextAfterStls);
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

    fn check_text(&self, text: &str) -> Result<(), Misuse> {
        if text.is_ascii() || self.lang || self.utf8 { Ok(()) } else { Err(Misuse::NeedsLang) }
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

/// Whether the line announces STLS, however it was made.
fn is_stls(capability: &Capability<'_>) -> bool {
    match capability {
        Capability::Stls => true,
        Capability::Other { tag, .. } => tag.as_bytes().eq_ignore_ascii_case(b"STLS"),
        _ => false,
    }
}

/// Whether the line announces a login, however it was made.
fn is_login(capability: &Capability<'_>) -> bool {
    match capability {
        Capability::User | Capability::Sasl(_) => true,
        Capability::Other { tag, .. } => {
            [&b"USER"[..], b"SASL"].iter().any(|login| tag.as_bytes().eq_ignore_ascii_case(login))
        }
        _ => false,
    }
}

/// A row stays one line, of at most 512 octets.
fn check_row(line: &[u8], verb: Verb) -> Result<(), Misuse> {
    let text = line.strip_suffix(b"\r\n").unwrap_or(line);
    // What a private command answers may have blank lines and tabs, as a message has.
    let private = verb == Verb::Other;
    if let Some(&octet) = text.iter().find(|octet| octet.is_ascii_control() && !(private && **octet == b'\t')) {
        return Err(Misuse::ForbiddenOctet { octet });
    }
    match text {
        [] if !private => Err(Misuse::Empty),
        _ if line.len() > Reply::MAX => Err(Misuse::TooLong { limit: Reply::MAX }),
        _ => Ok(()),
    }
}
