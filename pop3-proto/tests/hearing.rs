//! What a client makes of servers that are none, of connections that end, and of challenges: the cases that are not
//! anybody's attack, and that a driver has to explain to a person.

#[path = "support/machines.rs"]
mod machines;

use machines::{Heard, feed, hear, logged_in};
use pop3_proto::{Capability, Client, Command, Config, Error, Event, Misuse, Peer, Protocol, Quirk, Tls, Verb, Wait};

#[test]
fn a_server_of_another_protocol_is_named() {
    for (greeting, looks_like) in [
        (&b"* OK IMAP4rev1 ready\r\n"[..], Protocol::Imap),
        (b"*\r\n", Protocol::Unknown),
        (b"220 mail ESMTP\r\n", Protocol::Smtp),
        (b"421 too busy\r\n", Protocol::Smtp),
        (b"554 no\r\n", Protocol::Smtp),
        (b"320 no\r\n", Protocol::Unknown),
        (b"2x0 no\r\n", Protocol::Unknown),
        (b"HTTP/1.1 400 Bad Request\r\n", Protocol::Http),
        (b"HTTP 400\r\n", Protocol::Unknown),
        (b"SSH-2.0-OpenSSH_9.2\r\n", Protocol::Ssh),
        (b"SSH\r\n", Protocol::Unknown),
        (b"\x16\x03\x01", Protocol::Tls),
        (b"\x15\x03\x01", Protocol::Tls),
        (b"hello\r\n", Protocol::Unknown),
    ] {
        let mut client = Client::new();
        let error = hear(&mut client, greeting, &mut vec![]).unwrap_err();
        assert_eq!(error, Error::NotPop3 { looks_like }, "{}", greeting.escape_ascii());
    }
}

fn asking_pass() -> Client {
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    client.send(&Command::pass("x").unwrap(), &mut vec![]).unwrap();
    client
}

#[test]
fn half_an_answer_to_pass_says_nothing_about_the_password() {
    let mut client = asking_pass();
    assert_eq!(client.handle_eof(), Err(Error::AuthRejectedByClose { to: Verb::Pass }));
    let mut client = asking_pass();
    feed(&mut client, b"+");
    assert_eq!(client.handle_eof(), Err(Error::Eof { awaiting: Wait::Reply(Verb::Pass) }));
}

#[test]
fn a_connection_lost_behind_auth_says_something_only_if_a_response_was_sent() {
    let client = || {
        let mut client = Client::over_tls(Config::new(), Peer::Verified);
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::Capa, &mut vec![]).unwrap();
        feed(&mut client, b"+OK\r\nSASL PLAIN\r\n.\r\n");
        client
    };
    let lost = Err(Error::Eof { awaiting: Wait::Reply(Verb::Auth) });
    let refused = Err(Error::AuthRejectedByClose { to: Verb::Auth });

    let mut bare = client();
    bare.send(&Command::auth("PLAIN").unwrap(), &mut vec![]).unwrap();
    assert_eq!(bare.handle_eof(), lost);

    let mut with_response = client();
    with_response.send(&Command::auth_with_initial("PLAIN", "AHQAdA==").unwrap(), &mut vec![]).unwrap();
    assert_eq!(with_response.handle_eof(), refused);

    // One AUTH with a response, refused, and another without: nothing of the second was said.
    let mut again = client();
    again.send(&Command::auth_with_initial("PLAIN", "AHQAdA==").unwrap(), &mut vec![]).unwrap();
    feed(&mut again, b"-ERR no\r\n");
    again.send(&Command::auth("PLAIN").unwrap(), &mut vec![]).unwrap();
    assert_eq!(again.handle_eof(), lost);

    let mut challenged = client();
    challenged.send(&Command::auth("PLAIN").unwrap(), &mut vec![]).unwrap();
    feed(&mut challenged, b"+ \r\n");
    challenged.respond_line(b"AHQAdA==", &mut vec![]).unwrap();
    assert_eq!(challenged.handle_eof(), refused);
}

