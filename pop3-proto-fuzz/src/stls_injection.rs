//! Target 9: a valid session with an edit anywhere before TLS: that is fatal, or makes no difference behind the
//! handshake, on either side (P1-P5).
//!
//! The plan: an octet of settings (its lowest bit says that it is the client who is attacked), an octet for which
//! session, the place of the edit in two octets, how many octets are taken out there, a chunk of cuts, and the octets
//! that are put in.

use crate::client_hostile_server::{self as client, ClientSide};
use crate::finding::same;
use crate::naive::server::Settings;
use crate::naive::session::{Heard, Request};
use crate::plan::{Cuts, Octets, chunk, octet, rest};
use crate::server_hostile_client::{self as server, ServerSide};
use crate::{Target, Verdict, Ways};
use arbitrary::{Arbitrary, Result, Unstructured};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "stls_injection",
    check: |octets, ways| check_ways(&plan(octets), ways, client::Ours::new, server::Ours::new),
    show: |octets| {
        let plan = plan(octets);
        format!("{plan:#?}\nas edited: {:#?}", plan.edited())
    },
};

/// Who is attacked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Victim {
    /// The client: the server's octets are edited.
    Client(client::Settings),
    /// The server: the client's octets are edited.
    Server(Settings),
}

/// An attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Who is attacked.
    pub victim: Victim,
    /// Which session.
    pub session: usize,
    /// Where.
    pub at: usize,
    /// How many octets are taken out.
    pub out: usize,
    /// How what comes is cut.
    pub cuts: Cuts<'a>,
    /// What is put in.
    pub put: Octets<'a>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let bits = octet(u);
        let victim = if bits & 1 != 0 {
            Victim::Client(client::Settings { over_tls: false, ..client::Settings::new(bits >> 1) })
        } else {
            Victim::Server(Settings { over_tls: false, stls: true, ..Settings::new(bits >> 1) })
        };
        let session = usize::from(octet(u));
        let at = usize::from(octet(u)) << 8 | usize::from(octet(u));
        Ok(Self { victim, session, at, out: usize::from(octet(u)), cuts: Cuts(chunk(u)), put: Octets(rest(u)) })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        victim: Victim::Server(Settings::new(0)),
        session: 0,
        at: 0,
        out: 0,
        cuts: Cuts::WHOLE,
        put: Octets(&[]),
    })
}

/// What a client sends in the clear.
pub const CLIENT_SESSIONS: [&str; 5] = [
    "STLS\r\n",
    "CAPA\r\nSTLS\r\n",
    "USER mrose\r\nSTLS\r\n",
    "LANG en\r\nNOOP\r\nSTLS\r\n",
    "AUTH PLAIN\r\n*\r\nSTLS\r\n",
];

/// What a client sends on TLS.
pub const ON_TLS: &str = "PASS tanstaaf\r\nCAPA\r\nSTLS\r\nAPOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n\
                          USER mrose\r\nPASS tanstaaf\r\nLIST\r\nDELE 1\r\nQUIT\r\n";

/// What a server sends in the clear: the greeting, the answer to CAPA, the answer to STLS.
pub const SERVER_SESSIONS: [[&str; 3]; 3] = [
    ["+OK ready\r\n", "+OK\r\nSTLS\r\n.\r\n", "+OK begin\r\n"],
    [
        "+OK ready <1896.697170952@dbc.mtview.ca.us>\r\n",
        "+OK\r\nSTLS\r\nPIPELINING\r\nSASL PLAIN\r\nUTF8 USER\r\nUSER\r\n.\r\n",
        "+OK\r\n",
    ],
    ["+OK\r\n", "-ERR what?\r\n", "+OK Begin TLS negotiation\r\n"],
];

/// What a server sends on TLS, and before each what it is asked.
const SERVER_ON_TLS: [(Request, &str); 6] = [
    // No list on TLS names SASL yet.
    (Request::AuthWithInitial, ""),
    (Request::Capa, "+OK\r\nUSER\r\n.\r\n"),
    (Request::AuthWithInitial, ""),
    (Request::User, "+OK\r\n"),
    (Request::Pass, "+OK\r\n"),
    (Request::Stat, "+OK 2 320\r\n"),
];

impl Plan<'_> {
    /// The victim's input before TLS, in its turns.
    fn edited(&self) -> Vec<Vec<u8>> {
        let turns: Vec<&[u8]> = match self.victim {
            Victim::Client(_) => {
                SERVER_SESSIONS[self.session % SERVER_SESSIONS.len()].iter().map(|t| t.as_bytes()).collect()
            }
            Victim::Server(_) => vec![CLIENT_SESSIONS[self.session % CLIENT_SESSIONS.len()].as_bytes()],
        };
        let length: usize = turns.iter().map(|turn| turn.len()).sum();
        let (mut at, mut out, mut put) = (self.at % (length + 1), self.out % 8, Some(self.put.0));
        let last = turns.len() - 1;
        let mut edited = vec![];
        for (place, turn) in turns.into_iter().enumerate() {
            let here = at.min(turn.len());
            let mut octets = turn[..here].to_vec();
            if here < turn.len() || place == last {
                octets.extend_from_slice(put.take().unwrap_or_default());
                let taken = out.min(turn.len() - here);
                out -= taken;
                octets.extend_from_slice(&turn[here + taken..]);
            }
            at -= here;
            edited.push(octets);
        }
        edited
    }
}

