//! The client's machine.
//!
//! ```text
//! send(command) --> octets for the server (appended to the caller's buffer)
//! octets of the server --> next_event() --> Greeting, Ok, Err, rows, Body, End, ...
//! ```

use crate::capability::{Extension, Known, Support};
use crate::command::{Command, check_base64};
use crate::config::{Config, Peer, Pipelining, Quirk, Quirks, Shared, Tls};
use crate::error::{Error, Misuse, Protocol, Wait};
use crate::event::{Challenge, Event};
use crate::grammar::command::is_base64_text;
use crate::grammar::number::octets;
use crate::grammar::status::status_line;
use crate::grammar::{self, IResult, Tolerance};
use crate::outstanding::{Entry, Outstanding};
use crate::reply::{Data, Status, StatusLine, Timestamp};
use crate::state::{Shape, State, Verb};
use crate::text::Text;
use crate::wire::dot::{Passage, Piece, Unstuff};
use crate::wire::line::{Ending, Found, LineEnd, Lines};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

/// The client's side of one POP3 session.
///
/// It has no socket and no clock: the caller reads octets, gives them to [`Client::next_event`], acts on the events,
/// and writes what [`Client::send`] appended. Events come in the grammar that [`Event`] states; they do not depend on
/// how the octets were cut.
///
/// A machine serves one connection and is not `Clone`.
///
/// ```
/// use pop3_proto::{Client, Command, Config, Event, Verb};
///
/// let mut client = Client::with_config(Config::new().allow_cleartext_login());
/// let mut out = Vec::new();
///
/// let mut input: &[u8] = b"+OK POP3 server ready\r\n";
/// assert!(matches!(client.next_event(&mut input)?, Some(Event::Greeting { .. })));
/// client.send(&Command::user("mrose")?, &mut out)?;
/// assert_eq!(out, b"USER mrose\r\n");
///
/// let mut input: &[u8] = b"+OK mrose is a real ";
/// assert_eq!(client.next_event(&mut input)?, None); // used up: read more
/// let mut input: &[u8] = b"hoopy frood\r\n";
/// assert!(matches!(client.next_event(&mut input)?, Some(Event::Ok { to: Verb::User, .. })));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct Client {
    config: Shared,
    lines: Lines,
    outstanding: Outstanding,
    fatal: Option<Box<Error>>,
    rows: u64,
    login_generation: u32,
    known: Known,
    quirks: Quirks,
    reading: Reading,
    state: State,
    peer: Option<Peer>,
    user: User,
    stls: Stls,
    committed: Committed,
    timestamp: bool,
    utf8: bool,
    layer: bool,
    early: bool,
    /// In a SASL exchange: whether we sent a response yet.
    spoken: bool,
}

/// What the next octets belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reading {
    /// The status line of the first outstanding command.
    Status,
    /// The lines behind it.
    Rows(LineEnd),
    /// The message behind it.
    Body(Unstuff),
    /// The same, stuffing left in.
    Passage(Passage),
    /// Nothing: a challenge waits for its response.
    Challenged,
    /// Nothing: the server said that it is about to close.
    Closing,
}

/// Where USER and PASS stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    None,
    Sent,
    Accepted,
}

/// What became of STLS in this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stls {
    /// Not asked.
    Open,
    /// The server has no CAPA, and so nobody knows.
    NoCapa,
    /// Answered `-ERR`.
    Refused,
}

/// Whether the messages marked as deleted are gone (RFC 1939 §6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// QUIT in the TRANSACTION state was answered `+OK`.
    Yes,
    /// No QUIT was sent in the TRANSACTION state: they are all there.
    No,
    /// QUIT was sent, and the answer did not come, or was `-ERR`: none, some or all are gone.
    Unknown,
}

impl Client {
    /// A client with the default settings on a connection without TLS.
    #[must_use]
    pub fn new() -> Self {
        Self::begin(Shared::default(), None)
    }

    /// A client on a connection without TLS. A [`Config`] or an `Arc<Config>` that others share.
    #[must_use]
    pub fn with_config(config: impl Into<Arc<Config>>) -> Self {
        Self::begin(Shared::new(config), None)
    }

