//! P13, P14, P15: APOP and CRAM-MD5, for peers that have nothing better. Off until a setting names them, and off again where
//! the greeting holds no timestamp that counts.
#![cfg(feature = "md5")]

use pop3_proto::{
    Capability, Client, Command, Config, CramMd5, Data, Digest, Event, Exchange, Greeting, Incoming, Login, Misuse,
    Peer, Refusal, Reply, Server, State, Step, Timestamp, Verb,
};

/// RFC 1939 §7.
const TIMESTAMP: &str = "<1896.697170952@dbc.mtview.ca.us>";
const SECRET: &[u8] = b"tanstaaf";
const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";

/// RFC 2195 §2.
const CHALLENGE: &[u8] = b"<1896.697170952@postoffice.reston.mci.net>";
const RESPONSE: &[u8] = b"tim b913a602c7eda7a495b4e6e7334d3890";
const CHALLENGE_LINE: &str = "PDE4OTYuNjk3MTcwOTUyQHBvc3RvZmZpY2UucmVzdG9uLm1jaS5uZXQ+";
const RESPONSE_LINE: &str = "dGltIGI5MTNhNjAyYzdlZGE3YTQ5NWI0ZTZlNzMzNGQzODkw";

fn timestamp() -> Timestamp<'static> {
    Timestamp::find(TIMESTAMP.as_bytes()).unwrap()
}

fn greeted(config: Config, greeting: &str) -> Client {
    let mut client = Client::with_config(config);
    client.next_event(&mut format!("+OK ready {greeting}\r\n").as_bytes()).unwrap();
    client
}

fn server(config: Config, with_timestamp: bool) -> Server {
    let greeting = Greeting::text("ready").unwrap();
    let greeting = if with_timestamp { greeting.with_timestamp(TIMESTAMP).unwrap() } else { greeting };
    Server::new(config, greeting, &mut Vec::new())
}

fn with_apop() -> Config {
    Config::new().allow_cleartext_login().allow_apop_md5()
}

#[test]
fn apop_sends_the_digest_of_rfc_1939() {
    let mut client = greeted(with_apop(), TIMESTAMP);
    let mut out = Vec::new();
    client.send(&Command::apop_with_secret("mrose", &timestamp(), SECRET).unwrap(), &mut out).unwrap();
    assert_eq!(out, format!("APOP mrose {DIGEST}\r\n").as_bytes());
}

#[test]
fn apop_opens_the_maildrop_when_the_digest_matches() {
    let (mut client, mut server) = (greeted(with_apop(), TIMESTAMP), server(with_apop(), true));
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    for (secret, fits) in [(&b"something else"[..], false), (SECRET, true)] {
        to_server.clear();
        to_client.clear();
        let command = Command::apop_with_secret("mrose", &timestamp(), secret).unwrap();
        client.send(&command, &mut to_server).unwrap();
        let mut input = to_server.as_slice();
        let Some(Incoming::Login(Login::Apop { name, digest })) =
            server.next_event(&mut input, &mut to_client).unwrap()
        else {
            panic!("no login");
        };
        assert_eq!((name.as_str(), digest.matches(&timestamp(), SECRET)), ("mrose", fits));
        let reply = if fits { Reply::ok("in") } else { Reply::err("no") }.unwrap();
        server.reply(&reply, &mut to_client).unwrap();
        let mut input = to_client.as_slice();
        client.next_event(&mut input).unwrap();
    }
    assert_eq!((client.state(), server.state()), (State::Transaction, State::Transaction));
    assert_eq!(server.failed_logins(), 1);
}

#[test]
fn a_digest_matches_one_secret_and_one_timestamp() {
    let digest = Digest::new(DIGEST.as_bytes()).unwrap();
    assert!(digest.matches(&timestamp(), SECRET));
    for secret in [&b""[..], b"tanstaa", b"tanstaaf ", b"Tanstaaf"] {
        assert!(!digest.matches(&timestamp(), secret));
    }
    assert!(!digest.matches(&Timestamp::find(b"<1896.697170953@dbc.mtview.ca.us>").unwrap(), SECRET));
    for place in 0..Digest::LENGTH {
        let mut digits = DIGEST.as_bytes().to_vec();
        digits[place] = if digits[place] == b'0' { b'1' } else { b'0' };
        assert!(!Digest::new(&digits).unwrap().matches(&timestamp(), SECRET), "digit {place}");
    }
}

