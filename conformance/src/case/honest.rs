//! An honest server, as naive as can be: what the runner plays to a client wherever a case does not say otherwise.
//!
//! It shares no code with `pop3-proto`. It knows its few commands, takes a line, and gives the octets that answer it.

use crate::mailbox::Mail;
use crate::octets::stuffed;
use crate::peer::Account;
use base64ct::{Base64, Encoding as _};

/// A server that is played. All that is public may be changed by a case, before the session or within it.
///
/// ```
/// use pop3_conformance::case::Honest;
/// use pop3_conformance::peer::{Account, Login};
///
/// let account = Account { user: "mrose".into(), password: "tanstaaf".into(), login: Login::User };
/// let mut server = Honest::new(account);
/// server.only(b"Subject: x\r\n\r\n.\r\n");
/// assert_eq!(server.answer(b"USER mrose"), b"+OK send PASS\r\n");
/// assert!(server.answer(b"PASS tanstaaf").starts_with(b"+OK"));
/// assert_eq!(server.answer(b"RETR 1"), b"+OK message follows\r\nSubject: x\r\n\r\n..\r\n.\r\n");
/// ```
#[derive(Clone, Debug)]
pub struct Honest {
    /// The greeting's text, behind `+OK `.
    pub greeting: String,
    /// The capability list; `None`: CAPA is answered `-ERR`.
    pub capabilities: Option<Vec<String>>,
    /// The messages with their unique-ids; every line ends in CRLF.
    pub messages: Vec<(String, Vec<u8>)>,
    /// Who may log in.
    pub account: Account,
    /// Whether STLS is there. It leaves the capability list when TLS is on.
    pub stls: bool,
    /// Whether the user has logged in.
    pub logged_in: bool,
    /// Whether TLS is on.
    pub tls: bool,
    /// Which messages are marked as deleted.
    pub deleted: Vec<bool>,
    /// Whether QUIT was answered.
    pub over: bool,
    user: Option<String>,
    exchange: Option<Exchange>,
    wants_tls: bool,
}

/// A SASL exchange that is under way.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Exchange {
    Plain,
    LoginName,
    LoginPassword(Vec<u8>),
    CramMd5,
    Other,
}

impl Honest {
    /// A server with plain messages of the [mailbox](crate::mailbox): a case that wants others says so, and so a client
    /// fails the cases that are about its mistake and no others.
    #[must_use]
    pub fn new(account: Account) -> Self {
        let capabilities = ["TOP", "USER", "SASL PLAIN LOGIN", "RESP-CODES", "AUTH-RESP-CODE", "UIDL"];
        let plain = [Mail::First, Mail::Second, Mail::HeaderOnly, Mail::Spare, Mail::Spare2];
        let messages = plain.into_iter().map(|mail| (mail.unique_id(), mail.octets())).collect();
        Self {
            greeting: "POP3 server ready <1896.697170952@dbc.mtview.ca.us>".to_owned(),
            capabilities: Some(capabilities.map(str::to_owned).to_vec()),
            messages,
            account,
            stls: false,
            logged_in: false,
            tls: false,
            deleted: Vec::new(),
            over: false,
            user: None,
            exchange: None,
            wants_tls: false,
        }
    }

    /// The same server as it stands for the next session: what QUIT has removed is gone.
    #[must_use]
    pub fn next_session(&self) -> Self {
        let mut next = self.clone();
        if self.over && self.logged_in {
            let mut index = 0;
            next.messages.retain(|_| {
                index += 1;
                !self.deleted.get(index - 1).copied().unwrap_or_default()
            });
        }
        next.deleted.clear();
        (next.logged_in, next.tls, next.over, next.wants_tls) = (false, false, false, false);
        (next.user, next.exchange) = (None, None);
        next
    }

    /// Only these messages.
    pub fn keep(&mut self, mail: &[Mail]) {
        self.messages = mail.iter().map(|mail| (mail.unique_id(), mail.octets())).collect();
    }

    /// One message of these octets alone; every line must end in CRLF.
    pub fn only(&mut self, message: &[u8]) {
        self.messages = vec![("only-one".to_owned(), message.to_vec())];
    }

    /// Whether the next line is a response in a SASL exchange.
    #[must_use]
    pub const fn in_exchange(&self) -> bool {
        self.exchange.is_some()
    }

