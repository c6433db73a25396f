//! The drivers in `examples/` against software that other people wrote, over loopback: curl, Python's poplib and a naive reader
//! download from `maildir_server`, and `fetch` downloads from `maildir_server` and from Dovecot. Every octet is compared.
//!
//! A test that lacks its peer says `SKIPPED` on stderr and counts as ignored, never as passed; where `CI` is set it fails.
//! `conformance/peers/install.sh` installs the peers.

mod support;

use std::collections::BTreeSet;
use std::io;
use std::sync::Barrier;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::Arguments;

use support::compare::{same_messages, same_octets};
use support::corpus::{self, Message};
use support::maildir::Maildir;
use support::naive::Naive;
use support::peers::{self, Dovecot, MaildirServer, PASSWORD, Peer, USER};
use support::trial::trial;

fn main() {
    use Peer::{Curl, Dovecot, Fetch, MaildirServer, Python};

    let arguments = Arguments::from_args();
    let case = |name: &str, needs: &[Peer], run: fn()| trial(&arguments, name, needs, run);

    let trials = vec![
        case("curl_downloads_every_octet", &[MaildirServer, Curl], curl_downloads_every_octet),
        case("curl_lists_and_deletes", &[MaildirServer, Curl], curl_lists_and_deletes),
        case("poplib_downloads_every_octet", &[MaildirServer, Python], poplib_downloads_every_octet),
        case("a_naive_reader_finds_every_octet_stuffed", &[MaildirServer], a_naive_reader_finds_every_octet_stuffed),
        case("stat_and_list_announce_what_retr_sends", &[MaildirServer], stat_and_list_announce_what_retr_sends),
        case("top_sends_what_retr_sends", &[MaildirServer], top_sends_what_retr_sends),
        case("unique_ids_are_stable_across_sessions", &[MaildirServer], unique_ids_are_stable_across_sessions),
        case("dele_and_quit_remove", &[MaildirServer], dele_and_quit_remove),
        case(
            "dele_and_a_dropped_connection_remove_nothing",
            &[MaildirServer],
            dele_and_a_dropped_connection_remove_nothing,
        ),
        case("quit_without_dele_removes_nothing", &[MaildirServer], quit_without_dele_removes_nothing),
        case("a_locked_maildrop_refuses_a_second_login", &[MaildirServer], a_locked_maildrop_refuses_a_second_login),
        case("eight_clients_at_once_take_turns", &[MaildirServer], eight_clients_at_once_take_turns),
        case("a_waiting_client_holds_up_nobody", &[MaildirServer], a_waiting_client_holds_up_nobody),
        case(
            "cleartext_logins_are_refused_unless_allowed",
            &[MaildirServer],
            cleartext_logins_are_refused_unless_allowed,
        ),
        case("fetch_downloads_every_octet", &[MaildirServer, Fetch], fetch_downloads_every_octet),
        case("fetch_deletes_what_it_has", &[MaildirServer, Fetch], fetch_deletes_what_it_has),
        case("fetch_keeps_track_of_what_it_has", &[MaildirServer, Fetch], fetch_keeps_track_of_what_it_has),
        case("fetch_sends_no_password_in_the_clear", &[MaildirServer, Fetch], fetch_sends_no_password_in_the_clear),
        case("fetch_reports_a_wrong_password", &[MaildirServer, Fetch], fetch_reports_a_wrong_password),
        case("dovecot_sends_what_is_noted_here", &[Dovecot], dovecot_sends_what_is_noted_here),
        case("fetch_from_dovecot_every_octet", &[Dovecot, Fetch], fetch_from_dovecot_every_octet),
        case("fetch_from_dovecot_deletes_what_it_has", &[Dovecot, Fetch], fetch_from_dovecot_deletes_what_it_has),
        case("fetch_from_dovecot_keeps_track", &[Dovecot, Fetch], fetch_from_dovecot_keeps_track),
        case("fetch_from_dovecot_wrong_password", &[Dovecot, Fetch], fetch_from_dovecot_wrong_password),
        case(
            "fetch_stops_at_an_unstuffed_dot_from_dovecot",
            &[Dovecot, Fetch],
            fetch_stops_at_an_unstuffed_dot_from_dovecot,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

// ---- maildir_server, read by others

fn curl_downloads_every_octet() {
    let mut messages = corpus::corpus();
    messages.retain(|message| !message.canonical.is_empty());
    messages.push(corpus::ten_megabytes_on_one_line());
    messages.push(corpus::fifty_megabytes());
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let into = peers::directory(&maildir, "curl");
    peers::curl(server.address, messages.len(), &into).success();
    same_messages(&as_canonical(&messages), &peers::files(&into));

    // The empty message by itself: curl 7.88 takes the status line's CRLF for the one before the termination octet, counts it to the
    // message, and so writes one blank line for no line at all. A curl that writes nothing may leave the file out.
    let maildir = Maildir::with(&only("empty"));
    let server = MaildirServer::start(&maildir);
    let into = peers::directory(&maildir, "curl");
    peers::curl(server.address, 1, &into).success();
    let files = peers::files(&into);
    assert!(files.iter().all(|(_, octets)| octets.is_empty() || octets == b"\r\n"), "{files:?}");
}

fn curl_lists_and_deletes() {
    let maildir = Maildir::with(&few());
    let server = MaildirServer::start(&maildir);
    let url = format!("pop3://{}/", server.address);

    let listing = peers::run(peers::curl_command().arg(&url)).success().stdout;
    assert_eq!(listing.lines().count(), 3, "{listing}");

    let listing = peers::run(peers::curl_command().args(["--request", "UIDL"]).arg(&url)).success().stdout;
    assert_eq!(listing.lines().count(), 3, "{listing}");

    // --head tells curl that the answer has no further lines. It says QUIT at the end of every run.
    peers::run(peers::curl_command().args(["--head", "--request", "DELE"]).arg(format!("{url}2"))).success();
    eventually("one message less", || maildir.count() == 2);
}

fn poplib_downloads_every_octet() {
    let mut messages = corpus::corpus();
    messages.push(corpus::ten_megabytes_on_one_line());
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let into = peers::directory(&maildir, "poplib");

    let announced = peers::poplib(&maildir, server.address, &into);

    let files = peers::files(&into);
    same_messages(&as_canonical(&messages), &files);
    assert_eq!(announced.len(), files.len());
    for ((octets, unique_id), (name, content)) in announced.iter().zip(&files) {
        assert_eq!(*octets, content.len() as u64, "message {name}, {unique_id}");
    }
}

/// RFC 1939 section 3, and more than it asks for: whatever the message, whoever looks for CRLF "." CRLF and whoever looks for LF "." LF
/// finds the end of the reply at the same place, because no bare LF and no unstuffed dot goes out.
fn a_naive_reader_finds_every_octet_stuffed() {
    let mut messages = corpus::corpus();
    messages.push(corpus::ten_megabytes_on_one_line());
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();

    let mut wire = Vec::new();
    for number in 1..=messages.len() {
        let mut raw = session.raw(&format!("RETR {number}")).unwrap();
        raw.extend_from_slice(b".\r\n");
        wire.push((number.to_string(), raw));
    }
    session.quit().unwrap();

    let expected: Vec<_> = messages.iter().map(|message| corpus::on_the_wire(&message.canonical)).collect();
    let expected: Vec<_> =
        messages.iter().zip(&expected).map(|(message, wire)| (message.name, wire.as_slice())).collect();
    same_messages(&expected, &wire);
}

fn stat_and_list_announce_what_retr_sends() {
    let messages = corpus::corpus();
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();

    let stat = session.ok("STAT").unwrap();
    let listing = session.listing("LIST").unwrap();
    let mut total = 0;
    for (index, (number, octets)) in listing.iter().enumerate() {
        assert_eq!(*number as usize, index + 1);
        let body = session.block(&format!("RETR {number}")).unwrap();
        assert_eq!(*octets, body.len().to_string(), "message {number}: {}", body[..body.len().min(60)].escape_ascii());
        assert_eq!(session.ok(&format!("LIST {number}")).unwrap(), format!("+OK {number} {octets}"));
        total += body.len();
    }
    let announced: Vec<_> = stat.split(' ').skip(1).take(2).collect();
    assert_eq!(announced, [messages.len().to_string(), total.to_string()], "{stat}");
    session.quit().unwrap();
}

/// TOP with more lines than there are is the whole message, and with none it is the header and the blank line.
fn top_sends_what_retr_sends() {
    let messages = corpus::corpus();
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();

    for number in 1..=messages.len() {
        let whole = session.raw(&format!("RETR {number}")).unwrap();
        let top = session.raw(&format!("TOP {number} 1000000")).unwrap();
        same_octets(&format!("TOP {number} 1000000"), &whole, &top);

        for lines in [0, 1, 3] {
            let top = session.block(&format!("TOP {number} {lines}")).unwrap();
            let whole = session.block(&format!("RETR {number}")).unwrap();
            same_octets(&format!("TOP {number} {lines}"), &naive_top(&whole, lines), &top);
        }
    }
    session.quit().unwrap();
}

/// RFC 1939 section 7: "the headers of the message, the blank line separating the headers from the body, and then the number of lines
/// of the indicated message's body". The first empty line is the separator; what has none is all header.
fn naive_top(message: &[u8], lines: usize) -> Vec<u8> {
    let mut top = Vec::new();
    let mut left = None;
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        match left {
            None if line == b"\r\n" => left = Some(lines),
            None => {}
            Some(0) => break,
            Some(more) => left = Some(more - 1),
        }
        top.extend_from_slice(line);
    }
    top
}

fn unique_ids_are_stable_across_sessions() {
    let messages = corpus::corpus();
    let mut maildir = Maildir::with(&messages);

    let first = {
        let server = MaildirServer::start(&maildir);
        let first = unique_ids(&server);
        assert_eq!(first.len(), messages.len());
        assert_eq!(first.iter().collect::<BTreeSet<_>>().len(), first.len(), "two messages with one unique-id");
        for unique_id in &first {
            // RFC 1939 section 7: "one to 70 characters in the range 0x21 to 0x7E".
            let octets_fit = unique_id.bytes().all(|octet| (0x21..=0x7e).contains(&octet));
            assert!(octets_fit && (1..=70).contains(&unique_id.len()), "{unique_id:?}");
        }
        assert_eq!(unique_ids(&server), first, "in a second session");
        first
    };

    // A server started anew, a message removed and one added: the others keep theirs, and the new one gets one never used.
    maildir.deliver(b"Subject: new\n\nnew\n");
    let server = MaildirServer::start(&maildir);
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    session.ok("DELE 3").unwrap();
    session.quit().unwrap();
    let second = unique_ids(&server);
    assert_eq!(second.len(), first.len());
    let gone: Vec<_> = first.iter().filter(|unique_id| !second.contains(unique_id)).collect();
    assert_eq!(gone, [&first[2]]);
}

fn unique_ids(server: &MaildirServer) -> Vec<String> {
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    let listing = session.listing("UIDL").unwrap();
    session.quit().unwrap();
    listing.into_iter().map(|(_, unique_id)| unique_id).collect()
}

fn dele_and_quit_remove() {
    let messages = few();
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);

    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    let second = session.block("RETR 2").unwrap();
    session.ok("DELE 2").unwrap();
    assert_eq!(maildir.count(), 3, "nothing is removed before the UPDATE state");
    let answer = session.ask("RETR 2").unwrap();
    assert!(answer.starts_with("-ERR"), "a deleted message is out of reach: {answer}");
    session.quit().unwrap();
    // RFC 1939 section 6: the answer to QUIT reports the result, so it is there when the answer is.
    assert_eq!(maildir.count(), 2);

    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    let left: Vec<_> = (1..=2).map(|n| (n.to_string(), session.block(&format!("RETR {n}")).unwrap())).collect();
    session.quit().unwrap();
    let expected = as_canonical(&messages);
    let expected: Vec<_> = expected.into_iter().filter(|(_, octets)| *octets != second).collect();
    same_messages(&expected, &left);
}

fn dele_and_a_dropped_connection_remove_nothing() {
    let maildir = Maildir::with(&few());
    let server = MaildirServer::start(&maildir);

    // The line goes dead; the peer stops writing in an orderly way; half a QUIT is no QUIT.
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    session.ok("DELE 1").unwrap();
    drop(session);
    let mut session = login_when_free(&server);
    assert_eq!(session.listing("LIST").unwrap().len(), 3);
    session.ok("DELE 1").unwrap();
    session.ok("DELE 2").unwrap();
    session.hang_up().unwrap();
    let mut session = login_when_free(&server);
    assert_eq!(session.listing("LIST").unwrap().len(), 3);
    session.ok("DELE 3").unwrap();
    session.send_octets(b"QUIT").unwrap();
    session.hang_up().unwrap();
    let mut session = login_when_free(&server);
    assert_eq!(session.listing("LIST").unwrap().len(), 3);
    session.quit().unwrap();
    assert_eq!(maildir.count(), 3);
}

fn quit_without_dele_removes_nothing() {
    let maildir = Maildir::with(&few());
    let server = MaildirServer::start(&maildir);

    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    session.block("RETR 1").unwrap();
    session.quit().unwrap();
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    session.ok("DELE 1").unwrap();
    session.ok("RSET").unwrap();
    session.quit().unwrap();
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    assert_eq!(session.listing("LIST").unwrap().len(), 3);
    session.quit().unwrap();
    assert_eq!(maildir.count(), 3);
}

/// RFC 1939 section 4: the server "acquires an exclusive-access lock on the maildrop".
fn a_locked_maildrop_refuses_a_second_login() {
    let maildir = Maildir::with(&few());
    let server = MaildirServer::start(&maildir);

    let mut first = Naive::login(server.address, USER, PASSWORD).unwrap();
    let refused = Naive::login(server.address, USER, PASSWORD).err().expect("the maildrop is locked").to_string();
    assert!(refused.contains("-ERR"), "{refused}");
    assert!(!refused.contains(PASSWORD), "the password has no place in an answer: {refused}");
    assert_eq!(first.listing("LIST").unwrap().len(), 3, "the first session goes on");
    first.quit().unwrap();

    // QUIT gives the lock back before it is answered, or at least before anybody could tell; a dead connection when it is noticed.
    let second = login_when_free(&server);
    drop(second);
    login_when_free(&server).quit().unwrap();
}

fn eight_clients_at_once_take_turns() {
    let messages = corpus::corpus();
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let expected = as_canonical(&messages);
    let inside = AtomicUsize::new(0);
    let all_connected = Barrier::new(8);

    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                // All are greeted before the first logs in.
                let greeted = Naive::connect(server.address).unwrap();
                all_connected.wait();
                drop(greeted);

                let end = Instant::now() + Duration::from_secs(60);
                let mut session = loop {
                    match Naive::login(server.address, USER, PASSWORD) {
                        Ok(session) => break session,
                        Err(error) => assert!(error.to_string().contains("-ERR"), "{error}"),
                    }
                    assert!(Instant::now() < end, "the maildrop is never free");
                    thread::sleep(Duration::from_millis(20));
                };
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two sessions on one maildrop");
                let bodies: Vec<_> = (1..=expected.len())
                    .map(|n| (n.to_string(), session.block(&format!("RETR {n}")).unwrap()))
                    .collect();
                inside.fetch_sub(1, Ordering::SeqCst);
                session.quit().unwrap();
                same_messages(&expected, &bodies);
            });
        }
    });
}

