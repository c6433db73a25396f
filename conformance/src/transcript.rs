//! Transcripts: a POP3 dialogue as a text file that people can read beside the RFC and programs can replay.
//!
//! # The format
//!
//! A header, an empty line, then one line for each line on the wire:
//!
//! ```text
//! # shows: RETR of a message, and its deletion
//! # start-state: TRANSACTION
//! # end-state: TRANSACTION
//! # maildrop: 2 messages: #1 = 120 octets, #2 = 200 octets
//!
//! C: RETR 1
//! S: +OK 120 octets
//! S~ <the message>
//! S: .
//! C: DELE 1
//! S: +OK message 1 deleted
//! ```
//!
//! ## The header
//!
//! | key | meaning |
//! | --- | --- |
//! | `start-state` | needed: where the session stands before the first line: `CONNECT` (before the greeting), `AUTHORIZATION` or `TRANSACTION`, with ` (TLS)` behind it if TLS is on. Two of them with ` or ` between: replay from both. |
//! | `end-state` | needed: where it stands behind the last line: the same words, `CLOSED`, or `unchanged` |
//! | `maildrop` | what the messages are like; `#N = M octets` gives the size of message N, the rest is for people |
//! | `setup` | commands that are given before the first line, with ` / ` between them |
//! | `needs` | what client and server must know or have; `RESP-CODES` and a timestamp in angle brackets are acted on, the rest is for people |
//! | `shows` | what it is about, in one line |
//! | `source`, `rfc-lines`, `note` | where it comes from, and what else there is to say |
//!
//! A key stands once, but for `note`. A value of `-` is an empty one.
//!
//! ## The dialogue
//!
//! | line | meaning |
//! | --- | --- |
//! | `C: text`, `S: text` | a line of the client or the server. CRLF is implied; `C:` alone is an empty line. |
//! | <code>C&#124; text</code>, <code>S&#124; text</code> | the line before goes on, with nothing between |
//! | `S~ <words>` | the message, or the part of it that TOP asks for: the octets come from a [fixture](crate::fixture), byte-stuffed |
//! | `C@ <words>`, `S@ <words>` | something that puts no octet on the wire |
//! | `!tls <words>` | the TLS handshake |
//!
//! In a text, `\xNN` stands for the octet with that hexadecimal number and `\\` for a backslash. Control characters
//! and what is not ASCII can be written in no other way.

use std::fmt;

/// A dialogue.
///
/// ```
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# shows: nothing is done\n# start-state: TRANSACTION\n# end-state: unchanged\n\nC: NOOP\nS: +OK\n";
/// let transcript = Transcript::parse("nothing.txt", text)?;
/// assert_eq!((transcript.name.as_str(), transcript.lines.len()), ("nothing", 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transcript {
    /// What it is called: the file's name without `.txt`.
    pub name: String,
    /// Its header.
    pub header: Header,
    /// What is said and done, in order.
    pub lines: Vec<Line>,
}

/// The header of a transcript. Texts are empty where the file has none.
///
/// ```
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# shows: a deleted message\n# start-state: TRANSACTION\n# end-state: unchanged\n# setup: DELE 1 / NOOP\n\n\
///             C: LIST 1\nS: -ERR no such message\n";
/// let header = Transcript::parse("deleted.txt", text)?.header;
/// assert_eq!((header.shows.as_str(), header.end), ("a deleted message", None));
/// assert_eq!(header.setup, ["DELE 1", "NOOP"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// Where it was printed.
    pub source: String,
    /// The lines of that document.
    pub rfc_lines: String,
    /// What it is about.
    pub shows: String,
    /// Where the session stands before; there are two for a dialogue that may happen in two states.
    pub start: Vec<Place>,
    /// Where the session stands behind it; `None` for "unchanged".
    pub end: Option<Place>,
    /// What the messages are like.
    pub maildrop: String,
    /// What client and server must know or have.
    pub needs: String,
    /// The commands that come before.
    pub setup: Vec<String>,
    /// What else there is to say.
    pub notes: Vec<String>,
}

/// A place in a session.
///
/// ```
/// use pop3_conformance::transcript::{Place, Stage};
///
/// let place = Place { state: Stage::Authorization, tls: true };
/// assert_eq!(place.to_string(), "AUTHORIZATION (TLS)");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The state.
    pub state: Stage,
    /// Whether TLS is on.
    pub tls: bool,
}