    /// Whether STLS was answered `+OK` and the handshake is due.
    #[must_use]
    pub const fn wants_tls(&self) -> bool {
        self.wants_tls
    }

    /// The handshake is done.
    pub fn tls_established(&mut self) {
        self.wants_tls = false;
        self.tls = true;
        self.user = None;
    }

    /// The octets that answer a line (without its CRLF).
    pub fn answer(&mut self, line: &[u8]) -> Vec<u8> {
        if let Some(exchange) = self.exchange.take() {
            return self.respond(exchange, line);
        }
        let text = String::from_utf8_lossy(line).into_owned();
        let (verb, rest) = text.split_once(' ').unwrap_or((&text, ""));
        let user = self.user.take();
        match (verb.to_ascii_uppercase().as_str(), self.logged_in) {
            ("CAPA", _) => self.capa(),
            ("QUIT", _) => {
                self.over = true;
                ok("signing off")
            }
            ("USER", false) => {
                self.user = Some(rest.to_owned());
                ok("send PASS")
            }
            ("PASS", false) => match user {
                Some(user) => self.admit(user.as_bytes(), rest.as_bytes()),
                None => err("USER first"),
            },
            ("APOP", false) => self.apop(rest),
            ("AUTH", false) => self.auth(rest),
            ("STLS", false) if self.stls && !self.tls => {
                self.wants_tls = true;
                ok("begin TLS")
            }
            ("UTF8", false) => ok("UTF8 enabled"),
            ("NOOP", true) => ok(""),
            ("RSET", true) => {
                self.deleted = vec![false; self.messages.len()];
                ok("")
            }
            ("STAT", true) => {
                let (mut count, mut octets) = (0, 0);
                for (number, message) in self.present() {
                    let _ = number;
                    count += 1;
                    octets += message.1.len();
                }
                ok(&format!("{count} {octets}"))
            }
            ("LIST", true) => self.listing(rest, |(_, octets)| octets.len().to_string()),
            ("UIDL", true) => self.listing(rest, |(id, _)| id.clone()),
            ("RETR", true) => match self.message(rest) {
                Some(message) => [ok("message follows"), stuffed(&message), b".\r\n".to_vec()].concat(),
                None => err("no such message"),
            },
            ("TOP", true) => {
                let (number, lines) = rest.split_once(' ').unwrap_or((rest, ""));
                match (self.message(number), lines.parse()) {
                    (Some(message), Ok(lines)) => {
                        let top = crate::fixture::top(&message, lines);
                        [ok("top of message follows"), stuffed(&top), b".\r\n".to_vec()].concat()
                    }
                    _ => err("no such message"),
                }
            }
            ("DELE", true) => match self.index(rest) {
                Some(index) => {
                    self.deleted[index] = true;
                    ok("message deleted")
                }
                None => err("no such message"),
            },
            _ => err("what is that?"),
        }
    }

    fn capa(&self) -> Vec<u8> {
        let Some(capabilities) = &self.capabilities else { return err("what is that?") };
        let mut answer = ok("capability list follows");
        for capability in capabilities {
            answer.extend_from_slice(format!("{capability}\r\n").as_bytes());
        }
        if self.stls && !self.tls && !self.logged_in {
            answer.extend_from_slice(b"STLS\r\n");
        }
        answer.extend_from_slice(b".\r\n");
        answer
    }

    fn admit(&mut self, name: &[u8], password: &[u8]) -> Vec<u8> {
        if name != self.account.user.as_bytes() || password != self.account.password.as_bytes() {
            return err("[AUTH] wrong name or password");
        }
        self.logged_in = true;
        self.deleted = vec![false; self.messages.len()];
        ok("maildrop locked and ready")
    }

    fn apop(&mut self, rest: &str) -> Vec<u8> {
        let stamp = self.greeting.find('<').zip(self.greeting.find('>')).map(|(from, to)| &self.greeting[from..=to]);
        let (Some(stamp), Some((name, digest))) = (stamp, rest.split_once(' ')) else { return err("no APOP here") };
        if crate::digest::apop(stamp, &self.account.password) != digest {
            return err("[AUTH] wrong name or password");
        }
        let password = self.account.password.clone();
        self.admit(name.as_bytes(), password.as_bytes())
    }

