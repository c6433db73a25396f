//! Every driver against every other that it can talk to, over loopback.

use std::io::{BufRead as _, BufReader};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

const MAIL: &str = "Subject: one\r\n\r\nfirst\r\nSubject: two\r\n\r\n.dot\r\n..\r\n.\r\nend\r\n";
const HEADERS: &str = "Subject: one\r\n\r\nSubject: two\r\n\r\n";

/// The tokio server, ended when this is dropped.
struct Server {
    program: Child,
    port: u16,
}

impl Server {
    fn start(arguments: &[&Path]) -> Self {
        let mut program = Command::new(env!("CARGO_BIN_EXE_tokio_server"))
            .arg("127.0.0.1:0")
            .args(arguments)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the server starts");
        let mut line = String::new();
        BufReader::new(program.stdout.take().expect("a pipe")).read_line(&mut line).expect("its first line");
        let port = line.trim().rsplit(':').next().and_then(|port| port.parse().ok()).expect("a port");
        Self { program, port }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Runs the client; one that hangs is ended after a minute.
fn run(client: &str, arguments: &[&str]) -> Output {
    let mut program = Command::new(client)
        .args(arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the client starts");
    let began = Instant::now();
    while program.try_wait().expect("its status").is_none() {
        if began.elapsed() > Duration::from_secs(60) {
            program.kill().expect("it can be ended");
        }
        std::thread::sleep(Duration::from_millis(5));
    }
    program.wait_with_output().expect("its output")
}

fn prints(client: &str, arguments: &[&str], expected: &str) {
    let output = run(client, arguments);
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{client}: {}: {errors}", output.status);
    assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{client}: {errors}");
}

#[test]
fn smol_fetches_the_mail_from_tokio_in_one_batch() {
    let server = Server::start(&[]);
    prints(env!("CARGO_BIN_EXE_smol_client"), &[&format!("127.0.0.1:{}", server.port), "mrose", "tanstaaf"], MAIL);
}

#[test]
fn io_uring_fetches_the_mail_from_tokio() {
    let server = Server::start(&[]);
    let client = env!("CARGO_BIN_EXE_io_uring_client");
    let arguments = [&format!("127.0.0.1:{}", server.port), "mrose", "tanstaaf"];
    if run(client, &arguments).status.code() == Some(3) {
        eprintln!(
            "################ SKIPPED: this kernel refuses io_uring; the driver was built and not run ################"
        );
        return;
    }
    prints(client, &arguments, MAIL);
}

#[test]
fn sixty_four_octets_of_buffer_are_enough_without_std() {
    let server = Server::start(&[]);
    let arguments = [&format!("127.0.0.1:{}", server.port), "mrose", "tanstaaf"];
    prints(env!("CARGO_BIN_EXE_embedded_client"), &arguments, HEADERS);
}

#[test]
fn tokio_fetches_the_mail_from_tokio_behind_stls() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&cert, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let server = Server::start(&[&cert, &key]);
    let (client, address) = (env!("CARGO_BIN_EXE_tokio_client"), format!("localhost:{}", server.port));
    let cert = cert.to_str().expect("a name in UTF-8");
    prints(client, &[&address, cert, "mrose", "tanstaaf"], MAIL);

    let refused = run(client, &[&address, cert, "mrose", "wrong"]);
    assert!(!refused.status.success() && refused.stdout.is_empty());
    assert!(String::from_utf8_lossy(&refused.stderr).contains("the server refuses AUTH"));

    // The certificate does not stand for this name: no password leaves.
    let stranger = run(client, &[&format!("127.0.0.1:{}", server.port), cert, "mrose", "tanstaaf"]);
    assert!(!stranger.status.success() && stranger.stdout.is_empty());
}

#[test]
fn a_server_with_a_certificate_takes_no_login_in_the_clear() {
    let folder = tempfile::tempdir().expect("a folder");
    let (cert, key) = (folder.path().join("cert.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).expect("a certificate");
    std::fs::write(&cert, made.cert.pem()).expect("written");
    std::fs::write(&key, made.signing_key.serialize_pem()).expect("written");
    let server = Server::start(&[&cert, &key]);
    let client = env!("CARGO_BIN_EXE_smol_client");
    let output = run(client, &[&format!("127.0.0.1:{}", server.port), "mrose", "tanstaaf"]);
    assert!(!output.status.success());
    assert!(String::from_utf8_lossy(&output.stderr).contains("the server refuses USER"));
}

#[test]
fn in_memory_every_size_of_the_pieces_gives_the_same() {
    for octets in 1..=64 {
        let client = env!("CARGO_BIN_EXE_in_memory");
        prints(client, &[&octets.to_string()], "Subject: dots\r\n\r\n.one\r\n..two\r\n.\r\nend\r\n");
    }
}

/// A port that somebody listens on at once: the tests above would otherwise race.
#[test]
fn the_server_says_where_it_listens_when_it_does() {
    let server = Server::start(&[]);
    assert!(TcpStream::connect(("127.0.0.1", server.port)).is_ok());
}
