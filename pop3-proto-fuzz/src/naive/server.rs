//! What a server has to answer, naively: a small server for one mailbox, an octet at a time.

use super::command::{KEYWORDS, Tolerated, command_text};
use super::dot::{Policy, canonical, stuff};
use super::sasl::{Exchange, Login, MECHANISMS, OWN, Turn};
use super::session::{DIGEST, NAME, PASSWORD};
use super::{Parsed, line, looks_like_base64, to_base64};
use std::sync::LazyLock;

/// The messages of the mailbox, as they are stored, with their unique-ids.
pub const MESSAGES: [(&str, &[u8]); 3] = [
    ("id-1", b"Subject: one\r\n\r\nfirst\r\n.second\r\n\r\nthird\r\n"),
    ("id-2", b".\n.\r\nlines of LF\n..two\nlast\n\r+OK no line end"),
    ("id-3", b"Subject: header only\r\n"),
];

/// The bearer token that opens the mailbox.
pub const TOKEN: &str = "vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==";

/// What the application's own mechanism wants to hear.
pub const OWN_RESPONSE: &str = "dGFuc3RhYWY=";

/// Why a token is refused (RFC 7628 §3.2.2).
pub const TOKEN_REFUSED: &str = r#"{"status":"invalid_token"}"#;

/// The timestamp of the greeting, where there is APOP.
pub const TIMESTAMP: &str = "<1896.697170952@dbc.mtview.ca.us>";

/// How a server is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// No login without TLS.
    pub tls_required: bool,
    /// TLS is on from the first octet.
    pub over_tls: bool,
    /// Has STLS.
    pub stls: bool,
    /// Has APOP, with [`TIMESTAMP`] in its greeting.
    pub apop: bool,
    /// Has UTF8 USER and LANG.
    pub utf8: bool,
    /// Has AUTH.
    pub sasl: bool,
    /// Tolerates what [`Tolerated`] has, but for spaces in names.
    pub tolerant: bool,
    /// The application also does what it must not, and is refused.
    pub clumsy: bool,
}

impl Settings {
    /// What the bits of an octet mean.
    #[must_use]
    pub const fn new(bits: u8) -> Self {
        Self {
            tls_required: bits & 1 != 0,
            over_tls: bits & 2 != 0,
            stls: bits & 4 == 0,
            apop: bits & 8 == 0,
            utf8: bits & 16 == 0,
            sasl: bits & 32 == 0,
            tolerant: bits & 64 != 0,
            clumsy: bits & 128 != 0,
        }
    }

    /// A number below 128 that no other settings have; what the application does is not counted.
    #[must_use]
    pub fn place(self) -> usize {
        let bits = [self.tls_required, self.over_tls, self.stls, self.apop, self.utf8, self.sasl, self.tolerant];
        bits.into_iter().fold(0, |place, bit| place << 1 | usize::from(bit))
    }
}

/// The most octets of a command, of a line in a SASL exchange, and of a line that is dropped. (Base64 comes in quartets: a
/// line of 1026 octets is the first that the second limit refuses, and the one that a limit of an octet more would take.)
pub const LIMITS: [usize; 3] = [512, 1025, 2048];

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// `+OK`, and what must be in front of its text.
    Ok(Vec<u8>),
    /// `+OK`, and the octets behind the line.
    Lines(Vec<u8>),
    /// `+OK` and a capability list in which each of the first are, and none of the second.
    Capabilities(Vec<&'static str>, Vec<&'static str>),
    /// `-ERR`
    Err,
    /// `+` and these octets in base64.
    Challenge(Vec<u8>),
}

/// Where a session stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// The AUTHORIZATION state.
    Authorization,
    /// STLS was answered `+OK`.
    Handshake,
    /// The TRANSACTION state.
    Transaction,
    /// Over.
    Closed,
}

