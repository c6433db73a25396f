//! A SASL mechanism with cryptography, plugged into both machines: SCRAM-SHA-256 (RFC 5802, RFC 7677) by the crate `rsasl`.
//!
//! ```text
//! cargo run -p pop3-proto --example scram
//! ```
//!
//! It plays some logins in memory, prints each dialogue with the secrets masked, and ends with 0 if each went as it must.
//! That the client can refuse the server, and both of them somebody in the middle, is what SCRAM is for.
//!
//! | file | what it is about |
//! |---|---|
//! | `scram.rs` | the logins, and the octets carried from one side to the other |
//! | `scram/client.rs` | `Event::Challenge` to rsasl and back, the initial response, the check of the server's signature |
//! | `scram/server.rs` | `Incoming::Auth` and `Incoming::Response` to rsasl and back, the stored keys |
//!
//! The exchange, as POP3 carries it (RFC 5034 section 4):
//!
//! ```text
//! C: AUTH SCRAM-SHA-256 base64(n,,n=mrose,r=...)     the initial response, if the server announced SASL and it fits
//! S: + base64(r=...,s=salt,i=iterations)
//! C: base64(c=...,r=...,p=proof)
//! S: + base64(v=signature)                           POP3 has no room for this in +OK ...
//! C:                                                 ... and so it is a challenge that an empty line answers
//! S: +OK
//! ```
//!
//! The machines are told that TLS is on, as they would be by a driver that did the handshake. What only such a driver
//! knows is the channel-binding data: 32 octets of keying material that both ends of one TLS connection can compute and
//! nobody in the middle can (RFC 9266). With rustls: `connection.export_keying_material([0; 32],
//! b"EXPORTER-Channel-Binding", Some(b""))`. They go in as [`TlsExporter`].

#[path = "scram/client.rs"]
mod client;
#[path = "scram/server.rs"]
mod server;

use client::{Credentials, Outcome, ScramClient};
use pop3_proto::Trace;
use rsasl::mechanisms::scram::{SCRAM_SHA256, SCRAM_SHA256_PLUS};
use rsasl::prelude::{ChannelBindingCallback, Mechanism, Registry};
use server::{Manner, ScramServer};
use std::error::Error;
use std::process::ExitCode;

/// The channel-binding data of one TLS connection, for rsasl; `None` where there is none, and then there is no `-PLUS`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TlsExporter(pub(crate) Option<[u8; 32]>);

impl ChannelBindingCallback for TlsExporter {
    fn get_cb_data(&self, name: &str) -> Option<&[u8]> {
        match (name, &self.0) {
            ("tls-exporter", Some(material)) => Some(material),
            _ => None,
        }
    }
}

static WITHOUT_BINDING: &[Mechanism] = &[SCRAM_SHA256];
static WITH_BINDING: &[Mechanism] = &[SCRAM_SHA256, SCRAM_SHA256_PLUS];

/// What rsasl may choose from. Who has no channel-binding data must not know `-PLUS`: a server that knows it takes a client
/// which says that the server does not for the victim of a downgrade.
pub(crate) fn mechanisms(exporter: TlsExporter) -> Registry {
    Registry::with_mechanisms(if exporter.0.is_some() { WITH_BINDING } else { WITHOUT_BINDING })
}

/// One login and how it must end.
struct Case {
    title: &'static str,
    name: &'static str,
    password: &'static str,
    manner: Manner,
    client_channel: TlsExporter,
    server_channel: TlsExporter,
    expected: fn(&Outcome) -> bool,
}

/// Whose maildrop it is; it has two names.
pub(crate) const NAME: &str = "mrose";
pub(crate) const LONG_NAME: &str = "mrose-of-a-department-whose-administrators-have-decided-that-the-name-of-a-maildrop-is-to-\
                                    tell-the-whole-story-of-its-owner-and-of-the-building-and-of-the-floor-she-works-on";

const NO_BINDING: TlsExporter = TlsExporter(None);
/// In a program they come from TLS, and are others on every connection.
const ONE_CONNECTION: TlsExporter = TlsExporter(Some([1; 32]));
const ANOTHER_CONNECTION: TlsExporter = TlsExporter(Some([2; 32]));

const CASES: [Case; 7] = [
    Case {
        title: "the right password",
        name: NAME,
        password: "pencil",
        manner: Manner::Honest,
        client_channel: NO_BINDING,
        server_channel: NO_BINDING,
        expected: |outcome| *outcome == Outcome::LoggedIn,
    },
    Case {
        title: "a wrong password",
        name: NAME,
        password: "crayon",
        manner: Manner::Honest,
        client_channel: NO_BINDING,
        server_channel: NO_BINDING,
        expected: |outcome| matches!(outcome, Outcome::Refused { credentials: true, .. }),
    },
    Case {
        title: "a name so long that the initial response does not fit behind AUTH",
        name: LONG_NAME,
        password: "pencil",
        manner: Manner::Honest,
        client_channel: NO_BINDING,
        server_channel: NO_BINDING,
        expected: |outcome| *outcome == Outcome::LoggedIn,
    },
    Case {
        title: "a server with the wrong signature: the client cancels",
        name: NAME,
        password: "pencil",
        manner: Manner::WrongSignature,
        client_channel: NO_BINDING,
        server_channel: NO_BINDING,
        expected: |outcome| matches!(outcome, Outcome::ServerNotProven(_)),
    },
    Case {
        title: "a server that says +OK and shows no signature: the client leaves",
        name: NAME,
        password: "pencil",
        manner: Manner::NoSignature,
        client_channel: NO_BINDING,
        server_channel: NO_BINDING,
        expected: |outcome| matches!(outcome, Outcome::ServerNotProven(_)),
    },
    Case {
        title: "bound to the TLS connection",
        name: NAME,
        password: "pencil",
        manner: Manner::Honest,
        client_channel: ONE_CONNECTION,
        server_channel: ONE_CONNECTION,
        expected: |outcome| *outcome == Outcome::LoggedIn,
    },
    Case {
        title: "somebody in the middle, with a TLS connection to each side",
        name: NAME,
        password: "pencil",
        manner: Manner::Honest,
        client_channel: ONE_CONNECTION,
        server_channel: ANOTHER_CONNECTION,
        expected: |outcome| matches!(outcome, Outcome::Refused { .. }),
    },
];

fn main() -> ExitCode {
    let mut failed = 0;
    for case in &CASES {
        println!("--- {}", case.title);
        match play(case) {
            Ok(outcome) => {
                println!("{outcome}");
                if !(case.expected)(&outcome) {
                    println!("this is NOT how it must end");
                    failed += 1;
                }
            }
            Err(error) => {
                println!("{error}");
                failed += 1;
            }
        }
        println!();
    }
    println!("{} of {} logins ended as they must", CASES.len() - failed, CASES.len());
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Carries the octets from one side to the other until both are silent.
fn play(case: &Case) -> Result<Outcome, Box<dyn Error>> {
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let mut server = ScramServer::new(case.manner, case.server_channel, &mut to_client)?;
    let mut client = ScramClient::new(Credentials { name: case.name, password: case.password }, case.client_channel);
    let mut trace = Trace::new();
    while !to_client.is_empty() {
        trace.server(&to_client, |line| println!("{line}"));
        client.hear(&to_client, &mut to_server)?;
        to_client.clear();

        trace.client(&to_server, |line| println!("{line}"));
        server.hear(&to_server, &mut to_client)?;
        to_server.clear();
    }
    Ok(client.outcome())
}
