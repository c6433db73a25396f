//! "Tolerance is data, at run time [...]: `Config` names each tolerance in one `Quirks` set" (the design, §3). A tolerance
//! without a name, one that cannot be turned off, or one that is on without being seen, breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{Heard, Site, Turn, feed, greeted, hear, logged_in, open, run};
use pop3_proto::{Client, Command, Config, Event, Incoming, Quirk, Quirks, Refusal, State, Verb};

/// What a client makes of a quirk that is off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Off {
    /// The session is lost.
    Fatal,
    /// One row of a listing is.
    BadRow,
    /// The answer carries nothing.
    Malformed,
    /// The same as when it is on, but nothing is noted.
    Unnoted,
    /// The octets mean something else.
    Other,
}

struct Tolerance {
    quirk: Quirk,
    /// Where it was seen: a row of the field notes (F), of the captures (W) or of the ambiguities (A).
    note: &'static str,
    on_by_default: bool,
    command: Command<'static>,
    /// What a server with this quirk answers.
    answer: String,
    off: Off,
}

fn client_quirks() -> Vec<Tolerance> {
    let row = |quirk, note, command, answer: &str, off| Tolerance {
        quirk,
        note,
        on_by_default: quirk != Quirk::OkAsContinue,
        command,
        answer: answer.into(),
        off,
    };
    let (auth, retr) = (Command::auth("X-TWO").unwrap(), Command::retr(1).unwrap());
    let long = format!("-ERR {}\r\n", "x".repeat(600));
    vec![
        row(Quirk::BareLf, "F28", Command::Noop, "+OK LF only\n", Off::Fatal),
        row(Quirk::StatusTab, "A04", Command::Noop, "+OK\ttab\r\n", Off::Fatal),
        row(Quirk::LongStatus, "A02", Command::Noop, &long, Off::Fatal),
        row(Quirk::ExtraSpaces, "F17", Command::Uidl(None), "+OK\r\n1   abc\r\n.\r\n", Off::BadRow),
        row(Quirk::UniqueIdOctets, "F18", Command::Uidl(None), "+OK\r\n1 two words\r\n.\r\n", Off::BadRow),
        row(Quirk::NegativeOctets, "F22", Command::Stat, "+OK 3 -2147483648\r\n", Off::Malformed),
        row(Quirk::MissingStuffing, "F32", retr, "+OK\r\n.x\r\n.\r\n", Off::Unnoted),
        row(Quirk::BarePlus, "F7", auth.clone(), "+\r\n", Off::Fatal),
        row(Quirk::TextChallenge, "F4", auth.clone(), "+ go ahead\r\n", Off::Unnoted),
        row(Quirk::OkAsContinue, "F5", auth, "+OK go ahead\r\n", Off::Other),
    ]
}

const SERVER_QUIRKS: [(Quirk, &str); 4] = [
    (Quirk::BareLfCommand, "W8"),
    (Quirk::TrailingSpaces, "W7"),
    (Quirk::NameWithSpaces, "A07"),
    (Quirk::BareAuth, "F48"),
];

/// What a client that is set so hears, and which quirks it noted.
fn heard(tolerance: &Tolerance, config: Config) -> (Vec<Heard>, Quirks) {
    let mut client = if tolerance.command.verb() == Verb::Auth {
        let mut client = Client::with_config(config.allow_cleartext_login());
        feed(&mut client, b"+OK\r\n");
        client
    } else {
        logged_in(config, "")
    };
    client.send(&tolerance.command, &mut vec![]).unwrap();
    let mut heard = vec![];
    let _ = hear(&mut client, tolerance.answer.as_bytes(), &mut heard);
    (heard, client.quirks_seen())
}

#[test]
fn every_quirk_is_in_one_of_the_tables() {
    for quirk in Quirk::ALL {
        let client = client_quirks().iter().filter(|row| row.quirk == quirk).count();
        let server = SERVER_QUIRKS.iter().filter(|(it, _)| *it == quirk).count();
        assert_eq!(client + server, 1, "{quirk:?}");
    }
}

