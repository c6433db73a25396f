//! The runner's side of a dialogue with a server: it sends octets and reads naively.

use super::dialogue::{Dialogue, Who};
use super::reply::Reply;
use super::{Judged, Start, Stop, fail, skip};
use crate::mailbox::Mail;
use crate::octets::escape;
use crate::peer::wire::{Received, Wire};
use crate::peer::{Account, Login, ServerPeer, Site, Upgrade};
use base64ct::{Base64, Encoding as _};
use std::cell::RefCell;
use std::fmt;
use std::rc::Rc;
use std::time::Duration;

/// One session of a case with a server. [`Talk::second`] opens another one.
///
/// ```
/// use pop3_conformance::case::{ServerCase, Start};
/// use pop3_conformance::mailbox::Mail;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static LOCKED: ServerCase = ServerCase::must("own/locked", "a second session does not get the maildrop", &[], |s| {
///     let number = s.number(Mail::Dots)?;
///     s.octet_by_octet(format!("RETR {number}\r\n").as_bytes())?;
///     let message = s.expect_multi()?.message();
///     s.same(Mail::Dots.octets(), message)?;
///     let account = s.account();
///     let mut second = s.second(Start::Authorization)?;
///     second.ok(&format!("USER {}", account.user))?;
///     second.err(&format!("PASS {}", account.password)).map(drop)
/// })
/// .with(&[Mail::Dots]);
/// let results = suite::run(&[Case::Server(&LOCKED)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// ```
pub struct Talk<'p> {
    pub(super) peer: &'p dyn ServerPeer,
    site: Rc<RefCell<Box<dyn Site + 'p>>>,
    pub(super) wire: Option<Box<dyn Wire + 'p>>,
    dialogue: Rc<RefCell<Dialogue>>,
    notes: Rc<RefCell<Vec<String>>>,
    sessions: Rc<RefCell<usize>>,
    session: usize,
    pub(super) buffer: Vec<u8>,
    greeting: Vec<u8>,
    /// What was sent last is answered when a login is decided.
    pub(super) login_is_due: bool,
    ended: bool,
}

impl fmt::Debug for Talk<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Talk").field("session", &self.session).field("ended", &self.ended).finish_non_exhaustive()
    }
}

impl<'p> Talk<'p> {
    pub(crate) fn new(peer: &'p dyn ServerPeer, site: Box<dyn Site + 'p>) -> Self {
        Self {
            peer,
            site: Rc::new(RefCell::new(site)),
            wire: None,
            dialogue: Rc::default(),
            notes: Rc::default(),
            sessions: Rc::new(RefCell::new(0)),
            session: 0,
            buffer: Vec::new(),
            greeting: Vec::new(),
            login_is_due: false,
            ended: false,
        }
    }

    pub(crate) fn dialogue(&self) -> Dialogue {
        self.dialogue.borrow().clone()
    }

    pub(crate) fn into_parts(self) -> (Dialogue, Vec<String>) {
        (self.dialogue.borrow().clone(), self.notes.borrow().clone())
    }

    /// What no report shows: the password of somebody else's server, and the forms in which it goes over the wire.
    pub(crate) fn secrets(&self) -> Vec<String> {
        let Account { user, password, .. } = self.account();
        if self.peer.is_ours() || password.is_empty() {
            return Vec::new();
        }
        let plain = Base64::encode_string(format!("\0{user}\0{password}").as_bytes());
        vec![plain, Base64::encode_string(password.as_bytes()), password]
    }

    // --- How a session begins ---------------------------------------------------------------------------------------

    /// Leads a fresh connection to where a case begins.
    ///
    /// # Errors
    ///
    /// [`Stop`], if the server does not get there.
    pub fn begin(&mut self, start: Start) -> Judged {
        // A server may need a moment to notice that the session before has ended, and to unlock the maildrop.
        let mut pauses = [50, 200, 600].into_iter();
        loop {
            let begun = self.lead(start);
            match (&begun, pauses.next()) {
                (Err(Stop::Fail { .. }), Some(pause))
                    if start == Start::Transaction && !self.peer.patience().is_zero() =>
                {
                    self.hang_up();
                    std::thread::sleep(Duration::from_millis(pause));
                }
                _ => return begun,
            }
        }
    }

