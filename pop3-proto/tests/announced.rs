//! What a server's configuration leaves out is neither announced nor taken, and what it announces is taken (RFC 2449 §5, §6).
//! A capability without its command, or a command without its capability, breaks it; so does an announcement that says
//! less or more than the setting.

#[path = "support/machines.rs"]
mod machines;

use machines::{Site, everything, greeted, open};
use pop3_proto::{
    Capability, Config, Incoming, Mechanisms, Misuse, PerUser, Refusal, Reply, ResponseCode, Row, ScanListing, Server,
    Text, Utf8, Verb,
};

fn capabilities(server: &mut Server) -> Vec<String> {
    let mut out = vec![];
    let incoming = server.next_event(&mut &b"CAPA\r\n"[..], &mut out).unwrap();
    assert!(matches!(incoming, Some(Incoming::Command(_))), "{incoming:?}");
    server.capabilities(&mut out).unwrap();
    let text = String::from_utf8(out).unwrap();
    let rows = text.strip_suffix(".\r\n").unwrap().lines();
    rows.skip(1).map(str::to_owned).collect()
}

fn refusal(server: &mut Server, line: &str) -> Option<Refusal> {
    match server.next_event(&mut line.as_bytes(), &mut vec![]).unwrap() {
        Some(Incoming::Refused { refusal, .. }) => Some(refusal),
        _ => None,
    }
}

