//! The example `maildir_server` over loopback: the dialogues of SASL (RFC 5034), and what its response codes tell (RFC 2449
//! section 8, RFC 3206).

mod support;

use std::fs;
use std::io::BufReader;
use std::net::TcpStream;
use std::thread;

use base64ct::{Base64, Encoding as _};
use md5::{Digest as _, Md5};

use support::maildir::Maildir;
use support::peers::MaildirServer;
use support::tls::{Line, Room, ask, capabilities, connect, rest, status};

const IN: &str = "+OK maildrop locked and ready";
const WRONG: &str = "-ERR [AUTH] wrong name or password";
const EVERY: &str = "PLAIN,LOGIN,EXTERNAL,ANONYMOUS,XOAUTH2,OAUTHBEARER";

#[test]
fn each_mechanism_opens_the_maildrop_with_an_initial_response_and_without() {
    let room = room();
    let server = serve(&room);
    let xoauth2 = "user=mrose\x01auth=Bearer ya29.token\x01\x01";
    let named = "n,a=mrose,\x01host=localhost\x01port=110\x01auth=Bearer ya29.token\x01\x01";
    let unnamed = "n,,\x01auth=bearer ya29.token\x01\x01";
    let username = format!("+ {}", base64("Username:"));
    let password = format!("+ {}", base64("Password:"));
    for (mechanism, challenge, response) in [
        ("PLAIN", "+ ", "\0mrose\0tan staaf"),
        ("plain", "+ ", "mrose\0mrose\0tan staaf"),
        ("XOAUTH2", "+ ", xoauth2),
        ("OAUTHBEARER", "+ ", named),
        ("OAUTHBEARER", "+ ", unnamed),
        ("LOGIN", &username, "mrose"),
    ] {
        for initial in [false, true] {
            let mut line = open(&server);
            let mut answer = if initial {
                ask(&mut line, &format!("AUTH {mechanism} {}", base64(response)))
            } else {
                assert_eq!(ask(&mut line, &format!("AUTH {mechanism}")), challenge);
                ask(&mut line, &base64(response))
            };
            if mechanism == "LOGIN" {
                assert_eq!(answer, password);
                answer = ask(&mut line, &base64("tan staaf"));
            }
            assert_eq!(answer, IN, "{mechanism}, {initial}");
            assert_eq!(ask(&mut line, "STAT"), "+OK 1 3");
            assert_eq!(ask(&mut line, "AUTH PLAIN"), "-ERR not permitted in this state");
            assert_eq!(ask(&mut line, "QUIT"), "+OK POP3 server signing off");
        }
    }
}

/// RFC 3206 section 6, whatever the mechanism: the client may ask its user for another password.
#[test]
fn every_login_that_fails_for_its_credentials_carries_auth() {
    let room = room();
    let server = serve(&room);
    let (colleague, guess) = (base64("\0colleague\0tan staaf"), base64("\0mrose\0guess"));
    let act_as = base64("postmaster\0mrose\0tan staaf");
    let anonymous = base64("a visitor");
    let attempts: [(&[&str], &str); 9] = [
        (&["USER mrose", "PASS tanstaaf"], WRONG),
        (&["USER colleague", "PASS tan staaf"], WRONG),
        (&["AUTH PLAIN", &colleague], WRONG),
        (&["AUTH PLAIN", &guess], WRONG),
        (&["AUTH PLAIN", &act_as], "-ERR [AUTH] nobody may act as somebody else here"),
        (&["AUTH LOGIN", "bXJvc2U=", "Z3Vlc3M="], WRONG),
        (&["AUTH CRAM-MD5", "bXJvc2UgMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA="], WRONG),
        (&["AUTH EXTERNAL ="], "-ERR [AUTH] no certificate of yours was asked for, so it proves nothing"),
        (&["AUTH ANONYMOUS", &anonymous], "-ERR [AUTH] there is no maildrop for anonymous users"),
    ];
    thread::scope(|scope| {
        for (lines, refusal) in attempts {
            let server = &server;
            scope.spawn(move || {
                let mut line = open(server);
                let answers: Vec<_> = lines.iter().map(|command| ask(&mut line, command)).collect();
                assert_eq!(answers.last().unwrap(), refusal, "{lines:?}: {answers:?}");
                assert_eq!(ask(&mut line, "STAT"), "-ERR not permitted in this state");
            });
        }
    });
}