#[test]
fn a_digest_is_32_digits_in_lower_case() {
    let upper = DIGEST.to_uppercase();
    for bad in ["", &DIGEST[1..], &format!("{DIGEST}0"), &upper, &DIGEST.replace('c', "g"), &DIGEST.replace('c', "C")] {
        assert_eq!(Digest::new(bad.as_bytes()).unwrap_err(), Misuse::Digest, "{bad:?}");
        assert_eq!(Command::apop("mrose", bad).unwrap_err(), Misuse::Digest, "{bad:?}");
        let (mut out, line) = (Vec::new(), format!("APOP mrose {bad}\r\n"));
        let incoming = server(with_apop(), true).next_event(&mut line.as_bytes(), &mut out).unwrap();
        assert!(
            matches!(incoming, Some(Incoming::Refused { verb: Verb::Apop, refusal: Refusal::Syntax(_) })),
            "{bad:?}"
        );
        assert!(out.starts_with(b"-ERR "));
    }
}

#[test]
fn apop_is_off_by_default_on_both_sides() {
    let command = Command::apop_with_secret("mrose", &timestamp(), SECRET).unwrap();
    let mut out = Vec::new();
    let mut client = greeted(Config::new().allow_cleartext_login(), TIMESTAMP);
    assert!(!client.offers_apop());
    assert_eq!(client.send(&command, &mut out), Err(Misuse::ApopIsOff));
    assert!(out.is_empty());

    let line = format!("APOP mrose {DIGEST}\r\n");
    let mut server = server(Config::new().allow_cleartext_login(), true);
    let incoming = server.next_event(&mut line.as_bytes(), &mut out).unwrap();
    assert_eq!(incoming, Some(Incoming::Refused { verb: Verb::Apop, refusal: Refusal::NotImplemented }));
}

#[test]
fn apop_needs_a_timestamp_on_both_sides() {
    let command = Command::apop_with_secret("mrose", &timestamp(), SECRET).unwrap();
    for greeting in ["", "<no-at-sign>", "<a@b> <c@d>", "<a@b\x01>"] {
        let mut client = greeted(with_apop(), greeting);
        assert_eq!(client.send(&command, &mut Vec::new()), Err(Misuse::NoTimestamp), "{greeting:?}");
    }
    let line = format!("APOP mrose {DIGEST}\r\n");
    let incoming = server(with_apop(), false).next_event(&mut line.as_bytes(), &mut Vec::new()).unwrap();
    assert_eq!(incoming, Some(Incoming::Refused { verb: Verb::Apop, refusal: Refusal::NotImplemented }));
}

#[test]
fn neither_apop_nor_cram_md5_shows_its_secret_or_digest() {
    let secret = b"a secret of enough octets";
    let command = Command::apop_with_secret("mrose", &timestamp(), secret).unwrap();
    let mut line = Vec::new();
    command.encode(&mut line);
    let digest = std::str::from_utf8(&line[11..43]).unwrap();
    let mut exchange = Exchange::cram_md5("mrose", std::str::from_utf8(secret).unwrap()).unwrap();
    let step = exchange.step(CHALLENGE);
    let response = CramMd5::parse(RESPONSE).unwrap();
    let shown = format!("{command:?} {command:#?} {exchange:?} {step:?} {response:?}");
    for hidden in [digest, "a secret", "b913a602c7eda7a495b4e6e7334d3890"] {
        assert!(!shown.contains(hidden), "{shown}");
    }
}

#[test]
fn cram_md5_answers_the_challenge_of_rfc_2195() {
    let mut exchange = Exchange::cram_md5("tim", "tanstaaftanstaaf").unwrap();
    match exchange.step(CHALLENGE) {
        Step::Respond(response) => assert_eq!(response.reveal(), RESPONSE),
        other => panic!("{other:?}"),
    }
    assert_eq!(exchange.step(CHALLENGE), Step::Cancel, "there is one challenge, not two");
}

#[test]
fn a_cram_md5_response_is_a_name_a_space_and_a_digest() {
    let response = CramMd5::parse(RESPONSE).unwrap();
    assert_eq!(response.name(), b"tim");
    assert!(response.matches(CHALLENGE, b"tanstaaftanstaaf"));
    assert!(!response.matches(CHALLENGE, b"tanstaaftanstaa"));
    assert!(!response.matches(b"<1896.697170953@postoffice.reston.mci.net>", b"tanstaaftanstaaf"));
    let long = CramMd5::parse(b"two words b913a602c7eda7a495b4e6e7334d3890").unwrap();
    assert_eq!(long.name(), b"two words", "the digest is behind the last space");
    for bad in [
        &b""[..],
        b"tim",
        b"tim ",
        b"b913a602c7eda7a495b4e6e7334d3890",
        b" b913a602c7eda7a495b4e6e7334d3890",
        b"tim b913a602c7eda7a495b4e6e7334d389",
        b"tim b913a602c7eda7a495b4e6e7334d38900",
        b"tim B913A602C7EDA7A495B4E6E7334D3890",
        b"tim b913a602c7eda7a495b4e6e7334d3890 ",
        b"t\0m b913a602c7eda7a495b4e6e7334d3890",
        b"t\r\nm b913a602c7eda7a495b4e6e7334d3890",
    ] {
        assert_eq!(CramMd5::parse(bad), None, "{}", bad.escape_ascii());
    }
}

