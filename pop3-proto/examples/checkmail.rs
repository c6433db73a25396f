//! How much mail is there? A mailbox checker in thirty lines.
//!
//! ```text
//! cargo run -p pop3-proto --example checkmail -- 127.0.0.1:1110 mrose tanstaaf
//! ```

use pop3_proto::{Client, Command, Config, Data, Event, Verb};
use std::io::{Read, Write};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [server, user, password] = arguments.as_slice() else { return Err("usage: HOST:PORT USER PASSWORD".into()) };
    let mut socket = std::net::TcpStream::connect(server)?;
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut buffer, mut out) = ([0; 4096], Vec::new());
    while !client.is_over() {
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            return Ok(client.handle_eof()?);
        }
        let mut input = &buffer[..n];
        while let Some(event) = client.next_event(&mut input)? {
            let command = match event {
                Event::Greeting { .. } => Command::user(user)?,
                Event::Ok { to: Verb::User, .. } => Command::pass(password)?,
                Event::Ok { to: Verb::Pass, .. } => Command::Stat,
                Event::Ok { to: Verb::Stat, data: Data::Drop(stat), .. } => {
                    println!("{} messages, {} octets", stat.messages, stat.octets.unwrap_or(0));
                    Command::Quit
                }
                Event::Err { to, text, .. } => return Err(format!("the server refuses {to}: {text}").into()),
                _ => continue,
            };
            client.send(&command, &mut out)?;
        }
        socket.write_all(&out)?;
        out.clear();
    }
    Ok(())
}
