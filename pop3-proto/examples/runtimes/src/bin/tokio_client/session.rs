//! One connection: the driver.
//!
//! `client.patience()` says how long each wait may be; the clock is tokio's. The buffer is the driver's, and events borrow
//! from it across the `.await`s.

use pop3_proto::{Client, Command, Config, Data, Event, Exchange, Peer, State, Verb};
use std::{error::Error, io::Write, ops::RangeInclusive};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsConnector;
use tokio_rustls::rustls::pki_types::ServerName;

trait Socket: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Socket for T {}

pub async fn fetch(address: &str, tls: TlsConnector, user: &str, password: &str) -> Result<(), Box<dyn Error>> {
    let host = address.rsplit_once(':').ok_or("no port")?.0.to_owned();
    let tcp = tokio::net::TcpStream::connect(address).await?;
    tcp.set_nodelay(true)?;
    let mut socket: Box<dyn Socket> = Box::new(tcp);
    let mut client = Client::with_config(Config::new()); // the default: no login before TLS
    let mut exchange = Exchange::plain("", user, password)?;
    let (mut buffer, mut out, mut numbers) = (vec![0; 16 * 1024], Vec::new(), RangeInclusive::new(1, 0));

    while !client.is_over() {
        let n = match client.patience() {
            Some(limit) => tokio::time::timeout(limit, socket.read(&mut buffer)).await??,
            None => socket.read(&mut buffer).await?,
        };
        if n == 0 {
            return Ok(client.handle_eof()?);
        }
        let mut input = &buffer[..n];
        while let Some(event) = client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => client.send(&Command::Stls, &mut out)?,
                Event::Challenge(challenge) => client.answer(&challenge, &mut exchange, &mut out)?,
                Event::Ok { to: Verb::Auth, .. } => client.send(&Command::Stat, &mut out)?,
                Event::Body(octets) => std::io::stdout().write_all(octets)?,
                Event::Ok { to: Verb::Stat, data: Data::Drop(maildrop), .. } => {
                    numbers = 1..=maildrop.messages;
                    client.send(&next(&mut numbers)?, &mut out)?;
                }
                Event::End { of: Verb::Retr } => client.send(&next(&mut numbers)?, &mut out)?,
                Event::Err { to, text, .. } => return Err(format!("the server refuses {to}: {text}").into()),
                _ => {}
            }
        }
        if client.state() == State::Handshake {
            // Nothing of `input` is left here: octets in the clear behind the +OK would have been an error.
            let name = ServerName::try_from(host.clone())?;
            socket = Box::new(tls.connect(name, socket).await?);
            client.tls_established(Peer::Verified)?;
            client.authenticate(&mut exchange, &mut out)?;
        }
        socket.write_all(&out).await?;
        socket.flush().await?;
        out.clear();
    }
    Ok(())
}

/// RETR for each message, then QUIT.
fn next(numbers: &mut RangeInclusive<u32>) -> Result<Command<'static>, pop3_proto::Misuse> {
    numbers.next().map_or(Ok(Command::Quit), Command::retr)
}
