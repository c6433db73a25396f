//! Replays sessions: the other side's octets go into a subject in every chunking, and what comes out is compared with
//! the transcript, octet by octet.
//!
//! ```
//! use pop3_conformance::replay::{self, Effort};
//! use pop3_conformance::session::Session;
//! use pop3_conformance::transcript::Transcript;
//!
//! let text = "# start-state: TRANSACTION\n# end-state: TRANSACTION\n\nC: STAT\nS: +OK 2 320\n";
//! let transcript = Transcript::parse("stat.txt", text)?;
//! for session in Session::all(&transcript)? {
//!     assert!(replay::our_server(&session, Effort::FULL)?.chunkings > 10);
//!     assert!(replay::our_client(&session, Effort::FULL)?.chunkings > 10);
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::chunking::{Chunking, Part, Splits};
use crate::octets::{Answer, comparison, difference, indicator};
use crate::session::{Exchange, Session, Step, Turn};
use crate::subject::client::OurClient;
use crate::subject::server::{OurServer, Scripted};
use crate::subject::{ClientSubject, Seen, ServerSubject, Trouble, Words, to_be_seen};
use crate::transcript::Place;
use std::fmt;
use std::sync::Arc;

/// Which side is under test.
///
/// ```
/// use pop3_conformance::replay::Side;
///
/// assert_eq!([Side::Server, Side::Client].map(|side| side.to_string()), ["server", "client"]);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// The server: it gets the client's lines, and what it answers is compared.
    Server,
    /// The client: it gets the server's lines, and what it sends and sees is compared.
    Client,
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Server => "server",
            Self::Client => "client",
        })
    }
}

/// How much is tried.
///
/// ```
/// use pop3_conformance::replay::{self, Effort};
/// use pop3_conformance::self_check;
/// use pop3_conformance::session::Session;
///
/// let session = Session::all(&self_check::selected("rfc1939-05-stat")?[0])?.remove(0);
/// let little = replay::our_client(&session, Effort::LITTLE)?.chunkings;
/// let some = replay::our_client(&session, Effort { splits: 20 })?;
/// let full = replay::our_client(&session, Effort::FULL)?;
/// assert!(little < some.chunkings && some.chunkings < full.chunkings);
/// assert!(some.thinned && !full.thinned);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effort {
    /// At most so many two-point splits of one turn; of a longer one, a choice of them.
    pub splits: usize,
}

impl Effort {
    /// Every two-point split of turns of up to 500 octets.
    pub const FULL: Self = Self { splits: 125_000 };
    /// No two-point splits: turn by turn, line by line and octet by octet alone.
    pub const LITTLE: Self = Self { splits: 0 };
}

/// What was replayed without a difference.
///
/// ```
/// use pop3_conformance::replay::{self, Effort, Replayed};
/// use pop3_conformance::self_check;
/// use pop3_conformance::session::Session;
///
/// let mut all = Replayed::default();
/// for transcript in self_check::selected("rfc1939-05-list")? {
///     for session in Session::all(&transcript)? {
///         all.add(&replay::our_server(&session, Effort::LITTLE)?);
///     }
/// }
/// assert!(all.chunkings >= 9 && all.own_words == 0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Replayed {
    /// In how many chunkings.
    pub chunkings: usize,
    /// Whether there would have been more two-point splits than [`Effort`] allows.
    pub thinned: bool,
    /// How many answers had the subject's own words, so that the status indicator alone was compared.
    pub own_words: usize,
}

impl Replayed {
    /// Adds what another replay has done.
    pub fn add(&mut self, other: &Self) {
        self.chunkings += other.chunkings;
        self.thinned |= other.thinned;
        self.own_words += other.own_words;
    }
}

