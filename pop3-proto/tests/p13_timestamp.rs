//! P13: a timestamp is `<` local `@` domain `>` in visible ASCII without inner brackets, exactly one in the greeting; else
//! APOP is not available. A looser reading (no `@`, a control character, the first of two) lets whoever sits on the way
//! choose the octets that are hashed.

#[path = "support/oracle.rs"]
mod oracle;

use pop3_proto::{Client, Command, Config, Event, Greeting, Misuse, Peer, Server, Timestamp};

const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";

/// The text of a greeting, and the timestamp in it.
const GOOD: [(&[u8], &[u8]); 10] = [
    (b"POP3 server ready <1896.697170952@dbc.mtview.ca.us>", b"<1896.697170952@dbc.mtview.ca.us>"),
    (b"<1896.697170952@dbc.mtview.ca.us>", b"<1896.697170952@dbc.mtview.ca.us>"),
    (b"<a@b>", b"<a@b>"),
    (b"<a@b> ready", b"<a@b>"),
    (b"ready<a@b>ready", b"<a@b>"),
    (
        b"Dovecot (Debian) ready. <11a0.7c.6b039865.ni0YZDe1ghdvj88Uiic5mA==@vm>",
        b"<11a0.7c.6b039865.ni0YZDe1ghdvj88Uiic5mA==@vm>",
    ),
    (b"a@b <c@d> e@f", b"<c@d>"),
    (b"caf\xc3\xa9 <a@b> \xff", b"<a@b>"),
    (b"<!#$%&'*+-/=?^_`{|}~@[127.0.0.1]>", b"<!#$%&'*+-/=?^_`{|}~@[127.0.0.1]>"),
    (b"[junk] ready <a@b>", b"<a@b>"),
];

/// Texts of greetings without a timestamp that counts.
const BAD: [&[u8]; 32] = [
    b"",
    b"POP3 server ready",
    b"ready <",
    b"ready >",
    b"ready <>",
    b"ready <@>",
    b"ready <a@>",
    b"ready <@b>",
    b"ready <no-at-sign>",
    b"ready a@b",
    b"ready <a@b",
    b"ready a@b>",
    b"ready >a@b<",
    b"ready <a b@c>",
    b"ready <a@b c>",
    b"ready <a@ b>",
    b"ready < a@b>",
    b"ready <a@b >",
    b"ready <a\t@b>",
    b"ready <a@b\0>",
    b"ready <\0a@b>",
    b"ready <a@b\x7f>",
    b"ready <a\r@b>",
    b"ready <\x1b[2J@b>",
    b"ready <a@b\x80>",
    b"ready <caf\xc3\xa9@b>",
    b"ready <<a@b>",
    b"ready <a@b>>",
    b"ready <a<b@c>",
    b"ready <a@b> <c@d>",
    b"ready <a@b> <no-at-sign>",
    b"ready <x> <a@b>",
];

/// A client that was greeted like this, and the timestamp that it told its application.
fn greeted(config: Config, text: &[u8]) -> (Client, Option<Vec<u8>>) {
    let mut client = Client::with_config(config);
    let line = [b"+OK ", text, b"\r\n"].concat();
    let mut input = line.as_slice();
    let timestamp = match client.next_event(&mut input) {
        Ok(Some(Event::Greeting { timestamp, text: heard })) => {
            assert_eq!(heard.as_bytes(), text);
            timestamp.map(|timestamp| timestamp.as_bytes().to_vec())
        }
        other => panic!("{}: {other:?}", text.escape_ascii()),
    };
    (client, timestamp)
}

fn with_apop() -> Config {
    Config::new().allow_cleartext_login().allow_apop_md5()
}

#[test]
fn a_timestamp_is_found_wherever_it_stands_in_the_greeting() {
    for (text, expected) in GOOD {
        assert_eq!(Timestamp::find(text).as_ref().map(Timestamp::as_bytes), Some(expected), "{}", text.escape_ascii());
        let (mut client, timestamp) = greeted(with_apop(), text);
        assert_eq!(timestamp.as_deref(), Some(expected), "{}", text.escape_ascii());
        let mut out = Vec::new();
        assert_eq!(client.send(&Command::apop("mrose", DIGEST).unwrap(), &mut out), Ok(()));
        assert_eq!(out, format!("APOP mrose {DIGEST}\r\n").as_bytes());
    }
}