/// The naive server.
#[derive(Clone, Debug)]
pub struct Server {
    settings: Settings,
    /// Where the session stands.
    pub state: State,
    /// Who tried to log in.
    pub logins: Vec<Login>,
    /// The numbers of the messages that were removed.
    pub removed: Vec<u32>,
    /// Whether TLS is on.
    pub tls: bool,
    /// AUTH was answered `+OK`, and nothing was heard since.
    layer: bool,
    user: Option<Vec<u8>>,
    utf8: bool,
    timestamp: bool,
    deleted: [bool; 3],
    exchange: Option<Exchange>,
    /// The answer is for the application alone to give.
    of_application: bool,
    line: Vec<u8>,
    dropped: usize,
    /// How many bad commands and failed logins there were: every `-ERR` but those that only an application can give, to a
    /// message that is not there or a language that it does not have.
    pub counted: u32,
}

impl Server {
    /// At the beginning of a connection.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            state: State::Authorization,
            logins: vec![],
            removed: vec![],
            tls: settings.over_tls,
            layer: false,
            user: None,
            utf8: false,
            timestamp: settings.apop && (settings.over_tls || !settings.tls_required),
            deleted: [false; 3],
            exchange: None,
            of_application: false,
            line: Vec::with_capacity(128),
            dropped: 0,
            counted: 0,
        }
    }

    /// Whether APOP can succeed.
    #[must_use]
    pub fn timestamp(&self) -> bool {
        self.timestamp
    }

    /// The handshake is done; `false` if none was due.
    pub fn tls_established(&mut self) -> bool {
        if self.state != State::Handshake {
            return false;
        }
        self.state = State::Authorization;
        (self.tls, self.timestamp, self.user) = (true, false, None);
        true
    }

    /// A security layer is in force: whether one can be.
    pub fn layer_established(&mut self) -> bool {
        std::mem::take(&mut self.layer) && self.state != State::Closed
    }

    /// The connection was closed.
    pub fn eof(&mut self) {
        self.state = State::Closed;
    }

    /// Octets of the client.
    pub fn hear(&mut self, octets: &[u8], answers: &mut Vec<Answer>) {
        for &octet in octets {
            self.layer = false;
            match self.state {
                State::Closed => return,
                // RFC 2595 §4: octets in the clear before TLS.
                State::Handshake => self.state = State::Closed,
                State::Authorization | State::Transaction => self.octet(octet, answers),
            }
        }
    }

    fn octet(&mut self, octet: u8, answers: &mut Vec<Answer>) {
        self.line.push(octet);
        let ends = octet == b'\n' && (self.settings.tolerant || self.line.ends_with(b"\r\n"));
        let limit = if self.exchange.is_some() { LIMITS[1] } else { LIMITS[0] };
        if self.dropped > 0 {
            self.dropped += 1;
            if ends {
                (self.dropped, self.exchange, self.user) = (0, None, None);
                self.line.clear();
                self.counted += 1;
                answers.push(Answer::Err);
            } else if self.dropped >= LIMITS[2] {
                self.state = State::Closed;
                answers.push(Answer::Err);
            }
        } else if ends {
            let mut whole = std::mem::take(&mut self.line);
            if let Parsed::Taken((text, _), _) = line(&whole, self.settings.tolerant, usize::MAX) {
                let answer = self.whole(text);
                self.counted += u32::from(answer == Some(Answer::Err) && !self.of_application);
                answers.extend(answer);
            }
            // (The buffer serves the next line.)
            whole.clear();
            self.line = whole;
        } else if self.line.len() >= limit {
            self.dropped = limit;
        }
    }

    fn whole(&mut self, text: &[u8]) -> Option<Answer> {
        self.of_application = false;
        if let Some(mut exchange) = self.exchange.take() {
            if text == b"*" || !text.is_empty() && !looks_like_base64(text) {
                return Some(Answer::Err);
            }
            let turn = exchange.response(text);
            return Some(self.turn(exchange, turn));
        }
        let user = self.user.take();
        let spaces = text.iter().rev().take_while(|&&octet| octet == b' ').count();
        if self.settings.tolerant && text[..text.len() - spaces].eq_ignore_ascii_case(b"AUTH") {
            if self.state == State::Transaction || self.settings.tls_required && !self.tls {
                return Some(Answer::Err);
            }
            let names = MECHANISMS.iter().chain([&OWN]).filter(|_| self.settings.sasl);
            return Some(Answer::Lines(
                names.flat_map(|name| [name, "\r\n"]).chain([".\r\n"]).collect::<String>().into(),
            ));
        }
        let tolerant = self.settings.tolerant;
        let tolerated = Tolerated { bare_lf: tolerant, trailing_spaces: tolerant, spaces_in_name: false };
        let Some(command) = command_text(text, tolerated) else { return Some(Answer::Err) };
        let argument = command.arguments.first().map(Vec::as_slice);
        let open = self.state == State::Transaction;
        let may_login = !open && (self.tls || !self.settings.tls_required);
        let ascii = self.settings.utf8 || argument.is_none_or(<[u8]>::is_ascii);
        let ok = || Some(Answer::Ok(vec![]));
        self.of_application = match &command.keyword[..] {
            b"LIST" | b"UIDL" | b"DELE" | b"RETR" | b"TOP" => open && argument.is_some(),
            b"LANG" => self.settings.utf8 && argument.is_some(),
            keyword => self.settings.clumsy && !KEYWORDS.iter().any(|known| known.as_bytes() == keyword),
        };
        Some(match (&command.keyword[..], argument) {
            (b"CAPA", _) => self.capabilities(),
            (b"QUIT", _) => {
                self.state = State::Closed;
                if open {
                    self.removed = (1..=3).filter(|number| self.deleted[*number as usize - 1]).collect();
                }
                return ok();
            }
            (b"LANG", None) if self.settings.utf8 => Answer::Lines(b"en English\r\n.\r\n".to_vec()),
            (b"LANG", Some(b"en" | b"*")) if self.settings.utf8 => Answer::Ok(b"en".to_vec()),
            (b"USER", Some(name)) if may_login && ascii && user.is_none() => {
                self.user = Some(name.to_vec());
                return ok();
            }
            (b"PASS", Some(password)) if may_login && ascii && user.is_some() => {
                self.login(Login::Pass(user.unwrap_or_default(), password.to_vec()))
            }
            (b"APOP", Some(name)) if may_login && ascii && self.timestamp => {
                let digest = command.arguments.get(1).cloned().unwrap_or_default();
                self.login(Login::Apop(name.to_vec(), digest))
            }
            (b"AUTH", Some(mechanism)) if may_login && self.offers(mechanism) => {
                let (exchange, turn) = Exchange::begin(mechanism, command.arguments.get(1).map(Vec::as_slice));
                self.turn(exchange, turn)
            }
            (b"STLS", _) if self.may_stls() => {
                self.state = State::Handshake;
                return ok();
            }
            (b"UTF8", _) if self.settings.utf8 && !open => {
                self.utf8 = true;
                return ok();
            }
            (b"STAT", _) if open => {
                let sizes = (0..3).filter(|&at| !self.deleted[at]).map(|at| text_of(at).len());
                Answer::Ok(format!("{} {}", sizes.clone().count(), sizes.sum::<usize>()).into_bytes())
            }
            (b"LIST", None) if open => self.listing(|at| format!("{} {}\r\n", at + 1, text_of(at).len())),
            (b"UIDL", None) if open => self.listing(|at| format!("{} {}\r\n", at + 1, MESSAGES[at].0)),
            (b"NOOP", _) if open => return ok(),
            (b"RSET", _) if open => {
                self.deleted = [false; 3];
                return ok();
            }
            (keyword, _) if self.settings.clumsy && is_given_up(keyword) => {
                self.state = State::Closed;
                return ok();
            }
            (keyword, _) if self.settings.clumsy && is_own(keyword) => Answer::Lines(b"..dot\r\n.\r\n".to_vec()),
            (verb, Some(_)) if open => {
                let at = command.number().map_or(3, |number| number as usize - 1);
                if self.deleted.get(at) != Some(&false) {
                    return Some(Answer::Err);
                }
                match verb {
                    b"LIST" => Answer::Ok(format!("{} {}", at + 1, text_of(at).len()).into_bytes()),
                    b"UIDL" => Answer::Ok(format!("{} {}", at + 1, MESSAGES[at].0).into_bytes()),
                    b"DELE" => {
                        self.deleted[at] = true;
                        return ok();
                    }
                    b"RETR" => Answer::Lines(stuffed(at).to_vec()),
                    b"TOP" => {
                        let lines = command.arguments.get(1).and_then(|lines| super::digits(lines)?.0);
                        if self.settings.clumsy && (at, lines) == SPOILT {
                            self.state = State::Closed;
                            return ok();
                        }
                        Answer::Lines(stuff(&top(text_of(at), lines.unwrap_or(u64::MAX))))
                    }
                    _ => Answer::Err,
                }
            }
            _ => Answer::Err,
        })
    }

    fn may_stls(&self) -> bool {
        self.settings.stls && self.state == State::Authorization && !self.tls && !self.utf8
    }

    fn offers(&self, mechanism: &[u8]) -> bool {
        self.settings.sasl
            && (MECHANISMS.contains(&&*String::from_utf8_lossy(mechanism)) || mechanism == OWN.as_bytes())
    }

    fn turn(&mut self, mut exchange: Exchange, turn: Turn) -> Answer {
        match turn {
            Turn::Challenge(octets) => {
                self.exchange = Some(exchange);
                Answer::Challenge(octets.to_vec())
            }
            Turn::Login(login) => {
                let bearer = matches!(login, Login::Bearer(..));
                let answer = self.login(login);
                self.layer = answer != Answer::Err;
                match answer {
                    Answer::Err if bearer => {
                        exchange.reject();
                        self.exchange = Some(exchange);
                        Answer::Challenge(TOKEN_REFUSED.as_bytes().to_vec())
                    }
                    answer => answer,
                }
            }
            Turn::Refused => Answer::Err,
        }
    }

    fn login(&mut self, login: Login) -> Answer {
        let right = is_right(&login);
        let says_in_use = self.settings.clumsy && !matches!(login, Login::Bearer(..) | Login::Own(_));
        self.logins.push(login);
        if right {
            self.state = State::Transaction;
            return Answer::Ok(vec![]);
        }
        // A clumsy application says that the maildrop is in use: nothing is wrong with the credentials.
        self.of_application = says_in_use;
        Answer::Err
    }

    fn capabilities(&self) -> Answer {
        let login = self.tls || !self.settings.tls_required;
        let (mut there, mut not) = (vec!["TOP", "UIDL", "PIPELINING"], vec![]);
        let mut put = |name, holds: bool| if holds { there.push(name) } else { not.push(name) };
        put("STLS", self.may_stls());
        put("USER", login);
        put("SASL", login && self.settings.sasl);
        put("UTF8", self.settings.utf8);
        put("LANG", self.settings.utf8);
        Answer::Capabilities(there, not)
    }

    fn listing(&self, row: impl Fn(usize) -> String) -> Answer {
        let rows: String = (0..3).filter(|&at| !self.deleted[at]).map(row).collect();
        Answer::Lines((rows + ".\r\n").into_bytes())
    }
}

