//! P29 and P30 (RFC 6856): octets beyond ASCII in credentials only where `UTF8 USER` is announced, and then UTF-8; UTF8 in
//! the AUTHORIZATION state only and no STLS behind it; language tags of checked characters, never echoed.
//!
//! Broken if a name in another encoding reached the wire or the application, if UTF8 were taken after login, or if a tag
//! came back in an answer as the client wrote it.
#![cfg(feature = "sasl")]

use pop3_proto::grammar::Fault;
use pop3_proto::{
    Builtin, Client, Command, Config, Data, ErrorClass, Event, Extension, Greeting, Incoming, LanguageListing,
    LanguageTag, Misuse, Peer, Refusal, Reply, ResponseCode, Server, State, Status, Support, Text, Utf8, Verb,
};

const NAME: &str = "jos\u{e9}";

/// A client over TLS that has read this capability list.
fn client(capabilities: &str) -> Client {
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    client.send(&Command::Capa, &mut Vec::new()).unwrap();
    let list = format!("+OK\r\n{capabilities}.\r\n");
    let mut input = list.as_bytes();
    while client.next_event(&mut input).unwrap().is_some() {}
    client
}

fn server(config: Config) -> Server {
    Server::over_tls(config, Greeting::text("ready").unwrap(), &mut Vec::new())
}

/// What the server makes of these lines; each command is answered `+OK`.
fn told(server: &mut Server, lines: &[u8]) -> Vec<Incoming<'static>> {
    let (mut input, mut out, mut seen) = (lines, Vec::new(), Vec::new());
    while let Some(incoming) = server.next_event(&mut input, &mut out).unwrap() {
        seen.push(incoming.into_owned());
        match server.owes() {
            Some(Verb::Lang) => {
                let tag = LanguageTag::new("en").unwrap();
                server.reply(&Reply::language(tag, "changed").unwrap(), &mut out).unwrap();
            }
            Some(_) => server.reply(&Reply::ok("").unwrap(), &mut out).unwrap(),
            None => {}
        }
    }
    seen
}

#[test]
fn a_client_sends_utf_8_credentials_only_where_they_are_announced() {
    for (capabilities, allowed) in [("UTF8 USER\r\n", true), ("UTF8\r\n", false), ("USER\r\n", false), ("", false)] {
        let mut client = client(capabilities);
        let mut out = Vec::new();
        let result = client.send(&Command::user(NAME).unwrap(), &mut out);
        assert_eq!(result, if allowed { Ok(()) } else { Err(Misuse::NeedsUtf8User) }, "{capabilities:?}");
        assert_eq!(out.is_empty(), !allowed);
        if allowed {
            client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
            assert_eq!(client.send(&Command::pass("gr\u{fc}n").unwrap(), &mut out), Ok(()));
        }
    }
}

#[test]
fn no_other_encoding_makes_a_command() {
    for octets in [&b"jos\xe9"[..], b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\xf5\x80\x80\x80", b"caf\xc3"] {
        assert_eq!(Command::user(octets), Err(Misuse::NotUtf8), "{octets:?}");
        assert_eq!(Command::pass(octets), Err(Misuse::NotUtf8), "{octets:?}");
        assert!(Command::apop(octets, "c4c9334bac560ecc979e58001b3e22fb").is_err());
    }
}

#[test]
fn a_server_takes_utf_8_credentials_only_where_it_announces_them() {
    let user = format!("USER {NAME}\r\n");
    for (utf8, taken) in [(Utf8::No, false), (Utf8::Yes, false), (Utf8::WithUser, true)] {
        let seen = told(&mut server(Config::new().utf8(utf8)), user.as_bytes());
        match &seen[0] {
            Incoming::Command(Command::User(name)) => assert!(taken && name.as_str() == NAME),
            Incoming::Refused { verb: Verb::User, refusal } => {
                assert!(!taken && *refusal == Refusal::Syntax(Fault::Octet(0xC3)), "{refusal:?}");
            }
            other => panic!("{other:?}"),
        }
        // RFC 6856 §2.2: "whether or not the UTF8 command was issued".
        let lines = format!("USER joe\r\nPASS {NAME}\r\n");
        let seen = told(&mut server(Config::new().utf8(utf8)), lines.as_bytes());
        assert_eq!(matches!(seen[1], Incoming::Login(_)), taken, "{seen:?}");
    }
    for octets in [&b"jos\xe9"[..], b"\xff", b"caf\xc3"] {
        let line = [b"USER ", octets, b"\r\n"].concat();
        let seen = told(&mut server(Config::new().utf8(Utf8::WithUser)), &line);
        assert!(matches!(seen[0], Incoming::Refused { refusal: Refusal::Syntax(Fault::Utf8), .. }), "{seen:?}");
    }
}

