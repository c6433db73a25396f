//! `pop3-proto`'s client as a subject.

use super::{ClientSubject, Seen, Trouble, machine_place};
use crate::octets::{escape, indicator};
use crate::session::{Kind, Settings};
use crate::transcript::Place;
use pop3_proto::{Capability, Client, Config, Data, Event, Expiry, Peer, ResponseCode, Verb, grammar};
use std::sync::Arc;

/// `pop3-proto`'s client, strict: nothing is tolerated.
#[derive(Debug)]
pub struct OurClient {
    client: Client,
    /// The keyword of the last command: the machine has one word for all that it does not know.
    keyword: String,
}

impl OurClient {
    /// A client that allows what the session needs and no more. Making the settings once serves many sessions.
    #[must_use]
    pub fn config(settings: &Settings) -> Arc<Config> {
        let mut config = Config::new().strict();
        if settings.cleartext_login {
            config = config.allow_cleartext_login();
        }
        if settings.apop {
            config = config.allow_apop_md5();
        }
        Arc::new(config)
    }

    /// A client on a fresh connection.
    #[must_use]
    pub fn new(config: Arc<Config>, settings: &Settings) -> Self {
        let client = if settings.tls { Client::over_tls(config, Peer::Verified) } else { Client::with_config(config) };
        Self { client, keyword: String::new() }
    }
}

impl ClientSubject for OurClient {
    fn send(&mut self, line: &[u8], kind: Kind, out: &mut Vec<u8>) -> Result<(), Trouble> {
        let refused = |misuse: pop3_proto::Misuse| Trouble::Refused(misuse.to_string());
        if kind == Kind::Response {
            return self.client.respond_line(line, out).map_err(refused);
        }
        let octets = [line, b"\r\n"].concat();
        let Ok((_, command)) = grammar::command(&octets) else {
            return Err(Trouble::Refused("it is no command".to_owned()));
        };
        self.client.send(&command, out).map_err(refused)?;
        self.keyword = String::from_utf8_lossy(indicator(line)).to_ascii_uppercase();
        Ok(())
    }

    fn receive(&mut self, octets: &[u8], seen: &mut Vec<Seen>) -> Result<(), Trouble> {
        let mut input = octets;
        loop {
            match self.client.next_event(&mut input) {
                Ok(Some(event)) => add(seen, &event, &self.keyword),
                Ok(None) if input.is_empty() => return Ok(()),
                Ok(None) => return Err(Trouble::Error(format!("it left {} octets", input.len()))),
                Err(error) => return Err(Trouble::Error(error.to_string())),
            }
        }
    }

    fn tls_established(&mut self) -> Result<(), Trouble> {
        self.client.tls_established(Peer::Verified).map_err(|misuse| Trouble::Error(misuse.to_string()))
    }

    fn place(&self) -> Option<Place> {
        machine_place(self.client.state(), self.client.tls().is_some())
    }
}

/// Writes an event down by its values, and joins message octets that belong together.
fn add(seen: &mut Vec<Seen>, event: &Event<'_>, keyword: &str) {
    if let (Event::Body(octets), Some(Seen::Body(before))) = (event, seen.last_mut()) {
        before.extend_from_slice(octets);
        return;
    }
    let code = |code: &Option<ResponseCode<'_>>| code.as_ref().map(|code| code.as_bytes().to_vec());
    let verb = |verb: Verb| if verb == Verb::Other { keyword } else { verb.keyword() }.to_owned();
    seen.push(match event {
        Event::Greeting { text, timestamp } => Seen::Greeting {
            text: text.as_bytes().to_vec(),
            timestamp: timestamp.as_ref().map(|timestamp| timestamp.as_bytes().to_vec()),
        },
        Event::Ok { to, code: with, text, data } => {
            Seen::Ok { to: verb(*to), code: code(with), text: text.as_bytes().to_vec(), data: value(data) }
        }
        Event::Err { to, code: with, text } => {
            Seen::Err { to: verb(*to), code: code(with), text: text.as_bytes().to_vec() }
        }
        Event::Challenge(challenge) => Seen::Challenge(challenge.line().as_bytes().to_vec()),
        Event::Scan(listing) => Seen::Row(format!("{} {}", listing.number, listing.octets).into_bytes()),
        Event::UniqueId(listing) => Seen::Row(pair(&listing.number.to_string(), listing.id.as_bytes())),
        Event::Capability(capability) => Seen::Row(row(capability)),
        Event::Language(listing) => Seen::Row(pair(&listing.tag.to_string(), listing.description.as_bytes())),
        Event::Line(line) => Seen::Row(line.as_bytes().to_vec()),
        Event::BadRow { line, fault, .. } => Seen::Other(format!("bad row {}: {fault}", escape(line.as_bytes()))),
        Event::Body(octets) => Seen::Body(octets.to_vec()),
        Event::End { of } => Seen::End { of: verb(*of) },
        other => Seen::Other(format!("{other:?}")),
    });
}

