//! Fetches a maildrop: every message, octet by octet, into a file of its own.
//!
//! ```text
//! cargo run --release -p pop3-proto --example fetch -- \
//!     --user mrose --password-file FILE [--tls] [--delete] [--uidl-state FILE] HOST[:PORT] DIR
//! ```
//!
//! A blocking driver around [`Client`](pop3_proto::Client) that is meant to be read, and good enough to be used.
//!
//! Nothing secret goes out without TLS: the connection begins in the clear and turns to TLS by STLS (RFC 2595), or it is
//! TLS from the first octet (`--tls`, RFC 8314); a server that has neither is left, unless `--allow-cleartext` says
//! otherwise.
//!
//! | file | what is in it |
//! |---|---|
//! | `fetch.rs` | arguments, exit codes, and the order of the whole |
//! | `fetch/connection.rs` | the machine and its line: all reads and writes, all time limits, the beginning of TLS |
//! | `fetch/tls.rs` | whom to trust, and the handshake, with rustls |
//! | `fetch/credentials.rs` | who logs in, and in which ways |
//! | `fetch/session.rs` | greeting, CAPA, STLS, login, CAPA, UIDL, LIST and, in the end, QUIT |
//! | `fetch/download.rs` | RETR and DELE, with many commands on the way if the server announced PIPELINING |
//! | `fetch/store.rs` | how a message gets on disk whole or not at all |
//! | `fetch/known.rs` | the file of `--uidl-state` |
//! | `fetch/place.rs` | `HOST[:PORT]` and `pop://` URLs |
//! | `fetch/log.rs` | what `--trace` shows |
//! | `fetch/report.rs` | what is said on the way |
//!
//! The order of things is the point of it. A message is written under a temporary name, made durable (fsync), and gets its
//! final name; when all are there, the directory is made durable, and only then does the first DELE go out. RFC 1939 §6
//! removes nothing before QUIT, so that an early DELE would gain nothing anyway. Whatever breaks off on the way, each message
//! is on the server, on disk, or both.

#[path = "fetch/connection.rs"]
mod connection;
#[path = "fetch/credentials.rs"]
mod credentials;
#[path = "fetch/download.rs"]
mod download;
#[path = "fetch/known.rs"]
mod known;
#[path = "fetch/log.rs"]
mod log;
#[path = "fetch/place.rs"]
mod place;
#[path = "fetch/report.rs"]
mod report;
#[path = "fetch/session.rs"]
mod session;
#[path = "fetch/store.rs"]
mod store;
#[path = "fetch/tls.rs"]
mod tls;

use clap::{Parser, ValueEnum};
use connection::Connection;
use credentials::{Login, Way, secret_in};
use download::{Deletion, Download, Outcome};
use known::Known;
use log::Log;
use place::{Mechanism, Place};
use pop3_proto::{Committed, Config, InitialResponse, Secret, UniqueId, Wait};
use report::Report;
use session::{Listed, Listing, UniqueIds};
use std::collections::BTreeSet;
use std::io;
use std::io::Write as _;
use std::net::{TcpStream, ToSocketAddrs};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;
use store::Store;
use tls::{Identity, Tls, Trust};

/// Downloads all messages of a POP3 maildrop, each into a file of its own.
#[derive(Parser)]
#[command(name = "fetch", after_help = EXIT_CODES)]
struct Arguments {
    /// HOST, HOST:PORT (110 if not given, 995 with --tls), or a URL: pop://USER;AUTH=+APOP@HOST:PORT (RFC 2384)
    #[arg(value_name = "SERVER")]
    place: Place,

    /// Where the messages go; made if it is not there
    #[arg(value_name = "DIR")]
    directory: PathBuf,

    /// Whose maildrop, if the URL does not say it
    #[arg(long)]
    user: Option<String>,

    /// The file whose first line is the password
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,

    /// The file whose first line is the access token, for the ways xoauth2 and oauthbearer
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,

    /// The ways to log in that are allowed, the best first (plain, login and userpass, if not given)
    #[arg(long, value_name = "WAY", value_delimiter = ',')]
    auth: Vec<Way>,

    /// The same as --auth apop
    #[arg(long, conflicts_with = "auth")]
    apop: bool,