/// Connections are served beside each other: one that does not read its answers, or sits there in silence, stops no other.
fn a_waiting_client_holds_up_nobody() {
    let maildir = Maildir::with(&[corpus::ten_megabytes_on_one_line()]);
    let server = MaildirServer::start(&maildir);

    let silent: Vec<_> = (0..20).map(|_| Naive::connect(server.address).unwrap()).collect();
    let mut greedy = Naive::login(server.address, USER, PASSWORD).unwrap();
    // Two hundred megabytes are asked for, and nothing is read: far beyond what the sockets hold.
    greedy.send_octets("RETR 1\r\n".repeat(20).as_bytes()).unwrap();
    thread::sleep(Duration::from_millis(100));

    let mut another = Naive::connect(server.address).unwrap();
    another.ok("CAPA").unwrap();
    drop(greedy);
    login_when_free(&server).quit().unwrap();
    drop(silent);
}

fn cleartext_logins_are_refused_unless_allowed() {
    let maildir = Maildir::with(&few());
    let server = MaildirServer::start_with(&maildir, &[]);

    let refused = Naive::login(server.address, USER, PASSWORD).err().expect("cleartext was not allowed").to_string();
    assert!(refused.contains("-ERR"), "{refused}");
    let mut session = Naive::connect(server.address).unwrap();
    let capabilities = String::from_utf8(session.block("CAPA").unwrap()).unwrap();
    assert!(!capabilities.lines().any(|line| line == "USER"), "USER is announced and refused: {capabilities}");
    session.quit().unwrap();
}

