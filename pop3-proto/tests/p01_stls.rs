//! P1: "once the `+OK` to STLS is consumed, any octet before `tls_established()` [...] is fatal; no event comes from
//! it". P2: "octets behind `STLS CRLF` in plaintext are fatal and none is ever executed, for every chunking". P3: after
//! `tls_established` nothing is held back, and what was said in the clear is forgotten. One octet of plaintext that is
//! read behind the handshake as if TLS had brought it breaks them.

#[path = "support/machines.rs"]
mod machines;

use machines::{DIGEST, Heard, Site, TIMESTAMP, everything, feed, greeted, hear, pieces};
use pop3_proto::{
    Client, Command, Config, Error, Event, Extension, Incoming, Misuse, Peer, Refusal, Reply, Server, State, Support,
    Verb, Wait,
};

/// What an attacker on the way may put behind the `+OK` to STLS, or behind STLS.
const INJECTED: [&[u8]; 8] = [
    b"-",
    b"+",
    b"\n",
    b"\x16",
    b"+OK half a li",
    b"-ERR whole line\r\n",
    b"+OK\r\n+OK\r\nUSER x\r\n",
    b"CAPA\r\nQUIT\r\n",
];

/// A client that sent STLS; the list of capabilities is known, and the greeting held a timestamp.
fn sent_stls(config: Config) -> Client {
    let (mut client, mut out) = (Client::with_config(config), vec![]);
    feed(&mut client, format!("+OK ready {TIMESTAMP}\r\n").as_bytes());
    client.send(&Command::Capa, &mut out).unwrap();
    feed(&mut client, b"+OK\r\nSTLS\r\nPIPELINING\r\nSASL PLAIN\r\nUTF8 USER\r\nUSER\r\n.\r\n");
    client.send(&Command::Stls, &mut out).unwrap();
    client
}

fn fatal(client: &mut Client) {
    assert_eq!(client.next_event(&mut &b"+OK\r\n"[..]), Err(Error::PlaintextAfterStls));
    assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::Over));
    assert_eq!(client.send(&Command::Quit, &mut vec![]), Err(Misuse::Over));
    assert_eq!((client.tls(), client.held(), client.awaiting()), (None, 0, Wait::Close));
}

#[test]
fn octets_behind_the_ok_to_stls_are_fatal_to_a_client_at_every_cut() {
    for injected in INJECTED {
        let octets = [b"+OK begin\r\n", injected].concat();
        let answer = octets.len() - injected.len();
        for first in 1..=octets.len() {
            for second in first..=octets.len() {
                let (mut client, mut heard) = (sent_stls(Config::new()), vec![]);
                for piece in pieces(&octets, &[first, second]) {
                    let _ = hear(&mut client, piece, &mut heard);
                }
                let [Heard::Event(ok), rest @ ..] = &heard[..] else { panic!("{heard:?}") };
                assert!(ok.starts_with("Ok { to: Stls"), "{ok}");
                let only_the_error = rest.iter().all(|heard| *heard == Heard::Error(Error::PlaintextAfterStls));
                assert!(only_the_error && !rest.is_empty(), "cut at {first} and {second}, {answer}: {heard:?}");
                fatal(&mut client);
            }
        }
    }
}

#[test]
fn octets_in_the_read_of_the_ok_are_fatal_to_a_client_that_never_looks_at_them() {
    for injected in INJECTED {
        let octets = [b"+OK begin\r\n", injected].concat();
        let mut client = sent_stls(Config::new());
        let mut input = &octets[..];
        assert!(matches!(client.next_event(&mut input), Ok(Some(Event::Ok { to: Verb::Stls, .. }))));
        // A driver that throws the rest of its buffer away learns of it all the same.
        assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::Over));
        fatal(&mut client);
    }
}