/// A difference.
///
/// ```
/// use pop3_conformance::replay::{self, Effort, What};
/// use pop3_conformance::session::Session;
/// use pop3_conformance::subject::{ServerSubject, Trouble};
/// use pop3_conformance::transcript::Transcript;
///
/// /// A server that says `+OK` to everything.
/// struct Agreeable;
///
/// impl ServerSubject for Agreeable {
///     fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
///         octets.iter().filter(|&&octet| octet == b'\n').for_each(|_| out.extend_from_slice(b"+OK\r\n"));
///         Ok(())
///     }
///     fn tls_established(&mut self) -> Result<(), Trouble> {
///         Ok(())
///     }
/// }
///
/// let text = "# start-state: CONNECT\n# end-state: CLOSED\n\nS: +OK\nC: NOOP\nS: -ERR not yet\nC: QUIT\nS: +OK\n";
/// let session = Session::all(&Transcript::parse("early.txt", text)?)?.remove(0);
/// let failure = replay::server(&session, Effort::FULL, |_, out: &mut Vec<u8>| {
///     out.extend_from_slice(b"+OK\r\n");
///     Ok(Agreeable)
/// })
/// .unwrap_err();
/// assert_eq!((failure.line, failure.offset, &failure.what), (6, 0, &What::Sent));
/// assert_eq!((failure.expected.as_slice(), failure.got.as_slice()), (&b"-ERR not yet\r\n"[..], &b"+OK\r\n"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The transcript.
    pub name: String,
    /// Who was under test.
    pub side: Side,
    /// Whether the client waited for answers.
    pub delivery: Delivery,
    /// How the octets were cut.
    pub chunking: Chunking,
    /// The transcript's line that the first difference stands in; 0 for what comes before its first line.
    pub line: usize,
    /// How many octets of the turn (the client's line, or the server's whole answer) come before the difference.
    pub offset: usize,
    /// What kind of difference it is.
    pub what: What,
    /// What was expected.
    pub expected: Vec<u8>,
    /// What came.
    pub got: Vec<u8>,
}

/// Whether the client waits for answers.
///
/// ```
/// use pop3_conformance::replay::{Delivery, Failure};
///
/// /// A line for somebody's log.
/// fn summary(failure: &Failure) -> String {
///     let how = match failure.delivery {
///         Delivery::InTurns => "one command at a time",
///         Delivery::AtOnce => "all commands in a batch",
///     };
///     format!("{} line {}: {how}, {}", failure.name, failure.line, failure.chunking)
/// }
/// # use pop3_conformance::{chunking::Chunking, replay::{Side, What}};
/// # let failure = Failure {
/// #     name: "list".into(), side: Side::Server, delivery: Delivery::AtOnce, chunking: Chunking::PerOctet, line: 3, offset: 0,
/// #     what: What::Sent, expected: Vec::new(), got: Vec::new(),
/// # };
/// # assert_eq!(summary(&failure), "list line 3: all commands in a batch, octet by octet");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// One command, its answer, the next command.
    InTurns,
    /// All commands, then all answers (RFC 2449 §6.6).
    AtOnce,
}

/// What kind of difference it is.
///
/// ```
/// use pop3_conformance::replay::What;
///
/// /// Whether it is the subject that is wrong, and not the transcript that asks for what it never says.
/// fn is_a_bug(what: &What) -> bool {
///     !matches!(what, What::Refused(_))
/// }
/// assert!(is_a_bug(&What::Early) && !is_a_bug(&What::Refused("no AUTH here".into())));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum What {
    /// The subject sent other octets.
    Sent,
    /// The server answered before the command was complete.
    Early,
    /// The server understood something else.
    Understood,
    /// The client saw something else.
    Seen,
    /// The subject does not say what it is to say.
    Refused(String),
    /// The subject cannot take what it got.
    Error(String),
    /// The session stands in another place at the end.
    Place,
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, side, line, offset, .. } = self;
        match line {
            0 => write!(f, "{name}, before its first line, {side}, ")?,
            _ => write!(f, "{name}, line {line}, {side}, ")?,
        }
        if self.delivery == Delivery::AtOnce {
            f.write_str("all commands at once, ")?;
        }
        write!(f, "{}: ", self.chunking)?;
        match &self.what {
            What::Sent => writeln!(f, "it sends other octets from octet {offset} on")?,
            What::Early => writeln!(f, "it answers a command that is not complete")?,
            What::Understood => writeln!(f, "it understands something else")?,
            What::Seen => writeln!(f, "it sees something else, at octet {offset}")?,
            What::Refused(why) => writeln!(f, "it does not say this: {why}")?,
            What::Error(why) => writeln!(f, "it cannot go on: {why}")?,
            What::Place => writeln!(f, "the session ends in another state")?,
        }
        f.write_str(&comparison(&self.expected, &self.got))
    }
}