// ---- fetch from maildir_server

fn fetch_downloads_every_octet() {
    let mut messages = corpus::corpus();
    messages.push(corpus::ten_megabytes_on_one_line());
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let into = peers::directory(&maildir, "fetched");

    peers::fetch(&maildir, server.address, &into, &["--allow-cleartext"]).success();

    same_messages(&as_canonical(&messages), &peers::files(&into));
    assert_eq!(maildir.count(), messages.len(), "without --delete, the mail stays");
}

fn fetch_deletes_what_it_has() {
    let messages = corpus::corpus();
    let maildir = Maildir::with(&messages);
    let server = MaildirServer::start(&maildir);
    let into = peers::directory(&maildir, "fetched");

    peers::fetch(&maildir, server.address, &into, &["--allow-cleartext", "--delete"]).success();

    same_messages(&as_canonical(&messages), &peers::files(&into));
    assert_eq!(maildir.count(), 0);

    // An empty maildrop is no error.
    peers::fetch(&maildir, server.address, &into, &["--allow-cleartext", "--delete"]).success();
    assert_eq!(peers::files(&into).len(), messages.len());
}

fn fetch_keeps_track_of_what_it_has() {
    let mut maildir = Maildir::with(&few());
    let server = MaildirServer::start(&maildir);
    keep_track(&mut maildir, server.address);
}

