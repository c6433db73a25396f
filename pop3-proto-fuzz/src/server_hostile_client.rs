//! Target 7: whatever a client sends, a server gives each line its one right answer, alike at every cut; nothing of the
//! mailbox is touched before login, and deletions happen at QUIT only (P2, P6, P20, P23, P25, P28, P29).
//!
//! The plan: an octet of settings, a chunk of cuts, and turns: an octet for what happens (2: the handshake is done, 3:
//! the connection is closed), or a chunk of octets that the client sends.

use crate::finding::{ensure, has_words, same};
use crate::naive::sasl::{Login, MECHANISMS, OWN};
use crate::naive::server::{
    Answer, LIMITS, MESSAGES, SPOILT, Server as Naive, Settings, State, TIMESTAMP, TOKEN_REFUSED, expect, is_given_up,
    is_own, is_right, stuffed, text_of,
};
use crate::plan::{Cuts, Octets, chunk, octet};
use crate::{Target, Verdict, Ways};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::grammar::Grammar;
use pop3_proto::{
    Auth, Builtin, Capability, Command, Config, Greeting, Incoming, LanguageListing, LanguageTag, Login as OurLogin,
    Maildrop, Mechanisms, Misuse, Name, Quirk, Quirks, Reply, ResponseCode, Row, Server, Shape, Top, Utf8, Verb,
};
use std::sync::{Arc, OnceLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "server_hostile_client",
    check: |octets, ways| check_ways(&plan(octets), ways, Ours::new),
    show: |octets| format!("{:#?}", plan(octets)),
};

/// A server with the mailbox of [`MESSAGES`]. Octets of the client go in, its own come out.
pub trait ServerSide {
    /// Octets of one read. What it can answer it answers at once, and it keeps what it must.
    fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>);

    /// The TLS handshake is done; `false` if none was due.
    fn tls_established(&mut self) -> bool;

    /// The connection was closed.
    fn eof(&mut self);

    /// The client was silent for too long.
    fn autologout(&mut self) {
        self.eof();
    }

    /// A security layer of the SASL mechanism is in force; `false` if none can be, `None` if the server knows of none.
    fn layer_established(&mut self) -> Option<bool> {
        None
    }

    /// How many bad commands and failed logins it has counted, if it counts them ([`Naive::counted`]).
    fn counted(&self) -> Option<u32> {
        None
    }

    /// Where the session stands, and whether TLS is on, if the server can tell.
    fn place(&self) -> Option<(State, bool)> {
        None
    }

    /// Whether it closes the connection.
    fn is_over(&self) -> bool;

    /// The numbers of the messages that it removed.
    fn removed(&self) -> Vec<u32>;

    /// Who tried to log in, if it can tell.
    fn logins(&self) -> Option<&[Login]> {
        None
    }

    /// Octets held back; 0 if that cannot be told.
    fn held(&self) -> usize {
        0
    }
}

/// One turn of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<'a> {
    /// The client sends octets.
    Hear(Octets<'a>),
    /// The handshake is done.
    Tls,
    /// The connection is closed.
    Eof,
    /// The client was silent for too long.
    Autologout,
    /// A security layer is in force.
    Layer,
}

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// How the server is set up.
    pub settings: Settings,
    /// Where each of the client's turns is cut.
    pub cuts: Cuts<'a>,
    /// What happens, in order.
    pub turns: Vec<Turn<'a>>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (settings, cuts, mut turns) = (Settings::new(octet(u)), Cuts(chunk(u)), vec![]);
        while !u.is_empty() {
            turns.push(match octet(u) & 7 {
                2 => Turn::Tls,
                3 => Turn::Eof,
                6 => Turn::Layer,
                7 => Turn::Autologout,
                _ => Turn::Hear(Octets(chunk(u))),
            });
        }
        Ok(Self { settings, cuts, turns })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        settings: Settings::new(0),
        cuts: Cuts::WHOLE,
        turns: vec![],
    })
}

/// Holds a server against the naive one: cut as the plan says, whole, and an octet at a time. `begin` appends the
/// greeting.
///
/// # Errors
///
/// The finding.
pub fn check<S: ServerSide>(plan: &Plan<'_>, begin: impl Fn(Settings, &mut Vec<u8>) -> S) -> Verdict {
    check_ways(plan, Ways::ALL, begin)
}

