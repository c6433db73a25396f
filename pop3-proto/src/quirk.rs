//! Tolerances towards peers that bend an RFC, each by its name.

use core::fmt;

/// A named tolerance: something that an RFC forbids the peer, and that a machine can take all the same.
///
/// Which are on is set in [`Config`](crate::Config); none is ever chosen by what a greeting or IMPLEMENTATION says (RFC 2449 §6.9
/// forbids it). The client notes those that it met ([`Client::quirks_seen`](crate::Client::quirks_seen)).
///
/// ```
/// use pop3_proto::{Quirk, Quirks};
///
/// assert!(Quirks::TOLERANT.contains(Quirk::BareLf));
/// assert!(!Quirks::TOLERANT.contains(Quirk::OkAsContinue)); // it changes what a status means
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
#[repr(u8)]
pub enum Quirk {
    /// Client, on: a status line may end in a bare LF, and then every line of the response does, an optional CR before
    /// it not counted. For servers written for LF systems. Bends RFC 1939 §3, "All responses [...] CRLF".
    BareLf,
    /// Client, on: a TAB may stand behind the status indicator instead of a space. Bends RFC 2449 §3.
    StatusTab,
    /// Client, on: a status line may be longer than 512 octets, up to [`Config::status_line`](crate::Config::status_line). Bends RFC 1939 §3.
    LongStatus,
    /// Client, on: several spaces may stand where RFC 1939 §5 and §7 have one in STAT, LIST and UIDL. For Maillennium.
    ExtraSpaces,
    /// Client, on: a unique-id may be longer than 70 octets or hold spaces and octets beyond 0x21 to 0x7E (RFC 1939 §7).
    UniqueIdOctets,
    /// Client, on: the size in STAT may be negative, and is then `None`. For servers that count in 32 bits.
    NegativeOctets,
    /// Client, on: a line of message text may begin with a single dot that is not the end. RFC 1939 §3 has the dot
    /// stripped; what is tolerated is that the server forgot to stuff. With it off the same octets are handed out, and
    /// nothing is noted.
    MissingStuffing,
    /// Client, on: a challenge may lack the space behind `+` (RFC 5034 §4). For Exchange.
    BarePlus,
    /// Client, on: a challenge may be text that is not base64, to a mechanism that expects nothing in it. With it off,
    /// [`Client::answer`](crate::Client::answer) cancels the exchange at such a challenge (RFC 5034 §4).
    TextChallenge,
    /// Client, **off**: `+OK` to AUTH before any response was sent counts as `+` (the first one only).
    /// It changes what a status means.
    OkAsContinue,
    /// Server, off: a command may end in a bare LF (RFC 1939 §3).
    BareLfCommand,
    /// Server, off: spaces may stand at the end of a command (RFC 1939 §3).
    TrailingSpaces,
    /// Server, off: the argument of USER may hold spaces (RFC 1939 §3).
    NameWithSpaces,
    /// Server, off: `AUTH` without a mechanism is answered with the list of mechanisms. For Outlook (RFC 5034 §4 wants
    /// the argument).
    BareAuth,
}

impl Quirk {
    /// Every quirk.
    pub const ALL: [Self; 14] = [
        Self::BareLf,
        Self::StatusTab,
        Self::LongStatus,
        Self::ExtraSpaces,
        Self::UniqueIdOctets,
        Self::NegativeOctets,
        Self::MissingStuffing,
        Self::BarePlus,
        Self::TextChallenge,
        Self::OkAsContinue,
        Self::BareLfCommand,
        Self::TrailingSpaces,
        Self::NameWithSpaces,
        Self::BareAuth,
    ];
}

/// A set of [`Quirk`]s.
///
/// ```
/// use pop3_proto::{Quirk, Quirks};
///
/// let quirks = Quirks::STRICT.with(Quirk::BareLf).with(Quirk::BarePlus);
/// assert!(quirks.iter().eq([Quirk::BareLf, Quirk::BarePlus]));
/// assert!(quirks.without(Quirk::BareLf).without(Quirk::BarePlus).is_empty());
/// assert_eq!(format!("{quirks:?}"), "{BareLf, BarePlus}"); // as a log would show `Client::quirks_seen`
/// ```
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Quirks(u32);

impl Quirks {
    /// No quirk: the RFCs to the letter.
    pub const STRICT: Self = Self(0);

    /// What a client tolerates by default: all that leaves the meaning of a status alone. A server tolerates nothing.
    pub const TOLERANT: Self = Self::STRICT
        .with(Quirk::BareLf)
        .with(Quirk::StatusTab)
        .with(Quirk::LongStatus)
        .with(Quirk::ExtraSpaces)
        .with(Quirk::UniqueIdOctets)
        .with(Quirk::NegativeOctets)
        .with(Quirk::MissingStuffing)
        .with(Quirk::BarePlus)
        .with(Quirk::TextChallenge);

    /// The set with one more.
    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Self {
        Self(self.0 | 1 << quirk as u8)
    }

    /// The set without one.
    #[must_use]
    pub const fn without(self, quirk: Quirk) -> Self {
        Self(self.0 & !(1 << quirk as u8))
    }

    /// Whether the quirk is in the set.
    #[must_use]
    pub const fn contains(self, quirk: Quirk) -> bool {
        self.0 & 1 << quirk as u8 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The quirks of the set.
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        Quirk::ALL.into_iter().filter(move |&quirk| self.contains(quirk))
    }

    pub(crate) const fn extend(&mut self, others: Self) {
        self.0 |= others.0;
    }

    pub(crate) const fn insert(&mut self, quirk: Quirk) {
        *self = self.with(quirk);
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}
