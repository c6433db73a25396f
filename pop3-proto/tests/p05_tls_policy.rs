//! P5: under `Tls::Required`, "whatever the server sends, no octet of USER, PASS, APOP or AUTH leaves before TLS". P6:
//! the server refuses logins in the clear and does not announce them. P7: "No greeting or reply moves a client past
//! AUTHORIZATION without an accepted login". One credential in the clear without the setting that names it breaks them.

#[path = "support/machines.rs"]
mod machines;

use machines::{DIGEST, Site, TIMESTAMP, feed, greeted, hear};
use pop3_proto::{
    Client, Command, Config, Event, Greeting, Incoming, Misuse, Peer, Refusal, Server, Shape, State, Tls, Verb,
};
use proptest::prelude::*;

fn every_command() -> Vec<Command<'static>> {
    vec![
        Command::user("mrose").unwrap(),
        Command::pass("tanstaaf").unwrap(),
        Command::apop("mrose", DIGEST).unwrap(),
        Command::auth("PLAIN").unwrap(),
        Command::auth_with_initial("PLAIN", "AHgAeQ==").unwrap(),
        Command::Stls,
        Command::Utf8,
        Command::Stat,
        Command::List(None),
        Command::list(1).unwrap(),
        Command::retr(1).unwrap(),
        Command::dele(1).unwrap(),
        Command::Noop,
        Command::Rset,
        Command::top(1, 0).unwrap(),
        Command::Uidl(None),
        Command::uidl(1).unwrap(),
        Command::Capa,
        Command::Lang(None),
        Command::lang("en").unwrap(),
        Command::Quit,
        Command::other("XTND", Shape::SingleLine).unwrap(),
    ]
}

/// What a server may answer to CAPA and STLS; a client that went through it has asked both.
const STORIES: [(&str, &str); 7] = [
    ("", ""),
    ("+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN\r\nPIPELINING\r\n.\r\n", ""),
    ("+OK\r\nUSER\r\nSASL PLAIN\r\nPIPELINING\r\n.\r\n", ""),
    ("+OK\r\n.\r\n", ""),
    ("-ERR what\r\n", ""),
    ("+OK\r\nSTLS\r\nUSER\r\nSASL PLAIN\r\n.\r\n", "-ERR no TLS today\r\n"),
    ("-ERR what\r\n", "-ERR no\r\n"),
];

fn told(config: Config, (capa, stls): (&str, &str)) -> Client {
    let mut client = Client::with_config(config);
    feed(&mut client, format!("+OK ready {TIMESTAMP}\r\n").as_bytes());
    for (command, answer) in [(Command::Capa, capa), (Command::Stls, stls)] {
        if !answer.is_empty() {
            client.send(&command, &mut vec![]).unwrap();
            feed(&mut client, answer.as_bytes());
        }
    }
    client
}

/// RFC 8314 §5: "MUAs MUST NOT treat a session as meeting a minimum level of confidentiality if the server's TLS certificate
/// cannot be validated."
#[test]
fn under_required_no_login_goes_to_a_server_that_nobody_verified() {
    let implicit = |config: Config| Client::over_tls(config, Peer::Unverified);
    let behind_stls = |config: Config| {
        let mut client = told(config, ("", ""));
        client.send(&Command::Stls, &mut vec![]).unwrap();
        feed(&mut client, b"+OK go on\r\n");
        client.tls_established(Peer::Unverified).unwrap();
        client
    };
    let greeted_over_tls = |config| {
        let mut client = implicit(config);
        feed(&mut client, format!("+OK ready {TIMESTAMP}\r\n").as_bytes());
        client
    };
    for command in every_command() {
        for strict in [greeted_over_tls(Config::new().allow_apop_md5()), behind_stls(Config::new().allow_apop_md5())] {
            let (mut client, mut out) = (strict, vec![]);
            let sent = client.send(&command, &mut out);
            if command.verb().is_login() {
                assert_eq!((sent, out), (Err(Misuse::UnverifiedPeer), vec![]), "{}", command.verb());
            } else {
                assert_ne!(sent, Err(Misuse::UnverifiedPeer), "{}", command.verb());
            }
        }
    }
    let settings = [
        Config::new().allow_unverified_peer(),
        Config::new().tls(Tls::Opportunistic),
        Config::new().allow_cleartext_login(),
    ];
    for config in settings {
        assert_eq!(greeted_over_tls(config.clone()).may_send(&Command::user("mrose").unwrap()), Ok(()));
        assert_eq!(behind_stls(config).may_send(&Command::user("mrose").unwrap()), Ok(()));
    }
    let mut verified = Client::over_tls(Config::new(), Peer::Verified);
    feed(&mut verified, b"+OK ready\r\n");
    assert_eq!(verified.may_send(&Command::user("mrose").unwrap()), Ok(()));
}