#[test]
fn every_quirk_was_seen_somewhere() {
    let notes = client_quirks().into_iter().map(|row| row.note).chain(SERVER_QUIRKS.map(|(_, note)| note));
    for note in notes {
        let (kind, number) = note.split_at(1);
        let rows = match kind {
            "F" => 60,
            "W" => 21,
            "A" => 38,
            other => panic!("{other}"),
        };
        assert!((1..=rows).contains(&number.parse::<u32>().unwrap()), "{note}");
    }
}

#[test]
fn each_quirk_of_a_client_is_needed_and_enough_and_noted() {
    for row in client_quirks() {
        let quirk = row.quirk;
        // Everything else is on, and it does not help.
        let others = Quirk::ALL.into_iter().fold(Config::new(), Config::with_quirk).without_quirk(quirk);
        let (off, noted) = heard(&row, others);
        assert!(!noted.contains(quirk), "{quirk:?} is off, and noted");
        // Nothing else is on, and it suffices.
        let (on, noted) = heard(&row, Config::new().strict().with_quirk(quirk));
        assert_eq!(noted, Quirks::STRICT.with(quirk));
        assert!(!on.iter().any(|heard| matches!(heard, Heard::Error(_))), "{quirk:?}: {on:?}");
        let starts = |heard: &[Heard], words: &str| {
            heard.iter().any(|heard| matches!(heard, Heard::Event(event) if event.starts_with(words)))
        };
        assert!(!starts(&on, "BadRow"), "{quirk:?}: {on:?}");
        match row.off {
            Off::Fatal => assert!(matches!(off[..], [Heard::Error(_)]), "{quirk:?}: {off:?}"),
            Off::BadRow => assert!(starts(&off, "BadRow") && starts(&off, "End"), "{quirk:?}: {off:?}"),
            Off::Malformed => {
                let data = |heard: &[Heard]| format!("{heard:?}").contains("Malformed");
                assert!(starts(&off, "Ok") && data(&off) && !data(&on), "{quirk:?}: {off:?}");
            }
            Off::Unnoted => assert_eq!(off, on),
            Off::Other => assert!(starts(&off, "Ok") && starts(&on, "Challenge"), "{quirk:?}: {off:?} {on:?}"),
        }
    }
}

#[test]
fn the_default_is_what_the_documentation_says() {
    for row in client_quirks() {
        assert_eq!(Quirks::TOLERANT.contains(row.quirk), row.on_by_default, "{:?}", row.quirk);
        let (_, noted) = heard(&row, Config::new());
        assert_eq!(noted.contains(row.quirk), row.on_by_default, "{:?}", row.quirk);
        let (_, noted) = heard(&row, Config::new().strict());
        assert!(noted.is_empty(), "strict tolerates nothing: {noted:?}");
    }
    for (quirk, _) in SERVER_QUIRKS {
        assert!(!Quirks::TOLERANT.contains(quirk), "{quirk:?}");
    }
    assert!(Quirks::STRICT.is_empty());
}

#[test]
fn a_correct_server_needs_no_quirk() {
    let script = [
        Turn::Server(b"+OK ready <a@b>\r\n"),
        Turn::Send(Command::auth("X-TWO").unwrap()),
        Turn::Server(b"+ \r\n"),
        Turn::Respond(b"QUJD"),
        Turn::Server(b"+OK\r\n"),
        Turn::Send(Command::Stat),
        Turn::Server(b"+OK 2 320\r\n"),
        Turn::Send(Command::Uidl(None)),
        Turn::Server(b"+OK\r\n1 a\r\n2 b\r\n.\r\n"),
        Turn::Send(Command::retr(1).unwrap()),
        Turn::Server(b"+OK\r\n..x\r\n\n.\n\r\n.\r\n"),
    ];
    let trace = run(Client::with_config(Config::new().allow_cleartext_login()), &script, |_, _| vec![]);
    assert_eq!((trace.quirks, trace.outstanding), (Quirks::STRICT, 0));
}