impl std::error::Error for Failure {}

/// Replays a session with `pop3-proto`'s server under test.
///
/// # Errors
///
/// The first [`Failure`].
pub fn our_server(session: &Session, effort: Effort) -> Result<Replayed, Box<Failure>> {
    let config = OurServer::<Scripted<'_>>::config(&session.settings);
    server(session, effort, |chunking, out| {
        let config = Arc::clone(config.as_ref().map_err(Clone::clone)?);
        OurServer::new(config, session, Scripted::new(session, chunking), out)
    })
}

/// Replays a session with `pop3-proto`'s client under test.
///
/// # Errors
///
/// The first [`Failure`].
pub fn our_client(session: &Session, effort: Effort) -> Result<Replayed, Box<Failure>> {
    let config = OurClient::config(&session.settings);
    client(session, effort, || OurClient::new(Arc::clone(&config), &session.settings))
}

/// Replays a session with a server under test. `start` makes a fresh one, which appends its greeting, and is told how
/// stored messages are to be cut.
///
/// # Errors
///
/// The first [`Failure`].
pub fn server<S: ServerSubject>(
    session: &Session,
    effort: Effort,
    start: impl Fn(Chunking, &mut Vec<u8>) -> Result<S, Trouble>,
) -> Result<Replayed, Box<Failure>> {
    let mut done = Replayed::default();
    let (chunkings, thinned) = chunkings(session, Side::Server, effort);
    for chunking in chunkings {
        let run = Run { session, side: Side::Server, delivery: Delivery::InTurns, chunking };
        done.own_words = done.own_words.max(run.server(&start)?);
        done.chunkings += 1;
    }
    done.thinned = thinned;
    // An answer in the subject's own words cannot be found in one string of all answers.
    if session.can_be_pipelined() && done.own_words == 0 {
        let mut all = Turn::default();
        session.exchanges().filter_map(|exchange| exchange.client.as_ref()).for_each(|said| all.append(&said.turn));
        let splits = Splits::of(&all.octets, effort.splits);
        let two = splits.pairs().map(|at| Chunking::Split { exchange: 0, part: Part::Received, at });
        let two = two.take(if effort.splits == 0 { 0 } else { usize::MAX });
        for chunking in [Chunking::Whole, Chunking::PerOctet].into_iter().chain(two) {
            let run = Run { session, side: Side::Server, delivery: Delivery::AtOnce, chunking };
            run.pipelined(&all.octets, &start)?;
            done.chunkings += 1;
        }
        done.thinned |= splits.thinned && effort.splits > 0;
    }
    Ok(done)
}

/// Replays a session with a client under test. `start` makes a fresh one.
///
/// # Errors
///
/// The first [`Failure`].
pub fn client<C: ClientSubject>(
    session: &Session,
    effort: Effort,
    start: impl Fn() -> C,
) -> Result<Replayed, Box<Failure>> {
    let mut done = Replayed::default();
    let (chunkings, thinned) = chunkings(session, Side::Client, effort);
    for chunking in chunkings {
        Run { session, side: Side::Client, delivery: Delivery::InTurns, chunking }.client(&mut start())?;
        done.chunkings += 1;
    }
    done.thinned = thinned;
    Ok(done)
}

