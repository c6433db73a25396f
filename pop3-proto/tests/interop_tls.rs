//! `maildir_server` with TLS and with each way to log in, over loopback, against software that other people wrote: curl and
//! Python's poplib. Every octet is compared, and the server's trace tells which way was taken.
//!
//! A test that lacks its peer says `SKIPPED` on stderr and counts as ignored, never as passed; where `CI` is set it fails.
//! `conformance/peers/install.sh` installs the peers.

mod support;

use std::io::{BufRead as _, Read as _, Write as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::Command;

use libtest_mimic::Arguments;

use support::compare::same_messages;
use support::corpus::{self, Message};
use support::maildir::Maildir;
use support::peers::{self, MaildirServer, PASSWORD, Peer, Ran, USER};
use support::tls::{Line as _, Room, connect, status};
use support::trial::trial;

const TOKEN: &str = "ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg";

fn main() {
    use Peer::{Curl, MaildirServer, Python};

    let arguments = Arguments::from_args();
    let case = |name: &str, needs: &[Peer], run: fn()| trial(&arguments, name, needs, run);

    let trials = vec![
        case("curl_downloads_every_octet_behind_stls", &[MaildirServer, Curl], curl_downloads_every_octet_behind_stls),
        case(
            "curl_downloads_every_octet_over_implicit_tls",
            &[MaildirServer, Curl],
            curl_downloads_every_octet_over_implicit_tls,
        ),
        case("curl_logs_in_with_each_mechanism", &[MaildirServer, Curl], curl_logs_in_with_each_mechanism),
        case("curl_logs_in_with_apop", &[MaildirServer, Curl], curl_logs_in_with_apop),
        case("curl_is_told_that_a_login_failed", &[MaildirServer, Curl], curl_is_told_that_a_login_failed),
        case(
            "curl_sends_no_password_in_the_clear_where_none_is_taken",
            &[MaildirServer, Curl],
            curl_sends_no_password_in_the_clear_where_none_is_taken,
        ),
        case(
            "poplib_downloads_every_octet_behind_stls",
            &[MaildirServer, Python],
            poplib_downloads_every_octet_behind_stls,
        ),
        case(
            "poplib_downloads_every_octet_over_implicit_tls",
            &[MaildirServer, Python],
            poplib_downloads_every_octet_over_implicit_tls,
        ),
        case("poplib_logs_in_with_apop", &[MaildirServer, Python], poplib_logs_in_with_apop),
        case(
            "octets_in_the_clear_behind_stls_are_never_answered",
            &[MaildirServer],
            octets_in_the_clear_behind_stls_are_never_answered,
        ),
    ];
    libtest_mimic::run(&arguments, trials).exit();
}

// ---- curl

fn curl_downloads_every_octet_behind_stls() {
    let messages = corpus();
    let room = Room::new(Maildir::with(&messages));
    let server = room.serve(&["--trace"]);
    let into = peers::directory(&room.maildir, "curl");

    curl_download(curl(&room).arg("--ssl-reqd"), "pop3", server.address, messages.len(), &into).success();

    same_messages(&as_canonical(&messages), &peers::files(&into));
    let dialogue = server.end();
    let (before, behind) = dialogue.split_once("C: STLS").expect("STLS in the trace");
    assert!(!before.contains("AUTH ") && !before.contains("USER "), "{before}");
    assert!(behind.contains("C: AUTH ") || behind.contains("C: PASS "), "{behind}");
}

fn curl_downloads_every_octet_over_implicit_tls() {
    let messages = corpus();
    let room = Room::new(Maildir::with(&messages));
    let server = room.serve(&["--implicit-tls"]);
    let into = peers::directory(&room.maildir, "curl");

    curl_download(&mut curl(&room), "pop3s", server.address, messages.len(), &into).success();

    same_messages(&as_canonical(&messages), &peers::files(&into));
}

/// Each with the initial response in the AUTH line, and without (RFC 5034 section 4).
fn curl_logs_in_with_each_mechanism() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let token_file = room.file("token");
    std::fs::write(&token_file, format!("{TOKEN}\n")).unwrap();
    let mechanisms = ["PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER", "CRAM-MD5"];
    for mechanism in mechanisms {
        for initial_response in [false, true] {
            let file = token_file.to_str().unwrap();
            let server = room.serve(&["--mechanisms", offer(mechanism), "--cram-md5", "--token-file", file, "--trace"]);
            let into = peers::directory(&room.maildir, &format!("{mechanism}-{initial_response}"));
            let mut command = curl(&room);
            command.args(["--ssl-reqd", "--login-options", &format!("AUTH={mechanism}")]);
            if initial_response {
                command.arg("--sasl-ir");
            }
            if ["XOAUTH2", "OAUTHBEARER"].contains(&mechanism) {
                command.args(["--oauth2-bearer", TOKEN]);
            }
            curl_download(&mut command, "pop3", server.address, messages.len(), &into).success();

            same_messages(&as_canonical(&messages), &peers::files(&into));
            let dialogue = server.end();
            let one_line = initial_response && mechanism != "CRAM-MD5";
            let auth = if one_line { format!("C: AUTH {mechanism} ****\n") } else { format!("C: AUTH {mechanism}\n") };
            assert!(dialogue.contains(&auth), "{auth} is expected in\n{dialogue}");
            assert!(!dialogue.contains(PASSWORD) && !dialogue.contains(TOKEN), "{dialogue}");
        }
    }
}

