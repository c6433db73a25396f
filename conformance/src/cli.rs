//! The command line.

use clap::{Args, Parser, Subcommand, ValueEnum};
use pop3_conformance::peer::live_client::LiveClient;
use pop3_conformance::peer::live_server::{LiveServer, Reach};
use pop3_conformance::peer::tls::{self, Identity, Trust};
use pop3_conformance::peer::{Account, Login, Upgrade};
use std::path::PathBuf;
use std::time::Duration;

/// Checks POP3 servers and clients against RFC 1939 and its extensions.
///
/// Without a command it checks itself: the exchanges that the RFCs print, and every case, on pop3-proto's own server and
/// client, in memory and over TCP and TLS on 127.0.0.1.
///
/// Exit status: 0 conforms, 1 does not, 2 wrong command line, 3 nothing could be run.
#[derive(Debug, Parser)]
#[command(version, about)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) action: Option<Action>,
    #[command(flatten)]
    pub(crate) choice: Choice,
    #[command(flatten)]
    pub(crate) output: Output,
}

/// What is run.
#[derive(Debug, Args)]
pub(crate) struct Choice {
    /// Only cases and transcripts whose names begin with PREFIX (rfc1939/5, rfc1939-05-retr, group/6)
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true, global = true)]
    pub(crate) only: String,
    /// Name the cases and transcripts and what they show, and run none
    #[arg(long, global = true)]
    pub(crate) list: bool,
    /// How long an answer may take
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds, global = true)]
    pub(crate) timeout: Duration,
    /// Known deviations, each with its reason (TOML)
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) expectations: Option<PathBuf>,
    /// Warnings (SHOULD) fail, too
    #[arg(long, global = true)]
    pub(crate) strict: bool,
}

/// What is said.
#[derive(Debug, Args)]
pub(crate) struct Output {
    /// Print what failed, and the total
    #[arg(long, short, conflicts_with = "verbose", global = true)]
    pub(crate) quiet: bool,
    /// Print every case
    #[arg(long, short, global = true)]
    pub(crate) verbose: bool,
    /// Write a JUnit XML report
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) junit: Option<PathBuf>,
    /// Write a JSON report
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) json: Option<PathBuf>,
    /// Write a Markdown report
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) markdown: Option<PathBuf>,
    /// Write a report as one HTML page
    #[arg(long, value_name = "FILE", global = true)]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Action {
    /// Check a live server
    Server(Server),
    /// Check a live client: it is started once a case, and talks to a server that we play
    Client(Client),
    /// Write the mailbox that the cases want
    Fixture(Fixture),
    /// Replay transcripts of your own; the format is in the library's documentation
    Replay(Replay),
    /// Write the page that says which case checks which requirement
    Coverage(Coverage),
}

/// A live server.
#[derive(Debug, Args)]
pub(crate) struct Server {
    /// Where it is: HOST:PORT
    #[arg(value_name = "HOST:PORT", value_parser = address)]
    pub(crate) address: (String, u16),
    #[command(flatten)]
    pub(crate) access: Access,
    /// How many cases run at a time, where the server admits several sessions to one maildrop; those that mark messages
    /// as deleted run one by one
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) jobs: usize,
}

/// How a live server is entered.
#[derive(Debug, Args)]
pub(crate) struct Access {
    /// The user whose maildrop holds the mailbox (see `fixture`)
    #[arg(long, default_value = "", hide_default_value = true)]
    pub(crate) user: String,
    /// A file whose first line is the password
    #[arg(long, value_name = "FILE")]
    pub(crate) password_file: Option<PathBuf>,
    /// The commands that log in
    #[arg(long, value_enum, default_value = "user")]
    pub(crate) login: LoginBy,
    /// A user with the same password and an empty maildrop
    #[arg(long, value_name = "USER")]
    pub(crate) empty_user: Option<String>,
    #[command(flatten)]
    pub(crate) tls: Tls,
    /// Trust the authorities (or the server's own certificate) in this file (PEM) in place of the system's
    #[arg(long, value_name = "FILE", conflicts_with = "insecure")]
    pub(crate) ca: Option<PathBuf>,
    /// Take any certificate
    #[arg(long)]
    pub(crate) insecure: bool,
    /// A certificate (PEM) that the server accepts in place of the user's password: SASL EXTERNAL
    #[arg(long, value_name = "FILE", requires = "client_key")]
    pub(crate) client_cert: Option<PathBuf>,
    /// The key of that certificate (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    pub(crate) client_key: Option<PathBuf>,
    /// Cases may mark messages as deleted, and remove those that the mailbox has for it
    #[arg(long)]
    pub(crate) allow_delete: bool,
}

