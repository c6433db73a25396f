//! `pop3-conformance`: without arguments, the self-check.

mod cli;
mod report;

use clap::Parser as _;
use cli::{Action, Arguments};
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use pop3_conformance::expectations::Expectations;
use pop3_conformance::output::human::{self, Colours, Volume};
use pop3_conformance::output::{Run, coverage, html, json, junit, markdown};
use pop3_conformance::peer::Peer as _;
use pop3_conformance::replay::{Effort, Side};
use pop3_conformance::run::Result as RunResult;
use pop3_conformance::self_check::{self, Outcome};
use pop3_conformance::session::Session;
use pop3_conformance::suite::{Case, Ours};
use pop3_conformance::transcript::{ParseError, Transcript};
use pop3_conformance::{against, mailbox_files, suite};
use report::{Detail, Report};
use std::io::{self, IsTerminal as _, Write as _};
use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match act(&arguments) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        // Whoever read us has seen enough.
        Err(Stop::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(Stop::Output(error)) => stopped(3, &format!("cannot write: {error}")),
        Err(Stop::Usage(words)) => stopped(2, &words),
        Err(Stop::NotRun(words)) => stopped(3, &words),
    }
}

/// Why there is no result.
enum Stop {
    Output(io::Error),
    Usage(String),
    NotRun(String),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Self {
        Self::Output(error)
    }
}

impl From<ParseError> for Stop {
    fn from(error: ParseError) -> Self {
        Self::NotRun(error.to_string())
    }
}

fn stopped(status: u8, words: &str) -> ExitCode {
    eprintln!("pop3-conformance: {words}");
    ExitCode::from(status)
}

/// Does what is asked; `false` if something does not conform.
fn act(arguments: &Arguments) -> Result<bool, Stop> {
    let only = &arguments.choice.only;
    match &arguments.action {
        Some(Action::Fixture(fixture)) => {
            let file = |error: io::Error| Stop::NotRun(error.to_string());
            if let Some(dir) = &fixture.maildir {
                mailbox_files::maildir(dir).map_err(file)?;
            }
            if let Some(path) = &fixture.mbox {
                mailbox_files::mbox(path).map_err(file)?;
            }
            Ok(true)
        }
        Some(Action::Coverage(coverage)) => cover(coverage),
        Some(Action::Replay(replay)) => {
            let transcripts = replay.files.iter().map(|path| read(path)).collect::<Result<Vec<_>, _>>()?;
            match &replay.against {
                None => transcribe(arguments, &transcripts),
                Some(address) => {
                    let server = replay.access.reach(address, arguments.choice.timeout).map_err(Stop::NotRun)?;
                    let mut conforms = true;
                    for transcript in &transcripts {
                        let (fine, words) = against::replay(transcript, &server)?;
                        conforms &= fine;
                        write!(io::stdout().lock(), "{words}")?;
                    }
                    Ok(conforms)
                }
            }
        }
        None => {
            let (transcripts, cases) = (self_check::selected(only)?, Case::selected(only));
            if transcripts.is_empty() && cases.is_empty() {
                return Err(nothing(only));
            }
            if arguments.choice.list {
                list(&transcripts, &cases)?;
                return Ok(true);
            }
            let conforms = transcripts.is_empty() || transcribe(arguments, &transcripts)?;
            Ok((cases.is_empty() || check_ourselves(arguments, &cases)?) && conforms)
        }
        Some(Action::Server(server)) => {
            let cases: Vec<_> =
                Case::selected(only).into_iter().filter(|case| matches!(case, Case::Server(_))).collect();
            if cases.is_empty() {
                return Err(nothing(only));
            }
            if arguments.choice.list {
                list(&[], &cases)?;
                return Ok(true);
            }
            let peer = server.access.reach(&server.address, arguments.choice.timeout).map_err(Stop::NotRun)?;
            let missing = peer.missing();
            if !missing.is_empty() && !arguments.output.quiet {
                let marks: Vec<_> = missing.iter().map(|mail| mail.mark()).collect();
                eprintln!(
                    "pop3-conformance: the maildrop lacks {} of the mailbox's messages ({}); cases that need them are \
                     skipped. `pop3-conformance fixture` writes the mailbox.",
                    marks.len(),
                    marks.join(", ")
                );
            }
            let bar = progress(arguments, cases.len());
            let cases: Vec<_> = cases.iter().filter_map(Case::server).collect();
            let results = suite::on_server(&cases, &peer, server.jobs, &|| bar.inc(1));
            bar.finish_and_clear();
            conclude(arguments, &peer.name(), results)
        }
        Some(Action::Client(client)) => {
            let cases: Vec<_> =
                Case::selected(only).into_iter().filter(|case| matches!(case, Case::Client(_))).collect();
            if cases.is_empty() {
                return Err(nothing(only));
            }
            if arguments.choice.list {
                list(&[], &cases)?;
                return Ok(true);
            }
            let peer = client.peer(arguments.choice.timeout);
            peer.try_out().map_err(Stop::NotRun)?;
            let bar = progress(arguments, cases.len());
            let cases: Vec<_> = cases.iter().filter_map(Case::client).collect();
            let results = suite::on_client(&cases, &peer, client.jobs, &|| bar.inc(1));
            bar.finish_and_clear();
            conclude(arguments, &peer.name(), results)
        }
    }
}

