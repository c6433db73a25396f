//! A POP3 server for Maildirs, on tokio.
//!
//! ```text
//! cargo run --release -p pop3-proto --example maildir_server -- \
//!     --listen 127.0.0.1:1110 --maildir ~/Maildir --user mrose --password-file secret --allow-cleartext
//! ```
//!
//! It prints `listening on ADDR` once it takes connections (with port 0, ADDR says which port it got).
//!
//! With `--tls-cert` and `--tls-key` it offers STLS, and with `--implicit-tls` as well it speaks TLS from the first octet.
//! Without `--allow-cleartext` it takes a password only over TLS.
//!
//! It serves one user, or all those of `--accounts FILE`: a line for each, with name, password and Maildir, a TAB between them.
//!
//! It has SASL too (RFC 5034): PLAIN and LOGIN, or what `--mechanisms` says, wherever a login is permitted.
//!
//! | file | what it is about |
//! |---|---|
//! | `maildir_server.rs` | the command line, the listening socket, one task for each connection |
//! | `maildir_server/session.rs` | the driver: octets in, answers out, back-pressure, autologout |
//! | `maildir_server/maildir.rs` | the maildrop: lock, scan, unique-ids, removal |
//! | `maildir_server/sizes.rs` | how many octets RETR sends, counted once and kept in the Maildir |
//! | `maildir_server/message.rs` | message text, a chunk at a time |
//! | `maildir_server/account.rs` | users, passwords and the token |
//! | `maildir_server/tls.rs` | the certificate, and the handshake |
//!
//! What the RFC leaves to a server, and how it is done here:
//!
//! * One session at a time has the maildrop, from the login to its end; a second login gets `-ERR [IN-USE]`.
//! * Messages are removed in the UPDATE state only, that is after QUIT. A lost connection removes nothing.
//! * After ten minutes without a command the connection is closed without a word, and nothing is removed.
//! * Messages are listed from `new/` and from `cur/` and stay where they are, unchanged and without the flag `S`. To
//!   have them downloaded is not to have read them: that is for the program to say that shows them.
//! * Every login that fails for its credentials carries `[AUTH]`, and one that fails for the Maildir `[SYS/TEMP]`: a
//!   client knows when to ask its user for another password.
//! * Messages go out as they are stored. So there is no UTF8 (RFC 6856): it would promise that the others get a header
//!   with octets beyond ASCII rewritten.

#[path = "maildir_server/account.rs"]
mod account;
#[path = "maildir_server/maildir.rs"]
mod maildir;
#[path = "maildir_server/message.rs"]
mod message;
#[path = "maildir_server/session.rs"]
mod session;
#[path = "maildir_server/sizes.rs"]
mod sizes;
#[path = "maildir_server/tls.rs"]
mod tls;

use account::Accounts;
use clap::Parser;
use pop3_proto::{Builtin, Config};
use session::House;
use std::error::Error;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use tls::Tls;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::Semaphore;

/// Serves Maildirs over POP3.
#[derive(Debug, Parser)]
struct Arguments {
    /// Address and port to listen on; port 0 takes one that is free.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:1110")]
    listen: SocketAddr,

    /// The Maildir: a directory that holds `cur`, `new` and `tmp`.
    #[arg(long, value_name = "DIR", required_unless_present = "accounts")]
    maildir: Option<PathBuf>,

    /// The user whose Maildir it is.
    #[arg(long, value_name = "NAME", required_unless_present = "accounts")]
    user: Option<String>,

    /// A file whose first line is the password.
    #[arg(long, value_name = "FILE", required_unless_present = "accounts")]
    password_file: Option<PathBuf>,

    /// Many users: a file with a line for each, with name, password and Maildir, a TAB between them.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["maildir", "user", "password_file", "token_file"])]
    accounts: Option<PathBuf>,

    /// So many connections at once; more wait to be accepted. Each takes up to three file descriptors, of which many systems
    /// allow 1024 if nobody says otherwise.
    #[arg(long, value_name = "NUMBER", default_value_t = 300, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    connections: u32,

    /// Allow logins in the clear: whoever is on the way can read the password.
    #[arg(long)]
    allow_cleartext: bool,

    /// The certificate chain, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,

    /// The certificate's private key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,

    /// Speak TLS from the first octet, instead of offering STLS.
    #[arg(long, requires = "tls_cert")]
    implicit_tls: bool,

    /// Allow APOP, whose MD5 is broken: whoever is in the middle can recover the password.
    #[arg(long)]
    apop: bool,