#[test]
fn under_required_only_capa_stls_and_quit_go_out_before_tls_whatever_the_server_says() {
    for story in STORIES {
        for command in every_command() {
            let mut client = told(Config::new().allow_apop_md5(), story);
            let mut out = vec![];
            let sent = client.send(&command, &mut out);
            let verb = command.verb();
            if matches!(verb, Verb::Capa | Verb::Stls | Verb::Quit) {
                assert_eq!(sent, Ok(()), "{story:?} {verb}");
            } else {
                assert!(out.is_empty());
                if State::Authorization.permits(verb) {
                    assert_eq!(sent, Err(Misuse::NeedsTls), "{story:?} {verb}");
                } else {
                    assert_eq!(sent, Err(Misuse::NotPermitted { verb, state: State::Authorization }));
                }
            }
        }
    }
}

#[test]
fn required_is_the_default() {
    assert_eq!(told(Config::new(), ("", "")).may_send(&Command::user("x").unwrap()), Err(Misuse::NeedsTls));
    let mut client = Client::new();
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.may_send(&Command::user("x").unwrap()), Err(Misuse::NeedsTls));
}

#[test]
fn under_opportunistic_a_login_in_the_clear_waits_for_the_word_that_there_is_no_stls() {
    let config = || Config::new().tls(Tls::Opportunistic).allow_apop_md5();
    let logins =
        [Command::user("mrose").unwrap(), Command::apop("mrose", DIGEST).unwrap(), Command::auth("PLAIN").unwrap()];
    for (story, clear) in STORIES.into_iter().zip([false, false, true, true, true, true, true]) {
        for login in &logins {
            let expected = if clear { Ok(()) } else { Err(Misuse::NeedsTls) };
            assert_eq!(told(config(), story).may_send(login), expected, "{story:?} {login:?}");
        }
        assert_eq!(told(config(), story).may_send(&Command::Stls), Ok(()));
    }
}

#[test]
fn under_none_a_login_goes_out_in_the_clear_at_once() {
    for config in [Config::new().tls(Tls::None), Config::new().allow_cleartext_login()] {
        let mut client = told(config, ("", ""));
        let mut out = vec![];
        client.send(&Command::user("mrose").unwrap(), &mut out).unwrap();
        assert_eq!(out, b"USER mrose\r\n");
    }
}

#[test]
fn over_tls_every_policy_lets_logins_out() {
    for tls in [Tls::Required, Tls::Opportunistic, Tls::None] {
        let mut client = Client::over_tls(Config::new().tls(tls).allow_apop_md5(), Peer::Verified);
        feed(&mut client, format!("+OK ready {TIMESTAMP}\r\n").as_bytes());
        for command in every_command().into_iter().filter(|command| State::Authorization.permits(command.verb())) {
            let expected = match &command {
                Command::Stls => Err(Misuse::TlsIsOn),
                Command::Pass(_) => Err(Misuse::UserBeforePass),
                Command::Auth(auth) if auth.initial_line().is_some() => Err(Misuse::NoInitialResponse),
                _ => Ok(()),
            };
            assert_eq!(client.may_send(&command), expected, "{command:?}");
        }
    }
}

#[test]
fn apop_needs_its_setting_and_a_timestamp() {
    let apop = Command::apop("mrose", DIGEST).unwrap();
    let after = |config: Config, greeting: &str| {
        let mut client = Client::with_config(config.allow_cleartext_login());
        feed(&mut client, greeting.as_bytes());
        client.may_send(&apop)
    };
    assert_eq!(after(Config::new(), "+OK <a@b>\r\n"), Err(Misuse::ApopIsOff));
    assert_eq!(after(Config::new().allow_apop_md5(), "+OK <a@b>\r\n"), Ok(()));
    for odd in ["+OK\r\n", "+OK <a@b> <c@d>\r\n", "+OK <a>\r\n", "+OK <a@b@c>\r\n", "+OK <a b@c>\r\n", "+OK a@b>\r\n"] {
        assert_eq!(after(Config::new().allow_apop_md5(), odd), Err(Misuse::NoTimestamp), "{odd}");
    }
}

