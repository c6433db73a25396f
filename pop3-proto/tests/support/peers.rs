//! The programs at the other end of the line: this crate's examples, Dovecot, curl, Python. Each has a bound in time, servers
//! listen on loopback only and die with the value that stands for them.

use std::collections::BTreeMap;
use std::env;
use std::ffi::OsString;
use std::fs;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use super::maildir::Maildir;
use super::naive::Naive;

pub(crate) const USER: &str = "mrose";
/// With a space in it, because PASS takes the rest of the line (RFC 1939 section 7).
pub(crate) const PASSWORD: &str = "tan staaf";

/// Servers end by themselves after this time, should the test process be killed before it can end them.
const SERVER_SECONDS: u64 = 300;
/// How long a program may run that is expected to end by itself.
const COMMAND_SECONDS: u64 = 120;

/// What a test may need beside itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    MaildirServer,
    Fetch,
    Curl,
    Python,
    Dovecot,
}

/// Why a test that needs `peer` cannot run here, or `None` if it can.
pub(crate) fn missing(peer: Peer) -> Option<String> {
    match peer {
        // That an example does not build is a failure, not a missing peer: only its source is looked for here.
        Peer::MaildirServer => example_source("maildir_server").err(),
        Peer::Fetch => example_source("fetch").err(),
        Peer::Curl => match version(&["curl", "--version"]) {
            Some(text) if text.contains(" pop3 ") => None,
            Some(_) => Some("this curl is built without POP3".to_owned()),
            None => Some("curl is not installed (conformance/peers/install.sh does it)".to_owned()),
        },
        Peer::Python => match version(&["python3", "-c", "import poplib"]) {
            Some(_) => None,
            None => Some("python3 is not installed (conformance/peers/install.sh does it)".to_owned()),
        },
        Peer::Dovecot => {
            let installed = Command::new(peers_directory().join("install.sh"))
                .args(["--check", "dovecot"])
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
            if !installed {
                return Some("Dovecot is not installed (conformance/peers/install.sh does it)".to_owned());
            }
            let text = version(&["dovecot", "--version"]).or_else(|| version(&["/usr/sbin/dovecot", "--version"]));
            match text {
                Some(text) if text.starts_with("2.3.") => None,
                text => {
                    Some(format!("dovecot.sh is written for Dovecot 2.3, found {}", text.unwrap_or_default().trim()))
                }
            }
        }
    }
}

fn version(command: &[&str]) -> Option<String> {
    let output = Command::new(command[0]).args(&command[1..]).stdin(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).into_owned())
}

fn peers_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../conformance/peers")
}

/// Where an example's binary is.
///
/// `cargo test` builds the examples, beside `deps/` where this test lies. `cargo test --test interop` does not, nor does running
/// this test's binary by hand: then they are built here, so that no stale example is tested.
fn example(name: &'static str) -> Result<PathBuf, String> {
    static KNOWN: Mutex<BTreeMap<&str, Result<PathBuf, String>>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(name).or_insert_with(|| build_example(name)).clone()
}

fn example_source(name: &str) -> Result<PathBuf, String> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(format!("{name}.rs"));
    if source.exists() { Ok(source) } else { Err(format!("there is no example {name} yet")) }
}

fn build_example(name: &str) -> Result<PathBuf, String> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = example_source(name)?;
    let test = env::current_exe().map_err(|error| error.to_string())?;
    let profile = test.parent().and_then(Path::parent).ok_or("this test is not below a target directory")?;
    let binary = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));

    let beside = newest_below(&source.with_extension(""));
    let newest = newest_below(&manifest.join("src")).max(modified(&source)).max(beside);
    if modified(&binary) < newest || newest.is_none() {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        cargo.current_dir(manifest).args(["build", "--quiet", "--example", name]);
        cargo.env("CARGO_TARGET_DIR", profile.parent().unwrap_or(profile));
        match profile.file_name().and_then(|name| name.to_str()) {
            Some("debug") | None => {}
            Some(profile) => {
                cargo.args(["--profile", profile]);
            }
        }
        match cargo.stdin(Stdio::null()).status() {
            Ok(status) if status.success() => {}
            Ok(status) => return Err(format!("example {name} does not build: {status}")),
            Err(error) => return Err(format!("example {name} is not built, and cargo does not run: {error}")),
        }
    }
    Ok(binary)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).and_then(|data| data.modified()).ok()
}

fn newest_below(directory: &Path) -> Option<SystemTime> {
    let entries = fs::read_dir(directory).ok()?;
    entries
        .flatten()
        .map(|entry| entry.path())
        .filter_map(|path| if path.is_dir() { newest_below(&path) } else { modified(&path) })
        .max()
}

