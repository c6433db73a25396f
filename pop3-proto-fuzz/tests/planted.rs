//! Every oracle can fail: for each target a bug is planted, of a kind that was seen in the wild, and the named seeds
//! alone find it. The same seeds find nothing without the bug.

use arbitrary::{Arbitrary, Unstructured};
use pop3_proto_fuzz::client_hostile_server::ClientSide;
use pop3_proto_fuzz::naive::dot::{Policy, unstuff};
use pop3_proto_fuzz::naive::reply::{Production, Reading};
use pop3_proto_fuzz::naive::sasl::Login;
use pop3_proto_fuzz::naive::server::Settings;
use pop3_proto_fuzz::naive::session::{Committed, Heard, Request};
use pop3_proto_fuzz::naive::{Parsed, command, line, reply, to_base64};
use pop3_proto_fuzz::server_hostile_client::ServerSide;
use pop3_proto_fuzz::{
    Verdict, Ways, body_decode, body_encode, client_hostile_server, command_build, command_parse, conversation,
    greeting_apop, reply_parse, sasl, secrets, server_hostile_client, stls_injection,
};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

/// How many inputs of a target's corpus break a promise.
fn broken(target: &str, check: impl Fn(&[u8]) -> Verdict) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    let inputs = fs::read_dir(folder).unwrap().map(|entry| fs::read(entry.unwrap().path()).unwrap());
    inputs.filter(|octets| !matches!(catch_unwind(AssertUnwindSafe(|| check(octets))), Ok(Ok(())))).count()
}

/// The bug is found, and without it there is nothing to find.
fn found(target: &str, sound: impl Fn(&[u8]) -> Verdict, planted: impl Fn(&[u8]) -> Verdict) {
    assert_eq!(broken(target, sound), 0, "{target} without a bug");
    assert!(broken(target, planted) > 0, "{target} does not find the planted bug");
}

fn plan<'a, P: Arbitrary<'a>>(octets: &'a [u8]) -> P {
    P::arbitrary(&mut Unstructured::new(octets)).unwrap()
}

/// Takes a message-number modulo 2^32.
struct Wraps;

impl command_parse::CommandParser for Wraps {
    fn parse(&mut self, octets: &[u8], tolerated: command::Tolerated) -> Parsed<Vec<u8>> {
        let wrapped = octets.strip_prefix(b"DELE 4294967297\r\n").map(|rest| [b"DELE 1\r\n", rest].concat());
        match (wrapped, command_parse::Ours.parse(octets, tolerated)) {
            (Some(wrapped), _) => match command_parse::Ours.parse(&wrapped, tolerated) {
                Parsed::Taken(line, took) => Parsed::Taken(line, took + 9),
                other => other,
            },
            (None, parsed) => parsed,
        }
    }
}

#[test]
fn a_message_number_that_wraps_is_found() {
    let sound = |octets: &[u8]| command_parse::check(&plan(octets), &mut command_parse::Ours);
    found("command_parse", sound, |octets| command_parse::check(&plan(octets), &mut Wraps));
}

/// Ends a message at LF "." LF.
struct Smuggled;

impl reply_parse::ReplyReader for Smuggled {
    fn read(&mut self, octets: &[u8], production: Production, tolerant: bool) -> Parsed<Reading> {
        let read = reply_parse::Ours.read(octets, production, tolerant);
        if let (Production::Message, Parsed::Taken((first, _), took)) = (production, line(octets, true, 512)) {
            let body = unstuff(&octets[took..], true);
            if let (Some(end), Some(mut reading)) = (body.end, reply::status_line(first, tolerant)) {
                if reading.status == reply::Status::Ok {
                    reading.message = Some(body.text);
                    return Parsed::Taken(reading, took + end);
                }
            }
        }
        read
    }
}

#[test]
fn a_reply_that_ends_at_lf_dot_lf_is_found() {
    let sound = |octets: &[u8]| reply_parse::check(&plan(octets), &mut reply_parse::Ours);
    found("reply_parse", sound, |octets| reply_parse::check(&plan(octets), &mut Smuggled));
}

