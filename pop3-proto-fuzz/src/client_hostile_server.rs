//! Target 6: whatever a server sends, a client gives each answer to its command, alike at every cut; no credential
//! leaves before TLS where TLS is required; what is fatal stays fatal (P1, P3-P9, P22-P25, P32-P34, P36).
//!
//! The plan: an octet of settings, a chunk of cuts, and turns: an octet that says what the caller does, or a chunk of
//! octets that the server sends.

use crate::finding::{ensure, has_words, same};
use crate::naive::reply::Reading;
use crate::naive::session::{
    Client as Naive, Committed, DIGEST, Heard, NAME, PASSWORD, ROWS, Request, SASL_LIMIT, State, WINDOW, note,
};
use crate::naive::{looks_like_base64, reply};
use crate::plan::{Cuts, Octets, chunk, octet};
use crate::reply_parse::{carried, event_row};
use crate::{Target, Verdict, Ways};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::{
    Capability, Client, Command, Config, Event, Method, Misuse, Next, Peer, Pipelining, Plan as Logins, Text, Tls,
    Verb, Wait,
};
use std::collections::VecDeque;
use std::sync::{Arc, OnceLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "client_hostile_server",
    check: |octets, ways| check_ways(&plan(octets), ways, Ours::new),
    show: |octets| format!("{:#?}", plan(octets)),
};

/// A client. Octets of the server go in, what they mean comes out.
pub trait ClientSide {
    /// Appends the line of the command, if it may be sent now; if not, appends nothing.
    fn send(&mut self, request: Request, out: &mut Vec<u8>) -> bool;

    /// Answers a challenge with a line in base64, if there is one to be answered.
    fn respond(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool;

    /// Answers a challenge with `*`, if there is one to be answered.
    fn cancel(&mut self, out: &mut Vec<u8>) -> bool;

    /// Octets of one read. What is heard is appended; once [`Heard::Fatal`] was, nothing more is.
    fn hear(&mut self, octets: &[u8], heard: &mut Vec<Heard>);

    /// The TLS handshake is done; `false` if none was due.
    fn tls_established(&mut self) -> bool;

    /// The connection was closed; whether that is in order.
    fn eof(&mut self) -> bool;

    /// A security layer of the SASL mechanism is in force; `false` if none can be, `None` if the client knows of none.
    fn layer_established(&mut self) -> Option<bool> {
        None
    }

    /// Octets held back; 0 if that cannot be told.
    fn held(&self) -> usize {
        0
    }

    /// Where the session stands, how many commands wait for their answers, and whether TLS is on, if the client can tell.
    fn place(&self) -> Option<(State, usize, bool)> {
        None
    }

    /// What became of deletions, if the client knows of that.
    fn committed(&self) -> Option<Committed> {
        None
    }
}

/// How a client is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Settings {
    /// No login without TLS.
    pub tls_required: bool,
    /// TLS is on from the first octet.
    pub over_tls: bool,
    /// Takes what the RFCs do not have.
    pub tolerant: bool,
    /// May send before an answer came, once PIPELINING is announced.
    pub pipelining: bool,
    /// Leaves the stuffing in message text.
    pub stuffed: bool,
}

impl Settings {
    /// What the bits of an octet mean.
    #[must_use]
    pub const fn new(bits: u8) -> Self {
        Self {
            tls_required: bits & 1 != 0,
            over_tls: bits & 2 != 0,
            tolerant: bits & 4 == 0,
            pipelining: bits & 8 == 0,
            stuffed: bits & 16 != 0,
        }
    }
}

impl Settings {
    fn place(self) -> usize {
        let bits = [self.tls_required, self.over_tls, self.tolerant, self.pipelining, self.stuffed];
        bits.into_iter().fold(0, |place, bit| place << 1 | usize::from(bit))
    }
}

