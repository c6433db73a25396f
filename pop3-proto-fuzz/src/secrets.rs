//! Target 11: a secret is in nothing that prints: `Debug`, `Display`, errors, traces; neither plain nor in base64, in
//! hexadecimal or as a list of numbers, nor any eight octets of it (P31).
//!
//! The plan: an octet for how the secret is used, an octet for what goes wrong, an octet for where what is sent is cut
//! (its highest bit chooses `{:#?}`), and the octets of which the secret is made.

use crate::finding::ensure;
use crate::naive::{to_base64, to_hex};
use crate::plan::{Octets, octet, rest};
use crate::{Target, Verdict, Ways};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::{
    Builtin, Client, Command, Config, Event, Exchange, Greeting, Incoming, Login, Misuse, Peer, Plan as Logins, Quirk,
    Reply, Secret, Server, Trace,
};
use std::fmt::{self, Debug, Display};
use std::io::Write;
use std::sync::{Arc, LazyLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "secrets",
    check: |octets, ways| check(&plan(octets), &mut Ours(ways)),
    show: |octets| format!("{:#?}", plan(octets)),
};

/// Whatever handles a secret, and prints things meanwhile.
pub trait Handler {
    /// Handles the secret as the plan says, and adds whatever is printed.
    fn handle(&mut self, plan: &Plan, printed: &mut Printed);
}

/// All that was printed.
#[derive(Clone, Debug, Default)]
pub struct Printed(String);

impl Printed {
    /// Adds something that was printed.
    pub fn add(&mut self, what: impl Display) {
        // A `String` takes everything. NUL keeps one thing from ending as the next begins.
        let _ = fmt::Write::write_fmt(&mut self.0, format_args!("{what}\0"));
    }
}

/// How the secret is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// As a password in PASS.
    Pass,
    /// As the digest in APOP.
    Apop,
    /// As the password of AUTH PLAIN.
    Plain,
    /// As the password of AUTH LOGIN.
    Login,
    /// As a bearer token in XOAUTH2.
    Token,
    /// As the response to a challenge of some mechanism.
    Response,
}

impl Use {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::Pass, Self::Apop, Self::Plain, Self::Login, Self::Token, Self::Response];
}

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// The login is refused.
    Refused,
    /// The connection is closed instead of an answer.
    Closed,
    /// There is an octet in the line that must not be there.
    Octet,
    /// The line is too long.
    Long,
    /// The answer is no answer.
    Garbage,
}

impl Trouble {
    /// Every one.
    pub const ALL: [Self; 6] = [Self::None, Self::Refused, Self::Closed, Self::Octet, Self::Long, Self::Garbage];
}

/// A secret on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// How it is used.
    pub used: Use,
    /// What goes wrong.
    pub trouble: Trouble,
    /// Where what is sent is cut.
    pub cut: usize,
    /// Values are shown by `{:#?}` instead of `{:?}`.
    pub pretty: bool,
    /// The secret: 32 hexadecimal digits, so that it can be a digest as well.
    pub secret: String,
}

impl<'a> Arbitrary<'a> for Plan {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let used = Use::ALL[usize::from(octet(u)) % Use::ALL.len()];
        let trouble = Trouble::ALL[usize::from(octet(u)) % Trouble::ALL.len()];
        let cut = usize::from(octet(u));
        let (cut, pretty) = (cut & 127, cut & 128 != 0);
        // Digits that nothing else holds eight of in a row, mixed with what the fuzzer gives.
        let mut secret = *b"9f86d081884c7d659a2feaa0c55ad015";
        for (place, &more) in secret.iter_mut().step_by(2).zip(rest(u)) {
            *place = b"0123456789abcdef"[usize::from(more & 15)];
        }
        let secret = secret.iter().map(|&digit| char::from(digit)).collect();
        Ok(Self { used, trouble, cut, pretty, secret })
    }
}

fn plan(octets: &[u8]) -> Plan {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        used: Use::Pass,
        trouble: Trouble::None,
        cut: 0,
        pretty: false,
        secret: String::new(),
    })
}

/// Holds what is printed to the promise.
///
/// # Errors
///
/// The finding.
pub fn check(plan: &Plan, handler: &mut impl Handler) -> Verdict {
    let mut printed = Printed(String::with_capacity(16 * 1024));
    handler.handle(plan, &mut printed);

    let written = Written::new(plan.secret.as_bytes());
    let shown = Marks::of(&written).first_in(printed.0.as_bytes()).map(Octets);
    ensure!(shown.is_none(), "P31", "{shown:?} of the secret is in {:?}", printed.0);
    Ok(())
}

/// The secret as it could be written: plain, in hexadecimal of either case, as decimal numbers, and in base64 at each
/// of its three phases.
struct Written {
    plain: Vec<u8>,
    hex: [Vec<u8>; 2],
    /// And where each number begins.
    numbers: (Vec<u8>, Vec<usize>),
    base64: [Vec<u8>; 3],
}

