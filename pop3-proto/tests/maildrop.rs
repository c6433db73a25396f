//! The transaction of RFC 1939 §5 and §6 as one session sees it: what is marked as deleted is there for nobody, RSET brings it
//! back, UPDATE removes what is marked and nothing else. A mark that survives RSET would remove somebody's mail.

#[path = "support/machines.rs"]
mod machines;

use machines::{Site, greeted, open};
use pop3_proto::wire::dot::Newlines;
use pop3_proto::{
    Command, Config, DropListing, Incoming, Maildrop, MessageNumber, Misuse, Reply, Server, Shape, State, Text,
    Unavailable, Verb,
};

fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

fn three() -> Maildrop {
    Maildrop::new([(120, "one"), (200, "two"), (80, "three")]).unwrap()
}

fn stat(maildrop: &Maildrop) -> (u32, u64) {
    let DropListing { messages, octets } = maildrop.stat();
    (messages, octets.unwrap())
}

#[test]
fn a_deleted_message_is_there_for_nobody_until_rset() {
    let mut maildrop = three();
    assert_eq!(stat(&maildrop), (3, 400));
    maildrop.dele(number(2)).unwrap();
    assert_eq!(maildrop.dele(number(2)), Err(Unavailable::Deleted));
    assert_eq!(maildrop.dele(number(4)), Err(Unavailable::NoSuchMessage));
    assert_eq!(maildrop.get(number(2)), Err(Unavailable::Deleted));
    assert_eq!(stat(&maildrop), (2, 200));
    assert_eq!(maildrop.deleted().collect::<Vec<_>>(), [1]);
    let left: Vec<_> =
        maildrop.messages().map(|message| (message.number.get(), message.index, message.octets)).collect();
    assert_eq!(left, [(1, 0, 120), (3, 2, 80)], "numbers do not move up");
    assert_eq!(maildrop.get(number(3)).unwrap().id.as_bytes(), b"three");

    maildrop.rset();
    assert_eq!(stat(&maildrop), (3, 400));
    assert_eq!(maildrop.deleted().count(), 0);
    assert_eq!(maildrop.get(number(2)).unwrap().id.as_bytes(), b"two");
    maildrop.rset();
    assert_eq!(stat(&maildrop), (3, 400), "RSET without marks changes nothing");
}

/// What the server sends for a session's lines, the greeting and the login left out, and the maildrop behind it.
fn session(lines: &[u8]) -> (String, Maildrop) {
    let mut site = Site::new(&[b"From: a\r\n\r\none\r\n", b"two\r\n"]);
    let mut server = open(Config::new(), &mut site);
    let mut out = vec![];
    let mut input = lines;
    while let Some(incoming) = server.next_event(&mut input, &mut out).unwrap() {
        site.maildrop.answer(&incoming, &mut server, &mut out).unwrap();
    }
    assert_eq!(input, b"");
    (String::from_utf8(out).unwrap(), site.maildrop)
}

#[test]
fn a_maildrop_answers_all_that_needs_no_message_text() {
    let (said, maildrop) = session(
        b"STAT\r\nLIST\r\nLIST 2\r\nUIDL\r\nUIDL 1\r\nDELE 1\r\nDELE 1\r\nLIST 1\r\nUIDL 1\r\nLIST\r\nUIDL\r\nSTAT\r\nNOOP\r\n",
    );
    assert_eq!(
        said,
        "+OK 2 21\r\n\
         +OK scan listing follows\r\n1 16\r\n2 5\r\n.\r\n\
         +OK 2 5\r\n\
         +OK unique-id listing follows\r\n1 id-0\r\n2 id-1\r\n.\r\n\
         +OK 1 id-0\r\n\
         +OK message deleted\r\n\
         -ERR message already deleted\r\n\
         -ERR message already deleted\r\n\
         -ERR message already deleted\r\n\
         +OK scan listing follows\r\n2 5\r\n.\r\n\
         +OK unique-id listing follows\r\n2 id-1\r\n.\r\n\
         +OK 1 5\r\n\
         +OK\r\n"
    );
    assert_eq!(maildrop.deleted().collect::<Vec<_>>(), [0]);
}