/// Three runs with one state file: everything, nothing, and only what is new.
fn keep_track(maildir: &mut Maildir, server: std::net::SocketAddr) {
    let messages = few();
    let state = maildir.room().join("uidl-state");
    let options = ["--allow-cleartext", "--uidl-state", state.to_str().unwrap()];

    // A directory for each run, so that a message that is fetched again shows.
    let first = peers::directory(maildir, "first");
    peers::fetch(maildir, server, &first, &options).success();
    same_messages(&as_canonical(&messages), &peers::files(&first));

    let second = peers::directory(maildir, "second");
    peers::fetch(maildir, server, &second, &options).success();
    same_messages(&[], &peers::files(&second));

    maildir.deliver(b"Subject: new\n\n.new\n");
    let third = peers::directory(maildir, "third");
    peers::fetch(maildir, server, &third, &options).success();
    same_messages(&[("new", b"Subject: new\r\n\r\n.new\r\n")], &peers::files(&third));

    assert_eq!(maildir.count(), messages.len() + 1, "the mail stays on the server");
}

fn fetch_sends_no_password_in_the_clear() {
    let maildir = Maildir::with(&few());
    // The server would take it: it is the client that has to refuse.
    let server = MaildirServer::start(&maildir);
    let into = peers::directory(&maildir, "fetched");

    let ran = peers::fetch(&maildir, server.address, &into, &[]).failure();
    assert!(!ran.stderr.is_empty(), "a failure without a word");
    same_messages(&[], &peers::files(&into));
}