/// Puts the name into the line as it came.
struct Injected;

impl command_build::Builder for Injected {
    fn build(&mut self, plan: &command_build::Plan<'_>, line: &mut Vec<u8>) -> Option<()> {
        if plan.what == command_build::What::User {
            line.extend_from_slice(&[b"USER ", plan.a.0, b"\r\n"].concat());
            return Some(());
        }
        command_build::Ours.build(plan, line)
    }
}

#[test]
fn a_second_line_in_a_user_name_is_found() {
    let sound = |octets: &[u8]| command_build::check(&plan(octets), &mut command_build::Ours);
    found("command_build", sound, |octets| command_build::check(&plan(octets), &mut Injected));
}

/// Looks for the end of a message in each read by itself.
#[derive(Default)]
struct Forgetful(body_decode::Ours, bool);

impl body_decode::Decoder for Forgetful {
    fn begin(&mut self, bare_lf: bool) {
        self.1 = bare_lf;
        self.0.begin(bare_lf);
    }

    fn read(&mut self, octets: &[u8], text: &mut Vec<u8>) -> Option<usize> {
        self.0.begin(self.1);
        self.0.read(octets, text)
    }
}

#[test]
fn an_end_that_is_missed_between_two_reads_is_found() {
    let sound = |octets: &[u8]| body_decode::check(&plan(octets), &mut body_decode::Ours::default());
    found("body_decode", sound, |octets| body_decode::check(&plan(octets), &mut Forgetful::default()));
}

/// Does not stuff the first octet of a message.
struct FirstDot(body_encode::Ours, bool);

impl body_encode::Encoder for FirstDot {
    fn begin(&mut self, policy: Policy) {
        self.1 = true;
        self.0.begin(policy);
    }

    fn write(&mut self, chunk: &[u8], wire: &mut Vec<u8>) -> bool {
        let start = wire.len();
        let taken = self.0.write(chunk, wire);
        if self.1 && wire[start..].starts_with(b"..") {
            wire.remove(start);
        }
        self.1 = self.1 && chunk.is_empty();
        taken
    }

    fn end(&mut self, wire: &mut Vec<u8>) -> bool {
        self.0.end(wire)
    }

    fn size(&mut self, policy: Policy, chunks: &[&[u8]]) -> Option<Option<u64>> {
        self.0.size(policy, chunks)
    }
}

#[test]
fn a_first_dot_that_is_not_stuffed_is_found() {
    let ours = || body_encode::Ours::new(body_encode::Way::Appended);
    let sound = |octets: &[u8]| body_encode::check(&plan(octets), &mut ours());
    found("body_encode", sound, |octets| body_encode::check(&plan(octets), &mut FirstDot(ours(), true)));
}

/// What a client does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ClientBug {
    /// LF "." LF ends a message.
    Smuggled,
    /// Octets behind the `+OK` to STLS are kept for later.
    KeepsPlaintext,
}

struct WrongClient {
    inner: client_hostile_server::Ours,
    bug: ClientBug,
    stls: bool,
    kept: Vec<u8>,
}

impl WrongClient {
    fn new(settings: client_hostile_server::Settings, bug: ClientBug) -> Self {
        Self { inner: client_hostile_server::Ours::new(settings), bug, stls: false, kept: vec![] }
    }
}

impl ClientSide for WrongClient {
    fn send(&mut self, request: Request, out: &mut Vec<u8>) -> bool {
        let sent = self.inner.send(request, out);
        self.stls |= sent && request == Request::Stls;
        sent
    }

    fn respond(&mut self, line: &[u8], out: &mut Vec<u8>) -> bool {
        self.inner.respond(line, out)
    }

    fn cancel(&mut self, out: &mut Vec<u8>) -> bool {
        self.inner.cancel(out)
    }

