//! A POP3 proxy: `Server` and `Client` back to back, on tokio, for a mail program that cannot speak today's TLS.
//!
//! ```text
//! cargo run --release -p pop3-proto --example proxy -- \
//!     --listen 127.0.0.1:1110 --upstream pop.example.org:995 --upstream-tls --allow-cleartext
//! ```
//!
//! It prints `listening on ADDR` once it takes connections (with port 0, ADDR says which port it got). Downstream is the mail
//! program, on this machine and in the clear; upstream is the server that has the mail.
//!
//! | file | what it is about |
//! |---|---|
//! | `proxy.rs` | the command line, the listening socket, one task for each connection |
//! | `proxy/session.rs` | one session: a command comes, goes on, and its answer comes back |
//! | `proxy/downstream.rs` | the socket of the mail program |
//! | `proxy/upstream.rs` | the connection to the server: TLS, login, commands |
//! | `proxy/tls.rs` | which certificates are good |
//!
//! What makes a proxy a good one, and how it is done here:
//!
//! * Nothing that one side says reaches the other as octets, but message text. Commands and answers are parsed by one machine
//!   and written by the other, and so nobody can put a line of his own into somebody else's session.
//! * Message text passes as it is on the wire, stuffing left in, a read at a time. What was read is written before more is
//!   read: memory is constant, and who reads slowly slows the server down, and not the proxy.
//! * A message whose end did not come is given no end: the connection downstream is closed.
//! * Messages are deleted by QUIT and nothing else. A mail program that is gone is a connection upstream that is dropped.
//! * The capability list is the server's, without what does not pass, and with what the proxy does itself.

#[path = "proxy/downstream.rs"]
mod downstream;
#[path = "proxy/session.rs"]
mod session;
#[path = "proxy/tls.rs"]
mod tls;
#[path = "proxy/upstream.rs"]
mod upstream;

use clap::Parser;
use pop3_proto::{Builtin, Config};
use session::House;
use std::error::Error;
use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use upstream::{Security, Target};

/// Stands between a mail program on this machine and a POP3 server.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address and port to listen on, of this machine only; port 0 takes one that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1110")]
    listen: SocketAddr,

    /// The server; without a port, 995 with --upstream-tls and 110 else.
    #[arg(long, value_name = "HOST:PORT")]
    upstream: String,

    /// Speak TLS to the server from the first octet.
    #[arg(long, conflicts_with = "upstream_stls")]
    upstream_tls: bool,

    /// Begin TLS with STLS, and send no password if the server does not.
    #[arg(long)]
    upstream_stls: bool,

    /// Certificates (PEM) that may vouch for the server; without it, those of the system.
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Take any certificate: whoever is on the way can read the password.
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,

    /// Take logins in the clear from the mail program. There is no other way yet, and so it must be given.
    #[arg(long)]
    allow_cleartext: bool,

    /// Log out a silent mail program sooner than RFC 1939 permits; for tests.
    #[arg(long, value_name = "SECONDS")]
    autologout_below_ten_minutes: Option<u64>,
}

/// More connections than this wait to be accepted.
const CONNECTIONS: usize = 500;

#[tokio::main]
async fn main() -> Result<(), String> {
    let arguments = Arguments::parse();
    run(&arguments).await.map_err(|error| error.to_string())
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    if !arguments.allow_cleartext {
        return Err("the side of the mail program has no TLS: --allow-cleartext says that this is known".into());
    }
    if !arguments.listen.ip().is_loopback() {
        return Err(format!("{} is not an address of this machine alone", arguments.listen).into());
    }
    let house = Arc::new(House { config: Arc::new(downstream_config(arguments)), target: target(arguments)? });

    let listener =
        TcpListener::bind(arguments.listen).await.map_err(|error| format!("{}: {error}", arguments.listen))?;
    println!("listening on {}", listener.local_addr()?);
    std::io::stdout().flush()?;

    let free = Arc::new(Semaphore::new(CONNECTIONS));
    loop {
        let place = Arc::clone(&free).acquire_owned().await?;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    if let Err(error) = connection(&house, stream).await {
                        eprintln!("{peer}: {error}");
                    }
                    drop(place);
                });
            }
            Err(error) => {
                // Out of file descriptors, for one: it will pass, and until then there is no use in asking at once again.
                eprintln!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        }
    }
}

async fn connection(house: &House, stream: TcpStream) -> Result<(), Box<dyn Error + Send + Sync>> {
    // An answer is one write already. Without this its last segment would wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    session::serve(house, stream).await
}

/// The machine downstream adds `[AUTH]` to a refused login if it announces the code. Here the server knows why it refused, and
/// so its code is passed on, or none.
fn downstream_config(arguments: &Arguments) -> Config {
    let config = Config::new()
        .allow_cleartext_login()
        .builtin_mechanisms([Builtin::Plain, Builtin::Login])
        .without_response_codes();
    match arguments.autologout_below_ten_minutes {
        Some(seconds) => config.autologout_below_ten_minutes(Duration::from_secs(seconds)),
        None => config,
    }
}

fn target(arguments: &Arguments) -> Result<Target, Box<dyn Error>> {
    let security = match (arguments.upstream_tls, arguments.upstream_stls) {
        (true, _) => Security::Implicit,
        (false, true) => Security::Stls,
        (false, false) => Security::None,
    };
    let tls = match security {
        Security::None => None,
        Security::Implicit | Security::Stls => Some(tls::connector(arguments.ca.as_deref(), arguments.insecure)?),
    };
    let target = Target::new(&arguments.upstream, security, tls)?;
    if security == Security::None && !target.is_loopback() {
        eprintln!("passwords go to {} in the clear: see --upstream-tls and --upstream-stls", arguments.upstream);
    }
    Ok(target)
}