impl Written {
    fn new(secret: &[u8]) -> Self {
        let hex = to_hex(secret);
        let upper = hex.to_ascii_uppercase();
        let mut numbers = (Vec::with_capacity(4 * secret.len()), vec![]);
        for octet in secret {
            numbers.1.push(numbers.0.len());
            let _ = write!(numbers.0, "{octet},");
        }
        let base64 = [0, 1, 2].map(|phase| to_base64(secret.get(phase..).unwrap_or_default()));
        Self { plain: secret.to_vec(), hex: [hex, upper], numbers, base64 }
    }

    /// What must not show: any eight octets of the secret, however they are written. In base64 it is the quartets that
    /// hold nine octets and nothing beyond them, wherever the secret began.
    fn marks(&self) -> impl Iterator<Item = &[u8]> {
        let hex = self.hex.iter().flat_map(|hex| hex.windows(16).step_by(2));
        let (numbers, starts) = &self.numbers;
        let ends = starts.iter().skip(8).copied().chain([numbers.len()]);
        let numbers = starts.iter().zip(ends).map(|(&start, end)| &numbers[start..end - 1]);
        let base64 =
            self.base64.iter().flat_map(|text| text.windows(12).step_by(4)).filter(|text| !text.contains(&b'='));
        self.plain.windows(8).chain(hex).chain(numbers).chain(base64)
    }
}

/// The marks by their first eight octets.
struct Marks<'w> {
    slots: [Option<(u64, &'w [u8])>; SLOTS],
}

const SLOTS: usize = 1024;

impl<'w> Marks<'w> {
    fn of(written: &'w Written) -> Self {
        let mut slots = [None; SLOTS];
        for mark in written.marks() {
            let key = mark.iter().take(8).fold(0, |key, &octet| key << 8 | u64::from(octet));
            let free = probes(key).find(|&slot| slots[slot].is_none()).expect("there are far fewer marks than slots");
            slots[free] = Some((key, mark));
        }
        Self { slots }
    }

    /// The first mark that the text shows. White space does not count: `{:#?}` puts it between numbers.
    fn first_in(&self, text: &[u8]) -> Option<&'w [u8]> {
        let mut key = 0;
        for (at, &octet) in text.iter().enumerate() {
            if octet.is_ascii_whitespace() {
                continue;
            }
            key = key << 8 | u64::from(octet);
            for slot in probes(key) {
                let Some((known, mark)) = self.slots[slot] else { break };
                let mut behind = text[at + 1..].iter().filter(|octet| !octet.is_ascii_whitespace());
                if known == key && mark[8..].iter().all(|octet| behind.next() == Some(octet)) {
                    return Some(mark);
                }
            }
        }
        None
    }
}

/// Where a mark is kept: in the first of these slots that was free.
fn probes(key: u64) -> impl Iterator<Item = usize> {
    let first = (key.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54) as usize;
    (0..SLOTS).map(move |step| (first + step) % SLOTS)
}

/// What `pop3-proto` prints.
#[derive(Clone, Copy, Debug)]
pub struct Ours(pub Ways);

impl Handler for Ours {
    fn handle(&mut self, plan: &Plan, printed: &mut Printed) {
        let mut seen = Seen { printed, trace: Trace::new(), pretty: plan.pretty, values: 0, ways: self.0 };
        if let Err(misuse) = handled(plan, &mut seen) {
            seen.error(&misuse);
        }
    }
}

struct Seen<'p> {
    printed: &'p mut Printed,
    trace: Trace,
    pretty: bool,
    /// How many values there were to be shown.
    values: u64,
    ways: Ways,
}

impl Seen<'_> {
    fn value(&mut self, value: &impl Debug) {
        self.values += 1;
        if self.ways.takes(self.values, 8) {
            if self.pretty {
                self.printed.add(format_args!("{value:#?}"));
            } else {
                self.printed.add(format_args!("{value:?}"));
            }
        }
    }

    fn error(&mut self, error: &(impl Debug + Display)) {
        self.value(error);
        self.printed.add(error);
    }

    fn client_sends(&mut self, octets: &[u8]) {
        self.trace.client(octets, |line| self.printed.add(line));
    }

    fn server_sends(&mut self, octets: &[u8]) {
        self.trace.server(octets, |line| self.printed.add(line));
    }
}