#[cfg(feature = "sasl")]
#[test]
fn a_challenge_that_is_no_base64_is_cancelled_where_it_is_not_tolerated_and_any_other_is_answered() {
    for (config, challenge, said) in [
        (Config::new().strict(), "+ VXNlcm5hbWU6\r\n", "dGVzdA==\r\n"),
        (Config::new().strict(), "+ go ahead!\r\n", "*\r\n"),
        (Config::new().with_quirk(Quirk::TextChallenge), "+ go ahead!\r\n", "dGVzdA==\r\n"),
        (Config::new().with_quirk(Quirk::TextChallenge), "+ VXNlcm5hbWU6\r\n", "dGVzdA==\r\n"),
        (Config::new().without_quirk(Quirk::TextChallenge), "+ go ahead!\r\n", "*\r\n"),
    ] {
        let mut client = Client::over_tls(config, Peer::Verified);
        feed(&mut client, b"+OK\r\n");
        let mut exchange = pop3_proto::Exchange::login("test", "secret").unwrap();
        client.authenticate(&mut exchange, &mut vec![]).unwrap();
        let mut input = challenge.as_bytes();
        let Some(Event::Challenge(challenge)) = client.next_event(&mut input).unwrap() else { panic!("a challenge") };
        let mut out = vec![];
        client.answer(&challenge, &mut exchange, &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), said, "{challenge:?}");
    }
}

#[cfg(feature = "sasl")]
#[test]
fn an_exchange_takes_no_field_that_could_break_out_of_it() {
    use pop3_proto::Exchange;
    for octet in ['\r', '\n', '\0'] {
        let refused = Misuse::ForbiddenOctet { octet: octet as u8 };
        let field = format!("a{octet}b");
        assert_eq!(Exchange::external(&field).unwrap_err(), refused);
        assert_eq!(Exchange::plain(&field, "n", "p").unwrap_err(), refused);
        assert_eq!(Exchange::plain("", &field, "p").unwrap_err(), refused);
        assert_eq!(Exchange::plain("", "n", &field).unwrap_err(), refused);
        assert_eq!(Exchange::login(&field, "p").unwrap_err(), refused);
        assert_eq!(Exchange::login("n", &field).unwrap_err(), refused);
        assert_eq!(Exchange::anonymous(&field).unwrap_err(), refused);
    }
    // RFC 4505 §2: a trace has at most 255 characters, whatever their octets.
    for character in ["x", "\u{e9}"] {
        assert!(Exchange::anonymous(&character.repeat(254)).is_ok());
        assert!(Exchange::anonymous(&character.repeat(255)).is_ok());
        assert_eq!(Exchange::anonymous(&character.repeat(256)).unwrap_err(), Misuse::TooLong { limit: 255 });
    }
}

#[cfg(feature = "sasl")]
#[test]
fn a_bearer_token_is_one_of_the_scheme_bearer() {
    use base64ct::{Base64, Encoding as _};
    use pop3_proto::{Builtin, Greeting, Incoming, Login, Server};
    for (authorization, token) in [
        ("Bearer abc", Some("abc")),
        ("bearer   abc", Some("abc")),
        ("Basic abc", None),
        ("Bearer ", None),
        ("Bearer", None),
        ("Bearer a\u{e9}", None),
        ("Bearer a b", None),
    ] {
        let config = Config::new().builtin_mechanisms([Builtin::Xoauth2]);
        let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut vec![]);
        let response = Base64::encode_string(format!("user=joe\x01auth={authorization}\x01\x01").as_bytes());
        let line = format!("AUTH XOAUTH2 {response}\r\n");
        let incoming = server.next_event(&mut line.as_bytes(), &mut vec![]).unwrap();
        match incoming {
            Some(Incoming::Login(Login::Bearer { token: seen, .. })) => {
                assert_eq!(Some(seen.reveal()), token.map(str::as_bytes), "{authorization:?}");
            }
            other => assert_eq!(token, None, "{authorization:?}: {other:?}"),
        }
    }
}