/// One turn of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turn<'a> {
    /// The server sends octets.
    Hear(Octets<'a>),
    /// The caller sends a command.
    Send(Request),
    /// The caller answers a challenge.
    Respond(Octets<'a>),
    /// The caller cancels the exchange.
    Cancel,
    /// The handshake is done.
    Tls,
    /// The connection is closed.
    Eof,
    /// A security layer is in force.
    Layer,
}

/// The octet of [`Turn::Hear`] in a plan; those from 1 to 21 are the requests in order.
pub const HEAR: u8 = 0;
/// The octet of [`Turn::Respond`].
pub const RESPOND: u8 = 22;
/// The octet of [`Turn::Cancel`].
pub const CANCEL: u8 = 23;
/// The octet of [`Turn::Tls`].
pub const TLS: u8 = 24;
/// The octet of [`Turn::Eof`].
pub const EOF: u8 = 25;
/// The octet of [`Turn::Layer`].
pub const LAYER: u8 = 26;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// How the client is set up.
    pub settings: Settings,
    /// Where each of the server's turns is cut.
    pub cuts: Cuts<'a>,
    /// What happens, in order.
    pub turns: Vec<Turn<'a>>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let (settings, cuts, mut turns) = (Settings::new(octet(u)), Cuts(chunk(u)), vec![]);
        while !u.is_empty() {
            turns.push(match octet(u) & 0x1F {
                RESPOND => Turn::Respond(Octets(chunk(u))),
                CANCEL => Turn::Cancel,
                TLS => Turn::Tls,
                EOF => Turn::Eof,
                LAYER => Turn::Layer,
                request @ 1..=21 => Turn::Send(Request::ALL[usize::from(request - 1)]),
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

/// Holds a client against the naive one: cut as the plan says, whole, and an octet at a time.
///
/// # Errors
///
/// The finding.
pub fn check<C: ClientSide>(plan: &Plan<'_>, begin: impl Fn(Settings) -> C) -> Verdict {
    check_ways(plan, Ways::ALL, begin)
}

pub(crate) fn check_ways<C: ClientSide>(plan: &Plan<'_>, ways: Ways, begin: impl Fn(Settings) -> C) -> Verdict {
    ways.cuts(plan.cuts).try_for_each(|cuts| session(plan, cuts, &mut begin(plan.settings)))
}

fn session(plan: &Plan<'_>, cuts: Cuts<'_>, client: &mut impl ClientSide) -> Verdict {
    let settings = plan.settings;
    let mut naive = Naive::new(settings.tolerant, settings.over_tls, settings.stuffed);
    let (mut expected, mut heard) = (vec![], vec![]);
    for turn in &plan.turns {
        let mut out = vec![];
        match *turn {
            Turn::Hear(Octets(octets)) => {
                naive.hear(octets, &mut expected);
                for piece in cuts.of(octets) {
                    client.hear(piece, &mut heard);
                    let limit = reply::LIMIT[usize::from(settings.tolerant)].max(SASL_LIMIT);
                    ensure!(client.held() <= limit, "P24", "{} octets are held back", client.held());
                }
                same!(expected, heard, "P18, P35, P36", format!("what was heard, {cuts:?}"));
                expected.clear();
                heard.clear();
            }
            Turn::Send(request) => {
                let sent = client.send(request, &mut out);
                may_send(&naive, settings, request, sent)?;
                let line = request.line();
                same!(
                    Octets(if sent { &line } else { b"" }),
                    Octets(&out),
                    "P10",
                    format!("what is sent for {request:?}")
                );
                if sent {
                    naive.sent(request);
                }
            }
            Turn::Respond(Octets(line)) => {
                let sent = client.respond(line, &mut out);
                let may = naive.challenged() && (line.is_empty() || looks_like_base64(line));
                same!(may, sent, "P36", "whether a challenge may be answered");
                let whole = if sent { out == [line, b"\r\n"].concat() } else { out.is_empty() };
                ensure!(whole, "P10", "the response to a challenge is {:?}", Octets(&out));
                if sent {
                    naive.responded();
                }
            }
            Turn::Cancel => {
                let sent = client.cancel(&mut out);
                same!(naive.challenged(), sent, "P36", "whether an exchange may be cancelled");
                same!(Octets(if sent { b"*\r\n" } else { b"" }), Octets(&out), "P10", "the cancellation");
                if sent {
                    naive.responded();
                }
            }
            Turn::Tls => {
                let due = naive.state == State::Handshake && !naive.dead;
                same!(due, client.tls_established(), "P1", "whether a handshake is due");
                if due {
                    naive.tls_established();
                }
            }
            Turn::Layer => {
                if let Some(established) = client.layer_established() {
                    same!(naive.layer_established(), established, "P1, P3", "whether a security layer may begin");
                }
            }
            Turn::Eof => {
                let in_order = naive.eof();
                same!(in_order, client.eof(), "P27", "whether the connection may be closed");
            }
        }
        if let (Some(place), false) = (client.place(), naive.dead) {
            let expected = (naive.state, naive.outstanding.len(), naive.tls);
            same!(expected, place, "P7, P9, P35", "the state, what is outstanding, and whether TLS is on");
        }
        if let Some(committed) = client.committed() {
            same!(naive.committed, committed, "P27", "what became of deletions");
        }
    }
    Ok(())
}

fn may_send(naive: &Naive, settings: Settings, request: Request, sent: bool) -> Verdict {
    let (authorization, transaction) = request.states();
    if sent {
        ensure!(!naive.dead, "P34", "{request:?} is sent, and the session is lost");
        let right = match naive.state {
            State::Authorization => authorization,
            State::Transaction => transaction,
            _ => false,
        };
        ensure!(right, "P7", "{request:?} is sent in {:?}", naive.state);
        let harmless = matches!(request, Request::Capa | Request::Stls | Request::Quit);
        let in_the_clear = naive.state == State::Authorization && !naive.tls;
        ensure!(!(settings.tls_required && in_the_clear) || harmless, "P5", "{request:?} is sent in the clear");
        ensure!(request != Request::Stls || !naive.tls, "P6", "STLS is sent on TLS");
        let alone = naive.outstanding.is_empty() || settings.pipelining;
        ensure!(alone, "P4", "{request:?} is sent before {:?} is answered", naive.outstanding);
        ensure!(!naive.unasked(), "P4", "{request:?} is sent when an answer to none has begun");
        let octets = || naive.outstanding.iter().chain([&request]).map(|request| request.line().len()).sum::<usize>();
        let fits = naive.outstanding.is_empty() || naive.outstanding.len() < WINDOW.0 && octets() <= WINDOW.1;
        ensure!(fits, "P23", "{request:?} is sent behind {:?}", naive.outstanding);
        ensure!(request != Request::Pass || naive.user, "A08", "PASS is sent without USER");
    } else if naive.idle() && !naive.user {
        // What must always be possible.
        let must = match request {
            Request::Capa | Request::Quit => true,
            _ => transaction && naive.state == State::Transaction && !authorization,
        };
        ensure!(!must, "P7", "{request:?} is refused in {:?}", naive.state);
    }
    Ok(())
}

const fn verb(request: Request) -> Verb {
    match request {
        Request::Capa => Verb::Capa,
        Request::Stls => Verb::Stls,
        Request::User => Verb::User,
        Request::Pass => Verb::Pass,
        Request::Apop => Verb::Apop,
        Request::Auth | Request::AuthWithInitial => Verb::Auth,
        Request::Utf8 => Verb::Utf8,
        Request::Stat => Verb::Stat,
        Request::List | Request::ListOne(_) => Verb::List,
        Request::Retr(_) => Verb::Retr,
        Request::Top(..) => Verb::Top,
        Request::Uidl | Request::UidlOne(_) => Verb::Uidl,
        Request::Dele(_) => Verb::Dele,
        Request::Noop => Verb::Noop,
        Request::Rset => Verb::Rset,
        Request::Lang | Request::LangTag => Verb::Lang,
        Request::Quit => Verb::Quit,
    }
}

/// [`Client`].
#[derive(Debug)]
pub struct Ours {
    client: Client,
    asked: VecDeque<Request>,
    fatal: bool,
    strict: bool,
    logins: Logins,
    /// The mechanisms that the server's last list named, and the methods that failed.
    listed: Vec<Vec<u8>>,
    failed: Vec<Method>,
}

impl Ours {
    /// A client that is set up so.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        static CONFIGS: [OnceLock<Arc<Config>>; 32] = [const { OnceLock::new() }; 32];
        let config = Arc::clone(CONFIGS[settings.place()].get_or_init(|| Arc::new(config(settings))));
        let client = match settings.over_tls {
            true => Client::over_tls(config, Peer::Verified),
            false => Client::with_config(config),
        };
        let (asked, strict, logins) = (VecDeque::new(), !settings.tolerant, Logins::new());
        Self { client, asked, fatal: false, strict, logins, listed: vec![], failed: vec![] }
    }

    /// The machine itself.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }
}

fn config(settings: Settings) -> Config {
    let (commands, octets) = WINDOW;
    let mut config = Config::new().allow_apop_md5().rows(ROWS).sasl_line(SASL_LIMIT);
    config = config.window(commands as u16, octets as u32);
    config = config.tls(match settings {
        Settings { tls_required: true, .. } => Tls::Required,
        Settings { pipelining: false, tolerant: false, .. } => Tls::Opportunistic,
        _ => Tls::None,
    });
    if !settings.tolerant {
        config = config.strict();
    }
    if !settings.pipelining {
        config = config.pipelining(Pipelining::Never);
    }
    if settings.stuffed {
        config = config.stuffed_bodies();
    }
    config
}

/// The command of a request.
///
/// # Errors
///
/// None: what the requests hold is well known.
pub fn request_command(request: Request) -> std::result::Result<Command<'static>, Misuse> {
    Ok(match request {
        Request::Capa => Command::Capa,
        Request::Stls => Command::Stls,
        Request::User => Command::user(NAME)?,
        Request::Pass => Command::pass(PASSWORD)?,
        Request::Apop => Command::apop(NAME, DIGEST)?,
        Request::Auth => Command::auth("PLAIN")?,
        Request::AuthWithInitial => Command::auth_with_initial("PLAIN", "AG1yb3NlAHRhbnN0YWFm")?,
        Request::Utf8 => Command::Utf8,
        Request::Stat => Command::Stat,
        Request::List => Command::List(None),
        Request::ListOne(number) => Command::list(number)?,
        Request::Retr(number) => Command::retr(number)?,
        Request::Top(number, lines) => Command::top(number, lines)?,
        Request::Uidl => Command::Uidl(None),
        Request::UidlOne(number) => Command::uidl(number)?,
        Request::Dele(number) => Command::dele(number)?,
        Request::Noop => Command::Noop,
        Request::Rset => Command::Rset,
        Request::Lang => Command::Lang(None),
        Request::LangTag => Command::lang("en")?,
        Request::Quit => Command::Quit,
    })
}

impl ClientSide for Ours {
    fn send(&mut self, request: Request, out: &mut Vec<u8>) -> bool {
        let may = request_command(request).and_then(|command| {
            let may = self.client.may_send(&command);
            let sent = self.client.send(&command, out);
            assert_eq!(may, sent, "`may_send` and `send` say the same");
            sent
        });
        if may.is_ok() {
            self.asked.push_back(request);
        }
        may.is_ok()
    }

    fn respond(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        self.client.respond_line(line, out).is_ok()
    }

    fn cancel(&mut self, out: &mut Vec<u8>) -> bool {
        self.client.cancel(out).is_ok()
    }

    fn hear(&mut self, octets: &[u8], heard: &mut Vec<Heard>) {
        let (mut input, mut calls) = (octets, 0);
        loop {
            // Message text with an event around it, or without.
            while let Some(text) = (octets.len() % 3 == 0).then(|| self.client.body(&mut input)).flatten() {
                calls += 1;
                assert!(!text.is_empty() && !self.fatal, "P33, P34: {} octets of message text", text.len());
                note(heard, Heard::Body(text.to_vec()));
            }
            let event = self.client.next_event(&mut input);
            calls += 1;
            assert!(calls <= 2 * octets.len() + 2, "P33: {calls} calls over {} octets", octets.len());
            match event {
                Ok(None) => {
                    assert!(input.is_empty(), "P33: `None`, and {} octets are left", input.len());
                    // Nothing that is needed goes with it, whatever is held.
                    if octets.len() % 2 == 1 {
                        self.client.shrink_to_fit();
                    }
                    self.planned();
                    return;
                }
                Ok(Some(event)) => {
                    assert!(!self.fatal, "P34: {event:?} behind an error");
                    let what = self.heard(&event);
                    note(heard, what);
                    // Whoever goes on without another look at what is left is safe too.
                    let upgraded = matches!(event, Event::Ok { to: Verb::Stls, .. }) && !input.is_empty();
                    assert!(!upgraded || self.client.is_over(), "P1: octets behind the answer to STLS");
                }
                Err(error) => {
                    let mut more = &b"+OK\r\n"[..];
                    assert!(has_words(&error), "an error has words");
                    assert_eq!(self.client.next_event(&mut more), Err(error), "P34: the same error ever after");
                    assert!(self.client.is_over() && self.client.held() == 0, "P34: it is over");
                    if !self.fatal {
                        self.fatal = true;
                        heard.push(Heard::Fatal);
                    }
                    return;
                }
            }
        }
    }

    fn tls_established(&mut self) -> bool {
        let established = self.client.tls_established(Peer::Verified).is_ok();
        self.planned();
        established
    }

    fn eof(&mut self) -> bool {
        let in_order = self.client.handle_eof().is_ok();
        self.fatal |= !in_order;
        in_order
    }

    fn layer_established(&mut self) -> Option<bool> {
        Some(self.client.security_layer_established().is_ok())
    }

    fn held(&self) -> usize {
        self.client.held()
    }

    fn place(&self) -> Option<(State, usize, bool)> {
        let client = &self.client;
        let state = match client.state() {
            pop3_proto::State::Greeting => State::Greeting,
            pop3_proto::State::Authorization => State::Authorization,
            pop3_proto::State::Handshake => State::Handshake,
            pop3_proto::State::Transaction => State::Transaction,
            pop3_proto::State::Update => State::Update,
            pop3_proto::State::Closed => State::Closed,
        };
        let wait = client.awaiting();
        let open = matches!(state, State::Authorization | State::Transaction | State::Update) && !client.is_over();
        match self.asked.front() {
            Some(&first) if open => {
                let due = [Wait::Reply(verb(first)), Wait::Answer(Verb::Auth), Wait::Close];
                assert!(due.contains(&wait), "P27: {wait:?}, and {first:?} is not answered");
            }
            _ => assert!(!matches!(wait, Wait::Reply(_)), "P27: {wait:?}, and nothing was asked"),
        }
        let ours = matches!(wait, Wait::Command | Wait::Answer(_) | Wait::Close);
        assert_eq!(client.patience().is_none(), ours, "P27: how long {wait:?} may be");
        assert!(!self.strict || client.quirks_seen().is_empty(), "a strict client has seen {:?}", client.quirks_seen());
        let opened = matches!(state, State::Transaction | State::Update);
        assert!(!opened || client.login_generation() > 0, "P9: the login is counted");
        Some((state, client.outstanding(), client.tls().is_some()))
    }

    fn committed(&self) -> Option<Committed> {
        Some(match self.client.committed() {
            pop3_proto::Committed::Yes => Committed::Yes,
            pop3_proto::Committed::No => Committed::No,
            pop3_proto::Committed::Unknown => Committed::Unknown,
        })
    }
}

impl Ours {
    /// What a login plan proposes, the client would send; and it is no password in the clear, nothing that the server does
    /// not have, and nothing that failed before.
    fn planned(&mut self) {
        let next = self.logins.next(&self.client);
        let client = &self.client;
        if let Next::Login(method) = next {
            assert!(client.tls().is_some() && !self.failed.contains(&method), "P8: the plan says {method:?}");
            if let Method::Auth(mechanism) = method {
                assert!(matches!(mechanism.as_str(), "PLAIN" | "LOGIN"), "P8: {mechanism} is not allowed");
                assert!(self.listed.iter().any(|listed| *listed == *mechanism.as_str().as_bytes()), "P8: {mechanism}");
            }
        }
        let may = match next {
            Next::Capa => client.may_send(&Command::Capa),
            Next::Stls => client.may_send(&Command::Stls),
            Next::Login(Method::UserPass) => request_command(Request::User).and_then(|user| client.may_send(&user)),
            Next::Login(Method::Apop) => request_command(Request::Apop).and_then(|apop| client.may_send(&apop)),
            Next::Login(Method::Auth(mechanism)) => {
                Command::auth(mechanism.as_str()).and_then(|auth| client.may_send(&auth))
            }
            _ => Ok(()),
        };
        assert!(may.is_ok(), "P5: the plan says {next:?}: {may:?}");
    }

    fn heard(&mut self, event: &Event<'_>) -> Heard {
        let line = |status, code: &Option<pop3_proto::ResponseCode<'_>>, text: &Text<'_>| Reading {
            status,
            code: code.as_ref().map(|code| code.as_bytes().to_vec()),
            text: text.as_bytes().to_vec(),
            rows: vec![],
            message: None,
        };
        let first = self.asked.front().copied().unwrap_or(Request::Noop);
        self.logins.heard(event);
        match event {
            Event::Greeting { text, timestamp } => {
                Heard::Greeting { text: text.as_bytes().to_vec(), timestamp: timestamp.is_some() }
            }
            Event::Ok { to, code, text, data } => {
                assert_eq!(*to, verb(first), "P35: the answer is that to the first command");
                let mut reading = line(reply::Status::Ok, code, text);
                reading.rows.extend(carried(data));
                if *to == Verb::Capa {
                    self.listed.clear();
                }
                if self.client.outstanding() < self.asked.len() {
                    self.asked.pop_front();
                }
                Heard::Ok(first, reading)
            }
            Event::Err { to, code, text } => {
                let method = match first {
                    Request::Pass => Some(Ok(Method::UserPass)),
                    Request::Apop => Some(Ok(Method::Apop)),
                    Request::Auth | Request::AuthWithInitial => Some(Method::auth("PLAIN")),
                    _ => None,
                };
                if let Some(Ok(method)) = method {
                    self.logins.failed(method, code.as_ref());
                    self.failed.push(method);
                }
                assert_eq!(*to, verb(first), "P35: the answer is that to the first command");
                self.asked.pop_front();
                Heard::Err(first, line(reply::Status::Err, code, text))
            }
            Event::Challenge(challenge) => Heard::Challenge(challenge.line().as_bytes().to_vec()),
            Event::Body(octets) => Heard::Body(octets.to_vec()),
            Event::End { of } => {
                assert_eq!(*of, verb(first), "P35: the end is that of the first command");
                self.asked.pop_front();
                Heard::End(first)
            }
            Event::Closing { .. } => Heard::Closing,
            Event::Capability(capability) => {
                if let Capability::Sasl(mechanisms) = capability {
                    self.listed.extend(mechanisms.iter().map(<[u8]>::to_ascii_uppercase));
                }
                event_row(event).map_or(Heard::Fatal, Heard::Row)
            }
            other => event_row(other).map_or(Heard::Fatal, Heard::Row),
        }
    }
}