/// Carries out the attack, and holds what happens on TLS against the same session without it.
///
/// # Errors
///
/// The finding.
pub fn check<C: ClientSide, S: ServerSide>(
    plan: &Plan<'_>,
    client: impl Fn(client::Settings) -> C,
    server: impl Fn(Settings, &mut Vec<u8>) -> S,
) -> Verdict {
    check_ways(plan, Ways::ALL, client, server)
}

fn check_ways<C: ClientSide, S: ServerSide>(
    plan: &Plan<'_>,
    ways: Ways,
    client: impl Fn(client::Settings) -> C,
    server: impl Fn(Settings, &mut Vec<u8>) -> S,
) -> Verdict {
    let edited = plan.edited();
    match plan.victim {
        Victim::Server(settings) => {
            let turns = vec![
                server::Turn::Hear(Octets(&edited[0])),
                server::Turn::Tls,
                server::Turn::Hear(Octets(ON_TLS.as_bytes())),
            ];
            if ways.takes(0, 2) {
                server::check_ways(&server::Plan { settings, cuts: plan.cuts, turns }, ways.again(), &server)?;
            }
            let mut clean = None;
            for cuts in ways.again().cuts(plan.cuts).filter(|_| ways.takes(1, 2)) {
                if let Some(out) = served(server(settings, &mut vec![]), &edited[0], cuts) {
                    let clean = clean.get_or_insert_with(|| {
                        served(server(settings, &mut vec![]), b"STLS\r\n", Cuts::WHOLE).unwrap_or_default()
                    });
                    same!(Octets(clean), Octets(&out), "P2, P3", format!("what is answered on TLS, {cuts:?}"));
                }
            }
        }
        Victim::Client(settings) => {
            let mut turns = vec![];
            for (turn, request) in edited.iter().zip([Some(Request::Capa), Some(Request::Stls), None]) {
                turns.push(client::Turn::Hear(Octets(turn)));
                turns.extend(request.map(client::Turn::Send));
            }
            turns.push(client::Turn::Tls);
            for (request, answer) in SERVER_ON_TLS {
                turns.push(client::Turn::Send(request));
                turns.push(client::Turn::Hear(Octets(answer.as_bytes())));
            }
            if ways.takes(0, 2) {
                client::check_ways(&client::Plan { settings, cuts: plan.cuts, turns }, ways.again(), &client)?;
            }
            let turns = SERVER_SESSIONS[0].map(|turn| turn.as_bytes().to_vec());
            let mut clean = None;
            for cuts in ways.again().cuts(plan.cuts).filter(|_| ways.takes(1, 2)) {
                if let Some(heard) = fetched(client(settings), &edited, cuts) {
                    let clean =
                        clean.get_or_insert_with(|| fetched(client(settings), &turns, Cuts::WHOLE).unwrap_or_default());
                    same!(*clean, heard, "P1, P3", format!("what is sent and heard on TLS, {cuts:?}"));
                }
            }
        }
    }
    Ok(())
}

/// What the server answers on TLS, if it gets so far.
fn served(mut server: impl ServerSide, in_the_clear: &[u8], cuts: Cuts<'_>) -> Option<Vec<u8>> {
    let mut out = vec![];
    for piece in cuts.of(in_the_clear) {
        server.hear(piece, &mut out);
    }
    out.clear();
    if !server.tls_established() {
        return None;
    }
    server.hear(ON_TLS.as_bytes(), &mut out);
    Some(out)
}

/// Whether a command was sent, what was written, and what was heard.
type Exchange = (bool, Vec<u8>, Vec<Heard>);

/// What the client sends and hears on TLS, if it gets so far.
fn fetched(mut client: impl ClientSide, turns: &[Vec<u8>], cuts: Cuts<'_>) -> Option<Vec<Exchange>> {
    let (mut heard, mut out) = (vec![], vec![]);
    for (turn, request) in turns.iter().zip([Some(Request::Capa), Some(Request::Stls), None]) {
        for piece in cuts.of(turn) {
            client.hear(piece, &mut heard);
        }
        if let Some(request) = request {
            client.send(request, &mut out);
        }
    }
    if !client.tls_established() {
        return None;
    }
    let on_tls = SERVER_ON_TLS.into_iter().map(|(request, answer)| {
        let (mut out, mut heard) = (vec![], vec![]);
        let sent = client.send(request, &mut out);
        client.hear(answer.as_bytes(), &mut heard);
        (sent, out, heard)
    });
    Some(on_tls.collect())
}
