//! P32: "No panic from any public call, any argument, any state." P34: "Fatal is sticky: same error, no output, no event."
//! A length that wraps, an index behind the end, a call in a state that nobody thought of, or a machine that lives on
//! after it died, breaks them. (The test profile has debug assertions and overflow checks on.)

#[path = "support/machines.rs"]
mod machines;

use machines::{DIGEST, TIMESTAMP};
use pop3_proto::{
    Capability, Client, Command, Config, Error, Greeting, Incoming, LanguageTag, MessageNumber, Misuse, Peer,
    Pipelining, Quirk, Reply, ResponseCode, Row, ScanListing, Server, Shape, State, Tls, UniqueId, UniqueIdListing,
    Verb, Wait,
};
use proptest::prelude::*;

/// Lines that get far, and octets that do not.
fn octets() -> impl Strategy<Value = Vec<u8>> {
    let words = prop::sample::select(vec![
        "+OK\r\n",
        "-ERR\r\n",
        "+ \r\n",
        "+\r\n",
        ".\r\n",
        "+OK 1 2\r\n",
        "+OK <a@b>\r\n",
        "1 2\r\n",
        "PIPELINING\r\n",
        "STLS\r\n",
        "SASL X-TWO\r\n",
        "+OK\n",
        ".\n",
        "x",
        "\r",
        "\n",
        ".",
        "-",
        "..",
        "USER mrose\r\n",
        "PASS x\r\n",
        "STAT\r\n",
        "LIST\r\n",
        "LIST 1\r\n",
        "RETR 1\r\n",
        "DELE 1\r\n",
        "TOP 1 1\r\n",
        "UIDL\r\n",
        "UIDL 1\r\n",
        "NOOP\r\n",
        "RSET\r\n",
        "QUIT\r\n",
        "CAPA\r\n",
        "UTF8\r\n",
        "LANG\r\n",
        "LANG en\r\n",
        "AUTH X-TWO\r\n",
        "AUTH X-TWO =\r\n",
        "AUTH PLAIN\r\n",
        "AHgAeQ==\r\n",
        "*\r\n",
        "\r\n",
        "XTND\r\n",
        "APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n",
    ]);
    prop_oneof![
        8 => prop::collection::vec(words, 0..4).prop_map(|words| words.concat().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..40),
        1 => (any::<u8>(), 0..700_usize).prop_map(|(octet, count)| vec![octet; count]),
    ]
}

fn commands() -> Vec<Command<'static>> {
    vec![
        Command::user("mrose").unwrap(),
        Command::pass("tan staaf").unwrap(),
        Command::apop("mrose", DIGEST).unwrap(),
        Command::auth("X-TWO").unwrap(),
        Command::auth_with_initial("X-TWO", "=").unwrap(),
        Command::Stls,
        Command::Utf8,
        Command::Stat,
        Command::List(None),
        Command::list(1).unwrap(),
        Command::retr(1).unwrap(),
        Command::dele(1).unwrap(),
        Command::Noop,
        Command::Rset,
        Command::top(1, u64::MAX).unwrap(),
        Command::Uidl(None),
        Command::uidl(1).unwrap(),
        Command::Capa,
        Command::Lang(None),
        Command::lang("en").unwrap(),
        Command::Quit,
        Command::other("XTND", Shape::MultiLine).unwrap(),
    ]
}

#[derive(Clone, Debug)]
enum Call {
    Octets(Vec<u8>),
    Send(usize),
    /// What is due now, as a peer or an application would have it: `+OK`, `-ERR`, or half of it.
    Due(u8),
    /// Any other call on the machine.
    Other(u8, Vec<u8>),
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = prop_oneof![
        1 => octets().prop_map(Call::Octets),
        4 => any::<u8>().prop_map(Call::Due),
        4 => any::<prop::sample::Index>().prop_map(|place| Call::Send(place.index(commands().len()))),
        1 => (0..14_u8, prop::collection::vec(any::<u8>(), 0..20)).prop_map(|(call, octets)| Call::Other(call, octets)),
    ];
    prop::collection::vec(call, 1..60)
}

