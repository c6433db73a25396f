//! P8, P12, P36: SASL exchanges (RFC 5034), our client against our server and both against scripted peers.
//!
//! Broken if a decoded field could carry CR, LF or NUL to the application, if PLAIN passed without exactly two NULs, if
//! a challenge were taken for an answer or an answer for a challenge, or if a cancelled exchange left anything behind.
#![cfg(feature = "sasl")]

use pop3_proto::{
    Builtin, Client, Command, Config, Event, Exchange, Extension, Greeting, Incoming, InitialResponse, Login, Misuse,
    Peer, Quirk, Refusal, Reply, ResponseCode, Server, State, Support, Verb,
};

/// A server and a client that have both greeted, over TLS, and asked CAPA.
struct Pair {
    client: Client,
    server: Server,
}

impl Pair {
    fn new(client: Config, server: Config) -> Self {
        let mut wire = Vec::new();
        let server = Server::over_tls(server, Greeting::text("ready").unwrap(), &mut wire);
        let mut client = Client::over_tls(client, Peer::Verified);
        assert!(matches!(client.next_event(&mut &wire[..]).unwrap(), Some(Event::Greeting { .. })));
        let mut pair = Self { client, server };
        let mut line = Vec::new();
        pair.client.send(&Command::Capa, &mut line).unwrap();
        let mut answer = Vec::new();
        let incoming = pair.server.next_event(&mut &line[..], &mut answer).unwrap();
        assert_eq!(incoming, Some(Incoming::Command(Command::Capa)));
        pair.server.capabilities(&mut answer).unwrap();
        let mut input = &answer[..];
        while let Some(event) = pair.client.next_event(&mut input).unwrap() {
            assert!(!matches!(event, Event::BadRow { .. } | Event::Err { .. }), "{event:?}");
        }
        assert_eq!(pair.client.supports(Extension::Sasl), Support::Yes);
        pair
    }

    /// Runs one exchange to its end; `accept` judges the login. The lines of both sides come back.
    fn run(&mut self, exchange: &mut Exchange<'_>, mut accept: impl FnMut(&Login<'_>) -> bool) -> (Vec<String>, bool) {
        let mut dialogue = Vec::new();
        let mut to_server = Vec::new();
        self.client.authenticate(exchange, &mut to_server).unwrap();
        loop {
            dialogue.push(format!("C: {}", String::from_utf8_lossy(&to_server).trim_end_matches("\r\n")));
            let (mut input, mut to_client) = (&to_server[..], Vec::new());
            while let Some(incoming) = self.server.next_event(&mut input, &mut to_client).unwrap() {
                match incoming {
                    Incoming::Login(login) if accept(&login) => {
                        self.server.reply(&Reply::ok("in").unwrap(), &mut to_client).unwrap();
                    }
                    Incoming::Login(Login::Bearer { .. }) => {
                        self.server.reject_token("{\"status\":\"401\"}", &mut to_client).unwrap();
                    }
                    Incoming::Login(_) => {
                        self.server.reply(&Reply::err("no").unwrap(), &mut to_client).unwrap();
                    }
                    other => panic!("{other:?}"),
                }
            }
            dialogue.push(format!("S: {}", String::from_utf8_lossy(&to_client).trim_end_matches("\r\n")));
            to_server.clear();
            let mut input = &to_client[..];
            match self.client.next_event(&mut input).unwrap() {
                Some(Event::Challenge(challenge)) => self.client.answer(&challenge, exchange, &mut to_server).unwrap(),
                Some(Event::Ok { to: Verb::Auth, .. }) => return (dialogue, true),
                Some(Event::Err { to: Verb::Auth, code, .. }) => {
                    assert_eq!(code, Some(ResponseCode::Auth));
                    return (dialogue, false);
                }
                other => panic!("{other:?}"),
            }
        }
    }
}

fn all() -> Config {
    Config::new().builtin_mechanisms(Builtin::ALL)
}

