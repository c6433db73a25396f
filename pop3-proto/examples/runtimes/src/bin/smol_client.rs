//! smol: asks what the server can do, then fetches all messages in one batch if it pipelines.
//!
//! ```text
//! smol_client HOST:PORT USER PASSWORD
//! ```
//!
//! The loop is that of a blocking client, with `.await` behind `read` and `write_all`. `may_send` says when to stop
//! sending ahead: it knows PIPELINING, the window, and what has to stand alone.

use pop3_proto::{Client, Command, Config, Data, Event, Verb};
use smol::io::{AsyncReadExt, AsyncWriteExt};
use std::{error::Error, io::Write};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, user, password] = arguments.as_slice() else {
        return Err("usage: smol_client HOST:PORT USER PASSWORD".into());
    };
    smol::block_on(fetch(address, user, password))
}

async fn fetch(address: &str, user: &str, password: &str) -> Result<(), Box<dyn Error>> {
    let mut socket = smol::net::TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut buffer, mut out) = (vec![0; 16 * 1024], Vec::new());
    let (mut messages, mut asked, mut got) = (None, 0, 0); // unknown before STAT

    while !client.is_over() {
        let n = socket.read(&mut buffer).await?;
        if n == 0 {
            return Ok(client.handle_eof()?);
        }
        let mut input = &buffer[..n];
        while let Some(event) = client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => client.send(&Command::user(user)?, &mut out)?,
                Event::Ok { to: Verb::User, .. } => client.send(&Command::pass(password)?, &mut out)?,
                Event::Ok { to: Verb::Pass, .. } => client.send(&Command::Capa, &mut out)?,
                Event::End { of: Verb::Capa } => client.send(&Command::Stat, &mut out)?,
                Event::Ok { to: Verb::Stat, data: Data::Drop(maildrop), .. } => messages = Some(maildrop.messages),
                Event::Body(octets) => std::io::stdout().write_all(octets)?,
                Event::End { of: Verb::Retr } => got += 1,
                Event::Err { to, text, .. } => return Err(format!("the server refuses {to}: {text}").into()),
                _ => {}
            }
        }
        // As many as the window takes; one at a time where the server does not pipeline.
        while messages.is_some_and(|all| asked < all) && client.may_send(&Command::retr(asked + 1)?).is_ok() {
            asked += 1;
            client.send(&Command::retr(asked)?, &mut out)?;
        }
        if messages == Some(got) && client.may_send(&Command::Quit).is_ok() {
            client.send(&Command::Quit, &mut out)?;
        }
        socket.write_all(&out).await?;
        out.clear();
    }
    Ok(())
}
