//! What a client has to make of a server's octets, naively: an octet at a time, each answer to the command that was sent
//! first.

use super::dot::Body;
use super::reply;
use super::reply::{LIMIT, Production, Reading, Row, Status, row, status_line};
use std::borrow::Cow;
use std::collections::VecDeque;

/// A command that a client is asked to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Request {
    /// `CAPA`
    Capa,
    /// `STLS`
    Stls,
    /// `USER mrose`
    User,
    /// `PASS tanstaaf`
    Pass,
    /// `APOP mrose` and a digest
    Apop,
    /// `AUTH PLAIN`
    Auth,
    /// `AUTH PLAIN` with an initial response
    AuthWithInitial,
    /// `UTF8`
    Utf8,
    /// `STAT`
    Stat,
    /// `LIST`
    List,
    /// `LIST n`
    ListOne(u32),
    /// `RETR n`
    Retr(u32),
    /// `TOP n lines`
    Top(u32, u64),
    /// `UIDL`
    Uidl,
    /// `UIDL n`
    UidlOne(u32),
    /// `DELE n`
    Dele(u32),
    /// `NOOP`
    Noop,
    /// `RSET`
    Rset,
    /// `LANG`
    Lang,
    /// `LANG en`
    LangTag,
    /// `QUIT`
    Quit,
}

/// The name that logs in.
pub const NAME: &str = "mrose";
/// Its password.
pub const PASSWORD: &str = "tanstaaf";
/// The most rows of a listing that the client takes.
pub const ROWS: u64 = 60;
/// The most octets of a challenge.
pub const SASL_LIMIT: usize = 1024;
/// The most commands that wait for their answers, and the most octets of their lines.
pub const WINDOW: (usize, usize) = (12, 90);
/// A digest.
pub const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";

impl Request {
    /// Every one, with message 1 and two lines.
    pub const ALL: [Self; 21] = [
        Self::Capa,
        Self::Stls,
        Self::User,
        Self::Pass,
        Self::Apop,
        Self::Auth,
        Self::AuthWithInitial,
        Self::Utf8,
        Self::Stat,
        Self::List,
        Self::ListOne(1),
        Self::Retr(1),
        Self::Top(1, 2),
        Self::Uidl,
        Self::UidlOne(1),
        Self::Dele(1),
        Self::Noop,
        Self::Rset,
        Self::Lang,
        Self::LangTag,
        Self::Quit,
    ];