#[test]
fn rset_in_a_session_unmarks_and_numbers_beyond_the_last_are_no_message() {
    let (said, maildrop) = session(b"DELE 1\r\nDELE 2\r\nRSET\r\nSTAT\r\nDELE 3\r\nRETR 3\r\nTOP 3 0\r\nLIST 3\r\n");
    let none = "-ERR no such message\r\n".repeat(4);
    assert_eq!(said, format!("+OK message deleted\r\n+OK message deleted\r\n+OK\r\n+OK 2 21\r\n{none}"));
    assert_eq!(maildrop.deleted().count(), 0);
}

#[test]
fn what_only_the_application_can_answer_is_left_to_it() {
    let mut site = Site::new(&[b"one\r\n"]);
    let ask = |line: &[u8], server: &mut Server, maildrop: &mut Maildrop| {
        let mut out = vec![];
        let incoming = server.next_event(&mut &*line, &mut out).unwrap().unwrap();
        let said = maildrop.answer(&incoming, server, &mut out);
        assert_eq!(out, b"", "{}", line.escape_ascii());
        said
    };
    for (line, to) in [(&b"RETR 1\r\n"[..], Verb::Retr), (b"TOP 1 0\r\n", Verb::Top), (b"QUIT\r\n", Verb::Quit)] {
        let mut server = open(Config::new(), &mut site);
        assert_eq!(ask(line, &mut server, &mut site.maildrop), Err(Misuse::WrongAnswer { to }));
        assert_eq!(server.owes(), Some(to), "it is still owed");
    }
    let mut server = greeted(Config::new().with_stls());
    let to = Verb::Stls;
    assert_eq!(ask(b"STLS\r\n", &mut server, &mut site.maildrop), Err(Misuse::WrongAnswer { to }));
}

#[test]
fn before_login_a_maildrop_refuses_every_credential_and_signs_off() {
    let mut maildrop = three();
    let mut server = greeted(machines::everything());
    let mut out = vec![];
    let mut input = &b"USER mrose\r\nPASS tanstaaf\r\nAUTH X-TWO\r\nUTF8\r\nX-OTHER\r\nQUIT\r\n"[..];
    while let Some(incoming) = server.next_event(&mut input, &mut out).unwrap() {
        maildrop.answer(&incoming, &mut server, &mut out).unwrap();
    }
    let said = String::from_utf8(out).unwrap();
    let said: Vec<_> = said.lines().collect();
    assert_eq!(said[0], "+OK send PASS");
    assert!(said[1].starts_with("-ERR ") && said[1].ends_with("wrong name or password"), "{said:?}");
    assert!(said[2].starts_with("-ERR ") && said[2].ends_with("wrong name or password"), "{said:?}");
    assert_eq!(said[3..], ["+OK UTF8 enabled", "-ERR not implemented", "+OK POP3 server signing off"]);
    assert_eq!((server.state(), server.is_over()), (State::Closed, true));
    assert_eq!(stat(&maildrop), (3, 400));
}

#[test]
fn what_the_machine_refused_has_its_answer() {
    let mut server = greeted(Config::new());
    let mut out = vec![];
    let incoming = server.next_event(&mut &b"NONSENSE\r\n"[..], &mut out).unwrap().unwrap();
    assert!(matches!(incoming, Incoming::Refused { .. }));
    let said = out.clone();
    assert!(said.starts_with(b"-ERR") && said.ends_with(b"\r\n"));
    three().answer(&incoming, &mut server, &mut out).unwrap();
    assert_eq!(out, said, "one answer to one line");
    assert_eq!(server.refused(), 1);
    server.next_event(&mut &b"NONSENSE\r\n"[..], &mut out).unwrap();
    assert_eq!(server.refused(), 2);
}

#[test]
fn a_unique_id_that_the_rfc_does_not_allow_makes_no_maildrop() {
    for id in ["", "two words", &"x".repeat(71)] {
        assert_eq!(Maildrop::new([(1, id)]).unwrap_err(), Misuse::UniqueId);
    }
    assert_eq!(Maildrop::new([(1, "x".repeat(70))]).unwrap().stat(), DropListing { messages: 1, octets: Some(1) });
}

