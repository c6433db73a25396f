//! What many of a kind weigh: the resident memory that they add to a process, divided by their number.
//!
//! Each kind has a process of its own. In one that did something before, memory that is free and was not given back would be
//! filled first, and not be counted.

use crate::memory::logged_in;
use crate::process;
use crate::scale::{self, Failure};
use pop3_proto::{Command, Config, Greeting, Incoming, Maildrop, Reply, Server};
use std::process::ExitCode;
use std::sync::Arc;

/// `pop3-peers --weigh NAME` is such a process, and prints the octets of one.
pub(crate) const FLAG: &str = "--weigh";

/// What is weighed.
pub(crate) struct Kind {
    name: &'static str,
    pub(crate) row: &'static str,
    pub(crate) subject: &'static str,
    pub(crate) unit: &'static str,
    weigh: fn() -> Result<f64, Failure>,
}

/// All there are.
pub(crate) const ALL: [Kind; 3] = [
    Kind { name: "server", row: IDLE_SESSIONS, subject: "Server", unit: "octets/session", weigh: idle_servers },
    Kind { name: "client", row: IDLE_SESSIONS, subject: "Client", unit: "octets/session", weigh: idle_clients },
    Kind {
        name: "maildrop",
        row: "1,000,000 messages: memory, unique-ids included",
        subject: "Maildrop",
        unit: "octets/message",
        weigh: messages,
    },
];

const IDLE_SESSIONS: &str = "100,000 idle sessions in one process";
const IDLE: usize = 100_000;

impl Kind {
    /// Asks another process for it.
    pub(crate) fn in_a_process_of_its_own(&self) -> Result<f64, String> {
        let program = std::env::current_exe().map_err(|error| error.to_string())?;
        let output =
            std::process::Command::new(program).args([FLAG, self.name]).output().map_err(|error| error.to_string())?;
        let said = String::from_utf8_lossy(&output.stdout);
        let why = String::from_utf8_lossy(&output.stderr);
        said.trim().parse().map_err(|_| format!("{}: {said}{why}", self.name))
    }
}

/// The process that is asked.
pub(crate) fn weigh(name: &str) -> ExitCode {
    let Some(kind) = ALL.iter().find(|kind| kind.name == name) else {
        eprintln!("nothing of that name is weighed: {name}");
        return ExitCode::from(2);
    };
    match (kind.weigh)() {
        Ok(octets) => {
            println!("{octets}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Machines that are logged in and wait. What a driver keeps beside them is not in it; `servers` measures that.
fn idle_servers() -> Result<f64, Failure> {
    let config = Arc::new(Config::new().allow_cleartext_login());
    let mut out = Vec::with_capacity(4096);
    let before = process::resident();
    let mut servers = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        out.clear();
        let mut server = Server::new(Arc::clone(&config), Greeting::text("ready")?, &mut out);
        let mut input: &[u8] = b"USER mrose\r\nPASS tanstaaf\r\nCAPA\r\nNOOP\r\n";
        while let Some(incoming) = server.next_event(&mut input, &mut out)? {
            match incoming {
                Incoming::Login(_) => server.reply(&Reply::ok("")?, &mut out)?,
                other => Maildrop::default().answer(&other, &mut server, &mut out)?,
            }
        }
        servers.push(server);
    }
    let each = process::resident().saturating_sub(before) as f64 / IDLE as f64;
    // All of them are alive still.
    for server in &mut servers {
        out.clear();
        let mut input: &[u8] = b"STAT\r\n";
        if server.next_event(&mut input, &mut out)? != Some(Incoming::Command(Command::Stat)) {
            return Err("a session was lost".into());
        }
    }
    Ok(each)
}

fn idle_clients() -> Result<f64, Failure> {
    let config = Arc::new(Config::new().allow_cleartext_login());
    let before = process::resident();
    let mut clients = Vec::with_capacity(IDLE);
    for _ in 0..IDLE {
        clients.push(logged_in(&config).map_err(|why| why.to_string())?);
    }
    let each = process::resident().saturating_sub(before) as f64 / IDLE as f64;
    // And so are these.
    for client in &mut clients {
        client.send(&Command::Noop, &mut Vec::new())?;
    }
    Ok(each)
}

fn messages() -> Result<f64, Failure> {
    let before = process::resident();
    let maildrop = scale::maildrop(scale::MILLION)?;
    let each = process::resident().saturating_sub(before) as f64 / f64::from(scale::MILLION);
    if maildrop.scan_listings().count() == scale::MILLION as usize {
        Ok(each)
    } else {
        Err("messages were lost".into())
    }
}