    /// The line with CRLF.
    #[must_use]
    pub fn line(self) -> Cow<'static, [u8]> {
        let known: &[u8] = match self {
            Self::Capa => b"CAPA\r\n",
            Self::Stls => b"STLS\r\n",
            Self::User => b"USER mrose\r\n",
            Self::Pass => b"PASS tanstaaf\r\n",
            Self::Apop => b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n",
            Self::Auth => b"AUTH PLAIN\r\n",
            Self::AuthWithInitial => b"AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n",
            Self::Utf8 => b"UTF8\r\n",
            Self::Stat => b"STAT\r\n",
            Self::List => b"LIST\r\n",
            Self::ListOne(number) => return format!("LIST {number}\r\n").into_bytes().into(),
            Self::Retr(number) => return format!("RETR {number}\r\n").into_bytes().into(),
            Self::Top(number, lines) => return format!("TOP {number} {lines}\r\n").into_bytes().into(),
            Self::Uidl => b"UIDL\r\n",
            Self::UidlOne(number) => return format!("UIDL {number}\r\n").into_bytes().into(),
            Self::Dele(number) => return format!("DELE {number}\r\n").into_bytes().into(),
            Self::Noop => b"NOOP\r\n",
            Self::Rset => b"RSET\r\n",
            Self::Lang => b"LANG\r\n",
            Self::LangTag => b"LANG en\r\n",
            Self::Quit => b"QUIT\r\n",
        };
        Cow::Borrowed(known)
    }

    /// Whether it carries credentials, or begins to.
    #[must_use]
    pub const fn is_login(self) -> bool {
        matches!(self, Self::User | Self::Pass | Self::Apop | Self::Auth | Self::AuthWithInitial)
    }

    /// Whether its `+OK` opens the maildrop.
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::Pass | Self::Apop | Self::Auth | Self::AuthWithInitial)
    }

    /// Whether it is a command of the AUTHORIZATION state, and whether of the TRANSACTION state (RFC 1939 §8).
    #[must_use]
    pub const fn states(self) -> (bool, bool) {
        match self {
            Self::Capa | Self::Lang | Self::LangTag | Self::Quit => (true, true),
            Self::Stls | Self::Utf8 => (true, false),
            login if login.is_login() => (true, false),
            _ => (false, true),
        }
    }

    /// The message that it names.
    #[must_use]
    pub const fn number(self) -> Option<u32> {
        match self {
            Self::ListOne(number) | Self::Retr(number) | Self::UidlOne(number) | Self::Dele(number) => Some(number),
            Self::Top(number, _) => Some(number),
            _ => None,
        }
    }

    /// What answers it.
    #[must_use]
    pub const fn production(self) -> Production {
        match self {
            Self::Capa => Production::CapabilityList,
            Self::List => Production::ScanListing,
            Self::Uidl => Production::UniqueIdListing,
            Self::Lang => Production::LanguageListing,
            Self::Retr(_) | Self::Top(..) => Production::Message,
            Self::Stat => Production::DropListing,
            Self::ListOne(_) => Production::OneScanListing,
            Self::UidlOne(_) => Production::OneUniqueIdListing,
            Self::LangTag => Production::Language,
            _ => Production::StatusLine,
        }
    }
}

/// What a client learns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// The greeting.
    Greeting {
        /// Its text.
        text: Vec<u8>,
        /// Whether it holds a timestamp.
        timestamp: bool,
    },
    /// The answer `+OK`, and what it carries.
    Ok(Request, Reading),
    /// The answer `-ERR`.
    Err(Request, Reading),
    /// A challenge.
    Challenge(Vec<u8>),
    /// A row of a listing.
    Row(Row),
    /// Message text; adjacent pieces are one.
    Body(Vec<u8>),
    /// The end of a listing or a message.
    End(Request),
    /// `-ERR`, and no command asked for it: the server is about to close.
    Closing,
    /// The session is lost.
    Fatal,
    /// The connection was closed; whether that was in order.
    Eof(bool),
}

/// Appends what was heard; adjacent pieces of message text become one.
pub fn note(heard: &mut Vec<Heard>, what: Heard) {
    match (heard.last_mut(), what) {
        (Some(Heard::Body(before)), Heard::Body(octets)) => before.extend_from_slice(&octets),
        (_, Heard::Body(octets)) if octets.is_empty() => {}
        (_, what) => heard.push(what),
    }
}

/// Where a session stands, as a client sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Before the greeting.
    Greeting,
    /// The AUTHORIZATION state.
    Authorization,
    /// STLS was answered `+OK`.
    Handshake,
    /// The TRANSACTION state.
    Transaction,
    /// QUIT was sent in the TRANSACTION state.
    Update,
    /// Over.
    Closed,
}

/// Whether the messages marked as deleted are gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Committed {
    /// They are.
    Yes,
    /// They are not.
    No,
    /// Nobody knows.
    Unknown,
}

#[derive(Clone, Debug)]
enum Place {
    Status,
    Rows { crlf: bool, count: u64 },
    Body(Body),
    Challenged,
    Closing,
}

/// The naive client.
#[derive(Clone, Debug)]
pub struct Client {
    tolerant: bool,
    stuffed: bool,
    /// Where the session stands.
    pub state: State,
    /// The commands that wait for their answers.
    pub outstanding: VecDeque<Request>,
    /// Whether TLS is on.
    pub tls: bool,
    /// What became of deletions.
    pub committed: Committed,
    /// USER was answered `+OK`, and nothing was sent since.
    pub user: bool,
    /// The session is lost.
    pub dead: bool,
    /// AUTH was answered `+OK`, and nothing was said since.
    layer: bool,
    line: Vec<u8>,
    reading: Place,
}

