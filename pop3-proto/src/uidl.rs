//! What a unique-id listing says to a client that leaves mail on the server.

use crate::listing::{MessageNumber, UniqueIdListing};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use core::fmt;

/// Compares a unique-id listing, a line at a time, with the unique-ids that a client remembers.
///
/// Memory is bounded by the octets of unique-ids that [`Reconciliation::new`] allows; the listing itself is not kept.
///
/// ```
/// use pop3_proto::{Finding, MessageNumber, Reconciliation, UniqueId, UniqueIdListing};
///
/// let mut mail = Reconciliation::new(1 << 20);
/// mail.remember(b"old")?;
/// mail.remember(b"gone")?;
/// mail.remember_deleted(b"ghost")?;
///
/// let mut listed = |number, id| {
///     mail.listed(&UniqueIdListing { number: MessageNumber::new(number).unwrap(), id: UniqueId::new(id).unwrap() })
/// };
/// assert_eq!(listed(1, "old"), Ok(Finding::Known));
/// assert_eq!(listed(2, "fresh"), Ok(Finding::New));
/// assert_eq!(listed(3, "fresh"), Ok(Finding::Duplicate { of: MessageNumber::new(2).unwrap() }));
/// assert_eq!(listed(4, "ghost"), Ok(Finding::Reused));
/// assert_eq!(mail.gone().collect::<Vec<_>>(), [b"gone"]);
/// # Ok::<(), pop3_proto::TooManyUniqueIds>(())
/// ```
#[derive(Clone, Debug)]
pub struct Reconciliation {
    ids: BTreeMap<Box<[u8]>, Mark>,
    octets: usize,
    limit: usize,
}

#[derive(Clone, Copy, Debug)]
struct Mark {
    memory: Memory,
    listed: Option<MessageNumber>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Memory {
    None,
    Kept,
    Deleted,
}

/// What a line of the listing is to the client.
///
/// ```
/// use pop3_proto::{Finding, MessageNumber, Reconciliation, UniqueId, UniqueIdListing};
///
/// let mut mail = Reconciliation::new(1 << 20);
/// mail.remember(b"whqtswO00WBw418f9t5JxYwZ")?;
/// let row = UniqueIdListing { number: MessageNumber::FIRST, id: UniqueId::new("whqtswO00WBw418f9t5JxYwZ").unwrap() };
/// assert_eq!(mail.listed(&row)?, Finding::Known); // nothing to fetch
/// # Ok::<(), pop3_proto::TooManyUniqueIds>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// A message that was not there before.
    New,
    /// A message that the client remembers.
    Known,
    /// A unique-id that another line of the same listing has already: the server does not tell the two apart
    /// (RFC 1939 §7 allows it for identical messages only).
    Duplicate {
        /// The message that had it first.
        of: MessageNumber,
    },
    /// A unique-id that the client remembers as deleted: the deletion did not happen, or the server uses the unique-id
    /// again. Fetch it if in doubt.
    Reused,
}

/// The unique-ids hold more octets than the limit allows.
///
/// ```
/// use pop3_proto::{Reconciliation, TooManyUniqueIds};
///
/// let mut mail = Reconciliation::new(8);
/// mail.remember(b"12345678").unwrap();
/// let refused = mail.remember(b"9").unwrap_err();
/// assert_eq!(refused, TooManyUniqueIds { limit: 8 });
/// assert_eq!(refused.to_string(), "the unique-ids hold more than 8 octets");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooManyUniqueIds {
    /// The limit in octets.
    pub limit: usize,
}

impl fmt::Display for TooManyUniqueIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the unique-ids hold more than {} octets", self.limit)
    }
}

impl core::error::Error for TooManyUniqueIds {}

impl Reconciliation {
    /// Nothing remembered; at most `octets` octets of unique-ids will be held.
    #[must_use]
    pub const fn new(octets: usize) -> Self {
        Self { ids: BTreeMap::new(), octets: 0, limit: octets }
    }

    /// A unique-id that the client has seen, and left on the server.
    ///
    /// # Errors
    ///
    /// [`TooManyUniqueIds`].
    pub fn remember(&mut self, id: &[u8]) -> Result<(), TooManyUniqueIds> {
        self.mark(id, Memory::Kept).map(|_| ())
    }

    /// A unique-id whose message the client has deleted.
    ///
    /// # Errors
    ///
    /// [`TooManyUniqueIds`].
    pub fn remember_deleted(&mut self, id: &[u8]) -> Result<(), TooManyUniqueIds> {
        self.mark(id, Memory::Deleted).map(|_| ())
    }

    /// A line of the listing.
    ///
    /// # Errors
    ///
    /// [`TooManyUniqueIds`].
    pub fn listed(&mut self, listing: &UniqueIdListing<'_>) -> Result<Finding, TooManyUniqueIds> {
        let id = listing.id.as_bytes();
        let mark = self.mark(id, Memory::None)?;
        if let Some(of) = mark.listed {
            return Ok(Finding::Duplicate { of });
        }
        mark.listed = Some(listing.number);
        Ok(match mark.memory {
            Memory::None => Finding::New,
            Memory::Kept => Finding::Known,
            Memory::Deleted => Finding::Reused,
        })
    }

    /// The unique-ids that the client remembers and the listing did not have; ask when the listing has ended.
    pub fn gone(&self) -> impl Iterator<Item = &[u8]> {
        let gone = |mark: &Mark| mark.listed.is_none() && mark.memory == Memory::Kept;
        self.ids.iter().filter(move |(_, mark)| gone(mark)).map(|(id, _)| &**id)
    }

    /// The unique-ids that the listing had, each with the first message that has it: what to remember for the next time,
    /// once those messages are fetched.
    pub fn there(&self) -> impl Iterator<Item = (MessageNumber, &[u8])> {
        self.ids.iter().filter_map(|(id, mark)| Some((mark.listed?, &**id)))
    }

    fn mark(&mut self, id: &[u8], memory: Memory) -> Result<&mut Mark, TooManyUniqueIds> {
        if !self.ids.contains_key(id) {
            let octets = self.octets.saturating_add(id.len());
            if octets > self.limit {
                return Err(TooManyUniqueIds { limit: self.limit });
            }
            self.octets = octets;
        }
        let mark = self.ids.entry(Box::from(id)).or_insert(Mark { memory, listed: None });
        if memory != Memory::None {
            mark.memory = memory;
        }
        Ok(mark)
    }
}
