//! Any client that is a program: the runner listens on 127.0.0.1 and starts it once a case.

use super::socket::Socket;
use super::tls::Generated;
use super::wire::Wire;
use super::{Account, ClientPeer, Peer, Started, Upgrade};
use crate::case::{ClientCase, Ended};
use std::ffi::OsString;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A client's command line, with places to be filled in.
#[derive(Clone, Debug)]
pub struct LiveClient {
    /// The program and its arguments: `{host}`, `{port}`, `{user}`, `{password}`, `{password-file}`, `{dir}` and `{ca}`
    /// stand for what differs from case to case.
    pub command: Vec<String>,
    /// When the client wants TLS.
    pub upgrade: Upgrade,
    /// How long it may be silent, and how long it may take to end.
    pub patience: Duration,
}

impl Peer for LiveClient {
    fn name(&self) -> String {
        let program = self.command.first().map(String::as_str).unwrap_or_default();
        Path::new(program).file_name().map_or_else(|| program.to_owned(), |name| name.to_string_lossy().into_owned())
    }

    fn is_ours(&self) -> bool {
        false
    }

    fn upgrade(&self) -> Upgrade {
        self.upgrade
    }

    fn patience(&self) -> Duration {
        self.patience
    }

    fn quiet(&self) -> Duration {
        // As long as what is waited for where something is due, in proportion.
        Duration::from_millis(300).max(self.patience / 16).min(self.patience)
    }
}

impl ClientPeer for LiveClient {
    fn start(&self, case: &ClientCase) -> Result<Box<dyn Started + '_>, String> {
        if !case.memory_only.is_empty() {
            return Err(format!("it runs in memory alone: {}", case.memory_only));
        }
        self.launch().map(|started| -> Box<dyn Started + '_> { Box::new(started) })
    }
}

impl LiveClient {
    /// Whether the program is there at all.
    ///
    /// # Errors
    ///
    /// Why it cannot be started.
    pub fn try_out(&self) -> Result<(), String> {
        self.launch().map(|mut started| started.kill())
    }

    fn launch(&self) -> Result<LiveStarted, String> {
        let words = |error: io::Error| error.to_string();
        let listener = TcpListener::bind("127.0.0.1:0").map_err(words)?;
        listener.set_nonblocking(true).map_err(words)?;
        let port = listener.local_addr().map_err(words)?.port();
        let place = tempfile::tempdir().map_err(words)?;
        let dir = place.path().join("mail");
        std::fs::create_dir(&dir).map_err(words)?;
        let (ca, secret) = (place.path().join("ca.pem"), place.path().join("password"));
        let Account { user, password, .. } = self.account();
        std::fs::write(&ca, &Generated::get().ca).map_err(words)?;
        std::fs::write(&secret, format!("{password}\n")).map_err(words)?;
        let output = std::fs::File::create(place.path().join("output")).map_err(words)?;
        let filled = |argument: &String| -> OsString {
            let host = if self.upgrade == Upgrade::None { "127.0.0.1" } else { "localhost" };
            argument
                .replace("{host}", host)
                .replace("{port}", &port.to_string())
                .replace("{user}", &user)
                .replace("{password}", &password)
                .replace("{password-file}", &secret.to_string_lossy())
                .replace("{dir}", &dir.to_string_lossy())
                .replace("{ca}", &ca.to_string_lossy())
                .into()
        };
        let mut arguments = self.command.iter().map(filled);
        let program = arguments.next().unwrap_or_default();
        let mut command = Command::new(&program);
        // A process group of its own, which holds its children, too.
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let child = command
            .args(arguments)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.to_string_lossy()))?;
        Ok(LiveStarted { child, status: None, listener, place, upgrade: self.upgrade, patience: self.patience })
    }
}

struct LiveStarted {
    child: Child,
    /// How it has ended.
    status: Option<ExitStatus>,
    listener: TcpListener,
    place: tempfile::TempDir,
    upgrade: Upgrade,
    patience: Duration,
}

impl LiveStarted {
    /// Ends it and its children; nothing that they could catch is sent.
    fn kill(&mut self) {
        if self.status.is_none() {
            kill_group(&self.child);
            let _ = self.child.kill();
            self.status = self.child.wait().ok();
        }
    }

    /// How it has ended, if it has; its children have ended then, too.
    fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        if self.status.is_none() && has_ended(&mut self.child)? {
            // Until it is waited for, no other process group can have its number.
            kill_group(&self.child);
            self.status = Some(self.child.wait()?);
        }
        Ok(self.status)
    }

    /// A connection, if there is one.
    fn incoming(&self) -> Option<TcpStream> {
        self.listener.accept().ok().map(|(stream, _)| stream)
    }
}

impl Started for LiveStarted {
    fn accept(&mut self) -> Result<Box<dyn Wire>, String> {
        let until = Instant::now() + self.patience;
        loop {
            if let Some(stream) = self.incoming() {
                let socket = Socket::open(stream, Some(Generated::get().server()), self.upgrade, self.patience)?;
                return Ok(Box::new(socket));
            }
            if let Ok(Some(status)) = self.try_wait() {
                return Err(format!("it has ended: {status}"));
            }
            if Instant::now() > until {
                return Err(format!("not within {:.1} s", self.patience.as_secs_f64()));
            }
            sleep(TICK);
        }
    }

    fn end(&mut self) -> Ended {
        let until = Instant::now() + self.patience;
        while Instant::now() < until {
            // Whoever connects once more is not served: the case is over.
            drop(self.incoming());
            match self.try_wait() {
                Ok(Some(status)) if status.success() => return Ended::Well,
                Ok(Some(status)) => return Ended::Failed(status.to_string()),
                Ok(None) => sleep(TICK),
                Err(error) => return Ended::Failed(error.to_string()),
            }
        }
        self.kill();
        Ended::Hung
    }

    fn stored(&self) -> Vec<Vec<u8>> {
        let mut stored = Vec::new();
        files(&self.place.path().join("mail"), &mut stored);
        stored.extend(std::fs::read(self.place.path().join("output")).ok().filter(|octets| !octets.is_empty()));
        stored
    }
}

impl Drop for LiveStarted {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Whether a program has ended; it is not waited for.
#[cfg(unix)]
fn has_ended(child: &mut Child) -> io::Result<bool> {
    use rustix::process::{WaitId, WaitIdOptions, waitid};
    let options = WaitIdOptions::EXITED | WaitIdOptions::NOHANG | WaitIdOptions::NOWAIT;
    Ok(waitid(WaitId::Pid(group(child)?), options)?.is_some())
}

#[cfg(not(unix))]
fn has_ended(child: &mut Child) -> io::Result<bool> {
    child.try_wait().map(|status| status.is_some())
}

#[cfg(unix)]
fn kill_group(child: &Child) {
    // Without a member left there is nobody to be told.
    let _ = group(child).map(|group| rustix::process::kill_process_group(group, rustix::process::Signal::KILL));
}

#[cfg(not(unix))]
fn kill_group(_child: &Child) {}

/// The process group has its first member's number.
#[cfg(unix)]
fn group(child: &Child) -> io::Result<rustix::process::Pid> {
    let number = i32::try_from(child.id()).ok().and_then(rustix::process::Pid::from_raw);
    number.ok_or_else(|| io::Error::other("the number of the process is out of range"))
}

fn files(dir: &Path, stored: &mut Vec<Vec<u8>>) {
    for entry in std::fs::read_dir(dir).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, stored);
        } else {
            stored.extend(std::fs::read(&path));
        }
    }
}

const TICK: Duration = Duration::from_millis(5);