    /// A client on a connection that speaks TLS from the first octet (implicit TLS, RFC 8314 §3). The handshake is
    /// done, and `peer` says what it showed.
    #[must_use]
    pub fn over_tls(config: impl Into<Arc<Config>>, peer: Peer) -> Self {
        Self::begin(Shared::new(config), Some(peer))
    }

    const fn begin(config: Shared, peer: Option<Peer>) -> Self {
        Self {
            config,
            lines: Lines::new(),
            outstanding: Outstanding::new(),
            fatal: None,
            rows: 0,
            login_generation: 0,
            known: Known::NONE,
            quirks: Quirks::STRICT,
            reading: Reading::Status,
            state: State::Greeting,
            peer,
            user: User::None,
            stls: Stls::Open,
            committed: Committed::No,
            timestamp: false,
            utf8: false,
            layer: false,
            early: false,
            spoken: false,
        }
    }

    /// Appends the command's line to `out`, one line and one only.
    ///
    /// # Errors
    ///
    /// Whatever [`Client::may_send`] says; nothing was written and nothing changed then.
    pub fn send(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.may_send(command)?;
        let verb = command.verb();
        command.encode(out);
        self.outstanding.push(Entry {
            verb,
            shape: command.shape(),
            octets: u8::try_from(command.encoded_len()).unwrap_or(u8::MAX),
        });
        match verb {
            Verb::User => self.user = User::Sent,
            Verb::Auth => self.spoken = matches!(command, Command::Auth(auth) if auth.initial.is_some()),
            Verb::Quit if self.state == State::Transaction => self.committed = Committed::Unknown,
            _ => {}
        }
        self.state = self.state.after_command(verb);
        Ok(())
    }

    /// Answers [`Event::Challenge`] with a line that is base64 already; an empty one is an empty response.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoChallenge`], [`Misuse::ForbiddenOctet`] for what is no base64, [`Misuse::TooLong`] beyond the limit
    /// of a SASL line.
    pub fn respond_line(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenged()?;
        let length = line.len().saturating_add(2);
        if length > self.config.sasl_line {
            return Err(Misuse::TooLong { limit: self.config.sasl_line });
        }
        if !line.is_empty() {
            check_base64(line)?;
        }
        out.extend_from_slice(line);
        out.extend_from_slice(b"\r\n");
        self.reading = Reading::Status;
        self.spoken = true;
        Ok(())
    }

    /// Answers [`Event::Challenge`] with octets that are sent in base64; none is an empty response.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoChallenge`], [`Misuse::TooLong`] beyond the limit of a SASL line.
    #[cfg(feature = "sasl")]
    pub fn respond(&mut self, response: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenged()?;
        let line = crate::text::Secret::from(crate::sasl::encode(response).into_bytes());
        self.respond_line(line.reveal(), out)
    }

    /// Begins a SASL exchange: `AUTH mechanism`, with the initial response where the protocol and
    /// [`Config::initial_response`] allow it. Each [`Event::Challenge`] then goes to [`Client::answer`].
    ///
    /// # Errors
    ///
    /// As [`Client::send`].
    #[cfg(feature = "sasl")]
    pub fn authenticate(&mut self, exchange: &mut crate::sasl::Exchange<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let mechanism = exchange.mechanism();
        let announced = self.known.support(Extension::Sasl) == Support::Yes;
        let initial = exchange.initial(self.config.initial_response).filter(|_| announced);
        let line = initial.map(|response| match response {
            [] => crate::text::Secret::from(&b"="[..]),
            _ => crate::text::Secret::from(crate::sasl::encode(response).into_bytes()),
        });
        // What is too long for the line goes behind an empty challenge (RFC 5034 §4).
        let inline = line.as_ref().and_then(|line| Command::auth_with_initial(mechanism, line.reveal()).ok());
        match inline {
            Some(command) => {
                self.send(&command, out)?;
                exchange.initial_sent();
                Ok(())
            }
            None => self.send(&Command::auth(mechanism)?, out),
        }
    }

