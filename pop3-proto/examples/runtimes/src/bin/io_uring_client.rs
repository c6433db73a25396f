//! io_uring, through compio: the kernel owns the buffer while it reads, and hands it back.
//!
//! ```text
//! io_uring_client HOST:PORT USER PASSWORD
//! ```
//!
//! A completion-based runtime takes buffers by value. That suits a machine that keeps no reference to any: the events of
//! one read are all handled before the buffer goes to the kernel again, and `out` travels the same way. Where the kernel
//! refuses io_uring (a container may), it says so and exits with status 3.

use compio::BufResult;
use compio::io::{AsyncRead, AsyncWriteExt};
use pop3_proto::{Client, Command, Config, Data, Event, Verb};
use std::{error::Error, io::Write, ops::RangeInclusive, process::ExitCode};

fn main() -> Result<ExitCode, Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [address, user, password] = arguments.as_slice() else {
        return Err("usage: io_uring_client HOST:PORT USER PASSWORD".into());
    };
    match compio::runtime::Runtime::new() {
        Ok(runtime) => runtime.block_on(fetch(address, user, password)).map(|()| ExitCode::SUCCESS),
        Err(why) => {
            eprintln!("this kernel does not give us io_uring: {why}");
            Ok(ExitCode::from(3))
        }
    }
}

async fn fetch(address: &str, user: &str, password: &str) -> Result<(), Box<dyn Error>> {
    let mut socket = compio::net::TcpStream::connect(address).await?;
    socket.set_nodelay(true)?;
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut buffer, mut out, mut numbers) = (Vec::with_capacity(16 * 1024), Vec::new(), RangeInclusive::new(1, 0));

    while !client.is_over() {
        let BufResult(read, filled) = socket.read(buffer).await; // the buffer is the kernel's until this returns
        if read? == 0 {
            return Ok(client.handle_eof()?);
        }
        let mut input = &filled[..];
        while let Some(event) = client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => client.send(&Command::user(user)?, &mut out)?,
                Event::Ok { to: Verb::User, .. } => client.send(&Command::pass(password)?, &mut out)?,
                Event::Ok { to: Verb::Pass, .. } => client.send(&Command::Stat, &mut out)?,
                Event::Body(octets) => std::io::stdout().write_all(octets)?,
                Event::Ok { to: Verb::Stat, data: Data::Drop(maildrop), .. } => {
                    numbers = 1..=maildrop.messages;
                    client.send(&numbers.next().map_or(Ok(Command::Quit), Command::retr)?, &mut out)?;
                }
                Event::End { of: Verb::Retr } => {
                    client.send(&numbers.next().map_or(Ok(Command::Quit), Command::retr)?, &mut out)?;
                }
                Event::Err { to, text, .. } => return Err(format!("the server refuses {to}: {text}").into()),
                _ => {}
            }
        }
        buffer = filled;
        buffer.clear();
        let BufResult(written, sent) = socket.write_all(out).await;
        written?;
        out = sent;
        out.clear();
    }
    Ok(())
}
