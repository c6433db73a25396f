//! `pop3-proto`'s server as a subject, with an application behind it.

use super::{ServerSubject, Trouble, Words, code, machine_place, to_be_understood};
use crate::chunking::{Chunking, Part};
use crate::octets::{Block, difference, words};
use crate::session::{Exchange, Session, Settings};
use crate::transcript::Place;
use pop3_proto::{
    Command, Config, Greeting, Incoming, LanguageListing, LanguageTag, Login, MessageNumber, Misuse, Reply,
    ResponseCode, Row, ScanListing, Server, Text, Top, UniqueId, UniqueIdListing, Utf8, grammar,
};
use std::sync::Arc;

/// What answers the client's commands.
pub trait Application {
    /// Answers what the client said, by calls on the server. What the server has answered already
    /// ([`Incoming::Refused`], [`Incoming::Cancelled`]) comes too, and wants no answer.
    ///
    /// # Errors
    ///
    /// [`Trouble`], and the replay has failed.
    fn answer(&mut self, incoming: &Incoming<'_>, server: &mut Server, out: &mut Vec<u8>) -> Result<(), Trouble>;
}

/// `pop3-proto`'s server and its application.
#[derive(Debug)]
pub struct OurServer<'s, A> {
    server: Server,
    application: A,
    session: &'s Session,
    /// How many lines of the client it has had.
    heard: usize,
    words: Words,
}

impl<'s, A: Application> OurServer<'s, A> {
    /// The settings for a session: what it needs is there, and nothing else is allowed. Making them once serves many
    /// sessions.
    ///
    /// # Errors
    ///
    /// [`Trouble::Refused`] for a transcript whose SASL mechanisms have names that SASL does not allow.
    pub fn config(settings: &Settings) -> Result<Arc<Config>, Trouble> {
        let mechanisms = settings.mechanisms.iter().map(String::as_str);
        // With no mechanism the server would not know AUTH at all, and could not refuse one.
        let any = if settings.mechanisms.is_empty() { Some("EXTERNAL") } else { None };
        let mut config = Config::new().strict().sasl_mechanisms(mechanisms.chain(any)).map_err(refused)?;
        if settings.cleartext_login {
            config = config.allow_cleartext_login();
        }
        if settings.apop {
            config = config.allow_apop_md5();
        }
        if !settings.response_codes {
            config = config.without_response_codes();
        }
        if settings.stls {
            config = config.with_stls();
        }
        if settings.lang {
            config = config.with_lang();
        }
        if settings.utf8 {
            config = config.utf8(Utf8::Yes);
        }
        Ok(Arc::new(config))
    }

    /// A server on a fresh connection, which greets as the session says.
    ///
    /// # Errors
    ///
    /// [`Trouble::Refused`] for a greeting that it cannot be made to say.
    pub fn new(config: Arc<Config>, session: &'s Session, application: A, out: &mut Vec<u8>) -> Result<Self, Trouble> {
        let greeting = session.exchanges().next().map(|exchange| exchange.answer.text()).unwrap_or_default();
        let greeting = text(greeting)?;
        let greeting = match greeting.rsplit_once(' ') {
            Some((words, stamp)) if stamp.starts_with('<') => {
                Greeting::text(words).and_then(|greeting| greeting.with_timestamp(stamp))
            }
            _ => Greeting::text(greeting),
        };
        let greeting = greeting.map_err(refused)?;
        let server = if session.settings.tls {
            Server::over_tls(config, greeting, out)
        } else {
            Server::new(config, greeting, out)
        };
        Ok(Self { server, application, session, heard: 0, words: Words::Scripted })
    }