pub(crate) fn check_ways<S: ServerSide>(
    plan: &Plan<'_>,
    ways: Ways,
    begin: impl Fn(Settings, &mut Vec<u8>) -> S,
) -> Verdict {
    ways.cuts(plan.cuts).try_for_each(|cuts| {
        let mut out = Vec::with_capacity(1024);
        let mut server = begin(plan.settings, &mut out);
        session(plan, cuts, &mut server, out)
    })
}

fn session(plan: &Plan<'_>, cuts: Cuts<'_>, server: &mut impl ServerSide, mut out: Vec<u8>) -> Verdict {
    let mut naive = Naive::new(plan.settings);
    // A timestamp invites to APOP.
    let timestamp = out.windows(TIMESTAMP.len()).any(|octets| octets == TIMESTAMP.as_bytes());
    same!(naive.timestamp(), timestamp, "P13", "whether the greeting has a timestamp");
    let mut answers = Vec::with_capacity(16);
    answers.push(Answer::Ok(vec![]));
    for turn in &plan.turns {
        match *turn {
            Turn::Hear(Octets(octets)) => {
                naive.hear(octets, &mut answers);
                for piece in cuts.of(octets) {
                    server.hear(piece, &mut out);
                    ensure!(server.held() <= LIMITS[1], "P24", "{} octets are held back", server.held());
                }
            }
            Turn::Tls => same!(naive.tls_established(), server.tls_established(), "P2", "whether a handshake is due"),
            Turn::Eof => {
                naive.eof();
                server.eof();
            }
            Turn::Autologout => {
                naive.eof();
                server.autologout();
            }
            Turn::Layer => {
                if let Some(established) = server.layer_established() {
                    same!(naive.layer_established(), established, "P2, P3", "whether a security layer may begin");
                }
            }
        }
        match expect(&out, &answers) {
            Ok([]) => {}
            Ok(left) => ensure!(false, "P35", "more than the answers: {:?}, {cuts:?}", Octets(left)),
            Err(wrong) => ensure!(false, "P23, P25, P35", "{wrong}, {cuts:?}"),
        }
        out.clear();
        answers.clear();
        if let Some(counted) = server.counted() {
            same!(naive.counted, counted, "P23", "how many bad commands and failed logins are counted");
        }
        same!(naive.state == State::Closed, server.is_over(), "P33", format!("whether the session is over, {cuts:?}"));
        same!(naive.removed, server.removed(), "P27: deletions at QUIT only", format!("what was removed, {cuts:?}"));
        if let Some(place) = server.place() {
            same!((naive.state, naive.tls), place, "P2, P9", "the state, and whether TLS is on");
        }
        if let Some(logins) = server.logins() {
            same!(naive.logins, logins, "P6, P12", format!("who tried to log in, {cuts:?}"));
        }
    }
    Ok(())
}

/// [`Server`] and [`Maildrop`], with an application around them.
#[derive(Debug)]
pub struct Ours {
    server: Server,
    maildrop: Maildrop,
    kept: Vec<u8>,
    removed: Vec<u32>,
    logins: Vec<Login>,
    fatal: bool,
    clumsy: bool,
    stls: bool,
    utf8: bool,
    sasl: bool,
    /// LANG or UTF8 was answered `+OK`: text may be beyond ASCII.
    international: bool,
}

impl Ours {
    /// A server that is set up so. Appends its greeting.
    ///
    /// # Panics
    ///
    /// Never: the settings are well known.
    #[must_use]
    pub fn new(settings: Settings, out: &mut Vec<u8>) -> Self {
        static CONFIGS: [OnceLock<Arc<Config>>; 256] = [const { OnceLock::new() }; 256];
        let config = Arc::clone(
            CONFIGS[settings.place() << 1 | usize::from(settings.clumsy)].get_or_init(|| Arc::new(config(settings))),
        );
        let mut greeting = Greeting::text("POP3 server ready").expect("a greeting");
        if settings.apop {
            greeting = greeting.with_timestamp(TIMESTAMP).expect("a timestamp");
        }
        let server = match settings.over_tls {
            true => Server::over_tls(config, greeting, out),
            false => Server::new(config, greeting, out),
        };
        let (kept, removed, logins) = (vec![], vec![], vec![]);
        let (maildrop, international) = (Maildrop::default(), false);
        let Settings { clumsy, stls, utf8, sasl, .. } = settings;
        Self { server, maildrop, kept, removed, logins, fatal: false, clumsy, stls, utf8, sasl, international }
    }