/// When TLS begins.
#[derive(Clone, Copy, Debug, Args)]
#[group(multiple = false)]
pub(crate) struct Tls {
    /// TLS begins behind STLS
    #[arg(long)]
    stls: bool,
    /// TLS begins with the connection
    #[arg(long)]
    tls: bool,
}

impl Tls {
    const fn upgrade(self) -> Upgrade {
        match self {
            Self { stls: true, .. } => Upgrade::Stls,
            Self { tls: true, .. } => Upgrade::Implicit,
            Self { .. } => Upgrade::None,
        }
    }
}

/// The commands that log in.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LoginBy {
    /// USER and PASS
    User,
    /// AUTH PLAIN
    Plain,
}

/// A live client.
#[derive(Debug, Args)]
pub(crate) struct Client {
    #[command(flatten)]
    tls: Tls,
    /// How many cases run at a time, each with a client of its own
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) jobs: usize,
    /// The program and its arguments. {host}, {port}, {user}, {password}, {password-file}, {dir} (where it is to store
    /// messages) and {ca} (the authority that it is to trust, PEM) are filled in
    #[arg(required = true, last = true, value_name = "CMD")]
    command: Vec<String>,
}

impl Client {
    pub(crate) fn peer(&self, timeout: Duration) -> LiveClient {
        LiveClient { command: self.command.clone(), upgrade: self.tls.upgrade(), patience: timeout }
    }
}

/// Where the mailbox is written.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
pub(crate) struct Fixture {
    /// A Maildir; it is made if it is not there
    #[arg(long, value_name = "DIR")]
    pub(crate) maildir: Option<PathBuf>,
    /// An mbox file, which must not be there
    #[arg(long, value_name = "FILE")]
    pub(crate) mbox: Option<PathBuf>,
}

/// Transcripts of your own.
#[derive(Debug, Args)]
pub(crate) struct Replay {
    /// Files in the transcript format
    #[arg(required = true)]
    pub(crate) files: Vec<PathBuf>,
    /// Replay them as a client of this server: HOST:PORT
    #[arg(long, value_name = "HOST:PORT", value_parser = address)]
    pub(crate) against: Option<(String, u16)>,
    #[command(flatten)]
    pub(crate) access: Access,
}

/// The coverage page.
#[derive(Debug, Args)]
pub(crate) struct Coverage {
    /// Write it to this file; without it, to standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) write: Option<PathBuf>,
    /// Only compare it with this file: exit status 1 if the file is stale
    #[arg(long, value_name = "FILE", conflicts_with = "write")]
    pub(crate) check: Option<PathBuf>,
}

impl Access {
    /// Connects to the server, and looks around.
    pub(crate) fn reach(&self, address: &(String, u16), timeout: Duration) -> Result<LiveServer, String> {
        let (host, port) = address.clone();
        let password = match &self.password_file {
            None => String::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
                text.lines().next().unwrap_or_default().to_owned()
            }
        };
        let login = match self.login {
            LoginBy::User => Login::User,
            LoginBy::Plain => Login::Plain,
        };
        let trust = match &self.ca {
            Some(path) => Trust::File(path.clone()),
            None if self.insecure => Trust::Anything,
            None => Trust::System,
        };
        let identity = match (&self.client_cert, &self.client_key) {
            (Some(certificate), Some(key)) => Some(Identity::in_files(certificate, key)?),
            _ => None,
        };
        let upgrade = self.tls.upgrade();
        let side = match upgrade {
            // STLS cases need a handshake in a run without TLS, too; what cannot be had is said by the case.
            Upgrade::None => tls::towards(&host, &trust, identity.as_ref()).ok(),
            Upgrade::Stls | Upgrade::Implicit => Some(tls::towards(&host, &trust, identity.as_ref())?),
        };
        LiveServer::new(Reach {
            host,
            port,
            account: Account { user: self.user.clone(), password, login },
            empty: self.empty_user.clone(),
            upgrade,
            side,
            certificate: identity.is_some(),
            may_delete: self.allow_delete,
            patience: timeout,
        })
    }
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "it is no number of seconds".to_owned())?;
    if seconds > 0.0 {
        Duration::try_from_secs_f64(seconds).map_err(|error| error.to_string())
    } else {
        Err("it must be more than 0".to_owned())
    }
}

fn address(text: &str) -> Result<(String, u16), String> {
    let (host, port) = text.rsplit_once(':').ok_or("it is no HOST:PORT")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port.parse().map_err(|_| "the port is no number up to 65535")?;
    if host.is_empty() { Err("the host is missing".to_owned()) } else { Ok((host.to_owned(), port)) }
}