    fn lead(&mut self, start: Start) -> Judged {
        self.connect()?;
        if start == Start::Connected {
            return Ok(());
        }
        self.greeting()?;
        if start == Start::Greeted {
            return Ok(());
        }
        if self.peer.upgrade() == Upgrade::Stls {
            self.stls()?;
        }
        if start == Start::Transaction { self.login() } else { Ok(()) }
    }

    /// Opens a connection, in place of the one there was.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], if the server cannot be reached.
    pub fn connect(&mut self) -> Judged {
        self.wire = None;
        self.buffer.clear();
        self.ended = false;
        *self.sessions.borrow_mut() += 1;
        self.session = *self.sessions.borrow();
        let wire = self.site.borrow_mut().connect();
        match wire {
            Ok(wire) => {
                self.event("connected");
                self.wire = Some(wire);
                Ok(())
            }
            Err(why) => fail("a connection", why),
        }
    }

    /// Reads the greeting.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], if it is no `+OK`.
    pub fn greeting(&mut self) -> Judged<Reply> {
        let greeting = self.reply()?;
        if !greeting.is_ok() {
            return fail("a greeting: +OK", greeting.shown());
        }
        self.greeting = greeting.first.clone();
        Ok(greeting)
    }

    /// STLS and the handshake.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], if the server does not go along.
    pub fn stls(&mut self) -> Judged {
        self.ok("STLS")?;
        self.handshake()
    }

    /// The TLS handshake.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], if there is none.
    pub fn handshake(&mut self) -> Judged {
        if !self.buffer.is_empty() {
            return fail("nothing behind +OK before the handshake", escape(&self.buffer));
        }
        let done = match &mut self.wire {
            Some(wire) => wire.handshake(),
            None => Err("the connection is closed".to_owned()),
        };
        match done {
            Ok(()) => {
                self.event("TLS handshake done");
                Ok(())
            }
            Err(why) => fail("a TLS handshake", why),
        }
    }

    /// A SASL security layer begins (RFC 5034 §4). What protects the octets is TLS, or in memory nothing: the machine
    /// must not be able to tell.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], if the server does not go along.
    pub fn layer(&mut self) -> Judged {
        self.handshake()
    }

    /// Logs in as the run's user, the way the run says.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], if the server refuses.
    pub fn login(&mut self) -> Judged {
        let Account { user, password, login } = self.account();
        match login {
            Login::User => {
                self.ok(&format!("USER {user}"))?;
                self.ok(&format!("PASS {password}"))?;
            }
            Login::Plain => {
                self.send("AUTH PLAIN")?;
                let challenge = self.reply()?;
                if !challenge.first.starts_with(b"+") || challenge.is_ok() {
                    return fail("a challenge: + ", challenge.shown());
                }
                let response = Base64::encode_string(format!("\0{user}\0{password}").as_bytes());
                self.ok(&response)?;
            }
        }
        Ok(())
    }

    /// A second session beside this one, led to `start`.
    ///
    /// # Errors
    ///
    /// As [`Talk::begin`].
    pub fn second(&self, start: Start) -> Judged<Self> {
        let mut second = Self {
            peer: self.peer,
            site: Rc::clone(&self.site),
            wire: None,
            dialogue: Rc::clone(&self.dialogue),
            notes: Rc::clone(&self.notes),
            sessions: Rc::clone(&self.sessions),
            session: 0,
            buffer: Vec::new(),
            greeting: Vec::new(),
            login_is_due: false,
            ended: false,
        };
        second.begin(start)?;
        Ok(second)
    }

    // --- What is known ----------------------------------------------------------------------------------------------

    /// The run's user and password, of the maildrop that the case asked for.
    #[must_use]
    pub fn account(&self) -> Account {
        self.site.borrow().account()
    }

    /// The greeting's timestamp, from `<` to `>`.
    #[must_use]
    pub fn timestamp(&self) -> Option<String> {
        let text = String::from_utf8_lossy(&self.greeting).into_owned();
        let start = text.find('<')?;
        let end = start + text[start..].find('>')?;
        Some(text[start..=end].to_owned())
    }

    /// The digest that APOP sends for the greeting's timestamp, in lower-case hexadecimal.
    #[must_use]
    pub fn digest(&self, secret: &str) -> Option<String> {
        Some(crate::digest::apop(&self.timestamp()?, secret))
    }