#[test]
fn plain_goes_with_the_auth_line_once_sasl_is_announced() {
    let mut pair = Pair::new(Config::new(), all());
    let mut exchange = Exchange::plain("", "test", "te st").unwrap();
    let (dialogue, accepted) = pair.run(&mut exchange, |login| {
        matches!(login, Login::Pass { name, password } if name.as_str() == "test" && password.reveal() == b"te st")
    });
    assert!(accepted);
    assert_eq!(dialogue, ["C: AUTH PLAIN AHRlc3QAdGUgc3Q=", "S: +OK in"]);
    assert_eq!((pair.client.state(), pair.server.state()), (State::Transaction, State::Transaction));
    assert_eq!(pair.client.login_generation(), 1);
    assert_eq!(pair.client.supports(Extension::Sasl), Support::Unknown, "asked again after login");
}

#[test]
fn an_initial_response_that_does_not_fit_goes_behind_an_empty_challenge() {
    let password = "p".repeat(200);
    let mut pair = Pair::new(Config::new().initial_response(InitialResponse::Always), all());
    let mut exchange = Exchange::plain("", "test", &password).unwrap();
    let (dialogue, accepted) = pair.run(&mut exchange, |_| true);
    assert!(accepted);
    assert_eq!(dialogue[..2], ["C: AUTH PLAIN", "S: + "]);
    assert!(dialogue[2].len() > 255);
}

#[test]
fn the_setting_decides_only_where_the_protocol_leaves_a_choice() {
    let first_line = |setting, mut exchange: Exchange<'_>| {
        let mut pair = Pair::new(Config::new().initial_response(setting), all());
        pair.run(&mut exchange, |_| true).0[0].clone()
    };
    let plain = || Exchange::plain("", "t", "t").unwrap();
    let xoauth2 = || Exchange::xoauth2("joe@example.com", "abc123").unwrap();
    assert_eq!(first_line(InitialResponse::Never, plain()), "C: AUTH PLAIN");
    assert_eq!(first_line(InitialResponse::Auto, plain()), "C: AUTH PLAIN AHQAdA==");
    assert_eq!(first_line(InitialResponse::Auto, xoauth2()), "C: AUTH XOAUTH2");
    assert_eq!(
        first_line(InitialResponse::Always, xoauth2()),
        "C: AUTH XOAUTH2 dXNlcj1qb2VAZXhhbXBsZS5jb20BYXV0aD1CZWFyZXIgYWJjMTIzAQE="
    );
    assert_eq!(first_line(InitialResponse::Auto, Exchange::external("").unwrap()), "C: AUTH EXTERNAL =");
}

#[test]
fn without_an_announcement_there_is_no_initial_response() {
    let mut client = Client::over_tls(Config::new().initial_response(InitialResponse::Always), Peer::Verified);
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    let mut out = Vec::new();
    let explicit = Command::auth_with_initial("PLAIN", "AHQAdA==").unwrap();
    assert_eq!(client.send(&explicit, &mut out), Err(Misuse::NoInitialResponse));
    assert!(out.is_empty());
    client.authenticate(&mut Exchange::plain("", "t", "t").unwrap(), &mut out).unwrap();
    assert_eq!(out, b"AUTH PLAIN\r\n");
}

#[test]
fn every_built_in_mechanism_brings_its_fields_across() {
    fn run(make: impl Fn() -> Result<Exchange<'static>, Misuse>, check: impl Fn(&Login<'_>) -> bool) {
        for setting in [InitialResponse::Auto, InitialResponse::Never, InitialResponse::Always] {
            let mut pair = Pair::new(Config::new().initial_response(setting), all());
            let (dialogue, accepted) = pair.run(&mut make().unwrap(), &check);
            assert!(accepted, "{setting:?} {dialogue:?}");
        }
    }
    run(
        || Exchange::plain("boss", "test", "secret"),
        |login| {
            matches!(login, Login::ActAs { authorization, name, password }
            if authorization.as_str() == "boss" && name.as_str() == "test" && password.reveal() == b"secret")
        },
    );
    run(|| Exchange::plain("test", "test", "secret"), |login| matches!(login, Login::Pass { .. }));
    run(
        || Exchange::login("test", "secret"),
        |login| matches!(login, Login::Pass { name, password } if name.as_str() == "test" && password.reveal() == b"secret"),
    );
    run(|| Exchange::external(""), |login| matches!(login, Login::External { authorization: None }));
    run(
        || Exchange::external("joe"),
        |login| matches!(login, Login::External { authorization: Some(name) } if name.as_str() == "joe"),
    );
    run(|| Exchange::anonymous("sirhc"), |login| matches!(login, Login::Anonymous { trace } if *trace == "sirhc"));
    run(|| Exchange::anonymous(""), |login| matches!(login, Login::Anonymous { trace } if trace.is_empty()));
    run(
        || Exchange::xoauth2("joe@example.com", "abc123"),
        |login| {
            matches!(login, Login::Bearer { name: Some(name), token }
            if name.as_str() == "joe@example.com" && token.reveal() == b"abc123")
        },
    );
    run(
        || Exchange::oauthbearer("joe,=@example.com", "mail.example.com", 995, "abc123"),
        |login| {
            matches!(login, Login::Bearer { name: Some(name), token }
            if name.as_str() == "joe,=@example.com" && token.reveal() == b"abc123")
        },
    );
}

