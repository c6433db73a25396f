//! What the tests of the machines share: ways to cut octets, a script for a client, and a small application for a
//! server.

// Each test binary compiles this file for itself and uses a part of it.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use pop3_proto::{
    Client, Command, Committed, Config, Digest, Error, Event, Greeting, Incoming, LanguageListing, LanguageTag, Login,
    Maildrop, Misuse, Peer, Quirks, Reply, ResponseCode, Row, Server, State, Text, Top,
};

/// The timestamp, the secret's digest and the maildrop of RFC 1939 §7 and §10.
pub(crate) const TIMESTAMP: &str = "<1896.697170952@dbc.mtview.ca.us>";
pub(crate) const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";

/// `octets` in pieces, cut behind so many octets each; cuts that are out of order or out of range count for nothing.
pub(crate) fn pieces<'o>(octets: &'o [u8], cuts: &[usize]) -> Vec<&'o [u8]> {
    let mut pieces = vec![];
    let mut from = 0;
    for &cut in cuts.iter().filter(|&&cut| cut < octets.len()) {
        if cut > from {
            pieces.push(&octets[from..cut]);
            from = cut;
        }
    }
    pieces.push(&octets[from..]);
    pieces
}

/// A cut behind every octet.
pub(crate) fn octet_by_octet(octets: &[u8]) -> Vec<usize> {
    (1..octets.len()).collect()
}

/// Whole, octet by octet, and at every two points.
pub(crate) fn every_cut(length: usize) -> Vec<Vec<usize>> {
    let mut cuts = vec![vec![], (1..length).collect()];
    for first in 1..length {
        cuts.push(vec![first]);
        cuts.extend((first + 1..length).map(|second| vec![first, second]));
    }
    cuts
}

/// What a client got to hear. Adjacent bodies are one, for how a message is cut means nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Event(String),
    Body(Vec<u8>),
    Error(Error),
    Misuse(Misuse),
    Eof,
}