/// RFC 7628 section 3.2.3: "the server sends an error challenge", the client answers it, and then the exchange fails.
#[test]
fn a_bearer_token_is_refused_with_the_reason_first() {
    let room = room();
    let with_token = serve(&room);
    let without = MaildirServer::start_with(&room.maildir, &["--allow-cleartext", "--mechanisms", EVERY]);
    let reason = format!("+ {}", base64(r#"{"status":"invalid_token"}"#));
    for (server, name, token) in
        [(&with_token, "mrose", "stale"), (&with_token, "colleague", "ya29.token"), (&without, "mrose", "ya29.token")]
    {
        for (mechanism, message) in [
            ("XOAUTH2", format!("user={name}\x01auth=Bearer {token}\x01\x01")),
            ("OAUTHBEARER", format!("n,a={name},\x01auth=Bearer {token}\x01\x01")),
        ] {
            let mut line = open(server);
            assert_eq!(ask(&mut line, &format!("AUTH {mechanism} {}", base64(&message))), reason, "{name} {token}");
            assert_eq!(ask(&mut line, "AQ=="), "-ERR [AUTH] the token is not accepted");
            assert_eq!(ask(&mut line, "STAT"), "-ERR not permitted in this state");
        }
    }
}

/// Some clients cancel then, or answer with the octet 1 as it is: the token was refused all the same.
#[test]
fn a_bearer_token_that_was_refused_is_a_failed_login_whatever_the_client_says_to_it() {
    let room = room();
    let server = serve(&room);
    for answer in ["*", "\x01", "no base64"] {
        let mut line = open(&server);
        for _ in 0..3 {
            let message = base64("user=mrose\x01auth=Bearer stale\x01\x01");
            assert!(ask(&mut line, &format!("AUTH XOAUTH2 {message}")).starts_with("+ "), "{answer:?}");
            let refusal = ask(&mut line, answer);
            assert!(refusal.starts_with("-ERR [AUTH] "), "{answer:?}: {refusal}");
        }
        // Three are one guesser's share.
        assert_eq!(rest(&mut line), "", "{answer:?}");
    }
}

#[test]
fn cram_md5_takes_the_digest_of_this_challenge_and_of_no_other() {
    // The example of RFC 2195, to know that the digest below is the right one.
    let example = "<1896.697170952@postoffice.reston.mci.net>";
    assert_eq!(cram_md5("tim", "tanstaaftanstaaf", example), "tim b913a602c7eda7a495b4e6e7334d3890");

    let room = room();
    let server = serve(&room);
    let mut line = open(&server);
    let first = challenge(&mut line);
    assert!(first.starts_with('<') && first.ends_with('>') && first.contains('@'), "{first}");
    assert_eq!(ask(&mut line, &base64(&cram_md5("mrose", "guess", &first))), WRONG);
    // What was overheard is worth nothing in a later attempt.
    let overheard = cram_md5("mrose", "tan staaf", &first);
    assert_ne!(challenge(&mut line), first);
    assert_eq!(ask(&mut line, &base64(&overheard)), WRONG);
    let third = challenge(&mut line);
    assert_eq!(ask(&mut line, &base64(&cram_md5("mrose", "tan staaf", &third))), IN);

    let mut line = open(&server);
    let initial = base64(&overheard);
    assert_eq!(
        ask(&mut line, &format!("AUTH CRAM-MD5 {initial}")),
        "-ERR [AUTH] in this mechanism the server speaks first"
    );
}

#[test]
fn cram_md5_is_there_on_request_only() {
    let room = room();
    let server = MaildirServer::start_with(&room.maildir, &["--allow-cleartext"]);
    let mut line = open(&server);
    assert_eq!(sasl(&capabilities(&mut line)), Some("SASL PLAIN LOGIN"));
    assert_eq!(ask(&mut line, "AUTH CRAM-MD5"), "-ERR not implemented");
    assert_eq!(ask(&mut line, "AUTH XOAUTH2"), "-ERR not implemented");
}

#[test]
fn mechanisms_are_those_that_were_asked_for() {
    let room = room();
    for (options, announced) in [
        (&["--mechanisms", "none"][..], None),
        (&["--mechanisms", "none", "--cram-md5"], Some("SASL CRAM-MD5")),
        (&["--mechanisms", "login"], Some("SASL LOGIN")),
        (
            &["--mechanisms", EVERY, "--cram-md5"],
            Some("SASL PLAIN LOGIN EXTERNAL ANONYMOUS XOAUTH2 OAUTHBEARER CRAM-MD5"),
        ),
    ] {
        let server = MaildirServer::start_with(&room.maildir, &[options, &["--allow-cleartext"]].concat());
        assert_eq!(sasl(&capabilities(&mut open(&server))), announced, "{options:?}");
    }
}

/// P5: without TLS there is no way to say a password, and none is announced.
#[test]
fn no_login_is_offered_or_taken_before_tls() {
    let room = room();
    let server = room.serve(&["--mechanisms", EVERY, "--cram-md5", "--apop"]);
    let mut clear = connect(server.address);
    assert_eq!(status(&mut clear), "+OK POP3 server ready\r\n", "and no timestamp");
    let before = capabilities(&mut clear);
    assert!(!before.iter().any(|row| row == "USER") && sasl(&before).is_none(), "{before:?}");
    for command in [
        "USER mrose",
        "PASS tan staaf",
        "AUTH PLAIN",
        "AUTH PLAIN AG1yb3NlAHRhbiBzdGFhZg==",
        "AUTH LOGIN",
        "AUTH CRAM-MD5",
        "AUTH XOAUTH2",
        "AUTH EXTERNAL =",
    ] {
        assert_eq!(ask(&mut clear, command), "-ERR begin TLS first", "{command}");
    }
    assert_eq!(ask(&mut clear, "APOP mrose 00000000000000000000000000000000"), "-ERR begin TLS first");
    assert_eq!(ask(&mut clear, "STAT"), "-ERR not permitted in this state");

    assert_eq!(ask(&mut clear, "STLS"), "+OK begin TLS negotiation");
    let mut tls = room.handshake(clear).unwrap();
    let behind = capabilities(&mut tls);
    assert!(behind.iter().any(|row| row == "USER") && sasl(&behind).is_some(), "{behind:?}");
    assert_eq!(ask(&mut tls, "AUTH PLAIN AG1yb3NlAHRhbiBzdGFhZg=="), IN);
    // RFC 2449 section 5: what depends on the state only goes away where the RFC says so, and SASL and USER stay.
    let inside = capabilities(&mut tls);
    assert!(inside.iter().any(|row| row == "USER") && sasl(&inside).is_some(), "{inside:?}");
}

#[test]
fn a_cancelled_exchange_leaves_room_for_another() {
    let room = room();
    let server = serve(&room);
    for mechanism in ["PLAIN", "LOGIN", "CRAM-MD5", "XOAUTH2"] {
        let mut line = open(&server);
        assert!(ask(&mut line, &format!("AUTH {mechanism}")).starts_with("+ "));
        assert!(ask(&mut line, "*").starts_with("-ERR"), "{mechanism}");
        assert!(ask(&mut line, &format!("AUTH {mechanism}")).starts_with("+ "));
        assert_eq!(ask(&mut line, "not base64"), "-ERR not base64");
        assert_eq!(ask(&mut line, "AUTH PLAIN AG1yb3NlAHRhbiBzdGFhZg=="), IN);
        assert_eq!(ask(&mut line, "QUIT"), "+OK POP3 server signing off");
    }
}

/// The last one too is refused by the machine alone, and counts.
#[test]
fn three_failed_exchanges_end_the_session() {
    let room = room();
    let server = serve(&room);
    let mut line = open(&server);
    assert_eq!(ask(&mut line, "AUTH PLAIN AG1yb3NlAGd1ZXNz"), WRONG);
    assert!(ask(&mut line, "AUTH LOGIN").starts_with("+ "));
    assert!(ask(&mut line, "*").starts_with("-ERR"));
    let message = base64("user=mrose\x01auth=Bearer stale\x01\x01");
    assert!(ask(&mut line, &format!("AUTH XOAUTH2 {message}")).starts_with("+ "));
    line.write_all(b"\r\n").unwrap();
    assert_eq!(rest(&mut line), "-ERR [AUTH] the token is not accepted\r\n");
}

/// RFC 2449 section 8.1.2 and RFC 3206 section 4: the password is right, and asking for another one would be wrong.
#[test]
fn a_maildrop_that_is_locked_or_cannot_be_read_is_not_blamed_on_the_credentials() {
    let room = room();
    let server = serve(&room);
    let login = |line: &mut _| ask(line, "AUTH PLAIN AG1yb3NlAHRhbiBzdGFhZg==");
    let in_use = "-ERR [IN-USE] maildrop already locked";
    let temporary = "-ERR [SYS/TEMP] maildrop not available";

    let mut holder = open(&server);
    assert_eq!(login(&mut holder), IN);
    // More often than a guesser may: it is not the client's fault, and does not end its session.
    let mut line = open(&server);
    for _ in 0..4 {
        assert_eq!(login(&mut line), in_use);
    }
    assert_eq!(ask(&mut line, "USER mrose"), "+OK send PASS");
    assert_eq!(ask(&mut line, "PASS tan staaf"), in_use);
    assert_eq!(ask(&mut holder, "QUIT"), "+OK POP3 server signing off");

    let (new, away) = (room.maildir.path().join("new"), room.maildir.path().join("away"));
    fs::rename(&new, &away).unwrap();
    assert_eq!(login(&mut line), temporary);
    assert_eq!(ask(&mut line, "USER mrose"), "+OK send PASS");
    assert_eq!(ask(&mut line, "PASS tan staaf"), temporary);
    fs::rename(&away, &new).unwrap();
    assert_eq!(login(&mut line), IN);
}

/// A maildrop with the message `.`, and a token.
fn room() -> Room {
    let mut maildir = Maildir::new();
    maildir.deliver(b".");
    let room = Room::new(maildir);
    fs::write(room.file("token"), "ya29.token\n").unwrap();
    room
}

/// All mechanisms, in the clear.
fn serve(room: &Room) -> MaildirServer {
    let token = room.file("token");
    let token = ["--token-file", token.to_str().unwrap()];
    MaildirServer::start_with(
        &room.maildir,
        &[&["--allow-cleartext", "--mechanisms", EVERY, "--cram-md5"][..], &token].concat(),
    )
}

#[track_caller]
fn open(server: &MaildirServer) -> BufReader<TcpStream> {
    let mut line = connect(server.address);
    assert_eq!(status(&mut line), "+OK POP3 server ready\r\n");
    line
}

/// Begins CRAM-MD5; the challenge.
#[track_caller]
fn challenge(line: &mut impl Line) -> String {
    let challenge = ask(line, "AUTH CRAM-MD5");
    let challenge = Base64::decode_vec(challenge.strip_prefix("+ ").unwrap()).unwrap();
    String::from_utf8(challenge).unwrap()
}

fn sasl(capabilities: &[String]) -> Option<&str> {
    capabilities.iter().map(String::as_str).find(|row| row.starts_with("SASL"))
}

fn base64(text: &str) -> String {
    Base64::encode_string(text.as_bytes())
}

/// `MD5((tanstaaf XOR opad), MD5((tanstaaf XOR ipad), challenge))` (RFC 2195 section 2), for secrets of up to 64 octets.
fn cram_md5(name: &str, secret: &str, challenge: &str) -> String {
    let pad = |octet: u8| -> Vec<u8> {
        let secret = secret.bytes().chain(std::iter::repeat(0)).take(64);
        secret.map(|key| key ^ octet).collect()
    };
    let inner = Md5::new().chain_update(pad(0x36)).chain_update(challenge).finalize();
    let outer = Md5::new().chain_update(pad(0x5c)).chain_update(inner).finalize();
    let digits: String = outer.iter().map(|octet| format!("{octet:02x}")).collect();
    format!("{name} {digits}")
}
