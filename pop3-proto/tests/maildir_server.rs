//! The example `maildir_server` over loopback: what it sends is compared octet for octet, and what it does to the Maildir is looked up
//! on disk. Nothing on this side of the line is the crate's.

// File names of any octets are made here.
#![cfg(unix)]

mod support;

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::Duration;

use support::corpus;
use support::maildir::Maildir;
use support::peers::{MaildirServer, PASSWORD, USER};

/// A session with all commands, and what must be answered, by RFC 1939's examples and this server's words.
const SESSION: [(&str, &str); 23] = [
    (
        "capa",
        "+OK capability list follows\r\nTOP\r\nUSER\r\nSASL PLAIN LOGIN\r\nRESP-CODES\r\nAUTH-RESP-CODE\r\nPIPELINING\r\nUIDL\r\n.\r\n",
    ),
    ("STAT", "-ERR not permitted in this state\r\n"),
    ("USER mrose", "+OK send PASS\r\n"),
    ("PASS tan staaf", "+OK maildrop locked and ready\r\n"),
    ("STAT", "+OK 3 74\r\n"),
    ("LIST", "+OK scan listing follows\r\n1 40\r\n2 22\r\n3 12\r\n.\r\n"),
    ("LIST 2", "+OK 2 22\r\n"),
    ("LIST 4", "-ERR no such message\r\n"),
    ("UIDL 3", "+OK 3 1700000003.M000003P1.example\r\n"),
    (
        "UIDL",
        "+OK unique-id listing follows\r\n1 1700000001.M000001P1.example\r\n2 1700000002.M000002P1.example\r\n\
         3 1700000003.M000003P1.example\r\n.\r\n",
    ),
    ("RETR 1", "+OK message follows\r\nSubject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n\r\n.\r\n"),
    ("TOP 1 0", "+OK message follows\r\nSubject: one\r\n\r\n.\r\n"),
    ("TOP 1 1", "+OK message follows\r\nSubject: one\r\n\r\nfirst\r\n.\r\n"),
    ("TOP 1 18446744073709551616", "+OK message follows\r\nSubject: one\r\n\r\nfirst\r\nsecond\r\nthird\r\n\r\n.\r\n"),
    ("NOOP", "+OK\r\n"),
    ("DELE 2", "+OK message deleted\r\n"),
    ("DELE 2", "-ERR message already deleted\r\n"),
    ("RETR 2", "-ERR message already deleted\r\n"),
    ("LIST", "+OK scan listing follows\r\n1 40\r\n3 12\r\n.\r\n"),
    ("STAT", "+OK 2 52\r\n"),
    ("RSET", "+OK\r\n"),
    ("DELE 3", "+OK message deleted\r\n"),
    ("QUIT", "+OK POP3 server signing off\r\n"),
];

fn three_messages() -> Maildir {
    let mut maildir = Maildir::new();
    maildir.deliver(b"Subject: one\n\nfirst\nsecond\nthird\n\n");
    maildir.deliver(b"Subject: two\n\nbody");
    maildir.deliver(b".\n..\n...");
    maildir
}

fn session() -> (String, String) {
    let (mut commands, mut answers) = (String::new(), String::from("+OK POP3 server ready\r\n"));
    for (command, answer) in SESSION {
        write!(commands, "{command}\r\n").unwrap();
        answers += answer;
    }
    (commands, answers)
}

#[test]
fn a_session_in_one_write_is_answered_octet_for_octet() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);
    let (commands, answers) = session();

    // Behind QUIT nothing is read any more.
    let mut line = Line::connect(server.address);
    line.send(format!("{commands}NOOP\r\n").as_bytes());

    same(&answers, &line.rest());
    assert_eq!(maildir.count(), 2);
}

#[test]
fn a_session_of_single_octets_is_answered_octet_for_octet() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);
    let (commands, answers) = session();

    let mut line = Line::connect(server.address);
    for octet in commands.bytes() {
        line.send(&[octet]);
    }

    same(&answers, &line.rest());
    assert_eq!(maildir.count(), 2);
}

/// The end of the client's side does not take away the answers to what came before it.
#[test]
fn commands_before_the_end_of_the_connection_are_answered() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);

    let mut line = Line::connect(server.address);
    line.send(b"USER mrose\r\nPASS tan staaf\r\nDELE 1\r\nSTAT\r\nQUI");
    line.stream.shutdown(Shutdown::Write).unwrap();

    let answers = "+OK POP3 server ready\r\n+OK send PASS\r\n+OK maildrop locked and ready\r\n+OK message deleted\r\n+OK 2 34\r\n";
    same(answers, &line.rest());
    assert_eq!(maildir.count(), 3, "there was no QUIT");
}