fn fetch_reports_a_wrong_password() {
    let maildir = Maildir::with(&few());
    let server = MaildirServer::start(&maildir);
    wrong_password(&maildir, server.address);
}

fn wrong_password(maildir: &Maildir, server: std::net::SocketAddr) {
    let into = peers::directory(maildir, "fetched");
    let wrong = "not the right one";
    let ran = peers::fetch_with_password(maildir, server, &into, &["--allow-cleartext", "--delete"], wrong).failure();
    assert!(!ran.stderr.is_empty(), "a failure without a word");
    assert!(!format!("{ran:?}").contains(wrong), "the password is printed: {ran:?}");
    same_messages(&[], &peers::files(&into));
    assert_eq!(maildir.count(), few().len());
}

// ---- fetch from Dovecot

/// What a client that follows RFC 1939 holds after it has asked Dovecot 2.3.19 for this message, or `None` where it cannot stay in step.
///
/// Dovecot stores and sends like our canonical form: bare LF becomes CRLF, CRLF stays, bare CR, NUL and 8-bit octets pass, a missing
/// last line end is added, every line that begins with a dot is stuffed. With two exceptions:
///
/// * The very first octet of the message. A dot there goes out unstuffed, and the client takes it away. Where it is alone on its line, it
///   is the termination octet: the client has an empty message, and what follows is read as the answer to the next command.
/// * The empty message, for which Dovecot sends one blank line.
///
/// Its sizes are another matter, see [`octets_in_dovecots_listing`].
fn as_dovecot_sends(message: &Message) -> Option<&[u8]> {
    match message.canonical.as_slice() {
        [] => Some(b"\r\n"),
        [b'.', b'\r', b'\n', ..] => None,
        [b'.', rest @ ..] => Some(rest),
        canonical => Some(canonical),
    }
}