    /// When the first response goes into the AUTH line: where it saves time, or never, or with tokens too
    #[arg(long, value_name = "WHEN", value_enum, default_value_t = Initial::Auto)]
    initial_response: Initial,

    /// TLS from the first octet
    #[arg(long, conflicts_with_all = ["stls", "allow_cleartext"])]
    tls: bool,

    /// TLS by the command STLS. That is what happens without --tls, too; this is for whoever wants to see it written down
    #[arg(long, conflicts_with = "allow_cleartext")]
    stls: bool,

    /// Log in without TLS where the server has no STLS: whoever is on the way can read the password and the mail, and can
    /// make it look as if there were no STLS
    #[arg(long)]
    allow_cleartext: bool,

    /// Trust the certification authorities in FILE (PEM), and not those of the system
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,

    /// Take any certificate: TLS, but nobody knows with whom
    #[arg(long, conflicts_with = "ca")]
    insecure: bool,

    /// Our own certificate (PEM, with its chain), for servers that want one
    #[arg(long, value_name = "FILE", requires = "client_key")]
    client_cert: Option<PathBuf>,

    /// Its private key (PEM)
    #[arg(long, value_name = "FILE", requires = "client_cert")]
    client_key: Option<PathBuf>,

    /// Delete from the server what this run fetched, once it is safely on disk
    #[arg(long)]
    delete: bool,

    /// Fetch only what FILE does not list, and list it there. With --delete, only what is new is deleted, and what FILE
    /// lists from earlier runs stays on the server
    #[arg(long, value_name = "FILE")]
    uidl_state: Option<PathBuf>,

    /// Give up when nothing came for so long (5 minutes for the greeting, 10 for an answer, if not given)
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: Option<u64>,

    /// Show the dialogue on stderr, credentials masked and message text left out
    #[arg(long)]
    trace: bool,
}

/// [`InitialResponse`], as the command line has it.
#[derive(Clone, Copy, ValueEnum)]
enum Initial {
    Auto,
    Never,
    Always,
}

const EXIT_CODES: &str = "Exit codes:
  0  all that was to be fetched is on disk (and deleted on the server, with --delete)
  1  something was not fetched or not deleted; what was not fetched is on the server still
  2  the arguments, or a file they name, cannot be used; nothing was sent
  3  no session: no connection, no POP3 server, or the login was refused
  4  QUIT was not answered +OK: what was to be deleted may be on the server or not; all of that is on disk";

/// The exit codes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Exit {
    Done = 0,
    Incomplete = 1,
    Usage = 2,
    NoSession = 3,
    NotConfirmed = 4,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = Report::new(arguments.trace);
    let exit = run(&arguments, &mut report).unwrap_or_else(|(exit, why)| {
        report.end();
        report.note(&why);
        exit
    });
    ExitCode::from(exit as u8)
}

fn run(arguments: &Arguments, report: &mut Report) -> Result<Exit, (Exit, String)> {
    // All that can be wrong here is looked at before anything is sent.
    let usage = |why: String| (Exit::Usage, why);
    let file = |path: &Path, error: io::Error| usage(format!("{}: {error}", path.display()));
    let login = login(arguments).map_err(usage)?;
    let tls = tls(arguments).map_err(usage)?;
    let store = Store::open(&arguments.directory).map_err(|error| file(&arguments.directory, error))?;
    let known = arguments.uidl_state.as_deref();
    let known = known.map(|path| Known::load(path).map_err(|error| file(path, error))).transpose()?;
    if arguments.insecure {
        report.note("--insecure: nobody checks whose certificate it is, and whoever is on the way can read everything");
    }

    // One machine word for each setting. As it comes, the machine sends no credentials before TLS (RFC 8314).
    let mut config = Config::new().rows(MAX_MESSAGES).initial_response(match arguments.initial_response {
        Initial::Auto => InitialResponse::Auto,
        Initial::Never => InitialResponse::Never,
        Initial::Always => InitialResponse::Always,
    });
    if arguments.allow_cleartext {
        config = config.tls(pop3_proto::Tls::Opportunistic);
    }
    if arguments.insecure {
        config = config.allow_unverified_peer();
    }
    if login.ways.contains(&Way::Apop) {
        config = config.allow_apop_md5();
    }

    let no_session = |why: String| (Exit::NoSession, format!("{}:{}: {why}", login.host, login.port));
    let timeout = arguments.timeout.map(Duration::from_secs);
    let patience = timeout.or_else(|| config.patience(Wait::Greeting));
    let socket = connect(&login.host, login.port, patience).map_err(|error| no_session(error.to_string()))?;
    let log = Log::new(arguments.trace);
    let (mut connection, tls) = if arguments.tls {
        let connection = Connection::over_tls(socket, config, timeout, log, tls);
        (connection.map_err(|failure| no_session(failure.to_string()))?, None)
    } else {
        (Connection::new(socket, config, timeout, log), Some(tls))
    };
    session::log_in(&mut connection, &login, tls).map_err(no_session)?;

    Fetch { store, known, delete: arguments.delete, report }
        .maildrop(&mut connection)
        .map_err(|failure| (Exit::Incomplete, failure))
}