impl Client {
    /// At the beginning of a connection. With `stuffed` it hands message text out as it came.
    #[must_use]
    pub fn new(tolerant: bool, tls: bool, stuffed: bool) -> Self {
        Self {
            tolerant,
            stuffed,
            state: State::Greeting,
            outstanding: VecDeque::new(),
            tls,
            committed: Committed::No,
            user: false,
            dead: false,
            layer: false,
            line: Vec::with_capacity(128),
            reading: Place::Status,
        }
    }

    /// Whether nothing is expected and nothing has come: the client has the word.
    #[must_use]
    pub fn idle(&self) -> bool {
        let open = matches!(self.state, State::Authorization | State::Transaction);
        open && !self.dead && self.outstanding.is_empty() && self.line.is_empty() && !self.closing()
    }

    fn closing(&self) -> bool {
        matches!(self.reading, Place::Closing)
    }

    /// Whether a challenge waits for its response.
    #[must_use]
    pub fn challenged(&self) -> bool {
        matches!(self.reading, Place::Challenged) && !self.dead
    }

    /// Whether the server has begun to say something that no command asked for.
    #[must_use]
    pub fn unasked(&self) -> bool {
        self.outstanding.is_empty() && self.state != State::Greeting && !self.line.is_empty()
    }

    /// The command was sent.
    pub fn sent(&mut self, request: Request) {
        self.layer = false;
        self.outstanding.push_back(request);
        if request == Request::Quit && self.state == State::Transaction {
            self.state = State::Update;
            self.committed = Committed::Unknown;
        }
    }

    /// A response or a cancellation was sent.
    pub fn responded(&mut self) {
        self.reading = Place::Status;
    }

    /// A security layer is in force: whether one can be.
    pub fn layer_established(&mut self) -> bool {
        std::mem::take(&mut self.layer) && !self.dead && self.state == State::Transaction && !self.closing()
    }

    /// The handshake is done.
    pub fn tls_established(&mut self) {
        self.state = State::Authorization;
        self.tls = true;
        self.user = false;
    }

    /// The connection was closed: whether that is in order.
    pub fn eof(&mut self) -> bool {
        let in_order = !self.dead
            && (self.closing()
                || self.state == State::Closed
                || self.outstanding.is_empty() && matches!(self.state, State::Authorization | State::Transaction));
        if in_order {
            self.state = State::Closed;
            self.line.clear();
        } else {
            self.dead = true;
        }
        in_order
    }

    /// Octets of the server.
    pub fn hear(&mut self, octets: &[u8], heard: &mut Vec<Heard>) {
        for &octet in octets {
            if self.dead {
                return;
            }
            self.layer = false;
            if self.octet(octet, heard).is_none() {
                self.dead = true;
                heard.push(Heard::Fatal);
            }
        }
    }

    /// `None`: the session is lost.
    fn octet(&mut self, octet: u8, heard: &mut Vec<Heard>) -> Option<()> {
        if let Place::Body(body) = &mut self.reading {
            // (What goes on with text that was heard before is put right behind it.)
            let mut text = match heard.last_mut() {
                Some(Heard::Body(before)) => std::mem::take(before),
                _ => vec![],
            };
            let end = body.take(octet, &mut text);
            match heard.last_mut() {
                Some(Heard::Body(before)) => *before = text,
                _ => note(heard, Heard::Body(text)),
            }
            if end {
                self.ended(heard);
            }
            return Some(());
        }
        let nobody_asked = self.outstanding.is_empty() && self.state != State::Greeting;
        let first = self.line.is_empty();
        if matches!(self.reading, Place::Challenged | Place::Closing)
            || matches!(self.state, State::Handshake | State::Closed)
            || first && nobody_asked && octet != b'-'
            || first && self.state == State::Greeting && matches!(octet, 0x15 | 0x16)
        {
            return None;
        }
        self.line.push(octet);
        let crlf = self.line.ends_with(b"\r\n");
        let ends = match self.reading {
            Place::Rows { crlf: true, .. } => crlf,
            _ => octet == b'\n',
        };
        if ends {
            let mut line = std::mem::take(&mut self.line);
            line.truncate(line.len() - if crlf { 2 } else { 1 });
            let goes_on = self.whole(&line, crlf, heard);
            // (The buffer serves the next line.)
            line.clear();
            self.line = line;
            return goes_on;
        }
        let limit = LIMIT[usize::from(self.tolerant)];
        let status = !matches!(self.reading, Place::Rows { .. });
        let limit = if status && self.authenticating() { limit.max(SASL_LIMIT) } else { limit };
        (self.line.len() < limit).then_some(())
    }