    /// Answers [`Event::Challenge`] with what the exchange has to say, or cancels it where the challenge makes no
    /// sense.
    ///
    /// # Errors
    ///
    /// As [`Client::respond`].
    #[cfg(feature = "sasl")]
    pub fn answer(
        &mut self,
        challenge: &Challenge<'_>,
        exchange: &mut crate::sasl::Exchange<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Misuse> {
        self.challenged()?;
        match exchange.answer(challenge) {
            crate::sasl::Step::Respond(response) => self.respond(response.reveal(), out),
            crate::sasl::Step::Cancel => self.cancel(out),
        }
    }

    /// Answers [`Event::Challenge`] with `*`: the server ends the exchange with `-ERR` (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::NoChallenge`].
    pub fn cancel(&mut self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.challenged()?;
        out.extend_from_slice(b"*\r\n");
        self.reading = Reading::Status;
        Ok(())
    }

    /// Takes octets off the front of `input` and says what they mean. `Ok(None)`: used up, read more.
    ///
    /// # Errors
    ///
    /// [`Error`]: the session is lost, and every later call says the same.
    pub fn next_event<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        if let Some(fatal) = &self.fatal {
            return Err((**fatal).clone());
        }
        if input.is_empty() {
            return Ok(None);
        }
        match self.advance(input) {
            Ok(event) => {
                let unasked = self.outstanding.first().is_none() && self.lines.held() > 0;
                if event.is_some() && !input.is_empty() || unasked {
                    self.mark_early();
                }
                Ok(event)
            }
            Err(error) => Err(self.fail(error)),
        }
    }

    /// The server closed the connection. `Ok` if nothing was outstanding.
    ///
    /// # Errors
    ///
    /// [`Error::Eof`], which says what we were waiting for, or [`Error::AuthRejectedByClose`].
    pub fn handle_eof(&mut self) -> Result<(), Error> {
        if let Some(fatal) = &self.fatal {
            return Err((**fatal).clone());
        }
        let awaiting = self.awaiting();
        self.lines.clear();
        match awaiting {
            Wait::Command | Wait::Close | Wait::Answer(_) if self.reading != Reading::Challenged => {
                self.state = State::Closed;
                Ok(())
            }
            Wait::Reply(to @ (Verb::Pass | Verb::Apop | Verb::Auth)) if self.reading == Reading::Status => {
                Err(self.fail(Error::AuthRejectedByClose { to }))
            }
            _ => Err(self.fail(Error::Eof { awaiting })),
        }
    }

    /// The TLS handshake behind STLS is done. All that the server said before is forgotten (RFC 2595 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::NoTls`] unless STLS was just answered `+OK`, and [`Misuse::Over`] if octets came in the clear behind
    /// that answer.
    pub fn tls_established(&mut self, peer: Peer) -> Result<(), Misuse> {
        if self.fatal.is_some() {
            return Err(Misuse::Over);
        }
        if self.state != State::Handshake {
            return Err(Misuse::NoTls);
        }
        self.state = State::Authorization;
        self.peer = Some(peer);
        self.known = Known::NONE;
        self.timestamp = false;
        self.user = User::None;
        self.utf8 = false;
        self.lines.clear();
        Ok(())
    }

    /// A security layer that a SASL mechanism negotiated is in force from here on (RFC 5034 §4). What the server said
    /// before is forgotten.
    ///
    /// # Errors
    ///
    /// [`Misuse::NoTls`] unless an AUTH command was just answered `+OK`; [`Misuse::Unsolicited`] if octets came in the
    /// clear behind that answer.
    pub fn security_layer_established(&mut self) -> Result<(), Misuse> {
        if self.fatal.is_some() {
            return Err(Misuse::Over);
        }
        if self.early {
            return Err(Misuse::Unsolicited);
        }
        if self.state != State::Transaction || self.layer || self.outstanding.first().is_some() {
            return Err(Misuse::NoTls);
        }
        self.layer = true;
        self.known = Known::NONE;
        self.lines.clear();
        Ok(())
    }