fn curl_logs_in_with_apop() {
    let messages = few();
    let room = Room::new(Maildir::with(&messages));
    let server = room.serve(&["--implicit-tls", "--apop", "--trace"]);
    let into = peers::directory(&room.maildir, "curl");

    let mut command = curl(&room);
    command.args(["--login-options", "AUTH=+APOP"]);
    curl_download(&mut command, "pop3s", server.address, messages.len(), &into).success();

    same_messages(&as_canonical(&messages), &peers::files(&into));
    let dialogue = server.end();
    assert!(dialogue.contains(&format!("C: APOP {USER} ****\n")), "{dialogue}");
}

fn curl_is_told_that_a_login_failed() {
    let room = Room::new(Maildir::with(&few()));
    let expected: [(_, &[&str]); 6] = [
        ("PLAIN", &["[AUTH] wrong name or password"]),
        ("LOGIN", &["[AUTH] wrong name or password"]),
        ("CRAM-MD5", &["[AUTH] wrong name or password"]),
        // curl does not wait for more than the reason, which comes as a challenge.
        ("XOAUTH2", &[]),
        ("OAUTHBEARER", &["[AUTH] the token is not accepted"]),
        ("EXTERNAL", &["[AUTH] no certificate of yours was asked for, so it proves nothing"]),
    ];
    for (mechanism, expected) in expected {
        let server = room.serve(&["--mechanisms", offer(mechanism), "--cram-md5", "--trace"]);
        let mut command = curl(&room);
        command.args(["--ssl-reqd", "--login-options", &format!("AUTH={mechanism}")]);
        match mechanism {
            "XOAUTH2" | "OAUTHBEARER" => command.args(["--oauth2-bearer", "stale"]),
            // curl takes EXTERNAL only where it has no password.
            "EXTERNAL" => command.args(["--user", &format!("{USER}:")]),
            _ => command.args(["--user", &format!("{USER}:wrong")]),
        };
        let ran = peers::run(command.arg(format!("pop3://{}/", server.address))).failure();
        // "67: The user name, password, or similar was not accepted and curl failed to log in."
        assert_eq!(ran.status.code(), Some(67), "{mechanism}: {}", ran.stderr);

        let dialogue = server.end();
        let refusals: Vec<_> = dialogue.lines().filter_map(|line| Some(line.split_once("S: -ERR ")?.1)).collect();
        assert!(dialogue.contains(&format!("C: AUTH {mechanism}\n")), "{dialogue}");
        assert_eq!(refusals, expected, "{dialogue}");
        assert!(!dialogue.contains("S: +OK maildrop"), "{dialogue}");
    }
}