#[test]
fn what_is_no_timestamp_leaves_the_client_without_apop() {
    for text in BAD {
        assert_eq!(Timestamp::find(text), None, "{}", text.escape_ascii());
        let (mut client, timestamp) = greeted(with_apop(), text);
        assert_eq!(timestamp, None, "{}", text.escape_ascii());
        let mut out = Vec::new();
        let refused = client.send(&Command::apop("mrose", DIGEST).unwrap(), &mut out);
        assert_eq!(refused, Err(Misuse::NoTimestamp), "{}", text.escape_ascii());
        assert!(out.is_empty());
        assert_eq!(client.send(&Command::user("mrose").unwrap(), &mut out), Ok(()), "USER is there all the same");
    }
}

#[test]
fn every_octet_but_visible_ascii_spoils_a_timestamp() {
    for octet in 0..=u8::MAX {
        for text in [[b"<", &[octet][..], b"x@y>"], [b"<x", &[octet][..], b"@y>"], [b"<x@y", &[octet][..], b"z>"]] {
            let text = text.concat();
            let counts = octet.is_ascii_graphic() && !b"<>@".contains(&octet);
            if octet != b'@' {
                assert_eq!(Timestamp::find(&text).is_some(), counts, "{}", text.escape_ascii());
            }
        }
    }
}

#[test]
fn the_greeting_may_come_in_single_octets() {
    for (text, expected) in GOOD {
        let mut client = Client::with_config(with_apop());
        let line = [b"+OK ", text, b"\r\n"].concat();
        let chunks: Vec<_> = line.chunks(1).collect();
        let (heard, error) = oracle::hear(&mut client, &chunks);
        assert_eq!(error, None);
        assert!(format!("{heard:?}").contains("timestamp: Some"), "{}: {heard:?}", expected.escape_ascii());
        assert_eq!(client.may_send(&Command::apop("mrose", DIGEST).unwrap()), Ok(()));
    }
}

#[test]
fn apop_is_off_until_it_is_allowed_by_name_whatever_the_greeting_holds() {
    for text in GOOD.iter().map(|(text, _)| *text).chain(BAD) {
        let (mut client, _) = greeted(Config::new().allow_cleartext_login(), text);
        let mut out = Vec::new();
        assert_eq!(client.send(&Command::apop("mrose", DIGEST).unwrap(), &mut out), Err(Misuse::ApopIsOff));
        assert!(out.is_empty());
    }
}

#[test]
fn the_timestamp_is_forgotten_at_stls() {
    let mut out = Vec::new();
    let (mut client, _) = greeted(with_apop(), b"<a@b>");
    client.send(&Command::Stls, &mut out).unwrap();
    assert_eq!(oracle::hear(&mut client, &[b"+OK\r\n"]).1, None);
    client.tls_established(Peer::Verified).unwrap();
    assert_eq!(client.may_send(&Command::apop("mrose", DIGEST).unwrap()), Err(Misuse::NoTimestamp));
}

#[test]
fn a_server_announces_only_what_a_client_finds() {
    for (_, timestamp) in GOOD {
        let timestamp = std::str::from_utf8(timestamp).unwrap();
        for text in ["", "ready", "ready (a@b)", "gruess dich"] {
            let greeting = Greeting::text(text).unwrap().with_timestamp(timestamp).unwrap();
            let mut out = Vec::new();
            let _ = Server::new(with_apop(), greeting, &mut out);
            assert_eq!(
                Timestamp::find(&out[3..out.len() - 2]).map(|found| found.as_bytes().to_vec()),
                Some(timestamp.into())
            );
        }
    }
    for text in BAD.iter().filter_map(|text| std::str::from_utf8(text).ok()) {
        assert_eq!(Greeting::text("ready").unwrap().with_timestamp(text), Err(Misuse::Timestamp), "{text:?}");
    }
}

/// A `>` in the text would stand beside the timestamp's own, and a client that wants exactly one finds none.
#[test]
fn no_text_of_a_greeting_hides_the_timestamp_behind_it() {
    for octet in (0..0x80_u8).map(char::from) {
        for text in [format!("{octet}"), format!("ready {octet}"), format!("{octet} ready")] {
            let Ok(greeting) = Greeting::text(&text) else { continue };
            let greeting = greeting.with_timestamp("<a@b>").unwrap();
            let mut out = Vec::new();
            let _ = Server::new(with_apop(), greeting, &mut out);
            assert!(Timestamp::find(&out[3..out.len() - 2]).is_some(), "{}", out.escape_ascii());
        }
    }
}