#[test]
fn utf8_is_a_command_of_the_authorization_state_and_may_come_twice() {
    let config = || Config::new().utf8(Utf8::Yes);
    let seen = told(&mut server(config()), b"UTF8\r\nUTF8\r\nUSER a\r\nPASS b\r\nUTF8\r\n");
    assert_eq!(seen[..2], [Incoming::Command(Command::Utf8), Incoming::Command(Command::Utf8)]);
    assert_eq!(seen[4], Incoming::Refused { verb: Verb::Utf8, refusal: Refusal::State });
    let seen = told(&mut server(Config::new()), b"UTF8\r\n");
    assert_eq!(seen[0], Incoming::Refused { verb: Verb::Utf8, refusal: Refusal::NotImplemented });
    let seen = told(&mut server(config()), b"UTF8 yes\r\n");
    assert!(matches!(seen[0], Incoming::Refused { refusal: Refusal::Syntax(_), .. }));

    let mut client = client("UTF8\r\n");
    client.send(&Command::Utf8, &mut Vec::new()).unwrap();
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    client.send(&Command::user("a").unwrap(), &mut Vec::new()).unwrap();
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    client.send(&Command::pass("b").unwrap(), &mut Vec::new()).unwrap();
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    assert_eq!(
        client.may_send(&Command::Utf8),
        Err(Misuse::NotPermitted { verb: Verb::Utf8, state: State::Transaction })
    );
}

#[test]
fn there_is_no_stls_behind_utf8() {
    let config = Config::new().allow_cleartext_login().utf8(Utf8::Yes).with_stls();
    let mut server = Server::new(config.clone(), Greeting::text("").unwrap(), &mut Vec::new());
    let seen = told(&mut server, b"UTF8\r\nSTLS\r\n");
    assert_eq!(seen[1], Incoming::Refused { verb: Verb::Stls, refusal: Refusal::State });

    let mut client = Client::with_config(config);
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    client.send(&Command::Utf8, &mut Vec::new()).unwrap();
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    assert_eq!(client.may_send(&Command::Stls), Err(Misuse::StlsBehindUtf8));
}

#[test]
fn a_message_that_needs_utf_8_mode_is_a_code_of_its_own() {
    let mut out = Vec::new();
    Reply::err("message needs UTF-8 mode").unwrap().with_code(ResponseCode::Utf8).encode(&mut out);
    assert_eq!(out, b"-ERR [UTF8] message needs UTF-8 mode\r\n");
    let (_, line) = pop3_proto::grammar::status_line(&out).unwrap();
    assert_eq!((line.status, line.code.clone()), (Status::Err, Some(ResponseCode::Utf8)));
    assert_eq!(line.code.unwrap().error_class(), ErrorClass::Unknown, "no new password helps here");
}

#[test]
fn text_beyond_ascii_needs_lang_or_utf8_first() {
    let mut server = server(Config::new().with_lang().utf8(Utf8::Yes));
    let mut out = Vec::new();
    let spanish = Reply::err("no est\u{e1}").unwrap();
    server.next_event(&mut &b"USER a\r\n"[..], &mut out).unwrap();
    assert_eq!(server.reply(&spanish, &mut out), Err(Misuse::NeedsLang));
    assert!(out.is_empty());
    server.reply(&Reply::err("no").unwrap(), &mut out).unwrap();
    told(&mut server, b"LANG es\r\n");
    server.next_event(&mut &b"USER a\r\n"[..], &mut out).unwrap();
    assert_eq!(server.reply(&spanish, &mut out), Ok(()));
}