    /// Compares what the server has understood with what the client said.
    fn hear(&mut self, incoming: &Incoming<'_>) -> Result<(), Trouble> {
        let said = self.session.exchanges().filter_map(|exchange| exchange.client.as_ref()).nth(self.heard);
        self.heard += 1;
        self.words = match incoming {
            Incoming::Refused { .. } | Incoming::Cancelled => Words::Own,
            _ => Words::Scripted,
        };
        let expected = said.map(to_be_understood).unwrap_or_default();
        let got = understood(incoming);
        match difference(&expected, &got) {
            Some(_) if self.words == Words::Scripted => Err(Trouble::Understood { expected, got }),
            _ => Ok(()),
        }
    }
}

impl<A: Application> ServerSubject for OurServer<'_, A> {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
        let mut input = octets;
        let error = |error: pop3_proto::Error| Trouble::Error(error.to_string());
        while let Some(incoming) = self.server.next_event(&mut input, out).map_err(error)? {
            self.hear(&incoming)?;
            if self.server.owes().is_some() {
                // Nothing is read past a command that waits for its answer.
                let (left, written) = (input.len(), out.len());
                let more = self.server.next_event(&mut input, out).map_err(error)?.is_some();
                if more || input.len() != left || out.len() != written {
                    return Err(Trouble::Error("it went on although an answer was owed".to_owned()));
                }
            }
            self.application.answer(&incoming, &mut self.server, out)?;
        }
        if input.is_empty() || self.server.is_over() {
            return Ok(());
        }
        Err(Trouble::Error(format!("it left {} octets unread", input.len())))
    }

    fn tls_established(&mut self) -> Result<(), Trouble> {
        self.server.tls_established().map_err(|misuse| Trouble::Error(misuse.to_string()))
    }

    fn words(&self) -> Words {
        self.words
    }

    fn place(&self) -> Option<Place> {
        machine_place(self.server.state(), self.server.tls())
    }
}

/// The application that says what the transcript says, through the library's public interface.
#[derive(Clone, Debug)]
pub struct Scripted<'s> {
    session: &'s Session,
    chunking: Chunking,
    /// The exchange that comes next.
    next: usize,
}

impl<'s> Scripted<'s> {
    /// An application that has the session's answers, and hands messages over as `chunking` cuts them.
    #[must_use]
    pub const fn new(session: &'s Session, chunking: Chunking) -> Self {
        Self { session, chunking, next: 1 }
    }
}

impl Application for Scripted<'_> {
    fn answer(&mut self, incoming: &Incoming<'_>, server: &mut Server, out: &mut Vec<u8>) -> Result<(), Trouble> {
        let number = self.next;
        self.next += 1;
        if matches!(incoming, Incoming::Refused { .. } | Incoming::Cancelled) {
            return Ok(());
        }
        let Some(exchange) = self.session.exchanges().nth(number) else {
            return Err(Trouble::Error("it heard a command more than there were".to_owned()));
        };
        let answer = &exchange.answer;
        if answer.is_challenge() {
            return server.challenge_line(answer.text(), out).map_err(refused);
        }
        let Some(block) = &answer.block else {
            return server.reply(&reply(exchange, incoming)?, out).map_err(refused);
        };
        if !answer.is_ok() {
            return Err(Trouble::Refused("only +OK begins an answer of several lines".to_owned()));
        }
        server.begin(text(answer.text())?, out).map_err(refused)?;
        match (incoming, &exchange.message) {
            (Incoming::Command(Command::Retr(_)), Some(message)) => {
                for piece in self.chunking.pieces(number, Part::Stored, message) {
                    server.body(piece, out).map_err(refused)?;
                }
            }
            (Incoming::Command(Command::Top { lines, .. }), Some(message)) => {
                let mut top = Top::new(*lines);
                for piece in self.chunking.pieces(number, Part::Stored, message) {
                    server.body(top.take(piece), out).map_err(refused)?;
                }
            }
            (Incoming::Command(command), _) => rows(command, block, server, out)?,
            _ => return Err(Trouble::Refused("a login is answered with one line".to_owned())),
        }
        server.end(out).map_err(refused)
    }
}

