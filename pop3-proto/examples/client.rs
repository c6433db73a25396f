//! The smallest client: logs in, prints the first message, says goodbye.
//!
//! ```text
//! cargo run -p pop3-proto --example client -- 127.0.0.1:1110 mrose tanstaaf
//! ```
//!
//! All of POP3 is in [`Client`], and all of the input and output is here: two calls on a socket. With another kind of
//! socket (TLS, tokio with an `.await` behind `read` and `write_all`) nothing else changes. It leaves much to wish for: it
//! sends the password in the clear, and shows it to everyone who can list processes. `fetch` beside it does better.

use pop3_proto::{Client, Command, Config, Event, Verb};
use std::error::Error;
use std::io::{Read, Write};
use std::net::TcpStream;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, user, password] = arguments.as_slice() else {
        return Err("usage: client HOST:PORT USER PASSWORD".into());
    };
    let mut socket = TcpStream::connect(server)?;
    socket.set_nodelay(true)?; // a command must not wait for the acknowledgement of the one before
    // Without this setting the machine refuses to send USER, because there is no TLS.
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut buffer, mut out) = ([0; 16 * 1024], Vec::new());

    loop {
        // What a session says in the end is in `handle_eof`: `Ok` if no answer was missing, else which one.
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            return Ok(client.handle_eof()?);
        }
        // The machine takes octets off the front of `input`. When it has no more events, it has taken all of them.
        let mut input = &buffer[..n];
        while let Some(event) = client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => client.send(&Command::user(user)?, &mut out)?,
                Event::Ok { to: Verb::User, .. } => client.send(&Command::pass(password)?, &mut out)?,
                Event::Ok { to: Verb::Pass, .. } => client.send(&Command::retr(1_u32)?, &mut out)?,
                // Octets of the message as they come, a slice of our own buffer. Nothing ever holds the whole message.
                Event::Body(octets) => std::io::stdout().write_all(octets)?,
                Event::End { of: Verb::Retr } => client.send(&Command::Quit, &mut out)?,
                Event::Err { to, text, .. } => return Err(format!("the server refuses {to}: {text}").into()),
                _ => {}
            }
        }
        socket.write_all(&out)?;
        out.clear();
    }
}
