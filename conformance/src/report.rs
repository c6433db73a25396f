//! What people see: a table, the differences, a total. Colours on a terminal only, and not with `NO_COLOR`.

use pop3_conformance::self_check::{Entry, Outcome};
use pop3_conformance::transcript::Transcript;
use std::io::{self, IsTerminal as _, Write as _};
use std::time::Duration;

/// The report as it is printed.
#[derive(Debug)]
pub(crate) struct Report {
    entries: Vec<Entry>,
    width: usize,
    detail: Detail,
    colours: bool,
}

/// How much is printed of replays that pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Detail {
    /// Nothing.
    None,
    /// A row for each section of an RFC.
    Sections,
    /// A row for each transcript and side.
    Entries,
}

impl Report {
    pub(crate) fn to_stdout(detail: Detail) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { entries: Vec::new(), width: 0, detail, colours: !refused && io::stdout().is_terminal() }
    }

    pub(crate) fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub(crate) fn list(&mut self, transcripts: &[Transcript]) -> io::Result<()> {
        self.measure(transcripts);
        let mut out = io::stdout().lock();
        for transcript in transcripts {
            writeln!(out, "{:width$}  {}", transcript.name, transcript.header.shows, width = self.width)?;
        }
        Ok(())
    }

    pub(crate) fn head(&mut self, transcripts: &[Transcript]) -> io::Result<()> {
        self.measure(transcripts);
        if self.detail != Detail::Entries {
            return Ok(());
        }
        let head = format!("{:width$}  side    chunkings  result", "transcript", width = self.width);
        writeln!(io::stdout().lock(), "{}", self.paint(BOLD, &head))
    }

    pub(crate) fn entry(&mut self, entry: Entry) -> io::Result<()> {
        let mut out = io::stdout().lock();
        let (chunkings, result) = match &entry.outcome {
            Outcome::Passed { replayed, notes } => {
                let notes = if notes.is_empty() { String::new() } else { format!(": {}", notes.join("; ")) };
                (replayed.chunkings.to_string(), format!("{}{notes}", self.paint(GREEN, "passed")))
            }
            Outcome::Failed(failure) => {
                let place = if failure.line == 0 { String::new() } else { format!(" in line {}", failure.line) };
                ("-".to_owned(), format!("{}{place}", self.paint(RED, "FAILED")))
            }
            Outcome::Skipped(why) => ("-".to_owned(), format!("{}: {why}", self.paint(YELLOW, "skipped"))),
            Outcome::Unexpected(why) => ("-".to_owned(), format!("{}: {why}", self.paint(RED, "UNEXPECTED"))),
        };
        let bad = matches!(entry.outcome, Outcome::Failed(_) | Outcome::Unexpected(_));
        if bad || self.detail == Detail::Entries {
            let side = entry.side.to_string();
            writeln!(out, "{:width$}  {side:6}  {chunkings:>9}  {result}", entry.name, width = self.width)?;
        }
        if let Outcome::Failed(failure) = &entry.outcome {
            for line in failure.to_string().lines() {
                writeln!(out, "    {line}")?;
            }
        }
        self.entries.push(entry);
        Ok(())
    }

    pub(crate) fn total(&self, transcripts: usize, took: Duration) -> io::Result<()> {
        if self.detail == Detail::Sections {
            self.sections()?;
        }
        let count = |of: fn(&Outcome) -> bool| self.entries.iter().filter(|entry| of(&entry.outcome)).count();
        let passed = count(|outcome| matches!(outcome, Outcome::Passed { .. }));
        let skipped = count(|outcome| matches!(outcome, Outcome::Skipped(_)));
        let failed = self.entries.len() - passed - skipped;
        let chunkings: usize = self
            .entries
            .iter()
            .map(|entry| match &entry.outcome {
                Outcome::Passed { replayed, .. } => replayed.chunkings,
                _ => 0,
            })
            .sum();
        let plural = if transcripts == 1 { "" } else { "s" };
        let words = format!(
            "{transcripts} transcript{plural}, {} replays in {chunkings} chunkings: {passed} passed, {failed} failed, \
             {skipped} skipped ({:.1} s)",
            self.entries.len(),
            took.as_secs_f64()
        );
        let colour = if failed == 0 { GREEN } else { RED };
        writeln!(io::stdout().lock(), "{}", self.paint(colour, &words))
    }

    /// The table of the sections: a transcript is called `rfc1939-05-retr`.
    fn sections(&self) -> io::Result<()> {
        let section = |name: &str| name.splitn(3, '-').take(2).collect::<Vec<_>>().join("-");
        let mut out = io::stdout().lock();
        let head = format!("{:12}  replays  chunkings  passed  failed  skipped", "transcripts");
        writeln!(out, "{}", self.paint(BOLD, &head))?;
        for entries in self.entries.chunk_by(|a, b| section(&a.name) == section(&b.name)) {
            let (mut chunkings, mut passed, mut skipped) = (0, 0, 0);
            for entry in entries {
                match &entry.outcome {
                    Outcome::Passed { replayed, .. } => {
                        passed += 1;
                        chunkings += replayed.chunkings;
                    }
                    Outcome::Skipped(_) => skipped += 1,
                    Outcome::Failed(_) | Outcome::Unexpected(_) => {}
                }
            }
            let (all, failed) = (entries.len(), entries.len() - passed - skipped);
            let name = section(&entries[0].name);
            let row = format!("{name:12}  {all:>7}  {chunkings:>9}  {passed:>6}  {failed:>6}  {skipped:>7}");
            writeln!(out, "{}", if failed == 0 { row } else { self.paint(RED, &row) })?;
        }
        Ok(())
    }

    fn measure(&mut self, transcripts: &[Transcript]) {
        self.width = transcripts.iter().map(|transcript| transcript.name.len()).max().unwrap_or_default();
    }

    fn paint(&self, colour: &str, text: &str) -> String {
        if self.colours { format!("\x1b[{colour}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

const BOLD: &str = "1";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";