#[test]
fn the_answer_that_selects_a_language_is_in_it_and_a_listing_selects_none() {
    let mut server = server(Config::new().with_lang());
    let mut out = Vec::new();
    let spanish = Reply::err("no est\u{e1}").unwrap();
    server.next_event(&mut &b"LANG\r\n"[..], &mut out).unwrap();
    server.begin("languages", &mut out).unwrap();
    server.end(&mut out).unwrap();
    server.next_event(&mut &b"LANG es\r\n"[..], &mut out).unwrap();
    assert_eq!(server.reply(&spanish, &mut out), Err(Misuse::NeedsLang));
    out.clear();
    let selected = Reply::language(LanguageTag::new("es").unwrap(), "espa\u{f1}ol").unwrap();
    assert_eq!(server.reply(&selected, &mut out), Ok(()));
    assert_eq!(out, "+OK es espa\u{f1}ol\r\n".as_bytes());
    server.next_event(&mut &b"USER a\r\n"[..], &mut out).unwrap();
    assert_eq!(server.reply(&spanish, &mut out), Ok(()));
}

#[test]
fn a_language_tag_is_checked_on_both_sides_and_never_echoed() {
    let config = || Config::new().with_lang();
    let long = "a".repeat(65);
    for tag in ["e_n", "en\t", "e\u{e9}", "**", "a b", "<uga>", "../x", long.as_str()] {
        assert!(Command::lang(tag).is_err(), "{tag:?}");
        let mut out = Vec::new();
        let line = format!("LANG {tag}\r\n");
        let mut server = server(config());
        let incoming = server.next_event(&mut line.as_bytes(), &mut out).unwrap();
        assert!(matches!(incoming, Some(Incoming::Refused { verb: Verb::Lang, .. })), "{tag:?}: {incoming:?}");
        let answer = String::from_utf8(out).unwrap();
        assert!(answer.starts_with("-ERR ") && !answer.contains(tag), "{answer:?}");
    }
    for tag in ["*", "en", "en-boont", "i-default", "MUL", &"a".repeat(64)] {
        let mut line = Vec::new();
        Command::lang(tag).unwrap().encode(&mut line);
        let seen = told(&mut server(config()), &line);
        assert_eq!(seen[0], Incoming::Command(Command::lang(tag).unwrap()));
    }
}

#[test]
fn a_language_listing_crosses_with_its_descriptions() {
    let mut server = server(Config::new().with_lang());
    let mut out = Vec::new();
    server.next_event(&mut &b"LANG\r\n"[..], &mut out).unwrap();
    server.begin("language listing follows", &mut out).unwrap();
    let rows = [("en", "English"), ("es", "Espa\u{f1}ol"), ("en-boont", "English Boontling dialect")];
    for (tag, description) in rows {
        let tag = LanguageTag::new(tag).unwrap();
        server.listing(LanguageListing { tag, description: Text::from(description) }, &mut out).unwrap();
    }
    server.end(&mut out).unwrap();

    let mut client = client("LANG\r\n");
    assert_eq!(client.supports(Extension::Lang), Support::Yes);
    client.send(&Command::Lang(None), &mut Vec::new()).unwrap();
    let (mut input, mut seen) = (&out[..], Vec::new());
    while let Some(event) = client.next_event(&mut input).unwrap() {
        if let Event::Language(row) = event {
            seen.push((row.tag.to_string(), row.description.to_string()));
        }
    }
    assert_eq!(seen, rows.map(|(tag, description)| (tag.to_string(), description.to_string())));
    // A row without a description is a row of its own fault, and the session goes on.
    client.send(&Command::Lang(None), &mut Vec::new()).unwrap();
    let mut input = &b"+OK\r\nen\r\nes Espanol\r\n.\r\n"[..];
    let mut bad = 0;
    while let Some(event) = client.next_event(&mut input).unwrap() {
        bad += usize::from(matches!(event, Event::BadRow { of: Verb::Lang, fault: Fault::MissingArgument, .. }));
    }
    assert_eq!(bad, 1);
    // RFC 6856 §3.2: the tag in front of the text of a +OK is the language now in use.
    client.send(&Command::lang("*").unwrap(), &mut Vec::new()).unwrap();
    let Some(Event::Ok { data: Data::Language(tag), .. }) =
        client.next_event(&mut &b"+OK es Idioma cambiado\r\n"[..]).unwrap()
    else {
        panic!("no tag");
    };
    assert_eq!(tag.as_bytes(), b"es");
}