fn nothing(only: &str) -> Stop {
    Stop::Usage(format!("no case's and no transcript's name begins with {only:?}; --list names them all"))
}

fn read(path: &Path) -> Result<Transcript, Stop> {
    let file = path.to_string_lossy();
    let text = std::fs::read_to_string(path).map_err(|error| Stop::NotRun(format!("{file}: {error}")))?;
    let transcript = Transcript::parse(&file, &text)?;
    // What is wrong with the dialogue is said before anything is replayed.
    Session::all(&transcript)
        .map_err(|error| Stop::NotRun(ParseError { file: file.into_owned(), ..error }.to_string()))?;
    Ok(transcript)
}

fn list(transcripts: &[Transcript], cases: &[Case]) -> Result<(), Stop> {
    let mut report = Report::to_stdout(Detail::Entries);
    report.list(transcripts)?;
    let width = cases.iter().map(|case| case.id().len()).max().unwrap_or_default();
    let mut out = io::stdout().lock();
    for case in cases {
        writeln!(out, "{:width$}  {}", case.id(), case.title())?;
    }
    Ok(())
}

/// The transcripts, on both machines.
fn transcribe(arguments: &Arguments, transcripts: &[Transcript]) -> Result<bool, Stop> {
    let part = !arguments.choice.only.is_empty() || arguments.action.is_some();
    let mut report = Report::to_stdout(match &arguments.output {
        output if output.quiet => Detail::None,
        output if output.verbose || part => Detail::Entries,
        _ => Detail::Sections,
    });
    let began = Instant::now();
    report.head(transcripts)?;
    for transcript in transcripts {
        for side in [Side::Server, Side::Client] {
            report.entry(self_check::check(transcript, side, Effort::FULL)?)?;
        }
    }
    report.total(transcripts.len(), began.elapsed())?;
    let failed = |outcome: &Outcome| matches!(outcome, Outcome::Failed(_) | Outcome::Unexpected(_));
    Ok(!report.entries().iter().any(|entry| failed(&entry.outcome)))
}

/// The cases, on both machines, in memory and over sockets.
fn check_ourselves(arguments: &Arguments, cases: &[Case]) -> Result<bool, Stop> {
    let (memory, sockets) = (Ours::in_memory(), Ours::over_sockets(arguments.choice.timeout));
    let bar = progress(arguments, cases.len() * (memory.len() + sockets.len()));
    let mut results = suite::run(cases, &memory, 2, &|| bar.inc(1));
    // Most of the time over sockets is waiting for what must not come.
    results.extend(suite::run(cases, &sockets, 8, &|| bar.inc(1)));
    bar.finish_and_clear();
    conclude(arguments, "pop3-proto", results)
}