#[test]
fn a_plain_server_announces_what_every_server_has() {
    let mut server = greeted(Config::new().allow_cleartext_login());
    assert_eq!(capabilities(&mut server), ["TOP", "USER", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UIDL"]);
}

#[test]
fn a_command_that_was_left_out_is_neither_announced_nor_taken() {
    let config = || Config::new().allow_cleartext_login();
    let all = capabilities(&mut greeted(config()));
    for (without, word, line) in [
        (config().without_top(), "TOP", Some("TOP 1 0\r\n")),
        (config().without_uidl(), "UIDL", Some("UIDL\r\n")),
        (config().without_user(), "USER", Some("USER mrose\r\n")),
        (config().without_pipelining(), "PIPELINING", None),
    ] {
        let mut server = greeted(without);
        let left: Vec<_> = all.iter().filter(|row| *row != word).cloned().collect();
        assert_eq!(capabilities(&mut server), left);
        if let Some(line) = line {
            assert_eq!(refusal(&mut server, line), Some(Refusal::NotImplemented), "{line}");
        }
    }
    let mut server = greeted(config().without_response_codes());
    assert_eq!(capabilities(&mut server), ["TOP", "USER", "PIPELINING", "UIDL"]);
    let mut server = greeted(config());
    for line in ["LANG\r\n", "UTF8\r\n", "STLS\r\n"] {
        assert_eq!(refusal(&mut server, line), Some(Refusal::NotImplemented), "{line}");
    }
}

#[test]
fn a_server_without_response_codes_gives_none_by_itself() {
    for (config, said) in
        [(Config::new(), "-ERR [AUTH] wrong\r\n"), (Config::new().without_response_codes(), "-ERR wrong\r\n")]
    {
        let mut server = greeted(config.allow_cleartext_login());
        let mut out = vec![];
        let mut input = &b"USER mrose\r\nPASS x\r\n"[..];
        server.next_event(&mut input, &mut out).unwrap();
        server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
        server.next_event(&mut input, &mut out).unwrap();
        out.clear();
        server.reply(&Reply::err("wrong").unwrap(), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), said);
        assert_eq!(server.failed_logins(), 1);
    }
}

#[test]
fn mechanisms_are_announced_in_their_order_and_the_line_has_a_limit() {
    let config = Config::new().allow_cleartext_login().sasl_mechanisms(["x-one", "X-TWO"]).unwrap();
    let rows = capabilities(&mut greeted(config));
    assert!(rows.contains(&"SASL X-ONE X-TWO".to_owned()), "{rows:?}");

    let long = "X".repeat(20);
    let names = |count, last: &'static str| std::iter::repeat_n(long.as_str(), count).chain([last]);
    // 20 names of 20 octets with a space behind each are 420.
    assert!(Config::new().sasl_mechanisms(names(20, "ABCDEFGHIJKLMNOPQRST")).is_ok());
    let config = Config::new()
        .sasl_mechanisms(std::iter::repeat_n("X-TWENTY-OCTETS-LONG", 20).chain(["ABCDEFGHIJKLMNOPQRS", "T"]));
    assert_eq!(config.unwrap_err(), Misuse::TooLong { limit: 512 });
}

#[cfg(feature = "sasl")]
#[test]
fn mechanisms_that_the_machine_runs_come_first_and_what_is_set_twice_is_announced_once() {
    use pop3_proto::Builtin;
    let list = |builtin| {
        let config = Config::new().allow_cleartext_login().sasl_mechanisms(["PLAIN", "X-TWO"]).unwrap();
        let rows = capabilities(&mut greeted(config.builtin_mechanisms([builtin])));
        rows.into_iter().find(|row| row.starts_with("SASL")).unwrap()
    };
    assert_eq!(list(Builtin::Login), "SASL LOGIN PLAIN X-TWO");
    assert_eq!(list(Builtin::Plain), "SASL PLAIN X-TWO");
}

#[test]
fn the_capability_list_answers_capa_and_no_other_command() {
    let mut out = vec![];
    let mut server = open(Config::new(), &mut Site::new(&[]));
    assert_eq!(server.capabilities(&mut out), Err(Misuse::NothingOwed));
    server.next_event(&mut &b"LIST\r\n"[..], &mut out).unwrap();
    assert_eq!(server.capabilities(&mut out), Err(Misuse::WrongAnswer { to: Verb::List }));
    assert_eq!(out, b"");
}

#[test]
fn an_implementation_is_ascii_of_at_most_490_octets() {
    let refused = |name: &str| Config::new().implementation(name).err();
    assert_eq!(refused(&"x".repeat(489)), None);
    assert_eq!(refused(&"x".repeat(490)), None);
    assert_eq!(refused(&"x".repeat(491)), Some(Misuse::TooLong { limit: 512 }));
    assert_eq!(refused("caf\u{e9}"), Some(Misuse::ForbiddenOctet { octet: 0xC3 }));
    assert_eq!(refused("a\rb"), Some(Misuse::ForbiddenOctet { octet: b'\r' }));
    assert_eq!(refused("[no response code, here]"), None);
    let config = Config::new().implementation("Shlemazle-Plotz-v302").unwrap();
    let mut server = open(config, &mut Site::new(&[]));
    assert!(capabilities(&mut server).contains(&"IMPLEMENTATION Shlemazle-Plotz-v302".to_owned()));
}

#[test]
fn a_value_that_differs_from_user_to_user_says_so_until_the_user_is_known() {
    let config = |per_user| {
        Config::new().allow_cleartext_login().login_delay(900, per_user).expire(pop3_proto::Expiry::Days(60), per_user)
    };
    let has = |server: &mut Server, rows: [&str; 2]| {
        let all = capabilities(server);
        assert!(rows.iter().all(|row| all.contains(&(*row).to_owned())), "{all:?}");
    };
    has(&mut greeted(config(PerUser::Same)), ["LOGIN-DELAY 900", "EXPIRE 60"]);
    has(&mut greeted(config(PerUser::Differs)), ["LOGIN-DELAY 900 USER", "EXPIRE 60 USER"]);
    has(&mut open(config(PerUser::Differs), &mut Site::new(&[])), ["LOGIN-DELAY 900", "EXPIRE 60"]);
}

#[test]
fn no_row_of_the_applications_announces_what_the_server_would_refuse() {
    let other = |tag: &'static str| Capability::Other { tag: Text::from(tag), arguments: Text::default() };
    let refused = |config: Config, tls: bool, row: Capability<'_>| {
        let greeting = pop3_proto::Greeting::text("ready").unwrap();
        let mut out = vec![];
        let mut server =
            if tls { Server::over_tls(config, greeting, &mut out) } else { Server::new(config, greeting, &mut out) };
        server.next_event(&mut &b"CAPA\r\n"[..], &mut out).unwrap();
        server.begin("capability list follows", &mut out).unwrap();
        out.clear();
        let refused = server.listing(Row::Capability(row), &mut out).err();
        assert_eq!(out.is_empty(), refused.is_some());
        refused
    };
    let wrong = Some(Misuse::NotOffered);
    for stls in [Capability::Stls, other("stls"), other("STLS")] {
        assert_eq!(refused(Config::new().with_stls(), true, stls.clone()), wrong, "{stls:?}");
        assert_eq!(refused(Config::new(), false, stls.clone()), wrong, "{stls:?} without the setting");
        assert_eq!(refused(Config::new().with_stls(), false, stls), None);
    }
    for login in [Capability::User, other("user"), other("SASL")] {
        assert_eq!(refused(Config::new(), false, login.clone()), wrong, "{login:?}");
        assert_eq!(refused(Config::new().allow_cleartext_login(), false, login.clone()), None);
        assert_eq!(refused(Config::new(), true, login), None);
    }
    for user in [Capability::User, other("User")] {
        assert_eq!(refused(Config::new().without_user(), true, user), wrong);
    }
    let sasl = |names: &[&'static str]| Capability::Sasl(Mechanisms::new(names.iter().copied()).unwrap());
    let two = Config::new().sasl_mechanisms(["SCRAM-SHA-256", "X-TWO"]).unwrap();
    for (names, there) in [
        (&["SCRAM-SHA-256"][..], true),
        (&["x-two", "SCRAM-SHA-256"], true),
        (&["PLAIN"], false),
        (&["X-TWO", "PLAIN"], false),
        (&["X-TW"], false),
    ] {
        assert_eq!(refused(two.clone(), true, sasl(names)), if there { None } else { wrong.clone() }, "{names:?}");
        assert_eq!(refused(Config::new(), true, sasl(names)), wrong, "{names:?} without the setting");
        let other =
            Capability::Other { tag: Text::from("sasl"), arguments: Text::from(&*names.join("  ")).into_owned() };
        assert_eq!(refused(two.clone(), true, other), if there { None } else { wrong.clone() }, "{names:?}");
    }
    #[cfg(feature = "sasl")]
    {
        let builtin = Config::new().builtin_mechanisms([pop3_proto::Builtin::Plain]);
        assert_eq!(refused(builtin.clone(), true, sasl(&["PLAIN"])), None);
        assert_eq!(refused(builtin, true, sasl(&["PLAIN", "LOGIN"])), wrong);
    }
    for (row, without, with) in [
        (Capability::Top, Config::new().without_top(), Config::new()),
        (Capability::Uidl, Config::new().without_uidl(), Config::new()),
        (Capability::Lang, Config::new(), Config::new().with_lang()),
        (Capability::Utf8 { user: false }, Config::new(), Config::new().utf8(Utf8::Yes)),
        (Capability::Utf8 { user: true }, Config::new(), Config::new().utf8(Utf8::WithUser)),
        (Capability::Utf8 { user: true }, Config::new().utf8(Utf8::Yes), Config::new().utf8(Utf8::WithUser)),
    ] {
        let words = row.to_string();
        let (tag, arguments) = words.split_once(' ').unwrap_or((&words, ""));
        let other =
            Capability::Other { tag: Text::from(&*tag.to_lowercase()).into_owned(), arguments: Text::from(arguments) };
        for row in [row.clone(), other] {
            assert_eq!(refused(without.clone(), true, row.clone()), wrong, "{row:?}");
            assert_eq!(refused(with.clone(), true, row), None);
        }
    }
    assert_eq!(refused(Config::new(), false, other("X-OTHER")), None);
    // An octet that no line may hold is that, whatever it announces.
    assert_eq!(refused(Config::new(), false, other("STLS\n")), Some(Misuse::ForbiddenOctet { octet: b'\n' }));
}

#[test]
fn an_answer_with_data_is_the_one_that_was_asked_for_and_has_no_code_in_front_of_it() {
    let mut site = Site::new(&[b"one\r\n"]);
    let id = || pop3_proto::UniqueId::new("id-0").unwrap();
    let number = pop3_proto::MessageNumber::FIRST;
    let answers = || {
        [
            ("STAT\r\n", Reply::drop_listing(1, 5)),
            ("LIST 1\r\n", Reply::scan_listing(number, 5)),
            ("UIDL 1\r\n", Reply::unique_id(pop3_proto::UniqueIdListing { number, id: id() }).unwrap()),
            ("LANG en\r\n", Reply::language(pop3_proto::LanguageTag::new("en").unwrap(), "changed").unwrap()),
        ]
    };
    for (line, right) in answers() {
        let mut server = open(everything(), &mut site);
        let mut out = vec![];
        server.next_event(&mut line.as_bytes(), &mut out).unwrap();
        let to = server.owes().unwrap();
        let mut refused = |reply: &Reply<'_>| {
            assert_eq!(server.reply(reply, &mut out), Err(Misuse::WrongAnswer { to }), "{reply:?} to {line}");
            assert_eq!(out, b"");
        };
        refused(&Reply::ok("").unwrap());
        refused(&Reply::ok("").unwrap().with_code(ResponseCode::Auth));
        refused(&right.clone().with_code(ResponseCode::Auth));
        for (other, wrong) in answers() {
            if other != line {
                refused(&wrong);
            }
        }
        server.reply(&right, &mut out).unwrap();
        assert!(out.starts_with(b"+OK "));
    }
}

