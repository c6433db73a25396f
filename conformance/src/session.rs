//! A [`Transcript`] as a whole session from the first octet on: what leads to the place where the transcript begins
//! (greeting, login, setup), and then its own lines, as exchanges.

use crate::fixture;
use crate::octets::{Answer, stuffed, words};
use crate::transcript::{Content, Fault, Line, ParseError, Place, Stage, Transcript};

/// A session to be replayed.
///
/// ```
/// use pop3_conformance::session::Session;
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# start-state: TRANSACTION\n# end-state: unchanged\n\nC: STAT\nS: +OK 2 320\n";
/// let session = Session::all(&Transcript::parse("stat.txt", text)?)?.remove(0);
/// // The greeting and the login, which lead there, stand before it.
/// let verbs: Vec<_> = session.exchanges().filter_map(|exchange| Some(exchange.client.as_ref()?.verb.as_str())).collect();
/// assert_eq!(verbs, ["USER", "PASS", "STAT"]);
/// assert!(session.can_be_pipelined());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The transcript's name.
    pub name: String,
    /// What client and server must allow for it.
    pub settings: Settings,
    /// What happens, in order.
    pub steps: Vec<Step>,
    /// Where the session stands when all has been said.
    pub end: Place,
    /// What was added to the transcript, and why.
    pub notes: Vec<String>,
}

/// What client and server must allow, read off the transcript.
///
/// ```
/// use pop3_conformance::session::Session;
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# start-state: AUTHORIZATION (TLS)\n# end-state: unchanged\n\nC: LANG es\nS: +OK es\n";
/// let settings = Session::all(&Transcript::parse("lang.txt", text)?)?.remove(0).settings;
/// assert!(settings.tls && settings.lang && !settings.cleartext_login && !settings.apop);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Settings {
    /// TLS is on before the first octet.
    pub tls: bool,
    /// Somebody logs in without TLS.
    pub cleartext_login: bool,
    /// APOP is used, or a timestamp offers it.
    pub apop: bool,
    /// The server announces RESP-CODES.
    pub response_codes: bool,
    /// STLS is used or announced.
    pub stls: bool,
    /// LANG is used.
    pub lang: bool,
    /// UTF8 is used.
    pub utf8: bool,
    /// The SASL mechanisms that are announced or used.
    pub mechanisms: Vec<String>,
}

/// One thing that happens.
///
/// ```
/// use pop3_conformance::self_check;
/// use pop3_conformance::session::{Session, Step};
///
/// let session = Session::all(&self_check::selected("rfc2595-04-stls")?[0])?.remove(0);
/// let at = session.steps.iter().position(|step| *step == Step::Tls).expect("a handshake");
/// let Step::Exchange(before) = &session.steps[at - 1] else { panic!() };
/// assert_eq!(before.client.as_ref().map(|said| said.verb.as_str()), Some("STLS"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A line of the client and the answer to it; the greeting, which answers nothing.
    Exchange(Box<Exchange>),
    /// The TLS handshake.
    Tls,
}

/// A line of the client and the answer to it.
///
/// ```
/// use pop3_conformance::session::Session;
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# start-state: TRANSACTION\n# end-state: unchanged\n# maildrop: #1 = 120 octets\n\n\
///             C: RETR 1\nS: +OK 120 octets\nS~ the message\nS: .\n";
/// let session = Session::all(&Transcript::parse("retr.txt", text)?)?.remove(0);
/// let exchange = session.exchanges().last().expect("RETR");
/// assert_eq!(exchange.message.as_ref().map(Vec::len), Some(120)); // as it is stored
/// assert!(exchange.server.octets.len() > 120 && exchange.answer.is_ok()); // as it is sent
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// The client's line; `None` for the greeting.
    pub client: Option<Said>,
    /// The answer's octets.
    pub server: Turn,
    /// The same, taken apart.
    pub answer: Answer,
    /// The message that is asked for, whole, as it is stored.
    pub message: Option<Vec<u8>>,
}

