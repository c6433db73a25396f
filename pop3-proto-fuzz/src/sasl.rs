//! Target 10: SASL exchanges: identities are checked, garbage and `*` get one `-ERR` each and leave nothing behind, and
//! what a client says a server understands (P8, P12, P36).
//!
//! The plan: an octet of settings, a chunk of cuts, and lines: an octet for what is sent (its low three bits say how,
//! the others in which mechanism) and a chunk.

use crate::finding::{ensure, same};
use crate::naive::command::is_name;
use crate::naive::sasl::{Exchange as Naive, Login, MECHANISMS, OWN, Turn};
use crate::naive::server::Settings;
use crate::naive::{base64, looks_like_base64, split, to_base64};
use crate::plan::{Cuts, Octets, chunk, octet};
use crate::server_hostile_client::{self as server, ServerSide};
use crate::{Target, Verdict, Ways};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::{Client, Config, Event, Exchange, InitialResponse, Misuse, Peer};
use std::sync::{Arc, LazyLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "sasl",
    check: |octets, ways| {
        let plan = plan(octets);
        if ways.takes(0, 2) {
            check_ways(&plan, ways.again(), server::Ours::new)?;
        }
        if ways.takes(1, 2) {
            at_client(&plan, ways.again())?;
            challenged(&plan)?;
        }
        Ok(())
    },
    show: |octets| {
        let plan = plan(octets);
        format!("{plan:#?}\nas sent: {:?}", Octets(&plan.octets()))
    },
};

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move<'a> {
    /// AUTH with these octets as initial response, in base64.
    Initial(&'static str, Octets<'a>),
    /// AUTH, and these octets as response, in base64.
    Auth(&'static str, Octets<'a>),
    /// These octets as response, in base64.
    Respond(Octets<'a>),
    /// This line.
    Line(Octets<'a>),
    /// `*`
    Cancel,
    /// AUTH with this as initial response, as it is.
    RawInitial(&'static str, Octets<'a>),
    /// That many quartets of base64, and four times as many again.
    Long(usize),
    /// AUTH and nothing.
    Begin(&'static str),
}

/// A few exchanges.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// How the server is set up.
    pub settings: Settings,
    /// Where the client's octets are cut.
    pub cuts: Cuts<'a>,
    /// What the client does.
    pub moves: Vec<Move<'a>>,
}

/// Every mechanism, that of the application included, and one that is not there.
pub const ALL: [&str; 8] =
    [MECHANISMS[0], MECHANISMS[1], MECHANISMS[2], MECHANISMS[3], MECHANISMS[4], MECHANISMS[5], OWN, "CRAM-MD5"];

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let settings = Settings { sasl: true, ..Settings::new(octet(u)) };
        let (cuts, mut moves) = (Cuts(chunk(u)), vec![]);
        while !u.is_empty() {
            let kind = octet(u);
            let mechanism = ALL[usize::from(kind >> 3) % ALL.len()];
            moves.push(match kind & 7 {
                0 => Move::Initial(mechanism, Octets(chunk(u))),
                1 => Move::Auth(mechanism, Octets(chunk(u))),
                2 => Move::Respond(Octets(chunk(u))),
                3 => Move::Line(Octets(chunk(u))),
                4 => Move::Cancel,
                5 => Move::RawInitial(mechanism, Octets(chunk(u))),
                6 => Move::Long(usize::from(octet(u))),
                _ => Move::Begin(mechanism),
            });
        }
        Ok(Self { settings, cuts, moves })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        settings: Settings::new(0),
        cuts: Cuts::WHOLE,
        moves: vec![],
    })
}

impl Plan<'_> {
    /// What the client sends.
    fn octets(&self) -> Vec<u8> {
        let mut octets = Vec::with_capacity(512);
        let mut put = |pieces: [&[u8]; 4]| pieces.into_iter().for_each(|piece| octets.extend_from_slice(piece));
        for step in &self.moves {
            match *step {
                Move::Initial(mechanism, Octets(b"")) => put([b"AUTH ", mechanism.as_bytes(), b" ", b"="]),
                Move::Initial(mechanism, Octets(message)) => {
                    put([b"AUTH ", mechanism.as_bytes(), b" ", &to_base64(message)]);
                }
                Move::Auth(mechanism, Octets(message)) => {
                    put([b"AUTH ", mechanism.as_bytes(), b"\r\n", &to_base64(message)]);
                }
                Move::Respond(Octets(message)) => put([&to_base64(message), b"", b"", b""]),
                Move::Line(Octets(line)) => put([line, b"", b"", b""]),
                Move::Cancel => put([b"*", b"", b"", b""]),
                Move::RawInitial(mechanism, Octets(line)) => put([b"AUTH ", mechanism.as_bytes(), b" ", line]),
                Move::Long(quartets) => put([&b"QUJD".repeat(quartets * 4), b"", b"", b""]),
                Move::Begin(mechanism) => put([b"AUTH ", mechanism.as_bytes(), b"", b""]),
            }
            put([b"\r\n", b"", b"", b""]);
        }
        octets
    }
}

