//! The example `fetch` as a program, against a scripted server: STLS where somebody is on the way, the order in which logins are
//! tried, and what is said about those that fail. (Everything else: `fetch.rs`. With TLS: `interop_dovecot_tls.rs`.)

#[allow(dead_code, reason = "shared with fetch.rs")]
#[path = "fetch/program.rs"]
mod program;
#[allow(dead_code, reason = "shared with fetch.rs")]
#[path = "fetch/scripted.rs"]
mod scripted;

use program::{Ran, Room, example, run};
use scripted::{Mail, PASSWORD, PLAIN, Script, Session, Stls, USER, mail};
use std::fs;
use std::process::Command;

const STLS: &[&str] = &["TOP", "UIDL", "USER", "SASL PLAIN LOGIN", "STLS"];
const SASL: &[&str] = &["TOP", "UIDL", "USER", "SASL PLAIN LOGIN ANONYMOUS"];

fn one() -> Vec<Mail> {
    vec![mail("a", "Subject: one\r\n\r\n1\r\n")]
}

fn room() -> Room {
    let room = Room::new();
    // An authority must be given, for the system may have none; who it is does not matter where no handshake gets that far.
    let authority = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    fs::write(room.path("authority.pem"), authority.cert.pem()).unwrap();
    room
}

/// A run that must come to no session, and what the server saw of it.
#[track_caller]
fn refuses(script: Script, options: &[&str]) -> (Ran, Session) {
    let room = room();
    let server = script.start();
    let authority = room.path("authority.pem");
    let all = [&["--user", USER, "--ca", authority.to_str().unwrap()], options].concat();
    let ran = room.run(&all, &server.address.to_string());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(room.files().is_empty());
    (ran, server.session())
}

#[track_caller]
fn nothing_secret(session: &Session) {
    assert!(!["USER", "PASS", "AUTH", "APOP"].iter().any(|command| session.has(command)), "{:?}", session.log);
    let raw = session.raw.escape_ascii().to_string();
    assert!(![USER, PASSWORD, "PASS", "AUTH"].iter().any(|secret| raw.contains(secret)), "{raw}");
}

// ---- STLS, and somebody on the way

/// P1: whatever stands behind the `+OK` to STLS in the clear was put there by somebody else.
#[test]
fn octets_in_the_clear_behind_the_ok_to_stls_end_the_session() {
    for behind in [
        "+OK\r\n.\r\n",
        "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n+OK\r\n",
        "-ERR [AUTH] no\r\n",
        "+",
        "\r\n",
        "\n",
        "\0",
        ".",
    ] {
        for options in [&["--stls"][..], &[], &["--allow-cleartext"]] {
            let stls = Stls::AndBehind(behind.as_bytes());
            let (ran, session) =
                refuses(Script { stls, capabilities: Some([STLS, STLS]), ..Script::new(one()) }, options);
            assert!(ran.stderr.contains("in the clear between STLS and the TLS handshake"), "{behind:?}: {ran:?}");
            assert_eq!(session.log, ["CAPA", "STLS"], "{behind:?}");
            assert!(session.raw.is_empty(), "not one octet more: {}", session.raw.escape_ascii());
        }
    }
}

/// In a later packet they meet TLS, which takes nothing that is not its own.
#[test]
fn octets_in_the_clear_instead_of_the_handshake_end_the_session() {
    for later in ["+OK\r\n.\r\n", "+OK\r\nUSER\r\nSASL PLAIN\r\n.\r\n+OK\r\n", "-ERR [AUTH] no\r\n"] {
        for options in [&["--stls"][..], &[], &["--allow-cleartext"], &["--stls", "--auth", "plain,apop,userpass"]] {
            let stls = Stls::AndLater(later.as_bytes());
            let (ran, session) =
                refuses(Script { stls, capabilities: Some([STLS, STLS]), ..Script::new(one()) }, options);
            assert!(ran.stderr.contains("TLS cannot begin"), "{later:?}: {ran:?}");
            assert_eq!(session.log, ["CAPA", "STLS"]);
            assert_eq!(session.raw.first(), Some(&0x16), "a handshake was begun");
            nothing_secret(&session);
        }
    }
}

#[test]
fn a_handshake_that_the_server_never_begins_is_given_up() {
    let script = Script { stls: Stls::AndLater(b""), capabilities: Some([STLS, STLS]), ..Script::new(one()) };
    let (ran, session) = refuses(script, &["--stls", "--timeout", "1"]);
    assert!(ran.stderr.contains("nothing came for 1 seconds before the TLS handshake was done"), "{ran:?}");
    nothing_secret(&session);
}

