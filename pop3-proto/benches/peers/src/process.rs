//! Other programs: started, asked for their memory, and ended.

use std::ffi::OsStr;
use std::io::{self, BufRead as _, BufReader, Read};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// A program that runs until this is dropped.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> io::Result<Self> {
        command.stdin(Stdio::null()).spawn().map(Self)
    }

    /// What it and all its descendants hold of the memory, shared pages in shares (PSS), in octets.
    pub(crate) fn memory(&self) -> u64 {
        family(self.0.id()).into_iter().filter_map(pss).sum()
    }
}

impl Running {
    /// The time on processors that it and its descendants have had, in seconds.
    pub(crate) fn processor_time(&self) -> f64 {
        let mut nanoseconds = 0;
        for pid in family(self.0.id()) {
            for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
                let text = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
                nanoseconds += text.split(' ').next().and_then(|first| first.parse::<u64>().ok()).unwrap_or_default();
            }
        }
        nanoseconds as f64 / 1e9
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // SIGTERM lets those that have children end them.
        let _ = Command::new("kill").arg("-TERM").arg(self.0.id().to_string()).stderr(Stdio::null()).status();
        let end = Instant::now() + Duration::from_secs(10);
        while Instant::now() < end {
            if matches!(self.0.try_wait(), Ok(Some(_)) | Err(_)) {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A process and its descendants.
fn family(ancestor: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else { continue };
        // "pid (name) state parent ...", and the name may hold anything.
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        let parent = stat.rsplit_once(')').and_then(|(_, rest)| rest.split_whitespace().nth(1)?.parse::<u32>().ok());
        parents.extend(parent.map(|parent| (pid, parent)));
    }
    let mut family = vec![ancestor];
    let mut at = 0;
    while let Some(&one) = family.get(at) {
        family.extend(parents.iter().filter(|(_, parent)| *parent == one).map(|(pid, _)| *pid));
        at += 1;
    }
    family
}

fn pss(pid: u32) -> Option<u64> {
    let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()?;
    let line = rollup.lines().find_map(|line| line.strip_prefix("Pss:"))?;
    Some(line.trim().strip_suffix(" kB")?.parse::<u64>().ok()? * 1024)
}

/// The resident memory of this process, in octets.
pub(crate) fn resident() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.trim().strip_suffix(" kB").and_then(|kilo| kilo.parse::<u64>().ok()).unwrap_or_default() * 1024
}

/// The example `maildir_server`, which says where it listens. It is bounded in time, should nobody be left to end it.
pub(crate) fn maildir_server<S: AsRef<OsStr>>(
    program: &Path,
    arguments: &[S],
) -> Result<(Running, SocketAddr), String> {
    let mut command = Command::new("timeout");
    command.args(["--foreground", "900"]).arg(program).args(["--listen", "127.0.0.1:0", "--allow-cleartext"]);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut child = command.spawn().map_err(|error| format!("{}: {error}", program.display()))?;
    let stdout = child.stdout.take();
    let running = Running(child);
    let mut line = String::new();
    if let Some(stdout) = stdout {
        BufReader::new(stdout).read_line(&mut line).map_err(|error| error.to_string())?;
    }
    let address = line.trim().strip_prefix("listening on ").and_then(|address| address.parse().ok());
    Ok((running, address.ok_or_else(|| format!("maildir_server said {line:?}"))?))
}

/// Dovecot, by the project's own script.
pub(crate) fn dovecot(
    maildir: &Path,
    state: &Path,
    password: &Path,
    script: &Path,
) -> Result<(Running, SocketAddr), String> {
    let port = free_port().map_err(|error| error.to_string())?;
    let mut command = Command::new("sh");
    command.arg(script).args(["--port", &port.to_string(), "--user", "mrose", "--for", "900"]);
    command.arg("--maildir").arg(maildir).arg("--state").arg(state).arg("--password-file").arg(password);
    // Each session is a process of its own: room for as many as are measured.
    command.args(["--setting", "service pop3 {\n  process_limit = 2000\n}"]);
    command.args(["--setting", "mail_max_userip_connections = 2000"]);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    let running = Running::start(&mut command).map_err(|error| error.to_string())?;
    let address = SocketAddr::from(([127, 0, 0, 1], port));
    wait_for_greeting(address, Duration::from_secs(60))?;
    Ok((running, address))
}

fn wait_for_greeting(address: SocketAddr, patience: Duration) -> Result<(), String> {
    let end = Instant::now() + patience;
    while Instant::now() < end {
        if let Ok(mut stream) = TcpStream::connect(address) {
            let _ = stream.set_read_timeout(Some(Duration::from_secs(5)));
            if matches!(stream.read(&mut [0; 64]), Ok(n) if n > 0) {
                return Ok(());
            }
        }
        thread::sleep(Duration::from_millis(20));
    }
    Err(format!("nobody greets at {address}"))
}

fn free_port() -> io::Result<u16> {
    Ok(TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port())
}