/// Settings from one number: each bit another one.
fn config(bits: u32) -> Config {
    let bit = |at: u32| bits >> at & 1 == 1;
    let mut config = Config::new().status_line(if bit(0) { 64 } else { 8192 });
    config = config.command_line(if bit(1) { 16 } else { 512 }).sasl_line(if bit(2) { 12 } else { 65_536 });
    config = config.discarded(if bit(3) { 30 } else { 600 }).rows(if bit(4) { 2 } else { 1000 });
    config = config.window(if bit(5) { 2 } else { 64 }, if bit(6) { 20 } else { 4096 });
    if bit(7) {
        config = config.allow_cleartext_login();
    }
    if bit(8) {
        config = config.allow_apop_md5().tls(Tls::Opportunistic);
    }
    if bit(9) {
        config = config.strict();
    }
    if bit(10) {
        config = Quirk::ALL.into_iter().fold(config, Config::with_quirk);
    }
    if bit(11) {
        config = config.pipelining(Pipelining::WithLogin);
    }
    if bit(12) {
        config = config.with_stls().with_lang().with_other_commands().utf8(pop3_proto::Utf8::WithUser);
    }
    if bit(13) {
        config = config.sasl_mechanisms(["X-TWO"]).unwrap();
    }
    #[cfg(feature = "sasl")]
    if bit(14) {
        config = config.builtin_mechanisms(pop3_proto::Builtin::ALL);
    }
    if bit(15) {
        config = config.newlines(pop3_proto::wire::dot::Newlines::Reject);
    }
    config
}

/// A machine that died: nothing changes it, and nothing comes out of it.
fn client_stays_dead(client: &mut Client, error: &Error) {
    let seen = (client.state(), client.committed(), client.login_generation(), client.outstanding());
    let mut out = vec![];
    for octets in [&b"+OK\r\n"[..], b"-ERR\r\n", b"x", b".\r\n"] {
        let mut input = octets;
        assert_eq!(client.next_event(&mut input), Err(error.clone()));
        assert_eq!(input, octets, "the input of a dead machine stays with the caller");
    }
    assert_eq!(client.handle_eof(), Err(error.clone()));
    for command in commands() {
        assert_eq!(client.send(&command, &mut out), Err(Misuse::Over));
        assert_eq!(client.may_send(&command), Err(Misuse::Over));
    }
    assert_eq!(client.respond_line(b"", &mut out), Err(Misuse::Over));
    assert_eq!(client.cancel(&mut out), Err(Misuse::Over));
    assert_eq!(client.tls_established(Peer::Verified), Err(Misuse::Over));
    assert_eq!(client.security_layer_established(), Err(Misuse::Over));
    assert!(out.is_empty() && client.is_over());
    assert_eq!((client.awaiting(), client.patience()), (Wait::Close, None));
    assert_eq!((client.state(), client.committed(), client.login_generation(), client.outstanding()), seen);
}

fn server_stays_dead(server: &mut Server, error: &Error) {
    let mut out = vec![];
    for octets in [&b"QUIT\r\n"[..], b"NOOP\r\n", b"x"] {
        let mut input = octets;
        assert_eq!(server.next_event(&mut input, &mut out), Err(error.clone()));
        assert_eq!(input, octets);
    }
    assert_eq!(server.reply(&Reply::ok("").unwrap(), &mut out), Err(Misuse::Over));
    assert_eq!(server.begin("", &mut out), Err(Misuse::Over));
    assert!(server.body(b"x", &mut out).is_err());
    assert!(server.listing(Row::Line("x"), &mut out).is_err());
    assert!(server.end(&mut out).is_err());
    assert_eq!(server.challenge_line(b"", &mut out), Err(Misuse::Over));
    assert_eq!(server.capabilities(&mut out), Err(Misuse::Over));
    assert_eq!(server.tls_established(), Err(Misuse::Over));
    assert_eq!(server.security_layer_established(), Err(Misuse::Over));
    assert!(out.is_empty() && server.is_over() && server.owes().is_none());
    assert_eq!((server.awaiting(), server.patience(), server.held()), (Wait::Close, None, 0));
}

