//! No runtime at all: a client and a server in one thread, joined by two `Vec`s, cut into pieces of any size.
//!
//! ```text
//! in_memory [OCTETS]     as many octets at a time; 1 by default
//! ```
//!
//! What a test of either side needs: no ports, no threads, no waiting, the same at every run. Whatever the pieces, the
//! events are the same.

use pop3_proto::{Client, Command, Config, Event, Greeting, Incoming, Login, Maildrop, Reply, Server, Verb};
use std::{error::Error, io::Write};

const MESSAGE: &[u8] = b"Subject: dots\n\n.one\n..two\n.\nend\n";

fn main() -> Result<(), Box<dyn Error>> {
    let piece = std::env::args().nth(1).map_or(Ok(1), |octets| octets.parse())?;
    let config = Config::new().allow_cleartext_login().without_top();
    let (mut to_client, mut to_server) = (Vec::new(), Vec::new());
    let mut server = Server::new(config.clone(), Greeting::text("POP3 server ready")?, &mut to_client);
    let mut client = Client::with_config(config);
    let mut maildrop = Maildrop::new([(MESSAGE.len() as u64 + 6, "one")])?; // six LFs become CRLF

    while !client.is_over() {
        for octets in std::mem::take(&mut to_client).chunks(piece) {
            let mut input = octets;
            while let Some(event) = client.next_event(&mut input)? {
                match event {
                    Event::Greeting { .. } => client.send(&Command::user("mrose")?, &mut to_server)?,
                    Event::Ok { to: Verb::User, .. } => client.send(&Command::pass("tanstaaf")?, &mut to_server)?,
                    Event::Ok { to: Verb::Pass, .. } => client.send(&Command::retr(1)?, &mut to_server)?,
                    Event::Body(octets) => std::io::stdout().write_all(octets)?,
                    Event::End { of: Verb::Retr } => client.send(&Command::Quit, &mut to_server)?,
                    Event::Err { to, text, .. } => return Err(format!("the server refuses {to}: {text}").into()),
                    _ => {}
                }
            }
        }
        for octets in std::mem::take(&mut to_server).chunks(piece) {
            let mut input = octets;
            while let Some(incoming) = server.next_event(&mut input, &mut to_client)? {
                match incoming {
                    Incoming::Login(Login::Pass { .. }) => server.reply(&Reply::ok("welcome")?, &mut to_client)?,
                    Incoming::Command(Command::Retr(number)) if maildrop.get(number).is_ok() => {
                        server.begin("message follows", &mut to_client)?;
                        server.body(MESSAGE, &mut to_client)?;
                        server.end(&mut to_client)?;
                    }
                    Incoming::Update => server.reply(&Reply::ok("bye")?, &mut to_client)?,
                    other => maildrop.answer(&other, &mut server, &mut to_client)?,
                }
            }
        }
    }
    Ok(())
}
