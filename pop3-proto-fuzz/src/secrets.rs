//! Target 11: a secret is in nothing that prints: `Debug`, `Display`, errors, traces; neither plain nor in base64, in
//! hexadecimal or as a list of numbers, nor any eight octets of it (P31).
//!
//! The plan: an octet for how the secret is used, an octet for what goes wrong, an octet for where what is sent is cut
//! (its highest bit chooses `{:#?}`), and the octets of which the secret is made.

use crate::finding::ensure;
use crate::naive::{to_base64, to_hex};
use crate::plan::{octet, rest};
use crate::{Target, Verdict};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::{
    Builtin, Client, Command, Config, Event, Exchange, Greeting, Incoming, Login, Misuse, Peer, Plan as Logins, Quirk,
    Reply, Secret, Server, Trace,
};
use std::fmt::{Debug, Display};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "secrets",
    check: |octets| check(&plan(octets), &mut Ours),
    show: |octets| format!("{:#?}", plan(octets)),
};

/// Whatever handles a secret, and prints things meanwhile.
pub trait Handler {
    /// Handles the secret as the plan says; all that was printed.
    fn handle(&mut self, plan: &Plan) -> Vec<String>;
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
    let marks = marks(plan.secret.as_bytes());
    // A first look at eight octets at a time: most of what is printed ends here.
    let mut begins = [0_u64; 64];
    let place = |window: &[u8]| {
        let number = window.iter().fold(0_u64, |number, &octet| number << 8 | u64::from(octet));
        let place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 52;
        (place as usize / 64, 1_u64 << (place % 64))
    };
    for mark in &marks {
        let (at, bit) = place(&mark[..8]);
        begins[at] |= bit;
    }
    for printed in handler.handle(plan) {
        // Numbers are looked for without the white space of `{:#?}`.
        let dense: Vec<u8> = printed.bytes().filter(|octet| !octet.is_ascii_whitespace()).collect();
        for start in 0..dense.len().saturating_sub(7) {
            let (at, bit) = place(&dense[start..start + 8]);
            if begins[at] & bit != 0 {
                let shows = marks.iter().find(|mark| dense[start..].starts_with(mark));
                let shown = shows.map(|mark| String::from_utf8_lossy(mark));
                ensure!(shows.is_none(), "P31", "{shown:?} of the secret is in {printed:?}");
            }
        }
    }
    Ok(())
}

/// What must not show: any eight octets of the secret, plain, in base64 at each of its three phases, in hexadecimal of
/// either case, and as decimal numbers.
fn marks(secret: &[u8]) -> Vec<Vec<u8>> {
    let mut marks = vec![];
    let mut add = |octets: Vec<u8>| marks.push(octets);
    for (start, window) in secret.windows(8).enumerate() {
        add(window.to_vec());
        add(to_hex(window));
        add(to_hex(window).to_ascii_uppercase());
        add(window.iter().map(u8::to_string).collect::<Vec<_>>().join(",").into_bytes());
        // Whole quartets of base64 that hold the window and nothing beyond it, wherever the secret began.
        if start + 9 <= secret.len() {
            add(to_base64(&secret[start..start + 9]));
        }
    }
    marks
}

/// What `pop3-proto` prints.
#[derive(Clone, Copy, Debug)]
pub struct Ours;

impl Handler for Ours {
    fn handle(&mut self, plan: &Plan) -> Vec<String> {
        let mut seen = Seen { printed: vec![], trace: Trace::new(), pretty: plan.pretty };
        if let Err(misuse) = handled(plan, &mut seen) {
            seen.error(&misuse);
        }
        seen.printed
    }
}

struct Seen {
    printed: Vec<String>,
    trace: Trace,
    pretty: bool,
}

impl Seen {
    fn value(&mut self, value: &impl Debug) {
        self.printed.push(if self.pretty { format!("{value:#?}") } else { format!("{value:?}") });
    }

    fn error(&mut self, error: &(impl Debug + Display)) {
        self.value(error);
        self.printed.push(error.to_string());
    }

    fn client_sends(&mut self, octets: &[u8]) {
        self.trace.client(octets, |line| self.printed.push(line.to_string()));
    }

    fn server_sends(&mut self, octets: &[u8]) {
        self.trace.server(octets, |line| self.printed.push(line.to_string()));
    }
}

fn handled(plan: &Plan, seen: &mut Seen) -> std::result::Result<(), Misuse> {
    let config = Config::new()
        .allow_cleartext_login()
        .allow_apop_md5()
        .builtin_mechanisms([Builtin::Plain, Builtin::Login, Builtin::Xoauth2])
        .sasl_mechanisms(["X-TWO"])?
        .with_quirk(Quirk::TrailingSpaces);
    let greeting = Greeting::text("ready")?.with_timestamp("<1896.697170952@dbc.mtview.ca.us>")?;
    let mut wire = vec![];
    let mut server = Server::over_tls(config.clone(), greeting, &mut wire);
    let mut client = Client::over_tls(config, Peer::Verified);
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
    seen.printed.push(Secret::from(plan.secret.as_bytes()).to_string());
    seen.value(&Logins::new());
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
    seen: &mut Seen,
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
        seen.printed.push(client.awaiting().to_string());
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