/// A single-line answer.
fn reply<'a>(exchange: &'a Exchange, incoming: &Incoming<'_>) -> Result<Reply<'a>, Trouble> {
    let answer = &exchange.answer;
    let (octets, ok) = (answer.text(), answer.is_ok());
    let reply = match incoming {
        Incoming::Command(Command::Stat) if ok => {
            let (messages, octets) = numbers(octets)?;
            Reply::drop_listing(messages, octets)
        }
        Incoming::Command(Command::List(Some(_))) if ok => {
            let ScanListing { number, octets } = scan_listing(octets)?;
            Reply::scan_listing(number, octets)
        }
        Incoming::Command(Command::Uidl(Some(_))) if ok => {
            Reply::unique_id(unique_id_listing(octets)?).map_err(refused)?
        }
        Incoming::Command(Command::Lang(Some(_))) if ok => {
            let (tag, rest) = first_word(octets);
            let tag = LanguageTag::new(tag).map_err(refused)?;
            Reply::language(tag, text(rest)?).map_err(refused)?
        }
        _ => {
            let length = code(answer).1.len();
            let words = text(&octets[octets.len() - length..])?;
            let reply = if ok { Reply::ok(words) } else { Reply::err(words) }.map_err(refused)?;
            match octets.strip_prefix(b"[").and_then(|rest| rest.split(|&octet| octet == b']').next()) {
                Some(code) => reply.with_code(ResponseCode::new(text(code)?).map_err(refused)?),
                None => reply,
            }
        }
    };
    Ok(reply)
}

/// The lines of a listing, as typed values: the server has no way of taking them as text.
fn rows(command: &Command<'_>, block: &Block, server: &mut Server, out: &mut Vec<u8>) -> Result<(), Trouble> {
    for row in &block.rows {
        let octets = &row.octets[..];
        match command {
            Command::List(None) => server.listing(scan_listing(octets)?, out),
            Command::Uidl(None) => server.listing(unique_id_listing(octets)?, out),
            Command::Capa => {
                // A capability of each kind is made by parsing it: so the line is parsed and encoded on the way.
                let list = [b"+OK\r\n", octets, b"\r\n.\r\n"].concat();
                let parsed = grammar::capability_list(&list).ok().and_then(|(_, list)| list.content.into_iter().next());
                match parsed {
                    Some(Ok(capability)) => server.listing(capability, out),
                    _ => return Err(Trouble::Refused("it is no capability".to_owned())),
                }
            }
            Command::Lang(None) => {
                let (tag, description) = first_word(octets);
                let tag = LanguageTag::new(tag).map_err(refused)?;
                server.listing(LanguageListing { tag, description: Text::from(description) }, out)
            }
            _ => server.listing(Row::Line(text(octets)?), out),
        }
        .map_err(refused)?;
    }
    Ok(())
}