/// Holds a server against the naive one: every answer, and who it says tried to log in.
///
/// # Errors
///
/// The finding.
pub fn check<S: ServerSide>(plan: &Plan<'_>, begin: impl Fn(Settings, &mut Vec<u8>) -> S) -> Verdict {
    check_ways(plan, Ways::ALL, begin)
}

fn check_ways<S: ServerSide>(plan: &Plan<'_>, ways: Ways, begin: impl Fn(Settings, &mut Vec<u8>) -> S) -> Verdict {
    let octets = plan.octets();
    let turns = vec![server::Turn::Hear(Octets(&octets)), server::Turn::Hear(Octets(b"\r\nCAPA\r\nQUIT\r\n"))];
    server::check_ways(&server::Plan { settings: plan.settings, cuts: plan.cuts, turns }, ways, begin)
}

/// What a client says in each mechanism, the naive server understands: the fields are those that were given.
fn at_client(plan: &Plan<'_>, ways: Ways) -> Verdict {
    for step in &plan.moves {
        let (Move::Initial(mechanism, Octets(fields)) | Move::Auth(mechanism, Octets(fields))) = *step else {
            continue;
        };
        let (name, secret) = split(fields, 0);
        let (Ok(name), Ok(secret)) = (std::str::from_utf8(name), std::str::from_utf8(secret.unwrap_or_default()))
        else {
            continue;
        };
        let (octets, secret_octets) = (name.as_bytes().to_vec(), secret.as_bytes().to_vec());
        let expected = match mechanism {
            "PLAIN" | "LOGIN" => Login::Pass(octets, secret_octets),
            "EXTERNAL" => Login::External((!octets.is_empty()).then_some(octets)),
            "ANONYMOUS" => Login::Anonymous(octets),
            _ => Login::Bearer(Some(octets), secret_octets),
        };
        for (place, initial) in
            [InitialResponse::Auto, InitialResponse::Never, InitialResponse::Always].into_iter().enumerate()
        {
            if !ways.takes(place as u64, 3) {
                continue;
            }
            let exchange = match mechanism {
                "PLAIN" => Exchange::plain("", name, secret),
                "LOGIN" => Exchange::login(name, secret),
                "EXTERNAL" => Exchange::external(name),
                "ANONYMOUS" => Exchange::anonymous(name),
                "XOAUTH2" => Exchange::xoauth2(name, secret),
                "OAUTHBEARER" => Exchange::oauthbearer(name, "pop.example.org", 995, secret),
                _ => break,
            };
            // What the constructor refuses is for `command_build`.
            let Ok(mut exchange) = exchange else { break };
            match spoken(&mut exchange, initial) {
                Ok(got) => understood(mechanism, name, secret, &expected, got.as_ref())?,
                Err(misuse) => ensure!(false, "P36", "{mechanism} cannot be spoken: {misuse}"),
            }
        }
    }
    Ok(())
}

/// A client answers whatever challenge with one line; what is no base64 it answers with `*`, and the `-ERR` behind that
/// leaves nothing behind (RFC 5034 §4).
fn challenged(plan: &Plan<'_>) -> Verdict {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::new().strict()));
    for step in &plan.moves {
        let Move::Line(Octets(text)) = *step else { continue };
        if text.contains(&b'\n') {
            continue;
        }
        let mut client = Client::over_tls(Arc::clone(&CONFIG), Peer::Verified);
        let mut out = vec![];
        let greeted = client.next_event(&mut &b"+OK\r\n"[..]).is_ok();
        let exchange = Exchange::plain("", "mrose", "tanstaaf");
        let Ok(mut exchange) = exchange else { continue };
        let begun = client.authenticate(&mut exchange, &mut out);
        ensure!(greeted && begun.is_ok() && out == b"AUTH PLAIN\r\n", "P36", "no way to a challenge: {begun:?}");
        out.clear();
        let line = [b"+ ", text, b"\r\n"].concat();
        let mut input = &line[..];
        let Ok(Some(Event::Challenge(challenge))) = client.next_event(&mut input) else {
            ensure!(line.len() > 512, "P36", "{:?} is no challenge", Octets(&line));
            continue;
        };
        ensure!(client.answer(&challenge, &mut exchange, &mut out).is_ok(), "P36", "no answer to {challenge:?}");
        let expected: &[u8] = if base64(text).is_some() { b"AG1yb3NlAHRhbnN0YWFm\r\n" } else { b"*\r\n" };
        same!(Octets(expected), Octets(&out), "P12, P36", format!("the answer to the challenge {:?}", Octets(text)));
        let ended = matches!(client.next_event(&mut &b"-ERR no\r\n"[..]), Ok(Some(Event::Err { .. })));
        ensure!(ended && client.outstanding() == 0, "P36", "the exchange leaves something behind");
    }
    Ok(())
}

