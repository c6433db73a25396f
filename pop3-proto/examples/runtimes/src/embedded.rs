//! Without std: a client over `embedded-io`, with a small buffer and an allocator, as on a board with a network stack.
//!
//! It rings when there is new mail: it counts the messages and reads their subjects with TOP, and never holds more than
//! `buffer` and one line. The socket may be anything that reads and writes: TCP from a network stack, a modem's UART.

#![no_std]

extern crate alloc;

use alloc::vec::Vec;
use embedded_io::{Read, Write};
use pop3_proto::{Client, Command, Config, Data, Error, Event, Misuse, Verb};

/// What can go wrong.
#[derive(Debug)]
pub enum Trouble<E> {
    /// The socket's own error.
    Socket(E),
    /// The server broke the protocol or the connection.
    Server(Error),
    /// The name or the password cannot be sent.
    Unsendable(Misuse),
    /// The server refused this command.
    Refused(Verb),
}

/// How many messages there are. `show` gets the header of each, in pieces.
///
/// # Errors
///
/// Whatever the socket, the server or the arguments have against it.
pub fn headers<S: Read + Write>(
    socket: &mut S,
    buffer: &mut [u8],
    (user, password): (&str, &str),
    mut show: impl FnMut(&[u8]),
) -> Result<u32, Trouble<S::Error>> {
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut out, mut messages, mut next) = (Vec::with_capacity(64), 0, 1);
    while !client.is_over() {
        let n = socket.read(buffer).map_err(Trouble::Socket)?;
        if n == 0 {
            client.handle_eof().map_err(Trouble::Server)?;
            break;
        }
        let mut input = buffer.get(..n).unwrap_or_default();
        while let Some(event) = client.next_event(&mut input).map_err(Trouble::Server)? {
            let command = match event {
                Event::Greeting { .. } => Command::user(user),
                Event::Ok { to: Verb::User, .. } => Command::pass(password),
                Event::Ok { to: Verb::Pass, .. } => Ok(Command::Stat),
                Event::Ok { to: Verb::Stat, data: Data::Drop(maildrop), .. } => {
                    messages = maildrop.messages;
                    if messages == 0 { Ok(Command::Quit) } else { Command::top(next, 0) }
                }
                Event::End { of: Verb::Top } if next == messages => Ok(Command::Quit),
                Event::End { of: Verb::Top } => {
                    next += 1;
                    Command::top(next, 0)
                }
                Event::Body(octets) => {
                    show(octets);
                    continue;
                }
                Event::Err { to, .. } => return Err(Trouble::Refused(to)),
                _ => continue,
            };
            command.and_then(|command| client.send(&command, &mut out)).map_err(Trouble::Unsendable)?;
        }
        socket.write_all(&out).map_err(Trouble::Socket)?;
        socket.flush().map_err(Trouble::Socket)?;
        out.clear();
    }
    Ok(messages)
}