/// Whether the keyword is one that a clumsy application answers by itself.
#[must_use]
pub fn is_own(keyword: &[u8]) -> bool {
    matches!(keyword, [b'X' | b'x', ..])
}

/// Whether the keyword is one whose answer a clumsy application begins and gives up.
#[must_use]
pub fn is_given_up(keyword: &[u8]) -> bool {
    matches!(keyword, [b'X' | b'x', b'-', ..])
}

/// The place of the message, and the lines of it, with which a clumsy application sends an end of its own: it has to give
/// the answer up that it began.
pub const SPOILT: (usize, Option<u64>) = (2, Some(7));

/// Whether the credentials open the mailbox.
#[must_use]
pub fn is_right(login: &Login) -> bool {
    match login {
        Login::Pass(name, password) => name == NAME.as_bytes() && password == PASSWORD.as_bytes(),
        Login::Apop(name, digest) => name == NAME.as_bytes() && digest == DIGEST.as_bytes(),
        Login::Bearer(name, token) => name.as_deref() == Some(NAME.as_bytes()) && token == TOKEN.as_bytes(),
        Login::Own(line) => line == OWN_RESPONSE.as_bytes(),
        Login::ActAs(..) | Login::External(_) | Login::Anonymous(_) => false,
    }
}

/// The message as RETR sends it, before dots are stuffed.
#[must_use]
pub fn text_of(at: usize) -> &'static [u8] {
    static TEXTS: LazyLock<[Vec<u8>; 3]> =
        LazyLock::new(|| MESSAGES.map(|(_, message)| canonical(message, Policy::Canonical).unwrap_or_default()));
    &TEXTS[at]
}