/// What a server may answer now: `kind` chooses.
fn due_from_server(client: &Client, kind: u8) -> Vec<u8> {
    let answer = match (client.awaiting(), kind % 8) {
        (Wait::Greeting, _) => "+OK ready <a@b>\r\n",
        (Wait::Reply(Verb::Auth), 2 | 3) => "+ QUJD\r\n",
        (Wait::Reply(_), 1) => "-ERR [SYS/TEMP] no\r\n",
        (Wait::Reply(Verb::Capa), _) => "+OK\r\nPIPELINING\r\nSASL X-TWO\r\nSTLS\r\n.\r\n",
        (Wait::Reply(Verb::Retr | Verb::Top), _) => "+OK\r\n..x\r\n.y\r\n\r\n.\r\n",
        (Wait::Reply(Verb::List | Verb::Uidl), 4) => "+OK 1 5\r\n",
        (Wait::Reply(Verb::List | Verb::Uidl | Verb::Lang), _) => "+OK\r\n1 5\r\nx\r\n.\r\n",
        (Wait::Reply(Verb::Stat), _) => "+OK 1 5\r\n",
        (Wait::Reply(_), _) => "+OK\r\n",
        _ => "",
    };
    let half = kind >= 240;
    answer.as_bytes()[..if half { answer.len() / 2 } else { answer.len() }].to_vec()
}

fn drive_client(bits: u32, calls: &[Call]) -> Option<Error> {
    let mut client = match bits >> 16 & 3 {
        0 => Client::over_tls(config(bits), Peer::Unverified),
        _ => Client::with_config(config(bits)),
    };
    if bits >> 18 & 1 == 1 {
        // The half of all sessions begins where most commands are.
        client = machines::logged_in(config(bits), "PIPELINING");
    }
    let limit = 65_536;
    let mut out = vec![];
    for call in calls {
        let before = out.len();
        let due = match call {
            Call::Octets(octets) => octets.clone(),
            Call::Due(kind) => due_from_server(&client, *kind),
            Call::Send(_) | Call::Other(..) => vec![],
        };
        let misuse = match call {
            Call::Due(_) if client.awaiting() == Wait::Answer(Verb::Auth) => {
                client.respond_line(b"QUJD", &mut out).err()
            }
            Call::Due(_) if client.awaiting() == Wait::Tls => client.tls_established(Peer::Verified).err(),
            Call::Octets(_) | Call::Due(_) => {
                let mut input = &due[..];
                let mut left = due.len() + 2;
                loop {
                    match client.next_event(&mut input) {
                        Ok(Some(_)) => {}
                        Ok(None) => break assert!(input.is_empty()),
                        Err(error) => {
                            client_stays_dead(&mut client, &error);
                            return Some(error);
                        }
                    }
                    left = left.checked_sub(1).expect("as many calls as octets");
                }
                None
            }
            Call::Send(place) => {
                let command = &commands()[*place];
                let may = client.may_send(command);
                let sent = client.send(command, &mut out);
                assert_eq!(sent, may);
                if sent.is_ok() {
                    assert!(out[before..].ends_with(b"\r\n"));
                    assert_eq!(out[before..].iter().filter(|&&octet| octet == b'\n').count(), 1, "one line");
                }
                sent.err()
            }
            Call::Other(0, line) => client.respond_line(line, &mut out).err(),
            Call::Other(1, _) => client.respond_line(b"QUJD", &mut out).err(),
            Call::Other(2, _) => client.cancel(&mut out).err(),
            Call::Other(3, _) => client.tls_established(Peer::Verified).err(),
            Call::Other(4, _) => client.security_layer_established().err(),
            Call::Other(5, _) => client.handle_eof().err().map(|_| Misuse::Over),
            Call::Other(..) => {
                let _ = format!("{client:?} {:?} {}", client.patience(), client.awaiting());
                None
            }
        };
        if misuse.is_some() {
            assert_eq!(out.len(), before, "{misuse:?} wrote");
        }
        assert!(client.held() <= limit);
    }
    None
}