    fn hear(&mut self, octets: &[u8], heard: &mut Vec<Heard>) {
        match self.bug {
            ClientBug::Smuggled => {
                let text = octets
                    .escape_ascii()
                    .to_string()
                    .replace("x\\n.\\n", "x\\r\\n.\\r\\n")
                    .replace("a\\n.\\n", "a\\r\\n.\\r\\n");
                let octets = text.replace("\\r", "\r").replace("\\n", "\n").replace("\\'", "'").replace("\\\"", "\"");
                self.inner.hear(octets.as_bytes(), heard);
            }
            ClientBug::KeepsPlaintext if self.stls => {
                let end = octets.iter().position(|&octet| octet == b'\n').map_or(octets.len(), |lf| lf + 1);
                let (answer, behind) = if self.kept.is_empty() { octets.split_at(end) } else { (&[][..], octets) };
                self.inner.hear(answer, heard);
                self.kept.extend_from_slice(behind);
            }
            ClientBug::KeepsPlaintext => self.inner.hear(octets, heard),
        }
    }

    fn tls_established(&mut self) -> bool {
        let established = self.inner.tls_established();
        if established {
            self.stls = false;
            self.inner.hear(&std::mem::take(&mut self.kept), &mut vec![]);
        }
        established
    }

    fn eof(&mut self) -> bool {
        self.inner.eof()
    }

    fn committed(&self) -> Option<Committed> {
        self.inner.committed()
    }
}

#[test]
fn a_client_that_can_be_smuggled_an_answer_is_found() {
    let sound = |octets: &[u8]| client_hostile_server::check(&plan(octets), client_hostile_server::Ours::new);
    found("client_hostile_server", sound, |octets| {
        client_hostile_server::check(&plan(octets), |settings| WrongClient::new(settings, ClientBug::Smuggled))
    });
}

/// What a server does wrong.
#[derive(Clone, Copy, PartialEq, Eq)]
enum ServerBug {
    /// The tail of a line that is too long is a command of its own.
    ExecutesTail,
    /// Of the commands in one read only the first is answered.
    LosesPipelined,
    /// Commands behind STLS are kept for later.
    KeepsPlaintext,
    /// `*` is answered twice.
    CancelsTwice,
}

struct WrongServer {
    inner: server_hostile_client::Ours,
    bug: ServerBug,
    line: Vec<u8>,
    kept: Vec<u8>,
    stls: bool,
}

impl WrongServer {
    fn new(settings: Settings, bug: ServerBug, out: &mut Vec<u8>) -> Self {
        let inner = server_hostile_client::Ours::new(settings, out);
        Self { inner, bug, line: vec![], kept: vec![], stls: false }
    }
}

impl ServerSide for WrongServer {
    fn hear(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        if self.bug == ServerBug::LosesPipelined {
            let end = octets.iter().position(|&octet| octet == b'\n').map_or(octets.len(), |lf| lf + 1);
            return self.inner.hear(&octets[..end], out);
        }
        for &octet in octets {
            if self.bug == ServerBug::KeepsPlaintext && self.stls {
                self.kept.push(octet);
                continue;
            }
            self.inner.hear(&[octet], out);
            self.line.push(octet);
            if self.bug == ServerBug::ExecutesTail && self.line.len() == 500 {
                self.inner.hear(b"\r\n", out);
                self.line.clear();
            }
            if octet == b'\n' {
                if self.line == b"*\r\n" && self.bug == ServerBug::CancelsTwice {
                    out.extend_from_slice(b"-ERR cancelled\r\n");
                }
                self.stls = self.line == b"STLS\r\n";
                self.line.clear();
            }
        }
    }

    fn tls_established(&mut self) -> bool {
        let established = self.inner.tls_established();
        if established {
            self.stls = false;
            let kept = std::mem::take(&mut self.kept);
            self.hear(&kept, &mut vec![]);
        }
        established
    }

    fn eof(&mut self) {
        self.inner.eof();
    }

    fn is_over(&self) -> bool {
        self.inner.is_over()
    }

    fn removed(&self) -> Vec<u32> {
        self.inner.removed()
    }

    fn logins(&self) -> Option<&[Login]> {
        self.inner.logins()
    }
}