/// Who logs in, from the arguments and the URL.
fn login(arguments: &Arguments) -> Result<Login, String> {
    let place = &arguments.place;
    let user = match (&arguments.user, &place.user) {
        (Some(ours), Some(urls)) if ours != urls => return Err("--user and the URL name different users".to_owned()),
        (Some(user), _) | (None, Some(user)) => user.clone(),
        (None, None) => String::new(),
    };
    let mut ways = match (arguments.apop, arguments.auth.as_slice()) {
        (true, _) => vec![Way::Apop],
        (false, []) => Login::DEFAULT.to_vec(),
        (false, named) => named.to_vec(),
    };
    if place.mechanism == Mechanism::Apop {
        // A URL may come from anywhere, and cannot weaken what the user has not weakened (RFC 2384 §4).
        ways.retain(|way| *way == Way::Apop);
        if ways.is_empty() {
            return Err("the URL asks for APOP, which only --apop (or --auth apop) allows".to_owned());
        }
    }
    if user.is_empty() && ways.iter().any(|way| way.needs_name()) {
        return Err("whose maildrop? Say --user, or write it into the URL".to_owned());
    }
    let secret = |needed: fn(Way) -> bool, file: Option<&Path>, what, option| match (
        ways.iter().find(|way| needed(**way)),
        file,
    ) {
        (Some(way), None) => Err(format!("{way} needs a {what}: say {option}")),
        (Some(_), Some(file)) => secret_in(file, what),
        (None, _) => Ok(Secret::from(Vec::new())),
    };
    let password = secret(Way::needs_password, arguments.password_file.as_deref(), "password", "--password-file")?;
    let token = secret(Way::needs_token, arguments.token_file.as_deref(), "token", "--token-file")?;
    let own_list = arguments.allow_cleartext || ways != Login::DEFAULT;
    let (host, port) = (place.host.clone(), place.port(arguments.tls));
    let login = Login { user, password, token, host, port, ways, own_list };
    login.check()?;
    Ok(login)
}

/// Whom to trust, and what to show of ourselves.
fn tls(arguments: &Arguments) -> Result<Tls, String> {
    let trust = match &arguments.ca {
        _ if arguments.insecure => Trust::Nobody,
        Some(file) => Trust::file(file)?,
        None => Trust::System,
    };
    let identity = match (&arguments.client_cert, &arguments.client_key) {
        (Some(chain), Some(key)) => Some(Identity::files(chain, key)?),
        _ => None,
    };
    Tls::new(&arguments.place.host, trust, identity)
}

/// The first address that answers.
fn connect(host: &str, port: u16, patience: Option<Duration>) -> io::Result<TcpStream> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    for address in (host, port).to_socket_addrs()? {
        let connected = match patience {
            Some(patience) => TcpStream::connect_timeout(&address, patience),
            None => TcpStream::connect(address),
        };
        match connected {
            Ok(socket) => {
                // Commands are small, and each read waits for the answer to the last one.
                socket.set_nodelay(true)?;
                return Ok(socket);
            }
            Err(error) => last = error,
        }
    }
    Err(last)
}

/// What is to be done with a maildrop that is open.
struct Fetch<'a> {
    store: Store,
    known: Option<Known>,
    delete: bool,
    report: &'a mut Report,
}