#[test]
fn retr_sends_dots_bare_lf_bare_cr_and_nul_as_the_rfc_wants_them() {
    let mut maildir = Maildir::new();
    maildir.deliver(b".first\nnul \0 here\n.\n\0.\r\nbare \r CR\r.x\n\xff\xfe\n..two\r\n.");
    let server = MaildirServer::start(&maildir);

    let mut line = Line::login(server.address);
    line.send(b"LIST 1\r\nRETR 1\r\nQUIT\r\n");

    let wire = b"..first\r\nnul \0 here\r\n..\r\n\0.\r\nbare \r CR\r.x\r\n\xff\xfe\r\n...two\r\n..\r\n.\r\n";
    let stuffed = 4;
    let size = wire.len() - stuffed - b".\r\n".len();
    let mut answers = format!("+OK 1 {size}\r\n+OK message follows\r\n").into_bytes();
    answers.extend_from_slice(wire);
    answers.extend_from_slice(b"+OK POP3 server signing off\r\n");
    assert_eq!(line.rest().escape_ascii().to_string(), answers.escape_ascii().to_string());
}

/// Messages longer than one chunk of the file, with line ends and dots on every edge.
#[test]
fn long_messages_come_whole() {
    let chunk = 64 * 1024;
    let mut maildir = Maildir::new();
    let mut messages = Vec::new();
    for length in [chunk - 1, chunk, chunk + 1, 2 * chunk, 3 * chunk + 7] {
        let stored: Vec<u8> = b"ab\n.c\r\n..d\n\n.".iter().copied().cycle().take(length).collect();
        maildir.deliver(&stored);
        messages.push(corpus::canonical(&stored));
    }
    let server = MaildirServer::start(&maildir);

    let mut line = Line::login(server.address);
    for (index, message) in messages.iter().enumerate() {
        line.send(format!("LIST {n}\r\nRETR {n}\r\n", n = index + 1).as_bytes());
        assert_eq!(line.status(), format!("+OK {} {}", index + 1, message.len()));
        assert_eq!(line.status(), "+OK message follows");
        let wire = corpus::on_the_wire(message);
        assert!(line.octets(wire.len()) == wire, "message {} differs", index + 1);
    }
    line.send(b"QUIT\r\n");
    same("+OK POP3 server signing off\r\n", &line.rest());
}

/// A size in the file's name saves the counting, and is not believed where it cannot be right.
#[test]
fn list_counts_the_octets_that_retr_sends_whatever_the_file_is_called() {
    let maildir = Maildir::new();
    let files = [
        // (name, content, octets)
        ("1.M1P1.h,S=6,W=9", "a\nb\nc\n", 9),
        ("2.M1P1.h,S=5,W=7", "a\nb\nc", 9),
        ("3.M1P1.h,W=9,S=6:2,S", "a\nb\nc\n", 9),
        ("4.M1P1.h,S=6,W=5", "a\nb\nc\n", 9),
        ("5.M1P1.h,S=6,W=99", "a\nb\nc\n", 9),
        ("6.M1P1.h,S=7,W=8", "a\nb\nc\n", 9),
        ("7.M1P1.h,W=8", "a\nb\nc\n", 9),
        ("8.M1P1.h,S=6,W=8x", "a\nb\nc\n", 9),
        ("9.M1P1.h,S=0,W=0", "", 0),
        ("10.M1P1.h", "a\r\nb\r\n", 6),
    ];
    for (name, content, _) in files {
        put(&maildir, "cur", name.as_bytes(), content.as_bytes());
    }
    let server = MaildirServer::start(&maildir);

    let mut line = Line::login(server.address);
    let listing = line.listing("LIST");
    let octets: Vec<_> = listing.iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect();
    assert_eq!(octets, files.map(|(.., octets)| octets.to_string()));
    for (index, octets) in octets.iter().enumerate() {
        // No line of these messages begins with a dot.
        let body = line.block(&format!("RETR {}", index + 1));
        assert_eq!(body.len().to_string(), *octets, "{}", files[index].0);
    }
}