/// The state of a session, as transcripts name it.
///
/// ```
/// use pop3_conformance::transcript::{Stage, Transcript};
///
/// let text = "# start-state: AUTHORIZATION or TRANSACTION\n# end-state: CLOSED\n\nC: QUIT\nS: +OK\n";
/// let header = Transcript::parse("quit.txt", text)?.header;
/// let stages: Vec<_> = header.start.iter().map(|place| place.state).collect();
/// assert_eq!(stages, [Stage::Authorization, Stage::Transaction]);
/// assert_eq!(header.end.map(|place| place.state), Some(Stage::Closed));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// Connected, and not greeted yet.
    Connect,
    /// The client must identify itself.
    Authorization,
    /// The maildrop is open.
    Transaction,
    /// The session is over.
    Closed,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = match self.state {
            Stage::Connect => "CONNECT",
            Stage::Authorization => "AUTHORIZATION",
            Stage::Transaction => "TRANSACTION",
            Stage::Closed => "CLOSED",
        };
        write!(f, "{state}{}", if self.tls { " (TLS)" } else { "" })
    }
}

/// One line of the dialogue.
///
/// ```
/// use pop3_conformance::transcript::{Content, Transcript};
///
/// let text = "# start-state: TRANSACTION\n# end-state: unchanged\n\nC: NOOP\nS: +OK\n";
/// let lines = Transcript::parse("noop.txt", text)?.lines;
/// assert_eq!((lines[1].number, &lines[1].content), (5, &Content::Server(b"+OK".to_vec())));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: usize,
    /// What it says.
    pub content: Content,
}

/// What a line says.
///
/// ```
/// use pop3_conformance::transcript::{Content, Transcript};
///
/// let text = "# start-state: TRANSACTION\n# end-state: unchanged\n# maildrop: #1 = 120 octets\n\n\
///             C: RETR 1\nS: +OK 120 octets\nS~ the message\nS: .\nC@ waits\n";
/// let lines = Transcript::parse("retr.txt", text)?.lines;
/// assert_eq!(lines[0].content, Content::Client(b"RETR 1".to_vec()));
/// assert_eq!((&lines[2].content, &lines[4].content), (&Content::Message, &Content::Action));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// `C:`, without CRLF.
    Client(Vec<u8>),
    /// `S:`, without CRLF.
    Server(Vec<u8>),
    /// `S~`: octets of a message.
    Message,
    /// `C@` or `S@`: nothing on the wire.
    Action,
    /// `!tls`
    Tls,
}

/// Why a text is no transcript, or one that cannot be replayed.
///
/// ```
/// use pop3_conformance::transcript::Transcript;
///
/// let error = Transcript::parse("noop.txt", "# start-state: TRANSACTION\n# end-state: unchanged\n\nNOOP\n").unwrap_err();
/// assert_eq!(error.line, 4);
/// assert_eq!(error.to_string(), "noop.txt:4: the line begins with none of C: S: C| S| S~ C@ S@ !tls");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseError {
    /// The file.
    pub file: String,
    /// The line, from 1; 0 where the file as a whole is meant.
    pub line: usize,
    /// What is wrong.
    pub fault: Fault,
}