    fn authenticating(&self) -> bool {
        matches!(self.outstanding.front(), Some(Request::Auth | Request::AuthWithInitial))
    }

    fn whole(&mut self, line: &[u8], crlf: bool, heard: &mut Vec<Heard>) -> Option<()> {
        if let (Place::Rows { count, .. }, Some(request)) = (&mut self.reading, self.outstanding.front()) {
            *count += 1;
            if line == b"." {
                self.ended(heard);
            } else if *count > ROWS {
                return None;
            } else {
                heard.push(Heard::Row(row(line, request.production(), self.tolerant)));
            }
            return Some(());
        }
        // What is passed on must end where the next reader sees the end: CRLF alone will do.
        if !crlf && (!self.tolerant || self.stuffed) {
            return None;
        }
        let challenge = self.authenticating() && line.starts_with(b"+") && !line.starts_with(b"+OK");
        if !challenge && !self.tolerant && line.len() + 2 > LIMIT[0] {
            return None;
        }
        if challenge && line.len() + if crlf { 2 } else { 1 } > SASL_LIMIT {
            return None;
        }
        if challenge {
            let text = reply::challenge(line, self.tolerant)?;
            self.reading = Place::Challenged;
            heard.push(Heard::Challenge(text.to_vec()));
            return Some(());
        }
        let mut reading = status_line(line, self.tolerant)?;
        if self.state == State::Greeting {
            if reading.status == Status::Err {
                return None;
            }
            let text = line.get(4..).unwrap_or_default().to_vec();
            let timestamp = reply::timestamp(&text).is_some();
            self.state = State::Authorization;
            heard.push(Heard::Greeting { text, timestamp });
            return Some(());
        }
        let Some(&request) = self.outstanding.front() else {
            if reading.status == Status::Ok {
                return None;
            }
            self.reading = Place::Closing;
            heard.push(Heard::Closing);
            return Some(());
        };
        self.user = reading.status == Status::Ok && request == Request::User;
        if reading.status == Status::Err {
            self.outstanding.pop_front();
            if request == Request::Quit {
                self.state = State::Closed;
            }
            heard.push(Heard::Err(request, reading));
            return Some(());
        }
        let number = request.number().unwrap_or(1);
        reading.rows.extend(reply::carried(&reading.text, request.production(), self.tolerant, number));
        heard.push(Heard::Ok(request, reading));
        match request {
            Request::Quit => {
                if self.state == State::Update {
                    self.committed = Committed::Yes;
                }
                self.state = State::Closed;
            }
            Request::Stls => self.state = State::Handshake,
            login if login.opens() => {
                self.state = State::Transaction;
                self.layer = matches!(login, Request::Auth | Request::AuthWithInitial);
            }
            _ => {}
        }
        match request.production() {
            Production::Message => {
                let body = Body::new(!crlf);
                self.reading = Place::Body(if self.stuffed { body.keeping_stuffing() } else { body });
            }
            production if production.has_rows() => self.reading = Place::Rows { crlf, count: 0 },
            _ => {
                self.outstanding.pop_front();
            }
        }
        Some(())
    }

    fn ended(&mut self, heard: &mut Vec<Heard>) {
        self.reading = Place::Status;
        heard.extend(self.outstanding.pop_front().map(Heard::End));
    }
}