/// The message as RETR sends it, with its end.
#[must_use]
pub fn stuffed(at: usize) -> &'static [u8] {
    static STUFFED: LazyLock<[Vec<u8>; 3]> = LazyLock::new(|| [0, 1, 2].map(|at| stuff(text_of(at))));
    &STUFFED[at]
}

/// The header, the blank line, and that many lines.
#[must_use]
pub fn top(text: &[u8], lines: u64) -> Vec<u8> {
    let (mut sent, mut left, mut body, mut count) = (vec![], text, false, 0);
    while !(left.is_empty() || body && count == lines) {
        let end = left.iter().position(|&octet| octet == b'\n').map_or(left.len(), |lf| lf + 1);
        let line = &left[..end];
        left = &left[end..];
        sent.extend_from_slice(line);
        if body {
            count += 1;
        }
        body = body || line == b"\r\n" || line == b"\n";
    }
    sent
}

/// Takes the answers off the front of a server's octets; what is wrong with them, or what is left.
///
/// # Errors
///
/// What is wrong, in words.
pub fn expect<'o>(mut octets: &'o [u8], answers: &[Answer]) -> Result<&'o [u8], String> {
    for answer in answers {
        let Parsed::Taken((first, true), took) = line(octets, false, 512) else {
            return Err(format!("there is no line for {answer:?} in \"{}\"", octets.escape_ascii()));
        };
        let shown = || format!("\"{}\" is not {answer:?}", octets[..octets.len().min(600)].escape_ascii());
        let front: &[u8] = match answer {
            Answer::Err => b"-ERR",
            Answer::Challenge(_) => b"+ ",
            _ => b"+OK",
        };
        let Some(text) = first.strip_prefix(front) else { return Err(shown()) };
        let behind = &octets[took..];
        octets = match answer {
            Answer::Err => behind,
            Answer::Challenge(challenge) if *text == to_base64(challenge) => behind,
            Answer::Ok(carried) if carried.is_empty() => behind,
            Answer::Ok(carried) => match text.strip_prefix(b" ").and_then(|text| text.strip_prefix(&carried[..])) {
                Some([] | [b' ', ..]) => behind,
                _ => return Err(shown()),
            },
            Answer::Lines(lines) => behind.strip_prefix(&lines[..]).ok_or_else(shown)?,
            Answer::Capabilities(there, not) => capabilities(behind, there, not).ok_or_else(shown)?,
            Answer::Challenge(_) => return Err(shown()),
        };
    }
    Ok(octets)
}

fn capabilities<'o>(mut octets: &'o [u8], there: &[&str], not: &[&str]) -> Option<&'o [u8]> {
    let mut missing = there.len();
    loop {
        let Parsed::Taken((row, true), took) = line(octets, false, 512) else { return None };
        octets = &octets[took..];
        if row == b"." {
            break;
        }
        let tag = super::split(row, b' ').0;
        let is = |name: &&str| name.as_bytes().eq_ignore_ascii_case(tag);
        missing = missing.checked_sub(there.iter().filter(|name| is(name)).count())?;
        if not.iter().any(is) {
            return None;
        }
    }
    // (Nothing is listed twice: who has counted all of them has seen each.)
    (missing == 0).then_some(octets)
}
