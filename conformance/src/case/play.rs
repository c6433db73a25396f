//! The server that is played to a client: a script, with an honest server for whatever it does not say.

use super::dialogue::{Dialogue, Who};
use super::honest::Honest;
use super::{ClientCase, Judged, Level, Stop, fail, skip};
use crate::octets::escape;
use crate::peer::wire::{Received, Wire};
use crate::peer::{Account, ClientPeer, Started, Upgrade};
use std::fmt;
use std::time::Duration;

/// A line of the client.
///
/// ```
/// use pop3_conformance::case::ClientCase;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static UPPER: ClientCase = ClientCase::quirk("own/upper", "RETR is written in upper case", &[], |p| {
///     let line = p.until("RETR")?; // `verb` is in upper case whatever came
///     p.check(line.text().starts_with(b"RETR "), "RETR", line.shown())?;
///     p.check(line.raw.ends_with(b"\r\n") && !line.rest.is_empty(), "a number, and CRLF", line.shown())?;
///     p.answer(&line)?;
///     p.serve()
/// });
/// let results = suite::run(&[Case::Client(&UPPER)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// The octets as they came, with the line's end.
    pub raw: Vec<u8>,
    /// The first word, in upper case; empty for a response in a SASL exchange.
    pub verb: String,
    /// What stands behind the first word and a space; the whole line for a response in a SASL exchange.
    pub rest: Vec<u8>,
}

impl Line {
    fn new(raw: Vec<u8>, response: bool) -> Self {
        let line = trimmed(&raw);
        if response {
            return Self { verb: String::new(), rest: line.to_vec(), raw };
        }
        let space = line.iter().position(|&octet| octet == b' ');
        let verb = String::from_utf8_lossy(&line[..space.unwrap_or(line.len())]).to_ascii_uppercase();
        let rest = space.map(|space| line[space + 1..].to_vec()).unwrap_or_default();
        Self { raw, verb, rest }
    }

    /// The line without its end.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        trimmed(&self.raw)
    }

    /// The line, visible.
    #[must_use]
    pub fn shown(&self) -> String {
        escape(&self.raw)
    }
}

/// How a client ended.
///
/// ```
/// use pop3_conformance::case::{ClientCase, Ended};
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static LOST: ClientCase = ClientCase::must("own/lost", "a lost connection is not taken for success", &[], |p| {
///     p.until("RETR")?;
///     p.say(b"+OK\r\nSubject: half a mess")?;
///     p.hang_up();
///     let ended = p.end();
///     p.check(matches!(ended, Ended::Failed(_)), "a failure", format!("{ended:?}"))
/// });
/// let results = suite::run(&[Case::Client(&LOST)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// It says that all went well (a program: exit status 0).
    Well,
    /// It says that something failed (a program: any other exit status).
    Failed(String),
    /// It did not end in time, and was ended.
    Hung,
}

/// One session of a case with a client.
///
/// ```
/// use pop3_conformance::case::ClientCase;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static DOTS: ClientCase = ClientCase::must("own/dots", "a dot in front of a line is unstuffed once", &[], |p| {
///     p.honest.only(b"Subject: x\r\n\r\n..\r\n");
///     p.serve_with(|_, line| (line.verb == "NOOP").then(|| b"+OK and quickly\r\n".to_vec()))?;
///     p.has_stored(b"Subject: x\r\n\r\n..\r\n")
/// });
/// let results = suite::run(&[Case::Client(&DOTS)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// ```
pub struct Play<'p> {
    /// The server that answers wherever the script does not.
    pub honest: Honest,
    peer: &'p dyn ClientPeer,
    case: &'p ClientCase,
    started: Box<dyn Started + 'p>,
    wire: Option<Box<dyn Wire + 'p>>,
    dialogue: Dialogue,
    notes: Vec<String>,
    buffer: Vec<u8>,
    lines: Vec<Line>,
    sent: Vec<u8>,
    greeted: bool,
    left: bool,
    waiting: bool,
    weight: Option<Level>,
    session: usize,
}

impl fmt::Debug for Play<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Play").field("honest", &self.honest).field("lines", &self.lines).finish_non_exhaustive()
    }
}

impl<'p> Play<'p> {
    pub(crate) fn new(peer: &'p dyn ClientPeer, case: &'p ClientCase, started: Box<dyn Started + 'p>) -> Self {
        Self {
            honest: fresh(peer),
            peer,
            case,
            started,
            wire: None,
            dialogue: Dialogue::default(),
            notes: Vec::new(),
            buffer: Vec::new(),
            lines: Vec::new(),
            sent: Vec::new(),
            greeted: false,
            left: false,
            waiting: false,
            weight: None,
            session: 0,
        }
    }