    /// Whether it is one of our own servers, which must be strict where the RFCs leave a choice.
    #[must_use]
    pub fn strict(&self) -> bool {
        self.peer.is_ours()
    }

    /// Whether the octets go over TLS in this run (from the start, or behind STLS).
    #[must_use]
    pub fn upgrade(&self) -> Upgrade {
        self.peer.upgrade()
    }

    /// The message-number of a message of the mailbox.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`], if the mailbox does not hold it (any more).
    pub fn number(&self, mail: Mail) -> Judged<u32> {
        match self.site.borrow().number(mail) {
            Some(number) => Ok(number),
            None => skip(format!("the maildrop does not hold the message {}", mail.mark())),
        }
    }

    /// The number of a message that may be removed for good.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`], if none is left.
    pub fn spare(&self) -> Judged<u32> {
        let site = self.site.borrow();
        let found = [Mail::Spare, Mail::Spare2, Mail::Spare3].into_iter().find_map(|mail| site.number(mail));
        found.map_or_else(|| skip("the maildrop holds no more messages that may be removed"), Ok)
    }

    /// How many messages the maildrop holds.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`], if that is not known.
    pub fn count(&self) -> Judged<u32> {
        self.site.borrow().count().map_or_else(|| skip("how many messages there are is not known"), Ok)
    }

    // --- Sending ----------------------------------------------------------------------------------------------------

    /// Sends a line, CRLF added.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], if the server has closed; [`Stop::Skip`] for a DELE where nothing may be deleted.
    pub fn send(&mut self, line: &str) -> Judged {
        self.raw(format!("{line}\r\n").as_bytes())
    }

    /// Sends octets in one piece.
    ///
    /// # Errors
    ///
    /// As [`Talk::send`].
    pub fn raw(&mut self, octets: &[u8]) -> Judged {
        if !self.peer.may_delete() && deletes(octets) {
            return skip(NO_DELETIONS);
        }
        self.dialogue.borrow_mut().add(self.session, Who::Client, octets);
        self.login_is_due = match verb(octets).as_slice() {
            b"PASS" | b"APOP" | b"AUTH" => true,
            b"CAPA" | b"STLS" | b"USER" | b"STAT" | b"LIST" | b"UIDL" | b"RETR" | b"NOOP" | b"QUIT" => false,
            // A response in an exchange, or an octet of a line.
            _ => self.login_is_due,
        };
        let sent = match &mut self.wire {
            Some(wire) => wire.send(octets),
            None => Err("the connection is closed".to_owned()),
        };
        match sent {
            Ok(()) => Ok(()),
            Err(why) => {
                self.event("the server has closed the connection");
                fail("an open connection", why)
            }
        }
    }

    /// Sends octets in these pieces, one packet each.
    ///
    /// # Errors
    ///
    /// As [`Talk::send`].
    pub fn pieces(&mut self, pieces: &[&[u8]]) -> Judged {
        if !self.peer.may_delete() && deletes(&pieces.concat()) {
            return skip(NO_DELETIONS);
        }
        pieces.iter().try_for_each(|piece| self.raw(piece))
    }

    /// Sends octets one by one.
    ///
    /// # Errors
    ///
    /// As [`Talk::send`].
    pub fn octet_by_octet(&mut self, octets: &[u8]) -> Judged {
        let pieces: Vec<_> = octets.chunks(1).collect();
        self.pieces(&pieces)
    }

    /// Sends a line and reads an answer of one line.
    ///
    /// # Errors
    ///
    /// [`Stop`], if there is none.
    pub fn ask(&mut self, line: &str) -> Judged<Reply> {
        self.send(line)?;
        self.reply()
    }

    /// Sends a line, and `+OK` must come.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`] for anything else.
    pub fn ok(&mut self, line: &str) -> Judged<Reply> {
        self.send(line)?;
        self.expect_ok()
    }

    /// Sends a line, and `-ERR` must come.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`] for anything else.
    pub fn err(&mut self, line: &str) -> Judged<Reply> {
        self.send(line)?;
        self.expect_err()
    }

