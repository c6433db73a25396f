//! The example `fetch` as a program, over loopback, against a server that is scripted to be good, bad or hostile. (Against
//! real ones: `interop.rs`.)

#[path = "../examples/fetch/place.rs"]
mod place;
#[path = "fetch/program.rs"]
mod program;
#[allow(dead_code, reason = "shared with fetch_login.rs")]
#[path = "fetch/scripted.rs"]
mod scripted;

use place::{Mechanism, Place};
use program::{Room, example, run};
use scripted::{Mail, PASSWORD, PIPELINING, PLAIN, Quit, Retr, Script, Session, USER, mail};
use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

fn three() -> Vec<Mail> {
    vec![mail("a", "Subject: one\r\n\r\n1\r\n"), mail("b", "Subject: two\r\n\r\n2\r\n"), mail("c", "3\r\n")]
}

/// Bodies that a program spoils that takes them for text.
fn nasty() -> Vec<Mail> {
    let dots = ".\r\n..\r\n...x\r\n.end\r\n\r\n.\r\n";
    vec![
        mail("dots", dots),
        mail("empty", ""),
        mail("blank", "\r\n"),
        mail("controls", b"Subject: \0\x1b\r\n\r\nNUL \0, CR \r, LF \n, 0xff \xff\r\n"),
        mail("smuggled", "Subject: x\r\n\r\nbefore\n.\nafter\n.\r\nthat\r\n"),
        mail("replies", "+OK\r\n-ERR\r\n. \r\nQUIT\r\n"),
        mail("long", [&[b'x'; 300_000][..], b"\r\n"].concat()),
        mail("dots-on-every-line", ".\r\n".repeat(70_000)),
    ]
}

/// What a directory holds that has the messages under the names of their unique-ids.
fn named(messages: &[Mail]) -> Vec<(String, Vec<u8>)> {
    let id = |mail: &Mail| String::from_utf8(mail.id.clone()).unwrap();
    let mut files: Vec<_> = messages.iter().map(|mail| (format!("uid-{}", id(mail)), mail.octets.clone())).collect();
    files.sort();
    files
}

#[track_caller]
fn holds(room: &Room, messages: &[Mail]) {
    // Not assert_eq: nobody wants to read 300,000 octets.
    let (files, expected): (Vec<_>, _) = (room.files().into_iter().collect(), named(messages));
    let names = |files: &[(String, Vec<u8>)]| files.iter().map(|(name, o)| (name.clone(), o.len())).collect::<Vec<_>>();
    assert!(files == expected, "{:?}, not {:?}", names(&files), names(&expected));
}

// ---- what comes, and in which order things are said