    /// How much a failure weighs now: what the case says, or less (see [`Play::weighs`]).
    pub(crate) fn level(&self) -> Level {
        self.weight.map_or(self.case.level, |weight| weight.max(self.case.level))
    }

    pub(crate) fn into_parts(self) -> (Dialogue, Vec<String>) {
        (self.dialogue, self.notes)
    }

    // --- Speaking ---------------------------------------------------------------------------------------------------

    /// Waits for the client's connection. The first call of a script that speaks does it, too.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`](super::Stop::Skip), if the client does not connect.
    pub fn accept(&mut self) -> Judged {
        if self.wire.is_some() {
            return Ok(());
        }
        match self.started.accept() {
            Ok(wire) => {
                self.wire = Some(wire);
                self.session += 1;
                self.event("the client connects");
                Ok(())
            }
            Err(why) => skip(format!("the client does not connect: {why}")),
        }
    }

    /// Waits for one more connection of the same client, with a fresh session of the honest server.
    ///
    /// # Errors
    ///
    /// As [`Play::accept`].
    pub fn accept_again(&mut self) -> Judged {
        self.wire = None;
        self.buffer.clear();
        (self.greeted, self.left) = (false, false);
        self.honest = self.honest.next_session();
        self.accept()
    }

    /// Ends the client if it still runs, and starts a fresh one, with a fresh honest server. What the one before has
    /// sent and stored is forgotten.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`](super::Stop::Skip), if it cannot be started.
    pub fn start_again(&mut self) -> Judged {
        self.wire = None;
        self.started = match self.peer.start(self.case) {
            Ok(started) => started,
            Err(why) => return skip(why),
        };
        self.honest = fresh(self.peer);
        self.buffer.clear();
        self.lines.clear();
        self.sent.clear();
        (self.greeted, self.left, self.waiting) = (false, false, false);
        Ok(())
    }

    /// Sends the honest greeting, once.
    ///
    /// # Errors
    ///
    /// As [`Play::say`].
    pub fn greet(&mut self) -> Judged {
        if self.greeted {
            return Ok(());
        }
        let greeting = format!("+OK {}\r\n", self.honest.greeting);
        self.say(greeting.as_bytes())
    }

    /// Sends octets as they are, in one piece. What is said first is the greeting.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`](super::Stop::Skip), if the client does not connect. A client that has closed is no error: see
    /// [`Play::command`].
    pub fn say(&mut self, octets: &[u8]) -> Judged {
        self.accept()?;
        self.greeted = true;
        self.dialogue.add(self.session, Who::Server, octets);
        if let Some(wire) = &mut self.wire {
            let _ = wire.send(octets);
        }
        Ok(())
    }

    /// Sends octets one by one.
    ///
    /// # Errors
    ///
    /// As [`Play::say`].
    pub fn say_octet_by_octet(&mut self, octets: &[u8]) -> Judged {
        octets.chunks(1).try_for_each(|octet| self.say(octet))
    }

    /// Gives the honest answer to a line, the handshake behind STLS included.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if the handshake fails.
    pub fn answer(&mut self, line: &Line) -> Judged {
        let answer = self.honest.answer(line.text());
        self.say(&answer)?;
        if self.honest.wants_tls() { self.handshake() } else { Ok(()) }
    }

    /// The TLS handshake.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if there is none.
    pub fn handshake(&mut self) -> Judged {
        let done = match &mut self.wire {
            Some(wire) => wire.handshake(),
            None => Err("the connection is closed".to_owned()),
        };
        match done {
            Ok(()) => {
                self.event("TLS handshake done");
                self.honest.tls_established();
                Ok(())
            }
            Err(why) => fail("a TLS handshake", why),
        }
    }

    /// A SASL security layer begins (RFC 5034 §4). What protects the octets is TLS, or in memory nothing: the machine
    /// must not be able to tell. Our own client goes along with [`JobLogin::Gssapi`](crate::peer::fetcher::JobLogin).
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if the client does not go along.
    pub fn layer(&mut self) -> Judged {
        let tls = self.honest.tls;
        self.handshake()?;
        self.honest.tls = tls;
        Ok(())
    }

    /// Plays the honest server to the end of the session: until the client closes, or QUIT is answered.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if the client falls silent.
    pub fn serve(&mut self) -> Judged {
        self.serve_with(|_, _| None)
    }