#[test]
fn capabilities_that_only_begin_like_known_ones_are_others() {
    for word in [
        "TO",
        "TOPS",
        "USERS",
        "UIDLS",
        "UTF8S",
        "SASLS",
        "STLSX",
        "LANGS",
        "EXPIRED",
        "RESP-CODEX",
        "RESP-COD",
        "RESP-CODESX",
        "AUTH-RESP-CODX",
        "AUTH-RES",
        "PIPELININX",
        "PIPELINI",
        "LOGIN-DELAX",
        "LOGIN-DE",
        "IMPLEMENTATIOX",
        "IMPLEMEN",
    ] {
        let mut client = logged_in(Config::new(), "");
        client.send(&Command::Capa, &mut vec![]).unwrap();
        // With the argument that LOGIN-DELAY and EXPIRE need, and without it.
        for row in [word.to_owned(), format!("{word} 1")] {
            let list = format!("+OK\r\n{row}\r\n");
            let mut input = if row == word { list.as_bytes() } else { &list.as_bytes()[5..] };
            let mut seen = vec![];
            while let Some(event) = client.next_event(&mut input).unwrap() {
                if let Event::Capability(capability) = event {
                    seen.push(matches!(&capability, Capability::Other { tag, .. } if *tag == word));
                }
            }
            assert_eq!(seen, [true], "{row}");
        }
    }
}

#[test]
fn utf_8_in_a_password_or_an_apop_name_needs_the_announcement_like_a_user_name() {
    let pass = Command::pass("gr\u{fc}n").unwrap();
    for (capabilities, allowed) in [("UTF8 USER", true), ("UTF8", false), ("TOP", false)] {
        let mut client = Client::with_config(Config::new().tls(Tls::None).allow_cleartext_login().allow_apop_md5());
        feed(&mut client, b"+OK <1.2@host>\r\n");
        client.send(&Command::Capa, &mut vec![]).unwrap();
        feed(&mut client, format!("+OK\r\n{capabilities}\r\n.\r\n").as_bytes());
        let expected = if allowed { Ok(()) } else { Err(Misuse::NeedsUtf8User) };
        let apop = Command::apop("jos\u{e9}", machines::DIGEST).unwrap();
        assert_eq!(client.may_send(&apop), expected, "{capabilities}");
        client.send(&Command::user("jose").unwrap(), &mut vec![]).unwrap();
        feed(&mut client, b"+OK\r\n");
        assert_eq!(client.may_send(&pass), expected, "{capabilities}");
        assert_eq!(client.may_send(&Command::pass("green").unwrap()), Ok(()));
    }
}

#[test]
fn listings_of_a_server_that_ends_lines_in_lf_are_read_to_their_end() {
    for (command, answer, rows) in [
        (Command::List(None), &b"+OK\n1 120\n2 200\n.\n"[..], 2),
        (Command::Uidl(None), b"+OK\n1 a\n2 b\n.\n", 2),
        (Command::Capa, b"+OK\nTOP\nX-OTHER a\n.\n", 2),
    ] {
        for cut in 0..answer.len() {
            let mut client = logged_in(Config::new(), "");
            client.send(&command, &mut vec![]).unwrap();
            let mut heard = feed(&mut client, &answer[..cut]);
            heard.extend(feed(&mut client, &answer[cut..]));
            assert_eq!(heard.len(), rows + 2, "{command:?} cut at {cut}: {heard:?}");
            assert!(matches!(&heard[rows + 1], Heard::Event(end) if end.starts_with("End")), "{heard:?}");
            assert_eq!(client.outstanding(), 0);
            assert!(client.quirks_seen().contains(Quirk::BareLf));
        }
    }
}

#[test]
fn a_refusal_has_a_class_and_nothing_else_has_one() {
    use pop3_proto::ErrorClass;
    let mut client = logged_in(Config::new(), "");
    client.send(&Command::Stat, &mut vec![]).unwrap();
    let mut class = |answer: &[u8]| client.next_event(&mut &*answer).unwrap().unwrap().error_class();
    assert_eq!(class(b"-ERR [SYS/TEMP] later\r\n"), Some(ErrorClass::Temporary));
    assert_eq!(class(b"-ERR autologout\r\n"), Some(ErrorClass::Unknown));
    let mut client = logged_in(Config::new(), "");
    client.send(&Command::Stat, &mut vec![]).unwrap();
    assert_eq!(client.next_event(&mut &b"+OK 2 320\r\n"[..]).unwrap().unwrap().error_class(), None);
}

