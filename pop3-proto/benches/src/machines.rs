//! Machines that are logged in and ready for the work that is measured.

use pop3_proto::wire::dot::Newlines;
use pop3_proto::{Client, Command, Config, Greeting, Peer, Reply, Server};

/// A client that is logged in, has sent `command`, and has read `answer`, its status line.
///
/// # Panics
///
/// If the machine does not take the dialogue.
#[must_use]
pub fn client(command: &Command<'_>, answer: &[u8]) -> Client {
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    client.next_event(&mut &b"+OK ready\r\n"[..]).unwrap();
    for (command, answer) in
        [(&Command::user("a").unwrap(), &b"+OK\r\n"[..]), (&Command::pass("b").unwrap(), b"+OK\r\n"), (command, answer)]
    {
        client.send(command, &mut Vec::new()).unwrap();
        let mut answer = answer;
        while client.next_event(&mut answer).unwrap().is_some() {}
    }
    client
}

/// A server that a client has logged in to.
///
/// # Panics
///
/// If the machine does not take the dialogue.
#[must_use]
pub fn server(newlines: Newlines) -> Server {
    let mut out = Vec::new();
    let config = Config::new().newlines(newlines);
    let mut server = Server::over_tls(config, Greeting::text("ready").unwrap(), &mut out);
    for line in [&b"USER a\r\n"[..], b"PASS b\r\n"] {
        server.next_event(&mut &line[..], &mut out).unwrap();
        server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
    }
    server
}