/// What a client says, and in which situation.
///
/// ```
/// use pop3_conformance::session::Session;
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# start-state: AUTHORIZATION\n# end-state: TRANSACTION\n\n\
///             C: user mrose\nS: +OK\nC: PASS secret\nS: +OK\n";
/// let session = Session::all(&Transcript::parse("login.txt", text)?)?.remove(0);
/// let said: Vec<_> = session.exchanges().filter_map(|exchange| exchange.client.as_ref()).collect();
/// assert_eq!((said[0].line(), said[0].verb.as_str()), (&b"user mrose"[..], "USER"));
/// assert_eq!((said[1].user.as_slice(), said[1].logged_in), (&b"mrose"[..], false));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its octets, with CRLF.
    pub turn: Turn,
    /// What it is.
    pub kind: Kind,
    /// The keyword of the command, in upper case; that of the command which is under way for a response.
    pub verb: String,
    /// The name that the USER command before it gave.
    pub user: Vec<u8>,
    /// Whether the maildrop is open.
    pub logged_in: bool,
}

/// What a line of a client is.
///
/// ```
/// use pop3_conformance::self_check;
/// use pop3_conformance::session::{Kind, Session};
///
/// let session = Session::all(&self_check::selected("rfc5034-06-plain-empty-challenge")?[0])?.remove(0);
/// let kinds: Vec<_> = session.exchanges().filter_map(|exchange| Some(exchange.client.as_ref()?.kind)).collect();
/// // CAPA, which says that there is SASL; AUTH PLAIN; and what answers its challenge.
/// assert_eq!(kinds, [Kind::Command, Kind::Command, Kind::Response]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A command.
    Command,
    /// The response to a challenge.
    Response,
}

/// Octets that one side sends at a time.
///
/// ```
/// use pop3_conformance::session::Session;
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# start-state: TRANSACTION\n# end-state: unchanged\n\nC: LIST\nS: +OK\nS: 1 120\nS: .\n";
/// let session = Session::all(&Transcript::parse("list.txt", text)?)?.remove(0);
/// let turn = &session.exchanges().last().expect("LIST").server;
/// assert_eq!(turn.octets, b"+OK\r\n1 120\r\n.\r\n");
/// assert_eq!((turn.line(0), turn.line(7)), (5, 6)); // the lines of the file
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// The octets, CRLF included.
    pub octets: Vec<u8>,
    /// Where each line of the transcript begins in them, and its number; 0 for what the transcript does not hold.
    marks: Vec<(usize, usize)>,
}

impl Said {
    /// The line without CRLF.
    #[must_use]
    pub fn line(&self) -> &[u8] {
        self.turn.octets.strip_suffix(b"\r\n").unwrap_or(&self.turn.octets)
    }
}

impl Turn {
    /// The number of the transcript's line that an octet stands in; 0 if the transcript does not hold it.
    #[must_use]
    pub fn line(&self, offset: usize) -> usize {
        self.marks.iter().rev().find(|(start, _)| *start <= offset).map_or(0, |(_, line)| *line)
    }

    /// Whether the transcript holds it.
    #[must_use]
    pub fn is_printed(&self) -> bool {
        self.marks.iter().any(|(_, line)| *line != 0)
    }

    /// Adds another turn behind this one.
    pub fn append(&mut self, other: &Self) {
        let start = self.octets.len();
        self.marks.extend(other.marks.iter().map(|(at, line)| (start + at, *line)));
        self.octets.extend_from_slice(&other.octets);
    }

    fn add(&mut self, octets: &[u8], line: usize) {
        self.marks.push((self.octets.len(), line));
        self.octets.extend_from_slice(octets);
    }
}

impl Session {
    /// The sessions of a transcript: one for each state that it may begin in.
    ///
    /// # Errors
    ///
    /// [`ParseError`] for a dialogue that makes no session: a command without an answer, an answer without an end.
    pub fn all(transcript: &Transcript) -> Result<Vec<Self>, ParseError> {
        transcript.header.start.iter().map(|&start| Self::from_place(transcript, start)).collect()
    }

