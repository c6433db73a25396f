//! Who is checked: a server or a client in process, octets in and octets out.
//!
//! The replay knows these two traits and no machine. The machines of `pop3-proto` stand behind them as other codecs can.

// Ours, for the self-check and its tests. Not part of the interface.
#[doc(hidden)]
pub mod client;
#[doc(hidden)]
pub mod server;

use crate::octets::{Answer, words};
use crate::session::{Exchange, Kind, Said};
use crate::transcript::{Place, Stage};

/// A server to be checked, from its greeting to its end.
///
/// ```
/// use pop3_conformance::replay::{self, Effort};
/// use pop3_conformance::session::Session;
/// use pop3_conformance::subject::{ServerSubject, Trouble};
/// use pop3_conformance::transcript::Transcript;
///
/// /// Somebody's server, of which this test drives the part before the login.
/// #[derive(Default)]
/// struct Mine(Vec<u8>);
///
/// impl ServerSubject for Mine {
///     fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
///         self.0.extend_from_slice(octets);
///         while let Some(at) = self.0.windows(2).position(|pair| pair == b"\r\n") {
///             let line: Vec<u8> = self.0.drain(..at + 2).collect();
///             out.extend_from_slice(if line == b"QUIT\r\n" { b"+OK bye\r\n" } else { b"-ERR what?\r\n" });
///         }
///         Ok(())
///     }
///     fn tls_established(&mut self) -> Result<(), Trouble> {
///         Err(Trouble::Error("there is no TLS here".into()))
///     }
/// }
///
/// let text = "# start-state: CONNECT\n# end-state: CLOSED\n\nS: +OK hello\nC: HELP\nS: -ERR what?\nC: QUIT\nS: +OK bye\n";
/// for session in Session::all(&Transcript::parse("help.txt", text)?)? {
///     replay::server(&session, Effort::FULL, |_, out: &mut Vec<u8>| {
///         out.extend_from_slice(b"+OK hello\r\n");
///         Ok(Mine::default())
///     })?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ServerSubject {
    /// Takes octets of the client, cut anywhere, and appends what the server sends.
    ///
    /// # Errors
    ///
    /// [`Trouble`], and the replay has failed.
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble>;

    /// The TLS handshake behind STLS is done.
    ///
    /// # Errors
    ///
    /// As [`ServerSubject::receive`].
    fn tls_established(&mut self) -> Result<(), Trouble>;

    /// Whose words the last answer had.
    fn words(&self) -> Words {
        Words::Scripted
    }

    /// Where the session stands, if the subject can tell.
    fn place(&self) -> Option<Place> {
        None
    }
}

/// Who has chosen the words of an answer.
///
/// ```
/// use pop3_conformance::subject::{ServerSubject, Trouble, Words};
///
/// /// A server whose texts cannot be chosen: `-ERR` in a transcript stands for any `-ERR` of its own.
/// struct Fixed;
///
/// impl ServerSubject for Fixed {
///     fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
///         let _ = (octets, out);
///         Ok(())
///     }
///     fn tls_established(&mut self) -> Result<(), Trouble> {
///         Ok(())
///     }
///     fn words(&self) -> Words {
///         Words::Own
///     }
/// }
/// assert_eq!(Fixed.words(), Words::Own);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Words {
    /// They are the transcript's, and every octet counts.
    Scripted,
    /// They are the subject's own: the status indicator counts, "other text is not significant" (RFC 1939 §9).
    Own,
}