    /// As [`Play::serve`]; a foreign client that waits for more, where no more is due, sees the end of the connection.
    ///
    /// # Errors
    ///
    /// As [`Play::serve`], for our own client.
    pub fn serve_or_hang_up(&mut self) -> Judged {
        let served = self.serve();
        self.let_go(served).map(drop)
    }

    /// What no RFC forbids a client: to wait for an answer that it can understand. The connection ends then; `None` if
    /// that came to pass.
    ///
    /// # Errors
    ///
    /// What was judged, but for the silence of a foreign client.
    pub fn let_go<T>(&mut self, judged: Judged<T>) -> Judged<Option<T>> {
        match judged {
            Err(Stop::Fail { .. }) if self.waiting && !self.ours() => {
                self.hang_up();
                Ok(None)
            }
            other => other.map(Some),
        }
    }

    /// Plays the server to the end of the session; `answer` may give other octets than the honest server would.
    ///
    /// # Errors
    ///
    /// As [`Play::serve`].
    pub fn serve_with(&mut self, mut answer: impl FnMut(&mut Honest, &Line) -> Option<Vec<u8>>) -> Judged {
        self.greet()?;
        while !self.honest.over {
            let Some(line) = self.command()? else { return Ok(()) };
            match answer(&mut self.honest, &line) {
                Some(octets) => self.say(&octets)?,
                None => self.answer(&line)?,
            }
        }
        Ok(())
    }

    /// Plays the honest server until the client gives this command, which is not answered yet.
    ///
    /// # Errors
    ///
    /// [`Stop::Skip`](super::Stop::Skip), if the client leaves without having given it.
    pub fn until(&mut self, verb: &str) -> Judged<Line> {
        self.greet()?;
        while !self.honest.over {
            let Some(line) = self.command()? else { break };
            // AUTH alone asks for a list, as an expired draft had it, and begins nothing.
            if line.verb == verb && (verb != "AUTH" || !line.rest.is_empty() || self.ours()) {
                return Ok(line);
            }
            self.answer(&line)?;
        }
        skip(format!("the client gave no {verb}"))
    }

    // --- Listening --------------------------------------------------------------------------------------------------

    /// The client's next line, up to LF; `None` once it has closed.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if the client stays silent, or sends a megabyte without a line's end.
    pub fn command(&mut self) -> Judged<Option<Line>> {
        self.accept()?;
        loop {
            if let Some(at) = self.buffer.iter().position(|&octet| octet == b'\n') {
                let raw: Vec<u8> = self.buffer.drain(..=at).collect();
                let line = Line::new(raw, self.honest.in_exchange());
                self.lines.push(line.clone());
                return Ok(Some(line));
            }
            if self.buffer.len() > 1_000_000 {
                return fail("a line", format!("{} octets without an end", self.buffer.len()));
            }
            match self.fill(self.peer.patience()) {
                Received::Octets => {}
                Received::Nothing => {
                    self.waiting = true;
                    let patience = self.peer.patience().as_secs_f64();
                    return fail("a command, or the end of the connection", format!("nothing within {patience:.1} s"));
                }
                Received::End | Received::Broken(_) => return Ok(None),
            }
        }
    }

    /// The client may send nothing, for that long (on a virtual clock, at once).
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if it does.
    pub fn silent(&mut self, time: Duration) -> Judged {
        self.accept()?;
        if self.buffer.is_empty() && self.fill(time) != Received::Octets {
            return Ok(());
        }
        fail("nothing", escape(&self.buffer))
    }

    /// As [`Play::silent`], for as long as the run waits where nothing is expected.
    ///
    /// # Errors
    ///
    /// As [`Play::silent`].
    pub fn quiet(&mut self) -> Judged {
        let quiet = self.peer.quiet();
        self.silent(quiet)
    }

    /// Closes the connection.
    pub fn hang_up(&mut self) {
        self.event("the server closes the connection");
        if let Some(mut wire) = self.wire.take() {
            wire.finish();
            // What was on its way from the client is still seen.
            let mut late = Vec::new();
            if wire.receive(&mut late, Duration::ZERO) == Received::Octets {
                self.dialogue.add(self.session, Who::Client, &late);
                self.sent.extend_from_slice(&late);
            }
        }
        self.left = true;
    }

    /// Closes the connection if it is open, waits for the client's end and says how it ended.
    pub fn end(&mut self) -> Ended {
        if self.left {
            self.wire = None;
        } else {
            self.hang_up();
        }
        self.wait_for_end()
    }

