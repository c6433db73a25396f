//! The client's machine.
//!
//! ```text
//! send(command) --> octets for the server (appended to the caller's buffer)
//! octets of the server --> next_event() --> Greeting, Ok, Err, rows, Body, End, ...
//! ```

mod answers;
mod exchange;
mod policy;

use crate::capability::{Extension, Known, Support};
use crate::command::{Command, MAX_COMMAND};
use crate::config::{Config, Peer, Pipelining, Shared, Tls};
use crate::error::{Error, Misuse, Wait};
use crate::event::Event;
use crate::listing::MessageNumber;
use crate::outstanding::{Entry, Outstanding};
use crate::quirk::{Quirk, Quirks};
use crate::state::{State, Verb};
use crate::wire::dot::{Passage, Unstuff};
use crate::wire::line::{LineEnd, Lines};
use alloc::boxed::Box;
use alloc::sync::Arc;
use alloc::vec::Vec;
use core::time::Duration;

#[cfg(feature = "sasl")]
pub use self::exchange::InitialSent;

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
    /// How many more rows the listing may have.
    rows_left: u64,
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
    /// AUTH was just answered `+OK`: a security layer may begin here.
    layer_due: bool,
    early: bool,
    /// An answer within a batch made no sense: from here on one command at a time.
    one_at_a_time: bool,
    /// In a SASL exchange: whether we sent a response yet.
    spoken: Spoken,
}

/// What the next octets belong to.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Reading {
    /// The status line of the first outstanding command.
    Status,
    /// The lines behind it: of LIST,
    ScanListings(LineEnd),
    /// of UIDL,
    UniqueIdListings(LineEnd),
    /// of CAPA,
    Capabilities(LineEnd),
    /// or of this command.
    Rows(Verb, LineEnd),
    /// The message behind it.
    Body(Unstuff),
    /// The same, stuffing left in.
    Passage(Passage),
    /// Nothing: a challenge waits for its response.
    Challenged,
    /// Nothing: the server said that it is about to close.
    Closing,
    /// Nothing: see `fatal`.
    Failed,
}

/// Where USER and PASS stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum User {
    None,
    Sent,
    Accepted,
}

/// Where an AUTH command stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Spoken {
    /// No response went out, and no `+OK` was taken for a challenge.
    Nothing,
    /// A `+OK` was ([`Quirk::OkAsContinue`](crate::Quirk::OkAsContinue)): the next one is the end.
    Heard,
    /// Credentials are out.
    Response,
}

/// What became of STLS in this session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stls {
    /// Not asked.
    Open,
    /// A capability list named it once.
    Named,
    /// Answered `-ERR`.
    Refused,
}