/// Whole, per line, per octet, and the two-point splits of each turn that the transcript holds.
fn chunkings(session: &Session, side: Side, effort: Effort) -> (Vec<Chunking>, bool) {
    let mut chunkings = vec![Chunking::Whole, Chunking::PerLine, Chunking::PerOctet];
    let mut thinned = false;
    if effort.splits == 0 {
        return (chunkings, thinned);
    }
    for (number, exchange) in session.exchanges().enumerate() {
        if !exchange.server.is_printed() {
            continue;
        }
        let received = match (side, &exchange.client) {
            (Side::Client, _) => Some(&exchange.server),
            (Side::Server, said) => said.as_ref().map(|said| &said.turn),
        };
        let stored = exchange.message.as_ref().filter(|_| side == Side::Server);
        let cut = [(Part::Received, received.map(|turn| &turn.octets)), (Part::Stored, stored)];
        for (part, octets) in cut {
            let Some(octets) = octets else { continue };
            let splits = Splits::of(octets, effort.splits);
            chunkings.extend(splits.pairs().map(|at| Chunking::Split { exchange: number, part, at }));
            thinned |= splits.thinned;
        }
    }
    (chunkings, thinned)
}

/// One replay.
struct Run<'s> {
    session: &'s Session,
    side: Side,
    delivery: Delivery,
    chunking: Chunking,
}