    /// The machine itself.
    #[must_use]
    pub fn server(&self) -> &Server {
        &self.server
    }

    /// Calls that do not answer what is owed: they are refused, nothing is written, and the right answer still goes.
    fn fumble(&mut self, incoming: &Incoming<'_>, out: &mut Vec<u8>) {
        let (before, owed) = (out.len(), self.server.owes());
        let shape = match incoming {
            Incoming::Command(command) => command.shape(),
            _ => Shape::SingleLine,
        };
        let server = &mut self.server;
        let refused = |call: &str, result| is_refused(call, result, owed);
        refused("end", server.end(out));
        refused("body", server.body(b"x", out));
        refused("body_segments", server.body_segments(b"x").map(|_| ()));
        refused("body_stuffed", server.body_stuffed(b"x\r\n", out));
        refused("listing", server.listing(Row::Line("x"), out));
        refused("tls_established", server.tls_established());
        if owed.is_some() {
            refused("security_layer_established", server.security_layer_established());
        }
        if owed.is_none() || shape == Shape::MultiLine {
            refused("reply", reply(server, Reply::ok("x"), out));
        } else if owed != Some(Verb::Other) {
            refused("begin", server.begin("x", out));
        }
        match owed {
            Some(Verb::Stat | Verb::List | Verb::Uidl | Verb::Lang) => {
                refused("reply without data", reply(server, Reply::ok("x"), out));
            }
            _ => refused("reply with data", server.reply(&Reply::drop_listing(1, 1), out)),
        }
        if !self.international {
            refused("text beyond ASCII", reply(server, Reply::err("\u{e9}"), out));
        }
        if owed != Some(Verb::Auth) {
            refused("challenge", server.challenge(b"x", out));
            refused("reject_token", server.reject_token("{}", out));
        }
        if owed != Some(Verb::Capa) {
            refused("capabilities", server.capabilities(out));
        }
        assert_eq!((out.len(), self.server.owes()), (before, owed), "P35: misuse writes nothing and changes nothing");
        assert_eq!(self.server.patience().is_some(), owed.is_none() && !self.server.is_over(), "P27: whose turn it is");
    }

    /// The same while an answer of several lines is being given; and the next command waits for its end.
    fn fumble_within(&mut self, out: &mut Vec<u8>) {
        if !self.clumsy {
            return;
        }
        let (before, owed) = (out.len(), self.server.owes());
        let server = &mut self.server;
        let mut next = &b"NOOP\r\n"[..];
        assert_eq!(server.next_event(&mut next, out), Ok(None), "P35: a command within an answer");
        assert_eq!(next, b"NOOP\r\n", "P35: a command is lost within an answer");
        let refused = |call: &str, result| is_refused(call, result, owed);
        refused("reply", reply(server, Reply::ok("x"), out));
        refused("reply", reply(server, Reply::err("x"), out));
        refused("begin", server.begin("x", out));
        refused("capabilities", server.capabilities(out));
        refused("challenge", server.challenge(b"x", out));
        if matches!(owed, Some(Verb::Retr | Verb::Top)) {
            refused("listing", server.listing(Row::Line("x"), out));
        } else {
            refused("body", server.body(b"x", out));
            refused("body_stuffed", server.body_stuffed(b"x\r\n", out));
            refused("a row of another listing", server.listing(Capability::Top, out));
        }
        assert_eq!((out.len(), server.owes()), (before, owed), "P35: misuse writes nothing and changes nothing");
    }