impl Fetch<'_> {
    fn maildrop(mut self, connection: &mut Connection) -> Result<Exit, String> {
        let listing = session::list(connection, self.report, self.known.as_mut())?;
        if self.known.is_some() && listing.unique_ids == UniqueIds::None {
            let _ = session::quit(connection);
            return Err("the server has no UIDL, and so --uidl-state cannot tell what is new".to_owned());
        }
        let new: Vec<_> = listing.messages.iter().filter(|message| !message.known).collect();

        self.report.begin(new.iter().filter_map(|message| message.octets).fold(0, u64::saturating_add));
        let mut download = Download::new(&new, &self.store, self.report);
        let went = connection.converse(&mut download);
        let (outcomes, octets) = download.outcomes();
        self.report.end();
        let stored: Vec<_> =
            new.iter().zip(&outcomes).filter(|(_, outcome)| **outcome == Outcome::Stored).map(|(m, _)| *m).collect();

        // Nothing may be deleted, and nothing be called known, before this. It is worth doing after a failure too: what has
        // come until then need not come again.
        self.store
            .sync()
            .map_err(|error| format!("the directory cannot be made durable, nothing is deleted: {error}"))?;
        self.remember(&listing, &new, &outcomes)?;
        went.map_err(|failure| format!("{failure}; {} of {} messages are on disk", stored.len(), new.len()))?;
        if outcomes.contains(&Outcome::Open) {
            self.report.problem("the disk is full: the rest was not asked for");
        }

        let mut deleted = String::new();
        let mut marked = 0;
        if self.delete {
            let mut deletion = Deletion::new(&stored, self.report);
            let went = connection.converse(&mut deletion);
            marked = deletion.marked;
            // Without QUIT nothing is deleted (RFC 1939 §6).
            went.map_err(|failure| format!("{failure}; all that was fetched is on disk, and nothing was deleted"))?;
            deleted = format!(", {marked} deleted");
        }

        let (committed, answer) = session::quit(connection);
        let not_confirmed = marked > 0 && committed != Committed::Yes;
        if let Err(failure) = answer {
            self.report.note(&failure.to_string());
        }
        if not_confirmed {
            self.report.note("QUIT was not answered +OK: what was to be deleted may be on the server or not");
        } else {
            let (fetched, of) = (stored.len(), new.len());
            let known = listing.messages.len().saturating_sub(of);
            let known = if self.known.is_some() { format!(", {known} known before") } else { String::new() };
            let text = format!("{fetched} of {of} messages fetched, {octets} octets{known}{deleted}");
            // Whoever does not read it does not make a failure of what is done.
            let _ = writeln!(io::stdout(), "{text}");
        }
        Ok(match (not_confirmed, self.report.problems()) {
            (true, _) => Exit::NotConfirmed,
            (false, 0) => Exit::Done,
            (false, _) => Exit::Incomplete,
        })
    }

    /// Writes the state file: what was known and is on the server still, and what is on disk now.
    ///
    /// What is going to be deleted is not written down: should the deletion fail, the next run fetches it again, finds it on
    /// disk, and deletes it.
    fn remember(&self, listing: &Listing, new: &[&Listed], outcomes: &[Outcome]) -> Result<(), String> {
        let Some(known) = &self.known else { return Ok(()) };
        fn id(message: &Listed) -> Option<&[u8]> {
            message.id.as_ref().map(UniqueId::as_bytes)
        }
        let mut ids: BTreeSet<_> = listing.messages.iter().filter(|message| message.known).filter_map(id).collect();
        // An id that is missing from a damaged listing may be on the server all the same.
        if listing.unique_ids != UniqueIds::All {
            ids.extend(known.gone());
        }
        if !self.delete {
            let with = |wanted: bool| {
                let outcomes =
                    new.iter().zip(outcomes).filter(move |(_, outcome)| (**outcome == Outcome::Stored) == wanted);
                outcomes.filter_map(|(message, _)| id(message))
            };
            // Copies of one message may have one unique-id (RFC 1939 §7): then all of them must be there.
            let missing: BTreeSet<_> = with(false).collect();
            ids.extend(with(true).filter(|id| !missing.contains(id)));
        }
        known.save(&ids).map_err(|error| format!("the state file cannot be written, nothing is deleted: {error}"))
    }
}

/// So many lines of a listing are kept in memory; a server that sends more is not believed.
const MAX_MESSAGES: u64 = 1_000_000;
