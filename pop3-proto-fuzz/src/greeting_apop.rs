//! Target 12: the timestamp of a greeting is the one that RFC 1939 §7 and RFC 6151 §2.1 allow, or none (P13).
//!
//! The plan: a chunk that a server is asked to put into its greeting as a timestamp, and the text of the greeting.

use crate::finding::{ensure, same};
use crate::naive::reply::timestamp;
use crate::naive::{is_control, is_visible};
use crate::plan::{Octets, chunk, rest};
use crate::{Target, Verdict};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::{Client, Command, Config, Event, Greeting, Misuse, Peer, Server, Timestamp};
use std::sync::{Arc, LazyLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "greeting_apop",
    check: |octets, _| {
        let plan = plan(octets);
        check(&plan, &mut Ours)?;
        at_client(&plan)?;
        at_server(&plan)
    },
    show: |octets| format!("{:#?}", plan(octets)),
};

/// Finds the timestamp of a greeting.
pub trait TimestampFinder {
    /// The timestamp with its angle brackets.
    fn find(&mut self, text: &[u8]) -> Option<Vec<u8>>;
}

/// A greeting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What a server is given as a timestamp.
    pub timestamp: Octets<'a>,
    /// The text behind `+OK `.
    pub text: Octets<'a>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { timestamp: Octets(chunk(u)), text: Octets(rest(u)) })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan { timestamp: Octets(&[]), text: Octets(&[]) })
}

/// Holds a finder against the naive one.
///
/// # Errors
///
/// The finding.
pub fn check(plan: &Plan<'_>, finder: &mut impl TimestampFinder) -> Verdict {
    for text in [plan.text.0, plan.timestamp.0] {
        let (expected, got) = (timestamp(text), finder.find(text));
        same!(expected.as_deref().map(Octets), got.as_deref().map(Octets), "P13", "the timestamp");
    }
    Ok(())
}

/// [`Timestamp::find`].
#[derive(Clone, Copy, Debug)]
pub struct Ours;

impl TimestampFinder for Ours {
    fn find(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        Timestamp::find(text).map(|timestamp| timestamp.as_bytes().to_vec())
    }
}

const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";

fn config() -> Arc<Config> {
    static CONFIG: LazyLock<Arc<Config>> =
        LazyLock::new(|| Arc::new(Config::new().allow_cleartext_login().allow_apop_md5().with_stls()));
    Arc::clone(&CONFIG)
}

/// A client can send APOP if and only if the greeting holds a timestamp, and never behind STLS.
fn at_client(plan: &Plan<'_>) -> Verdict {
    let text = plan.text.0;
    if text.contains(&b'\n') || text.len() > 500 {
        return Ok(());
    }
    let greeting = [b"+OK ", text, b"\r\n"].concat();
    let (mut client, mut out) = (Client::with_config(config()), vec![]);
    let expected = timestamp(text);
    match client.next_event(&mut &greeting[..]) {
        Ok(Some(Event::Greeting { timestamp, .. })) => {
            let got = timestamp.as_ref().map(|timestamp| Octets(timestamp.as_bytes()));
            same!(expected.as_deref().map(Octets), got, "P13", "the timestamp in the event");
        }
        other => ensure!(false, "P13", "the greeting gives {other:?}"),
    }
    same!(expected.is_some(), client.offers_apop(), "P13", "whether APOP is offered");
    let Ok(apop) = Command::apop("mrose", DIGEST) else { return Ok(()) };
    let may = client.may_send(&apop);
    same!(if expected.is_some() { Ok(()) } else { Err(Misuse::NoTimestamp) }, may, "P13", "whether APOP may be sent");
    let sent = client.send(&Command::Stls, &mut out);
    let heard = client.next_event(&mut &b"+OK\r\n"[..]).map(|_| ());
    let tls = client.tls_established(Peer::Verified);
    ensure!(sent.is_ok() && heard.is_ok() && tls.is_ok(), "P1", "no way through STLS: {sent:?} {heard:?} {tls:?}");
    same!(Err(Misuse::NoTimestamp), client.send(&apop, &mut out), "P13", "the timestamp is forgotten at STLS: APOP");
    Ok(())
}

/// What a server announces, a client finds; and what is no timestamp, a server does not announce.
fn at_server(plan: &Plan<'_>) -> Verdict {
    let (Ok(text), Ok(stamp)) = (std::str::from_utf8(plan.text.0), std::str::from_utf8(plan.timestamp.0)) else {
        return Ok(());
    };
    let Ok(greeting) = Greeting::text(text) else { return Ok(()) };
    ensure!(!text.bytes().any(is_control), "P11", "the greeting's text holds a control character");
    let whole = timestamp(stamp.as_bytes()).is_some_and(|found| found == stamp.as_bytes()) && stamp.len() <= 255;
    let greeting = greeting.with_timestamp(stamp);
    same!(whole, greeting.is_ok(), "P13", "whether a server takes the timestamp");
    let Ok(greeting) = greeting else { return Ok(()) };
    ensure!(stamp.bytes().all(is_visible), "P13", "the timestamp holds {stamp:?}");
    let mut out = vec![];
    let _server = Server::new(config(), greeting, &mut out);
    let line = out.strip_suffix(b"\r\n").unwrap_or_default();
    ensure!(!line.contains(&b'\n') && out.len() <= 512, "P11", "the greeting is {:?}", Octets(&out));
    let found = line.strip_prefix(b"+OK ").and_then(timestamp);
    same!(
        Some(Octets(stamp.as_bytes())),
        found.as_deref().map(Octets),
        "P13",
        "a client finds what a server announces"
    );
    Ok(())
}