/// A program that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: ExitStatus,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Ran {
    /// Panics, with all that the program said, unless it ended with success.
    #[track_caller]
    pub(crate) fn success(self) -> Self {
        assert!(self.status.success(), "{}\nstdout: {}\nstderr: {}", self.status, self.stdout, self.stderr);
        self
    }

    /// The other way round.
    #[track_caller]
    pub(crate) fn failure(self) -> Self {
        let code = self.status.code();
        // 101 is a panic of a Rust program, and no code is a signal: both are more than a failure that the program noticed.
        assert!(
            code.is_some_and(|code| code != 0 && code != 101),
            "{}\nstdout: {}\nstderr: {}",
            self.status,
            self.stdout,
            self.stderr
        );
        self
    }
}

/// Runs a program to its end, and kills it (and the test with it) when it takes too long.
#[track_caller]
pub(crate) fn run(command: &mut Command) -> Ran {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let stdout = collect(child.stdout.take().unwrap());
    let stderr = collect(child.stderr.take().unwrap());
    let status = wait(&mut child, COMMAND_SECONDS);
    if status.is_none() {
        let _ = child.kill();
        let _ = child.wait();
    }
    let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
    let Some(status) = status else {
        panic!("{command:?} ran longer than {COMMAND_SECONDS} s\nstdout: {stdout}\nstderr: {stderr}");
    };
    Ran { status, stdout, stderr }
}

fn collect(mut from: impl Read + Send + 'static) -> JoinHandle<String> {
    thread::spawn(move || {
        let mut octets = Vec::new();
        let _ = from.read_to_end(&mut octets);
        String::from_utf8_lossy(&octets).into_owned()
    })
}

fn wait(child: &mut Child, seconds: u64) -> Option<ExitStatus> {
    let end = Instant::now() + Duration::from_secs(seconds);
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return Some(status);
        }
        if Instant::now() >= end {
            return None;
        }
        thread::sleep(Duration::from_millis(5));
    }
}

/// A process that is ended when this value is dropped, and whose stderr is shown if the test failed.
struct Server {
    child: Child,
    log: Option<JoinHandle<String>>,
}

impl Server {
    fn new(mut child: Child) -> Self {
        let log = child.stderr.take().map(collect);
        Self { child, log }
    }
}

impl Server {
    /// Ends it, and gives what it wrote to stderr, once.
    fn end(&mut self) -> String {
        // SIGTERM first: it is what `timeout` hands on to the process it bounds, and what lets Dovecot end its children.
        if !self.has_ended() {
            let asked = Command::new("kill").arg("-TERM").arg(self.child.id().to_string()).status();
            if asked.is_err() || wait(&mut self.child, 10).is_none() {
                let _ = self.child.kill();
                let _ = self.child.wait();
            }
        }
        self.log.take().and_then(|log| log.join().ok()).unwrap_or_default()
    }

    fn has_ended(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(Some(_)))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let log = self.end();
        if thread::panicking() && !log.is_empty() {
            eprintln!("--- what the server wrote to stderr\n{log}---");
        }
    }
}

/// The file with the password, in the room of `maildir`.
pub(crate) fn password_file(maildir: &Maildir) -> PathBuf {
    file_with(maildir, "password", PASSWORD)
}

fn file_with(maildir: &Maildir, name: &str, line: &str) -> PathBuf {
    let path = maildir.room().join(name);
    fs::write(&path, format!("{line}\n")).unwrap();
    path
}

/// The example `maildir_server`, serving one maildrop.
pub(crate) struct MaildirServer {
    pub(crate) address: SocketAddr,
    server: Server,
}

impl MaildirServer {
    pub(crate) fn start(maildir: &Maildir) -> Self {
        Self::start_with(maildir, &["--allow-cleartext"])
    }

    pub(crate) fn start_with(maildir: &Maildir, options: &[&str]) -> Self {
        let whose = [
            OsString::from("--user"),
            USER.into(),
            "--maildir".into(),
            maildir.path().into(),
            "--password-file".into(),
            password_file(maildir).into(),
        ];
        Self::start_for(&whose, options)
    }

    /// `whose` says who may log in, and where the mail is.
    pub(crate) fn start_for(whose: &[OsString], options: &[&str]) -> Self {
        let binary = example("maildir_server").unwrap();
        let bounded = Command::new("timeout").arg("--version").stdout(Stdio::null()).status().is_ok();
        let mut command = if bounded {
            let mut command = Command::new("timeout");
            command.arg("--foreground").arg(SERVER_SECONDS.to_string()).arg(binary);
            command
        } else {
            Command::new(binary)
        };
        let mut child = command
            .args(["--listen", "127.0.0.1:0"])
            .args(whose)
            .args(options)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();

        let stdout = child.stdout.take().unwrap();
        let server = Server::new(child);
        let (sender, first_line) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines() {
                // Later lines are read and dropped, so that the server never waits for somebody to read them.
                let _ = sender.send(line);
            }
        });
        let line = match first_line.recv_timeout(Duration::from_secs(30)) {
            Ok(line) => line.unwrap(),
            Err(error) => panic!("maildir_server said nothing on stdout: {error}"),
        };
        let address = line.strip_prefix("listening on ").and_then(|address| address.parse().ok());
        let address = address.unwrap_or_else(|| panic!("maildir_server said {line:?}, not `listening on ADDR`"));
        Self { address, server }
    }

    /// Ends it, and gives what it wrote to stderr: with `--trace` the dialogue.
    pub(crate) fn end(mut self) -> String {
        self.server.end()
    }
}