    fn from_place(transcript: &Transcript, start: Place) -> Result<Self, ParseError> {
        let error = |line, fault| ParseError { file: transcript.name.clone(), line, fault };
        let lead = lead(transcript, start).map_err(|fault| error(0, fault))?;
        let mut building = Building::new(transcript, start);
        let mut notes = Vec::new();
        for (index, line) in lead.iter().chain(&transcript.lines).enumerate() {
            if matches!(line.content, Content::Client(_) | Content::Tls) || index == lead.len() {
                building.finish().map_err(|fault| error(building.last, fault))?;
            }
            // RFC 5034 §4: an initial response goes with AUTH only where CAPA has named SASL.
            if building.lacks_sasl(line) {
                let mechanism = words(line.client().unwrap_or_default()).nth(1).unwrap_or_default();
                let rows = [b"+OK".to_vec(), [b"SASL ", mechanism].concat(), b".".to_vec()];
                let answer = rows.map(|row| unprinted(Content::Server(row)));
                for inserted in std::iter::once(&unprinted(Content::Client(b"CAPA".to_vec()))).chain(&answer) {
                    building.line(inserted).map_err(|fault| error(line.number, fault))?;
                }
                building.finish().map_err(|fault| error(line.number, fault))?;
                notes.push("CAPA put before AUTH (RFC 5034 section 4)".to_owned());
            }
            building.line(line).map_err(|fault| error(line.number, fault))?;
        }
        building.finish().map_err(|fault| error(building.last, fault))?;
        let settings = Settings::of(start, transcript, &building.steps);
        let end = transcript.header.end.unwrap_or(start);
        Ok(Self { name: transcript.name.clone(), settings, steps: building.steps, end, notes })
    }

    /// The exchanges, in order.
    pub fn exchanges(&self) -> impl Iterator<Item = &Exchange> {
        self.steps.iter().filter_map(|step| match step {
            Step::Exchange(exchange) => Some(&**exchange),
            Step::Tls => None,
        })
    }

    /// Whether all commands may be sent at once: none of them is AUTH or STLS (RFC 2449 §6.6).
    #[must_use]
    pub fn can_be_pipelined(&self) -> bool {
        let lone = |said: &Said| matches!(said.verb.as_str(), "AUTH" | "STLS");
        let mut said = self.exchanges().filter_map(|exchange| exchange.client.as_ref()).peekable();
        said.peek().is_some() && !said.any(lone) && !self.steps.contains(&Step::Tls)
    }
}

/// What leads to the place where a transcript begins.
fn lead(transcript: &Transcript, start: Place) -> Result<Vec<Line>, Fault> {
    let client = |text: &str| unprinted(Content::Client(text.as_bytes().to_vec()));
    let server = |text: String| unprinted(Content::Server(text.into_bytes()));
    let mut lines = Vec::new();
    if start.state == Stage::Connect {
        return match transcript.header.setup.first() {
            Some(_) => Err(Fault::Setup("nothing can be said before the greeting".to_owned())),
            None => Ok(lines),
        };
    }
    let timestamp = transcript.header.needs.split_once('<').and_then(|(_, rest)| rest.split_once('>'));
    lines.push(server(match timestamp {
        Some((inner, _)) => format!("+OK POP3 server ready <{inner}>"),
        None => "+OK POP3 server ready".to_owned(),
    }));
    if start.state == Stage::Transaction {
        for (command, answer) in [("USER mrose", "+OK send PASS"), ("PASS secret", "+OK maildrop locked and ready")] {
            lines.push(client(command));
            lines.push(server(answer.to_owned()));
        }
    }
    for command in &transcript.header.setup {
        lines.push(client(command));
        lines.push(server(match command.split_once(' ') {
            Some(("DELE", number)) => format!("+OK message {number} deleted"),
            Some(("LANG", tag)) => format!("+OK {tag} language changed"),
            None if matches!(command.as_str(), "NOOP" | "RSET") => "+OK".to_owned(),
            _ => return Err(Fault::Setup(format!("nobody knows the ordinary answer to {command:?}"))),
        }));
    }
    Ok(lines)
}

/// A line that the transcript does not hold.
const fn unprinted(content: Content) -> Line {
    Line { number: 0, content }
}

impl Line {
    fn client(&self) -> Option<&[u8]> {
        match &self.content {
            Content::Client(line) => Some(line),
            _ => None,
        }
    }
}