fn progress(arguments: &Arguments, length: usize) -> ProgressBar {
    let length = u64::try_from(length).unwrap_or(u64::MAX);
    if arguments.output.quiet || !io::stderr().is_terminal() {
        return ProgressBar::with_draw_target(Some(length), ProgressDrawTarget::hidden());
    }
    let bar = ProgressBar::new(length);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} cases, {elapsed}") {
        bar.set_style(style);
    }
    bar
}

/// Writes the reports.
fn conclude(arguments: &Arguments, subject: &str, mut results: Vec<RunResult>) -> Result<bool, Stop> {
    if let Some(path) = &arguments.choice.expectations {
        let wrong = |error: String| Stop::NotRun(format!("{}: {error}", path.display()));
        let text = std::fs::read_to_string(path).map_err(|error| wrong(error.to_string()))?;
        let expectations = Expectations::parse(&text).map_err(wrong)?;
        results.iter_mut().for_each(|result| expectations.apply(result));
    }
    let command = command();
    let run = Run { subject, command: &command, strict: arguments.choice.strict, results: &results };
    let output = &arguments.output;
    let files = [
        (&output.json, json::report(&run)),
        (&output.markdown, markdown::report(&run)),
        (&output.html, html::report(&run)),
    ];
    for (path, text) in files {
        if let Some(path) = path {
            write_file(path, &text)?;
        }
    }
    if let Some(path) = &output.junit {
        write_file(path, &junit::report(&run).map_err(Stop::NotRun)?)?;
    }
    let volume = match output {
        _ if output.quiet => Volume::Quiet,
        _ if output.verbose => Volume::Verbose,
        _ => Volume::Usual,
    };
    let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let colours = if !refused && io::stdout().is_terminal() { Colours::On } else { Colours::Off };
    write!(io::stdout().lock(), "{}", human::report(&run, volume, colours))?;
    Ok(run.totals().conforms())
}

fn write_file(path: &Path, text: &str) -> Result<(), Stop> {
    std::fs::write(path, text).map_err(|error| Stop::NotRun(format!("{}: {error}", path.display())))
}

/// This command line without `--only`, for whoever wants to run one case again.
fn command() -> String {
    let mut words = vec!["pop3-conformance".to_owned()];
    let mut arguments = std::env::args().skip(1);
    while let Some(argument) = arguments.next() {
        if argument == "--only" {
            arguments.next();
            continue;
        }
        if argument.starts_with("--only=") {
            continue;
        }
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./:@,+=%".contains(letter);
        words.push(match argument.chars().all(plain) && !argument.is_empty() {
            true => argument,
            false => format!("'{}'", argument.replace('\'', "'\\''")),
        });
    }
    words.join(" ")
}

fn cover(arguments: &cli::Coverage) -> Result<bool, Stop> {
    let results = suite::run(&Case::selected(""), &Ours::in_memory(), 2, &|| {});
    let page = coverage::page(&results);
    let uncovered = coverage::uncovered();
    for requirement in &uncovered {
        eprintln!("{} has no case: {}", requirement.id, requirement.text);
    }
    let mut fine = uncovered.is_empty() || !coverage::COMPLETE;
    match (&arguments.write, &arguments.check) {
        (Some(path), _) => write_file(path, &page)?,
        (None, Some(path)) => {
            if std::fs::read_to_string(path).ok().as_deref() != Some(&page) {
                eprintln!("{0} is stale: pop3-conformance coverage --write {0}", path.display());
                fine = false;
            }
        }
        (None, None) => write!(io::stdout().lock(), "{page}")?,
    }
    Ok(fine)
}