impl Run<'_> {
    /// Gives back how many answers had the subject's own words.
    fn server<S: ServerSubject>(
        &self,
        start: impl Fn(Chunking, &mut Vec<u8>) -> Result<S, Trouble>,
    ) -> Result<usize, Box<Failure>> {
        let mut out = Vec::new();
        let mut own_words = 0;
        let greeting = self.session.exchanges().next();
        let mut subject = start(self.chunking, &mut out)
            .map_err(|trouble| self.trouble(trouble, None, greeting.map(|g| &g.server), &out))?;
        let mut number = 0;
        for step in &self.session.steps {
            let Step::Exchange(exchange) = step else {
                subject.tls_established().map_err(|trouble| self.trouble(trouble, None, None, &out))?;
                continue;
            };
            if let Some(said) = &exchange.client {
                let octets = &said.turn.octets;
                let mut given = 0;
                for piece in self.chunking.pieces(number, Part::Received, octets) {
                    given += piece.len();
                    subject
                        .receive(piece, &mut out)
                        .map_err(|trouble| self.trouble(trouble, Some(&said.turn), Some(&exchange.server), &out))?;
                    if given < octets.len() && !out.is_empty() {
                        return Err(self.failure(What::Early, &said.turn, given, b"", &out));
                    }
                }
            }
            number += 1;
            if exchange.client.is_some() && subject.words() == Words::Own {
                own_words += 1;
                self.status(exchange, &out)?;
            } else {
                self.sent(&exchange.server, &out)?;
            }
            out.clear();
        }
        self.place(subject.place())?;
        Ok(own_words)
    }

    /// All that the client says in one stream: the answers come in order, one behind the other.
    fn pipelined<S: ServerSubject>(
        &self,
        octets: &[u8],
        start: impl Fn(Chunking, &mut Vec<u8>) -> Result<S, Trouble>,
    ) -> Result<(), Box<Failure>> {
        let mut expected = Turn::default();
        self.session.exchanges().for_each(|exchange| expected.append(&exchange.server));
        let mut out = Vec::new();
        let mut subject =
            start(self.chunking, &mut out).map_err(|trouble| self.trouble(trouble, None, Some(&expected), &out))?;
        for piece in self.chunking.pieces(0, Part::Received, octets) {
            subject.receive(piece, &mut out).map_err(|trouble| self.trouble(trouble, None, Some(&expected), &out))?;
        }
        self.sent(&expected, &out)?;
        self.place(subject.place())
    }

    fn client(&self, subject: &mut dyn ClientSubject) -> Result<(), Box<Failure>> {
        let (mut out, mut seen) = (Vec::new(), Vec::new());
        let mut number = 0;
        for step in &self.session.steps {
            let Step::Exchange(exchange) = step else {
                subject.tls_established().map_err(|trouble| self.trouble(trouble, None, None, b""))?;
                continue;
            };
            if let Some(said) = &exchange.client {
                out.clear();
                subject
                    .send(said.line(), said.kind, &mut out)
                    .map_err(|trouble| self.trouble(trouble, None, Some(&said.turn), &out))?;
                self.sent(&said.turn, &out)?;
            }
            seen.clear();
            let expected = to_be_seen(exchange);
            for piece in self.chunking.pieces(number, Part::Received, &exchange.server.octets) {
                if let Err(trouble) = subject.receive(piece, &mut seen) {
                    // Where it went wrong is behind the last thing that was seen rightly.
                    let mut failure = self
                        .seen(exchange, &expected, &seen)
                        .err()
                        .unwrap_or_else(|| self.failure(What::Seen, &exchange.server, 0, b"", b""));
                    if let Trouble::Refused(why) | Trouble::Error(why) = trouble {
                        failure.what = What::Error(why);
                    }
                    return Err(failure);
                }
            }
            number += 1;
            self.seen(exchange, &expected, &seen)?;
        }
        self.place(subject.place())
    }

    fn sent(&self, expected: &Turn, got: &[u8]) -> Result<(), Box<Failure>> {
        match difference(&expected.octets, got) {
            Some(offset) => Err(self.failure(What::Sent, expected, offset, &expected.octets, got)),
            None => Ok(()),
        }
    }

    /// "Other text is not significant": one line with the same status indicator.
    fn status(&self, exchange: &Exchange, got: &[u8]) -> Result<(), Box<Failure>> {
        let same = Answer::read(got).is_some_and(|answer| {
            answer.block.is_none() && indicator(&answer.first) == indicator(&exchange.answer.first)
        });
        if same && exchange.answer.block.is_none() { Ok(()) } else { self.sent(&exchange.server, got) }
    }

    fn seen(&self, exchange: &Exchange, expected: &[(Seen, usize)], got: &[Seen]) -> Result<(), Box<Failure>> {
        for index in 0..expected.len().max(got.len()) {
            let (one, other) = (expected.get(index), got.get(index));
            if one.map(|(seen, _)| seen) == other {
                continue;
            }
            let offset = match (one, other) {
                (Some((Seen::Body(message), _)), Some(Seen::Body(got))) => {
                    let at = difference(message, got).unwrap_or_default();
                    exchange.answer.block.as_ref().map_or(0, |block| block.place(at))
                }
                (Some((_, offset)), _) => *offset,
                (None, _) => exchange.server.octets.len(),
            };
            let expected = one.map(|(seen, _)| seen.written()).unwrap_or_default();
            let got = other.map(Seen::written).unwrap_or_default();
            return Err(self.failure(What::Seen, &exchange.server, offset, &expected, &got));
        }
        Ok(())
    }

    fn place(&self, got: Option<Place>) -> Result<(), Box<Failure>> {
        match got {
            Some(got) if got != self.session.end => {
                let last = self.session.exchanges().last().map(|exchange| exchange.server.clone()).unwrap_or_default();
                let (expected, got) = (self.session.end.to_string(), got.to_string());
                Err(self.failure(What::Place, &last, last.octets.len(), expected.as_bytes(), got.as_bytes()))
            }
            _ => Ok(()),
        }
    }

    /// The subject gave up: `heard` is what it had to understand, `expected` what it had to send, `got` what it sent.
    fn trouble(&self, trouble: Trouble, heard: Option<&Turn>, expected: Option<&Turn>, got: &[u8]) -> Box<Failure> {
        let nothing = Turn::default();
        let what = match trouble {
            Trouble::Understood { expected, got } => {
                let offset = difference(&expected, &got).unwrap_or_default();
                return self.failure(What::Understood, heard.unwrap_or(&nothing), offset, &expected, &got);
            }
            Trouble::Refused(why) => What::Refused(why),
            Trouble::Error(why) => What::Error(why),
        };
        let expected = expected.unwrap_or(&nothing);
        let offset = difference(&expected.octets, got).unwrap_or_default();
        self.failure(what, expected, offset, &expected.octets, got)
    }

    fn failure(&self, what: What, turn: &Turn, offset: usize, expected: &[u8], got: &[u8]) -> Box<Failure> {
        Box::new(Failure {
            name: self.session.name.clone(),
            side: self.side,
            delivery: self.delivery,
            chunking: self.chunking,
            line: turn.line(offset),
            offset,
            what,
            expected: expected.to_vec(),
            got: got.to_vec(),
        })
    }
}
