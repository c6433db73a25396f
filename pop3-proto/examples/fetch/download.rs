//! RETR and DELE for many messages, as many at once as the server allows.

use crate::connection::Dialogue;
use crate::report::Report;
use crate::session::Listed;
use crate::store::{Kept, Part, Store};
use pop3_proto::{Client, Command, Event, Misuse, Verb};
use std::io::{self, ErrorKind};

/// What became of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// It was not asked for, or the answer is not complete.
    Open,
    /// It is on disk, but for the name, which [`Store::sync`] makes sure of.
    Stored,
    /// It is not, and why was said.
    Failed,
}

/// RETR for each of the messages.
pub(crate) struct Download<'a> {
    messages: &'a [&'a Listed],
    outcomes: Vec<Outcome>,
    store: &'a Store,
    report: &'a mut Report,
    /// How many were asked for.
    asked: usize,
    receiving: Receiving,
    disk: Disk,
    octets: u64,
}

/// Where the octets go.
enum Receiving {
    Nothing,
    Message(Part),
    /// The message cannot be stored, but its octets come all the same.
    Drain,
}

#[derive(PartialEq, Eq)]
enum Disk {
    Fine,
    /// It will not take the next message either, and so no more are asked for.
    Full,
}

impl<'a> Download<'a> {
    pub(crate) fn new(messages: &'a [&'a Listed], store: &'a Store, report: &'a mut Report) -> Self {
        Self {
            messages,
            outcomes: Vec::with_capacity(messages.len()),
            store,
            report,
            asked: 0,
            receiving: Receiving::Nothing,
            disk: Disk::Fine,
            octets: 0,
        }
    }

    /// What became of each message, in their order, and how many octets came.
    pub(crate) fn outcomes(mut self) -> (Vec<Outcome>, u64) {
        self.outcomes.resize(self.messages.len(), Outcome::Open);
        (self.outcomes, self.octets)
    }

    fn begin(&mut self) {
        let Some(message) = self.messages.get(self.outcomes.len()) else { return };
        self.report.message(self.outcomes.len().saturating_add(1), self.messages.len());
        self.receiving = match self.store.begin(message.id.as_ref()) {
            Ok(part) => Receiving::Message(part),
            Err(error) => self.not_stored(&error),
        };
    }

    fn octets(&mut self, octets: &[u8]) {
        self.report.advance(octets.len());
        self.octets = self.octets.saturating_add(octets.len() as u64);
        let Receiving::Message(part) = &mut self.receiving else { return };
        if let Err(error) = part.write(octets) {
            self.receiving = self.not_stored(&error);
        }
    }

    fn end(&mut self) {
        let Receiving::Message(part) = std::mem::replace(&mut self.receiving, Receiving::Nothing) else {
            self.outcomes.push(Outcome::Failed);
            return;
        };
        match self.store.keep(part) {
            Ok(kept) => {
                if let Kept::Beside(path) = kept {
                    let text = "a different message has its name; it is stored as";
                    self.report.note(&format!("message {}: {text} {}", self.number(), path.display()));
                }
                self.outcomes.push(Outcome::Stored);
            }
            Err(error) => {
                self.not_stored(&error);
                self.outcomes.push(Outcome::Failed);
            }
        }
    }

    fn refused(&mut self, why: &str) {
        self.report.problem(&format!("message {} was not fetched; the server says: {why}", self.number()));
        self.outcomes.push(Outcome::Failed);
    }

    fn not_stored(&mut self, error: &io::Error) -> Receiving {
        self.report.problem(&format!("message {} was not stored: {error}", self.number()));
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::ReadOnlyFilesystem) {
            self.disk = Disk::Full;
        }
        Receiving::Drain
    }

    /// The number of the message that is being answered.
    fn number(&self) -> u32 {
        self.messages.get(self.outcomes.len()).map_or(0, |message| message.number.get())
    }
}

impl Dialogue for Download<'_> {
    fn speak(&mut self, client: &mut Client, out: &mut Vec<u8>) -> Result<(), Misuse> {
        while let (Some(message), Disk::Fine) = (self.messages.get(self.asked), &self.disk) {
            if !sent(client.send(&Command::Retr(message.number), out))? {
                break;
            }
            self.asked += 1;
        }
        Ok(())
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Ok { to: Verb::Retr, .. } => self.begin(),
            Event::Body(octets) => self.octets(octets),
            Event::End { of: Verb::Retr } => self.end(),
            Event::Err { to: Verb::Retr, text, .. } => self.refused(&text.to_string()),
            _ => {}
        }
    }
}

/// DELE for each of the messages.
pub(crate) struct Deletion<'a> {
    messages: &'a [&'a Listed],
    report: &'a mut Report,
    asked: usize,
    answered: usize,
    /// How many are marked as deleted.
    pub(crate) marked: usize,
}

impl<'a> Deletion<'a> {
    pub(crate) const fn new(messages: &'a [&'a Listed], report: &'a mut Report) -> Self {
        Self { messages, report, asked: 0, answered: 0, marked: 0 }
    }
}

impl Dialogue for Deletion<'_> {
    fn speak(&mut self, client: &mut Client, out: &mut Vec<u8>) -> Result<(), Misuse> {
        while let Some(message) = self.messages.get(self.asked) {
            if !sent(client.send(&Command::Dele(message.number), out))? {
                break;
            }
            self.asked += 1;
        }
        Ok(())
    }

    fn hear(&mut self, event: Event<'_>) {
        match event {
            Event::Ok { to: Verb::Dele, .. } => self.marked += 1,
            Event::Err { to: Verb::Dele, text, .. } => {
                let number = self.messages.get(self.answered).map_or(0, |message| message.number.get());
                self.report.problem(&format!("message {number} was not deleted; the server says: {text}"));
            }
            _ => return,
        }
        self.answered += 1;
    }
}

/// Whether the command went out. If the machine says "not yet", an answer has to come first: all of them where the server
/// announced no PIPELINING, one where the window is full.
fn sent(sent: Result<(), Misuse>) -> Result<bool, Misuse> {
    match sent {
        Ok(()) => Ok(true),
        Err(Misuse::WindowFull | Misuse::Outstanding { .. }) => Ok(false),
        Err(misuse) => Err(misuse),
    }
}