    /// Whether [`Client::send`] would take the command now.
    ///
    /// # Errors
    ///
    /// What stands against it.
    pub fn may_send(&self, command: &Command<'_>) -> Result<(), Misuse> {
        let verb = command.verb();
        if self.fatal.is_some() || self.state == State::Closed {
            return Err(Misuse::Over);
        }
        if self.reading == Reading::Closing {
            return Err(Misuse::Over);
        }
        if self.early {
            return Err(Misuse::Unsolicited);
        }
        if !self.state.permits(verb) {
            return Err(Misuse::NotPermitted { verb, state: self.state });
        }
        self.policy_permits(command)?;
        match self.user {
            User::Accepted if !matches!(verb, Verb::Pass | Verb::Quit) => return Err(Misuse::UserBeforePass),
            User::None if verb == Verb::Pass => return Err(Misuse::UserBeforePass),
            _ => {}
        }
        self.window_permits(command)
    }

    /// The state of the session, as far as answers have come.
    #[must_use]
    pub const fn state(&self) -> State {
        self.state
    }

    /// What the machine waits for.
    #[must_use]
    pub fn awaiting(&self) -> Wait {
        match (self.state, self.outstanding.first()) {
            _ if self.fatal.is_some() || self.reading == Reading::Closing => Wait::Close,
            (State::Greeting, _) => Wait::Greeting,
            (State::Handshake, _) => Wait::Tls,
            (State::Closed, _) => Wait::Close,
            (_, Some(_)) if self.reading == Reading::Challenged => Wait::Answer(Verb::Auth),
            (_, Some(entry)) => Wait::Reply(entry.verb),
            (_, None) => Wait::Command,
        }
    }