/// What STAT and LIST say of this message: a last line end that RETR adds is not counted.
fn octets_in_dovecots_listing(message: &Message) -> usize {
    let added = if message.stored.ends_with(b"\n") || message.stored.is_empty() { 0 } else { 2 };
    message.canonical.len() - added
}

fn sent_by_dovecot(messages: &[Message]) -> Vec<(&str, &[u8])> {
    messages.iter().filter_map(|message| Some((message.name, as_dovecot_sends(message)?))).collect()
}

fn for_dovecot() -> Vec<Message> {
    corpus::corpus().into_iter().filter(|message| as_dovecot_sends(message).is_some()).collect()
}

/// The notes above, held against Dovecot by a reader that knows nothing of our crate. If this fails, the notes have to change, not `fetch`.
fn dovecot_sends_what_is_noted_here() {
    let messages = for_dovecot();
    let maildir = Maildir::with(&messages);
    let server = Dovecot::start(&maildir);
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    let listing = session.listing("LIST").unwrap();
    assert_eq!(listing.len(), messages.len());
    for ((number, octets), message) in listing.iter().zip(&messages) {
        // Mail is numbered in the order of the times in the file names.
        let block = session.block(&format!("RETR {number}")).unwrap();
        same_octets(message.name, as_dovecot_sends(message).unwrap(), &block);
        assert_eq!(*octets, octets_in_dovecots_listing(message).to_string(), "{}", message.name);
    }
    session.quit().unwrap();

    // A dot alone on the first line: the message ends before it began, and the real end stands where the next status line should.
    let maildir = Maildir::with(&only("dot-only"));
    let server = Dovecot::start(&maildir);
    let mut session = Naive::login(server.address, USER, PASSWORD).unwrap();
    assert_eq!(session.block("RETR 1").unwrap(), b"");
    assert_eq!(session.ask("NOOP").unwrap(), ".");
}