/// What is wrong with a transcript.
///
/// ```
/// use pop3_conformance::transcript::{Fault, Transcript};
///
/// let fault = |text: &str| Transcript::parse("x.txt", text).unwrap_err().fault;
/// assert_eq!(fault("# begin: TRANSACTION\n"), Fault::UnknownKey("begin".into()));
/// assert_eq!(fault("# end-state: CLOSED\n\nC: QUIT\n"), Fault::MissingKey("start-state"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// A line of the header is not `# key: value`.
    HeaderSyntax,
    /// The header has no such key.
    UnknownKey(String),
    /// The key was there already.
    RepeatedKey(String),
    /// The key is missing.
    MissingKey(&'static str),
    /// It is no state that the key takes.
    UnknownState(String),
    /// There is no empty line behind the header.
    NoEmptyLine,
    /// Nothing is said.
    NoDialogue,
    /// The line begins with none of `C:`, `S:`, `C|`, `S|`, `S~`, `C@`, `S@`, `!tls`.
    UnknownLine,
    /// There must be a space behind the first two characters.
    MissingSpace,
    /// A continuation stands behind something that is no line of the same side.
    NothingToContinue,
    /// The backslash is followed by neither `xNN` nor another one.
    Escape,
    /// The character can be written as `\xNN` only.
    Character(char),
    /// The server speaks where no command waits for an answer.
    Unasked,
    /// The command has no answer.
    Unanswered,
    /// An answer of several lines does not end in a line with the termination octet alone.
    NoTermination,
    /// A line stands behind the termination octet.
    BehindTermination,
    /// Only RETR and TOP are answered with a message.
    NoMessageHere,
    /// The message's number is not among the first hundred.
    NoSuchFixture,
    /// No message of that size can be made.
    FixtureSize(usize),
    /// The setup cannot be given before this dialogue.
    Setup(String),
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.fault),
            line => write!(f, "{}:{line}: {}", self.file, self.fault),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::HeaderSyntax => f.write_str("a line of the header is \"# key: value\""),
            Self::UnknownKey(key) => write!(f, "the header has no key {key:?}"),
            Self::RepeatedKey(key) => write!(f, "the key {key:?} is there twice"),
            Self::MissingKey(key) => write!(f, "the key {key:?} is missing"),
            Self::UnknownState(state) => write!(f, "{state:?} is no state that can stand here"),
            Self::NoEmptyLine => f.write_str("an empty line must stand behind the header"),
            Self::NoDialogue => f.write_str("nothing is said"),
            Self::UnknownLine => f.write_str("the line begins with none of C: S: C| S| S~ C@ S@ !tls"),
            Self::MissingSpace => f.write_str("there must be a space behind the first two characters"),
            Self::NothingToContinue => f.write_str("there is no line of the same side before it to go on with"),
            Self::Escape => f.write_str("a backslash is followed by xNN or another backslash"),
            Self::Character(character) => {
                write!(f, "the character {:?} must be written as \\xNN, octet by octet", character)
            }
            Self::Unasked => f.write_str("the server speaks, and no command waits for an answer"),
            Self::Unanswered => f.write_str("the command has no answer"),
            Self::NoTermination => f.write_str("an answer of several lines must end in \"S: .\""),
            Self::BehindTermination => f.write_str("the answer ended in the line before"),
            Self::NoMessageHere => f.write_str("only RETR and TOP are answered with a message"),
            Self::NoSuchFixture => f.write_str("there is no fixture for that message: only 1 to 100"),
            Self::FixtureSize(octets) => write!(f, "no message of {octets} octets can be made"),
            Self::Setup(words) => write!(f, "the setup cannot be given: {words}"),
        }
    }
}

impl std::error::Error for ParseError {}

impl Transcript {
    /// Parses the text of a file.
    ///
    /// ```
    /// use pop3_conformance::transcript::{Content, Transcript};
    ///
    /// let text = "# start-state: TRANSACTION\n# end-state: TRANSACTION\n\nC: NOOP\nS: +OK\n";
    /// let transcript = Transcript::parse("noop.txt", text)?;
    /// assert_eq!(transcript.lines[0].content, Content::Client(b"NOOP".to_vec()));
    ///
    /// let error = Transcript::parse("noop.txt", &text.replace("S: ", "S ")).unwrap_err();
    /// assert_eq!(error.line, 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// [`ParseError`], which says where and why.
    pub fn parse(file: &str, text: &str) -> Result<Self, ParseError> {
        let name = file.strip_suffix(".txt").unwrap_or(file).to_owned();
        let error = |line, fault| ParseError { file: file.to_owned(), line, fault };
        let mut lines = text.lines().enumerate().map(|(index, line)| (index + 1, line));
        let mut header = Entries::default();
        loop {
            match lines.next() {
                Some((_, "")) => break,
                Some((number, line)) if line.starts_with('#') => {
                    header.add(number, line).map_err(|fault| error(number, fault))?;
                }
                Some((number, _)) => return Err(error(number, Fault::NoEmptyLine)),
                None => return Err(error(0, Fault::NoEmptyLine)),
            }
        }
        let header = header.finish().map_err(|(line, fault)| error(line, fault))?;
        let mut dialogue = Vec::new();
        for (number, line) in lines {
            add_line(&mut dialogue, number, line).map_err(|fault| error(number, fault))?;
        }
        if dialogue.is_empty() {
            return Err(error(0, Fault::NoDialogue));
        }
        Ok(Self { name, header, lines: dialogue })
    }
}