#[test]
fn the_handshake_is_due_behind_the_ok_to_stls_and_nowhere_else() {
    let mut client = Client::new();
    assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::NoHandshake));
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::NoHandshake));
    client.send(&Command::Stls, &mut vec![]).unwrap();
    assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::NoHandshake));
    feed(&mut client, b"+OK\r\n");
    assert_eq!((client.state(), client.awaiting()), (State::Handshake, Wait::Tls));
    assert!(matches!(client.send(&Command::Capa, &mut vec![]), Err(Misuse::NotPermitted { .. })));
    assert_eq!(client.tls_established(Peer::Unverified), Ok(()));
    assert_eq!((client.state(), client.tls()), (State::Authorization, Some(Peer::Unverified)));
    assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::NoHandshake));
    assert_eq!(client.tls(), Some(Peer::Unverified));
    assert_eq!(client.send(&Command::Stls, &mut vec![]), Err(Misuse::TlsIsOn));
}

#[test]
fn a_refused_stls_is_an_answer_like_any_other() {
    let mut client = sent_stls(Config::new());
    let heard = feed(&mut client, b"-ERR not now\r\n");
    assert_eq!(heard.len(), 1);
    assert_eq!(client.state(), State::Authorization);
    assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::NoHandshake));
    assert_eq!(client.supports(Extension::Pipelining), Support::Yes);
    client.send(&Command::Capa, &mut vec![]).unwrap();
    assert_eq!(feed(&mut client, b"+OK\r\n.\r\n").len(), 2);
}

#[test]
fn a_client_forgets_behind_the_handshake_what_it_learned_before() {
    let config = Config::new().allow_apop_md5();
    let mut client = sent_stls(config);
    for extension in [Extension::Pipelining, Extension::Sasl, Extension::Utf8User, Extension::User, Extension::Stls] {
        assert_eq!(client.supports(extension), Support::Yes);
    }
    feed(&mut client, b"+OK\r\n");
    client.tls_established(Peer::Verified).unwrap();
    for extension in [Extension::Pipelining, Extension::Sasl, Extension::Utf8User, Extension::User, Extension::Stls] {
        assert_eq!(client.supports(extension), Support::Unknown);
    }
    assert_eq!(client.held(), 0);
    assert_eq!(client.may_send(&Command::apop("mrose", DIGEST).unwrap()), Err(Misuse::NoTimestamp));
    assert_eq!(client.may_send(&Command::user("m\u{e9}").unwrap()), Err(Misuse::NeedsUtf8User));
    let initial = Command::auth_with_initial("PLAIN", "AHgAeQ==").unwrap();
    assert_eq!(client.may_send(&initial), Err(Misuse::NoInitialResponse));
    client.send(&Command::Capa, &mut vec![]).unwrap();
    assert!(matches!(client.may_send(&Command::Capa), Err(Misuse::Outstanding { .. })));
}