fn fetch_from_dovecot_every_octet() {
    let mut messages = for_dovecot();
    messages.push(corpus::ten_megabytes_on_one_line());
    messages.push(corpus::fifty_megabytes());
    let maildir = Maildir::with(&messages);
    let server = Dovecot::start(&maildir);
    let into = peers::directory(&maildir, "fetched");

    peers::fetch(&maildir, server.address, &into, &["--allow-cleartext"]).success();

    same_messages(&sent_by_dovecot(&messages), &peers::files(&into));
    assert_eq!(maildir.count(), messages.len());
}

fn fetch_from_dovecot_deletes_what_it_has() {
    let messages = for_dovecot();
    let maildir = Maildir::with(&messages);
    let server = Dovecot::start(&maildir);
    let into = peers::directory(&maildir, "fetched");

    peers::fetch(&maildir, server.address, &into, &["--allow-cleartext", "--delete"]).success();

    same_messages(&sent_by_dovecot(&messages), &peers::files(&into));
    assert_eq!(maildir.count(), 0);
}

fn fetch_from_dovecot_keeps_track() {
    let mut maildir = Maildir::with(&few());
    let server = Dovecot::start(&maildir);
    keep_track(&mut maildir, server.address);
}

fn fetch_from_dovecot_wrong_password() {
    let maildir = Maildir::with(&few());
    let server = Dovecot::start(&maildir);
    wrong_password(&maildir, server.address);
}

/// The answer after such a message is a line without a status indicator. There is no telling any more which answer belongs to which
/// command, so that `fetch` has to stop: above all it must not delete.
fn fetch_stops_at_an_unstuffed_dot_from_dovecot() {
    for name in ["dot-only", "dot-lines-only"] {
        let mut maildir = Maildir::with(&only(name));
        maildir.deliver(b"Subject: behind\n\nit\n");
        let server = Dovecot::start(&maildir);
        let into = peers::directory(&maildir, "fetched");

        let ran = peers::fetch(&maildir, server.address, &into, &["--allow-cleartext", "--delete"]).failure();

        assert!(!ran.stderr.is_empty(), "a failure without a word");
        assert_eq!(maildir.count(), 2, "{name}: a message was deleted by a client that had lost its place");
    }
}

// ----

/// Three messages that differ in every way that a listing shows.
fn few() -> Vec<Message> {
    let names = ["plain", "dots-everywhere-stored-crlf", "replies"];
    names.iter().flat_map(|name| only(name)).collect()
}

fn only(name: &str) -> Vec<Message> {
    let found: Vec<_> = corpus::corpus().into_iter().filter(|message| message.name == name).collect();
    assert_eq!(found.len(), 1, "{name}");
    found
}

fn as_canonical(messages: &[Message]) -> Vec<(&str, &[u8])> {
    messages.iter().map(|message| (message.name, message.canonical.as_slice())).collect()
}

/// Logs in as soon as the session before has let go of the maildrop.
#[track_caller]
fn login_when_free(server: &MaildirServer) -> Naive {
    let mut session: io::Result<Naive> = Err(io::Error::other("not tried"));
    let free = try_until(|| {
        session = Naive::login(server.address, USER, PASSWORD);
        session.is_ok()
    });
    assert!(free, "the maildrop stays locked: {:?}", session.err());
    session.unwrap_or_else(|error| panic!("{error}"))
}

#[track_caller]
fn eventually(what: &str, condition: impl FnMut() -> bool) {
    assert!(try_until(condition), "waited in vain for: {what}");
}

/// Ten seconds is an eternity over loopback, and still a bound.
fn try_until(mut condition: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + Duration::from_secs(10);
    loop {
        if condition() {
            return true;
        }
        if Instant::now() >= end {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