    /// Sends a line that the grammar refuses but that harms nobody: our own server must say `-ERR`, a foreign one that
    /// says `+OK` is only noted. Data lines behind a `+OK` must not come: use [`Talk::err`] where they might.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`] for a `+OK` of our own server.
    pub fn refused(&mut self, line: &str) -> Judged {
        let reply = self.ask(line)?;
        if reply.is_ok() && !self.strict() {
            self.note(format!("lenient: {} is answered +OK", escape(line.as_bytes())));
            return Ok(());
        }
        if reply.is_err() { Ok(()) } else { fail("-ERR", reply.shown()) }
    }

    /// Sends a line; `+OK` and data lines up to the termination octet must come.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`] for anything else.
    pub fn multi(&mut self, line: &str) -> Judged<Reply> {
        self.send(line)?;
        self.expect_multi()
    }

    /// The capability list, one capability a line; `None` if the server has none.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`] for an answer that is neither `-ERR` nor a list.
    pub fn capabilities(&mut self) -> Judged<Option<Vec<String>>> {
        self.send("CAPA")?;
        let first = self.reply()?;
        if first.is_err() {
            return Ok(None);
        }
        Ok(Some(self.data(first)?.lines()))
    }

    // --- Judging ----------------------------------------------------------------------------------------------------

    /// Fails unless it holds.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], with what was expected and what came.
    pub fn check(&self, holds: bool, expected: impl Into<String>, got: impl Into<String>) -> Judged {
        if holds { Ok(()) } else { fail(expected, got) }
    }

    /// Fails unless both are the same octets.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`], with both.
    pub fn same(&self, expected: impl AsRef<[u8]>, got: impl AsRef<[u8]>) -> Judged {
        let (expected, got) = (expected.as_ref(), got.as_ref());
        if expected == got {
            return Ok(());
        }
        let at = crate::octets::difference(expected, got).unwrap_or_default();
        let from = at.saturating_sub(40);
        let part = |octets: &[u8]| {
            let part = octets.get(from..octets.len().min(from + 160)).unwrap_or_default();
            let before = if from > 0 { "..." } else { "" };
            format!("{before}{} ({} octets, first difference at {at})", escape(part), octets.len())
        };
        fail(part(expected), part(got))
    }

    /// Something to report that is no failure.
    pub fn note(&self, words: impl Into<String>) {
        self.notes.borrow_mut().push(words.into());
    }

    // --- What they need ---------------------------------------------------------------------------------------------

    pub(super) fn event(&self, words: &str) {
        self.dialogue.borrow_mut().add(self.session, Who::Event, words.as_bytes());
    }

    /// How long the answer may take.
    pub(super) fn patience(&self) -> Duration {
        if self.login_is_due { self.peer.login_patience() } else { self.peer.patience() }
    }

    pub(super) fn fill(&mut self, wait: Duration) -> Received {
        let Some(wire) = &mut self.wire else { return Received::End };
        let before = self.buffer.len();
        let received = wire.receive(&mut self.buffer, wait);
        match &received {
            Received::Octets => {
                self.dialogue.borrow_mut().add(self.session, Who::Server, &self.buffer[before..]);
            }
            Received::End | Received::Broken(_) if !self.ended => {
                self.ended = true;
                self.event("the server closes the connection");
            }
            _ => {}
        }
        received
    }

    pub(super) fn ending(&self, received: &Received) -> String {
        match received {
            Received::Nothing => format!("nothing within {:.1} s", self.patience().as_secs_f64()),
            Received::Broken(why) => format!("a broken connection ({why})"),
            _ => "the end of the connection".to_owned(),
        }
    }
}

/// The first four octets, in upper case.
fn verb(octets: &[u8]) -> Vec<u8> {
    octets[..octets.len().min(4)].to_ascii_uppercase()
}

/// Whether a line of it is a DELE.
fn deletes(octets: &[u8]) -> bool {
    octets.split(|&octet| octet == b'\n').any(|line| {
        let start = line.iter().position(|octet| !b" \t".contains(octet)).unwrap_or_default();
        line[start..].get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"DELE"))
    })
}

/// Why a DELE is not sent.
pub(crate) const NO_DELETIONS: &str = "it marks a message as deleted, which --allow-delete allows";

/// What a script ended with, as far as it is a failure.
impl From<std::num::ParseIntError> for Stop {
    fn from(error: std::num::ParseIntError) -> Self {
        Self::Fail { expected: "a number".to_owned(), got: error.to_string() }
    }
}
