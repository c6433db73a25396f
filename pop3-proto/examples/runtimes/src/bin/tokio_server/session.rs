//! One connection: the driver.
//!
//! `server.patience()` is the autologout timer (RFC 1939 §3); the clock is tokio's. The answers to one read leave in one
//! write.

use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{Command, Config, Greeting, Incoming, Login, Maildrop, Reply, Server, State, Top};
use std::{error::Error, sync::Arc};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::TlsAcceptor;

const MESSAGES: [(&str, &str); 2] = [("one", "Subject: one\n\nfirst\n"), ("two", "Subject: two\n\n.dot\n..\n.\nend\n")];

pub trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

pub async fn serve(mut socket: Box<dyn Socket>, config: Arc<Config>, tls: Option<TlsAcceptor>) -> Outcome {
    let (mut buffer, mut out) = (vec![0; 4096], Vec::new());
    let mut server = Server::new(config, Greeting::text("POP3 server ready")?, &mut out);
    let mut maildrop = Maildrop::default();

    while !server.is_over() {
        socket.write_all(&out).await?;
        socket.flush().await?;
        out.clear();
        if server.state() == State::Handshake {
            // What came in the clear behind STLS was never read: a server that has any refuses to go on.
            socket = Box::new(tls.as_ref().ok_or("no certificate")?.accept(socket).await?);
            server.tls_established()?;
        }
        let wait = server.patience().unwrap_or(std::time::Duration::MAX);
        let Ok(read) = tokio::time::timeout(wait, socket.read(&mut buffer)).await else {
            server.handle_autologout(); // says nothing, and removes nothing
            return Ok(());
        };
        let n = read?;
        if n == 0 {
            server.handle_eof();
            return Ok(());
        }
        let mut input = &buffer[..n];
        while let Some(incoming) = server.next_event(&mut input, &mut out)? {
            match incoming {
                Incoming::Command(Command::Stls) => server.reply(&Reply::ok("begin TLS")?, &mut out)?,
                Incoming::Login(Login::Pass { name, password })
                    if name.as_str() == "mrose" && password.reveal() == b"tanstaaf" =>
                {
                    let sizes = MESSAGES.map(|(id, text)| (Size::of(text.as_bytes(), Newlines::Canonical), id));
                    maildrop = Maildrop::new(sizes)?;
                    server.reply(&Reply::ok("welcome")?, &mut out)?;
                }
                Incoming::Command(command @ (Command::Retr(number) | Command::Top { number, .. }))
                    if maildrop.get(number).is_ok() =>
                {
                    let text = MESSAGES[maildrop.get(number)?.index].1.as_bytes();
                    server.begin("message follows", &mut out)?;
                    match command {
                        Command::Top { lines, .. } => server.body(Top::new(lines).take(text), &mut out)?,
                        _ => server.body(text, &mut out)?,
                    }
                    server.end(&mut out)?;
                }
                Incoming::Update => server.reply(&Reply::ok("nothing is removed here")?, &mut out)?,
                other => maildrop.answer(&other, &mut server, &mut out)?,
            }
        }
    }
    Ok(socket.write_all(&out).await?)
}