    /// How long that may take by the settings; the driver owns the clock. `None` where the next word is the client's
    /// own.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        match self.awaiting() {
            Wait::Command => None,
            wait => self.config.patience(wait),
        }
    }

    /// Whether the messages marked as deleted are gone.
    #[must_use]
    pub const fn committed(&self) -> Committed {
        self.committed
    }

    /// How many commands wait for their answers.
    #[must_use]
    pub fn outstanding(&self) -> usize {
        self.outstanding.len()
    }

    /// Whether the server can do something, by its last capability list of this phase of the session.
    #[must_use]
    pub const fn supports(&self, extension: Extension) -> Support {
        self.known.support(extension)
    }

    /// Which tolerances the server has needed so far.
    #[must_use]
    pub const fn quirks_seen(&self) -> Quirks {
        self.quirks
    }

    /// Whether TLS is on, and what it showed of the server.
    #[must_use]
    pub const fn tls(&self) -> Option<Peer> {
        self.peer
    }

    /// Whether the greeting holds a timestamp that APOP can use and the settings allow it.
    #[must_use]
    pub fn offers_apop(&self) -> bool {
        self.timestamp && self.config.apop
    }

    pub(crate) fn wants_tls(&self) -> bool {
        self.config.tls != Tls::None
    }

    pub(crate) fn requires_tls(&self) -> bool {
        self.config.tls == Tls::Required
    }

    /// How many logins this connection has seen; a pool compares it.
    #[must_use]
    pub const fn login_generation(&self) -> u32 {
        self.login_generation
    }

    /// How many octets are held back: the beginning of a line, or what may be the end of a message.
    #[must_use]
    pub fn held(&self) -> usize {
        match &self.reading {
            Reading::Body(unstuff) => unstuff.held(),
            Reading::Passage(passage) => passage.held(),
            _ => self.lines.held(),
        }
    }

    /// Whether the session is over, by QUIT, by the server's closing word or by an error.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.fatal.is_some() || self.state == State::Closed
    }

    fn advance<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        let piece = match &mut self.reading {
            Reading::Body(unstuff) => {
                let piece = unstuff.next(input);
                if unstuff.missing_stuffing() && self.config.quirks.contains(Quirk::MissingStuffing) {
                    self.quirks.insert(Quirk::MissingStuffing);
                }
                Some(piece)
            }
            Reading::Passage(passage) => Some(passage.next(input)),
            _ => None,
        };
        if let Some(piece) = piece {
            return Ok(match piece {
                None => None,
                Some(Piece::Text(octets)) => Some(Event::Body(octets)),
                Some(Piece::End) => Some(self.end()),
            });
        }
        self.expects_octets(input)?;
        let (ending, limit) = self.framing();
        match self.lines.find(input, ending, limit) {
            Err(_) => Err(Error::LineTooLong { limit }),
            Ok(None) => Ok(None),
            Ok(Some(Found::Whole(line, end))) => self.line(line, end).map(Some),
            Ok(Some(Found::Carried(end))) => {
                let carried = self.lines.take_carried();
                let event = self.line(&carried, end).map(Event::into_owned);
                self.lines.reuse(carried);
                event.map(Some)
            }
        }
    }

    /// Whether the server has any business to send what comes now.
    fn expects_octets(&self, input: &[u8]) -> Result<(), Error> {
        if self.state == State::Handshake {
            return Err(Error::PlaintextAfterStls);
        }
        let nothing_asked = self.outstanding.first().is_none() && self.state != State::Greeting;
        if matches!(self.reading, Reading::Challenged | Reading::Closing) || self.state == State::Closed {
            return Err(Error::Unsolicited);
        }
        // A TLS record may hold no LF for a long time: who speaks TLS from the first octet is known by that octet.
        if self.state == State::Greeting && self.lines.held() == 0 && matches!(input.first(), Some(0x15 | 0x16)) {
            return Err(Error::NotPop3 { looks_like: Protocol::Tls });
        }
        // All that may come unasked is a "-ERR" before the connection is closed.
        if nothing_asked && self.lines.held() == 0 && input.first() != Some(&b'-') {
            return Err(Error::Unsolicited);
        }
        Ok(())
    }

    fn framing(&self) -> (Ending, usize) {
        let config = &*self.config;
        match self.reading {
            Reading::Rows(LineEnd::Crlf) => (Ending::Crlf, self.line_limit()),
            Reading::Rows(LineEnd::BareLf) => (Ending::Lf, self.line_limit()),
            // A bare LF is seen at once, and refused where it is not tolerated.
            _ if self.outstanding.first().is_some_and(|entry| entry.verb == Verb::Auth) => {
                (Ending::Lf, config.sasl_line.max(self.line_limit()))
            }
            _ => (Ending::Lf, self.line_limit()),
        }
    }

    fn line_limit(&self) -> usize {
        if self.config.quirks.contains(Quirk::LongStatus) { self.config.status_line } else { crate::Reply::MAX }
    }

    /// A whole line. (A line that was carried is borrowed from the carry: hence a lifetime of its own.)
    fn line<'l>(&mut self, line: &'l [u8], end: LineEnd) -> Result<Event<'l>, Error> {
        if let Reading::Rows(_) = self.reading {
            return self.row(line);
        }
        if end == LineEnd::BareLf && !self.tolerates(Quirk::BareLf) {
            return Err(Error::BareLf);
        }
        if line.len().saturating_add(2) > crate::Reply::MAX
            && !self.is_challenge(line)
            && !self.tolerates(Quirk::LongStatus)
        {
            return Err(Error::LineTooLong { limit: crate::Reply::MAX });
        }
        if self.state == State::Greeting {
            return self.greeting(line);
        }
        let Some(entry) = self.outstanding.first() else {
            return self.closing(line);
        };
        if entry.verb == Verb::Auth && self.is_challenge(line) {
            return self.challenge(line);
        }
        let premature = entry.verb == Verb::Auth && !self.spoken && line.starts_with(b"+OK");
        if premature && self.tolerates(Quirk::OkAsContinue) {
            return self.challenge(b"+ ");
        }
        let Ok(status) = self.parse(|tolerance| status_line(line, tolerance)) else {
            return Err(Error::NoStatus { to: entry.verb, line: Text::from(line).into_owned() });
        };
        match status.status {
            Status::Ok => Ok(self.ok(entry, status, end)),
            Status::Err => Ok(self.err(entry, status)),
        }
    }

    fn greeting<'l>(&mut self, line: &'l [u8]) -> Result<Event<'l>, Error> {
        let Ok(status) = self.parse(|tolerance| status_line(line, tolerance)) else {
            return Err(Error::NotPop3 { looks_like: looks_like(line) });
        };
        if status.status == Status::Err {
            let StatusLine { code, text, .. } = status.into_owned();
            return Err(Error::GreetingRefused { code, text });
        }
        let text = line.get(4..).unwrap_or_default();
        let timestamp = Timestamp::find(text);
        self.timestamp = timestamp.is_some();
        self.state = State::Authorization;
        Ok(Event::Greeting { text: Text::from(text), timestamp })
    }

    /// A line that no command asked for.
    fn closing<'l>(&mut self, line: &'l [u8]) -> Result<Event<'l>, Error> {
        match self.parse(|tolerance| status_line(line, tolerance)) {
            Ok(StatusLine { status: Status::Err, code, text }) => {
                self.reading = Reading::Closing;
                Ok(Event::Closing { code, text })
            }
            _ => Err(Error::Unsolicited),
        }
    }

    /// RFC 5034 §4: a challenge is "+", a space and base64. During AUTH only, and never what begins with "+OK".
    fn is_challenge(&self, line: &[u8]) -> bool {
        line.starts_with(b"+")
            && !line.starts_with(b"+OK")
            && self.outstanding.first().is_some_and(|entry| entry.verb == Verb::Auth)
    }

    fn challenge<'l>(&mut self, line: &'l [u8]) -> Result<Event<'l>, Error> {
        let no_status = |line: &[u8]| Error::NoStatus { to: Verb::Auth, line: Text::from(line).into_owned() };
        let text = match line {
            [b'+', b' ', text @ ..] => text,
            b"+" if self.tolerates(Quirk::BarePlus) => &[],
            _ => return Err(no_status(line)),
        };
        if !text.is_empty() && !is_base64_text(text) && !self.tolerates(Quirk::TextChallenge) {
            return Err(no_status(line));
        }
        self.reading = Reading::Challenged;
        Ok(Event::Challenge(Challenge(Text::from(text))))
    }

    fn ok<'l>(&mut self, entry: Entry, status: StatusLine<'l>, end: LineEnd) -> Event<'l> {
        let StatusLine { code, text, .. } = status;
        let to = entry.verb;
        let data = self.data(entry, &text);
        self.user = if to == Verb::User { User::Accepted } else { User::None };
        let before = self.state;
        self.state = self.state.after_ok(to);
        match to {
            Verb::Capa => self.known = Known::NONE,
            Verb::Utf8 => self.utf8 = true,
            Verb::Quit if before == State::Update => self.committed = Committed::Yes,
            _ => {}
        }
        if before == State::Authorization && self.state == State::Transaction {
            self.login_generation = self.login_generation.saturating_add(1);
            self.known = Known::NONE;
        }
        if entry.shape == Shape::SingleLine {
            self.answered();
        } else {
            self.rows = 0;
            self.reading = match (entry.is_body(), self.config.stuffed) {
                (true, false) => Reading::Body(Unstuff::new(end)),
                (true, true) => Reading::Passage(Passage::new(end)),
                (false, _) => Reading::Rows(end),
            };
        }
        Event::Ok { to, code, text, data }
    }

    fn err<'l>(&mut self, entry: Entry, status: StatusLine<'l>) -> Event<'l> {
        let StatusLine { code, text, .. } = status;
        let to = entry.verb;
        self.user = User::None;
        self.state = self.state.after_err(to);
        match to {
            Verb::Capa => {
                self.known = Known::NONE;
                if self.stls == Stls::Open {
                    self.stls = Stls::NoCapa;
                }
            }
            Verb::Stls => self.stls = Stls::Refused,
            _ => {}
        }
        self.answered();
        Event::Err { to, code, text }
    }

    /// What a `+OK` carries.
    fn data<'l>(&mut self, entry: Entry, text: &Text<'l>) -> Data<'l> {
        // The text of a whole line borrows from it; taking the octets apart keeps that borrow.
        let alloc::borrow::Cow::Borrowed(text) = text.clone().into_bytes() else { return Data::None };
        let parsed = match (entry.verb, entry.shape) {
            (Verb::Stat, _) => self.parse(|tolerance| grammar::listing::drop_listing(text, tolerance)).map(Data::Drop),
            (Verb::List, Shape::SingleLine) => {
                self.parse(|tolerance| grammar::listing::scan_listing(text, tolerance)).map(Data::Scan)
            }
            (Verb::Uidl, Shape::SingleLine) => {
                self.parse(|tolerance| grammar::listing::unique_id_listing(text, tolerance)).map(Data::UniqueId)
            }
            (Verb::Lang, Shape::SingleLine) => self.parse(|_| grammar::listing::language(text)).map(Data::Language),
            (Verb::Retr, _) => Ok(match octets(text) {
                Ok((rest, octets)) if rest.is_empty() || rest.starts_with(b" octets") => Data::Octets(octets),
                _ => Data::None,
            }),
            _ => Ok(Data::None),
        };
        parsed.unwrap_or_else(Data::Malformed)
    }

    fn row<'l>(&mut self, line: &'l [u8]) -> Result<Event<'l>, Error> {
        if line == b"." {
            return Ok(self.end());
        }
        let Some(entry) = self.outstanding.first() else { return Err(Error::Unsolicited) };
        self.rows = self.rows.saturating_add(1);
        if self.rows > self.config.rows {
            return Err(Error::ListingTooLong { to: entry.verb, limit: self.config.rows });
        }
        let text = line.strip_prefix(b".").unwrap_or(line);
        let event = match entry.verb {
            Verb::List => self.parse(|tolerance| grammar::listing::scan_listing(text, tolerance)).map(Event::Scan),
            Verb::Uidl => {
                self.parse(|tolerance| grammar::listing::unique_id_listing(text, tolerance)).map(Event::UniqueId)
            }
            Verb::Capa => self.parse(|_| grammar::capability::capability(text)).map(|capability| {
                self.known.add(&capability);
                Event::Capability(capability)
            }),
            Verb::Lang => self.parse(|_| grammar::listing::language_listing(text)).map(Event::Language),
            _ => Ok(Event::Line(Text::from(text))),
        };
        Ok(event.unwrap_or_else(|fault| Event::BadRow { of: entry.verb, line: Text::from(text), fault }))
    }

    /// The end of a multi-line response.
    fn end<'i>(&mut self) -> Event<'i> {
        let of = self.outstanding.first().map_or(Verb::Other, |entry| entry.verb);
        if of == Verb::Capa {
            self.known.complete();
        }
        self.answered();
        Event::End { of }
    }

    fn answered(&mut self) {
        self.reading = Reading::Status;
        self.outstanding.pop();
    }

    /// Octets are left behind an event: if no command asked for them, none that is sent later may get them as its
    /// answer.
    fn mark_early(&mut self) {
        if self.state == State::Handshake {
            self.fail(Error::PlaintextAfterStls);
        } else if self.state != State::Greeting
            && (self.outstanding.first().is_none() || self.reading == Reading::Challenged)
        {
            self.early = true;
        }
    }

    fn fail(&mut self, error: Error) -> Error {
        self.fatal = Some(Box::new(error.clone()));
        self.lines.clear();
        error
    }

    fn challenged(&self) -> Result<(), Misuse> {
        match (&self.fatal, &self.reading) {
            (Some(_), _) => Err(Misuse::Over),
            (None, Reading::Challenged) if self.early => Err(Misuse::Unsolicited),
            (None, Reading::Challenged) => Ok(()),
            (None, _) => Err(Misuse::NoChallenge),
        }
    }

    fn policy_permits(&self, command: &Command<'_>) -> Result<(), Misuse> {
        let verb = command.verb();
        let harmless = matches!(verb, Verb::Capa | Verb::Stls | Verb::Quit);
        if verb == Verb::Stls && (self.peer.is_some() || self.utf8) {
            return Err(Misuse::NoTls);
        }
        if self.peer.is_none() && self.state == State::Authorization && !harmless {
            let no_stls = self.stls != Stls::Open || self.known.support(Extension::Stls) == Support::No;
            match self.config.tls {
                Tls::Required => return Err(Misuse::NeedsTls),
                Tls::Opportunistic if verb.is_login() && !no_stls => return Err(Misuse::NeedsTls),
                Tls::Opportunistic | Tls::None => {}
            }
        }
        let argument: &[u8] = match command {
            Command::Apop(_) if !self.config.apop => return Err(Misuse::ApopIsOff),
            Command::Apop(_) if !self.timestamp => return Err(Misuse::NoTimestamp),
            Command::Apop(apop) => apop.name.as_bytes(),
            Command::User(name) => name.as_bytes(),
            Command::Pass(password) => password.reveal(),
            Command::Auth(auth) if auth.initial.is_some() && self.known.support(Extension::Sasl) != Support::Yes => {
                return Err(Misuse::NoInitialResponse);
            }
            _ => &[],
        };
        if !argument.is_ascii() && self.known.support(Extension::Utf8User) != Support::Yes {
            return Err(Misuse::NeedsUtf8User);
        }
        Ok(())
    }

    /// RFC 2449 §6.6, and our barriers: nothing before or behind STLS, a login, AUTH and QUIT.
    fn window_permits(&self, command: &Command<'_>) -> Result<(), Misuse> {
        let (Some(first), Some(last)) = (self.outstanding.first(), self.outstanding.last()) else { return Ok(()) };
        let awaiting = Misuse::Outstanding { awaiting: first.verb };
        let verb = command.verb();
        if self.config.pipelining == Pipelining::Never || self.known.support(Extension::Pipelining) != Support::Yes {
            return Err(awaiting);
        }
        let with_login = verb == Verb::Pass
            && last.verb == Verb::User
            && self.config.pipelining == Pipelining::WithLogin
            && self.peer.is_some();
        let barrier = |verb| {
            !matches!(
                verb,
                Verb::Stat | Verb::List | Verb::Retr | Verb::Dele | Verb::Noop | Verb::Rset | Verb::Top | Verb::Uidl
            )
        };
        if !with_login && (barrier(verb) || barrier(last.verb)) {
            return Err(awaiting);
        }
        // A message whose octets were not read yet must not be marked as deleted.
        if verb == Verb::Dele && self.outstanding.has_body() {
            return Err(awaiting);
        }
        let octets = u32::try_from(command.encoded_len()).unwrap_or(u32::MAX);
        let full = self.outstanding.len() >= usize::from(self.config.outstanding)
            || self.outstanding.octets().saturating_add(octets) > self.config.window;
        if full { Err(Misuse::WindowFull) } else { Ok(()) }
    }

    /// Parses a whole line, and notes the tolerances that it needed.
    fn parse<'l, T>(&mut self, production: impl FnOnce(&mut Tolerance) -> IResult<'l, T>) -> Result<T, grammar::Fault> {
        let mut tolerance = Tolerance::new(self.config.quirks);
        match production(&mut tolerance) {
            Ok((_, value)) => {
                tolerance.seen.iter().for_each(|quirk| self.quirks.insert(quirk));
                Ok(value)
            }
            Err(error) => Err(grammar::fault(error)),
        }
    }

    fn tolerates(&mut self, quirk: Quirk) -> bool {
        let allowed = self.config.quirks.contains(quirk);
        if allowed {
            self.quirks.insert(quirk);
        }
        allowed
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}

fn looks_like(line: &[u8]) -> Protocol {
    match line {
        [b'*', b' ', ..] => Protocol::Imap,
        [b'2' | b'4' | b'5', b'0'..=b'9', b'0'..=b'9', ..] => Protocol::Smtp,
        [b'H', b'T', b'T', b'P', b'/', ..] => Protocol::Http,
        [b'S', b'S', b'H', b'-', ..] => Protocol::Ssh,
        _ => Protocol::Unknown,
    }
}