/// What an application may answer now, or a client say: `kind` chooses.
fn due_from_application(server: &mut Server, kind: u8, out: &mut Vec<u8>) -> Option<Misuse> {
    let number = MessageNumber::FIRST;
    let lines = [
        "USER mrose\r\n",
        "PASS x\r\n",
        "STAT\r\n",
        "LIST\r\n",
        "LIST 1\r\n",
        "RETR 1\r\n",
        "DELE 1\r\n",
        "TOP 1 1\r\n",
        "UIDL\r\n",
        "UIDL 1\r\n",
        "NOOP\r\n",
        "RSET\r\n",
        "CAPA\r\n",
        "LANG\r\n",
        "AUTH X-TWO\r\n",
        "QUJD\r\n",
    ];
    let ok = match server.owes() {
        None if server.awaiting() == Wait::Tls => return server.tls_established().err(),
        None => {
            let line = lines[usize::from(kind) % lines.len()];
            let _ = server.next_event(&mut line.as_bytes(), out);
            return None;
        }
        Some(Verb::Auth) if kind % 4 == 3 => return server.challenge_line(b"", out).err(),
        Some(_) if kind % 4 == 2 => Reply::err("no").unwrap(),
        Some(Verb::Stat) => Reply::drop_listing(1, 5),
        Some(Verb::Capa) if kind % 4 == 0 => return server.capabilities(out).err(),
        Some(Verb::List) if kind % 4 == 0 => Reply::scan_listing(number, 5),
        Some(Verb::List | Verb::Uidl | Verb::Retr | Verb::Top | Verb::Capa | Verb::Lang) => {
            let begun = server.begin("", out);
            return if begun.is_err() { server.end(out).err() } else { None };
        }
        Some(_) => Reply::ok("").unwrap(),
    };
    server.reply(&ok, out).err()
}

fn drive_server(bits: u32, calls: &[Call]) -> Option<Error> {
    let mut out = vec![];
    let greeting = Greeting::text("ready").unwrap().with_timestamp(TIMESTAMP).unwrap();
    let mut server = match bits >> 16 & 3 {
        0 => Server::over_tls(config(bits), greeting, &mut out),
        _ => Server::new(config(bits), greeting, &mut out),
    };
    let number = MessageNumber::FIRST;
    let id = UniqueIdListing { number, id: UniqueId::new("id").unwrap() };
    let mut update = false;
    if bits >> 18 & 1 == 1 {
        for line in ["USER mrose\r\n", "PASS x\r\n"] {
            let _ = server.next_event(&mut line.as_bytes(), &mut out);
            let _ = server.reply(&Reply::ok("").unwrap(), &mut out);
        }
    }
    for call in calls {
        let before = out.len();
        let misuse = match call {
            Call::Octets(octets) => {
                let mut input = &octets[..];
                let mut left = octets.len() + 2;
                loop {
                    match server.next_event(&mut input, &mut out) {
                        Ok(Some(Incoming::Update)) => update = true,
                        Ok(Some(_)) => {}
                        Ok(None) => {
                            break assert!(input.is_empty() || server.owes().is_some() || server.is_over());
                        }
                        Err(error) => {
                            server_stays_dead(&mut server, &error);
                            return Some(error);
                        }
                    }
                    left = left.checked_sub(1).expect("as many calls as octets");
                }
                None
            }
            Call::Due(kind) => due_from_application(&mut server, *kind, &mut out),
            Call::Send(place) => {
                let replies = [
                    Reply::ok("yes").unwrap(),
                    Reply::err("no").unwrap().with_code(ResponseCode::InUse),
                    Reply::drop_listing(u32::MAX, u64::MAX),
                    Reply::scan_listing(number, 5),
                    Reply::unique_id(id.clone()).unwrap(),
                    Reply::language(LanguageTag::new("en").unwrap(), "en").unwrap(),
                ];
                server.reply(&replies[place % replies.len()], &mut out).err()
            }
            Call::Other(0, chunk) => server.body(chunk, &mut out).err(),
            Call::Other(1, chunk) => server.body_segments(chunk).map(Iterator::count).err(),
            Call::Other(2, _) => server.begin("text", &mut out).err(),
            Call::Other(3, _) => server.listing(ScanListing { number, octets: u64::MAX }, &mut out).err(),
            Call::Other(4, _) => server.listing(id.clone(), &mut out).err(),
            Call::Other(5, _) => server.listing(Capability::Stls, &mut out).err(),
            Call::Other(6, text) => server.listing(Row::Line(&String::from_utf8_lossy(text)), &mut out).err(),
            Call::Other(7, _) => server.end(&mut out).err(),
            Call::Other(8, line) => server.challenge_line(line, &mut out).err(),
            Call::Other(9, _) => server.capabilities(&mut out).err(),
            Call::Other(10, _) => server.tls_established().err(),
            Call::Other(11, _) => server.security_layer_established().err(),
            Call::Other(12, text) => {
                match text.len() {
                    0 => server.abort(),
                    1 => server.handle_autologout(),
                    2 => drop(server.handle_eof()),
                    _ => {}
                }
                None
            }
            Call::Other(..) => {
                let _ = format!("{server:?} {:?} {}", server.patience(), server.awaiting());
                None
            }
        };
        if misuse.is_some() {
            assert_eq!(out.len(), before, "{misuse:?} wrote");
        }
        assert!(server.held() <= 65_536);
        assert!(!update || matches!(server.state(), State::Update | State::Closed), "UPDATE has no way back");
        assert!(server.owes() != Some(Verb::Stls) || !server.tls(), "STLS once");
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8000))]

    #[test]
    fn no_calls_and_no_octets_make_a_client_panic(bits in any::<u32>(), calls in calls()) {
        drive_client(bits, &calls);
    }

    #[test]
    fn no_calls_and_no_octets_make_a_server_panic(bits in any::<u32>(), calls in calls()) {
        drive_server(bits, &calls);
    }
}