#[test]
fn each_message_comes_octet_by_octet() {
    for capabilities in [None, Some([PLAIN, PLAIN]), Some([PIPELINING, PIPELINING])] {
        let room = Room::new();
        let server = Script { capabilities, ..Script::new(nasty()) }.start();
        let ran = room.fetch(server.address, &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(ran.stderr, "");
        holds(&room, &nasty());
        assert!(!server.session().has("DELE"), "without --delete the mail stays");
    }
}

#[test]
fn capa_is_asked_in_both_states_and_quit_ends_the_session() {
    let room = Room::new();
    let server = Script { capabilities: Some([PLAIN, PLAIN]), ..Script::new(three()) }.start();
    assert_eq!(room.fetch(server.address, &[]).code, Some(0));
    let log = server.session().log.join(", ");
    assert_eq!(
        log,
        "CAPA, USER mrose, PASS tanstaaf, CAPA, UIDL, LIST, RETR 1, whole 1, RETR 2, whole 2, RETR 3, whole 3, QUIT"
    );
}

#[test]
fn an_empty_maildrop_is_no_failure() {
    let room = Room::new();
    let server = Script::new(Vec::new()).start();
    assert_eq!(room.fetch(server.address, &["--delete"]).code, Some(0));
    assert!(server.session().has("QUIT"));
}

#[test]
fn commands_are_pipelined_where_pipelining_is_announced() {
    let room = Room::new();
    // The server answers nothing before it has all five: a client that waits for an answer would wait for ever.
    let messages: Vec<_> = (0..5).map(|n| mail(&n.to_string(), format!("{n}\r\n"))).collect();
    let server = Script { waits_for: 5, ..Script::new(messages.clone()) }.start();
    assert_eq!(room.fetch(server.address, &[]).code, Some(0));
    holds(&room, &messages);
    assert_eq!(server.session().most_at_once, 5);
}

#[test]
fn the_window_is_kept_full_and_never_overrun() {
    let room = Room::new();
    let messages: Vec<_> = (0..150).map(|n| mail(&n.to_string(), format!("{n}\r\n"))).collect();
    let server = Script { waits_for: 64, ..Script::new(messages.clone()) }.start();
    let ran = room.fetch(server.address, &["--delete"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    holds(&room, &messages);
    let session = server.session();
    assert_eq!(session.most_at_once, 64);
    assert_eq!((session.all("RETR ").len(), session.all("DELE ").len()), (150, 150));
}

#[test]
fn nothing_is_pipelined_where_pipelining_is_not_announced() {
    // Announced before the login only, it holds there only.
    for capabilities in [None, Some([PLAIN, PLAIN]), Some([PIPELINING, PLAIN])] {
        let room = Room::new();
        let server = Script { capabilities, ..Script::new(three()) }.start();
        assert_eq!(room.fetch(server.address, &["--delete"]).code, Some(0));
        assert_eq!(server.session().most_at_once, 1);
    }
}

// ---- what goes wrong on the way

#[test]
fn a_refused_message_is_skipped_and_the_rest_comes() {
    for capabilities in [PLAIN, PIPELINING] {
        let room = Room::new();
        let mut messages = three();
        messages[1].retr = Retr::Refused;
        let server = Script { capabilities: Some([PLAIN, capabilities]), ..Script::new(messages) }.start();
        let ran = room.fetch(server.address, &["--delete"]);
        assert_eq!(ran.code, Some(1), "{ran:?}");
        assert!(ran.stderr.contains("message 2") && ran.stderr.contains("the disk has a hole here"), "{ran:?}");
        holds(&room, &[three().remove(0), three().remove(2)]);
        let session = server.session();
        assert_eq!(session.all("DELE"), ["DELE 1", "DELE 3"]);
        assert!(session.has("QUIT"));
    }
}

#[test]
fn a_connection_cut_in_a_message_leaves_whole_messages_only() {
    for capabilities in [PLAIN, PIPELINING] {
        for cut in [0, 1, 9, 20_000] {
            let room = Room::new();
            let mut messages = three();
            messages[1] = mail("b", "Subject: two\r\n".repeat(10_000));
            messages[1].retr = Retr::Cut(cut);
            let server = Script { capabilities: Some([PLAIN, capabilities]), ..Script::new(messages) }.start();
            let ran = room.fetch(server.address, &["--delete"]);
            assert_eq!(ran.code, Some(1), "{ran:?}");
            assert!(ran.stderr.contains("RETR") && ran.stderr.contains("1 of 3 messages are on disk"), "{ran:?}");
            holds(&room, &three()[..1]);
            assert!(!server.session().has("DELE"));
        }
    }
}

#[test]
fn a_silent_server_is_left_when_the_time_is_over() {
    let room = Room::new();
    let server = Script { quit: Quit::Silence, ..Script::new(three()) }.start();
    let ran = room.fetch(server.address, &["--delete", "--timeout", "1"]);
    assert_eq!(ran.code, Some(4), "{ran:?}");
    assert!(ran.stderr.contains("nothing came for 1 seconds while QUIT was being answered"), "{ran:?}");
    drop(server.session());
}

// ---- deletion

#[test]
fn dele_comes_behind_whole_messages_and_before_quit() {
    for capabilities in [PLAIN, PIPELINING] {
        let room = Room::new();
        let server = Script { capabilities: Some([PLAIN, capabilities]), ..Script::new(three()) }.start();
        let ran = room.fetch(server.address, &["--delete"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        holds(&room, &three());
        let log = server.session().log;
        let tail = ["whole 3", "DELE 1", "DELE 2", "DELE 3", "QUIT"];
        assert_eq!(log[log.len() - tail.len()..], tail, "{log:?}");
    }
}

#[test]
fn a_message_that_cannot_be_stored_is_not_deleted() {
    let room = Room::new();
    fs::create_dir(room.mail().join("uid-b")).unwrap();
    let server = Script::new(three()).start();
    let ran = room.fetch(server.address, &["--delete"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("message 2 was not stored"), "{ran:?}");
    holds(&room, &[three().remove(0), three().remove(2)]);
    assert_eq!(server.session().all("DELE"), ["DELE 1", "DELE 3"]);
}

/// A limit on the size of files stands for a full disk: the write fails in the middle of the message.
#[cfg(unix)]
#[test]
fn a_message_whose_octets_cannot_be_written_is_not_deleted() {
    let room = Room::new();
    let mut messages = three();
    messages[1] = mail("b", "x\r\n".repeat(1_000_000));
    let server = Script::new(messages).start();
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 100; exec \"$@\"", "sh"]).arg(example("fetch"));
    shell.args(["--user", USER, "--allow-cleartext", "--delete", "--timeout", "20", "--password-file"]);
    let ran = run(shell.arg(room.path("password")).arg(server.address.to_string()).arg(room.mail()));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("message 2 was not stored"), "{ran:?}");
    holds(&room, &[three().remove(0), three().remove(2)]);
    assert_eq!(server.session().all("DELE"), ["DELE 1", "DELE 3"]);
}

#[test]
fn a_refused_dele_is_reported() {
    let room = Room::new();
    let server = Script { takes_dele: false, ..Script::new(three()) }.start();
    let ran = room.fetch(server.address, &["--delete"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert_eq!(ran.stderr.matches("was not deleted").count(), 3, "{ran:?}");
    assert!(server.session().has("QUIT"));
}

#[test]
fn quit_without_its_ok_is_told_by_the_exit_code() {
    for quit in [Quit::Refused, Quit::HangUp] {
        let room = Room::new();
        let server = Script { quit, ..Script::new(three()) }.start();
        let ran = room.fetch(server.address, &["--delete"]);
        assert_eq!(ran.code, Some(4), "{ran:?}");
        assert!(ran.stderr.contains("QUIT was not answered +OK"), "{ran:?}");
        holds(&room, &three());

        // Where nothing was to be deleted, nothing is in doubt.
        let room = Room::new();
        let server = Script { quit, ..Script::new(three()) }.start();
        assert_eq!(room.fetch(server.address, &[]).code, Some(0));
    }
}

// ---- names

#[test]
fn a_unique_id_never_leads_out_of_the_directory() {
    let room = Room::new();
    let ids = ["../../x", "/etc/passwd", "..", ".", "con", "C:\\x", "A", "a", "a%62", "*?<>|\"", "+2", "~", "-rf"];
    let mut messages: Vec<_> = ids.iter().map(|id| mail(id, format!("this is {id}\r\n"))).collect();
    messages.push(mail(&"~".repeat(70), "seventy octets\r\n"));
    messages.push(mail(&"x".repeat(71), "one too many\r\n"));
    messages.push(mail(&"x".repeat(2000), "far too many\r\n"));
    messages.push(mail("two words", "a space\r\n"));
    messages.push(Mail { id: b"\xff\xfe\x1b".to_vec(), ..mail("", "no text\r\n") });
    let server = Script::new(messages.clone()).start();
    let ran = room.fetch(server.address, &["--delete"]);
    assert_eq!(ran.code, Some(0), "{ran:?}");

    let files = room.files();
    let fetched: BTreeSet<_> = files.values().collect();
    assert_eq!(fetched, messages.iter().map(|mail| &mail.octets).collect());
    assert_eq!(files.len(), messages.len());
    // On a disk that folds case, and by rules of whatever system.
    let folded: BTreeSet<_> = files.keys().map(|name| name.to_ascii_lowercase()).collect();
    assert_eq!(folded.len(), messages.len());
    let plain = |octet: u8| octet.is_ascii_alphanumeric() || b"-_%".contains(&octet);
    assert!(files.keys().all(|name| name.len() <= 255 && name.bytes().all(plain)), "{:?}", files.keys());
    assert_eq!(fs::read_dir(room.path("")).unwrap().count(), 2, "the password and the mail");
    drop(server.session());
}

#[test]
fn without_uidl_messages_get_names_that_stay_the_same() {
    let room = Room::new();
    let mut messages = three();
    messages.push(messages[0].clone());
    for _ in 0..2 {
        let server = Script { has_uidl: false, capabilities: None, ..Script::new(messages.clone()) }.start();
        let ran = room.fetch(server.address, &[]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let files = room.files();
        let expected: BTreeSet<_> = messages.iter().map(|mail| &mail.octets).collect();
        assert_eq!(files.values().collect::<BTreeSet<_>>(), expected);
        assert_eq!(files.len(), 3, "the same octets twice are one file: {:?}", files.keys());
    }
}

#[test]
fn a_unique_id_that_is_used_again_overwrites_nothing() {
    let room = Room::new();
    for (first, second) in [("1\r\n", "2\r\n"), ("2\r\n", "3\r\n"), ("4\r\n", "4\r\n")] {
        let server = Script::new(vec![mail("same", first), mail("same", second)]).start();
        let ran = room.fetch(server.address, &["--delete"]);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        assert_eq!(server.session().all("DELE").len(), 2);
    }
    let files: Vec<_> = room.files().into_iter().collect();
    let expected = [("uid-same", "1\r\n"), ("uid-same+2", "2\r\n"), ("uid-same+3", "3\r\n"), ("uid-same+4", "4\r\n")];
    assert_eq!(files, expected.map(|(name, octets)| (name.to_owned(), octets.as_bytes().to_vec())));
}

// ---- the state file

fn with_state(room: &Room, messages: Vec<Mail>, options: &[&str], code: i32) -> Session {
    let server = Script::new(messages).start();
    let state = room.path("state");
    let ran = room.fetch(server.address, &[&["--uidl-state", state.to_str().unwrap()], options].concat());
    assert_eq!(ran.code, Some(code), "{ran:?}");
    server.session()
}

#[test]
fn with_a_state_file_only_what_is_new_is_fetched() {
    let room = Room::new();
    let strange = Mail { id: b"100% \xff ".to_vec(), ..mail("", "strange\r\n") };
    let all = [three(), vec![strange, mail(&"y".repeat(100), "long\r\n"), mail("#", "hash\r\n")]].concat();
    assert_eq!(with_state(&room, all.clone(), &[], 0).all("RETR").len(), 6);
    assert_eq!(room.files().len(), 6);

    let session = with_state(&room, all.clone(), &[], 0);
    assert!(!session.has("RETR") && !session.has("DELE"), "{:?}", session.log);

    let more = [all.clone(), vec![mail("new", "new\r\n")]].concat();
    assert_eq!(with_state(&room, more, &[], 0).all("RETR"), ["RETR 7"]);

    // What has vanished is forgotten: should it come back, it is another message.
    assert!(!with_state(&room, all[1..].to_vec(), &[], 0).has("RETR"));
    assert_eq!(with_state(&room, all, &[], 0).all("RETR"), ["RETR 1"]);
}

/// A line of the listing that makes no sense hides its own message's unique-id, and costs no other message anything.
#[test]
fn a_message_without_a_unique_id_is_fetched_each_time_and_kept_once() {
    let room = Room::new();
    let mut all = three();
    with_state(&room, all.clone(), &[], 0);
    all.insert(1, mail("tab\tin it", "odd\r\n"));
    for _ in 0..2 {
        assert_eq!(with_state(&room, all.clone(), &[], 0).all("RETR"), ["RETR 2"]);
        assert_eq!(room.files().len(), 4);
    }
}

#[test]
fn what_was_not_fetched_does_not_get_into_the_state_file() {
    let room = Room::new();
    let mut messages = three();
    messages[0].retr = Retr::Refused;
    messages[2].retr = Retr::Cut(1);
    with_state(&room, messages, &[], 1);
    assert_eq!(with_state(&room, three(), &[], 0).all("RETR"), ["RETR 1", "RETR 3"]);
    holds(&room, &three());
}

#[test]
fn of_two_messages_with_one_unique_id_both_must_be_there() {
    let room = Room::new();
    let mut messages = vec![mail("same", "1\r\n"), mail("same", "1\r\n")];
    messages[1].retr = Retr::Refused;
    with_state(&room, messages.clone(), &[], 1);
    messages[1].retr = Retr::Whole;
    assert_eq!(with_state(&room, messages.clone(), &[], 0).all("RETR").len(), 2);
    assert!(!with_state(&room, messages, &[], 0).has("RETR"));
}

#[test]
fn with_a_state_file_only_what_is_new_is_deleted() {
    let room = Room::new();
    with_state(&room, three()[..1].to_vec(), &[], 0);
    assert_eq!(with_state(&room, three(), &["--delete"], 0).all("DELE"), ["DELE 2", "DELE 3"]);
    // This server has deleted nothing. What was to be deleted is fetched again, found on disk, and deleted.
    assert_eq!(with_state(&room, three(), &["--delete"], 0).all("DELE"), ["DELE 2", "DELE 3"]);
    holds(&room, &three());
}

#[test]
fn a_state_file_needs_unique_ids() {
    let room = Room::new();
    let server = Script { has_uidl: false, capabilities: None, ..Script::new(three()) }.start();
    let state = room.path("state");
    let ran = room.fetch(server.address, &["--uidl-state", state.to_str().unwrap()]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("no UIDL"), "{ran:?}");
    assert!(!server.session().has("RETR"));
    assert!(!state.exists());
}

#[test]
fn a_file_that_is_no_state_file_is_left_alone() {
    let room = Room::new();
    let file = room.path("password");
    let ran = room.fetch("127.0.0.1:9".parse().unwrap(), &["--uidl-state", file.to_str().unwrap()]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(fs::read_to_string(file).unwrap().starts_with(PASSWORD));
}

// ---- login

#[test]
fn without_leave_no_credentials_go_out_in_the_clear() {
    let room = Room::new();
    for options in [&[][..], &["--apop"]] {
        let server = Script { greeting: "+OK <1@example.org>", ..Script::new(three()) }.start();
        let ran = room.run(&[&["--user", USER], options].concat(), &server.address.to_string());
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.stderr.contains("--allow-cleartext"), "{ran:?}");
        assert_eq!(server.session().log, ["CAPA", "QUIT"]);
    }
}

#[test]
fn a_wrong_password_is_told_and_not_shown() {
    let room = Room::new();
    fs::write(room.path("password"), "not the right one\r\n").unwrap();
    let server = Script::new(three()).start();
    let ran = room.fetch(server.address, &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("PASS") && ran.stderr.contains("no such user or password"), "{ran:?}");
    assert!(!format!("{ran:?}").contains("right one"), "{ran:?}");
    assert_eq!(server.session().log, ["CAPA", "USER mrose", "PASS not the right one", "QUIT"]);
    assert!(room.files().is_empty());
}

#[test]
fn what_does_not_greet_as_pop3_does_is_told_apart() {
    for (greeting, words) in [
        ("-ERR [SYS/TEMP] come back\tlater", "come back\\tlater"),
        ("* OK IMAP4rev1 ready", "speaks IMAP"),
        ("220 mail.example.org ESMTP", "speaks SMTP"),
        ("good morning", "does not greet as a POP3 server does"),
    ] {
        let room = Room::new();
        let server = Script { greeting, ..Script::new(three()) }.start();
        let ran = room.fetch(server.address, &[]);
        assert_eq!(ran.code, Some(3), "{ran:?}");
        assert!(ran.stderr.contains(words), "{ran:?}");
        assert!(server.session().log.is_empty(), "nothing is said to it");
    }
}

#[test]
fn a_port_where_nobody_listens_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let ran = Room::new().fetch(address, &[]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains(&address.to_string()), "{ran:?}");
}

/// The digests of RFC 1939 section 7, and of RFC 2384 section 7 with its erratum 2943.
#[test]
fn apop_sends_the_digest_of_the_timestamp_and_the_secret() {
    for (greeting, user, secret, line) in [
        (
            "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>",
            "mrose",
            "tanstaaf",
            "APOP mrose c4c9334bac560ecc979e58001b3e22fb",
        ),
        (
            "+OK POP3 server ready <1896.697170952@mail.eudora.com>",
            "rg",
            "secret",
            "APOP rg 8f5de26536bc248ba202a9ca612e71bd",
        ),
    ] {
        let room = Room::new();
        fs::write(room.path("password"), secret).unwrap();
        let server = Script { greeting, ..Script::new(three()) }.start();
        let url = format!("pop://{user};AUTH=+APOP@{}", server.address);
        let ran = room.run(&["--allow-cleartext", "--apop"], &url);
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let session = server.session();
        assert!(session.has(line), "{:?}", session.log);
        assert!(!session.has("USER") && !session.has("PASS"));
        holds(&room, &three());
    }
}

#[test]
fn apop_never_falls_back_to_a_password_in_the_clear() {
    let room = Room::new();
    let server = Script::new(three()).start();
    let ran = room.fetch(server.address, &["--apop"]);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("timestamp"), "{ran:?}");
    assert_eq!(server.session().log, ["CAPA", "QUIT"]);
}

// ---- arguments

#[test]
fn a_pop_url_names_user_and_server() {
    let room = Room::new();
    let server = Script { user: "m;rose@example.org", ..Script::new(three()) }.start();
    let url = format!("pop://m%3Brose%40example.org;AUTH=*@{}", server.address);
    let ran = room.run(&["--allow-cleartext"], &url);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    holds(&room, &three());
    assert!(server.session().has("USER m;rose@example.org"));
}

#[test]
fn arguments_that_cannot_be_used_are_refused_before_anything_is_sent() {
    let room = Room::new();
    fs::write(room.path("empty"), "\n").unwrap();
    let (server, empty) = ("127.0.0.1:9", room.path("empty"));
    for (options, place, words) in [
        (&[][..], server, "whose maildrop"),
        (&["--user", "a\r\nDELE 1"], server, "user name"),
        (&["--user", "a", "--timeout", "0"], server, "--timeout"),
        (&["--user", "a"], "pop://b@127.0.0.1:9", "different users"),
        (&[], "pop://b;AUTH=+APOP@127.0.0.1:9", "--apop"),
        (&[], "pop://b;AUTH=CRAM-MD5@127.0.0.1:9", "CRAM-MD5"),
        (&[], "pop://b%0D%0AQUIT@127.0.0.1:9", "user name"),
    ] {
        let ran = room.run(options, place);
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    for file in [empty, room.path("missing")] {
        let mut command = Command::new(example("fetch"));
        let ran = run(command.args(["--user", "a", server, "mail", "--password-file"]).arg(&file));
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(file.to_str().unwrap()), "{ran:?}");
    }
}

#[test]
fn a_place_is_a_host_or_a_pop_url() {
    let place = |host: &str, port, user: Option<&str>, mechanism| {
        Ok(Place { host: host.to_owned(), port, user: user.map(str::to_owned), mechanism })
    };
    let (any, apop) = (Mechanism::Any, Mechanism::Apop);
    for (text, expected) in [
        ("mail.example.org", place("mail.example.org", None, None, any)),
        ("mail.example.org:1110", place("mail.example.org", Some(1110), None, any)),
        ("127.0.0.1:65535", place("127.0.0.1", Some(65535), None, any)),
        ("::1", place("::1", None, None, any)),
        ("[::1]", place("::1", None, None, any)),
        ("[::1]:1110", place("::1", Some(1110), None, any)),
        // RFC 2384 section 7.
        ("pop://rg@mailsrv.qualcomm.com", place("mailsrv.qualcomm.com", None, Some("rg"), any)),
        ("pop://rg;AUTH=+APOP@mail.eudora.com:8110", place("mail.eudora.com", Some(8110), Some("rg"), apop)),
        ("pop://rg;auth=*@[::1]:8110", place("::1", Some(8110), Some("rg"), any)),
        ("POP://rg;AUTH=+apop@h/", place("h", None, Some("rg"), apop)),
        ("pop://;AUTH=*@h", place("h", None, None, any)),
        ("pop://h", place("h", None, None, any)),
        ("pop://a%3Bb%40c%25%C3%A9~&=@h", place("h", None, Some("a;b@c%é~&="), any)),
    ] {
        let parsed = text.parse::<Place>();
        assert_eq!(parsed, expected, "{text}");
        let place = parsed.unwrap();
        let registered = [place.port(false), place.port(true)];
        assert_eq!(registered, place.port.map_or([110, 995], |port| [port, port]));
    }
    for (text, words) in [
        ("", "host"),
        ("host:", "port"),
        ("host:0", "port"),
        ("host:65536", "port"),
        ("host:+1", "port"),
        ("host:1:2", "port"),
        ("ho st", "host"),
        ("[::1", "]"),
        ("[::1]1", "PORT"),
        ("[host]", "IPv6"),
        ("pops://h", "scheme"),
        ("imap://u@h", "scheme"),
        ("pop://", "host"),
        ("pop://@h", "before the @"),
        ("pop://u@", "host"),
        ("pop://u@h/INBOX", "host"),
        ("pop://u@h@i", "host"),
        ("pop://u:secret@h", "password"),
        ("pop://u;AUTH=@h", "mechanism"),
        ("pop://u;AUTH=SCRAM-SHA-256@h", "SCRAM-SHA-256"),
        ("pop://u;AUTH=+KPOP@h", "+KPOP"),
        ("pop://u;TYPE=x@h", ";TYPE=x"),
        ("pop://u v@h", "%20"),
        ("pop://%zz@h", "hexadecimal"),
        ("pop://%1@h", "hexadecimal"),
        ("pop://%FF@h", "UTF-8"),
    ] {
        let error = text.parse::<Place>().unwrap_err();
        assert!(error.contains(words), "{text}: {error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

// ---- the small one

#[test]
fn the_small_client_prints_the_first_message() {
    let server = Script::new(nasty()).start();
    let ran = run(Command::new(example("client")).args([&server.address.to_string(), USER, PASSWORD]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(ran.stdout.as_bytes(), nasty()[0].octets);
    assert_eq!(server.session().log.join(", "), "USER mrose, PASS tanstaaf, RETR 1, whole 1, QUIT");

    let server = Script::new(Vec::new()).start();
    let ran = run(Command::new(example("client")).args([&server.address.to_string(), USER, PASSWORD]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("RETR") && ran.stderr.contains("no such message"), "{ran:?}");
}