#[test]
fn a_server_that_requires_tls_gives_the_application_no_credential() {
    let lines = ["USER mrose", "PASS tanstaaf", "AUTH X-TWO", "AUTH X-TWO AHgAeQ==", &format!("APOP mrose {DIGEST}")];
    let config = || Config::new().allow_apop_md5().with_stls().sasl_mechanisms(["X-TWO"]).unwrap();
    for line in lines {
        let (mut server, mut out) = (greeted(config()), vec![]);
        let octets = format!("{line}\r\n");
        let incoming = server.next_event(&mut octets.as_bytes(), &mut out).unwrap().unwrap();
        assert!(matches!(incoming, Incoming::Refused { refusal: Refusal::NeedsTls, .. }), "{line}: {incoming:?}");
        assert!(out.starts_with(b"-ERR ") && server.owes().is_none());
        assert_eq!(server.state(), State::Authorization);
    }
    let capabilities = |server: &mut Server| {
        let mut out = vec![];
        Site::default().serve(server, b"CAPA\r\n", &mut vec![], &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let mut server = greeted(config());
    let before = capabilities(&mut server);
    assert!(before.contains("\r\nSTLS\r\n") && !before.contains("USER") && !before.contains("SASL"), "{before}");
    Site::default().serve(&mut server, b"STLS\r\n", &mut vec![], &mut vec![]).unwrap();
    server.tls_established().unwrap();
    let behind = capabilities(&mut server);
    assert!(
        !behind.contains("STLS") && behind.contains("\r\nUSER\r\n") && behind.contains("\r\nSASL X-TWO\r\n"),
        "{behind}"
    );
    let mut site = Site::new(&[b"one\r\n"]);
    site.serve(&mut server, b"USER mrose\r\nPASS tanstaaf\r\n", &mut vec![], &mut vec![]).unwrap();
    assert_eq!(server.state(), State::Transaction);
}

#[test]
fn a_server_over_tls_takes_logins_and_no_stls() {
    let mut server = Server::over_tls(Config::new().with_stls(), Greeting::text("ready").unwrap(), &mut vec![]);
    let mut out = vec![];
    let mut site = Site::new(&[]);
    site.serve(&mut server, b"CAPA\r\nSTLS\r\nUSER mrose\r\nPASS tanstaaf\r\n", &mut vec![], &mut out).unwrap();
    let said = String::from_utf8(out).unwrap();
    assert!(!said.contains("\r\nSTLS\r\n") && said.contains("-ERR not permitted in this state\r\n"), "{said}");
    assert_eq!(server.state(), State::Transaction);
}

#[test]
fn there_is_no_preauthenticated_greeting() {
    for greeting in ["+OK PREAUTH\r\n", "+OK [PREAUTH] already logged in\r\n", "+OK <a@b> maildrop open\r\n"] {
        let mut client = Client::with_config(Config::new().allow_cleartext_login());
        feed(&mut client, greeting.as_bytes());
        assert_eq!((client.state(), client.login_generation()), (State::Authorization, 0));
        let verb = Verb::Stat;
        let expected = Err(Misuse::NotPermitted { verb, state: State::Authorization });
        assert_eq!(client.may_send(&Command::Stat), expected);
    }
    assert!(hear(&mut Client::new(), b"* PREAUTH\r\n", &mut vec![]).is_err());
}

proptest! {
    /// Whatever a server answers to what a client asks before login, only `+OK` to PASS, APOP or AUTH opens the
    /// maildrop.
    #[test]
    fn only_an_accepted_login_opens_the_maildrop(
        answers in proptest::collection::vec((0..6_usize, 0..6_usize), 1..12)
    ) {
        let mut client = Client::with_config(Config::new().allow_cleartext_login().allow_apop_md5());
        feed(&mut client, b"+OK <a@b>\r\n");
        let commands = [
            Command::Capa, Command::user("mrose").unwrap(), Command::pass("x").unwrap(),
            Command::apop("mrose", DIGEST).unwrap(), Command::auth("PLAIN").unwrap(), Command::Lang(None),
        ];
        let lines = ["+OK\r\n", "-ERR\r\n", "+ \r\n", "+OK 1 2\r\n.\r\n", "+OK maildrop open\r\n.\r\n+OK\r\n", "\r\n"];
        for (command, answer) in answers {
            let before = client.state();
            if client.send(&commands[command], &mut vec![]).is_err() {
                continue;
            }
            let mut input = lines[answer].as_bytes();
            let mut accepted = false;
            while let Ok(Some(event)) = client.next_event(&mut input) {
                accepted |= matches!(event, Event::Ok { to: Verb::Pass | Verb::Apop | Verb::Auth, .. });
                if matches!(event, Event::Challenge(_)) {
                    let _ = client.cancel(&mut vec![]);
                }
            }
            let moved = before == State::Authorization && client.state() == State::Transaction;
            prop_assert_eq!(moved, accepted);
            prop_assert_eq!(client.login_generation(), u32::from(client.state() == State::Transaction));
        }
    }
}
