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
