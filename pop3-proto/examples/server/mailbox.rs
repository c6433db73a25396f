//! The mail: unique-ids, and messages as they are stored, with whatever line ends. One session at a time has it.

use pop3_proto::Login;
use pop3_proto::wire::dot::{Newlines, Size};
use std::sync::{Mutex, MutexGuard};

pub(crate) struct Mailbox {
    messages: Mutex<Vec<(&'static str, &'static [u8])>>,
}

/// The mailbox while a session has it; when this is dropped, the next one may.
pub(crate) struct Locked<'m>(MutexGuard<'m, Vec<(&'static str, &'static [u8])>>);

impl Mailbox {
    pub(crate) fn with_two_messages() -> Self {
        Self {
            messages: Mutex::new(vec![
                ("whqtswO00WBw418f9t5JxYwZ", b"From: ford@example.org\nSubject: towel\n\nDo not forget it.\n"),
                ("QhdPYR:00WBw1Ph7x7", b"From: zaphod@example.org\nSubject: dots\n\n.one\n..two\n.\nthe end\n"),
            ]),
        }
    }

    /// Compares every octet, so that the time it takes does not say how many of them are right.
    pub(crate) fn admits(&self, login: &Login<'_>) -> bool {
        let same = |given: &[u8], wanted: &[u8]| {
            let differing = given.iter().zip(wanted).fold(0, |seen, (a, b)| seen | (a ^ b));
            given.len() == wanted.len() && std::hint::black_box(differing) == 0
        };
        match login {
            Login::Pass { name, password } => same(name.as_bytes(), b"mrose") & same(password.reveal(), b"tanstaaf"),
            _ => false,
        }
    }

    /// `None` while another session has it.
    pub(crate) fn lock(&self) -> Option<Locked<'_>> {
        self.messages.try_lock().ok().map(Locked)
    }
}

impl Locked<'_> {
    /// The octets that RETR will send, not those that are stored: a line end counts two (RFC 1939 section 11).
    pub(crate) fn sizes_and_ids(&self) -> impl Iterator<Item = (u64, &'static str)> {
        self.0.iter().map(|(id, octets)| (Size::of(octets, Newlines::Canonical), *id))
    }

    pub(crate) fn octets(&self, index: usize) -> &'static [u8] {
        self.0.get(index).map_or(&[], |(_, octets)| octets)
    }

    /// Nothing in memory can resist; a store on disk would return its error here.
    pub(crate) fn remove(&mut self, deleted: impl Iterator<Item = usize>) -> Result<(), std::convert::Infallible> {
        let deleted: Vec<_> = deleted.collect();
        let mut index = 0..;
        self.0.retain(|_| index.next().is_some_and(|index| !deleted.contains(&index)));
        Ok(())
    }
}