    fn act(&mut self, incoming: Incoming<'_>, out: &mut Vec<u8>) -> std::result::Result<(), Misuse> {
        let server = &mut self.server;
        match incoming {
            Incoming::Login(login) => {
                let login = naive(&login);
                let right = is_right(&login);
                let bearer = matches!(login, Login::Bearer(..));
                self.logins.push(login);
                if right {
                    let messages = (0..MESSAGES.len()).map(|at| (text_of(at).len() as u64, MESSAGES[at].0));
                    self.maildrop = Maildrop::new(messages)?;
                    server.reply(&Reply::ok("the maildrop is open")?, out)
                } else if bearer {
                    server.reject_token(TOKEN_REFUSED, out)
                } else if self.clumsy {
                    // That says nothing about the credentials, and is not counted.
                    server.reply(&Reply::err("another session has it")?.with_code(ResponseCode::InUse), out)
                } else {
                    server.reply(&Reply::err("no")?, out)
                }
            }
            Incoming::Auth(Auth { ref mechanism, .. }) if mechanism.as_str() != OWN => {
                panic!("P8: {mechanism} is not of the application")
            }
            Incoming::Auth(auth) if self.clumsy && auth.initial_line().is_none() => {
                let (before, long) = (out.len(), [0; LIMITS[1]]);
                assert!(
                    server.challenge(&long, out).is_err() && out.len() == before,
                    "P23: a challenge that is too long"
                );
                server.challenge(b"", out)
            }
            Incoming::Auth(auth) => match auth.initial_line() {
                None => server.challenge(b"", out),
                Some(line) => self.own(line.reveal(), out),
            },
            Incoming::Response(line) => self.own(line.reveal(), out),
            Incoming::Update => {
                self.removed = self.maildrop.deleted().map(|index| index as u32 + 1).collect();
                server.reply(&Reply::ok("signing off")?, out)
            }
            Incoming::Command(Command::Capa) if self.clumsy => self.own_capabilities(out),
            Incoming::Command(Command::Other(other)) if is_own(other.keyword().as_bytes()) => {
                server.begin("what it has to say", out)?;
                if is_given_up(other.keyword().as_bytes()) {
                    server.abort();
                    return Ok(());
                }
                self.fumble_within(out);
                let (server, before) = (&mut self.server, out.len());
                assert!(server.listing(Row::Line("a\r\n."), out).is_err() && out.len() == before, "P11: a second line");
                server.listing(Row::Line(".dot"), out)?;
                server.end(out)
            }
            Incoming::Command(Command::Stls) => server.reply(&Reply::ok("begin")?, out),
            Incoming::Command(Command::Uidl(None)) if self.clumsy => {
                let (_, listing) = UNIQUE_IDS.unique_id_listing(b"+OK\r\n1 two words\r\n.\r\n").expect("a listing");
                server.begin("unique-ids", out)?;
                for row in listing.content.into_iter().flatten() {
                    let before = out.len();
                    assert!(server.listing(row, out).is_err() && out.len() == before, "P21: a unique-id with a space");
                }
                self.maildrop.unique_id_listings().try_for_each(|row| server.listing(row, out))?;
                server.end(out)
            }
            Incoming::Command(Command::Lang(None)) => {
                server.begin("languages", out)?;
                self.fumble_within(out);
                let (server, before) = (&mut self.server, out.len());
                for description in [&b""[..], b"\xFF", b"a\r\n."] {
                    let row = LanguageListing { tag: LanguageTag::new("en")?, description: description.into() };
                    assert!(server.listing(row, out).is_err() && out.len() == before, "P30: {description:?}");
                }
                let (tag, description) = (LanguageTag::new("en")?, "English".into());
                server.listing(LanguageListing { tag, description }, out)?;
                server.end(out)
            }
            Incoming::Command(Command::Lang(Some(tag))) if matches!(tag.as_bytes(), b"en" | b"*") => {
                self.international = true;
                server.reply(&Reply::language(LanguageTag::new("en")?, "as you l\u{ef}ke")?, out)
            }
            Incoming::Command(Command::Retr(number)) if self.maildrop.get(number).is_ok() => {
                server.begin("message follows", out)?;
                self.fumble_within(out);
                let server = &mut self.server;
                // Three ways to send a message; the same octets go out.
                let at = number.get() as usize - 1;
                match at {
                    0 => {
                        for piece in Cuts(&[1, 3, 2]).of(MESSAGES[at].1) {
                            server.body_segments(piece)?.for_each(|segment| out.extend_from_slice(segment));
                        }
                    }
                    1 => {
                        for piece in Cuts(&[1, 3, 2]).of(MESSAGES[at].1) {
                            server.body(piece, out)?;
                        }
                    }
                    _ => {
                        for piece in Cuts(&[1, 3, 2]).of(stuffed(at).strip_suffix(b".\r\n").unwrap_or_default()) {
                            server.body_stuffed(piece, out)?;
                        }
                    }
                }
                server.end(out)
            }
            Incoming::Command(Command::Top { number, lines }) if self.maildrop.get(number).is_ok() => {
                let mut top = Top::new(lines);
                server.begin("top of message", out)?;
                self.fumble_within(out);
                let (server, before) = (&mut self.server, out.len());
                if self.clumsy && (number.get() as usize - 1, Some(lines)) == SPOILT {
                    assert_eq!(
                        server.body_stuffed(b"\n.\r\n", out),
                        Err(Misuse::Terminator),
                        "P11: an end within the text"
                    );
                    is_refused("body_stuffed", server.body_stuffed(b"x\r\n", out), Some(Verb::Top));
                    is_refused("end", server.end(out), Some(Verb::Top));
                    assert_eq!(out.len(), before, "P11: something of it is written");
                    server.abort();
                    return Ok(());
                }
                for piece in Cuts(&[2, 1, 5]).of(MESSAGES[number.get() as usize - 1].1) {
                    server.body(top.take(piece), out)?;
                }
                server.end(out)
            }
            other => {
                self.international |= matches!(other, Incoming::Command(Command::Utf8));
                self.maildrop.answer(&other, server, out)
            }
        }
    }