fn pair(first: &str, second: &[u8]) -> Vec<u8> {
    [first.as_bytes(), b" ", second].concat()
}

/// What the `+OK` carries, from the values alone: the library's encoder is not asked.
fn value(data: &Data<'_>) -> Vec<u8> {
    match data {
        Data::None => Vec::new(),
        Data::Drop(listing) => match listing.octets {
            Some(octets) => format!("{} {octets}", listing.messages).into_bytes(),
            None => format!("{} and a negative number", listing.messages).into_bytes(),
        },
        Data::Scan(listing) => format!("{} {}", listing.number, listing.octets).into_bytes(),
        Data::UniqueId(listing) => pair(&listing.number.to_string(), listing.id.as_bytes()),
        Data::Language(tag) => tag.as_bytes().to_vec(),
        Data::Octets(octets) => octets.to_string().into_bytes(),
        other => format!("{other:?}").into_bytes(),
    }
}

/// A capability from its values. One that RFC 2449 or another defines, and that was not recognised, is marked.
fn row(capability: &Capability<'_>) -> Vec<u8> {
    let per_user = |per_user: bool| if per_user { " USER" } else { "" };
    match capability {
        Capability::Top => b"TOP".to_vec(),
        Capability::User => b"USER".to_vec(),
        Capability::Sasl(mechanisms) => {
            mechanisms.iter().fold(b"SASL".to_vec(), |list, mechanism| [&list[..], b" ", mechanism].concat())
        }
        Capability::RespCodes => b"RESP-CODES".to_vec(),
        Capability::AuthRespCode => b"AUTH-RESP-CODE".to_vec(),
        Capability::LoginDelay { seconds, per_user: differs } => {
            format!("LOGIN-DELAY {seconds}{}", per_user(*differs)).into_bytes()
        }
        Capability::Pipelining => b"PIPELINING".to_vec(),
        Capability::Expire { after: Expiry::Never, per_user: differs } => {
            format!("EXPIRE NEVER{}", per_user(*differs)).into_bytes()
        }
        Capability::Expire { after: Expiry::Days(days), per_user: differs } => {
            format!("EXPIRE {days}{}", per_user(*differs)).into_bytes()
        }
        Capability::Uidl => b"UIDL".to_vec(),
        Capability::Implementation(name) => pair("IMPLEMENTATION", name.as_bytes()),
        Capability::Stls => b"STLS".to_vec(),
        Capability::Utf8 { user } => format!("UTF8{}", per_user(*user)).into_bytes(),
        Capability::Lang => b"LANG".to_vec(),
        Capability::Other { tag, arguments } => {
            let known = KNOWN.iter().any(|name| tag.as_bytes().eq_ignore_ascii_case(name.as_bytes()));
            let mark: &[u8] = if known { b"not recognised: " } else { b"" };
            let space: &[u8] = if arguments.is_empty() { b"" } else { b" " };
            [mark, tag.as_bytes(), space, arguments.as_bytes()].concat()
        }
        other => format!("{other:?}").into_bytes(),
    }
}

const KNOWN: [&str; 13] = [
    "TOP",
    "USER",
    "SASL",
    "RESP-CODES",
    "AUTH-RESP-CODE",
    "LOGIN-DELAY",
    "PIPELINING",
    "EXPIRE",
    "UIDL",
    "IMPLEMENTATION",
    "STLS",
    "UTF8",
    "LANG",
];