#[test]
fn login_asks_for_the_name_and_then_for_the_password() {
    let mut pair = Pair::new(Config::new(), all());
    let (dialogue, accepted) = pair.run(&mut Exchange::login("test", "secret").unwrap(), |_| true);
    assert!(accepted);
    assert_eq!(
        dialogue,
        ["C: AUTH LOGIN", "S: + VXNlcm5hbWU6", "C: dGVzdA==", "S: + UGFzc3dvcmQ6", "C: c2VjcmV0", "S: +OK in"]
    );
}

#[test]
fn a_refused_token_is_explained_before_the_err() {
    for (mut exchange, answer) in [
        (Exchange::xoauth2("joe", "stale").unwrap(), "C: "),
        (Exchange::oauthbearer("joe", "h", 995, "stale").unwrap(), "C: AQ=="),
    ] {
        let mut pair = Pair::new(Config::new().initial_response(InitialResponse::Always), all());
        let (dialogue, accepted) = pair.run(&mut exchange, |_| false);
        assert!(!accepted);
        assert_eq!(dialogue[1], "S: + eyJzdGF0dXMiOiI0MDEifQ==");
        assert_eq!(dialogue[2], answer);
        assert_eq!(dialogue[3], "S: -ERR [AUTH] the token is not accepted");
        assert_eq!(exchange.failure(), "{\"status\":\"401\"}");
        assert_eq!(pair.server.failed_logins(), 1);
    }
}

#[test]
fn a_failed_exchange_leaves_authorization_intact() {
    let mut pair = Pair::new(Config::new(), all());
    let (_, accepted) = pair.run(&mut Exchange::plain("", "test", "wrong").unwrap(), |_| false);
    assert!(!accepted);
    let (_, accepted) = pair.run(&mut Exchange::login("test", "wrong").unwrap(), |_| false);
    assert!(!accepted);
    let (_, accepted) = pair.run(&mut Exchange::plain("", "test", "right").unwrap(), |_| true);
    assert!(accepted);
}

/// A server over TLS with all built-in mechanisms, and what it says to `lines`.
fn server_says(lines: &[u8]) -> (Vec<u8>, Vec<Incoming<'static>>) {
    let mut greeting = Vec::new();
    let mut server = Server::over_tls(all(), Greeting::text("ready").unwrap(), &mut greeting);
    let (mut input, mut out, mut seen) = (lines, Vec::new(), Vec::new());
    while let Some(incoming) = server.next_event(&mut input, &mut out).unwrap() {
        seen.push(incoming.into_owned());
        if server.owes().is_some() {
            server.reply(&Reply::err("no").unwrap(), &mut out).unwrap();
        }
    }
    (out, seen)
}

#[test]
fn plain_needs_two_nuls_a_name_and_a_password_without_line_octets() {
    let encode = |message: &[u8]| base64(message);
    for bad in [
        &b""[..],
        b"\0",
        b"test",
        b"test\0test",
        b"\0test",
        b"\0\0secret",
        b"\0test\0",
        b"a\0b\0c\0d",
        b"\0te\rst\0x",
        b"\0te\nst\0x",
        b"\0test\0se\r\ncret",
        b"\0te\xFFst\0x",
        b"bo\nss\0test\0x",
    ] {
        let line = format!("AUTH PLAIN {}\r\n", if bad.is_empty() { "=".into() } else { encode(bad) });
        let (out, seen) = server_says(line.as_bytes());
        assert!(matches!(seen[..], [Incoming::Refused { verb: Verb::Auth, refusal: Refusal::Syntax(_) }]), "{bad:?}");
        assert!(out.starts_with(b"-ERR ") && out.ends_with(b"\r\n"));
    }
    let (_, seen) = server_says(format!("AUTH PLAIN {}\r\n", encode(b"\0test\0secret")).as_bytes());
    assert!(matches!(seen[..], [Incoming::Login(Login::Pass { .. })]));
}

