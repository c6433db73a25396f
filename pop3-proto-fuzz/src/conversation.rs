//! Target 8: a client and a server never fall out of step, whatever is sent, however it is cut both ways, with
//! pipelining and with STLS in the middle: they agree on every command, answer and octet (P35, P36).
//!
//! The plan: an octet of settings, a chunk of requests (the low five bits say which, the others the message), and the
//! schedule: octets whose low two bits say what happens next and whose others say to how many octets.

use crate::client_hostile_server::{self as client, ClientSide};
use crate::finding::{ensure, same};
use crate::naive::dot::Body;
use crate::naive::reply::{Row, Status, carried, row};
use crate::naive::server::{Answer, Server as Naive, Settings};
use crate::naive::session::{Heard, NAME, PASSWORD, Request};
use crate::naive::{Parsed, line, to_base64};
use crate::plan::{chunk, octet, rest};
use crate::server_hostile_client::{self as server, ServerSide};
use crate::{Target, Verdict};
use arbitrary::{Arbitrary, Result, Unstructured};
use std::collections::VecDeque;

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "conversation",
    check: |octets, ways| {
        let mut plan = plan(octets);
        if !ways.all() {
            // Enough for a login, STLS and a mailbox with three messages; the seeds have longer ones.
            plan.requests.truncate(16);
        }
        check(&plan, client::Ours::new, server::Ours::new)
    },
    show: |octets| format!("{:#?}", plan(octets)),
};

/// A conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// How the client is set up.
    pub client: client::Settings,
    /// How the server is set up.
    pub server: Settings,
    /// What the client's application wants, in order.
    pub requests: Vec<Request>,
    /// When something is sent, and how many octets of it arrive.
    pub schedule: &'a [u8],
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let bits = octet(u);
        // TLS is on for both or for neither.
        let over_tls = bits & 2 != 0;
        let client = client::Settings { over_tls, stuffed: false, ..client::Settings::new(bits) };
        let server = Settings { over_tls, tls_required: bits & 16 != 0, ..Settings::new(0) };
        let requests = chunk(u).iter().map(|&octet| request(octet)).collect();
        Ok(Self { client, server, requests, schedule: rest(u) })
    }
}

/// Which request an octet of the script stands for.
fn request(octet: u8) -> Request {
    let number = u32::from(octet >> 5) + 1;
    match Request::ALL[usize::from(octet & 0x1F) % Request::ALL.len()] {
        Request::ListOne(_) => Request::ListOne(number),
        Request::Retr(_) => Request::Retr(number),
        Request::Top(..) => Request::Top(number, u64::from(octet >> 6)),
        Request::UidlOne(_) => Request::UidlOne(number),
        Request::Dele(_) => Request::Dele(number),
        other => other,
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        client: client::Settings::new(0),
        server: Settings::new(0),
        requests: vec![],
        schedule: &[],
    })
}

/// Lets a client and a server talk, and holds what the client hears against the naive server.
///
/// # Errors
///
/// The finding.
pub fn check<C: ClientSide, S: ServerSide>(
    plan: &Plan<'_>,
    client: impl Fn(client::Settings) -> C,
    server: impl Fn(Settings, &mut Vec<u8>) -> S,
) -> Verdict {
    let mut to_client = OnTheWay { octets: Vec::with_capacity(1024), arrived: 0 };
    let mut talk = Talk {
        server: server(plan.server, &mut to_client.octets),
        client: client(plan.client),
        naive: Naive::new(plan.server),
        to_client,
        to_server: OnTheWay { octets: Vec::with_capacity(256), arrived: 0 },
        wanted: plan.requests.iter().copied().collect(),
        heard: Vec::with_capacity(32),
        expected: Vec::with_capacity(32),
        answers: vec![],
    };
    for &step in plan.schedule {
        let octets = usize::from(step >> 2) + 1;
        match step & 3 {
            0 => talk.send()?,
            1 => talk.server_reads(octets),
            _ => talk.client_reads(octets)?,
        }
    }
    talk.finish()
}

struct Talk<C, S> {
    client: C,
    server: S,
    naive: Naive,
    to_client: OnTheWay,
    to_server: OnTheWay,
    wanted: VecDeque<Request>,
    /// The greeting, and what was heard since it was last held against what was expected.
    heard: Vec<Heard>,
    expected: Vec<Heard>,
    answers: Vec<Answer>,
}

/// Octets that were sent, and how many of them have arrived.
struct OnTheWay {
    octets: Vec<u8>,
    arrived: usize,
}

impl OnTheWay {
    fn is_empty(&self) -> bool {
        self.arrived == self.octets.len()
    }

    /// So many octets arrive.
    fn take(&mut self, octets: usize) -> &[u8] {
        let from = self.arrived;
        self.arrived = from.saturating_add(octets).min(self.octets.len());
        &self.octets[from..self.arrived]
    }
}