/// P5: no way leads from TLS that is wanted to a login without it.
#[test]
fn where_stls_is_not_to_be_had_nothing_secret_is_sent() {
    let greeting = "+OK ready <1896.697170952@dbc.mtview.ca.us>";
    for options in [&["--stls"][..], &[], &["--stls", "--auth", "plain,apop,userpass,anonymous"], &["--insecure"]] {
        for (capabilities, log, words) in [
            (Some([SASL, SASL]), &["CAPA", "QUIT"][..], "the server has no STLS"),
            (Some([STLS, STLS]), &["CAPA", "STLS", "QUIT"], "not today"),
            // Without a capability list, to ask is the only way to find out.
            (None, &["CAPA", "STLS", "QUIT"], "not today"),
        ] {
            let script = Script { greeting, capabilities, ..Script::new(one()) };
            let (ran, session) = match options {
                ["--insecure"] => refuses_without_authority(script),
                options => refuses(script, options),
            };
            assert!(ran.stderr.contains(words) && ran.stderr.contains("--allow-cleartext"), "{ran:?}");
            assert_eq!(session.log, log);
            nothing_secret(&session);
        }
    }
}

fn refuses_without_authority(script: Script) -> (Ran, Session) {
    let (room, server) = (Room::new(), script.start());
    let ran = room.run(&["--user", USER, "--insecure"], &server.address.to_string());
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains("nobody checks whose certificate it is"), "{ran:?}");
    (ran, server.session())
}