#[test]
fn a_command_outside_the_rfcs_keeps_its_words() {
    let command = Command::other("XTND XMIT  now", Shape::SingleLine).unwrap();
    let Command::Other(other) = &command else { panic!("other") };
    assert_eq!((other.keyword(), other.arguments()), (&Text::from("XTND"), &Text::from("XMIT  now")));
}

#[test]
fn the_answer_to_quit_says_whether_everything_was_removed() {
    for (removed, said) in
        [(Ok(()), "+OK POP3 server signing off\r\n"), (Err(()), "-ERR some deleted messages not removed\r\n")]
    {
        let mut server = open(Config::new(), &mut Site::new(&[b"one\r\n"]));
        let mut out = vec![];
        let incoming = server.next_event(&mut &b"QUIT\r\n"[..], &mut out).unwrap();
        assert_eq!(incoming, Some(Incoming::Update));
        server.reply(&Reply::from(removed), &mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), said);
        assert!(server.is_over());
    }
}

#[test]
fn a_message_of_which_a_chunk_was_refused_cannot_be_ended() {
    type Chunk = fn(&mut Server, &[u8], &mut Vec<u8>) -> Result<(), Misuse>;
    let reject: Chunk = |server, chunk, out| server.body(chunk, out);
    let segments: Chunk = |server, chunk, _| server.body_segments(chunk).map(drop);
    let stuffed: Chunk = |server, chunk, out| server.body_stuffed(chunk, out);
    for (command, chunk) in [("RETR 1", reject), ("TOP 1 0", segments), ("RETR 1", stuffed)] {
        let mut server = open(Config::new().newlines(Newlines::Reject), &mut Site::new(&[b"one\r\n"]));
        let mut out = vec![];
        server.next_event(&mut format!("{command}\r\n").as_bytes(), &mut out).unwrap();
        server.begin("", &mut out).unwrap();
        chunk(&mut server, b"whole\r\n", &mut out).unwrap();
        out.clear();
        let refused = chunk(&mut server, b"a\n.\nb\r\n", &mut out);
        assert!(matches!(refused, Err(Misuse::Offence(_) | Misuse::Terminator)), "{refused:?}");
        let to = server.owes().unwrap();
        let spoiled = Err(Misuse::Spoiled { to });
        assert_eq!(server.end(&mut out), spoiled);
        assert_eq!(chunk(&mut server, b"more\r\n", &mut out), spoiled);
        assert_eq!(server.body(b"more\r\n", &mut out), spoiled);
        assert_eq!(server.body_stuffed(b"more\r\n", &mut out), spoiled);
        assert_eq!(server.reply(&Reply::err("no").unwrap(), &mut out), spoiled);
        assert_eq!(server.listing(pop3_proto::ScanListing { number: number(1), octets: 1 }, &mut out), spoiled);
        assert_eq!(server.next_event(&mut &b"NOOP\r\n"[..], &mut out), Ok(None), "an answer is owed");
        assert!(out.is_empty(), "{}", out.escape_ascii());
        server.abort();
        assert!(server.is_over());
    }
}

#[test]
fn a_misuse_marks_nothing_as_deleted() {
    let mut server = open(Config::new(), &mut Site::new(&[b"one\r\n"]));
    let mut maildrop = three();
    let dele = Incoming::Command(Command::dele(1).unwrap());
    assert_eq!(maildrop.answer(&dele, &mut server, &mut vec![]), Err(Misuse::NothingOwed));
    assert_eq!(maildrop.deleted().count(), 0);
}

/// P20: no number is ever another than the true one.
#[test]
fn stat_never_says_a_sum_that_is_none() {
    assert_eq!(Maildrop::new([(u64::MAX, "a"), (1, "b")]).err(), Some(Misuse::TooManyOctets));
    let mut maildrop = Maildrop::new([(u64::MAX - 1, "a"), (1, "b")]).unwrap();
    assert_eq!(maildrop.stat().octets, Some(u64::MAX));
    maildrop.dele(number(1)).unwrap();
    assert_eq!(maildrop.stat().octets, Some(1));
    maildrop.rset();
    assert_eq!(maildrop.stat().octets, Some(u64::MAX));
}