/// A session that is being put together.
struct Building {
    sizes: Vec<(usize, usize)>,
    steps: Vec<Step>,
    open: Option<Open>,
    place: Place,
    user: Vec<u8>,
    /// A challenge was sent, and the response is next.
    challenged: bool,
    /// The last capability list of this phase names SASL.
    sasl: bool,
    /// The last line that was added.
    last: usize,
}

/// An exchange that is being put together.
struct Open {
    client: Option<Said>,
    server: Turn,
    lines: usize,
    ended: bool,
    message: Option<Vec<u8>>,
}

impl Building {
    fn new(transcript: &Transcript, start: Place) -> Self {
        let place = Place { state: Stage::Connect, tls: start.tls };
        let sizes = sizes(&transcript.header.maildrop);
        Self { sizes, steps: Vec::new(), open: None, place, user: Vec::new(), challenged: false, sasl: false, last: 0 }
    }

    fn lacks_sasl(&self, line: &Line) -> bool {
        let mut words = words(line.client().unwrap_or_default());
        !self.sasl && !self.challenged && words.next() == Some(b"AUTH") && words.nth(1).is_some()
    }

    fn line(&mut self, line: &Line) -> Result<(), Fault> {
        match &line.content {
            Content::Client(text) => {
                self.open = Some(Open::answering(self.said(text, line.number)));
            }
            Content::Server(text) => {
                if self.open.is_none() {
                    if self.place.state != Stage::Connect {
                        return Err(Fault::Unasked);
                    }
                    self.open = Some(Open::answering(None));
                }
                let open = self.open.as_mut().ok_or(Fault::Unasked)?;
                if open.ended {
                    return Err(Fault::BehindTermination);
                }
                open.ended = open.lines > 0 && text == b".";
                open.lines += 1;
                open.server.add(&[text, &b"\r\n"[..]].concat(), line.number);
            }
            Content::Message => self.message(line.number)?,
            Content::Action => {}
            Content::Tls => {
                // With TLS on already the line only tells what was before.
                if !self.place.tls {
                    self.place.tls = true;
                    self.sasl = false;
                    self.steps.push(Step::Tls);
                }
            }
        }
        self.last = line.number;
        Ok(())
    }

    fn said(&mut self, line: &[u8], number: usize) -> Option<Said> {
        let mut turn = Turn::default();
        turn.add(&[line, b"\r\n"].concat(), number);
        let mut words = words(line);
        let keyword = words.next().unwrap_or_default().to_ascii_uppercase();
        let (kind, verb) = if self.challenged {
            (Kind::Response, "AUTH".to_owned())
        } else {
            (Kind::Command, String::from_utf8_lossy(&keyword).into_owned())
        };
        if verb == "USER" {
            self.user = words.next().unwrap_or_default().to_vec();
        }
        let logged_in = self.place.state == Stage::Transaction;
        Some(Said { turn, kind, verb, user: self.user.clone(), logged_in })
    }

    /// The part of a message that was asked for.
    fn message(&mut self, line: usize) -> Result<(), Fault> {
        let open = self.open.as_mut().ok_or(Fault::Unasked)?;
        if open.ended {
            return Err(Fault::BehindTermination);
        }
        let command = open.client.as_ref().map(Said::line).unwrap_or_default().to_vec();
        let text = String::from_utf8_lossy(&command).into_owned();
        let mut words = text.split(' ');
        let (verb, number, lines) = (words.next(), words.next(), words.next());
        let number = number.and_then(|number| number.parse().ok()).filter(|number| (1..=100).contains(number));
        let message = |number: Option<usize>| {
            let number = number.ok_or(Fault::NoSuchFixture)?;
            match self.sizes.iter().find(|(of, _)| *of == number) {
                Some(&(_, octets)) => fixture::message(octets).ok_or(Fault::FixtureSize(octets)),
                None => Ok(fixture::twelve_lines()),
            }
        };
        let (stored, sent) = match (verb, lines) {
            (Some("RETR"), None) => {
                let stored = message(number)?;
                (stored.clone(), stored)
            }
            (Some("TOP"), Some(lines)) => {
                let stored = message(number)?;
                let sent = fixture::top(&stored, lines.parse().unwrap_or(usize::MAX));
                (stored, sent)
            }
            _ => return Err(Fault::NoMessageHere),
        };
        open.message = Some(stored);
        open.server.add(&stuffed(&sent), line);
        open.lines += 1;
        Ok(())
    }