/// A client to be checked.
///
/// ```
/// use pop3_conformance::replay::{self, Effort};
/// use pop3_conformance::session::{Kind, Session};
/// use pop3_conformance::subject::{ClientSubject, Seen, Trouble};
/// use pop3_conformance::transcript::Transcript;
///
/// /// Somebody's client, as far as status lines go.
/// #[derive(Default)]
/// struct Mine {
///     input: Vec<u8>,
///     asked: Option<String>,
/// }
///
/// impl ClientSubject for Mine {
///     fn send(&mut self, line: &[u8], _kind: Kind, out: &mut Vec<u8>) -> Result<(), Trouble> {
///         self.asked = Some(String::from_utf8_lossy(line).into_owned());
///         out.extend_from_slice(&[line, b"\r\n"].concat());
///         Ok(())
///     }
///     fn receive(&mut self, octets: &[u8], seen: &mut Vec<Seen>) -> Result<(), Trouble> {
///         self.input.extend_from_slice(octets);
///         while let Some(at) = self.input.windows(2).position(|pair| pair == b"\r\n") {
///             let line: Vec<u8> = self.input.drain(..at + 2).collect();
///             let text = line[..at].splitn(2, |&octet| octet == b' ').nth(1).unwrap_or_default().to_vec();
///             seen.push(match (self.asked.take(), line.starts_with(b"+OK")) {
///                 (None, _) => Seen::Greeting { text, timestamp: None },
///                 (Some(to), true) => Seen::Ok { to, code: None, text, data: Vec::new() },
///                 (Some(to), false) => Seen::Err { to, code: None, text },
///             });
///         }
///         Ok(())
///     }
///     fn tls_established(&mut self) -> Result<(), Trouble> {
///         Err(Trouble::Error("there is no TLS here".into()))
///     }
/// }
///
/// let text = "# start-state: CONNECT\n# end-state: CLOSED\n\nS: +OK hello\nC: HELP\nS: -ERR what?\nC: QUIT\nS: +OK bye\n";
/// for session in Session::all(&Transcript::parse("help.txt", text)?)? {
///     replay::client(&session, Effort::FULL, Mine::default)?;
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ClientSubject {
    /// Is to send a command, or the response to a challenge, given without CRLF, and appends what it sends.
    ///
    /// # Errors
    ///
    /// [`Trouble::Refused`] if it does not say such a thing now; other [`Trouble`].
    fn send(&mut self, line: &[u8], kind: Kind, out: &mut Vec<u8>) -> Result<(), Trouble>;

    /// Takes octets of the server, cut anywhere, and says what it has seen in them.
    ///
    /// # Errors
    ///
    /// [`Trouble`], and the replay has failed.
    fn receive(&mut self, octets: &[u8], seen: &mut Vec<Seen>) -> Result<(), Trouble>;

    /// The TLS handshake behind STLS is done.
    ///
    /// # Errors
    ///
    /// As [`ClientSubject::receive`].
    fn tls_established(&mut self) -> Result<(), Trouble>;

    /// Where the session stands, if the subject can tell.
    fn place(&self) -> Option<Place> {
        None
    }
}

/// Why a subject cannot go on.
///
/// ```
/// use pop3_conformance::subject::Trouble;
///
/// // A client that is to send what it never sends says so, and the replay can tell that from a bug:
/// let refused = Trouble::Refused("this client knows no APOP".into());
/// assert_ne!(refused, Trouble::Error("this client knows no APOP".into()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// It does not say what it is to say.
    Refused(String),
    /// It cannot take what it got.
    Error(String),
    /// It has understood something else than was said.
    Understood {
        /// What was said.
        expected: Vec<u8>,
        /// What it took it for.
        got: Vec<u8>,
    },
}

/// What a client has seen in the octets of a server.
///
/// ```
/// use pop3_conformance::session::Session;
/// use pop3_conformance::subject::{Seen, to_be_seen};
/// use pop3_conformance::transcript::Transcript;
///
/// let text = "# start-state: TRANSACTION\n# end-state: unchanged\n\nC: LIST\nS: +OK\nS: 1 120\nS: .\n";
/// let session = Session::all(&Transcript::parse("list.txt", text)?)?.remove(0);
/// let list = session.exchanges().last().expect("LIST");
/// let wanted: Vec<Seen> = to_be_seen(list).into_iter().map(|(seen, _)| seen).collect();
/// assert!(matches!(&wanted[0], Seen::Ok { to, .. } if to == "LIST"));
/// assert_eq!(wanted[1..], [Seen::Row(b"1 120".to_vec()), Seen::End { of: "LIST".into() }]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seen {
    /// The greeting.
    Greeting {
        /// Its text.
        text: Vec<u8>,
        /// The timestamp in it, with angle brackets.
        timestamp: Option<Vec<u8>>,
    },
    /// `+OK`
    Ok {
        /// The keyword of the command that it answers.
        to: String,
        /// The response code, without brackets.
        code: Option<Vec<u8>>,
        /// The text behind it.
        text: Vec<u8>,
        /// What programs read in it: numbers, a unique-id, a language tag.
        data: Vec<u8>,
    },
    /// `-ERR`
    Err {
        /// The keyword of the command that it answers.
        to: String,
        /// The response code, without brackets.
        code: Option<Vec<u8>>,
        /// The text behind it.
        text: Vec<u8>,
    },
    /// A challenge, in base64.
    Challenge(Vec<u8>),
    /// A line of a listing, as its values write it again.
    Row(Vec<u8>),
    /// Octets of a message; adjacent ones belong together.
    Body(Vec<u8>),
    /// The end of an answer of several lines.
    End {
        /// The keyword of the command that was answered.
        of: String,
    },
    /// Something else, in words.
    Other(String),
}

