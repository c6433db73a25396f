//! HOST PORT USER COUNT: prints the messages, with pop3-proto, in one batch where the server pipelines.

use pop3_proto::{Client, Command, Config, Event, Verb};
use std::{env, error::Error, io::Read, io::Write, net::TcpStream};

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, count] = arguments.as_slice() else { return Err("usage: HOST PORT USER COUNT".into()) };
    let mut socket = TcpStream::connect((host.as_str(), port.parse()?))?;
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let (mut buffer, mut out) = ([0; 16 * 1024], Vec::new());
    let (count, mut asked, mut got, mut ready): (u32, _, _, _) = (count.parse()?, 0, 0, false);
    while !client.is_over() {
        let n = socket.read(&mut buffer)?;
        if n == 0 {
            return Ok(client.handle_eof()?);
        }
        let mut input = &buffer[..n];
        while let Some(event) = client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => client.send(&Command::user(user)?, &mut out)?,
                Event::Ok { to: Verb::User, .. } => client.send(&Command::pass("tanstaaf")?, &mut out)?,
                Event::Ok { to: Verb::Pass, .. } => client.send(&Command::Capa, &mut out)?,
                Event::End { of: Verb::Capa } => ready = true,
                Event::Body(octets) => std::io::stdout().write_all(octets)?,
                Event::End { of: Verb::Retr } => got += 1,
                Event::Err { to, text, .. } => return Err(format!("{to}: {text}").into()),
                _ => {}
            }
        }
        while ready && asked < count && client.may_send(&Command::retr(asked + 1)?).is_ok() {
            asked += 1;
            client.send(&Command::retr(asked)?, &mut out)?;
        }
        if ready && got == count && client.may_send(&Command::Quit).is_ok() {
            client.send(&Command::Quit, &mut out)?;
        }
        socket.write_all(&out)?;
        out.clear();
    }
    Ok(())
}