#[cfg(feature = "sasl")]
#[test]
fn a_login_names_the_maildrop_that_is_wanted_and_is_the_same_without_the_borrow() {
    use base64ct::{Base64, Encoding as _};
    use pop3_proto::{Builtin, Greeting, Incoming, Server};
    for (mechanism, response, name) in [
        ("PLAIN", "\0test\0secret", Some("test")),
        ("PLAIN", "boss\0test\0secret", Some("boss")),
        ("EXTERNAL", "joe", Some("joe")),
        ("EXTERNAL", "", None),
        ("ANONYMOUS", "sirhc", None),
        ("XOAUTH2", "user=joe\x01auth=Bearer abc\x01\x01", Some("joe")),
        ("OAUTHBEARER", "n,a=j=2Coe,\x01auth=Bearer abc\x01\x01", Some("j,oe")),
        ("OAUTHBEARER", "n,,\x01auth=Bearer abc\x01\x01", None),
    ] {
        let config = Config::new().builtin_mechanisms([
            Builtin::Plain,
            Builtin::External,
            Builtin::Anonymous,
            Builtin::Xoauth2,
            Builtin::Oauthbearer,
        ]);
        let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut vec![]);
        let response = if response.is_empty() { "=".to_owned() } else { Base64::encode_string(response.as_bytes()) };
        let line = format!("AUTH {mechanism} {response}\r\n");
        let mut input = line.as_bytes();
        let incoming = server.next_event(&mut input, &mut vec![]).unwrap();
        let Some(Incoming::Login(login)) = incoming else { panic!("{line}: {incoming:?}") };
        assert_eq!(login.name().map(|name| name.as_str().to_owned()).as_deref(), name, "{line}");
        assert_eq!(login.clone().into_owned(), login);
    }
}

#[cfg(feature = "sasl")]
#[test]
fn a_comma_in_an_oauthbearer_identity_is_escaped_or_refused() {
    use base64ct::{Base64, Encoding as _};
    use pop3_proto::grammar::Fault;
    use pop3_proto::{Builtin, Exchange, Greeting, Incoming, Refusal, Server};
    let config = Config::new().builtin_mechanisms([Builtin::Oauthbearer]);
    let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut vec![]);
    let response = Base64::encode_string(b"n,a=j,oe,\x01auth=Bearer abc\x01\x01");
    let line = format!("AUTH OAUTHBEARER {response}\r\n");
    let seen = server.next_event(&mut line.as_bytes(), &mut vec![]).unwrap();
    let refusal = Refusal::Syntax(Fault::Octet(b','));
    assert_eq!(seen, Some(Incoming::Refused { verb: Verb::Auth, refusal }));

    assert_eq!(Exchange::xoauth2("jo\x01e", "t").unwrap_err(), Misuse::ForbiddenOctet { octet: 1 });
    assert_eq!(Exchange::oauthbearer("joe", "h\rost", 995, "t").unwrap_err(), Misuse::ForbiddenOctet { octet: b'\r' });
    assert_eq!(Exchange::xoauth2("", "t").unwrap_err(), Misuse::Empty);
    assert_eq!(Exchange::xoauth2("joe", "").unwrap_err(), Misuse::Empty);
    assert_eq!(Exchange::xoauth2("joe", "a b").unwrap_err(), Misuse::ForbiddenOctet { octet: b' ' });
}

#[cfg(feature = "sasl")]
#[test]
fn only_a_bearer_token_that_waits_can_be_rejected() {
    let mut server = machines::open(Config::new(), &mut machines::Site::new(&[]));
    server.next_event(&mut &b"STAT\r\n"[..], &mut vec![]).unwrap();
    assert_eq!(server.reject_token("{}", &mut vec![]), Err(Misuse::WrongAnswer { to: Verb::Stat }));
}

#[test]
fn the_refusal_of_a_login_has_the_limit_of_any_status_line_though_a_challenge_has_a_larger_one() {
    for (octets, taken) in [(599, true), (600, true), (601, false)] {
        let mut client = Client::over_tls(Config::new().status_line(600).sasl_line(10_000), Peer::Verified);
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::auth("PLAIN").unwrap(), &mut vec![]).unwrap();
        let line = [b"-ERR ", &vec![b'x'; octets - 7][..], b"\r\n"].concat();
        assert_eq!(line.len(), octets);
        let mut heard = vec![];
        let result = hear(&mut client, &line, &mut heard);
        assert_eq!(result, if taken { Ok(()) } else { Err(Error::LineTooLong { limit: 600 }) }, "{octets}");
    }
}