#[test]
fn every_fatal_error_of_a_client_sticks() {
    let stories: [(&str, &[Call]); 8] = [
        ("-ERR no\r\n", &[]),
        ("* OK imap\r\n", &[]),
        ("+OK\r\n+OK\r\n", &[]),
        ("+OK\r\n", &[Call::Send(5), Call::Octets(vec![]), Call::Other(9, vec![])]),
        ("+OK", &[Call::Other(5, vec![])]),
        ("\x16\x03\x01", &[]),
        ("220 smtp\r\n", &[]),
        ("+OK\r\n-ERR bye\r\nx", &[]),
    ];
    let mut died = 0;
    for (octets, calls) in stories {
        let calls: Vec<Call> = std::iter::once(Call::Octets(octets.into())).chain(calls.iter().cloned()).collect();
        died += usize::from(drive_client(0x1_0080, &calls).is_some());
    }
    assert_eq!(died, 6, "all but the client that waits for STLS, and the one that saw the end of the connection");
    let mut client = machines::logged_in(Config::new().without_quirk(Quirk::BareLf).rows(1).status_line(64), "");
    client.send(&Command::Uidl(None), &mut vec![]).unwrap();
    let error = machines::hear(&mut client, b"+OK\r\n1 a\r\n2 b\r\n", &mut vec![]).unwrap_err();
    client_stays_dead(&mut client, &error);
}

#[test]
fn every_fatal_error_of_a_server_sticks() {
    for (octets, error) in [
        ([b'x'; 700].to_vec(), Error::LineTooLong { limit: 600 }),
        (b"STLS\r\nCAPA\r\n".to_vec(), Error::PlaintextAfterStls),
    ] {
        let mut server = machines::greeted(machines::everything().discarded(600));
        let mut site = machines::Site::default();
        let died = site.serve(&mut server, &octets, &mut vec![], &mut vec![]).unwrap_err();
        assert_eq!(died, error);
        server_stays_dead(&mut server, &error);
    }
}

#[test]
fn arguments_of_every_kind_make_commands_or_misuse() {
    let long = "x".repeat(70_000);
    for text in ["", " ", "\0", "\r\n", "x", "\u{e9}", "x y", "*", "=", "1", "-", "LAST", "QUIT", &long] {
        let _ = (Command::user(text), Command::pass(text), Command::apop(text, text), Command::auth(text));
        let _ = (Command::auth_with_initial(text, text), Command::lang(text), Command::other(text, Shape::MultiLine));
        let _ = (Reply::ok(text), Reply::err(text), Greeting::text(text), ResponseCode::new(text), UniqueId::new(text));
    }
    for number in [0, 1, u32::MAX] {
        let made = (Command::retr(number), Command::dele(number), Command::list(number), Command::uidl(number));
        assert_eq!(made.0.is_ok(), number > 0);
        assert!(Command::top(number, u64::MAX).is_ok() == (number > 0));
    }
}