#[test]
fn base64_is_canonical_or_refused() {
    for bad in ["AHQAdA=", "AHQAdA", "AHQ=AdA=", "AHQAdB==", "A", "====", "AHQA dA==", "AHQAdA==\t", "*", "AHQAdA==="] {
        let (out, seen) = server_says(format!("AUTH PLAIN {bad}\r\n").as_bytes());
        assert!(matches!(seen[..], [Incoming::Refused { verb: Verb::Auth, .. }]), "initial {bad:?}: {seen:?}");
        assert_eq!(out.iter().filter(|&&octet| octet == b'\n').count(), 1, "one answer");
        if bad != "*" {
            let (out, seen) = server_says(format!("AUTH PLAIN\r\n{bad}\r\n").as_bytes());
            assert!(matches!(seen[..], [Incoming::Refused { verb: Verb::Auth, .. }]), "response {bad:?}: {seen:?}");
            assert!(out.starts_with(b"+ \r\n-ERR "));
        }
    }
}

#[test]
fn an_asterisk_cancels_with_exactly_one_err() {
    for mechanism in ["PLAIN", "LOGIN", "EXTERNAL", "ANONYMOUS", "XOAUTH2", "OAUTHBEARER"] {
        let (out, seen) = server_says(format!("AUTH {mechanism}\r\n*\r\nNOOP\r\n").as_bytes());
        assert_eq!(seen[0], Incoming::Cancelled);
        assert!(matches!(seen[1], Incoming::Refused { verb: Verb::Noop, refusal: Refusal::State }));
        assert_eq!(out.windows(4).filter(|window| window == b"-ERR").count(), 2);
    }
    let (_, seen) = server_says(b"AUTH LOGIN\r\ndGVzdA==\r\n*\r\nPASS x\r\n");
    assert_eq!(seen[0], Incoming::Cancelled);
    assert!(matches!(seen[1], Incoming::Refused { refusal: Refusal::NoUser, .. }), "the name of LOGIN is forgotten");
}

#[test]
fn a_mechanism_that_is_not_announced_is_refused() {
    for line in ["AUTH SCRAM-SHA-256\r\n", "AUTH GSSAPI dGVzdA==\r\n", "AUTH\r\n", "AUTH PLAIN extra words\r\n"] {
        let (out, seen) = server_says(line.as_bytes());
        assert!(matches!(seen[..], [Incoming::Refused { verb: Verb::Auth, .. }]));
        assert!(out.starts_with(b"-ERR "));
    }
}