/// Fields that a server would not take need not be understood; others must.
fn understood(mechanism: &str, name: &str, secret: &str, expected: &Login, got: Option<&Login>) -> Verdict {
    let sound = |field: &str| is_name(field.as_bytes(), true);
    let must = match mechanism {
        "PLAIN" | "LOGIN" => sound(name) && sound(secret),
        "EXTERNAL" => name.is_empty() || sound(name),
        "ANONYMOUS" => name.is_empty() || sound(name),
        // A token is visible ASCII; a name may need escapes.
        _ => sound(name) && secret.bytes().all(|octet| octet.is_ascii_graphic()),
    };
    match got {
        // What is no token of visible ASCII may be refused, or heard as another.
        Some(Login::Bearer(..)) if !must => {}
        Some(got) => same!(expected, got, "P12", format!("what {mechanism} says")),
        None => ensure!(!must, "P12", "{mechanism} says nothing a server understands for {name:?} and {secret:?}"),
    }
    Ok(())
}

/// Lets a client talk to the naive server; what that understood.
fn spoken(exchange: &mut Exchange<'_>, initial: InitialResponse) -> std::result::Result<Option<Login>, Misuse> {
    static CONFIGS: LazyLock<[Arc<Config>; 3]> = LazyLock::new(|| {
        [InitialResponse::Auto, InitialResponse::Never, InitialResponse::Always]
            .map(|initial| Arc::new(Config::new().initial_response(initial)))
    });
    let config = match initial {
        InitialResponse::Auto => &CONFIGS[0],
        InitialResponse::Never => &CONFIGS[1],
        _ => &CONFIGS[2],
    };
    let mut client = Client::over_tls(Arc::clone(config), Peer::Verified);
    let mut out = vec![];
    let greeted = client.next_event(&mut &b"+OK\r\n"[..]).is_ok();
    client.send(&pop3_proto::Command::Capa, &mut vec![])?;
    let mut list = &b"+OK\r\nSASL PLAIN LOGIN\r\n.\r\n"[..];
    while let Ok(Some(_)) = client.next_event(&mut list) {}
    assert!(greeted && list.is_empty(), "the way to AUTH is well known");
    client.authenticate(exchange, &mut out)?;
    assert!(out.len() <= 255 && out.ends_with(b"\r\n"), "P10: {:?}", Octets(&out));
    let line = out[..out.len() - 2].to_vec();
    let mut words = line.split(|&octet| octet == b' ').skip(1);
    let (mechanism, sent) = (words.next().unwrap_or_default(), words.next());
    // RFC 5034 §4, and what was set: with the command, or behind an empty challenge because it would not fit.
    let bearer = mechanism == b"XOAUTH2" || mechanism == b"OAUTHBEARER";
    let inlines = mechanism != b"LOGIN"
        && match initial {
            InitialResponse::Never => false,
            InitialResponse::Auto => !bearer,
            _ => true,
        };
    assert!(inlines || sent.is_none(), "P8: an initial response in {mechanism:?} with {initial:?}");
    let mut fits = inlines && sent.is_none();
    let (mut naive, mut turn) = Naive::begin(mechanism, sent);
    loop {
        match turn {
            Turn::Refused => return Ok(None),
            Turn::Login(login) => return Ok(Some(login)),
            Turn::Challenge(challenge) => {
                let challenge = [b"+ ", &to_base64(challenge)[..], b"\r\n"].concat();
                let Ok(Some(Event::Challenge(event))) = client.next_event(&mut &challenge[..]) else {
                    panic!("P36: {:?} is no challenge", Octets(&challenge));
                };
                out.clear();
                client.answer(&event, exchange, &mut out)?;
                let response = out.strip_suffix(b"\r\n").unwrap_or_default();
                assert!(response.is_empty() || response == b"*" || looks_like_base64(response), "P12: {response:?}");
                let octets = b"AUTH  \r\n".len() + mechanism.len() + response.len();
                assert!(!std::mem::take(&mut fits) || octets > 255, "P10: {octets} octets would fit into the line");
                if response == b"*" {
                    return Ok(None);
                }
                assert!(base64(response).is_some(), "P12: canonical base64");
                turn = naive.response(response);
            }
        }
    }
}