    /// The application makes a capability list of its own: what would be a lie is refused.
    fn own_capabilities(&mut self, out: &mut Vec<u8>) -> std::result::Result<(), Misuse> {
        let server = &mut self.server;
        server.begin("capabilities", out)?;
        let mut rows = vec![Capability::Top, Capability::Uidl, Capability::Pipelining];
        if self.utf8 {
            rows.extend([Capability::Utf8 { user: true }, Capability::Lang]);
        }
        rows.push(Capability::User);
        if self.stls {
            rows.push(Capability::Stls);
        }
        if self.sasl {
            rows.push(Capability::Sasl(Mechanisms::new(["PLAIN"])?));
        }
        for row in rows {
            let before = out.len();
            if server.listing(row, out).is_err() {
                assert_eq!(out.len(), before, "P11: something of a refused row is written");
            }
        }
        assert!(server.listing(Row::Line("x"), out).is_err() && server.body(b"x", out).is_err(), "P11: no row of CAPA");
        server.end(out)
    }

    fn own(&mut self, line: &[u8], out: &mut Vec<u8>) -> std::result::Result<(), Misuse> {
        let login = Login::Own(line.to_vec());
        let right = is_right(&login);
        self.logins.push(login);
        if right {
            let messages = (0..MESSAGES.len()).map(|at| (text_of(at).len() as u64, MESSAGES[at].0));
            self.maildrop = Maildrop::new(messages)?;
        }
        self.server.reply(&if right { Reply::ok("open")? } else { Reply::err("no")? }, out)
    }
}

/// Reads unique-ids as they are, and not as they must be.
static UNIQUE_IDS: Grammar = Grammar::new(Quirks::TOLERANT);

/// What does not answer is misuse, and misuse has words.
fn is_refused(call: &str, result: std::result::Result<(), Misuse>, owed: Option<Verb>) {
    let Err(misuse) = result else { panic!("P35: {call} answers {owed:?}") };
    assert!(has_words(&misuse), "misuse has words");
}

fn config(settings: Settings) -> Config {
    let [command_line, sasl_line, discarded] = LIMITS;
    let mut config = Config::new().strict().command_line(command_line).sasl_line(sasl_line).discarded(discarded);
    if !settings.tls_required {
        config = config.allow_cleartext_login();
    }
    if settings.stls {
        config = config.with_stls();
    }
    if settings.apop {
        config = config.allow_apop_md5();
    }
    if settings.utf8 {
        config = config.utf8(Utf8::WithUser).with_lang();
    }
    if settings.sasl {
        config = config.builtin_mechanisms(Builtin::ALL);
        assert_eq!(MECHANISMS, Builtin::ALL.map(Builtin::name));
        config = config.sasl_mechanisms([OWN]).expect("the name of a mechanism");
    }
    if settings.clumsy {
        config = config.with_other_commands();
    }
    if settings.tolerant {
        config = config.with_quirk(Quirk::BareLfCommand).with_quirk(Quirk::TrailingSpaces).with_quirk(Quirk::BareAuth);
    }
    config
}

fn reply(
    server: &mut Server,
    reply: std::result::Result<Reply<'_>, Misuse>,
    out: &mut Vec<u8>,
) -> std::result::Result<(), Misuse> {
    server.reply(&reply?, out)
}