#[test]
fn during_auth_only_a_plus_that_is_not_ok_is_a_challenge() {
    let client = |config: Config| {
        let mut client = Client::over_tls(config, Peer::Verified);
        client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
        client.send(&Command::auth("PLAIN").unwrap(), &mut Vec::new()).unwrap();
        client
    };
    for (line, quirk) in [(&b"+\r\n"[..], Quirk::BarePlus), (b"+ go ahead!\r\n", Quirk::TextChallenge)] {
        let mut tolerant = client(Config::new());
        assert!(matches!(tolerant.next_event(&mut &line[..]), Ok(Some(Event::Challenge(_)))));
        assert!(tolerant.quirks_seen().contains(quirk));
        let mut strict = client(Config::new().without_quirk(quirk));
        if quirk == Quirk::BarePlus {
            assert!(strict.next_event(&mut &line[..]).is_err());
            continue;
        }
        // RFC 5034 §4: what is no base64 is cancelled.
        let Ok(Some(Event::Challenge(challenge))) = strict.next_event(&mut &line[..]) else { panic!("no challenge") };
        let mut out = Vec::new();
        strict.answer(&challenge, &mut Exchange::plain("", "t", "t").unwrap(), &mut out).unwrap();
        assert_eq!(out, b"*\r\n");
        assert!(!strict.quirks_seen().contains(quirk));
    }
    for line in [&b"+x\r\n"[..], b"+OKfine\r\n", b"* OK\r\n", b"334 \r\n"] {
        assert!(client(Config::new()).next_event(&mut &line[..]).is_err());
    }
    // F5: off by default, for it changes what a status means.
    let event = client(Config::new()).next_event(&mut &b"+OK go on\r\n"[..]).unwrap().unwrap();
    assert!(matches!(event, Event::Ok { to: Verb::Auth, .. }));
    let mut odd = client(Config::new().with_quirk(Quirk::OkAsContinue));
    assert!(matches!(odd.next_event(&mut &b"+OK go on\r\n"[..]).unwrap(), Some(Event::Challenge(_))));
    let mut out = Vec::new();
    odd.respond(b"\0t\0t", &mut out).unwrap();
    assert!(matches!(odd.next_event(&mut &b"+OK\r\n"[..]).unwrap(), Some(Event::Ok { to: Verb::Auth, .. })));
}

#[test]
fn the_client_says_nothing_else_while_a_challenge_waits_and_can_cancel() {
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    let mut out = Vec::new();
    assert_eq!(client.respond(b"x", &mut out), Err(Misuse::NoChallenge));
    client.send(&Command::auth("PLAIN").unwrap(), &mut out).unwrap();
    client.next_event(&mut &b"+ \r\n"[..]).unwrap();
    out.clear();
    assert!(client.send(&Command::Quit, &mut out).is_err());
    client.cancel(&mut out).unwrap();
    assert_eq!(out, b"*\r\n");
    assert_eq!(client.cancel(&mut out), Err(Misuse::NoChallenge));
    assert!(matches!(client.next_event(&mut &b"-ERR cancelled\r\n"[..]), Ok(Some(Event::Err { .. }))));
    assert_eq!(client.state(), State::Authorization);
}

#[test]
fn the_limit_of_a_sasl_line_holds_on_both_sides() {
    for (length, fits) in [(96, true), (100, false)] {
        let response = "A".repeat(length);
        let mut greeting = Vec::new();
        let config = all().sasl_line(98);
        let mut server = Server::over_tls(config, Greeting::text("").unwrap(), &mut greeting);
        let (lines, mut out) = (format!("AUTH ANONYMOUS\r\n{response}\r\n"), Vec::new());
        let mut input = lines.as_bytes();
        let incoming = server.next_event(&mut input, &mut out).unwrap();
        let refused = matches!(incoming, Some(Incoming::Refused { refusal: Refusal::TooLong, .. }));
        assert_eq!(refused, !fits, "{incoming:?}");
        assert!(input.is_empty());
    }
}

#[test]
fn bare_auth_lists_the_mechanisms_where_that_is_tolerated() {
    let mut out = Vec::new();
    let config = all().with_quirk(Quirk::BareAuth);
    let mut server = Server::over_tls(config, Greeting::text("").unwrap(), &mut out);
    out.clear();
    server.next_event(&mut &b"AUTH \r\n"[..], &mut out).unwrap();
    assert!(out.starts_with(b"+OK mechanisms follow\r\nPLAIN\r\nLOGIN\r\n"));
    assert!(out.ends_with(b"\r\n.\r\n"));
}

/// Base64 by the table, to be independent of the crate.
fn base64(octets: &[u8]) -> String {
    const TABLE: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for group in octets.chunks(3) {
        let word = group.iter().fold(0_u32, |word, &octet| word << 8 | u32::from(octet)) << (8 * (3 - group.len()));
        for place in 0..4 {
            let sextet = TABLE[(word >> (18 - 6 * place) & 63) as usize];
            text.push(if place <= group.len() { char::from(sextet) } else { '=' });
        }
    }
    text
}