#[test]
fn messages_are_numbered_by_the_time_of_their_arrival() {
    let maildir = Maildir::new();
    let in_order = [
        "999999999.M5P1.h",
        "1000000000.M9P1.h",
        "1000000000.M10P1.h",
        "1000000000.M999999P1.h,S=1",
        "1000000001.P1.h",
        "1000000001.aM1.h",
        "1000000002.M000001P2.h",
        "1000000002.M1P1.h",
    ];
    for (index, name) in in_order.iter().rev().enumerate() {
        put(&maildir, ["cur", "new"][index % 2], name.as_bytes(), b"x");
    }
    let server = MaildirServer::start(&maildir);

    let ids: Vec<_> = Line::login(server.address).unique_ids();
    assert_eq!(ids, in_order);
}

#[test]
fn a_unique_id_is_the_file_name_without_flags_or_a_digest_of_it() {
    let maildir = Maildir::new();
    let long = "4.".to_owned() + &"x".repeat(69);
    let longest = "5.".to_owned() + &"x".repeat(68);
    let digest = format!("sha256-{}", "0".repeat(63));
    let names: [&[u8]; 7] = [
        b"1.M1P1.host",
        b"2.M1P1.two words",
        b"3.M1P1.\xff\xfe",
        long.as_bytes(),
        longest.as_bytes(),
        digest.as_bytes(),
        b"7.M1P1.host,S=1,W=3",
    ];
    for name in names {
        put(&maildir, "new", name, b"x");
    }
    put(&maildir, "cur", b".8.hidden", b"x");
    fs::create_dir(maildir.path().join("cur/9.directory")).unwrap();
    let server = MaildirServer::start(&maildir);

    let ids: BTreeSet<_> = Line::login(server.address).unique_ids().into_iter().collect();
    assert_eq!(ids.len(), names.len());
    for id in &ids {
        assert!((1..=70).contains(&id.len()) && id.bytes().all(|octet| octet.is_ascii_graphic()), "{id}");
    }
    for name in ["1.M1P1.host", &longest, "7.M1P1.host,S=1,W=3"] {
        assert!(ids.contains(name), "{name}");
    }
    assert_eq!(ids.iter().filter(|id| id.starts_with("sha256-") && id.len() == 70).count(), 4, "{ids:?}");
    assert!(!ids.contains(&digest), "a name that looks like a digest would be taken for one");

    // A mail reader moves all of them and gives them flags: they are the same messages.
    drop(server);
    for name in names {
        fs::rename(file(&maildir, "new", name), file(&maildir, "cur", &[name, b":2,FS"].concat())).unwrap();
    }
    let server = MaildirServer::start(&maildir);
    assert_eq!(Line::login(server.address).unique_ids().into_iter().collect::<BTreeSet<_>>(), ids);
}

#[test]
fn a_message_whose_flags_change_during_the_session_is_sent_and_removed() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);
    let mut line = Line::login(server.address);

    let name = |n| format!("170000000{n}.M00000{n}P1.example");
    for n in 1..=2 {
        let flagged = name(n) + ":2,S";
        fs::rename(file(&maildir, "new", name(n).as_bytes()), file(&maildir, "cur", flagged.as_bytes())).unwrap();
    }
    assert_eq!(line.block("RETR 1").len(), 40);
    line.send(b"DELE 1\r\nDELE 3\r\nQUIT\r\n");

    same("+OK message deleted\r\n+OK message deleted\r\n+OK POP3 server signing off\r\n", &line.rest());
    assert_eq!(maildir.count(), 1);
    assert!(file(&maildir, "cur", (name(2) + ":2,S").as_bytes()).exists());
}

#[test]
fn a_message_that_vanished_is_refused_before_ok() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);
    let mut line = Line::login(server.address);

    fs::remove_file(file(&maildir, "new", b"1700000002.M000002P1.example")).unwrap();
    line.send(b"RETR 2\r\nTOP 2 1\r\nTOP 3 0\r\nDELE 2\r\nQUIT\r\n");

    let answers = "-ERR the message cannot be read\r\n-ERR the message cannot be read\r\n\
                   +OK message follows\r\n..\r\n...\r\n....\r\n.\r\n+OK message deleted\r\n+OK POP3 server signing off\r\n";
    same(answers, &line.rest());
}