impl<C: ClientSide, S: ServerSide> Talk<C, S> {
    /// The client's application sends what it wants next, if it may.
    fn send(&mut self) -> Verdict {
        let Some(&request) = self.wanted.front() else { return Ok(()) };
        let before = self.to_server.octets.len();
        if self.client.send(request, &mut self.to_server.octets) {
            self.wanted.pop_front();
            self.expect(request, before);
        } else {
            ensure!(self.to_server.octets.len() == before, "P10", "{request:?} is refused and something is written");
        }
        Ok(())
    }

    /// What the client has to hear of the line that was sent from there on.
    fn expect(&mut self, request: Request, sent: usize) {
        self.answers.clear();
        self.naive.hear(&self.to_server.octets[sent..], &mut self.answers);
        for answer in &self.answers {
            hear(request, answer, &mut self.expected);
        }
    }

    fn server_reads(&mut self, octets: usize) {
        let octets = self.to_server.take(octets);
        if !octets.is_empty() {
            self.server.hear(octets, &mut self.to_client.octets);
        }
    }

    fn client_reads(&mut self, octets: usize) -> Verdict {
        let octets = self.to_client.take(octets);
        if octets.is_empty() {
            return Ok(());
        }
        let before = self.heard.len();
        self.client.hear(octets, &mut self.heard);
        // A challenge is the last thing that can be heard: the server waits.
        if self.heard.len() > before && matches!(self.heard.last(), Some(Heard::Challenge(_))) {
            let response = to_base64(&[b"\0", NAME.as_bytes(), b"\0", PASSWORD.as_bytes()].concat());
            let before = self.to_server.octets.len();
            let responded = self.client.respond(&response, &mut self.to_server.octets);
            ensure!(responded, "P36", "a challenge cannot be answered");
            self.expect(Request::Auth, before);
        }
        Ok(())
    }

    /// Everything arrives; what may never be sent is given up.
    fn finish(mut self) -> Verdict {
        loop {
            while !self.to_server.is_empty() || !self.to_client.is_empty() {
                self.server_reads(usize::MAX);
                self.client_reads(usize::MAX)?;
            }
            self.judge()?;
            let (client, server) = (self.client.tls_established(), self.server.tls_established());
            same!(server, client, "P1, P2, P35", "whether a handshake is due");
            if client {
                ensure!(self.naive.tls_established(), "P1, P2", "the handshake is due and STLS was not answered");
            }
            let Some(&next) = self.wanted.front() else { break };
            self.send()?;
            if self.wanted.front() == Some(&next) && self.to_server.is_empty() {
                self.wanted.pop_front();
            }
        }
        same!(self.naive.removed, self.server.removed(), "P27: deletions at QUIT only", "what was removed");
        Ok(())
    }

    /// Nothing is on the way: what was heard is what was expected.
    fn judge(&mut self) -> Verdict {
        ensure!(matches!(self.heard.first(), Some(Heard::Greeting { .. })), "P35", "no greeting: {:?}", self.heard);
        // The words are for people, and which capabilities there are is for another target.
        for heard in &mut self.heard {
            if let Heard::Ok(_, reading) | Heard::Err(_, reading) = heard {
                (reading.text, reading.code) = (vec![], None);
            }
        }
        self.heard.retain(|heard| !matches!(heard, Heard::Row(Row::Capability(_))));
        same!(&self.expected[..], &self.heard[1..], "P35", "what was heard");
        self.expected.clear();
        self.heard.truncate(1);
        Ok(())
    }
}

/// What a client has to hear of an answer.
fn hear(request: Request, answer: &Answer, heard: &mut Vec<Heard>) {
    let reading = |status, rows| crate::naive::reply::Reading { status, code: None, text: vec![], rows, message: None };
    let ok = |rows| Heard::Ok(request, reading(Status::Ok, rows));
    match answer {
        Answer::Err => heard.push(Heard::Err(request, reading(Status::Err, vec![]))),
        Answer::Challenge(challenge) => heard.push(Heard::Challenge(to_base64(challenge))),
        Answer::Capabilities(..) => heard.extend([ok(vec![]), Heard::End(request)]),
        Answer::Ok(text) => {
            let number = request.number().unwrap_or(1);
            heard.push(ok(carried(text, request.production(), false, number).into_iter().collect()));
        }
        Answer::Lines(lines) => {
            heard.push(ok(vec![]));
            let production = request.production();
            if !production.has_rows() {
                let (mut text, mut body) = (Vec::with_capacity(lines.len()), Body::new(false));
                let _end = lines.iter().any(|&octet| body.take(octet, &mut text));
                heard.extend((!text.is_empty()).then_some(Heard::Body(text)));
                heard.push(Heard::End(request));
                return;
            }
            let mut left = &lines[..];
            while let Parsed::Taken((text, _), took) = line(left, false, 512) {
                left = &left[took..];
                if text != b"." {
                    heard.push(Heard::Row(row(text, production, false)));
                }
            }
            heard.push(Heard::End(request));
        }
    }
}
