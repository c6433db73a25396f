//! A POP3 server for the unit tests of a client: no port, no thread, the same at every run. Copy it and bend it.
//!
//! ```text
//! cargo run -p pop3-proto --example test_double
//! ```
//!
//! It is a `Read + Write`, which a blocking client takes for a socket: what is written to it is answered by [`Server`], and
//! the answers are read a few octets at a time. It can break the connection at any octet, and it remembers what was said.

use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{Command, Config, Greeting, Incoming, Login, Maildrop, Reply, Server};
use std::io::{self, Read, Write};

/// A mailbox, and a server before it.
struct TestDouble {
    server: Server,
    maildrop: Maildrop,
    messages: Vec<&'static str>,
    /// What the client may read, from `read` on.
    answers: Vec<u8>,
    read: usize,
    /// The client's octets that wait for more.
    input: Vec<u8>,
    /// At most so many octets come at a time.
    piece: usize,
    /// The connection ends behind so many octets.
    cut: usize,
    /// What the client said; passwords are masked.
    said: Vec<String>,
    /// Places of the messages that a QUIT removed.
    removed: Vec<usize>,
}

impl TestDouble {
    fn new(messages: Vec<&'static str>) -> Self {
        let mut answers = Vec::new();
        let greeting = Greeting::text("test double ready").expect("a line");
        let server = Server::new(Config::new().allow_cleartext_login().without_top(), greeting, &mut answers);
        let (maildrop, said, removed, input) = (Maildrop::default(), Vec::new(), Vec::new(), Vec::new());
        Self { server, maildrop, messages, answers, read: 0, input, piece: 1, cut: usize::MAX, said, removed }
    }

    /// Answers what is there.
    fn answer(&mut self) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
        let (octets, out) = (std::mem::take(&mut self.input), &mut self.answers);
        let mut input = &octets[..];
        while let Some(incoming) = self.server.next_event(&mut input, out)? {
            self.said.push(format!("{incoming:?}"));
            match incoming {
                Incoming::Login(Login::Pass { password, .. }) if password.reveal() == b"tanstaaf" => {
                    let size = |text: &str| Size::of(text.as_bytes(), Newlines::Canonical);
                    let listing = (0..).zip(&self.messages).map(|(n, text): (u32, _)| (size(text), format!("id-{n}")));
                    self.maildrop = Maildrop::new(listing)?;
                    self.server.reply(&Reply::ok("welcome")?, out)?;
                }
                Incoming::Command(Command::Retr(number)) if self.maildrop.get(number).is_ok() => {
                    let text = self.messages[self.maildrop.get(number)?.index];
                    self.server.begin("message follows", out)?;
                    self.server.body(text.as_bytes(), out)?;
                    self.server.end(out)?;
                }
                Incoming::Update => {
                    self.removed = self.maildrop.deleted().collect();
                    self.server.reply(&Reply::ok("bye")?, out)?;
                }
                other => self.maildrop.answer(&other, &mut self.server, out)?,
            }
        }
        Ok(())
    }
}

impl Read for TestDouble {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let there = self.answers.len().min(self.cut) - self.read;
        if there == 0 && !self.server.is_over() && self.answers.len() < self.cut {
            return Err(io::Error::new(io::ErrorKind::WouldBlock, "the client waits, and nothing was asked"));
        }
        let n = buffer.len().min(self.piece).min(there);
        buffer[..n].copy_from_slice(&self.answers[self.read..][..n]);
        self.read += n;
        Ok(n)
    }
}

impl Write for TestDouble {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.input.extend_from_slice(octets);
        self.answer().map_err(io::Error::other)?;
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The client under test: how it was written does not matter. This one knows nothing of this crate and fetches a message.
fn fetch_and_delete(socket: &mut (impl Read + Write)) -> io::Result<String> {
    let mut ask = |command: &str, end: &str| -> io::Result<String> {
        socket.write_all(command.as_bytes())?;
        let mut answer = String::new();
        while !answer.ends_with(end) {
            let mut octet = [0];
            if socket.read(&mut octet)? == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            answer.push(char::from(octet[0]));
        }
        Ok(answer)
    };
    ask("", "\r\n")?;
    ask("USER mrose\r\n", "\r\n")?;
    ask("PASS tanstaaf\r\n", "\r\n")?;
    let text = ask("RETR 1\r\n", "\r\n.\r\n")?;
    ask("DELE 1\r\n", "\r\n")?;
    ask("QUIT\r\n", "\r\n")?;
    Ok(text)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut double = TestDouble::new(vec!["Subject: one\n\n.dot\n"]);
    let text = fetch_and_delete(&mut double)?;
    assert_eq!(text, "+OK message follows\r\nSubject: one\r\n\r\n..dot\r\n.\r\n");
    assert_eq!(double.removed, [0]);
    assert!(!double.said.concat().contains("tanstaaf"), "a password in the record");

    // The connection ends at each octet in turn: nothing is ever removed without the QUIT.
    let all = double.answers.len();
    for cut in 0..all {
        let mut double = TestDouble::new(vec!["Subject: one\n\n.dot\n"]);
        double.cut = cut;
        let lost = fetch_and_delete(&mut double).expect_err("an answer was cut");
        assert_eq!(lost.kind(), io::ErrorKind::UnexpectedEof);
        assert!(double.removed.is_empty() || cut >= all - "+OK bye\r\n".len(), "{cut}");
    }
    println!("one message fetched and deleted; the connection cut at each of {all} octets");
    Ok(())
}