/// What a server has understood, from the values alone: the library's encoder is not asked.
fn understood(incoming: &Incoming<'_>) -> Vec<u8> {
    let name = |name: &pop3_proto::Name<'_>| name.as_bytes().to_vec();
    let argument = |verb: &str, argument: &[u8]| [verb.as_bytes(), b" ", argument].concat();
    let optional = |verb: &str, number: &Option<MessageNumber>| match number {
        Some(number) => format!("{verb} {number}").into_bytes(),
        None => verb.as_bytes().to_vec(),
    };
    match incoming {
        Incoming::Command(command) => match command {
            Command::User(user) => argument("USER", user.as_bytes()),
            Command::Pass(password) => argument("PASS", password.reveal()),
            Command::Apop(apop) => [b"APOP ", apop.name.as_bytes(), b" ", apop.digest.as_bytes()].concat(),
            Command::Auth(auth) => auth_words(auth),
            Command::Stls => b"STLS".to_vec(),
            Command::Utf8 => b"UTF8".to_vec(),
            Command::Stat => b"STAT".to_vec(),
            Command::List(number) => optional("LIST", number),
            Command::Retr(number) => format!("RETR {number}").into_bytes(),
            Command::Dele(number) => format!("DELE {number}").into_bytes(),
            Command::Noop => b"NOOP".to_vec(),
            Command::Rset => b"RSET".to_vec(),
            Command::Top { number, lines } => format!("TOP {number} {lines}").into_bytes(),
            Command::Uidl(number) => optional("UIDL", number),
            Command::Capa => b"CAPA".to_vec(),
            Command::Lang(Some(tag)) => argument("LANG", tag.as_bytes()),
            Command::Lang(None) => b"LANG".to_vec(),
            Command::Quit => b"QUIT".to_vec(),
            Command::Other(other) if other.arguments().is_empty() => other.keyword().as_bytes().to_vec(),
            Command::Other(other) => [other.keyword().as_bytes(), b" ", other.arguments().as_bytes()].concat(),
        },
        Incoming::Login(Login::Pass { name: user, password }) => {
            [b"PASS ", password.reveal(), b" for ", &name(user)].concat()
        }
        Incoming::Login(Login::Apop { name: user, digest }) => {
            [b"APOP ", &name(user)[..], b" ", digest.as_bytes()].concat()
        }
        Incoming::Auth(auth) => auth_words(auth),
        Incoming::Response(response) => response.reveal().to_vec(),
        Incoming::Update => b"QUIT and UPDATE".to_vec(),
        Incoming::Refused { verb, refusal } => format!("{verb} refused: {refusal:?}").into_bytes(),
        other => format!("{other:?}").into_bytes(),
    }
}

fn auth_words(auth: &pop3_proto::Auth<'_>) -> Vec<u8> {
    let mut words = format!("AUTH {}", auth.mechanism).into_bytes();
    if let Some(initial) = auth.initial_line() {
        words.push(b' ');
        words.extend_from_slice(initial.reveal());
    }
    words
}

fn scan_listing(octets: &[u8]) -> Result<ScanListing, Trouble> {
    let (number, octets) = numbers(octets)?;
    let number = MessageNumber::new(number).ok_or_else(|| Trouble::Refused("message-numbers begin at 1".to_owned()))?;
    Ok(ScanListing { number, octets })
}

fn unique_id_listing(octets: &[u8]) -> Result<UniqueIdListing<'_>, Trouble> {
    let (number, id) = first_word(octets);
    let number = decimal(number)?;
    let number = MessageNumber::new(number).ok_or_else(|| Trouble::Refused("message-numbers begin at 1".to_owned()))?;
    Ok(UniqueIdListing { number, id: UniqueId::new(id).map_err(refused)? })
}

/// Two numbers with a space between.
fn numbers(octets: &[u8]) -> Result<(u32, u64), Trouble> {
    match words(octets).collect::<Vec<_>>()[..] {
        [first, second] => Ok((decimal(first)?, decimal(second)?)),
        _ => Err(Trouble::Refused("it is not two numbers".to_owned())),
    }
}

fn decimal<N: std::str::FromStr>(digits: &[u8]) -> Result<N, Trouble> {
    let parsed = if digits.iter().all(u8::is_ascii_digit) { text(digits)?.parse().ok() } else { None };
    parsed.ok_or_else(|| Trouble::Refused("it is no number that fits".to_owned()))
}

fn first_word(octets: &[u8]) -> (&[u8], &[u8]) {
    match octets.iter().position(|&octet| octet == b' ') {
        Some(space) => (&octets[..space], &octets[space + 1..]),
        None => (octets, &[]),
    }
}

fn text(octets: &[u8]) -> Result<&str, Trouble> {
    std::str::from_utf8(octets).map_err(|_| Trouble::Refused("it is not UTF-8".to_owned()))
}

fn refused(misuse: Misuse) -> Trouble {
    Trouble::Refused(misuse.to_string())
}
