//! One connection: the whole of the protocol, and the driver.
//!
//! Read octets, hand them to [`Server`], answer what it says, write what it wrote. It knows no mailbox, and [`Maildrop`]
//! knows no connection.

use super::mailbox::Mailbox;
use pop3_proto::{Command, Config, Greeting, Incoming, Maildrop, Reply, ResponseCode, Server, Top};
use std::io::{Read, Write};
use std::net::TcpStream;

pub(crate) fn serve(mut socket: TcpStream, mailbox: &Mailbox) -> Result<(), Box<dyn std::error::Error>> {
    let (mut buffer, mut out) = ([0; 4096], Vec::new());
    // The default refuses a login in the clear. This line is for a test on one's own machine.
    let config = Config::new().allow_cleartext_login();
    let mut server = Server::new(config, Greeting::text("POP3 server ready")?, &mut out);
    let (mut maildrop, mut open) = (Maildrop::default(), None); // from the login to the end of the session

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
            match (incoming, &mut open) {
                (Incoming::Login(login), None) if mailbox.admits(&login) => {
                    open = mailbox.lock();
                    let reply = match &open {
                        Some(mail) => {
                            maildrop = Maildrop::new(mail.sizes_and_ids())?;
                            Reply::ok("maildrop locked and ready")?
                        }
                        // "If the lock cannot be acquired, the POP3 server responds with a negative status indicator"
                        // (RFC 1939 section 4). The code tells it from a wrong password.
                        None => Reply::err("the maildrop is open elsewhere")?.with_code(ResponseCode::InUse),
                    };
                    server.reply(&reply, &mut out)?;
                }
                (Incoming::Command(command @ (Command::Retr(number) | Command::Top { number, .. })), Some(mail))
                    if maildrop.get(number).is_ok() =>
                {
                    let text = mail.octets(maildrop.get(number)?.index);
                    server.begin("message follows", &mut out)?;
                    match command {
                        Command::Top { lines, .. } => server.body(Top::new(lines).take(text), &mut out)?,
                        _ => server.body(text, &mut out)?, // line ends and dots are its business
                    }
                    server.end(&mut out)?;
                }
                // First the work, then the answer, which reports the outcome (RFC 1939 section 6).
                (Incoming::Update, Some(mail)) => {
                    let removed = mail.remove(maildrop.deleted());
                    open = None;
                    server.reply(&Reply::from(removed), &mut out)?;
                }
                // STAT, LIST, UIDL, DELE, RSET, NOOP, CAPA, USER, QUIT before the login; a wrong password, and a message
                // that there is not, are refused.
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
