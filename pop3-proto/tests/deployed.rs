//! What deployed servers and clients do, where no other file has it: each by its number in `docs/rfcs.md`.
//!
//! Broken if an answer about another message passed for the right one, if an `-ERR` in a capability list passed for a
//! capability, or if a server invited to what cannot succeed.
#![cfg(feature = "sasl")]

use pop3_proto::grammar::Fault;
use pop3_proto::{
    Client, Command, Config, Data, Event, Greeting, Incoming, InitialResponse, InitialSent, LanguageTag, Misuse, Peer,
    Reply, ResponseCode, Server, Verb,
};
use std::time::Duration;

fn hear(client: &mut Client, octets: &'static [u8]) -> Vec<Event<'static>> {
    let (mut input, mut events) = (octets, Vec::new());
    while let Some(event) = client.next_event(&mut input).unwrap() {
        events.push(event);
    }
    events
}

fn logged_in() -> Client {
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    hear(&mut client, b"+OK\r\n");
    for command in [Command::user("a").unwrap(), Command::pass("b").unwrap()] {
        client.send(&command, &mut Vec::new()).unwrap();
        hear(&mut client, b"+OK\r\n");
    }
    client
}

#[test]
fn f1_the_initial_response_of_a_foreign_mechanism_follows_the_setting_too() {
    for (setting, mechanism, expected) in [
        (InitialResponse::Auto, "SCRAM-SHA-256", InitialSent::WithCommand),
        (InitialResponse::Auto, "xoauth2", InitialSent::Later),
        (InitialResponse::Auto, "OAUTHBEARER", InitialSent::Later),
        (InitialResponse::Always, "XOAUTH2", InitialSent::WithCommand),
        (InitialResponse::Never, "SCRAM-SHA-256", InitialSent::Later),
    ] {
        let mut client = Client::over_tls(Config::new().initial_response(setting), Peer::Verified);
        hear(&mut client, b"+OK\r\n");
        client.send(&Command::Capa, &mut Vec::new()).unwrap();
        hear(&mut client, b"+OK\r\nSASL X\r\n.\r\n");
        let mut out = Vec::new();
        assert_eq!(
            client.authenticate_with(mechanism, Some(b"abc"), &mut out),
            Ok(expected),
            "{setting:?} {mechanism}"
        );
        assert_eq!(out.ends_with(b" YWJj\r\n"), expected == InitialSent::WithCommand);
    }
}

#[test]
fn f12_an_err_inside_a_capability_list_is_a_bad_row_of_it() {
    let mut client = logged_in();
    client.send(&Command::Capa, &mut Vec::new()).unwrap();
    let events = hear(&mut client, b"+OK\r\nTOP\r\n-ERR no more\r\nUIDL\r\n.\r\n");
    assert!(matches!(&events[2], Event::BadRow { of: Verb::Capa, fault: Fault::LooksLikeErr, .. }));
    assert_eq!(events.len(), 5, "the list goes on: {events:?}");
}

#[test]
fn f20_an_answer_about_another_message_is_not_taken_for_the_right_one() {
    for (command, answer) in
        [(Command::list(1).unwrap(), &b"+OK 2 120\r\n"[..]), (Command::uidl(1).unwrap(), b"+OK 2 abc\r\n")]
    {
        let mut client = logged_in();
        client.send(&command, &mut Vec::new()).unwrap();
        let events = hear(&mut client, answer);
        assert!(matches!(&events[..], [Event::Ok { data: Data::Malformed(Fault::OtherNumber), .. }]), "{events:?}");
    }
    let mut client = logged_in();
    client.send(&Command::list(2).unwrap(), &mut Vec::new()).unwrap();
    assert!(matches!(&hear(&mut client, b"+OK 2 120\r\n")[..], [Event::Ok { data: Data::Scan(_), .. }]));
}

#[test]
fn w13_a_timestamp_is_sent_only_where_apop_can_succeed() {
    let greeting = || Greeting::text("ready").unwrap().with_timestamp("<a@b>").unwrap();
    for (config, sent) in [
        (Config::new(), false),
        (Config::new().allow_apop_md5(), false),
        (Config::new().allow_cleartext_login(), false),
        (Config::new().allow_apop_md5().allow_cleartext_login(), true),
    ] {
        let mut out = Vec::new();
        let _ = Server::new(config, greeting(), &mut out);
        assert_eq!(out, if sent { &b"+OK ready <a@b>\r\n"[..] } else { b"+OK ready\r\n" });
    }
    let mut out = Vec::new();
    let _ = Server::over_tls(Config::new().allow_apop_md5(), greeting(), &mut out);
    assert_eq!(out, b"+OK ready <a@b>\r\n");
}

#[test]
fn a28_no_code_stands_in_front_of_a_language_tag() {
    let (mut out, mut input) = (Vec::new(), &b"LANG en\r\n"[..]);
    let mut server = Server::over_tls(Config::new().with_lang(), Greeting::text("").unwrap(), &mut out);
    assert!(matches!(server.next_event(&mut input, &mut out), Ok(Some(Incoming::Command(Command::Lang(_))))));
    let reply = Reply::language(LanguageTag::new("en").unwrap(), "changed").unwrap();
    let coded = reply.clone().with_code(ResponseCode::InUse);
    assert_eq!(server.reply(&coded, &mut out), Err(Misuse::WrongAnswer { to: Verb::Lang }));
    assert_eq!(server.reply(&reply, &mut out), Ok(()));
}

#[test]
fn a29_the_wait_before_login_has_a_setting_of_its_own() {
    let config = Config::new().login_wait_below_ten_minutes(Duration::from_secs(180));
    let mut out = Vec::new();
    let mut server = Server::over_tls(config, Greeting::text("").unwrap(), &mut out);
    assert_eq!(server.patience(), Some(Duration::from_secs(180)));
    let mut input = &b"USER a\r\nPASS b\r\n"[..];
    while server.next_event(&mut input, &mut out).unwrap().is_some() {
        server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
    }
    assert_eq!(server.patience(), Some(Duration::from_secs(600)));
}

#[test]
fn extra_spaces_may_stand_in_front_too_where_they_are_tolerated() {
    use pop3_proto::Quirk;
    for (tolerant, config) in [(true, Config::new()), (false, Config::new().without_quirk(Quirk::ExtraSpaces))] {
        let mut client = Client::over_tls(config, Peer::Verified);
        hear(&mut client, b"+OK\r\n");
        for command in [Command::user("a").unwrap(), Command::pass("b").unwrap(), Command::Stat] {
            client.send(&command, &mut Vec::new()).unwrap();
            let events = hear(&mut client, if command == Command::Stat { b"+OK  2 320\r\n" } else { b"+OK\r\n" });
            if command == Command::Stat {
                assert_eq!(matches!(&events[0], Event::Ok { data: Data::Drop(_), .. }), tolerant);
            }
        }
        client.send(&Command::List(None), &mut Vec::new()).unwrap();
        let events = hear(&mut client, b"+OK\r\n 1 120\r\n.\r\n");
        assert_eq!(matches!(&events[1], Event::Scan(_)), tolerant, "{events:?}");
        assert_eq!(client.quirks_seen().contains(Quirk::ExtraSpaces), tolerant);
    }
}

#[test]
fn an_stls_that_was_listed_once_is_not_forgotten_by_a_refused_capa() {
    use pop3_proto::Tls;
    let mut client = Client::with_config(Config::new().tls(Tls::Opportunistic));
    hear(&mut client, b"+OK\r\n");
    for answer in [&b"+OK\r\nSTLS\r\n.\r\n"[..], b"-ERR busy\r\n", b"+OK\r\nUSER\r\n.\r\n"] {
        client.send(&Command::Capa, &mut Vec::new()).unwrap();
        hear(&mut client, answer);
        assert_eq!(client.may_send(&Command::user("a").unwrap()), Err(Misuse::NeedsTls));
    }
    client.send(&Command::Stls, &mut Vec::new()).unwrap();
    hear(&mut client, b"-ERR no\r\n");
    assert_eq!(client.may_send(&Command::user("a").unwrap()), Ok(()));
}

#[test]
fn a_token_that_was_refused_is_a_failed_login_however_long_the_word_to_it_is() {
    let (mut out, token) = (Vec::new(), "dXNlcj1hAWF1dGg9QmVhcmVyIGIBAQ==");
    let config = Config::new().builtin_mechanisms([pop3_proto::Builtin::Xoauth2]).sasl_line(100);
    let mut server = Server::over_tls(config, Greeting::text("").unwrap(), &mut out);
    for word in ["".to_owned(), "*".to_owned(), "no base64".to_owned(), "A".repeat(200)] {
        let line = format!("AUTH XOAUTH2 {token}\r\n");
        let incoming = server.next_event(&mut line.as_bytes(), &mut out).unwrap();
        assert!(matches!(incoming, Some(Incoming::Login(_))), "{incoming:?}");
        server.reject_token("{}", &mut out).unwrap();
        out.clear();
        let before = server.failed_logins();
        let line = format!("{word}\r\n");
        server.next_event(&mut line.as_bytes(), &mut out).unwrap();
        assert_eq!(server.failed_logins(), before + 1, "{word:?}");
        assert_eq!(out, b"-ERR [AUTH] the token is not accepted\r\n", "{word:?}");
    }
}

#[test]
fn before_tls_no_capability_list_of_any_make_announces_a_login() {
    use pop3_proto::{Capability, Mechanisms, Text};
    let mut out = Vec::new();
    let mut server = Server::new(Config::new().with_stls(), Greeting::text("").unwrap(), &mut out);
    server.next_event(&mut &b"CAPA\r\n"[..], &mut out).unwrap();
    server.begin("", &mut out).unwrap();
    for row in [
        Capability::User,
        Capability::Sasl(Mechanisms::new(["PLAIN"]).unwrap()),
        Capability::Other { tag: Text::from("user"), arguments: Text::default() },
        Capability::Other { tag: Text::from("Sasl"), arguments: Text::from("PLAIN") },
    ] {
        assert_eq!(server.listing(row, &mut out), Err(Misuse::NotOffered));
    }
    assert_eq!(server.listing(Capability::Stls, &mut out), Ok(()));
}

#[test]
fn text_that_is_passed_on_stuffed_needs_lines_of_crlf() {
    let config = Config::new().stuffed_bodies();
    let mut client = Client::over_tls(config, Peer::Verified);
    assert_eq!(client.next_event(&mut &b"+OK ready\n"[..]), Err(pop3_proto::Error::BareLf));
}