/// curl takes OAUTHBEARER where it has a choice between the two with a token, whatever it is told.
fn offer(mechanism: &str) -> &str {
    match mechanism {
        "XOAUTH2" | "EXTERNAL" => mechanism,
        _ => "PLAIN,LOGIN,OAUTHBEARER",
    }
}

/// Nothing tempts a client to say a password before STLS: the capability list names neither USER nor SASL.
fn curl_sends_no_password_in_the_clear_where_none_is_taken() {
    let room = Room::new(Maildir::with(&few()));
    let server = room.serve(&["--trace"]);
    peers::run(curl(&room).arg(format!("pop3://{}/", server.address))).failure();
    let dialogue = server.end();
    assert!(dialogue.contains("C: CAPA\n") && dialogue.contains("S: STLS\n"), "{dialogue}");
    for word in ["C: USER", "C: PASS", "C: AUTH ", "C: APOP", "S: USER", "S: SASL"] {
        assert!(!dialogue.contains(word), "{word} in\n{dialogue}");
    }
}

/// curl with the user, and with what makes it trust the server.
fn curl(room: &Room) -> Command {
    let mut command = peers::curl_command();
    command.arg("--cacert").arg(room.file("authority.pem"));
    command
}

/// Downloads messages 1 to `count` in one session into `into`/1, `into`/2, ...
#[track_caller]
fn curl_download(command: &mut Command, scheme: &str, server: SocketAddr, count: usize, into: &Path) -> Ran {
    let url = format!("{scheme}://{server}/[1-{count}]");
    peers::run(command.arg(url).arg("--output").arg(format!("{}/#1", into.display())))
}

// ---- poplib

fn poplib_downloads_every_octet_behind_stls() {
    let dialogue = poplib_downloads(&[], &["--tls", "stls"]);
    let (before, behind) = dialogue.split_once("C: STLS").expect("STLS in the trace");
    assert!(!before.contains("C: USER") && behind.contains("C: PASS ****\n"), "{dialogue}");
}

fn poplib_downloads_every_octet_over_implicit_tls() {
    let dialogue = poplib_downloads(&["--implicit-tls"], &["--tls", "implicit"]);
    assert!(dialogue.contains("C: PASS ****\n"), "{dialogue}");
}

fn poplib_logs_in_with_apop() {
    let apop = format!("C: APOP {USER} ****\n");
    let dialogue = poplib_downloads(&["--implicit-tls", "--apop"], &["--tls", "implicit", "--apop"]);
    assert!(dialogue.contains(&apop) && !dialogue.contains("C: PASS"), "{dialogue}");
    let dialogue = poplib_downloads(&["--allow-cleartext", "--apop"], &["--apop"]);
    assert!(dialogue.contains(&apop) && !dialogue.contains("C: PASS"), "{dialogue}");
}

/// The server with options, poplib with options; the dialogue.
fn poplib_downloads(server_options: &[&str], options: &[&str]) -> String {
    let messages = corpus();
    let room = Room::new(Maildir::with(&messages));
    let server = room.serve(&[server_options, &["--trace"]].concat());
    let into = peers::directory(&room.maildir, "poplib");
    let authority = room.file("authority.pem");
    let options = [options, &["--authority", authority.to_str().unwrap()]].concat();

    let announced = peers::poplib_with(&room.maildir, server.address, &into, &options);

    let files = peers::files(&into);
    same_messages(&as_canonical(&messages), &files);
    for ((octets, unique_id), (name, content)) in announced.iter().zip(&files) {
        assert_eq!(*octets, content.len() as u64, "message {name}, {unique_id}");
    }
    server.end()
}