/// RFC 1939 section 6: QUIT is answered with -ERR if some deleted messages were not removed; "in no case may the server remove any
/// messages not marked as deleted".
#[test]
fn quit_says_so_when_a_message_cannot_be_removed() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);
    let mut line = Line::login(server.address);

    // A directory can neither be read nor removed as a file, not even by root.
    let second = file(&maildir, "new", b"1700000002.M000002P1.example");
    fs::remove_file(&second).unwrap();
    fs::create_dir(&second).unwrap();
    line.send(b"RETR 2\r\nDELE 1\r\nDELE 2\r\nQUIT\r\n");

    let answers = "-ERR [SYS/TEMP] the message cannot be read\r\n+OK message deleted\r\n+OK message deleted\r\n\
                   -ERR some deleted messages not removed\r\n";
    same(answers, &line.rest());
    assert_eq!(maildir.count(), 2, "the first is gone, the second could not, and the third was not to");
}

#[test]
fn only_quit_after_a_login_removes() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);

    let mut line = Line::connect(server.address);
    line.send(b"USER mrose\r\nDELE 1\r\nQUIT\r\n");
    let answers =
        "+OK POP3 server ready\r\n+OK send PASS\r\n-ERR not permitted in this state\r\n+OK POP3 server signing off\r\n";
    same(answers, &line.rest());
    assert_eq!(maildir.count(), 3);

    let mut line = Line::login(server.address);
    line.send(b"DELE 1\r\nDELE 2\r\nQUIT now\r\nQUITE\r\n QUIT\r\n");
    line.stream.shutdown(Shutdown::Write).unwrap();
    assert_eq!(String::from_utf8(line.rest()).unwrap().matches("-ERR").count(), 3);
    assert_eq!(maildir.count(), 3);

    let mut line = Line::login(server.address);
    line.send(b"DELE 1\r\nDELE 2\r\n");
    assert_eq!([line.status(), line.status()], ["+OK message deleted"; 2]);
    assert_eq!(maildir.count(), 3, "nothing is removed before the UPDATE state");
    line.send(b"QUIT\r\n");
    assert_eq!(line.status(), "+OK POP3 server signing off");
    assert_eq!(maildir.count(), 1, "the answer reports what is done, and so comes after it");
}

/// RFC 1939 section 4, and the code of RFC 2449 section 8.1.2.
#[test]
fn of_twenty_sessions_one_has_the_maildrop_and_the_others_get_in_use() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);

    let mut lines: Vec<_> = (0..20).map(|_| Line::connect(server.address)).collect();
    for line in &mut lines {
        line.send(b"USER mrose\r\nPASS tan staaf\r\n");
    }
    let (mut inside, mut outside) = (Vec::new(), Vec::new());
    for mut line in lines {
        assert_eq!([line.status(), line.status()], ["+OK POP3 server ready", "+OK send PASS"]);
        match line.status().as_str() {
            "+OK maildrop locked and ready" => inside.push(line),
            "-ERR [IN-USE] maildrop already locked" => outside.push(line),
            other => panic!("{other}"),
        }
    }
    assert_eq!((inside.len(), outside.len()), (1, 19));

    // The one goes on undisturbed, and when it ends, another may enter, on the connection that it has.
    let mut line = inside.remove(0);
    line.send(b"DELE 1\r\nQUIT\r\n");
    same("+OK message deleted\r\n+OK POP3 server signing off\r\n", &line.rest());
    let mut line = outside.remove(0);
    line.send(b"USER mrose\r\nPASS tan staaf\r\nSTAT\r\n");
    assert_eq!([line.status(), line.status()], ["+OK send PASS", "+OK maildrop locked and ready"]);
    assert_eq!(line.status(), "+OK 2 34");
}

#[test]
fn the_lock_holds_between_two_servers_and_ends_with_the_process() {
    let maildir = three_messages();
    let (one, other) = (MaildirServer::start(&maildir), MaildirServer::start(&maildir));

    let _inside = Line::login(one.address);
    let mut line = Line::connect(other.address);
    line.send(b"USER mrose\r\nPASS tan staaf\r\n");
    assert_eq!([line.status(), line.status()], ["+OK POP3 server ready", "+OK send PASS"]);
    assert_eq!(line.status(), "-ERR [IN-USE] maildrop already locked");

    drop(one);
    line.send(b"USER mrose\r\nPASS tan staaf\r\n");
    assert_eq!([line.status(), line.status()], ["+OK send PASS", "+OK maildrop locked and ready"]);
}

#[test]
fn wrong_credentials_are_told_from_a_locked_maildrop_and_too_many_end_the_session() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);
    let _inside = Line::login(server.address);

    let mut line = Line::connect(server.address);
    line.send(
        b"USER mrose\r\nPASS tan staa\r\nUSER mrosE\r\nPASS tan staaf\r\nUSER m\r\nPASS tan staaf\r\nNOOP\r\nNOOP\r\n",
    );

    let refused = "+OK send PASS\r\n-ERR [AUTH] wrong name or password\r\n";
    same(&("+OK POP3 server ready\r\n".to_owned() + &refused.repeat(3)), &line.rest());
}