#[test]
fn a_server_that_executes_the_tail_of_a_long_line_is_found() {
    let sound = |octets: &[u8]| server_hostile_client::check(&plan(octets), server_hostile_client::Ours::new);
    found("server_hostile_client", sound, |octets| {
        server_hostile_client::check(&plan(octets), |settings, out| {
            WrongServer::new(settings, ServerBug::ExecutesTail, out)
        })
    });
}

#[test]
fn a_server_that_loses_pipelined_commands_is_found() {
    let (client, server) = (client_hostile_server::Ours::new, server_hostile_client::Ours::new);
    let sound = |octets: &[u8]| conversation::check(&plan(octets), client, server);
    found("conversation", sound, |octets| {
        conversation::check(&plan(octets), client, |settings, out| {
            WrongServer::new(settings, ServerBug::LosesPipelined, out)
        })
    });
}

#[test]
fn a_server_that_executes_what_came_before_tls_is_found() {
    let (client, server) = (client_hostile_server::Ours::new, server_hostile_client::Ours::new);
    let sound = |octets: &[u8]| stls_injection::check(&plan(octets), client, server);
    found("stls_injection", sound, |octets| {
        stls_injection::check(&plan(octets), client, |settings, out| {
            WrongServer::new(settings, ServerBug::KeepsPlaintext, out)
        })
    });
}

#[test]
fn a_client_that_hears_on_tls_what_came_before_it_is_found() {
    let (client, server) = (client_hostile_server::Ours::new, server_hostile_client::Ours::new);
    let sound = |octets: &[u8]| stls_injection::check(&plan(octets), client, server);
    found("stls_injection", sound, |octets| {
        let wrong = |settings| WrongClient::new(settings, ClientBug::KeepsPlaintext);
        stls_injection::check(&plan(octets), wrong, server)
    });
}

#[test]
fn a_cancelled_exchange_that_is_answered_twice_is_found() {
    let sound = |octets: &[u8]| sasl::check(&plan(octets), server_hostile_client::Ours::new);
    found("sasl", sound, |octets| {
        sasl::check(&plan(octets), |settings, out| WrongServer::new(settings, ServerBug::CancelsTwice, out))
    });
}

/// Logs the response to a challenge.
struct Talkative(fn(&[u8]) -> String);

impl secrets::Handler for Talkative {
    fn handle(&mut self, plan: &secrets::Plan, printed: &mut secrets::Printed) {
        secrets::Ours(Ways::ALL).handle(plan, printed);
        if plan.used == secrets::Use::Response {
            printed.add(format!("sent: {}", (self.0)(plan.secret.as_bytes())));
        }
    }
}

#[test]
fn a_secret_in_a_log_is_found_however_it_is_written() {
    let sound = |octets: &[u8]| secrets::check(&plan(octets), &mut secrets::Ours(Ways::ALL));
    let ways: [fn(&[u8]) -> String; 6] = [
        |secret| String::from_utf8_lossy(&secret[5..13]).into_owned(),
        |secret| String::from_utf8_lossy(&to_base64(secret)).into_owned(),
        |secret| String::from_utf8_lossy(&to_base64(&[b"\0mrose\0", secret].concat())).into_owned(),
        |secret| secret.iter().map(|octet| format!("{octet:02X}")).collect(),
        |secret| format!("{secret:?}"),
        |secret| format!("{secret:#?}"),
    ];
    for way in ways {
        found("secrets", sound, |octets| secrets::check(&plan(octets), &mut Talkative(way)));
    }
}

/// Takes what is between the first `<` and the next `>`.
struct Loose;

impl greeting_apop::TimestampFinder for Loose {
    fn find(&mut self, text: &[u8]) -> Option<Vec<u8>> {
        let open = text.iter().position(|&octet| octet == b'<')?;
        let close = open + text[open..].iter().position(|&octet| octet == b'>')?;
        Some(text[open..=close].to_vec())
    }
}

#[test]
fn a_timestamp_that_an_attacker_chose_is_found() {
    let sound = |octets: &[u8]| greeting_apop::check(&plan(octets), &mut greeting_apop::Ours);
    found("greeting_apop", sound, |octets| greeting_apop::check(&plan(octets), &mut Loose));
}
