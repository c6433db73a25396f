//! The table of targets, and how one is run.

use crate::{
    Verdict, Ways, body_decode, body_encode, client_hostile_server, command_build, command_parse, conversation,
    greeting_apop, reply_parse, sasl, secrets, server_hostile_client, stls_injection,
};
use std::path::Path;
use std::process::ExitCode;

/// One fuzz target: the plan is read from octets, and `pop3-proto` is held against the oracle.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name: that of its module, of its program and of its folder in `corpus/`.
    pub name: &'static str,
    /// Carries out the plan that the octets hold, in every way or in one.
    pub check: fn(&[u8], Ways) -> Verdict,
    /// The plan in words, for those who look into a finding.
    pub show: fn(&[u8]) -> String,
}

/// Every target.
pub const TARGETS: [Target; 12] = [
    command_parse::TARGET,
    reply_parse::TARGET,
    command_build::TARGET,
    body_decode::TARGET,
    body_encode::TARGET,
    client_hostile_server::TARGET,
    server_hostile_client::TARGET,
    conversation::TARGET,
    stls_injection::TARGET,
    sasl::TARGET,
    secrets::TARGET,
    greeting_apop::TARGET,
];

impl Target {
    /// Carries out the plan in one way, and panics with it and the finding if a promise is broken: what libFuzzer calls.
    ///
    /// # Panics
    ///
    /// That is how libFuzzer learns of a finding.
    pub fn run(&self, octets: &[u8]) {
        if let Err(finding) = (self.check)(octets, Ways::one(octets)) {
            panic!("{}: {finding}\n{}", self.name, (self.show)(octets));
        }
    }

    /// Without libFuzzer: shows the plans of the files named on the command line, and runs them.
    #[must_use]
    pub fn main(&self) -> ExitCode {
        let mut outcome = ExitCode::SUCCESS;
        let mut files = 0;
        for path in std::env::args_os().skip(1) {
            files += 1;
            let octets = match std::fs::read(&path) {
                Ok(octets) => octets,
                Err(error) => {
                    eprintln!("{}: {error}", Path::new(&path).display());
                    outcome = ExitCode::FAILURE;
                    continue;
                }
            };
            println!("{}\n{}", Path::new(&path).display(), (self.show)(&octets));
            match (self.check)(&octets, Ways::ALL) {
                Ok(()) => println!("every promise holds\n"),
                Err(finding) => {
                    println!("{finding}\n");
                    outcome = ExitCode::FAILURE;
                }
            }
        }
        if files == 0 {
            eprintln!("{}: name the files to put through the oracle; for fuzzing see docs/fuzzing.md", self.name);
            outcome = ExitCode::FAILURE;
        }
        outcome
    }
}