    /// The SASL mechanisms to offer: PLAIN, LOGIN, XOAUTH2, OAUTHBEARER, and for tests EXTERNAL and ANONYMOUS, with which
    /// nobody gets in. With `none` there are none.
    #[arg(long, value_name = "NAMES", default_value = "PLAIN,LOGIN", value_parser = mechanisms)]
    mechanisms: Offer,

    /// Offer CRAM-MD5 too. Its MD5 is broken as well: whoever listens can guess at the password at home.
    #[arg(long)]
    cram_md5: bool,

    /// A file whose first line is the access token for XOAUTH2 and OAUTHBEARER.
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// Print the dialogue to stderr: credentials masked, the mail not.
    #[arg(long)]
    trace: bool,

    /// Log out a silent client sooner than RFC 1939 permits; for tests.
    #[arg(long, value_name = "SECONDS")]
    autologout_below_ten_minutes: Option<u64>,
}

/// Mechanisms, as one value: clap takes a plain `Vec` for an option given several times.
type Offer = Arc<[Builtin]>;

fn mechanisms(names: &str) -> Result<Offer, String> {
    if names.eq_ignore_ascii_case("none") {
        return Ok(Offer::default());
    }
    let named = |name: &str| Builtin::ALL.into_iter().find(|builtin| builtin.name().eq_ignore_ascii_case(name));
    names.split(',').map(|name| named(name).ok_or_else(|| format!("no mechanism {name:?}"))).collect()
}

/// More threads than processors: now and then one of them waits for the disk (see `message.rs`).
const WORKERS: usize = 16;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    match runtime.map_err(Into::into).and_then(|runtime| runtime.block_on(run(&arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("maildir_server: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let tls = match (&arguments.tls_cert, &arguments.tls_key) {
        (Some(cert), Some(key)) if arguments.implicit_tls => Tls::Implicit(tls::acceptor(cert, key)?),
        (Some(cert), Some(key)) => Tls::Stls(tls::acceptor(cert, key)?),
        _ => Tls::None,
    };
    let mut config = Config::new()
        .implementation("pop3-proto-maildir-server")?
        .builtin_mechanisms(arguments.mechanisms.iter().copied());
    if arguments.cram_md5 {
        config = config.sasl_mechanisms([session::CRAM_MD5])?;
    }
    if let Tls::Stls(_) = tls {
        config = config.with_stls();
    }
    if arguments.allow_cleartext {
        config = config.allow_cleartext_login();
    } else if let Tls::None = tls {
        eprintln!("no login will be accepted: there is neither a certificate nor --allow-cleartext");
    }
    if arguments.apop {
        config = config.allow_apop_md5();
    }
    if let Some(seconds) = arguments.autologout_below_ten_minutes {
        config = config.autologout_below_ten_minutes(Duration::from_secs(seconds));
    }
    let house = Arc::new(House {
        accounts: accounts(arguments)?,
        // A client that sees a timestamp in the greeting may insist on APOP, so there is none where APOP cannot succeed.
        apop: arguments.apop && (arguments.allow_cleartext || arguments.implicit_tls),
        tls,
        trace: arguments.trace,
        config: Arc::new(config),
    });

    let listener = listen(arguments.listen).map_err(|error| format!("{}: {error}", arguments.listen))?;
    println!("listening on {}", listener.local_addr()?);
    io::stdout().flush()?;

    let free = Arc::new(Semaphore::new(arguments.connections as usize));
    loop {
        let place = Arc::clone(&free).acquire_owned().await?;
        match listener.accept().await {
            Ok((stream, peer)) => {
                let house = Arc::clone(&house);
                tokio::spawn(async move {
                    if let Err(error) = connection(&house, stream, peer).await {
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

fn accounts(arguments: &Arguments) -> Result<Accounts, String> {
    match (&arguments.accounts, &arguments.user, &arguments.password_file, &arguments.maildir) {
        (Some(file), ..) => Accounts::listed(file),
        (None, Some(user), Some(password_file), Some(maildir)) => {
            Accounts::one(user, password_file, arguments.token_file.as_deref(), maildir)
        }
        _ => Err("whose Maildir? Say --accounts, or --user, --password-file and --maildir".to_owned()),
    }
}

fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // As `TcpListener::bind` does it, but for the queue: there it is shorter than a burst of connections, and who does not
    // fit in tries again a second later.
    socket.set_reuseaddr(cfg!(unix))?;
    socket.bind(address)?;
    socket.listen(1024)
}

async fn connection(house: &House, stream: TcpStream, peer: SocketAddr) -> Result<(), Box<dyn Error + Send + Sync>> {
    // An answer is one write already. Without this its last segment would wait for the acknowledgement of the one before.
    stream.set_nodelay(true)?;
    session::serve(house, stream, peer).await
}