/// The exchange of RFC 2195 §2 with POP3's words around it, both machines.
#[test]
fn cram_md5_runs_on_both_machines() {
    let config = Config::new().sasl_mechanisms(["CRAM-MD5"]).unwrap();
    let (mut to_server, mut to_client) = (Vec::new(), Vec::new());
    let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut to_client);
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    let mut exchange = Exchange::cram_md5("tim", "tanstaaftanstaaf").unwrap();
    let (mut said_by_client, mut said_by_server) = (Vec::new(), Vec::new());
    while !to_client.is_empty() {
        said_by_server.append(&mut to_client.clone());
        let octets = std::mem::take(&mut to_client);
        let mut input = octets.as_slice();
        while let Some(event) = client.next_event(&mut input).unwrap() {
            match event {
                Event::Greeting { .. } => client.authenticate(&mut exchange, &mut to_server).unwrap(),
                Event::Challenge(challenge) => client.answer(&challenge, &mut exchange, &mut to_server).unwrap(),
                Event::Ok { to: Verb::Auth, data: Data::None, .. } => {}
                other => panic!("{other:?}"),
            }
        }
        said_by_client.append(&mut to_server.clone());
        let octets = std::mem::take(&mut to_server);
        let mut input = octets.as_slice();
        while let Some(incoming) = server.next_event(&mut input, &mut to_client).unwrap() {
            match incoming {
                Incoming::Auth(auth) => {
                    assert_eq!((auth.mechanism.as_str(), auth.initial_line()), ("CRAM-MD5", None));
                    server.challenge(CHALLENGE, &mut to_client).unwrap();
                }
                Incoming::Response(line) => {
                    assert_eq!(line.reveal(), RESPONSE_LINE.as_bytes());
                    server.reply(&Reply::ok("CRAM authentication successful").unwrap(), &mut to_client).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
    }
    assert_eq!(String::from_utf8(said_by_client).unwrap(), format!("AUTH CRAM-MD5\r\n{RESPONSE_LINE}\r\n"));
    assert_eq!(
        String::from_utf8(said_by_server).unwrap(),
        format!("+OK ready\r\n+ {CHALLENGE_LINE}\r\n+OK CRAM authentication successful\r\n")
    );
    assert_eq!((client.state(), server.state()), (State::Transaction, State::Transaction));
}

#[test]
fn the_client_cancels_cram_md5_when_the_challenge_is_not_base64() {
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    client.next_event(&mut &b"+OK ready\r\n"[..]).unwrap();
    let mut exchange = Exchange::cram_md5("tim", "tanstaaftanstaaf").unwrap();
    let mut out = Vec::new();
    client.authenticate(&mut exchange, &mut out).unwrap();
    let mut input = &b"+ <1896.697170952@postoffice.reston.mci.net>\r\n"[..];
    let Some(Event::Challenge(challenge)) = client.next_event(&mut input).unwrap() else { panic!("no challenge") };
    client.answer(&challenge, &mut exchange, &mut out).unwrap();
    assert_eq!(out, b"AUTH CRAM-MD5\r\n*\r\n");
}

#[test]
fn cram_md5_is_there_only_where_the_server_names_it() {
    let capabilities = |config: Config| {
        let mut out = Vec::new();
        let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut Vec::new());
        server.next_event(&mut &b"CAPA\r\n"[..], &mut out).unwrap();
        server.capabilities(&mut out).unwrap();
        let mut client = Client::over_tls(Config::new(), Peer::Verified);
        client.next_event(&mut &b"+OK ready\r\n"[..]).unwrap();
        client.send(&Command::Capa, &mut Vec::new()).unwrap();
        let (mut input, mut named) = (out.as_slice(), false);
        while let Some(event) = client.next_event(&mut input).unwrap() {
            named |= matches!(&event, Event::Capability(Capability::Sasl(names)) if names.contains("CRAM-MD5"));
        }
        named
    };
    assert!(capabilities(Config::new().sasl_mechanisms(["CRAM-MD5"]).unwrap()));
    assert!(!capabilities(Config::new()));
    assert!(!capabilities(Config::new().builtin_mechanisms(pop3_proto::Builtin::ALL)), "it is not built in");
    let mut out = Vec::new();
    let mut server = Server::over_tls(Config::new(), Greeting::text("ready").unwrap(), &mut Vec::new());
    let incoming = server.next_event(&mut &b"AUTH CRAM-MD5\r\n"[..], &mut out).unwrap();
    assert_eq!(incoming, Some(Incoming::Refused { verb: Verb::Auth, refusal: Refusal::NotImplemented }));
}