#[test]
fn a_row_whose_tag_is_none_says_what_is_wrong_with_it() {
    let (longest, long) = ("a".repeat(64), "a".repeat(65));
    let rows = [
        (format!("{longest} x"), None),
        (format!("{long} x"), Some(Fault::TooLong)),
        ("e_n x".to_owned(), Some(Fault::Octet(b'_'))),
        (" x".to_owned(), Some(Fault::Empty)),
    ];
    for (row, expected) in rows {
        let mut client = client("LANG\r\n");
        client.send(&Command::Lang(None), &mut Vec::new()).unwrap();
        let wire = format!("+OK\r\n{row}\r\n.\r\n");
        let mut input = wire.as_bytes();
        client.next_event(&mut input).unwrap();
        let fault = match client.next_event(&mut input).unwrap().unwrap() {
            Event::BadRow { of: Verb::Lang, line, fault } => {
                assert_eq!(line, *row);
                Some(fault)
            }
            Event::Language(_) => None,
            other => panic!("{other:?}"),
        };
        assert_eq!(fault, expected, "{row}");
        assert_eq!(client.next_event(&mut input), Ok(Some(Event::End { of: Verb::Lang })));
    }
}

#[test]
fn what_a_server_has_is_what_it_announces() {
    let list = |config: Config, login: bool| {
        let mut server = server(config);
        if login {
            told(&mut server, b"USER a\r\nPASS b\r\n");
        }
        let mut out = Vec::new();
        server.next_event(&mut &b"CAPA\r\n"[..], &mut out).unwrap();
        server.capabilities(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let config = || {
        Config::new().utf8(Utf8::WithUser).with_lang().with_stls().builtin_mechanisms([Builtin::Plain, Builtin::Login])
    };
    for login in [false, true] {
        let list = list(config(), login);
        // RFC 5034 §3: SASL stays listed after AUTH. RFC 2449 §6.2: USER as well. STLS never over TLS.
        for line in ["\r\nUTF8 USER\r\n", "\r\nLANG\r\n", "\r\nSASL PLAIN LOGIN\r\n", "\r\nUSER\r\n"] {
            assert!(list.contains(line), "{line:?} in {list}");
        }
        assert!(!list.contains("STLS"));
    }
    let list = list(Config::new(), false);
    assert!(!list.contains("UTF8") && !list.contains("LANG") && !list.contains("SASL"), "{list}");
}

#[test]
fn a_server_takes_utf_8_in_an_apop_name_only_where_it_announces_it() {
    let line = format!("APOP {NAME} c4c9334bac560ecc979e58001b3e22fb\r\n");
    for (utf8, taken) in [(Utf8::No, false), (Utf8::Yes, false), (Utf8::WithUser, true)] {
        let greeting = Greeting::text("ready").unwrap().with_timestamp("<1.2@host>").unwrap();
        let mut server = Server::over_tls(Config::new().allow_apop_md5().utf8(utf8), greeting, &mut Vec::new());
        let seen = server.next_event(&mut line.as_bytes(), &mut Vec::new()).unwrap().unwrap();
        match seen {
            Incoming::Login(login) => assert!(taken && login.name().unwrap().as_str() == NAME, "{utf8:?}"),
            other => {
                let refusal = Refusal::Syntax(Fault::Octet(0xC3));
                assert_eq!((other, taken), (Incoming::Refused { verb: Verb::Apop, refusal }, false), "{utf8:?}");
            }
        }
    }
}