#[test]
fn with_leave_a_login_in_the_clear_comes_behind_the_refusal_of_stls() {
    let room = room();
    let server = Script { capabilities: Some([&["USER", "UIDL", "STLS"], PLAIN]), ..Script::new(one()) }.start();
    let ran = room.fetch(server.address, &[]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert_eq!(server.session().log[..4], ["CAPA", "STLS", "USER mrose", "PASS tanstaaf"]);
}

#[test]
fn tls_from_the_first_octet_with_a_server_that_speaks_in_the_clear_comes_to_nothing() {
    let (ran, session) = refuses(Script::new(one()), &["--tls"]);
    assert!(ran.stderr.contains("TLS cannot begin"), "{ran:?}");
    assert!(session.log.is_empty(), "{:?}", session.log);
    nothing_secret(&session);
}

#[test]
fn a_port_that_speaks_tls_from_the_first_octet_is_told() {
    let (ran, session) = refuses(Script { greeting: "\x15\x03\x03\0\x02\x02\x46", ..Script::new(one()) }, &["--stls"]);
    assert!(ran.stderr.contains("speaks TLS from the first octet"), "{ran:?}");
    nothing_secret(&session);
}

// ---- which login, and what its failure means

/// A login that fails, in the clear: what is said, and what the server saw.
#[track_caller]
fn login_fails(answer: &'static str, options: &[&str]) -> (String, Vec<String>) {
    let room = Room::new();
    let server = Script { login_gets: Some(answer), capabilities: Some([SASL, SASL]), ..Script::new(one()) }.start();
    let ran = room.fetch(server.address, options);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(!ran.stderr.contains(PASSWORD), "{ran:?}");
    (ran.stderr, server.session().log)
}

const PLAIN_LINE: &str = "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm";

#[test]
fn a_refusal_that_gives_its_reason_ends_the_login_and_only_auth_speaks_of_the_password() {
    for (answer, words) in [
        ("-ERR [AUTH] no", "the name or the password is wrong"),
        ("-ERR [IN-USE] somebody is in it", "another session has the maildrop"),
        ("-ERR [LOGIN-DELAY] not so fast", "it is too soon after the last login"),
        ("-ERR [SYS/TEMP] the disk is full", "it will pass: try again later"),
        ("-ERR [SYS/PERM] the disk is gone", "somebody has to look after the server"),
    ] {
        let (said, log) = login_fails(answer, &[]);
        assert!(said.contains(words), "{answer}: {said}");
        assert!(said.contains("the server refuses AUTH PLAIN; it says: "), "{said}");
        assert_eq!(said.contains("wrong"), answer.contains("[AUTH]"), "{said}");
        assert_eq!(log, ["CAPA", PLAIN_LINE, "QUIT"], "{answer}");
    }
}

#[test]
fn a_refusal_without_a_reason_leads_to_the_next_way_that_is_allowed() {
    let (said, log) = login_fails("-ERR no", &[]);
    assert_eq!(log, ["CAPA", PLAIN_LINE, "AUTH LOGIN", "USER mrose", "PASS tanstaaf", "QUIT"]);
    for way in ["AUTH PLAIN", "AUTH LOGIN", "PASS"] {
        assert!(said.contains(&format!("the server refuses {way}; it says: no")), "{said}");
    }
    assert!(!said.contains("wrong"), "nobody said so: {said}");

    // And to no other (P8).
    let (_, log) = login_fails("-ERR no", &["--auth", "login,plain"]);
    assert_eq!(log, ["CAPA", "AUTH LOGIN", PLAIN_LINE, "QUIT"]);
    let (_, log) = login_fails("-ERR no", &["--auth", "userpass"]);
    assert_eq!(log, ["CAPA", "USER mrose", "PASS tanstaaf", "QUIT"]);
}

#[test]
fn a_way_that_the_server_does_not_announce_is_not_tried() {
    let (said, log) = login_fails("+OK", &["--auth", "external,apop"]);
    assert!(said.contains("no login that is allowed here: AUTH EXTERNAL, APOP"), "{said}");
    assert!(said.contains("it announces AUTH with PLAIN LOGIN ANONYMOUS") && said.contains("timestamp"), "{said}");
    assert_eq!(log, ["CAPA", "QUIT"]);
}

#[test]
fn anonymous_needs_neither_name_nor_password() {
    let room = Room::new();
    let server = Script { login_gets: Some("+OK"), capabilities: Some([SASL, SASL]), ..Script::new(one()) }.start();
    let mut fetch = Command::new(example("fetch"));
    fetch.args(["--allow-cleartext", "--auth", "anonymous", "--timeout", "20", &server.address.to_string()]);
    let ran = run(fetch.arg(room.mail()));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    // The empty response is written as "=" (RFC 5034 section 4).
    assert_eq!(server.session().log[..2], ["CAPA", "AUTH ANONYMOUS ="]);
    assert_eq!(room.files().len(), 1);
}

// ---- the trace

#[test]
fn the_trace_shows_what_the_machine_stumbles_over() {
    let stls = Stls::AndBehind(b"+OK and you are in\r\n");
    let script = Script { stls, capabilities: Some([STLS, STLS]), ..Script::new(one()) };
    let (ran, _) = refuses(script, &["--stls", "--trace"]);
    assert!(ran.stderr.contains("C: STLS\nS: +OK begin TLS negotiation\nS: +OK and you are in\nfetch: "), "{ran:?}");
}

#[test]
fn the_trace_shows_the_dialogue_without_credentials_and_without_mail() {
    for (options, line) in
        [(&["--auth", "userpass"][..], "C: PASS ****\n"), (&["--auth", "plain"], "C: AUTH PLAIN ****\n")]
    {
        let room = Room::new();
        let login_gets = Some("+OK in");
        let script = Script { login_gets, capabilities: Some([SASL, SASL]), ..Script::new(one()) };
        let server = script.start();
        let ran = room.fetch(server.address, &[options, &["--trace"]].concat());
        assert_eq!(ran.code, Some(0), "{ran:?}");
        let dialogue = &ran.stderr;
        assert!(dialogue.starts_with("S: +OK ready\nC: CAPA\nS: +OK\nS: TOP\n"), "{dialogue}");
        assert!(dialogue.contains(line), "{dialogue}");
        assert!(dialogue.contains("C: RETR 1\nS: +OK 19 octets\nS: (19 octets of message text)\nS: .\n"), "{dialogue}");
        assert!(dialogue.ends_with("C: QUIT\nS: +OK bye\n"), "{dialogue}");
        for hidden in [PASSWORD, "AG1yb3NlAHRhbnN0YWFm", "Subject"] {
            assert!(!dialogue.contains(hidden), "{hidden}: {dialogue}");
        }
    }
}

// ---- arguments

#[test]
fn arguments_about_tls_and_login_that_cannot_be_used_are_refused_before_anything_is_sent() {
    let room = room();
    fs::write(room.path("empty"), "\n").unwrap();
    fs::write(room.path("token"), "two words\x01\n").unwrap();
    let [empty, missing, token, authority] =
        ["empty", "missing", "token", "authority.pem"].map(|name| room.path(name).to_str().unwrap().to_owned());
    for (options, words) in [
        (&["--stls", "--allow-cleartext"][..], "--allow-cleartext"),
        (&["--tls", "--allow-cleartext"], "--allow-cleartext"),
        (&["--tls", "--stls"], "--stls"),
        (&["--insecure", "--ca", &authority], "--ca"),
        (&["--ca", &empty], "no certificate"),
        (&["--ca", &missing], "missing"),
        (&["--client-cert", &authority], "--client-key"),
        (&["--client-cert", &authority, "--client-key", &empty], "empty"),
        (&["--apop", "--auth", "plain"], "--auth"),
        (&["--auth", "kerberos"], "kerberos"),
        (&["--auth", "xoauth2"], "AUTH XOAUTH2 needs a token: say --token-file"),
        (&["--auth", "oauthbearer", "--token-file", &empty], "token"),
        (&["--auth", "oauthbearer", "--token-file", &token], "AUTH OAUTHBEARER cannot carry"),
        (&["--initial-response", "maybe"], "maybe"),
    ] {
        let ran = room.run(&[&["--user", "a"], options].concat(), "127.0.0.1:9");
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(words), "{words}: {ran:?}");
    }
    let ran = run(Command::new(example("fetch")).args(["--user", "a", "127.0.0.1:9", "mail"]));
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("AUTH PLAIN needs a password: say --password-file"), "{ran:?}");
}