#[test]
fn no_quirk_is_chosen_by_what_a_server_calls_itself() {
    let mut client = Client::with_config(Config::new().strict().allow_cleartext_login());
    feed(&mut client, b"+OK Maillennium POP3/UNIBOX V05.00c++ The Microsoft Exchange POP3 service is ready\r\n");
    client.send(&Command::Capa, &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\nIMPLEMENTATION Maillennium\r\nX-QUIRKS\r\n.\r\n");
    client.send(&Command::auth("X-TWO").unwrap(), &mut vec![]).unwrap();
    assert!(client.next_event(&mut &b"+\r\n"[..]).is_err());
}

#[test]
fn a_reply_that_began_with_crlf_never_ends_at_a_bare_lf() {
    for quirks in [Config::new(), Config::new().strict()] {
        let mut client = logged_in(quirks, "PIPELINING");
        client.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
        client.send(&Command::Noop, &mut vec![]).unwrap();
        let body = b"x\n.\n-ERR smuggled\n.\r.\r\n";
        let heard = feed(&mut client, &[b"+OK\r\n", &body[..], b".\r\n+OK\r\n"].concat());
        assert_eq!(heard[1], Heard::Body(body.to_vec()));
        assert_eq!((heard.len(), client.outstanding()), (4, 0));
    }
}

#[test]
fn a_reply_that_began_with_a_bare_lf_ends_at_lf_for_every_multi_line_answer() {
    for command in [Command::List(None), Command::Uidl(None), Command::Capa, Command::Lang(None)] {
        for answer in ["+OK\n1 5\n.\n", "+OK\n1 5\r\n.\r\n", "+OK\n1 5\n.\r\n"] {
            let mut client = logged_in(Config::new(), "");
            client.send(&command, &mut vec![]).unwrap();
            let heard = feed(&mut client, answer.as_bytes());
            let end = Event::End { of: command.verb() };
            assert_eq!(heard.last(), Some(&Heard::Event(format!("{end:?}"))), "{command:?} {answer:?}");
            assert_eq!(heard.len(), 3);
        }
        // A status line with CRLF in front, and the rows with LF: the end has not come.
        let mut client = logged_in(Config::new(), "");
        client.send(&command, &mut vec![]).unwrap();
        feed(&mut client, b"+OK\r\n1 5\n.\n");
        assert_eq!(client.outstanding(), 1);
    }
}

/// What a server makes of octets, with this quirk on or off.
fn served(quirk: Quirk, on: bool, octets: &[u8]) -> (Vec<Incoming<'static>>, String) {
    let others = Quirk::ALL.into_iter().fold(machines::everything(), Config::with_quirk).without_quirk(quirk);
    let config = if on { machines::everything().with_quirk(quirk) } else { others };
    let (mut server, mut site) = (greeted(config), Site::new(&[]));
    let (mut seen, mut out) = (vec![], vec![]);
    site.serve(&mut server, octets, &mut seen, &mut out).unwrap();
    (seen, String::from_utf8(out).unwrap())
}

#[test]
fn a_command_ends_in_a_bare_lf_only_where_that_is_tolerated() {
    let (seen, out) = served(Quirk::BareLfCommand, false, b"CAPA\nCAPA\n");
    assert!(seen.is_empty() && out.is_empty(), "{seen:?}");
    let (seen, _) = served(Quirk::BareLfCommand, true, b"CAPA\nCAPA\r\n");
    assert_eq!(seen, [Incoming::Command(Command::Capa), Incoming::Command(Command::Capa)]);
    let (seen, _) = served(Quirk::BareLfCommand, true, b"AUTH X-TWO\n\n*\n");
    assert!(matches!(seen[..], [Incoming::Auth(_), Incoming::Response(_), Incoming::Cancelled]), "{seen:?}");
}

#[test]
fn spaces_stand_at_the_end_of_a_command_only_where_that_is_tolerated() {
    for line in ["CAPA \r\n", "CAPA   \r\n", "USER mrose \r\n", "QUIT \r\n", "LANG en \r\n"] {
        let refused = |(seen, _): (Vec<Incoming<'_>>, String)| matches!(seen[..], [Incoming::Refused { .. }]);
        if !line.starts_with("USER") {
            assert!(refused(served(Quirk::TrailingSpaces, false, line.as_bytes())), "{line:?}");
        }
        assert!(!refused(served(Quirk::TrailingSpaces, true, line.as_bytes())), "{line:?}");
    }
    // A password keeps its spaces whatever is set.
    for on in [false, true] {
        let (seen, _) = served(Quirk::TrailingSpaces, on, b"USER mrose\r\nPASS  two words \r\n");
        let Some(Incoming::Login(pop3_proto::Login::Pass { password, .. })) = seen.last() else { panic!("{seen:?}") };
        assert_eq!(password.reveal(), b" two words ");
    }
}

#[test]
fn a_name_has_spaces_only_where_that_is_tolerated() {
    let (seen, out) = served(Quirk::NameWithSpaces, false, b"USER two words\r\n");
    assert!(matches!(seen[..], [Incoming::Refused { verb: Verb::User, refusal: Refusal::Syntax(_) }]), "{seen:?}");
    assert!(out.starts_with("-ERR "));
    let (seen, _) = served(Quirk::NameWithSpaces, true, b"USER two words\r\nPASS x\r\n");
    let Some(Incoming::Login(login)) = seen.last() else { panic!("{seen:?}") };
    assert_eq!(login.name().unwrap().as_str(), "two words");
    let (seen, _) = served(Quirk::NameWithSpaces, true, b"USER two\twords\r\nUSER\r\nUSER \r\n");
    assert!(seen.iter().all(|it| matches!(it, Incoming::Refused { .. })), "{seen:?}");
}

#[test]
fn auth_without_a_mechanism_is_answered_with_a_list_only_where_that_is_tolerated() {
    for line in [&b"AUTH\r\n"[..], b"AUTH \r\n", b"auth\r\n"] {
        let (_, out) = served(Quirk::BareAuth, false, line);
        assert!(out.starts_with("-ERR ") && out.matches("\r\n").count() == 1, "{out}");
        let (_, out) = served(Quirk::BareAuth, true, line);
        assert_eq!(out, "+OK mechanisms follow\r\nX-TWO\r\n.\r\n");
    }
    // It is no command of the TRANSACTION state, and none of a server that wants TLS first.
    let mut site = Site::new(&[]);
    let mut server = open(machines::everything().with_quirk(Quirk::BareAuth), &mut site);
    let mut out = vec![];
    site.serve(&mut server, b"AUTH\r\n", &mut vec![], &mut out).unwrap();
    assert!(out.starts_with(b"-ERR ") && server.state() == State::Transaction);
    let config = Config::new().sasl_mechanisms(["X-TWO"]).unwrap().with_quirk(Quirk::BareAuth);
    let (mut server, mut out) = (greeted(config), vec![]);
    site.serve(&mut server, b"AUTH\r\n", &mut vec![], &mut out).unwrap();
    assert!(out.starts_with(b"-ERR "), "{}", out.escape_ascii());
}

#[test]
fn a_list_of_mechanisms_has_no_octet_that_a_command_cannot_have() {
    let (seen, out) = served(Quirk::BareAuth, true, b"AUTH\t\r\nAUTH\r\r\nAUTH\0\r\n");
    assert!(!out.contains("+OK"), "{out}");
    assert!(seen.iter().all(|it| matches!(it, Incoming::Refused { refusal: Refusal::Syntax(_), .. })), "{seen:?}");
}
