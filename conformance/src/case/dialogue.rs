//! What was said in a case, in order, for whoever has to understand a failure.

use crate::octets::escape;

/// Who said it.
///
/// ```
/// use pop3_conformance::case::Who;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("rfc1939/5/stat"), &Ours::in_memory()[..1], 1, &|| {});
/// let dialogue = &results[0].dialogue;
/// assert!(dialogue.last(Who::Server).starts_with(b"+OK"));
/// assert_eq!(dialogue.entries[0].who, Who::Event); // "connected"
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// The client's octets.
    Client,
    /// The server's octets.
    Server,
    /// Something that is no octets: a connection, a handshake, an end.
    Event,
}

/// One thing that was said.
///
/// ```
/// use pop3_conformance::case::{Dialogue, Entry, Who};
///
/// let said = |who, octets: &[u8]| Entry { session: 1, who, octets: octets.to_vec() };
/// let dialogue = Dialogue { entries: vec![said(Who::Client, b"STAT\r\n"), said(Who::Server, b"+OK 2 320\r\n")] };
/// assert_eq!(dialogue.lines(), ["C: STAT\\r\\n", "S: +OK 2 320\\r\\n"]);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// In which session of the case, from 1.
    pub session: usize,
    /// By whom.
    pub who: Who,
    /// The octets, or the event's words.
    pub octets: Vec<u8>,
}

/// The whole of it.
///
/// ```
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("rfc1939/5/stat"), &Ours::in_memory()[..1], 1, &|| {});
/// for line in results[0].dialogue.lines() {
///     println!("{line}"); // S: +OK POP3 server ready <...>\r\n
/// }
/// # assert!(results[0].dialogue.lines().iter().any(|line| line.starts_with("S: +OK POP3 server ready <")));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dialogue {
    /// In order.
    pub entries: Vec<Entry>,
}

impl Dialogue {
    /// Adds what was said; what one side says in pieces becomes one entry.
    pub(crate) fn add(&mut self, session: usize, who: Who, octets: &[u8]) {
        match self.entries.last_mut() {
            Some(last) if who == Who::Server && last.who == who && last.session == session => {
                last.octets.extend_from_slice(octets);
            }
            _ => self.entries.push(Entry { session, who, octets: octets.to_vec() }),
        }
    }

    /// Leaves the secrets out, also where they were sent in pieces.
    pub(crate) fn mask(&mut self, secrets: &[String]) {
        let holds = |octets: &[u8]| secrets.iter().any(|secret| find(octets, secret.as_bytes()).is_some());
        let mut masked: Vec<Entry> = Vec::new();
        let entries = std::mem::take(&mut self.entries);
        for run in entries.chunk_by(|a, b| a.who == Who::Client && b.who == a.who && a.session == b.session) {
            let mut all = Entry { octets: Vec::new(), ..run[0].clone() };
            run.iter().for_each(|entry| all.octets.extend_from_slice(&entry.octets));
            if !holds(&all.octets) {
                masked.extend_from_slice(run);
                continue;
            }
            for secret in secrets {
                let mut from = 0;
                while let Some(at) = find(&all.octets[from..], secret.as_bytes()) {
                    let at = from + at;
                    all.octets.splice(at..at + secret.len(), *MASK);
                    from = at + MASK.len();
                }
            }
            masked.push(all);
        }
        self.entries = masked;
    }

    /// The octets that one side sent last.
    #[must_use]
    pub fn last(&self, who: Who) -> Vec<u8> {
        self.entries.iter().rev().find(|entry| entry.who == who).map(|entry| entry.octets.clone()).unwrap_or_default()
    }

    /// In how many lines of a session that the server has closed it said `-ERR`; of the session where that was most
    /// often.
    #[must_use]
    pub fn refused_and_closed(&self) -> usize {
        let of = |session: usize| self.entries.iter().filter(move |entry| entry.session == session);
        let closed = |entry: &&Entry| entry.who == Who::Event && entry.octets.starts_with(b"the server ");
        let sessions = self.entries.iter().filter(closed).map(|entry| entry.session);
        let refused = |session| {
            let lines = of(session).filter(|entry| entry.who == Who::Server);
            lines
                .flat_map(|entry| entry.octets.split(|&octet| octet == b'\n'))
                .filter(|line| line.starts_with(b"-ERR"))
                .count()
        };
        sessions.map(refused).max().unwrap_or_default()
    }

    /// As lines: `C: STAT\r\n`; a second session's have its number in front. Long ones are cut.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut shown = Vec::new();
        for entry in &self.entries {
            let (who, session) = (
                match entry.who {
                    Who::Client => "C: ",
                    Who::Server => "S: ",
                    Who::Event => "-- ",
                },
                if entry.session > 1 { format!("{}", entry.session) } else { String::new() },
            );
            if entry.who == Who::Event {
                shown.push(format!("{session}{who}{}", String::from_utf8_lossy(&entry.octets)));
                continue;
            }
            let lines: Vec<_> = entry.octets.split_inclusive(|&octet| octet == b'\n').collect();
            for (index, line) in lines.iter().enumerate() {
                if index == 40 && lines.len() > 45 {
                    shown.push(format!("{session}{who}... {} lines more", lines.len() - index));
                    break;
                }
                let cut = line.len() > 300;
                let more = if cut { format!("... {} octets", line.len()) } else { String::new() };
                shown.push(format!("{session}{who}{}{more}", escape(&line[..line.len().min(300)])));
            }
        }
        shown
    }
}

fn find(octets: &[u8], part: &[u8]) -> Option<usize> {
    octets.windows(part.len().max(1)).position(|window| window == part)
}

/// What stands in a secret's place.
const MASK: &[u8; 8] = b"<secret>";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_left_out_also_where_it_was_sent_octet_by_octet() {
        let mut dialogue = Dialogue::default();
        for octet in b"PASS tanstaaf\r\n".chunks(1) {
            dialogue.add(1, Who::Client, octet);
        }
        dialogue.add(1, Who::Server, b"-ERR no tanstaaf\r\n");
        dialogue.mask(&["tanstaaf".to_owned()]);
        let shown = dialogue.lines().join(" ");
        assert!(!shown.contains("tanstaaf") && !shown.contains("C: t "), "{shown}");
        assert!(shown.contains("no <secret>"), "{shown}");
    }
}