#[test]
fn a_client_has_no_user_from_before_the_handshake() {
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    // A user that the server took bars everything but PASS and QUIT, STLS too.
    assert_eq!(client.may_send(&Command::Stls), Err(Misuse::UserBeforePass));
    client.send(&Command::pass("no").unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"-ERR\r\n");
    client.send(&Command::Stls, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.tls_established(Peer::Verified).unwrap();
    assert_eq!(client.may_send(&Command::pass("no").unwrap()), Err(Misuse::UserBeforePass));
}

#[test]
fn octets_behind_stls_are_fatal_to_a_server_at_every_cut_and_never_executed() {
    for injected in INJECTED {
        let octets = [b"STLS\r\n", injected].concat();
        for first in 1..=octets.len() {
            for second in first..=octets.len() {
                let (mut server, mut site) = (greeted(everything()), Site::default());
                let (mut seen, mut out) = (vec![], vec![]);
                for piece in pieces(&octets, &[first, second]) {
                    let _ = site.serve(&mut server, piece, &mut seen, &mut out);
                }
                assert_eq!(seen, [Incoming::Command(Command::Stls)], "cut at {first} and {second}");
                assert_eq!(out, b"+OK begin TLS negotiation\r\n");
                dead(&mut server);
            }
        }
    }
}

fn dead(server: &mut Server) {
    let mut out = vec![];
    assert_eq!(server.tls_established(), Err(Misuse::Over));
    assert_eq!(server.next_event(&mut &b"QUIT\r\n"[..], &mut out), Err(Error::PlaintextAfterStls));
    assert!(out.is_empty() && server.is_over() && !server.tls() && server.held() == 0);
}

#[test]
fn octets_in_the_read_of_stls_are_fatal_to_a_server_that_keeps_them_for_later() {
    for injected in INJECTED {
        let octets = [b"STLS\r\n", injected].concat();
        let (mut server, mut out) = (greeted(everything()), vec![]);
        let mut input = &octets[..];
        assert!(matches!(server.next_event(&mut input, &mut out), Ok(Some(Incoming::Command(Command::Stls)))));
        server.reply(&Reply::ok("begin").unwrap(), &mut out).unwrap();
        dead(&mut server);
    }
}

#[test]
fn octets_shown_to_a_server_while_it_owes_the_answer_to_stls_are_fatal_too() {
    for injected in INJECTED {
        let (mut server, mut out) = (greeted(everything()), vec![]);
        server.next_event(&mut &b"STLS\r\n"[..], &mut out).unwrap().unwrap();
        // The next read comes before the application has its answer: nothing is taken.
        let mut kept = injected;
        assert_eq!(server.next_event(&mut kept, &mut out), Ok(None));
        assert_eq!(kept, injected);
        server.reply(&Reply::ok("begin").unwrap(), &mut out).unwrap();
        dead(&mut server);
    }
}

#[test]
fn octets_behind_a_refused_stls_are_ordinary_commands() {
    let (mut server, mut out) = (greeted(everything()), vec![]);
    let mut input = &b"STLS\r\nCAPA\r\nQUIT\r\n"[..];
    server.next_event(&mut input, &mut out).unwrap().unwrap();
    server.reply(&Reply::err("not now").unwrap(), &mut out).unwrap();
    assert_eq!(server.tls_established(), Err(Misuse::NoHandshake));
    assert_eq!(server.next_event(&mut input, &mut out), Ok(Some(Incoming::Command(Command::Capa))));
    server.capabilities(&mut out).unwrap();
    assert!(String::from_utf8_lossy(&out).contains("\r\nSTLS\r\n"));
    assert_eq!(server.next_event(&mut input, &mut out), Ok(Some(Incoming::Command(Command::Quit))));
}

/// A server behind STLS; the handshake is done.
fn upgraded(before: &[u8]) -> (Server, Site) {
    let (mut server, mut site) = (greeted(everything()), Site::new(&[b"one\r\n"]));
    site.serve(&mut server, before, &mut vec![], &mut vec![]).unwrap();
    site.serve(&mut server, b"STLS\r\n", &mut vec![], &mut vec![]).unwrap();
    assert_eq!((server.state(), server.awaiting()), (State::Handshake, Wait::Tls));
    server.tls_established().unwrap();
    assert!(server.tls() && server.held() == 0 && server.state() == State::Authorization);
    (server, site)
}

fn refusal(server: &mut Server, line: &[u8]) -> Option<Refusal> {
    match server.next_event(&mut &line[..], &mut vec![]).unwrap() {
        Some(Incoming::Refused { refusal, .. }) => Some(refusal),
        _ => None,
    }
}

#[test]
fn a_server_forgets_behind_the_handshake_what_the_client_said_before() {
    let (mut server, _) = upgraded(b"USER mrose\r\n");
    assert_eq!(refusal(&mut server, b"PASS tanstaaf\r\n"), Some(Refusal::NoUser));
    let (mut server, _) = upgraded(b"");
    let apop = format!("APOP mrose {DIGEST}\r\n");
    assert_eq!(refusal(&mut server, apop.as_bytes()), Some(Refusal::NotImplemented), "the timestamp is forgotten");
    // RFC 6856 §3: the language was set in the clear.
    let (mut server, _) = upgraded(b"LANG en\r\n");
    assert_eq!(server.next_event(&mut &b"CAPA\r\n"[..], &mut vec![]), Ok(Some(Incoming::Command(Command::Capa))));
    assert_eq!(server.begin("caf\u{e9}", &mut vec![]), Err(Misuse::NeedsLang));
}

#[test]
fn stls_is_there_once_and_in_the_authorization_state_only() {
    let (mut server, mut site) = upgraded(b"");
    let mut out = vec![];
    site.serve(&mut server, b"CAPA\r\n", &mut vec![], &mut out).unwrap();
    assert!(!String::from_utf8_lossy(&out).contains("STLS"));
    assert_eq!(refusal(&mut server, b"STLS\r\n"), Some(Refusal::State));
    let mut server = machines::open(everything(), &mut site);
    assert_eq!(refusal(&mut server, b"STLS\r\n"), Some(Refusal::State));
    // RFC 6856 §2.1: no STLS behind UTF8.
    let mut server = greeted(everything());
    site.serve(&mut server, b"UTF8\r\n", &mut vec![], &mut vec![]).unwrap();
    assert_eq!(refusal(&mut server, b"STLS\r\n"), Some(Refusal::State));
    let mut server = greeted(Config::new());
    assert_eq!(refusal(&mut server, b"STLS\r\n"), Some(Refusal::NotImplemented));
}

#[test]
fn a_security_layer_is_in_force_right_behind_the_ok_to_auth_only() {
    let mut site = Site::new(&[]);
    let auth = b"AUTH X-TWO\r\n\r\ndGFuc3RhYWY=\r\n";
    let mut server = greeted(everything());
    site.serve(&mut server, auth, &mut vec![], &mut vec![]).unwrap();
    assert_eq!(server.state(), State::Transaction);
    assert_eq!(server.security_layer_established(), Ok(()));
    assert_eq!(server.security_layer_established(), Err(Misuse::NoSecurityLayer));

    for behind in [&b"NO"[..], b"NOOP\r\n", &[b'x'; 600]] {
        let mut server = greeted(everything());
        site.serve(&mut server, auth, &mut vec![], &mut vec![]).unwrap();
        let _ = site.serve(&mut server, behind, &mut vec![], &mut vec![]);
        let words = behind.escape_ascii();
        assert_eq!(server.security_layer_established(), Err(Misuse::InTheClear), "{words} came in the clear");
    }
    // In the same read as the response, too: what came then was not protected, and nothing that comes later can be.
    let mut server = greeted(everything());
    site.serve(&mut server, &[auth, &b"NOOP\r\n"[..]].concat(), &mut vec![], &mut vec![]).unwrap();
    assert_eq!(server.security_layer_established(), Err(Misuse::InTheClear));
    assert_eq!(server.security_layer_established(), Err(Misuse::InTheClear));
    let mut server = machines::open(everything(), &mut site);
    assert_eq!(server.security_layer_established(), Err(Misuse::NoSecurityLayer), "PASS negotiates none");
    site.serve(&mut server, b"QUIT\r\n", &mut vec![], &mut vec![]).unwrap();
    assert_eq!(server.security_layer_established(), Err(Misuse::Over));
    assert_eq!(server.tls_established(), Err(Misuse::Over));
}

#[test]
fn a_clients_security_layer_is_in_force_right_behind_the_ok_to_auth_only() {
    let auth = || {
        let mut client = Client::with_config(Config::new().allow_cleartext_login());
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::auth("GSSAPI").unwrap(), &mut vec![]).unwrap();
        client
    };
    let mut client = auth();
    assert_eq!(client.security_layer_established(), Err(Misuse::NoSecurityLayer));
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.security_layer_established(), Ok(()));
    assert_eq!(client.security_layer_established(), Err(Misuse::NoSecurityLayer));

    let mut client = auth();
    feed(&mut client, b"+OK\r\n-");
    assert_eq!(client.security_layer_established(), Err(Misuse::Unsolicited));

    let mut client = auth();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::Noop, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.security_layer_established(), Err(Misuse::NoSecurityLayer), "a command went in the clear");

    let mut client = machines::logged_in(Config::new(), "");
    assert_eq!(client.security_layer_established(), Err(Misuse::NoSecurityLayer), "PASS negotiates none");
}
