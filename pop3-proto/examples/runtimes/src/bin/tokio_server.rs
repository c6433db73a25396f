//! tokio, with rustls: a server with STLS and AUTH PLAIN, one task for each connection, over two messages in memory.
//!
//! ```text
//! tokio_server 127.0.0.1:0 [CERT.pem KEY.pem]     without a certificate it takes logins in the clear
//! ```
//!
//! `server.patience()` is the autologout timer (RFC 1939 §3); the clock is tokio's. The answers to one read leave in one
//! write. The user is mrose, the password tanstaaf.

use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{Builtin, Command, Config, Greeting, Incoming, Login, Maildrop, Reply, Server, State, Top};
use std::{error::Error, sync::Arc};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use tokio_rustls::{TlsAcceptor, rustls};

const MESSAGES: [(&str, &str); 2] = [("one", "Subject: one\n\nfirst\n"), ("two", "Subject: two\n\n.dot\n..\n.\nend\n")];

trait Socket: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Socket for T {}

type Outcome = Result<(), Box<dyn Error + Send + Sync>>;

async fn serve(mut socket: Box<dyn Socket>, config: Arc<Config>, tls: Option<TlsAcceptor>) -> Outcome {
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

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (config, tls) = match arguments.as_slice() {
        [_, cert, key] => {
            let (cert, key) = (CertificateDer::from_pem_file(cert)?, PrivateKeyDer::from_pem_file(key)?);
            let tls = rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![cert], key)?;
            (Config::new().with_stls(), Some(TlsAcceptor::from(Arc::new(tls))))
        }
        [_] => (Config::new().allow_cleartext_login(), None),
        _ => return Err("usage: tokio_server HOST:PORT [CERT.pem KEY.pem]".into()),
    };
    let config = Arc::new(config.builtin_mechanisms([Builtin::Plain]));
    let listener = tokio::net::TcpListener::bind(&arguments[0]).await?;
    println!("listening on {}", listener.local_addr()?);
    loop {
        let (socket, _) = listener.accept().await?;
        socket.set_nodelay(true)?;
        let session = serve(Box::new(socket), Arc::clone(&config), tls.clone());
        tokio::spawn(async move {
            if let Err(error) = session.await {
                eprintln!("a session ended early: {error}");
            }
        });
    }
}