/// Dovecot, serving one maildrop.
pub(crate) struct Dovecot {
    pub(crate) address: SocketAddr,
    _server: Server,
}

impl Dovecot {
    pub(crate) fn start(maildir: &Maildir) -> Self {
        // Between finding a free port and Dovecot's binding it, somebody else may take it: then with another one.
        (0..5).find_map(|_| Self::try_start(maildir)).expect("Dovecot does not start; its messages are above")
    }

    fn try_start(maildir: &Maildir) -> Option<Self> {
        let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
        let child = Command::new(peers_directory().join("dovecot.sh"))
            .args(["--user", USER, "--for", &SERVER_SECONDS.to_string(), "--port", &address.port().to_string()])
            .arg("--maildir")
            .arg(maildir.path())
            .arg("--password-file")
            .arg(password_file(maildir))
            .arg("--state")
            .arg(maildir.room().join("dovecot"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut server = Server::new(child);
        for _ in 0..300 {
            match Naive::connect(address) {
                Ok(_) => return Some(Self { address, _server: server }),
                Err(error) if error.kind() == ErrorKind::ConnectionRefused => {}
                Err(error) => eprintln!("Dovecot at {address}: {error}"),
            }
            if server.child.try_wait().unwrap().is_some() {
                break;
            }
            thread::sleep(Duration::from_millis(50));
        }
        if let Some(log) = server.log.take().filter(JoinHandle::is_finished) {
            eprintln!("{}", log.join().unwrap_or_default());
        }
        None
    }
}

/// Runs the example `fetch` with the right password.
#[track_caller]
pub(crate) fn fetch(maildir: &Maildir, server: SocketAddr, into: &Path, options: &[&str]) -> Ran {
    fetch_with_password(maildir, server, into, options, PASSWORD)
}

#[track_caller]
pub(crate) fn fetch_with_password(
    maildir: &Maildir,
    server: SocketAddr,
    into: &Path,
    options: &[&str],
    password: &str,
) -> Ran {
    let mut command = Command::new(example("fetch").unwrap());
    command.args(["--user", USER]).arg("--password-file").arg(file_with(maildir, "fetch-password", password));
    run(command.args(options).arg(server.to_string()).arg(into))
}

/// Downloads messages 1 to `count` with curl, in one run and one session, into `into`/1, `into`/2, ...
#[track_caller]
pub(crate) fn curl(server: SocketAddr, count: usize, into: &Path) -> Ran {
    run(curl_command()
        .arg(format!("pop3://{server}/[1-{count}]"))
        .arg("--output")
        .arg(format!("{}/#1", into.display())))
}

/// curl with the user, and with what makes it behave in tests.
pub(crate) fn curl_command() -> Command {
    let mut command = Command::new("curl");
    // --disable: no ~/.curlrc; --noproxy: whatever the environment says about proxies.
    command.args(["--disable", "--silent", "--show-error", "--fail-early", "--noproxy", "*"]);
    command.args(["--max-time", &COMMAND_SECONDS.to_string(), "--user", &format!("{USER}:{PASSWORD}")]);
    command
}

/// Downloads the maildrop with poplib into `into`/1, `into`/2, ...; gives (octets announced, unique-id) of each message.
#[track_caller]
pub(crate) fn poplib(maildir: &Maildir, server: SocketAddr, into: &Path) -> Vec<(u64, String)> {
    poplib_with(maildir, server, into, &[])
}

/// The same with options: how TLS begins, and how to log in.
#[track_caller]
pub(crate) fn poplib_with(maildir: &Maildir, server: SocketAddr, into: &Path, options: &[&str]) -> Vec<(u64, String)> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/poplib_fetch.py");
    let mut command = Command::new("python3");
    command.arg("-I").arg(script).arg(server.ip().to_string()).arg(server.port().to_string()).arg(USER);
    let ran = run(command.arg(password_file(maildir)).arg(into).args(options)).success();
    ran.stdout
        .lines()
        .map(|line| {
            let mut words = line.splitn(3, ' ').skip(1);
            (words.next().unwrap().parse().unwrap(), words.next().unwrap().to_owned())
        })
        .collect()
}

/// A new directory in the room of `maildir`.
pub(crate) fn directory(maildir: &Maildir, name: &str) -> PathBuf {
    let path = maildir.room().join(name);
    fs::create_dir(&path).unwrap();
    path
}

/// The files in a directory with their names, in the order of the names, numbers as numbers.
pub(crate) fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut files: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())
        })
        .collect();
    files.sort_by_key(|(name, _)| (name.parse::<u64>().unwrap_or(0), name.clone()));
    files
}