/// What a client does, and what its server says.
#[derive(Clone, Debug)]
pub(crate) enum Turn<'a> {
    Send(Command<'a>),
    Respond(&'a [u8]),
    Cancel,
    Tls,
    Server(&'a [u8]),
    Eof,
}

/// Everything that can be seen of a client behind a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Trace {
    pub(crate) heard: Vec<Heard>,
    pub(crate) out: Vec<u8>,
    pub(crate) state: State,
    pub(crate) committed: Committed,
    pub(crate) outstanding: usize,
    pub(crate) held: usize,
    pub(crate) quirks: Quirks,
}

/// Gives the client one piece, and takes all events that come of it.
pub(crate) fn hear(client: &mut Client, piece: &[u8], heard: &mut Vec<Heard>) -> Result<(), Error> {
    let mut input = piece;
    loop {
        match client.next_event(&mut input) {
            Ok(Some(Event::Body(octets))) => {
                assert!(!octets.is_empty(), "a body without octets says nothing");
                match heard.last_mut() {
                    Some(Heard::Body(body)) => body.extend_from_slice(octets),
                    _ => heard.push(Heard::Body(octets.to_vec())),
                }
            }
            Ok(Some(event)) => heard.push(Heard::Event(format!("{event:?}"))),
            Ok(None) => {
                assert!(input.is_empty(), "a client that has no event has taken the whole input");
                return Ok(());
            }
            Err(error) => {
                heard.push(Heard::Error(error.clone()));
                return Err(error);
            }
        }
    }
}

/// The same for octets without an error, and only to get there.
pub(crate) fn feed(client: &mut Client, octets: &[u8]) -> Vec<Heard> {
    let mut heard = vec![];
    hear(client, octets, &mut heard).unwrap_or_else(|error| panic!("{}: {error}", octets.escape_ascii()));
    heard
}

/// Runs a script; `cuts` says for each of the server's turns, by its place among them, where to cut it.
pub(crate) fn run(mut client: Client, script: &[Turn<'_>], cuts: impl Fn(usize, &[u8]) -> Vec<usize>) -> Trace {
    let (mut heard, mut out) = (vec![], vec![]);
    let mut turn = 0;
    for step in script {
        let called = match step {
            Turn::Send(command) => client.send(command, &mut out),
            Turn::Respond(line) => client.respond_line(line, &mut out),
            Turn::Cancel => client.cancel(&mut out),
            Turn::Tls => client.tls_established(Peer::Verified),
            Turn::Eof => {
                heard.push(client.handle_eof().map_or_else(Heard::Error, |()| Heard::Eof));
                Ok(())
            }
            Turn::Server(octets) => {
                let cuts = cuts(turn, octets);
                turn += 1;
                let _ = pieces(octets, &cuts).into_iter().try_for_each(|piece| hear(&mut client, piece, &mut heard));
                Ok(())
            }
        };
        heard.extend(called.err().map(Heard::Misuse));
    }
    Trace {
        heard,
        out,
        state: client.state(),
        committed: client.committed(),
        outstanding: client.outstanding(),
        held: client.held(),
        quirks: client.quirks_seen(),
    }
}

/// A client that logged in by USER and PASS in the clear, and asked CAPA: the list names `capabilities`.
pub(crate) fn logged_in(config: Config, capabilities: &str) -> Client {
    let mut client = Client::with_config(config.allow_cleartext_login());
    let mut out = vec![];
    feed(&mut client, b"+OK ready\r\n");
    client.send(&Command::user("mrose").unwrap(), &mut out).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::pass("tanstaaf").unwrap(), &mut out).unwrap();
    feed(&mut client, b"+OK\r\n");
    if !capabilities.is_empty() {
        client.send(&Command::Capa, &mut out).unwrap();
        feed(&mut client, format!("+OK\r\n{}\r\n.\r\n", capabilities.replace(' ', "\r\n")).as_bytes());
    }
    client
}

/// A server's application: one user, one maildrop in memory, and an answer for everything.
#[derive(Clone, Debug, Default)]
pub(crate) struct Site {
    pub(crate) messages: Vec<Vec<u8>>,
    pub(crate) maildrop: Maildrop,
    /// What UPDATE removed, by place; `None` if there was no UPDATE.
    pub(crate) removed: Option<Vec<usize>>,
    responses: usize,
}

impl Site {
    /// With these messages, CRLF at every line's end.
    pub(crate) fn new(messages: &[&[u8]]) -> Self {
        Self { messages: messages.iter().map(|message| message.to_vec()).collect(), ..Self::default() }
    }

    fn open(&mut self) -> Reply<'static> {
        let sizes =
            self.messages.iter().enumerate().map(|(index, message)| (message.len() as u64, format!("id-{index}")));
        self.maildrop = Maildrop::new(sizes).unwrap();
        Reply::ok("mrose's maildrop is open").unwrap()
    }

    /// Answers whatever waits for an answer.
    pub(crate) fn answer(&mut self, incoming: &Incoming<'_>, server: &mut Server, out: &mut Vec<u8>) {
        self.try_answer(incoming, server, out).unwrap_or_else(|misuse| panic!("{incoming:?}: {misuse}"));
    }

    fn try_answer(&mut self, incoming: &Incoming<'_>, server: &mut Server, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let wrong = Reply::err("wrong name or password")?.with_code(ResponseCode::Auth);
        match incoming {
            Incoming::Login(Login::Pass { name, password })
                if name.as_str() == "mrose" && password.reveal() == b"tanstaaf" =>
            {
                server.reply(&self.open(), out)
            }
            Incoming::Login(Login::Apop { name, digest })
                if name.as_str() == "mrose" && *digest == Digest::new(DIGEST.as_bytes())? =>
            {
                server.reply(&self.open(), out)
            }
            Incoming::Login(_) => server.reply(&wrong, out),
            Incoming::Auth(_) => {
                self.responses = 0;
                server.challenge_line(b"", out)
            }
            Incoming::Response(_) if self.responses == 0 => {
                self.responses = 1;
                server.challenge_line(b"UGFzc3dvcmQ6", out)
            }
            Incoming::Response(response) if response.reveal() == b"dGFuc3RhYWY=" => server.reply(&self.open(), out),
            Incoming::Response(_) => server.reply(&wrong, out),
            Incoming::Command(Command::Retr(number)) => match self.maildrop.get(*number) {
                Err(why) => server.reply(&why.into(), out),
                Ok(message) => {
                    server.begin("message follows", out)?;
                    server.body(&self.messages[message.index], out)?;
                    server.end(out)
                }
            },
            Incoming::Command(Command::Top { number, lines }) => match self.maildrop.get(*number) {
                Err(why) => server.reply(&why.into(), out),
                Ok(message) => {
                    server.begin("top of message follows", out)?;
                    server.body(Top::new(*lines).take(&self.messages[message.index]), out)?;
                    server.end(out)
                }
            },
            Incoming::Command(Command::Stls) => server.reply(&Reply::ok("begin TLS negotiation")?, out),
            Incoming::Command(Command::Lang(None)) => {
                server.begin("language listing follows", out)?;
                let (tag, description) = (LanguageTag::new("en")?, Text::from("English"));
                server.listing(LanguageListing { tag, description }, out)?;
                server.end(out)
            }
            Incoming::Command(Command::Lang(Some(tag))) => {
                server.reply(&Reply::language(tag.clone(), "language changed")?, out)
            }
            Incoming::Command(Command::Other(_)) => {
                server.begin("lines follow", out)?;
                server.listing(Row::Line(".dots too"), out)?;
                server.end(out)
            }
            Incoming::Update => {
                self.removed = Some(self.maildrop.deleted().collect());
                server.reply(&Reply::from(Ok::<(), ()>(())), out)
            }
            other => self.maildrop.answer(other, server, out),
        }
    }

    /// Gives the server one piece, and answers all that comes of it at once.
    pub(crate) fn serve(
        &mut self,
        server: &mut Server,
        piece: &[u8],
        seen: &mut Vec<Incoming<'static>>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mut input = piece;
        while let Some(incoming) = server.next_event(&mut input, out)? {
            self.answer(&incoming, server, out);
            seen.push(incoming.into_owned());
        }
        assert!(input.is_empty() || server.is_over(), "nothing is owed, and yet the input is not used up");
        Ok(())
    }
}

/// A server of everything that the crate has, on a connection in the clear.
pub(crate) fn everything() -> Config {
    Config::new()
        .allow_cleartext_login()
        .allow_apop_md5()
        .with_stls()
        .with_lang()
        .with_other_commands()
        .utf8(pop3_proto::Utf8::Yes)
        .sasl_mechanisms(["X-TWO"])
        .unwrap()
}

/// A server that greeted, with the timestamp of RFC 1939 §10.
pub(crate) fn greeted(config: Config) -> Server {
    Server::new(config, Greeting::text("POP3 server ready").unwrap().with_timestamp(TIMESTAMP).unwrap(), &mut vec![])
}

/// A server that took USER and PASS.
pub(crate) fn open(config: Config, site: &mut Site) -> Server {
    let mut server = greeted(config.allow_cleartext_login());
    site.serve(&mut server, b"USER mrose\r\nPASS tanstaaf\r\n", &mut vec![], &mut vec![]).unwrap();
    assert_eq!(server.state(), State::Transaction);
    server
}
