//! The commands that wait for their answers, in the order in which they were sent.

use crate::listing::MessageNumber;
use crate::state::{Shape, Verb};
use alloc::collections::VecDeque;

/// A command that was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) verb: Verb,
    pub(crate) shape: Shape,
    /// The message that it names.
    pub(crate) number: Option<MessageNumber>,
    /// Its line, with CRLF.
    pub(crate) octets: u8,
}

impl Entry {
    /// Whether the answer brings message text.
    pub(crate) const fn is_body(self) -> bool {
        matches!(self.verb, Verb::Retr | Verb::Top)
    }
}

/// A queue whose first place costs no heap: a client that does not pipeline never allocates here.
#[derive(Debug)]
pub(crate) struct Outstanding {
    first: Option<Entry>,
    rest: VecDeque<Entry>,
    octets: u32,
    bodies: u16,
}

impl Outstanding {
    pub(crate) const fn new() -> Self {
        Self { first: None, rest: VecDeque::new(), octets: 0, bodies: 0 }
    }

    pub(crate) fn push(&mut self, entry: Entry) {
        self.octets = self.octets.saturating_add(u32::from(entry.octets));
        self.bodies = self.bodies.saturating_add(u16::from(entry.is_body()));
        if self.first.is_none() {
            self.first = Some(entry);
        } else {
            self.rest.push_back(entry);
        }
    }

    pub(crate) fn pop(&mut self) {
        if let Some(entry) = self.first {
            self.octets = self.octets.saturating_sub(u32::from(entry.octets));
            self.bodies = self.bodies.saturating_sub(u16::from(entry.is_body()));
        }
        self.first = self.rest.pop_front();
    }

    pub(crate) const fn first(&self) -> Option<Entry> {
        self.first
    }

    /// What is being answered.
    #[inline]
    pub(crate) fn verb(&self) -> Verb {
        self.first.map_or(Verb::Other, |entry| entry.verb)
    }

    pub(crate) fn shrink_to_fit(&mut self) {
        self.rest.shrink_to_fit();
    }

    pub(crate) fn last(&self) -> Option<Entry> {
        self.rest.back().copied().or(self.first)
    }

    pub(crate) fn len(&self) -> usize {
        usize::from(self.first.is_some()).saturating_add(self.rest.len())
    }

    /// The octets of all lines.
    pub(crate) const fn octets(&self) -> u32 {
        self.octets
    }

    /// Whether message text is still to come.
    pub(crate) const fn has_body(&self) -> bool {
        self.bodies > 0
    }
}