    fn auth(&mut self, rest: &str) -> Vec<u8> {
        let (mechanism, initial) = match rest.split_once(' ') {
            Some((mechanism, initial)) => (mechanism, Some(initial)),
            None => (rest, None),
        };
        let offered = self.capabilities.iter().flatten().filter_map(|line| line.strip_prefix("SASL "));
        let offered = offered.flat_map(str::split_ascii_whitespace).any(|name| name.eq_ignore_ascii_case(mechanism));
        if !offered {
            return err("no such mechanism");
        }
        let exchange = match mechanism.to_ascii_uppercase().as_str() {
            "PLAIN" => Exchange::Plain,
            "LOGIN" => Exchange::LoginName,
            "CRAM-MD5" => Exchange::CramMd5,
            _ => Exchange::Other,
        };
        match initial {
            Some("=") => self.respond(exchange, b""),
            Some(initial) => self.respond(exchange, initial.as_bytes()),
            None if exchange == Exchange::LoginName => {
                self.exchange = Some(exchange);
                b"+ VXNlcm5hbWU6\r\n".to_vec()
            }
            None if exchange == Exchange::CramMd5 => {
                self.exchange = Some(exchange);
                format!("+ {}\r\n", Base64::encode_string(CRAM_CHALLENGE)).into_bytes()
            }
            None => {
                self.exchange = Some(exchange);
                b"+ \r\n".to_vec()
            }
        }
    }

    fn respond(&mut self, exchange: Exchange, line: &[u8]) -> Vec<u8> {
        let decoded = std::str::from_utf8(line).ok().and_then(|line| Base64::decode_vec(line).ok());
        let Some(decoded) = decoded.filter(|_| line != b"*") else { return err("cancelled") };
        match exchange {
            Exchange::Plain => match decoded.split(|&octet| octet == 0).collect::<Vec<_>>()[..] {
                [_, name, password] => self.admit(name, password),
                _ => err("[AUTH] that is no PLAIN"),
            },
            Exchange::LoginName => {
                self.exchange = Some(Exchange::LoginPassword(decoded));
                b"+ UGFzc3dvcmQ6\r\n".to_vec()
            }
            Exchange::LoginPassword(name) => self.admit(&name, &decoded),
            Exchange::CramMd5 => {
                let own = crate::digest::cram_md5(CRAM_CHALLENGE, &self.account.password);
                let right = format!("{} {own}", self.account.user).into_bytes() == decoded;
                let (user, password) = (self.account.user.clone(), self.account.password.clone());
                if right {
                    self.admit(user.as_bytes(), password.as_bytes())
                } else {
                    err("[AUTH] wrong name or password")
                }
            }
            Exchange::Other => {
                let (user, password) = (self.account.user.clone(), self.account.password.clone());
                self.admit(user.as_bytes(), password.as_bytes())
            }
        }
    }

    fn present(&self) -> impl Iterator<Item = (usize, &(String, Vec<u8>))> {
        self.messages
            .iter()
            .enumerate()
            .filter(|(index, _)| !self.deleted.get(*index).copied().unwrap_or_default())
            .map(|(index, message)| (index + 1, message))
    }

    fn index(&self, number: &str) -> Option<usize> {
        let number: usize = number.parse().ok()?;
        self.present().find(|(present, _)| *present == number).map(|(number, _)| number - 1)
    }

    fn message(&self, number: &str) -> Option<Vec<u8>> {
        self.index(number).map(|index| self.messages[index].1.clone())
    }

    fn listing(&self, rest: &str, show: fn(&(String, Vec<u8>)) -> String) -> Vec<u8> {
        if !rest.is_empty() {
            return match self.index(rest) {
                Some(index) => ok(&format!("{} {}", index + 1, show(&self.messages[index]))),
                None => err("no such message"),
            };
        }
        let mut answer = ok("listing follows");
        for (number, message) in self.present() {
            answer.extend_from_slice(format!("{number} {}\r\n", show(message)).as_bytes());
        }
        answer.extend_from_slice(b".\r\n");
        answer
    }
}

fn ok(text: &str) -> Vec<u8> {
    if text.is_empty() { b"+OK\r\n".to_vec() } else { format!("+OK {text}\r\n").into_bytes() }
}

fn err(text: &str) -> Vec<u8> {
    format!("-ERR {text}\r\n").into_bytes()
}

/// What CRAM-MD5 digests.
const CRAM_CHALLENGE: &[u8] = b"<1896.697170952@postoffice.reston.mci.net>";
