//! Any client that is a program: the runner listens on 127.0.0.1 and starts it once a case.

use super::house::account;
use super::socket::Socket;
use super::tls::Generated;
use super::wire::Wire;
use super::{Account, ClientPeer, Started, Upgrade};
use crate::case::{ClientCase, Ended};
use std::ffi::OsString;
use std::io;
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
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

impl ClientPeer for LiveClient {
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
        Duration::from_millis(300).min(self.patience)
    }

    fn account(&self) -> Account {
        account()
    }

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
        let Account { user, password, .. } = account();
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
        let child = Command::new(&program)
            .args(arguments)
            .current_dir(&dir)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| format!("{}: {error}", program.to_string_lossy()))?;
        Ok(LiveStarted { child, listener, place, upgrade: self.upgrade, patience: self.patience })
    }
}

struct LiveStarted {
    child: Child,
    listener: TcpListener,
    place: tempfile::TempDir,
    upgrade: Upgrade,
    patience: Duration,
}

impl LiveStarted {
    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
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
                let mut socket = Socket::new(stream, Some(Generated::get().server()), self.patience)
                    .map_err(|error| error.to_string())?;
                if self.upgrade == Upgrade::Implicit {
                    socket.start_tls()?;
                }
                return Ok(Box::new(socket));
            }
            if let Ok(Some(status)) = self.child.try_wait() {
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
            match self.child.try_wait() {
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