impl Seen {
    /// What was seen, written down for people to compare, the octets as they are.
    #[must_use]
    pub fn written(&self) -> Vec<u8> {
        let answer = |status: &str, to: &str, code: &Option<Vec<u8>>, data: &[u8], text: &[u8]| {
            let code = code.as_deref().unwrap_or_default();
            [status.as_bytes(), b" to ", to.as_bytes(), b", code {", code, b"}, data {", data, b"}, text {", text, b"}"]
                .concat()
        };
        match self {
            Self::Greeting { text, timestamp } => {
                let timestamp = timestamp.as_deref().unwrap_or_default();
                [b"greeting, timestamp {", timestamp, b"}, text {", text, b"}"].concat()
            }
            Self::Ok { to, code, text, data } => answer("+OK", to, code, data, text),
            Self::Err { to, code, text } => answer("-ERR", to, code, b"", text),
            Self::Challenge(line) => [b"challenge {", &line[..], b"}"].concat(),
            Self::Row(line) => [b"row {", &line[..], b"}"].concat(),
            Self::Body(octets) => octets.clone(),
            Self::End { of } => format!("end of {of}").into_bytes(),
            Self::Other(words) => words.clone().into_bytes(),
        }
    }
}

/// What a client must see in an answer, each with its place in the answer's octets.
///
/// Read off the octets by the [naive reader](crate::octets).
#[must_use]
pub fn to_be_seen(exchange: &Exchange) -> Vec<(Seen, usize)> {
    let answer = &exchange.answer;
    let Some(said) = &exchange.client else {
        let text = answer.text().to_vec();
        let timestamp = timestamp(&text);
        return vec![(Seen::Greeting { text, timestamp }, 0)];
    };
    if answer.is_challenge() {
        return vec![(Seen::Challenge(answer.text().to_vec()), 0)];
    }
    let to = said.verb.clone();
    let (code, text) = code(answer);
    if !answer.is_ok() {
        return vec![(Seen::Err { to, code, text }, 0)];
    }
    let data = data(said, &text);
    let mut seen = vec![(Seen::Ok { to: to.clone(), code, text, data }, 0)];
    let Some(block) = &answer.block else { return seen };
    if matches!(to.as_str(), "RETR" | "TOP") {
        let message = block.message();
        if !message.is_empty() {
            seen.push((Seen::Body(message), block.place(0)));
        }
    } else {
        seen.extend(block.rows.iter().map(|row| (Seen::Row(row.octets.clone()), row.start)));
    }
    seen.push((Seen::End { of: to }, block.end));
    seen
}

/// What a server must understand of what a client says.
#[must_use]
pub fn to_be_understood(said: &Said) -> Vec<u8> {
    let mut words = said.line().to_vec();
    if said.kind == Kind::Command {
        // Keywords fold case (RFC 1939 section 3).
        let keyword = crate::octets::indicator(said.line()).len();
        words[..keyword].make_ascii_uppercase();
    }
    match (said.kind, said.verb.as_str()) {
        (Kind::Command, "PASS") => words.extend_from_slice(&[b" for ", &said.user[..]].concat()),
        (Kind::Command, "QUIT") if said.logged_in => words.extend_from_slice(b" and UPDATE"),
        _ => {}
    }
    words
}

/// A response code in front of the text, and the text.
pub(crate) fn code(answer: &Answer) -> (Option<Vec<u8>>, Vec<u8>) {
    let text = answer.text();
    match text.iter().position(|&octet| octet == b']') {
        Some(close) if text.starts_with(b"[") => {
            let rest = &text[close + 1..];
            (Some(text[1..close].to_vec()), rest.strip_prefix(b" ").unwrap_or(rest).to_vec())
        }
        _ => (None, text.to_vec()),
    }
}

/// What programs read in the text of `+OK`.
fn data(said: &Said, text: &[u8]) -> Vec<u8> {
    let alone = !said.line().contains(&b' ');
    let count = match said.verb.as_str() {
        "STAT" => 2,
        "LIST" | "UIDL" if !alone => 2,
        "LANG" if !alone => 1,
        "RETR" if text.ends_with(b" octets") => 1,
        _ => 0,
    };
    words(text).take(count).collect::<Vec<_>>().join(&b' ')
}

/// The one thing in angle brackets.
fn timestamp(text: &[u8]) -> Option<Vec<u8>> {
    let open = text.iter().position(|&octet| octet == b'<')?;
    let close = text.iter().position(|&octet| octet == b'>')?;
    text.get(open..=close).map(<[u8]>::to_vec)
}

/// The place of a machine of `pop3-proto`.
fn machine_place(state: pop3_proto::State, tls: bool) -> Option<Place> {
    let state = match state {
        pop3_proto::State::Greeting => Stage::Connect,
        pop3_proto::State::Authorization => Stage::Authorization,
        pop3_proto::State::Transaction => Stage::Transaction,
        pop3_proto::State::Closed => Stage::Closed,
        pop3_proto::State::Handshake | pop3_proto::State::Update => return None,
    };
    Some(Place { state, tls })
}