#[test]
fn a_server_takes_what_our_own_client_sends_in_plain_and_login() {
    for (password, exchange) in [
        ("tan\tstaaf", Exchange::plain("", "test", "tan\tstaaf").unwrap()),
        ("\x01\x7f", Exchange::login("test", "\x01\x7f").unwrap()),
    ] {
        let mut exchange = exchange;
        let mut pair = Pair::new(Config::new(), Config::new().builtin_mechanisms([Builtin::Plain, Builtin::Login]));
        let mut seen = false;
        pair.run(&mut exchange, |login| {
            seen = matches!(login, Login::Pass { password: sent, .. } if sent.reveal() == password.as_bytes());
            true
        });
        assert!(seen, "{password:?}");
    }
    // What ends a line stays out, though RFC 4616 has it: the password may be handed on by PASS.
    for message in [&b"\0test\0tan\rstaaf"[..], b"\0test\0tan\nstaaf"] {
        let mut out = Vec::new();
        let config = Config::new().builtin_mechanisms([Builtin::Plain]);
        let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut out);
        let line = format!("AUTH PLAIN {}\r\n", base64(message));
        let incoming = server.next_event(&mut line.as_bytes(), &mut out).unwrap();
        assert!(matches!(incoming, Some(Incoming::Refused { verb: Verb::Auth, .. })), "{incoming:?}");
    }
}

#[test]
fn a_name_or_password_out_of_a_message_is_checked_again_where_a_command_sends_it() {
    let mut out = Vec::new();
    let config = Config::new().builtin_mechanisms([Builtin::Plain]);
    let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut out);
    let line = format!("AUTH PLAIN {}\r\n", base64(b"\0a b\0tan\tstaaf"));
    let incoming = server.next_event(&mut line.as_bytes(), &mut out).unwrap();
    let Some(Incoming::Login(Login::Pass { name, password })) = incoming else { panic!("{incoming:?}") };
    let config = Config::new().allow_apop_md5();
    let mut client = Client::over_tls(config, Peer::Verified);
    client.next_event(&mut &b"+OK <1896.697170952@dbc.mtview.ca.us>\r\n"[..]).unwrap();
    let digest = pop3_proto::Digest::new(b"c4c9334bac560ecc979e58001b3e22fb").unwrap();
    let apop = Command::Apop(pop3_proto::Apop { name: name.clone(), digest });
    out.clear();
    assert_eq!(client.send(&apop, &mut out), Err(Misuse::ForbiddenOctet { octet: b' ' }));
    client.send(&Command::user("mrose").unwrap(), &mut out).unwrap();
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    out.clear();
    assert_eq!(client.send(&Command::Pass(password), &mut out), Err(Misuse::ForbiddenOctet { octet: b'\t' }));
    assert!(out.is_empty());
}

#[test]
fn oauthbearer_escapes_are_those_of_rfc_5802() {
    for (name, expected) in
        [("us=3Der", Some("us=er")), ("us=2Cer", Some("us,er")), ("us=er", None), ("user=", None), ("us=3", None)]
    {
        let mut out = Vec::new();
        let config = Config::new().builtin_mechanisms([Builtin::Oauthbearer]);
        let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut out);
        let message = format!("n,a={name},\x01auth=Bearer t\x01\x01");
        let line = format!("AUTH OAUTHBEARER {}\r\n", base64(message.as_bytes()));
        let incoming = server.next_event(&mut line.as_bytes(), &mut out).unwrap();
        let got = match &incoming {
            Some(Incoming::Login(Login::Bearer { name: Some(name), .. })) => Some(name.as_str()),
            _ => None,
        };
        assert_eq!(got, expected, "{name}: {incoming:?}");
    }
}

#[test]
fn a_response_that_is_too_long_is_not_spent() {
    let mut client = Client::over_tls(Config::new().sasl_line(16), Peer::Verified);
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    let mut exchange = Exchange::plain("", "testtest", "testtest").unwrap();
    client.authenticate(&mut exchange, &mut Vec::new()).unwrap();
    let Some(Event::Challenge(challenge)) = client.next_event(&mut &b"+ \r\n"[..]).unwrap() else { panic!() };
    let mut out = Vec::new();
    for _ in 0..3 {
        assert_eq!(client.answer(&challenge, &mut exchange, &mut out), Err(Misuse::TooLong { limit: 16 }));
    }
    assert!(out.is_empty());
    client.cancel(&mut out).unwrap();
}