#[test]
fn a_row_of_a_listing_is_of_its_kind() {
    let mut server = open(everything(), &mut Site::new(&[b"one\r\n"]));
    let mut out = vec![];
    server.next_event(&mut &b"LANG\r\n"[..], &mut out).unwrap();
    server.begin("", &mut out).unwrap();
    let language = |description: &'static [u8]| pop3_proto::LanguageListing {
        tag: pop3_proto::LanguageTag::new("en").unwrap(),
        description: Text::from(description),
    };
    assert_eq!(server.listing(language(b"Engl\xFFsh"), &mut out), Err(Misuse::NotUtf8));
    assert_eq!(server.listing(language(b""), &mut out), Err(Misuse::Empty));
    let scan = ScanListing { number: pop3_proto::MessageNumber::FIRST, octets: 1 };
    assert_eq!(server.listing(scan, &mut out), Err(Misuse::WrongAnswer { to: Verb::Lang }));
    server.listing(language(b"English"), &mut out).unwrap();
    server.end(&mut out).unwrap();
    assert_eq!(out, b"+OK\r\nen English\r\n.\r\n");
}

#[test]
fn in_an_open_maildrop_a_command_that_was_left_out_is_not_there_either() {
    for (without, line) in [(Config::new().without_top(), "TOP 1 0\r\n"), (Config::new().without_uidl(), "UIDL\r\n")] {
        let mut server = open(without, &mut Site::new(&[b"one\r\n"]));
        assert_eq!(refusal(&mut server, line), Some(Refusal::NotImplemented), "{line}");
        assert_eq!(refusal(&mut server, "STAT\r\n"), None);
    }
}