    /// Leaves the connection open, waits for the client's end and says how it ended.
    pub fn wait_for_end(&mut self) -> Ended {
        let ended = self.started.end();
        self.event(&match &ended {
            Ended::Well => "the client ended well".to_owned(),
            Ended::Failed(why) => format!("the client failed: {why}"),
            Ended::Hung => "the client did not end, and was ended".to_owned(),
        });
        ended
    }

    // --- What is known ----------------------------------------------------------------------------------------------

    /// The client's lines so far.
    #[must_use]
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Whether the client has given this command.
    #[must_use]
    pub fn has_given(&self, verb: &str) -> bool {
        self.lines.iter().any(|line| line.verb == verb)
    }

    /// All octets of the client so far.
    #[must_use]
    pub fn sent(&self) -> &[u8] {
        &self.sent
    }

    /// The messages that the client has stored (or written out), in no special order.
    #[must_use]
    pub fn stored(&self) -> Vec<Vec<u8>> {
        self.started.stored()
    }

    /// The client has stored this message octet for octet (with LF or CRLF at the ends of lines).
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), if it has not; [`Stop::Skip`](super::Stop::Skip), if it stores nothing at all
    /// and is not our own.
    pub fn has_stored(&self, message: &[u8]) -> Judged {
        let stored = self.stored();
        if stored.is_empty() && !self.peer.is_ours() {
            return skip("the client stores no messages in {dir}, and writes none to its output");
        }
        let plain = |octets: &[u8]| {
            let mut plain = octets.to_vec();
            while let Some(at) = plain.windows(2).position(|pair| pair == b"\r\n") {
                plain.remove(at);
            }
            plain
        };
        let mut wanted = plain(message);
        if !self.peer.is_ours() && wanted.ends_with(b"\n") {
            // Whether a file ends in a line's end is the program's business.
            wanted.pop();
        }
        let holds = |octets: &Vec<u8>| plain(octets).windows(wanted.len().max(1)).any(|window| window == wanted);
        if wanted.is_empty() || stored.iter().any(holds) {
            return Ok(());
        }
        let shown: Vec<_> = stored.iter().map(|octets| escape(&octets[..octets.len().min(120)])).collect();
        fail(escape(&message[..message.len().min(200)]), format!("stored: {}", shown.join(" | ")))
    }

    /// The user and the password that the client has.
    #[must_use]
    pub fn account(&self) -> Account {
        self.peer.account()
    }

    /// When the client wants TLS in this run.
    #[must_use]
    pub fn upgrade(&self) -> Upgrade {
        self.peer.upgrade()
    }

    /// Whether it is our own client, whose job a case can choose.
    #[must_use]
    pub fn ours(&self) -> bool {
        self.peer.is_ours()
    }

    // --- Judging ----------------------------------------------------------------------------------------------------

    /// Fails unless it holds.
    ///
    /// # Errors
    ///
    /// [`Stop::Fail`](super::Stop::Fail), with what was expected and what came.
    pub fn check(&self, holds: bool, expected: impl Into<String>, got: impl Into<String>) -> Judged {
        if holds { Ok(()) } else { fail(expected, got) }
    }

    /// With a client that is not our own, what fails from here on weighs no more than this: no sentence of an RFC
    /// demands it of a client.
    pub fn weighs(&mut self, level: Level) {
        if !self.ours() {
            self.weight = Some(level);
        }
    }

    /// Something to report that is no failure.
    pub fn note(&mut self, words: impl Into<String>) {
        self.notes.push(words.into());
    }

    fn event(&mut self, words: &str) {
        self.dialogue.add(self.session, Who::Event, words.as_bytes());
    }

    fn fill(&mut self, wait: Duration) -> Received {
        let Some(wire) = &mut self.wire else { return Received::End };
        let before = self.buffer.len();
        let received = wire.receive(&mut self.buffer, wait);
        match &received {
            Received::Octets => {
                self.dialogue.add(self.session, Who::Client, &self.buffer[before..]);
                self.sent.extend_from_slice(&self.buffer[before..]);
            }
            Received::End | Received::Broken(_) if !self.left => {
                self.left = true;
                self.event("the client closes the connection");
            }
            _ => {}
        }
        received
    }
}

/// The honest server as it stands before the first connection.
fn fresh(peer: &dyn ClientPeer) -> Honest {
    let mut honest = Honest::new(peer.account());
    honest.stls = peer.upgrade() == Upgrade::Stls;
    honest.tls = peer.upgrade() == Upgrade::Implicit;
    honest
}

fn trimmed(raw: &[u8]) -> &[u8] {
    let line = raw.strip_suffix(b"\n").unwrap_or(raw);
    line.strip_suffix(b"\r").unwrap_or(line)
}
