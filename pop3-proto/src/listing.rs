//! What a maildrop's listings hold: message-numbers, sizes in octets, unique-ids.

use crate::error::Misuse;
use crate::text::{Carried, Text, visible};
use alloc::string::String;
use core::fmt;
use core::num::NonZeroU32;

/// The number of a message within one session, counted from 1 (RFC 1939 §4).
///
/// ```
/// use pop3_proto::MessageNumber;
///
/// assert_eq!(MessageNumber::new(1), Some(MessageNumber::FIRST));
/// assert_eq!(MessageNumber::new(0), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MessageNumber(NonZeroU32);

impl MessageNumber {
    /// Number 1.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// `None` for 0, which numbers no message.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) => Some(Self(number)),
            None => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u32 {
        self.0.get()
    }
}

impl TryFrom<u32> for MessageNumber {
    type Error = Misuse;

    fn try_from(number: u32) -> Result<Self, Misuse> {
        Self::new(number).ok_or(Misuse::MessageNumberZero)
    }
}

impl fmt::Display for MessageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The answer to `STAT` (RFC 1939 §5): the maildrop's messages and their octets, those marked as deleted left out.
///
/// ```
/// use pop3_proto::Maildrop;
///
/// let maildrop = Maildrop::new([(120, "a"), (200, "b")])?;
/// let stat = maildrop.stat();
/// assert_eq!((stat.messages, stat.octets), (2, Some(320)));
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct DropListing {
    /// How many messages.
    pub messages: u32,
    /// Their size in octets. `None` if the server gave a negative number
    /// ([`Quirk::NegativeOctets`](crate::Quirk::NegativeOctets)).
    pub octets: Option<u64>,
}

/// One line of a scan listing, the answer to `LIST` (RFC 1939 §5).
///
/// ```
/// use pop3_proto::{Maildrop, MessageNumber, ScanListing};
///
/// let mut maildrop = Maildrop::new([(120, "a"), (200, "b")])?;
/// maildrop.dele(MessageNumber::FIRST).unwrap();
/// let left: Vec<ScanListing> = maildrop.scan_listings().collect();
/// assert_eq!(left, [ScanListing { number: MessageNumber::new(2).unwrap(), octets: 200 }]);
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ScanListing {
    /// The message.
    pub number: MessageNumber,
    /// Its size in octets. A hint: what counts is what `RETR` sends.
    pub octets: u64,
}

/// One line of a unique-id listing, the answer to `UIDL` (RFC 1939 §7).
///
/// ```
/// use pop3_proto::grammar;
///
/// let (_, response) = grammar::unique_id_listing(b"+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n.\r\n").unwrap();
/// let listing = response.content[0].as_ref().unwrap();
/// assert_eq!((listing.number.get(), listing.id.as_bytes()), (1, &b"whqtswO00WBw418f9t5JxYwZ"[..]));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct UniqueIdListing<'a> {
    /// The message.
    pub number: MessageNumber,
    /// Its unique-id.
    pub id: UniqueId<'a>,
}

impl UniqueIdListing<'_> {
    /// The same line without the borrow.
    #[must_use]
    pub fn into_owned(self) -> UniqueIdListing<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> UniqueIdListing<'static> {
        UniqueIdListing { number: self.number, id: UniqueId(self.id.0.out_of(line)) }
    }
}

/// A unique-id (RFC 1939 §7): 1 to 70 octets in the range 0x21 to 0x7E, the same in every session.
///
/// A client keeps what the server sent, and [`UniqueId::conforms`] says whether it is one by the RFC; a server can
/// make only those ([`UniqueId::new`]).
///
/// ```
/// use pop3_proto::UniqueId;
///
/// assert!(UniqueId::new("whqtswO00WBw418f9t5JxYwZ").is_ok());
/// assert!(UniqueId::new("with spaces").is_err());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct UniqueId<'a>(Text<'a>);

impl<'a> UniqueId<'a> {
    /// The most octets that RFC 1939 allows.
    pub const MAX: usize = 70;

    /// A unique-id that a server may send.
    ///
    /// # Errors
    ///
    /// [`Misuse::UniqueId`] unless there are 1 to 70 octets in the range 0x21 to 0x7E.
    ///
    /// ```
    /// use pop3_proto::UniqueId;
    ///
    /// assert!(UniqueId::new("whqtswO00WBw418f9t5JxYwZ").is_ok());
    /// assert!(UniqueId::new("two words").is_err());
    /// ```
    pub fn new<T: AsRef<[u8]> + ?Sized>(octets: &'a T) -> Result<Self, Misuse> {
        let id = Self(Text::from(octets.as_ref()));
        if id.conforms() { Ok(id) } else { Err(Misuse::UniqueId) }
    }

    pub(crate) const fn received(octets: Text<'a>) -> Self {
        Self(octets)
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The same unique-id without the borrow.
    #[must_use]
    pub fn into_owned(self) -> UniqueId<'static> {
        UniqueId(self.0.into_owned())
    }

    /// Whether it is a unique-id as RFC 1939 §7 has them.
    #[must_use]
    pub fn conforms(&self) -> bool {
        let octets = self.as_bytes();
        (1..=Self::MAX).contains(&octets.len()) && visible(octets) == octets.len()
    }

    /// A file name that no other unique-id has, on disks that fold case too: without separators, dots and device names,
    /// at most 255 octets long. `None` for ids of no octets or more than 70.
    ///
    /// A unique-id comes from the server and must never be used as a path itself.
    ///
    /// ```
    /// use pop3_proto::UniqueId;
    ///
    /// assert_eq!(UniqueId::new("../A").unwrap().file_name().as_deref(), Some("uid-%2e%2e%2f%41"));
    /// ```
    #[must_use]
    pub fn file_name(&self) -> Option<String> {
        use fmt::Write as _;
        let octets = self.as_bytes();
        if !(1..=Self::MAX).contains(&octets.len()) {
            return None;
        }
        let mut name = String::from("uid-");
        for &octet in octets {
            match octet {
                b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' => name.push(char::from(octet)),
                _ => write!(name, "%{octet:02x}").ok()?,
            }
        }
        Some(name)
    }
}

impl fmt::Display for UniqueId<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