fn handled(plan: &Plan, seen: &mut Seen<'_>) -> std::result::Result<(), Misuse> {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| {
        let config = Config::new()
            .allow_cleartext_login()
            .allow_apop_md5()
            .builtin_mechanisms([Builtin::Plain, Builtin::Login, Builtin::Xoauth2])
            .with_quirk(Quirk::TrailingSpaces);
        Arc::new(config.sasl_mechanisms(["X-TWO"]).expect("the name of a mechanism"))
    });
    let greeting = Greeting::text("ready")?.with_timestamp("<1896.697170952@dbc.mtview.ca.us>")?;
    let mut wire = vec![];
    let mut server = Server::over_tls(Arc::clone(&CONFIG), greeting, &mut wire);
    let mut client = Client::over_tls(Arc::clone(&CONFIG), Peer::Verified);
    seen.server_sends(&wire);
    if let Ok(Some(event)) = client.next_event(&mut &wire[..]) {
        seen.value(&event);
    }

    let mut exchange = None;
    let mut lines = vec![];
    match plan.used {
        Use::Pass => {
            client.send(&Command::user("mrose")?, &mut lines)?;
            talk(plan, &mut client, &mut server, &mut lines, seen, exchange.as_mut())?;
            let command = Command::pass(&plan.secret)?;
            seen.value(&command);
            seen.value(&command.clone().into_owned());
            client.send(&command, &mut lines)?;
        }
        Use::Apop => {
            let command = Command::apop("mrose", &plan.secret)?;
            seen.value(&command);
            client.send(&command, &mut lines)?;
        }
        Use::Response => client.send(&Command::auth("X-TWO")?, &mut lines)?,
        Use::Plain | Use::Login | Use::Token => {
            let made = match plan.used {
                Use::Plain => Exchange::plain("", "mrose", &plan.secret)?,
                Use::Login => Exchange::login("mrose", &plan.secret)?,
                _ => Exchange::xoauth2("mrose", &plan.secret)?,
            };
            let made = exchange.insert(made);
            seen.value(made);
            client.authenticate(made, &mut lines)?;
            seen.value(&made.failure());
        }
    }
    talk(plan, &mut client, &mut server, &mut lines, seen, exchange.as_mut())?;
    seen.value(&exchange);
    seen.value(&Secret::from(plan.secret.as_bytes()));
    seen.printed.add(Secret::from(plan.secret.as_bytes()));
    seen.value(&Logins::new());
    seen.value(&Client::default());
    // What is refused does not say what it was given.
    let spoilt = format!("{}\n", plan.secret);
    for refused in [Command::pass(&spoilt), Command::user(&spoilt), Command::apop("mrose", &spoilt)] {
        match refused {
            Ok(command) => seen.value(&command),
            Err(misuse) => seen.error(&misuse),
        }
    }
    Ok(())
}

/// Carries what the client sends to the server, and back, until neither says more.
fn talk(
    plan: &Plan,
    client: &mut Client,
    server: &mut Server,
    lines: &mut Vec<u8>,
    seen: &mut Seen<'_>,
    mut exchange: Option<&mut Exchange<'_>>,
) -> std::result::Result<(), Misuse> {
    for _turn in 0..6 {
        if lines.is_empty() {
            break;
        }
        spoil(plan, lines);
        seen.client_sends(lines);
        let mut wire = vec![];
        let (front, behind) = lines.split_at(plan.cut.min(lines.len()));
        for mut piece in [front, behind] {
            loop {
                match server.next_event(&mut piece, &mut wire) {
                    Ok(Some(incoming)) => {
                        seen.value(&incoming);
                        seen.value(&incoming.clone().into_owned());
                        answer(plan, &incoming, server, &mut wire)?;
                    }
                    Ok(None) => break,
                    Err(error) => {
                        seen.error(&error);
                        break;
                    }
                }
            }
            seen.value(server);
        }
        lines.clear();
        if plan.trouble == Trouble::Garbage {
            wire = b"what is this?\r\n".to_vec();
        }
        if plan.trouble == Trouble::Closed && !wire.starts_with(b"+ ") {
            match client.handle_eof() {
                Ok(()) => {}
                Err(error) => seen.error(&error),
            }
            seen.value(client);
            return Ok(());
        }
        seen.server_sends(&wire);
        let mut input = &wire[..];
        loop {
            match client.next_event(&mut input) {
                Ok(Some(Event::Challenge(challenge))) => {
                    seen.value(&challenge);
                    match exchange.as_deref_mut() {
                        Some(exchange) => client.answer(&challenge, exchange, lines)?,
                        None => client.respond(plan.secret.as_bytes(), lines)?,
                    }
                }
                Ok(Some(event)) => seen.value(&event),
                Ok(None) => break,
                Err(error) => {
                    seen.error(&error);
                    break;
                }
            }
        }
        seen.value(client);
        seen.printed.add(client.awaiting());
    }
    Ok(())
}

/// What is sent in trouble.
fn spoil(plan: &Plan, lines: &mut Vec<u8>) {
    let end = lines.len().saturating_sub(2);
    match plan.trouble {
        Trouble::Octet => lines.insert(end, 1),
        Trouble::Long => {
            let filler = b"0123456789".repeat(60);
            lines.splice(end..end, filler);
        }
        _ => {}
    }
}

fn answer(
    plan: &Plan,
    incoming: &Incoming<'_>,
    server: &mut Server,
    out: &mut Vec<u8>,
) -> std::result::Result<(), Misuse> {
    let ok = plan.trouble != Trouble::Refused;
    match incoming {
        Incoming::Refused { .. } | Incoming::Cancelled => Ok(()),
        Incoming::Auth(auth) if auth.initial_line().is_none() => server.challenge(b"", out),
        Incoming::Login(Login::Bearer { .. }) if !ok => server.reject_token("{}", out),
        Incoming::Login(_) | Incoming::Response(_) if !ok => server.reply(&Reply::err("no")?, out),
        _ => server.reply(&Reply::ok("yes")?, out),
    }
}
