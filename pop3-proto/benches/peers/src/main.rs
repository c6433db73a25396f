//! pop3-proto beside other POP3 implementations, in one run.
//!
//! ```text
//! pop3-proto/benches/peers/run            # builds and installs what is needed, measures, renders docs/performance.md
//! ```

mod blaster;
mod clients;
mod input;
mod link;
mod memory;
mod process;
mod reader;
mod results;
mod scale;
mod servers;
mod small;
mod weight;

use results::Results;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// What `maildir_server` writes into a Maildir besides messages.
const OWN_FILES: [&str; 2] = ["pop3.lock", "pop3.sizes"];

/// Where everything is.
#[derive(Debug)]
struct House {
    /// The project's root.
    root: PathBuf,
    /// For Maildirs and the like; others may pass through it, and it is removed in the end.
    room: PathBuf,
    /// Fewer rounds: to see whether everything runs.
    quick: bool,
}

impl House {
    fn example(&self, name: &str) -> PathBuf {
        self.root.join("target/release/examples").join(name)
    }

    fn dovecot_script(&self) -> PathBuf {
        self.root.join("conformance/peers/dovecot.sh")
    }

    fn rounds(&self, rounds: usize) -> usize {
        if self.quick { 1 } else { rounds }
    }
}

impl Drop for House {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.room);
    }
}

type Section = fn(&House, &mut Results) -> Result<(), String>;

const SECTIONS: [(&str, Section); 5] = [
    ("memory", memory::run),
    ("clients", clients::run),
    ("small", small::run),
    ("servers", servers::run),
    ("scale", scale::run),
];

fn main() -> ExitCode {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, what] = arguments.as_slice()
        && flag == weight::FLAG
    {
        return weight::weigh(what);
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    arguments.retain(|argument| argument != "--quick");
    let Some((out, sections)) = arguments.split_first() else {
        eprintln!("usage: pop3-peers [--quick] RESULTS.tsv [SECTION...]");
        return ExitCode::from(2);
    };
    match run(Path::new(out), sections, quick) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("pop3-peers: {why}");
            ExitCode::FAILURE
        }
    }
}

fn run(out: &Path, wanted: &[String], quick: bool) -> Result<(), String> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../..");
    let root = root.canonicalize().map_err(|error| error.to_string())?;
    // In memory, if nobody says otherwise: what is measured is programs, and no disk.
    let memory = Path::new("/dev/shm");
    let place =
        if std::env::var_os("TMPDIR").is_none() && memory.is_dir() { memory.into() } else { std::env::temp_dir() };
    let room = place.join(format!("pop3-peers-{}", std::process::id()));
    std::fs::create_dir_all(&room).map_err(|error| format!("{}: {error}", room.display()))?;
    let house = House { root, room, quick };
    let mut results = Results::create(out).map_err(|error| format!("{}: {error}", out.display()))?;
    let mut failed = Vec::new();
    for (name, section) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|one| one == name) {
            // One section that cannot be measured is no reason to lose the others.
            if let Err(why) = section(&house, &mut results) {
                eprintln!("{name}: {why}");
                failed.push(name);
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(format!("not complete: {}", failed.join(", "))) }
}