#[test]
fn too_many_bad_commands_end_the_session() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);

    let mut line = Line::login(server.address);
    line.send("XYZZY\r\n".repeat(150).as_bytes());

    same(&"-ERR unknown command\r\n".repeat(100), &line.rest());
    Line::login(server.address);
}

/// P25: one -ERR for the line, whatever its tail says; and a bound beyond which nobody listens.
#[test]
fn a_line_that_is_too_long_is_answered_once_and_never_executed() {
    let maildir = three_messages();
    let server = MaildirServer::start(&maildir);

    let mut line = Line::login(server.address);
    let padding = "x".repeat(5_000);
    line.send(format!("NOOP {padding} DELE 1\r\nSTAT\r\n").as_bytes());
    assert_eq!([line.status(), line.status()], ["-ERR the line is too long", "+OK 3 74"]);

    line.send(&[b'x'; 129 * 1024]);
    same("-ERR the line is too long\r\n", &line.rest());
    assert_eq!(maildir.count(), 3);
}

/// RFC 1939 section 3: "the server should close the TCP connection without removing any messages or sending any response".
#[test]
fn autologout_says_nothing_and_removes_nothing() {
    let maildir = three_messages();
    let server = MaildirServer::start_with(&maildir, &["--allow-cleartext", "--autologout-below-ten-minutes", "2"]);

    let mut silent = Line::connect(server.address);
    same("+OK POP3 server ready\r\n", &silent.rest());

    let mut line = Line::login(server.address);
    line.send(b"DELE 1\r\nQUI");
    same("+OK message deleted\r\n", &line.rest());
    assert_eq!(maildir.count(), 3);

    let mut line = Line::login(server.address);
    line.send(b"STAT\r\n");
    assert_eq!(line.status(), "+OK 3 74", "the lock is free again");
}

/// RFC 1939 section 7.
#[test]
fn apop_takes_the_digest_of_this_greeting_and_of_no_other() {
    let maildir = three_messages();
    let server = MaildirServer::start_with(&maildir, &["--allow-cleartext", "--apop"]);

    let mut first = Line::connect(server.address);
    let mut second = Line::connect(server.address);
    let (one, two) = (timestamp(&first.status()), timestamp(&second.status()));
    assert_ne!(one, two);

    second.send(format!("APOP {USER} {}\r\n", apop_digest(&one, PASSWORD)).as_bytes());
    assert_eq!(second.status(), "-ERR [AUTH] wrong name or password");
    second.send(format!("APOP {USER} {}\r\n", apop_digest(&two, "tan")).as_bytes());
    assert_eq!(second.status(), "-ERR [AUTH] wrong name or password");
    first.send(format!("APOP {USER} {}\r\nSTAT\r\n", apop_digest(&one, PASSWORD)).as_bytes());
    assert_eq!([first.status(), first.status()], ["+OK maildrop locked and ready", "+OK 3 74"]);
}

/// A client that prefers APOP would be locked out by a timestamp that leads nowhere.
#[test]
fn there_is_no_timestamp_where_apop_cannot_succeed() {
    let maildir = three_messages();
    let answers = [(&["--allow-cleartext"][..], "-ERR not implemented"), (&["--apop"], "-ERR begin TLS first")];
    for (options, answer) in answers {
        let server = MaildirServer::start_with(&maildir, options);
        let mut line = Line::connect(server.address);
        assert_eq!(line.status(), "+OK POP3 server ready", "{options:?}");
        line.send(format!("APOP {USER} {}\r\n", "0".repeat(32)).as_bytes());
        assert_eq!(line.status(), answer, "{options:?}");
    }
}

/// Longer than what the server keeps together for one write.
#[test]
fn long_listings_come_whole() {
    let maildir = Maildir::new();
    let names: Vec<_> = (1..=5_000).map(|n| format!("{}.M{n:06}P1.example", 1_700_000_000 + n)).collect();
    for name in &names {
        put(&maildir, "new", name.as_bytes(), b"x\n");
    }
    let server = MaildirServer::start(&maildir);

    let mut line = Line::login(server.address);
    let sizes: Vec<_> = (1..=names.len()).map(|n| format!("{n} 3")).collect();
    assert_eq!(line.listing("LIST"), sizes);
    assert_eq!(line.unique_ids(), names);
    for n in 1..names.len() {
        line.send(format!("DELE {n}\r\n").as_bytes());
    }
    for _ in 1..names.len() {
        assert_eq!(line.status(), "+OK message deleted");
    }
    line.send(b"STAT\r\nQUIT\r\n");
    same("+OK 1 3\r\n+OK POP3 server signing off\r\n", &line.rest());
    assert_eq!(maildir.count(), 1);
}

