//! The example `proxy` between a raw socket and a naive server: both machines back to back, in a program that somebody could use.

#![cfg(feature = "sasl")]

#[path = "support/built.rs"]
mod built;
#[path = "support/naive_upstream.rs"]
mod naive_upstream;

use naive_upstream::{GONE, Manner, Tls, Upstream, certified};
use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// The proxy's process; it ends with this value.
struct Proxy {
    child: Child,
    address: SocketAddr,
}

impl Proxy {
    fn new(upstream: SocketAddr, options: &[&str]) -> Self {
        let mut child = Command::new(built::example("proxy"))
            .args(["--listen", "127.0.0.1:0", "--allow-cleartext", "--upstream", &upstream.to_string()])
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().strip_prefix("listening on ").expect("the proxy says where it listens");
        Self { child, address: address.parse().unwrap() }
    }

    fn connect(&self) -> Mail {
        let socket = TcpStream::connect(self.address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut mail = Mail(BufReader::new(socket));
        assert!(mail.line().starts_with("+OK"));
        mail
    }

    fn log_in(&self) -> Mail {
        let mut mail = self.connect();
        mail.say("USER mrose\r\nPASS tan staaf\r\n");
        assert_eq!([mail.line(), mail.line()], ["+OK send PASS\r\n", "+OK in\r\n"]);
        mail
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The mail program.
struct Mail(BufReader<TcpStream>);

impl Mail {
    fn say(&mut self, octets: impl AsRef<[u8]>) {
        self.0.get_mut().write_all(octets.as_ref()).unwrap();
    }

    fn line(&mut self) -> String {
        let mut line = Vec::new();
        self.0.read_until(b'\n', &mut line).unwrap();
        String::from_utf8(line).unwrap()
    }

    fn ask(&mut self, line: &str) -> String {
        self.say(format!("{line}\r\n"));
        self.line()
    }

    /// The lines of a listing, without the status line.
    fn rows(&mut self, command: &str) -> Vec<String> {
        assert!(self.ask(command).starts_with("+OK"));
        let mut rows = Vec::new();
        loop {
            match self.line().trim_end() {
                "." => return rows,
                row => rows.push(row.to_owned()),
            }
        }
    }

    fn octets(&mut self, count: usize) -> Vec<u8> {
        let mut octets = vec![0; count];
        self.0.read_exact(&mut octets).unwrap();
        octets
    }

    /// All up to the end of the connection.
    fn rest(mut self) -> Vec<u8> {
        let mut octets = Vec::new();
        match self.0.read_to_end(&mut octets) {
            Ok(_) => {}
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
        octets
    }
}

/// Messages as they are on the wire, behind their status line.
fn corpus() -> Vec<Vec<u8>> {
    let every_octet: Vec<u8> = (0..=u8::MAX).filter(|octet| !b"\r\n.".contains(octet)).collect();
    let mut large = Vec::new();
    while large.len() < 20 << 20 {
        large.extend_from_slice(b"..a line with a dot before it, and one behind it.\r\n..\r\n\r\n\rx\r\r\n");
    }
    let texts: Vec<Vec<u8>> = vec![
        b"".to_vec(),
        b"\r\n".to_vec(),
        b"Subject: one\r\n\r\ntext\r\n".to_vec(),
        b"..\r\n...\r\n....\r\n..x\r\n".to_vec(),
        // The server forgot to stuff.
        b".x\r\n.\rx\r\n".to_vec(),
        b"bare\rCR\r\r\n\r\r\n\r.\r\n".to_vec(),
        b"bare\nLF\n\r\n".to_vec(),
        b"+OK\r\n-ERR\r\nQUIT\r\n".to_vec(),
        [&every_octet[..], b"\r\n", &every_octet, b"\r\n\0\r\n\0.\0\r\n"].concat(),
        [vec![b'x'; 100_000], b"\r\n".to_vec()].concat(),
        large,
    ];
    texts.into_iter().map(|text| [b"+OK follows\r\n", &text[..], b".\r\n"].concat()).collect()
}

#[track_caller]
fn passes_the_corpus(proxy: &Proxy, corpus: &[Vec<u8>]) {
    let mut mail = proxy.log_in();
    for (index, wire) in corpus.iter().enumerate() {
        for command in [format!("RETR {}\r\n", index + 1), format!("TOP {} 5\r\n", index + 1)] {
            mail.say(command);
            assert!(mail.octets(wire.len()) == *wire, "message {}", index + 1);
        }
    }
    assert_eq!(mail.ask("QUIT"), "+OK removed\r\n");
    assert!(mail.rest().is_empty());
}

#[test]
fn message_text_passes_octet_by_octet() {
    let messages = Arc::new(corpus());
    let upstream = Upstream::new(Manner { messages: Arc::clone(&messages), ..Manner::default() });
    passes_the_corpus(&Proxy::new(upstream.address, &[]), &messages);
}

#[test]
fn message_text_passes_over_implicit_tls_and_over_stls() {
    let (config, pem) = certified();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&ca, pem).unwrap();
    let ca = ca.path().to_str().unwrap();
    let messages = Arc::new(corpus());
    for (tls, option, capabilities) in [
        (Tls::Implicit(Arc::clone(&config)), "--upstream-tls", &["USER"][..]),
        (Tls::Stls(config, b""), "--upstream-stls", &["STLS", "USER"]),
    ] {
        let manner =
            Manner { tls, messages: Arc::clone(&messages), capabilities: Some(capabilities), ..Manner::default() };
        let upstream = Upstream::new(manner);
        for trust in [&["--ca", ca][..], &["--insecure"]] {
            let proxy = Proxy::new(upstream.address, &[&[option], trust].concat());
            passes_the_corpus(&proxy, if trust.len() == 2 { &messages } else { &messages[..3] });
        }
    }
}

#[test]
fn a_certificate_that_nobody_vouches_for_gets_no_password() {
    let (config, _) = certified();
    let (_, pem_of_another) = certified();
    let ca = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(&ca, pem_of_another).unwrap();
    let upstream = Upstream::new(Manner { tls: Tls::Implicit(config), ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &["--upstream-tls", "--ca", ca.path().to_str().unwrap()]);
    let mut mail = proxy.connect();
    mail.say("USER mrose\r\nPASS tanstaaf\r\n");
    mail.line();
    assert_eq!(mail.line(), "-ERR [SYS/TEMP] the server behind this one cannot be reached\r\n");
    assert_eq!(upstream.heard(1), [[GONE]]);
}

/// P1, P5: whatever stands behind the `+OK` to STLS in the clear was put there by somebody on the way.
#[test]
fn octets_injected_behind_stls_are_refused() {
    let (config, _) = certified();
    for injected in [&b"+OK CAPA\r\nUSER\r\n.\r\n"[..], b"+OK\r\n+OK in\r\n", b"-", b"\r\n"] {
        let tls = Tls::Stls(Arc::clone(&config), injected);
        let upstream = Upstream::new(Manner { tls, capabilities: Some(&["STLS", "USER"]), ..Manner::default() });
        let proxy = Proxy::new(upstream.address, &["--upstream-stls", "--insecure"]);
        let mut mail = proxy.connect();
        mail.say("USER mrose\r\nPASS tanstaaf\r\n");
        mail.line();
        assert_eq!(mail.line(), "-ERR [SYS/TEMP] the connection to the server behind this one is lost\r\n");
        assert_eq!(upstream.heard(1), [["CAPA", "STLS", GONE]]);
    }
}

#[test]
fn a_server_without_stls_gets_no_password() {
    for (capabilities, answers, heard) in [
        (Some(&["USER"][..]), &[][..], &["CAPA", GONE][..]),
        (Some(&["USER", "STLS"]), &[("STLS", "-ERR not today\r\n")], &["CAPA", "STLS", GONE]),
        (None, &[("STLS", "-ERR not today\r\n")], &["CAPA", "STLS", GONE]),
    ] {
        let upstream = Upstream::new(Manner { capabilities, answers, ..Manner::default() });
        let proxy = Proxy::new(upstream.address, &["--upstream-stls", "--insecure"]);
        let mut mail = proxy.connect();
        mail.say("USER mrose\r\nPASS tanstaaf\r\n");
        mail.line();
        assert_eq!(mail.line(), "-ERR [SYS/PERM] the server behind this one has no TLS\r\n");
        assert_eq!(upstream.heard(1), [heard]);
    }
}

#[test]
fn the_capability_list_is_the_servers_without_what_does_not_pass() {
    let capabilities: &[&str] = &[
        "TOP",
        "uidl",
        "STLS",
        "USER",
        "SASL GSSAPI PLAIN",
        "EXPIRE 30",
        "UTF8 USER",
        "LANG",
        "X-MINE 1",
        "AUTH-RESP-CODE",
        "IMPLEMENTATION naive",
        "LOGIN-DELAY 900",
    ];
    let upstream = Upstream::new(Manner { capabilities: Some(capabilities), ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &[]);
    let expected = [
        "USER",
        "SASL PLAIN LOGIN",
        "RESP-CODES",
        "PIPELINING",
        "TOP",
        "UIDL",
        "EXPIRE 30",
        "AUTH-RESP-CODE",
        "IMPLEMENTATION naive",
        "LOGIN-DELAY 900",
    ];
    let mut mail = proxy.connect();
    assert_eq!(mail.rows("CAPA"), expected);
    mail.say("USER mrose\r\nPASS tanstaaf\r\n");
    assert_eq!([mail.line(), mail.line()], ["+OK send PASS\r\n", "+OK in\r\n"]);
    assert_eq!(mail.rows("CAPA"), expected);
    for line in ["STLS", "UTF8", "LANG", "X-MINE 1", "APOP mrose c4c9334bac560ecc979e58001b3e22fb"] {
        assert!(mail.ask(line).starts_with("-ERR"), "{line}");
    }
    drop(mail);
    assert_eq!(upstream.heard(1), [["CAPA", "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm", "CAPA", GONE]]);
}

#[test]
fn without_a_server_the_proxy_has_what_it_does_itself() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = Proxy::new(nobody, &[]);
    let mut mail = proxy.connect();
    assert_eq!(mail.rows("CAPA"), ["USER", "SASL PLAIN LOGIN", "RESP-CODES", "PIPELINING"]);
    for login in ["USER mrose\r\nPASS tanstaaf", "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm"] {
        mail.say(format!("{login}\r\n"));
        if login.starts_with("USER") {
            mail.line();
        }
        assert_eq!(mail.line(), "-ERR [SYS/TEMP] the server behind this one cannot be reached\r\n");
    }
    assert_eq!(mail.ask("QUIT"), "+OK POP3 proxy signing off\r\n");
}

#[test]
fn what_the_server_says_to_a_login_is_what_the_mail_program_hears() {
    for login in
        ["-ERR [IN-USE] busy\r\n", "-ERR [AUTH] wrong\r\n", "-ERR [SYS/TEMP/DISK] later\r\n", "-ERR just no\r\n"]
    {
        let upstream = Upstream::new(Manner { login, ..Manner::default() });
        let proxy = Proxy::new(upstream.address, &[]);
        let mut mail = proxy.connect();
        for _ in 0..2 {
            assert_eq!(mail.ask("USER mrose"), "+OK send PASS\r\n");
            assert_eq!(mail.ask("PASS tanstaaf"), login);
        }
        assert_eq!(mail.ask("QUIT"), "+OK POP3 proxy signing off\r\n");
        let login = ["USER mrose", "PASS tanstaaf"];
        assert_eq!(upstream.heard(1), [[&["CAPA"], &login[..], &login, &["QUIT", GONE]].concat()]);
    }
}

#[test]
fn a_server_that_refuses_the_session_says_why() {
    let upstream = Upstream::new(Manner { greeting: "-ERR [IN-USE] full\r\n", ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &[]);
    let mut mail = proxy.connect();
    mail.ask("USER mrose");
    assert_eq!(mail.ask("PASS tanstaaf"), "-ERR [IN-USE] the server behind this one refuses the session\r\n");
}

#[test]
fn each_way_to_log_in_reaches_the_server() {
    for (said, heard) in [
        ("USER mrose\r\nPASS  two  spaces \r\n", &["USER mrose", "PASS  two  spaces "][..]),
        ("AUTH PLAIN\r\nAG1yb3NlAHRhbnN0YWFm\r\n", &["USER mrose", "PASS tanstaaf"]),
        ("AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n", &["USER mrose", "PASS tanstaaf"]),
        ("AUTH LOGIN\r\nbXJvc2U=\r\ndGFuc3RhYWY=\r\n", &["USER mrose", "PASS tanstaaf"]),
    ] {
        let upstream = Upstream::new(Manner::default());
        let proxy = Proxy::new(upstream.address, &[]);
        let mut mail = proxy.connect();
        mail.say([said, "NOOP\r\nQUIT\r\n"].concat());
        let answers = String::from_utf8(mail.rest()).unwrap();
        assert!(answers.ends_with("+OK in\r\n+OK\r\n+OK removed\r\n"), "{said:?}: {answers:?}");
        assert_eq!(upstream.heard(1), [[&["CAPA"], heard, &["NOOP", "QUIT", GONE]].concat()]);
    }
}

#[test]
fn no_credential_puts_a_line_of_its_own_into_the_session_upstream() {
    let upstream = Upstream::new(Manner::default());
    let proxy = Proxy::new(upstream.address, &[]);
    let mut mail = proxy.connect();
    for line in [
        "USER mrose\rDELE 1".to_owned(),
        "USER mrose\0x".to_owned(),
        // "\0mrose\r\nDELE 1\0x" and "\0mrose\0x\r\nDELE 1", in base64.
        "AUTH PLAIN AG1yb3NlDQpERUxFIDEAeA==".to_owned(),
        "AUTH PLAIN AG1yb3NlAHgNCkRFTEUgMQ==".to_owned(),
        format!("USER {}", "x".repeat(300)),
        // "\0two words\0x": the server has no mechanism that could carry the space.
        "AUTH PLAIN AHR3byB3b3JkcwB4".to_owned(),
    ] {
        let answer = mail.ask(&line);
        // USER is not answered by the server, and the name may be one that it cannot be told.
        let refused = answer.starts_with("-ERR") || mail.ask("PASS x").starts_with("-ERR");
        assert!(refused, "{line:?}: {answer}");
    }
    drop(mail);
    for connection in upstream.heard(1) {
        assert_eq!(connection, ["CAPA", GONE]);
    }
}

#[test]
fn a_batch_is_answered_in_order() {
    let answers: &[(&str, &str)] = &[
        ("STAT", "+OK 3 320\r\n"),
        ("LIST", "+OK 3 messages\r\n1 100\r\n2 200\r\n3 20\r\n.\r\n"),
        ("LIST 2", "+OK 2 200\r\n"),
        ("UIDL", "+OK\r\n1 a\r\n2 b\r\n3 two words\r\n.\r\n"),
        ("UIDL 1", "+OK 1 a\r\n"),
        ("DELE 1", "+OK gone\r\n"),
        ("DELE 9", "-ERR [X/Y] there is no 9\r\n"),
        ("RSET", "+OK back\r\n"),
        ("LIST 3", "+OK nonsense\r\n"),
    ];
    let messages = Arc::new(vec![b"+OK\r\n..\r\n.\r\n".to_vec()]);
    let upstream = Upstream::new(Manner { answers, messages, ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &[]);
    let mut mail = proxy.connect();
    mail.say(
        "USER mrose\r\nPASS tan staaf\r\nSTAT\r\nLIST\r\nLIST 2\r\nUIDL\r\nUIDL 1\r\nRETR 1\r\nRETR 2\r\nDELE 1\r\nDELE 9\r\n\
         RSET\r\nNOOP\r\nLIST 0\r\nXTND\r\nLIST 3\r\nQUIT\r\n",
    );
    assert_eq!(
        String::from_utf8(mail.rest()).unwrap(),
        "+OK send PASS\r\n+OK in\r\n+OK 3 320\r\n+OK 3 messages\r\n1 100\r\n2 200\r\n3 20\r\n.\r\n+OK 2 200\r\n\
         +OK\r\n1 a\r\n2 b\r\n.\r\n+OK 1 a\r\n+OK\r\n..\r\n.\r\n-ERR no such message\r\n+OK gone\r\n\
         -ERR [X/Y] there is no 9\r\n+OK back\r\n+OK\r\n-ERR no such message-number\r\n-ERR unknown command\r\n\
         -ERR [SYS/TEMP] the answer of the server behind this one makes no sense\r\n+OK removed\r\n"
    );
}

/// P8: what was begun and cannot be finished has no end.
#[test]
fn a_message_whose_end_does_not_come_gets_none() {
    for cut in
        ["+OK\r\n", "+OK\r\ntext", "+OK\r\ntext\r\n", "+OK\r\ntext\r\n.", "+OK\r\ntext\r\n.\r", "+OK\r\na\r\n.\r."]
    {
        let messages = Arc::new(vec![cut.as_bytes().to_vec()]);
        let upstream = Upstream::new(Manner { messages, closes_after: "RETR 1", ..Manner::default() });
        let proxy = Proxy::new(upstream.address, &[]);
        let mut mail = proxy.log_in();
        mail.say("RETR 1\r\nNOOP\r\nQUIT\r\n");
        let heard = mail.rest();
        assert!(cut.as_bytes().starts_with(&heard), "{cut:?}: {}", heard.escape_ascii());
        assert!(!heard.ends_with(b"\r\n.\r\n"), "{cut:?}");
        assert_eq!(upstream.heard(1), [["CAPA", "USER mrose", "PASS tan staaf", "RETR 1", GONE]]);
    }
}

/// P16: a reader of LF would see the end in the middle, and what follows as answers.
#[test]
fn text_with_an_end_in_it_for_some_readers_is_cut_before_it() {
    let messages = Arc::new(vec![b"+OK\r\nbefore\n.\n+OK forged\r\n.\r\n".to_vec()]);
    let upstream = Upstream::new(Manner { messages, ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &[]);
    let mut mail = proxy.log_in();
    mail.say("RETR 1\r\nNOOP\r\n");
    let heard = mail.rest();
    assert!(b"+OK\r\nbefore\n".starts_with(&heard[..]), "{}", heard.escape_ascii());
}

#[test]
fn a_server_that_leaves_without_an_answer_is_a_temporary_failure() {
    let upstream = Upstream::new(Manner { answers: &[("STAT", "")], closes_after: "STAT", ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &[]);
    let mut mail = proxy.log_in();
    mail.say("STAT\r\nDELE 1\r\nQUIT\r\n");
    let heard = String::from_utf8(mail.rest()).unwrap();
    assert_eq!(heard, "-ERR [SYS/TEMP] the connection to the server behind this one is lost\r\n");
}

/// P7: only a QUIT received in the TRANSACTION state deletes.
#[test]
fn deletions_are_the_answer_to_quit_and_nothing_else() {
    let quit = "-ERR [SYS/PERM] some deleted messages not removed\r\n";
    let upstream = Upstream::new(Manner { quit, ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &[]);
    let mut mail = proxy.log_in();
    assert_eq!(mail.ask("DELE 1"), "+OK\r\n");
    assert_eq!(mail.ask("QUIT"), quit);
    assert!(mail.rest().is_empty());

    let mut dropped = proxy.log_in();
    assert_eq!(dropped.ask("DELE 1"), "+OK\r\n");
    dropped.0.get_mut().shutdown(Shutdown::Both).unwrap();
    let session = ["CAPA", "USER mrose", "PASS tan staaf", "DELE 1"];
    assert_eq!(upstream.heard(2), [[&session[..], &["QUIT", GONE]].concat(), [&session[..], &[GONE]].concat()]);
}

#[test]
fn a_quit_whose_answer_does_not_come_is_no_success() {
    let upstream = Upstream::new(Manner { quit: "", ..Manner::default() });
    let proxy = Proxy::new(upstream.address, &[]);
    let mut mail = proxy.log_in();
    assert!(mail.ask("QUIT").starts_with("-ERR [SYS/TEMP] "));
    assert!(mail.rest().is_empty());
}

#[test]
fn autologout_says_nothing_and_deletes_nothing() {
    let upstream = Upstream::new(Manner::default());
    let proxy = Proxy::new(upstream.address, &["--autologout-below-ten-minutes", "1"]);
    let mut mail = proxy.log_in();
    assert_eq!(mail.ask("DELE 1"), "+OK\r\n");
    assert!(mail.rest().is_empty());
    assert_eq!(upstream.heard(1), [["CAPA", "USER mrose", "PASS tan staaf", "DELE 1", GONE]]);
}

/// The proxy reads no more than the mail program takes.
#[test]
fn a_mail_program_that_does_not_read_holds_the_server_up() {
    const LARGE: usize = 256 << 20;
    const CHUNK: &[u8] = &[b'x'; 1 << 16];
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let proxy = Proxy::new(listener.local_addr().unwrap(), &[]);
    let stuck_at = Arc::new(Mutex::new(None));
    let theirs = Arc::clone(&stuck_at);
    let server = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        socket.write_all(b"+OK\r\n").unwrap();
        let mut lines = BufReader::new(socket.try_clone().unwrap()).lines();
        for answer in ["-ERR no CAPA\r\n", "+OK\r\n", "+OK in\r\n", "+OK\r\n"] {
            lines.next().unwrap().unwrap();
            socket.write_all(answer.as_bytes()).unwrap();
        }
        socket.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        let mut written = 0;
        while written < LARGE {
            match socket.write(&CHUNK[..CHUNK.len().min(LARGE - written)]) {
                Ok(n) => written += n,
                Err(error) => {
                    assert!(matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut), "{error}");
                    theirs.lock().unwrap().get_or_insert(written);
                }
            }
        }
        theirs.lock().unwrap().get_or_insert(written);
        socket.write_all(b"\r\n.\r\n").unwrap();
        lines.next();
    });
    let mut mail = proxy.log_in();
    mail.say("RETR 1\r\n");
    // Nothing is read until the server is stuck, or has written it all. What is on the way fits into the buffers of four sockets.
    let stuck_at = loop {
        if let Some(at) = *stuck_at.lock().unwrap() {
            break at;
        }
        thread::sleep(Duration::from_millis(20));
    };
    assert!(stuck_at < LARGE / 4, "the proxy took {stuck_at} octets");
    assert_eq!(mail.line(), "+OK\r\n");
    let (mut left, mut buffer) = (LARGE, vec![0; 1 << 16]);
    while left > 0 {
        let count = buffer.len().min(left);
        mail.0.read_exact(&mut buffer[..count]).unwrap();
        assert!(buffer[..count].iter().all(|&octet| octet == b'x'));
        left -= count;
    }
    assert_eq!([mail.line(), mail.line()], ["\r\n", ".\r\n"]);
    drop(mail);
    server.join().unwrap();
}

#[test]
fn cleartext_must_be_asked_for_and_stays_on_this_machine() {
    for arguments in [
        &["--listen", "127.0.0.1:0", "--upstream", "127.0.0.1:1"][..],
        &["--listen", "0.0.0.0:0", "--upstream", "127.0.0.1:1", "--allow-cleartext"],
    ] {
        let output = Command::new(built::example("proxy")).args(arguments).stdin(Stdio::null()).output().unwrap();
        assert_eq!((output.status.code(), output.stdout), (Some(1), Vec::new()));
        assert!(!output.stderr.is_empty());
    }
}