#[test]
fn a_new_capability_list_takes_the_place_of_the_one_before() {
    use pop3_proto::{Extension, Support};
    let mut client = logged_in(Config::new(), "TOP UIDL");
    assert_eq!((client.supports(Extension::Top), client.supports(Extension::Uidl)), (Support::Yes, Support::Yes));
    client.send(&Command::Capa, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\nUIDL\r\n.\r\n");
    assert_eq!((client.supports(Extension::Top), client.supports(Extension::Uidl)), (Support::No, Support::Yes));
}

#[test]
fn a_capability_with_spaces_behind_it_is_itself_and_one_beyond_512_octets_is_too_long() {
    use pop3_proto::{Extension, Support};
    let mut client = logged_in(Config::new(), "");
    client.send(&Command::Capa, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\nTOP  \r\n.\r\n");
    assert_eq!(client.supports(Extension::Top), Support::Yes);
    for (octets, taken) in [(511, true), (512, true), (513, false)] {
        let mut client = logged_in(Config::new().strict(), "");
        client.send(&Command::Capa, &mut vec![]).unwrap();
        let row = format!("IMPLEMENTATION {}\r\n", "x".repeat(octets - 17));
        assert_eq!(row.len(), octets);
        let result = hear(&mut client, format!("+OK\r\n{row}.\r\n").as_bytes(), &mut vec![]);
        assert_eq!(result, if taken { Ok(()) } else { Err(Error::LineTooLong { limit: 512 }) }, "{octets}");
    }
}

#[test]
fn a_limit_below_512_octets_holds_for_the_rows_of_every_listing() {
    for (octets, taken) in [(59, true), (60, true), (61, false)] {
        for (command, front) in
            [(Command::List(None), "1 0"), (Command::Uidl(None), "1 "), (Command::Capa, "IMPLEMENTATION ")]
        {
            let mut client = logged_in(Config::new().status_line(60), "");
            client.send(&command, &mut vec![]).unwrap();
            let row = format!("{front}{}\r\n", "0".repeat(octets - 2 - front.len()));
            assert_eq!(row.len(), octets);
            let result = hear(&mut client, format!("+OK\r\n{row}.\r\n").as_bytes(), &mut vec![]);
            assert_eq!(result, if taken { Ok(()) } else { Err(Error::LineTooLong { limit: 60 }) }, "{row}");
        }
    }
}

#[test]
fn what_a_server_adds_to_a_scan_listing_ends_no_line_for_anybody() {
    for config in [Config::new(), Config::new().strict()] {
        let mut client = logged_in(config.allow_cleartext_login(), "");
        client.send(&Command::List(None), &mut vec![]).unwrap();
        let heard = feed(&mut client, b"+OK\r\n1 120 \n2 200\r\n3 4 \0\r\n5 6 \r7 8\r\n9 10 (seen)\t\r\n.\r\n");
        let begins = ["Ok", "BadRow", "BadRow", "BadRow", "Scan", "End"];
        assert_eq!(heard.len(), begins.len(), "{heard:?}");
        for (event, begins) in heard.iter().zip(begins) {
            assert!(matches!(event, Heard::Event(event) if event.starts_with(begins)), "{event:?}");
        }
        client.send(&Command::Stat, &mut vec![]).unwrap();
        let heard = feed(&mut client, b"+OK 1 2 \r3\r\n");
        assert!(matches!(&heard[..], [Heard::Event(event)] if event.contains("Malformed")), "{heard:?}");
    }
}

#[test]
fn a_row_that_makes_no_sense_is_handed_out_as_every_other_line_with_its_stuffing_removed() {
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    client.send(&Command::Capa, &mut vec![]).unwrap();
    let mut input = &b"+OK\r\n..\tx\r\n.\r\n"[..];
    client.next_event(&mut input).unwrap();
    let row = client.next_event(&mut input).unwrap();
    assert!(matches!(&row, Some(Event::BadRow { of: Verb::Capa, line, .. }) if *line == ".\tx"), "{row:?}");
}
