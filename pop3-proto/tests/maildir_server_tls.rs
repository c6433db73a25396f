//! The example `maildir_server` over loopback with TLS: STLS (RFC 2595) and implicit TLS (RFC 8314), read by rustls and nothing of the
//! crate's.

mod support;

use std::io::Read;

use support::maildir::Maildir;
use support::tls::{Line, Room, capabilities, connect, rest, status};

const LOGIN: &[u8] = b"USER mrose\r\nPASS tan staaf\r\n";
const LOGGED_IN: &str = "+OK send PASS\r\n+OK maildrop locked and ready\r\n";

#[test]
fn implicit_tls_carries_the_whole_session_greeting_included() {
    let room = room();
    let server = room.serve(&["--implicit-tls"]);

    let mut tls = room.handshake(connect(server.address)).unwrap();
    assert_eq!(status(&mut tls), "+OK POP3 server ready\r\n");
    assert_eq!(
        capabilities(&mut tls),
        ["TOP", "USER", "SASL PLAIN LOGIN", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "UIDL"]
    );
    tls.write_all(&[LOGIN, b"STLS\r\nRETR 1\r\nDELE 1\r\nQUIT\r\n"].concat()).unwrap();

    let answers = "-ERR not implemented\r\n+OK message follows\r\n..\r\n.\r\n+OK message deleted\r\n+OK POP3 server signing off\r\n";
    assert_eq!(rest(&mut tls), format!("{LOGGED_IN}{answers}"));
    assert_eq!(room.maildir.count(), 0);
}

#[test]
fn stls_makes_the_login_possible() {
    let room = room();
    let server = room.serve(&[]);

    let mut clear = connect(server.address);
    assert_eq!(status(&mut clear), "+OK POP3 server ready\r\n");
    let before = capabilities(&mut clear);
    assert!(before.iter().any(|line| line == "STLS") && !before.iter().any(|line| line == "USER"), "{before:?}");
    clear.write_all(LOGIN).unwrap();
    assert_eq!([status(&mut clear), status(&mut clear)], ["-ERR begin TLS first\r\n"; 2]);
    clear.write_all(b"STLS\r\n").unwrap();
    assert_eq!(status(&mut clear), "+OK begin TLS negotiation\r\n");

    // No second greeting, and STLS is there once (RFC 2595 section 4).
    let mut tls = room.handshake(clear).unwrap();
    let after = capabilities(&mut tls);
    assert!(after.iter().any(|line| line == "USER") && !after.iter().any(|line| line == "STLS"), "{after:?}");
    tls.write_all(&[LOGIN, b"STLS\r\nSTAT\r\nQUIT\r\n"].concat()).unwrap();
    let answers = "-ERR not permitted in this state\r\n+OK 1 3\r\n+OK POP3 server signing off\r\n";
    assert_eq!(rest(&mut tls), format!("{LOGGED_IN}{answers}"));
}

/// P2: what stands behind STLS in the clear was put there by somebody on the way.
#[test]
fn octets_behind_stls_in_the_clear_end_the_session() {
    let room = room();
    let server = room.serve(&["--allow-cleartext"]);

    for behind in ["CAPA\r\n", "X"] {
        let mut clear = connect(server.address);
        clear.write_all(format!("USER mrose\r\nSTLS\r\n{behind}").as_bytes()).unwrap();
        let expected = "+OK POP3 server ready\r\n+OK send PASS\r\n+OK begin TLS negotiation\r\n";
        let mut got = String::new();
        clear.read_to_string(&mut got).unwrap();
        assert_eq!(got, expected, "{behind:?}");
    }

    // Sent a moment later, they are read by the handshake, and it fails.
    let mut clear = connect(server.address);
    clear.write_all(b"STLS\r\n").unwrap();
    assert_eq!(
        [status(&mut clear), status(&mut clear)],
        ["+OK POP3 server ready\r\n", "+OK begin TLS negotiation\r\n"]
    );
    clear.write_all(&[LOGIN, b"DELE 1\r\nQUIT\r\n"].concat()).unwrap();
    let mut got = Vec::new();
    // The connection may also end in a reset.
    let _ = clear.read_to_end(&mut got);
    assert!(!got.windows(3).any(|window| window == b"+OK"), "{}", got.escape_ascii());
    assert_eq!(room.maildir.count(), 1);
}

/// A user name that was given in the clear is not remembered (P3), and neither is the timestamp for APOP.
#[test]
fn nothing_of_what_was_said_before_stls_is_remembered() {
    let room = room();
    let server = room.serve(&["--allow-cleartext", "--apop"]);

    let mut clear = connect(server.address);
    assert!(status(&mut clear).ends_with(">\r\n"), "a timestamp");
    clear.write_all(b"USER mrose\r\nSTLS\r\n").unwrap();
    assert_eq!([status(&mut clear), status(&mut clear)], ["+OK send PASS\r\n", "+OK begin TLS negotiation\r\n"]);

    let mut tls = room.handshake(clear).unwrap();
    tls.write_all(b"PASS tan staaf\r\nAPOP mrose 00000000000000000000000000000000\r\nQUIT\r\n").unwrap();
    assert_eq!(rest(&mut tls), "-ERR USER first\r\n-ERR not implemented\r\n+OK POP3 server signing off\r\n");
}

/// A maildrop with the message `.`.
fn room() -> Room {
    let mut maildir = Maildir::new();
    maildir.deliver(b".");
    Room::new(maildir)
}