// ---- in between

/// What follows STLS in the clear was put there by somebody on the way. At every place the octets are cut in two: those
/// before it come in the same write as STLS, the others once its answer is there. Then the client begins the handshake as if
/// nothing had been.
fn octets_in_the_clear_behind_stls_are_never_answered() {
    let mut maildir = Maildir::new();
    maildir.deliver(b"Subject: still here\n\n.\n");
    let room = Room::new(maildir);
    let server = room.serve(&["--allow-cleartext", "--apop"]);

    let session = format!("USER {USER}\r\nPASS {PASSWORD}\r\nDELE 1\r\nQUIT\r\n");
    for injected in ["X", "\n", "\0", "CA", "CAPA\r\n", "QUIT\r\nCAPA\r\n", "STLS\r\nSTLS\r\n", &session] {
        for cut in 0..=injected.len() {
            inject(&room, &server, b"STLS\r\n", injected.as_bytes(), cut);
        }
    }
    // A driver that reads 4096 octets at once finds STLS at the end of what it has, and does not see that more came.
    let mut filled = [&b"CAPA\r\n".repeat(681)[..], b"XX\r\n"].concat();
    filled.extend_from_slice(b"STLS\r\n");
    assert_eq!(filled.len(), 4096);
    for cut in [1, 6, session.len()] {
        inject(&room, &server, &filled, session.as_bytes(), cut);
    }

    // Somebody who injects nothing is served.
    let mut tls = room.behind_stls(server.address);
    tls.write_all(b"CAPA\r\n").unwrap();
    assert_eq!(status(&mut tls), "+OK capability list follows\r\n");
    assert_eq!(room.maildir.count(), 1);
}

#[track_caller]
fn inject(room: &Room, server: &MaildirServer, before: &[u8], injected: &[u8], cut: usize) {
    let context = format!("{:?} cut at {cut}", injected.escape_ascii().to_string());
    let (same, later) = injected.split_at(cut);
    let mut clear = connect(server.address);
    clear.get_mut().write_all(&[before, same].concat()).unwrap();
    let mut line = String::new();
    while line != "+OK begin TLS negotiation\r\n" {
        line.clear();
        assert!(clear.read_line(&mut line).unwrap() > 0, "{context}: closed before STLS was answered");
    }

    // From here on the server may close or reset the connection at any moment. What comes until then is what counts.
    let mut came = clear.buffer().to_vec();
    let mut stream = clear.into_inner();
    let mut handshake = Vec::new();
    let mut client = room.client();
    client.write_tls(&mut handshake).unwrap();
    let _ = stream.write_all(later).and_then(|()| stream.write_all(&handshake));
    let ended = stream.read_to_end(&mut came);

    let timed_out =
        ended.is_err_and(|error| matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut));
    assert!(!timed_out, "{context}: the session goes on");
    // An alert of TLS may come, and nothing else: no answer, no `ServerHello`.
    const ALERT: u8 = 21;
    assert!(came.first().is_none_or(|&kind| kind == ALERT), "{context}: {}", came.escape_ascii());
    assert!(!came.windows(3).any(|octets| octets == b"+OK" || octets == b"-ER"), "{context}: {}", came.escape_ascii());
    assert_eq!(room.maildir.count(), 1, "{context}");
}

// ---- the rest

/// The whole corpus but for the message of no octets: curl 7.88 makes a blank line of it.
fn corpus() -> Vec<Message> {
    let mut messages = corpus::corpus();
    messages.retain(|message| !message.canonical.is_empty());
    messages
}

fn few() -> Vec<Message> {
    corpus().into_iter().take(3).collect()
}

fn as_canonical(messages: &[Message]) -> Vec<(&str, &[u8])> {
    messages.iter().map(|message| (message.name, message.canonical.as_slice())).collect()
}