fn naive(login: &OurLogin<'_>) -> Login {
    let octets = |name: &Name<'_>| name.as_bytes().to_vec();
    match login {
        OurLogin::Pass { name, password } => Login::Pass(octets(name), password.reveal().to_vec()),
        OurLogin::Apop { name, digest } => Login::Apop(octets(name), digest.as_bytes().to_vec()),
        OurLogin::ActAs { authorization, name, password } => {
            Login::ActAs(octets(authorization), octets(name), password.reveal().to_vec())
        }
        OurLogin::External { authorization } => Login::External(authorization.as_ref().map(octets)),
        OurLogin::Anonymous { trace } => Login::Anonymous(trace.as_bytes().to_vec()),
        OurLogin::Bearer { name, token } => Login::Bearer(name.as_ref().map(octets), token.reveal().to_vec()),
        other => panic!("P12: {other:?} is not known"),
    }
}

impl ServerSide for Ours {
    fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut kept = std::mem::take(&mut self.kept);
        let all = if kept.is_empty() {
            octets
        } else {
            kept.extend_from_slice(octets);
            &kept
        };
        let (mut input, mut calls) = (all, 0);
        loop {
            calls += 1;
            assert!(calls <= 2 * all.len() + 2, "P33: {calls} calls over {} octets", all.len());
            let before = out.len();
            match self.server.next_event(&mut input, out) {
                Ok(None) => break,
                Ok(Some(incoming)) => {
                    let owed = self.server.owes();
                    let answered = matches!(incoming, Incoming::Refused { .. } | Incoming::Cancelled);
                    assert!(answered == owed.is_none(), "P35: {owed:?} is owed to {incoming:?}");
                    if self.clumsy {
                        self.fumble(&incoming, out);
                    }
                    if let Err(misuse) = self.act(incoming, out) {
                        panic!("P35: the right answer to {owed:?} is misuse: {misuse}");
                    }
                    // Whoever begins with the handshake without another look at what is left is safe too.
                    if self.clumsy && self.server.state() == pop3_proto::State::Handshake {
                        break;
                    }
                }
                Err(error) => {
                    assert!(out.len() == before || !self.fatal, "P34: output behind an error");
                    self.fatal = true;
                    let again = self.server.next_event(&mut &b"NOOP\r\n"[..], &mut vec![]);
                    assert!(has_words(&error), "an error has words");
                    assert_eq!(again, Err(error), "P34: the same error ever after");
                    assert!(self.server.is_over() && self.server.held() == 0, "P34: it is over");
                    return;
                }
            }
        }
        assert!(input.is_empty() || self.server.is_over() || self.server.state() == pop3_proto::State::Handshake);
        if !self.server.is_over() {
            self.kept = input.to_vec();
        }
        // Nothing that is needed goes with it, whatever is held.
        if octets.len() % 2 == 1 {
            self.server.shrink_to_fit();
        }
    }

    fn tls_established(&mut self) -> bool {
        let established = self.server.tls_established().is_ok();
        self.international &= !established;
        established
    }

    fn eof(&mut self) {
        let _ = self.server.handle_eof();
    }

    fn autologout(&mut self) {
        self.server.handle_autologout();
    }

    fn layer_established(&mut self) -> Option<bool> {
        Some(self.server.security_layer_established().is_ok())
    }

    fn counted(&self) -> Option<u32> {
        Some(self.server.refused() + self.server.failed_logins())
    }

    fn place(&self) -> Option<(State, bool)> {
        let state = match self.server.state() {
            pop3_proto::State::Authorization | pop3_proto::State::Greeting => State::Authorization,
            pop3_proto::State::Handshake => State::Handshake,
            pop3_proto::State::Transaction => State::Transaction,
            pop3_proto::State::Update | pop3_proto::State::Closed => State::Closed,
        };
        Some((if self.server.is_over() { State::Closed } else { state }, self.server.tls()))
    }

    fn is_over(&self) -> bool {
        self.server.is_over()
    }

    fn removed(&self) -> Vec<u32> {
        self.removed.clone()
    }

    fn logins(&self) -> Option<&[Login]> {
        Some(&self.logins)
    }

    fn held(&self) -> usize {
        self.server.held()
    }
}