    /// The answer that was being given is complete.
    fn finish(&mut self) -> Result<(), Fault> {
        let Some(open) = self.open.take() else { return Ok(()) };
        if open.lines == 0 {
            return Err(Fault::Unanswered);
        }
        let Open { client, server, mut message, .. } = open;
        let answer = Answer::read(&server.octets).ok_or(Fault::NoTermination)?;
        let verb = client.as_ref().map_or("", |said| said.verb.as_str());
        self.challenged = answer.is_challenge();
        let login = matches!(verb, "PASS" | "APOP" | "AUTH");
        self.place.state = match (self.place.state, verb) {
            (Stage::Connect, _) => Stage::Authorization,
            (Stage::Authorization, _) if login && answer.is_ok() => Stage::Transaction,
            (_, "QUIT") => Stage::Closed,
            (state, _) => state,
        };
        if verb == "CAPA" {
            let sasl = |block: &crate::octets::Block| block.rows.iter().any(|row| row.octets.starts_with(b"SASL "));
            self.sasl = answer.block.as_ref().is_some_and(sasl);
        }
        if matches!(verb, "RETR" | "TOP") && message.is_none() {
            message = answer.block.as_ref().map(crate::octets::Block::message);
        }
        self.steps.push(Step::Exchange(Box::new(Exchange { client, server, answer, message })));
        Ok(())
    }
}

impl Open {
    fn answering(client: Option<Said>) -> Self {
        Self { client, server: Turn::default(), lines: 0, ended: false, message: None }
    }
}

impl Settings {
    fn of(start: Place, transcript: &Transcript, steps: &[Step]) -> Self {
        let mut settings =
            Self { tls: start.tls, response_codes: transcript.header.needs.contains("RESP-CODES"), ..Self::default() };
        let mut tls = start.tls;
        for step in steps {
            let Step::Exchange(exchange) = step else {
                tls = true;
                continue;
            };
            let Some(said) = &exchange.client else {
                // A server greets with a timestamp where APOP can be used, and nowhere else.
                settings.apop |= exchange.answer.text().ends_with(b">");
                settings.cleartext_login |= settings.apop && !tls;
                continue;
            };
            match said.verb.as_str() {
                // (A capability list names logins only where they are allowed.)
                "USER" | "PASS" | "APOP" | "AUTH" | "CAPA" if !tls => settings.cleartext_login = true,
                "STLS" => settings.stls = true,
                "LANG" => settings.lang = true,
                "UTF8" => settings.utf8 = true,
                _ => {}
            }
            settings.apop |= said.verb == "APOP";
            if said.verb == "AUTH"
                && said.kind == Kind::Command
                && (exchange.answer.is_ok() || exchange.answer.is_challenge())
            {
                settings.offer(words(said.line()).nth(1).unwrap_or_default());
            }
            for row in exchange.answer.block.iter().flat_map(|block| &block.rows).filter(|_| said.verb == "CAPA") {
                let mut words = words(&row.octets);
                match words.next() {
                    Some(b"STLS") => settings.stls = true,
                    Some(b"SASL") => words.for_each(|mechanism| settings.offer(mechanism)),
                    _ => {}
                }
            }
        }
        settings
    }

    fn offer(&mut self, mechanism: &[u8]) {
        let mechanism = String::from_utf8_lossy(mechanism).into_owned();
        if !self.mechanisms.contains(&mechanism) {
            self.mechanisms.push(mechanism);
        }
    }
}

/// The `#N = M octets` of a maildrop's description.
fn sizes(maildrop: &str) -> Vec<(usize, usize)> {
    let number = |text: &str| {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        text[..digits].parse().ok()
    };
    let entries = maildrop.split('#').skip(1);
    entries
        .filter_map(|entry| {
            let (message, rest) = entry.split_once(" = ")?;
            Some((number(message)?, number(rest)?))
        })
        .collect()
}
