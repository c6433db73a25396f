//! A POP3 server on one page: blocking, one thread for each connection, with a mailbox in memory.
//!
//! ```text
//! cargo run -p pop3-proto --example server -- 127.0.0.1:1110
//! curl --user mrose:tanstaaf pop3://127.0.0.1:1110/
//! ```
//!
//! The whole of the protocol is in [`serve`]: read octets, hand them to [`Server`], answer what it says, write what it
//! wrote. It knows no mailbox, and [`Maildrop`] knows no connection; what is left to the application is to check a
//! password, to hand over the octets of a message, and to remove the messages marked as deleted.

use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{Command, Config, Greeting, Incoming, Login, Maildrop, Reply, ResponseCode, Server};
use std::error::Error;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard};

fn serve(mut socket: TcpStream, mailbox: &Mutex<Mailbox>) -> Result<(), Box<dyn Error>> {
    let (mut buffer, mut out) = ([0; 4096], Vec::new());
    // The default refuses a login in the clear. This line is for a test on one's own machine.
    let config = Config::new().allow_cleartext_login();
    let mut server = Server::new(config, Greeting::text("POP3 server ready")?, &mut out);
    let mut maildrop = Maildrop::default();
    let mut locked: Option<MutexGuard<'_, Mailbox>> = None; // from the login to the end of the session

    while !server.is_over() {
        // All that one read brought is answered in one write: a status line in a packet of its own costs a round trip.
        socket.write_all(&out)?;
        out.clear();
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            server.handle_eof(); // no QUIT, so no UPDATE state: nothing is removed
            return Ok(());
        }
        // `next_event` takes a command off the front of `input`, and gives `None` when `input` is used up, but also
        // while an answer is owed, and what is left then is not to be lost. Here it cannot be: each command is answered
        // before the next is asked for, so that `None` means that nothing is left, or that the session is over.
        let mut input = &buffer[..n];
        while let Some(incoming) = server.next_event(&mut input, &mut out)? {
            match (incoming, &mut locked) {
                (Incoming::Login(login), None) if may_enter(&login) => match mailbox.try_lock() {
                    Ok(mailbox) => {
                        maildrop = Maildrop::new(mailbox.sizes_and_ids())?;
                        locked = Some(mailbox);
                        server.reply(&Reply::ok("maildrop locked and ready")?, &mut out)?;
                    }
                    // "If the lock cannot be acquired, the POP3 server responds with a negative status indicator"
                    // (RFC 1939 section 4). The code tells it from a wrong password.
                    Err(_) => {
                        let reply = Reply::err("the maildrop is open elsewhere")?.with_code(ResponseCode::InUse);
                        server.reply(&reply, &mut out)?;
                    }
                },
                (Incoming::Command(Command::Retr(number)), Some(mailbox)) => match maildrop.get(number) {
                    Ok(message) => {
                        server.begin("message follows", &mut out)?;
                        server.body(mailbox.octets(message.index), &mut out)?; // line ends and dots are its business
                        server.end(&mut out)?;
                    }
                    Err(why) => server.reply(&Reply::from(why), &mut out)?,
                },
                (Incoming::Command(Command::Top { number, lines }), Some(mailbox)) => match maildrop.get(number) {
                    Ok(message) => {
                        server.begin("top of message follows", &mut out)?;
                        let top = pop3_proto::Top::new(lines).take(mailbox.octets(message.index));
                        server.body(top, &mut out)?;
                        server.end(&mut out)?;
                    }
                    Err(why) => server.reply(&Reply::from(why), &mut out)?,
                },
                // First the work, then the answer, which reports the outcome (RFC 1939 section 6).
                (Incoming::Update, Some(mailbox)) => {
                    let removed = mailbox.remove(maildrop.deleted());
                    locked = None;
                    server.reply(&Reply::from(removed), &mut out)?;
                }
                // STAT, LIST, UIDL, DELE, RSET, NOOP, CAPA, USER, QUIT before the login; a wrong password is refused.
                (other, _) => maildrop.answer(&other, &mut server, &mut out)?,
            }
            // A batch of commands is short and its answers are not: what is there goes out before the next is asked for.
            if out.len() >= 64 * 1024 {
                socket.write_all(&out)?;
                out.clear();
            }
        }
    }
    Ok(socket.write_all(&out)?)
}

/// Compares every octet, so that the time it takes does not say how many of them are right.
fn may_enter(login: &Login<'_>) -> bool {
    let same = |given: &[u8], wanted: &[u8]| {
        let differing = given.iter().zip(wanted).fold(0, |seen, (a, b)| seen | (a ^ b));
        given.len() == wanted.len() && std::hint::black_box(differing) == 0
    };
    match login {
        Login::Pass { name, password } => same(name.as_bytes(), b"mrose") & same(password.reveal(), b"tanstaaf"),
        _ => false,
    }
}

/// The mail: unique-ids, and messages as they are stored, with whatever line ends.
struct Mailbox {
    messages: Vec<(&'static str, &'static [u8])>,
}

impl Mailbox {
    fn sizes_and_ids(&self) -> impl Iterator<Item = (u64, &'static str)> {
        self.messages.iter().map(|(id, octets)| {
            // The octets that RETR will send, not those that are stored: a line end counts two (RFC 1939 section 11).
            (Size::of(octets, Newlines::Canonical), *id)
        })
    }

    fn octets(&self, index: usize) -> &'static [u8] {
        self.messages.get(index).map_or(&[], |(_, octets)| octets)
    }

    /// Nothing in memory can resist; a store on disk would return its error here.
    fn remove(&mut self, deleted: impl Iterator<Item = usize>) -> Result<(), std::convert::Infallible> {
        let deleted: Vec<_> = deleted.collect();
        let mut index = 0..;
        self.messages.retain(|_| index.next().is_some_and(|index| !deleted.contains(&index)));
        Ok(())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let address = std::env::args().nth(1).unwrap_or_else(|| "127.0.0.1:1110".to_owned());
    let mailbox = Arc::new(Mutex::new(Mailbox {
        messages: vec![
            ("whqtswO00WBw418f9t5JxYwZ", b"From: ford@example.org\nSubject: towel\n\nDo not forget it.\n"),
            ("QhdPYR:00WBw1Ph7x7", b"From: zaphod@example.org\nSubject: dots\n\n.one\n..two\n.\nthe end\n"),
        ],
    }));

    let listener = TcpListener::bind(address)?;
    println!("listening on {}; the user is mrose, the password tanstaaf", listener.local_addr()?);
    for socket in listener.incoming() {
        let (socket, mailbox) = (socket?, Arc::clone(&mailbox));
        socket.set_nodelay(true)?; // an answer must not wait for the acknowledgement of the one before
        std::thread::spawn(move || {
            if let Err(error) = serve(socket, &mailbox) {
                eprintln!("a session ended early: {error}");
            }
        });
    }
    Ok(())
}