/// A raw connection.
struct Line {
    stream: TcpStream,
    reader: BufReader<TcpStream>,
}

impl Line {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        // A test that hangs helps nobody.
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(60))).unwrap();
        stream.set_nodelay(true).unwrap();
        let reader = BufReader::new(stream.try_clone().unwrap());
        Self { stream, reader }
    }

    /// Logs in. The maildrop may be locked for a moment by a connection that ended just now.
    #[track_caller]
    fn login(address: SocketAddr) -> Self {
        let mut line = Self::connect(address);
        assert_eq!(line.status(), "+OK POP3 server ready");
        for _ in 0..500 {
            line.send(format!("USER {USER}\r\n").as_bytes());
            // Three refusals end a session, so each try has its own.
            assert_eq!(line.status(), "+OK send PASS");
            line.send(format!("PASS {PASSWORD}\r\n").as_bytes());
            match line.status().as_str() {
                "+OK maildrop locked and ready" => return line,
                "-ERR [IN-USE] maildrop already locked" => {}
                other => panic!("{other}"),
            }
            std::thread::sleep(Duration::from_millis(10));
            line = Self::connect(address);
            assert_eq!(line.status(), "+OK POP3 server ready");
        }
        panic!("the maildrop stays locked");
    }

    fn send(&mut self, octets: &[u8]) {
        self.stream.write_all(octets).unwrap();
    }

    /// A status line without its CRLF.
    #[track_caller]
    fn status(&mut self) -> String {
        let mut line = Vec::new();
        self.reader.read_until(b'\n', &mut line).unwrap();
        let line = String::from_utf8(line).unwrap();
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("no status line: {line:?}")).to_owned()
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        self.reader.read_exact(&mut octets).unwrap();
        octets
    }

    /// What comes until the server closes the connection.
    fn rest(&mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        self.reader.read_to_end(&mut octets).unwrap();
        octets
    }

    /// The lines of a multi-line response as they come, the last one excepted.
    #[track_caller]
    fn block(&mut self, command: &str) -> Vec<u8> {
        self.send(format!("{command}\r\n").as_bytes());
        let status = self.status();
        assert!(status.starts_with("+OK"), "{command}: {status}");
        let mut block = Vec::new();
        while !(block.ends_with(b"\r\n.\r\n") || block == b".\r\n") {
            assert_ne!(
                self.reader.read_until(b'\n', &mut block).unwrap(),
                0,
                "the connection ends within the response"
            );
        }
        block.truncate(block.len() - b".\r\n".len());
        block
    }

    #[track_caller]
    fn listing(&mut self, command: &str) -> Vec<String> {
        String::from_utf8(self.block(command)).unwrap().split_terminator("\r\n").map(str::to_owned).collect()
    }

    #[track_caller]
    fn unique_ids(&mut self) -> Vec<String> {
        self.listing("UIDL").iter().map(|row| row.split_once(' ').unwrap().1.to_owned()).collect()
    }
}

#[track_caller]
fn same(expected: &str, got: &[u8]) {
    assert_eq!(String::from_utf8_lossy(got), expected);
}

fn file(maildir: &Maildir, folder: &str, name: &[u8]) -> PathBuf {
    let name = std::os::unix::ffi::OsStrExt::from_bytes(name);
    maildir.path().join(folder).join::<&std::ffi::OsStr>(name)
}

fn put(maildir: &Maildir, folder: &str, name: &[u8], content: &[u8]) {
    fs::write(file(maildir, folder, name), content).unwrap();
}

fn timestamp(greeting: &str) -> String {
    let start = greeting.find('<').unwrap_or_else(|| panic!("no timestamp: {greeting}"));
    assert!(greeting.ends_with('>'), "{greeting}");
    greeting[start..].to_owned()
}

fn apop_digest(timestamp: &str, secret: &str) -> String {
    use md5::Digest as _;
    md5::Md5::digest(format!("{timestamp}{secret}")).iter().map(|octet| format!("{octet:02x}")).collect()
}