/// Whether the messages marked as deleted are gone (RFC 1939 §6).
///
/// ```
/// use pop3_proto::{Client, Committed};
///
/// assert_eq!(Client::new().committed(), Committed::No); // no QUIT was sent
/// ```
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
            rows_left: 0,
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
            layer_due: false,
            early: false,
            one_at_a_time: false,
            spoken: Spoken::Nothing,
        }
    }

    /// Appends the command's line to `out`, one line and one only.
    ///
    /// # Errors
    ///
    /// Whatever [`Client::may_send`] says; nothing was written and nothing changed then.
    pub fn send(&mut self, command: &Command<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.may_send(command)?;
        self.layer_due = false;
        let verb = command.verb();
        command.encode(out);
        self.outstanding.push(Entry {
            verb,
            shape: command.shape(),
            number: command.number(),
            octets: u8::try_from(command.encoded_len()).unwrap_or(u8::MAX),
        });
        match verb {
            Verb::User => self.user = User::Sent,
            Verb::Auth => {
                let initial = matches!(command, Command::Auth(auth) if auth.initial.is_some());
                self.spoken = if initial { Spoken::Response } else { Spoken::Nothing };
            }
            Verb::Quit if self.state == State::Transaction => self.committed = Committed::Unknown,
            _ => {}
        }
        self.state = self.state.after_command(verb);
        Ok(())
    }

    /// Takes octets off the front of `input` and says what they mean. `Ok(None)`: used up, read more.
    ///
    /// # Errors
    ///
    /// [`Error`]: the session is lost, and every later call says the same.
    #[inline]
    pub fn next_event<'i>(&mut self, input: &mut &'i [u8]) -> Result<Option<Event<'i>>, Error> {
        // Most of what a client reads is message text, and while it lasts nothing else of the machine changes.
        if let Reading::Body(unstuff) = &mut self.reading {
            match unstuff.text(input) {
                Some(text) => return Ok(Some(Event::Body(text))),
                None if input.is_empty() => return Ok(None),
                None => {}
            }
        }
        // (Each in a function of its own, which needs no more of the stack than it uses.)
        match self.reading {
            Reading::Body(_) => self.next_body(input),
            Reading::Passage(_) => self.next_passage(input),
            Reading::ScanListings(end) => self.next_scan_listing(end, input),
            Reading::UniqueIdListings(end) => self.next_unique_id_listing(end, input),
            Reading::Capabilities(end) => self.next_capability(end, input),
            Reading::Rows(of, end) => self.next_row(of, end, input),
            Reading::Status | Reading::Challenged | Reading::Closing | Reading::Failed => self.next_status(input),
        }
    }

    /// Takes message text off the front of `input`, if that is what comes next: the octets of [`Event::Body`] (RFC 1939 §3)
    /// without an event around them.
    ///
    /// `None` is no end and no error. It only says that something else comes, or nothing: what that is, [`Client::next_event`]
    /// says, which has to be called with the same `input` before more is read. Nobody needs this method, and the two may be
    /// mixed as one likes. It saves the caller some 30 instructions a slice, which counts where slices are short (a body in
    /// which line after line begins with a dot, reads of a few octets) and is nothing beside a read of 16 KiB.
    ///
    /// ```
    /// use pop3_proto::{Client, Command, Config, Event, Peer, Verb};
    ///
    /// # let mut client = Client::over_tls(Config::new(), Peer::Verified);
    /// # client.next_event(&mut &b"+OK ready\r\n"[..])?;
    /// # for command in [Command::user("mrose")?, Command::pass("tanstaaf")?] {
    /// #     client.send(&command, &mut Vec::new())?;
    /// #     client.next_event(&mut &b"+OK\r\n"[..])?;
    /// # }
    /// client.send(&Command::retr(1)?, &mut Vec::new())?;
    /// let mut input: &[u8] = b"+OK\r\nSubject: hi\r\n\r\n..\r\n.\r\n";
    /// assert_eq!(client.body(&mut input), None);
    /// assert!(matches!(client.next_event(&mut input)?, Some(Event::Ok { to: Verb::Retr, .. })));
    /// let mut message = Vec::new();
    /// while let Some(text) = client.body(&mut input) {
    ///     message.extend_from_slice(text);
    /// }
    /// assert_eq!(message, b"Subject: hi\r\n\r\n.\r\n");
    /// assert!(matches!(client.next_event(&mut input)?, Some(Event::End { of: Verb::Retr })));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[inline]
    #[must_use = "these octets of the message do not come again"]
    pub fn body<'i>(&mut self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        if input.is_empty() {
            return None;
        }
        match &mut self.reading {
            Reading::Body(unstuff) => unstuff.text(input),
            Reading::Passage(passage) => passage.text(input),
            _ => None,
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
        let half_a_line = self.lines.held() > 0;
        self.lines.clear();
        match awaiting {
            Wait::Command | Wait::Close => {
                self.state = State::Closed;
                Ok(())
            }
            // Credentials are out, and not an octet came back.
            Wait::Reply(to @ (Verb::Pass | Verb::Apop | Verb::Auth))
                if self.reading == Reading::Status
                    && !half_a_line
                    && (to != Verb::Auth || self.spoken == Spoken::Response) =>
            {
                Err(self.fail(Error::AuthRejectedByClose { to }))
            }
            _ => Err(self.fail(Error::Eof { awaiting })),
        }
    }

    /// The TLS handshake behind STLS is done. All that the server said before is forgotten (RFC 2595 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::NoHandshake`] unless STLS was just answered `+OK`, and [`Misuse::Over`] if octets came in the clear behind
    /// that answer.
    pub fn tls_established(&mut self, peer: Peer) -> Result<(), Misuse> {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        if self.state != State::Handshake {
            return Err(Misuse::NoHandshake);
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
    /// [`Misuse::NoSecurityLayer`] unless an AUTH command was just answered `+OK`; [`Misuse::Unsolicited`] if octets came in
    /// the clear behind that answer.
    pub fn security_layer_established(&mut self) -> Result<(), Misuse> {
        if self.is_over() {
            return Err(Misuse::Over);
        }
        if self.early {
            return Err(Misuse::Unsolicited);
        }
        if !core::mem::take(&mut self.layer_due) {
            return Err(Misuse::NoSecurityLayer);
        }
        self.known = Known::NONE;
        self.lines.clear();
        Ok(())
    }

    /// Gives buffers that are empty back to the allocator, for a connection that will wait for long. A machine whose lines
    /// came whole, and that did not pipeline, has none; else at most some 3 KiB are kept for the next line and the next batch.
    ///
    /// ```
    /// use pop3_proto::Client;
    ///
    /// let mut client = Client::new();
    /// for mut read in [&b"+OK rea"[..], b"dy\r\n"] {
    ///     client.next_event(&mut read)?;
    /// }
    /// client.shrink_to_fit(); // The next line that is cut allocates anew.
    /// # Ok::<(), pop3_proto::Error>(())
    /// ```
    pub fn shrink_to_fit(&mut self) {
        self.lines.shrink_to_fit();
        self.outstanding.shrink_to_fit();
    }

    /// Whether [`Client::send`] would take the command now.
    ///
    /// # Errors
    ///
    /// What stands against it.
    pub fn may_send(&self, command: &Command<'_>) -> Result<(), Misuse> {
        let verb = command.verb();
        if self.is_over() {
            return Err(Misuse::Over);
        }
        if self.early {
            return Err(Misuse::Unsolicited);
        }
        // A server takes longer lines than a client may send, and a proxy sends on what a server took.
        if command.encoded_len() > MAX_COMMAND {
            return Err(Misuse::TooLong { limit: MAX_COMMAND });
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

    /// The command that the next event is about, and the message that it names: a client with several outstanding need not
    /// keep a list of its own. Ask before [`Client::next_event`], for what is answered is taken off. `None` if nothing is
    /// outstanding.
    ///
    /// ```
    /// use pop3_proto::{Client, Command, Config, Event, MessageNumber, Peer, Verb};
    ///
    /// # let mut client = Client::over_tls(Config::new(), Peer::Verified);
    /// # client.next_event(&mut &b"+OK ready\r\n"[..])?;
    /// # for command in [Command::user("mrose")?, Command::pass("tanstaaf")?] {
    /// #     client.send(&command, &mut Vec::new())?;
    /// #     client.next_event(&mut &b"+OK\r\n"[..])?;
    /// # }
    /// client.send(&Command::dele(3)?, &mut Vec::new())?;
    /// let answering = client.answering();
    /// assert!(matches!(client.next_event(&mut &b"+OK\r\n"[..])?, Some(Event::Ok { to: Verb::Dele, .. })));
    /// assert_eq!(answering, Some((Verb::Dele, MessageNumber::new(3))));
    /// assert_eq!(client.answering(), None);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn answering(&self) -> Option<(Verb, Option<MessageNumber>)> {
        self.outstanding.first().map(|entry| (entry.verb, entry.number))
    }

    /// Whether the server can do something, by its last capability list of this phase of the session.
    #[must_use]
    pub const fn supports(&self, extension: Extension) -> Support {
        self.known.support(extension)
    }

    /// Which tolerances the server has needed so far.
    #[must_use]
    pub fn quirks_seen(&self) -> Quirks {
        let mut quirks = self.quirks;
        if self.lacks_stuffing() {
            quirks.insert(Quirk::MissingStuffing);
        }
        quirks
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

    pub(crate) const fn capa_refused(&self) -> bool {
        self.known.refused()
    }

    pub(crate) fn stls_refused(&self) -> bool {
        self.stls == Stls::Refused
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

    /// Whether commands may be sent without waiting for the answers before, as far as is known: the server announced
    /// PIPELINING, the settings allow it, and no answer within a batch has made no sense so far. Which commands may be,
    /// and how many, is for [`Client::may_send`] to say.
    #[must_use]
    pub fn pipelines(&self) -> bool {
        self.config.pipelining != Pipelining::Never
            && self.known.support(Extension::Pipelining) == Support::Yes
            && !self.one_at_a_time
    }

    /// Whether the session is over, by QUIT, by the server's closing word or by an error.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.fatal.is_some() || self.state == State::Closed || self.reading == Reading::Closing
    }

    fn fail(&mut self, error: Error) -> Error {
        self.fatal = Some(Box::new(error.clone()));
        self.quirks = self.quirks_seen();
        self.lines.clear();
        self.reading = Reading::Failed;
        error
    }
}

impl Default for Client {
    fn default() -> Self {
        Self::new()
    }
}
