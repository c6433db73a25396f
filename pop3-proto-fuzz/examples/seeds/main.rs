//! Writes the named seeds into `corpus/`:
//!
//!     cargo run -p pop3-proto-fuzz --example seeds
//!
//! They are the RFCs' own exchanges, the public incidents that each promise rules out, and what servers and clients were
//! seen to send. A name begins with where the seed comes from: `rfc-`, `cve-` and the like, `field-` with the row of the
//! field notes, or `limit-`. With `--check` nothing is written, and the program fails if a file is missing or differs.

mod decode;
mod field;
mod machines;
mod parse;

use pop3_proto_fuzz::plan::Script;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

/// The seeds of one target.
#[derive(Debug)]
struct Seeds {
    target: &'static str,
    seeds: Vec<(String, Vec<u8>)>,
}

impl Seeds {
    fn of(target: &'static str) -> Self {
        Self { target, seeds: vec![] }
    }

    fn add(&mut self, name: &str, script: Script) {
        let known = self.seeds.iter().any(|(known, _)| known == name);
        assert!(!known, "{} has two seeds named {name}", self.target);
        self.seeds.push((name.to_string(), script.into_octets()));
    }
}

fn main() -> ExitCode {
    write(std::env::args().any(|argument| argument == "--check"))
}

/// Writes the seeds, or checks that they are written.
pub(crate) fn write(check: bool) -> ExitCode {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let transcripts = parse::transcripts(&root.join("../conformance/transcripts"));
    let all = [
        parse::command_parse(&transcripts),
        parse::reply_parse(&transcripts),
        parse::command_build(),
        decode::body_decode(),
        decode::body_encode(),
        machines::client_hostile_server(&transcripts),
        machines::server_hostile_client(&transcripts),
        machines::conversation(),
        machines::stls_injection(),
        machines::sasl(),
        machines::secrets(),
        parse::greeting_apop(),
    ];
    let (mut files, mut octets, mut wrong) = (0, 0, 0);
    for Seeds { target, seeds } in &all {
        let folder = root.join("corpus").join(target);
        for (name, seed) in seeds {
            let path = folder.join(name);
            files += 1;
            octets += seed.len();
            if fs::read(&path).is_ok_and(|known| known == *seed) {
                continue;
            }
            if check {
                eprintln!("{} is missing or differs", path.display());
                wrong += 1;
            } else if let Err(error) = fs::create_dir_all(&folder).and_then(|()| fs::write(&path, seed)) {
                eprintln!("{}: {error}", path.display());
                wrong += 1;
            }
        }
        println!("{target}: {} seeds", seeds.len());
    }
    println!("{files} seeds, {octets} octets");
    if wrong == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
