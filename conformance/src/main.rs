//! `pop3-conformance`: without arguments, the self-check.

mod report;

use clap::{Parser, Subcommand};
use pop3_conformance::replay::{Effort, Side};
use pop3_conformance::self_check::{self, Outcome};
use pop3_conformance::transcript::Transcript;
use report::Report;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

/// Replays the exchanges that the RFCs print through pop3-proto's client and server, in every chunking.
///
/// Exit status: 0 if there is no difference, 1 if there is one, 2 for a wrong command line, 3 if nothing could be run.
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    #[command(subcommand)]
    action: Option<Action>,
    /// Only transcripts whose names begin with PREFIX (rfc1939-05, say)
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    only: String,
    /// Name the transcripts and what they show, and replay none
    #[arg(long)]
    list: bool,
    /// Print what failed, and the total
    #[arg(long, short, global = true)]
    quiet: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut report = Report::to_stdout(arguments.quiet);
    match run(&arguments, &mut report) {
        Ok(status) => status,
        // Whoever read us has seen enough.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Stop::Output(error)) => could_not_run(&format!("cannot write: {error}")),
        Err(Stop::Transcript(words)) => could_not_run(&words),
    }
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Replay transcripts of your own; the format is in the library's documentation
    Replay {
        /// Files in the transcript format
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
}

/// Why there is no result.
enum Stop {
    Output(io::Error),
    Transcript(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<pop3_conformance::transcript::ParseError> for Stop {
    fn from(error: pop3_conformance::transcript::ParseError) -> Self {
        Self::Transcript(error.to_string())
    }
}

fn could_not_run(words: &str) -> ExitCode {
    eprintln!("pop3-conformance: {words}");
    ExitCode::from(3)
}

fn read(path: &Path) -> Result<Transcript, Stop> {
    let file = path.to_string_lossy();
    let text = std::fs::read_to_string(path).map_err(|error| Stop::Transcript(format!("{file}: {error}")))?;
    Ok(Transcript::parse(&file, &text)?)
}

fn run(arguments: &Arguments, report: &mut Report) -> Result<ExitCode, Stop> {
    let transcripts = match &arguments.action {
        None => self_check::selected(&arguments.only)?,
        Some(Action::Replay { files }) => files.iter().map(|path| read(path)).collect::<Result<_, _>>()?,
    };
    if transcripts.is_empty() {
        eprintln!("pop3-conformance: no transcript's name begins with {:?}; --list names them all", arguments.only);
        return Ok(ExitCode::from(2));
    }
    if arguments.list {
        report.list(&transcripts)?;
        return Ok(ExitCode::SUCCESS);
    }
    let began = Instant::now();
    report.head(&transcripts)?;
    for transcript in &transcripts {
        for side in [Side::Server, Side::Client] {
            report.entry(self_check::check(transcript, side, Effort::FULL)?)?;
        }
    }
    report.total(transcripts.len(), began.elapsed())?;
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_) | Outcome::Unexpected(_));
    Ok(if report.entries().iter().any(|entry| failed(&entry.outcome)) { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