/// The header's entries as they come.
#[derive(Default)]
struct Entries {
    header: Header,
    seen: Vec<String>,
    start: Option<usize>,
}

impl Entries {
    fn add(&mut self, number: usize, line: &str) -> Result<(), Fault> {
        let (key, value) =
            line.strip_prefix("# ").and_then(|entry| entry.split_once(": ")).ok_or(Fault::HeaderSyntax)?;
        if key != "note" && self.seen.iter().any(|seen| seen == key) {
            return Err(Fault::RepeatedKey(key.to_owned()));
        }
        self.seen.push(key.to_owned());
        let text = if value == "-" { String::new() } else { value.to_owned() };
        let header = &mut self.header;
        match key {
            "source" => header.source = text,
            "rfc-lines" => header.rfc_lines = text,
            "shows" => header.shows = text,
            "maildrop" => header.maildrop = text,
            "needs" => header.needs = text,
            "note" => header.notes.push(text),
            "setup" => header.setup = text.split(" / ").filter(|line| !line.is_empty()).map(str::to_owned).collect(),
            "start-state" => {
                let places = value.split(" or ").map(place).collect::<Result<Vec<_>, _>>()?;
                if let Some(closed) = places.iter().find(|place| place.state == Stage::Closed) {
                    return Err(Fault::UnknownState(closed.to_string()));
                }
                header.start = places;
                self.start = Some(number);
            }
            "end-state" => header.end = if value == "unchanged" { None } else { Some(place(value)?) },
            _ => return Err(Fault::UnknownKey(key.to_owned())),
        }
        Ok(())
    }

    fn finish(self) -> Result<Header, (usize, Fault)> {
        for key in ["start-state", "end-state"] {
            if !self.seen.iter().any(|seen| seen == key) {
                return Err((0, Fault::MissingKey(key)));
            }
        }
        Ok(self.header)
    }
}

fn place(words: &str) -> Result<Place, Fault> {
    let (state, tls) = match words.strip_suffix(" (TLS)") {
        Some(state) => (state, true),
        None => (words, false),
    };
    let state = match state {
        "CONNECT" => Stage::Connect,
        "AUTHORIZATION" => Stage::Authorization,
        "TRANSACTION" => Stage::Transaction,
        "CLOSED" => Stage::Closed,
        _ => return Err(Fault::UnknownState(words.to_owned())),
    };
    Ok(Place { state, tls })
}

fn add_line(dialogue: &mut Vec<Line>, number: usize, line: &str) -> Result<(), Fault> {
    let content = if line == "!tls" || line.starts_with("!tls ") {
        Content::Tls
    } else {
        let (mark, rest) = line.split_at_checked(2).ok_or(Fault::UnknownLine)?;
        match mark {
            "C:" => Content::Client(text(rest)?),
            "S:" => Content::Server(text(rest)?),
            "S~" => Content::Message,
            "C@" | "S@" => Content::Action,
            "C|" | "S|" => {
                let more = text(rest)?;
                return match (mark, dialogue.last_mut().map(|line| &mut line.content)) {
                    ("C|", Some(Content::Client(line))) | ("S|", Some(Content::Server(line))) => {
                        line.extend(more);
                        Ok(())
                    }
                    _ => Err(Fault::NothingToContinue),
                };
            }
            _ => return Err(Fault::UnknownLine),
        }
    };
    dialogue.push(Line { number, content });
    Ok(())
}

/// The octets of a text behind the mark.
fn text(rest: &str) -> Result<Vec<u8>, Fault> {
    let text = match rest.strip_prefix(' ') {
        Some(text) => text,
        None if rest.is_empty() => rest,
        None => return Err(Fault::MissingSpace),
    };
    let mut octets = Vec::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                let escaped = characters.as_str();
                if let Some(rest) = escaped.strip_prefix('\\') {
                    octets.push(b'\\');
                    characters = rest.chars();
                } else {
                    let digits = escaped.strip_prefix('x').and_then(|rest| rest.get(..2)).ok_or(Fault::Escape)?;
                    if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
                        return Err(Fault::Escape);
                    }
                    octets.push(u8::from_str_radix(digits, 16).map_err(|_| Fault::Escape)?);
                    characters = escaped[3..].chars();
                }
            }
            ' '..='~' => octets.push(character as u8),
            _ => return Err(Fault::Character(character)),
        }
    }
    Ok(octets)
}