#[test]
fn a_keyword_is_itself_in_either_case_and_nothing_that_shares_its_bits() {
    assert_eq!((Verb::from_keyword(b"TOP"), Verb::from_keyword(b"tOp")), (Verb::Top, Verb::Top));
    assert_eq!((Verb::from_keyword(b"utf8"), Verb::from_keyword(b"UTF8")), (Verb::Utf8, Verb::Utf8));
    for keyword in [&b"TOP "[..], b"TOP\0", b"UTF\x18", b"UTFx", b"QUI\x14", b"TOPS", b"TO", b""] {
        assert_eq!(Verb::from_keyword(keyword), Verb::Other, "{}", keyword.escape_ascii());
    }
}

#[test]
fn a_capability_that_is_filled_by_hand_says_what_the_server_keeps() {
    let refused = [("SASL PLAIN", ""), ("USER ", ""), ("STLS ", ""), ("", "x"), (" USER", ""), ("", "")];
    let private = ("X-PRIVATE", "one two");
    for (tag, arguments) in refused.into_iter().chain([private]) {
        let mut out = vec![];
        // In the clear, where a login is refused.
        let mut server = Server::new(Config::new(), pop3_proto::Greeting::text("ready").unwrap(), &mut out);
        server.next_event(&mut &b"CAPA\r\n"[..], &mut out).unwrap();
        server.begin("", &mut out).unwrap();
        out.clear();
        let row = pop3_proto::Capability::Other { tag: tag.into(), arguments: arguments.into() };
        let listed = server.listing(row, &mut out);
        assert_eq!(listed.is_ok(), tag == private.0, "{tag:?}: {listed:?}, {}", out.escape_ascii());
        assert_eq!(out.is_empty(), listed.is_err());
    }
}
