//! Counting what a message will have on the wire.

use super::{BLOCK, Edge, Newlines, Offence};

/// Counts the octets of a message as `RETR` will send them, for `STAT` and `LIST`: line ends as the policy makes them,
/// the last CRLF included, stuffing and the termination octet not (RFC 1939 §11).
///
/// ```
/// use pop3_proto::wire::dot::{Newlines, Size};
///
/// let mut size = Size::new(Newlines::Canonical);
/// size.add(b"Subject: hi\n\n.");
/// size.add(b"no final line end");
/// assert_eq!(size.octets(), "Subject: hi\r\n\r\n.no final line end\r\n".len() as u64);
/// ```
#[derive(Clone, Debug)]
pub struct Size {
    newlines: Newlines,
    edge: Edge,
    octets: u64,
    offence: Option<Offence>,
}

impl Size {
    /// An empty message.
    #[must_use]
    pub const fn new(newlines: Newlines) -> Self {
        Self { newlines, edge: Edge::LineStart, octets: 0, offence: None }
    }

    /// The octets of a message that is there as a whole.
    ///
    /// ```
    /// use pop3_proto::wire::dot::{Newlines, Size};
    ///
    /// assert_eq!(Size::of(b"Subject: hi\n\ntext", Newlines::Canonical), 21);
    /// ```
    #[must_use]
    pub fn of(message: &[u8], newlines: Newlines) -> u64 {
        let mut size = Self::new(newlines);
        size.add(message);
        size.octets()
    }

    /// Counts a chunk of the stored message. Chunks may be cut anywhere.
    pub fn add(&mut self, chunk: &[u8]) {
        let inserted = match self.newlines {
            Newlines::Trusted => 0,
            Newlines::Reject => {
                self.offence = self.offence.or_else(|| self.edge.offence(chunk));
                0
            }
            Newlines::Canonical => self.bare_lfs(chunk),
            Newlines::CanonicalAll => self.bare_lfs(chunk).saturating_add(self.bare_crs(chunk)),
        };
        self.octets = self.octets.saturating_add(inserted).saturating_add(chunk.len() as u64);
        self.edge = self.edge.after(chunk, self.newlines);
    }

    /// The octets of the message if it ends here.
    #[must_use]
    pub const fn octets(&self) -> u64 {
        let owed = match (self.edge, self.newlines) {
            (Edge::LineStart, _) => 0,
            (Edge::Cr, Newlines::CanonicalAll) => 1,
            _ => 2,
        };
        self.octets.saturating_add(owed)
    }

    /// What [`Newlines::Reject`] has against the message, if it ends here.
    #[must_use]
    pub fn offence(&self) -> Option<Offence> {
        let ends_in_cr = self.newlines == Newlines::Reject && self.edge == Edge::Cr;
        self.offence.or(ends_in_cr.then_some(Offence::BareCr))
    }

    /// How many LF have no CR before them.
    fn bare_lfs(&self, chunk: &[u8]) -> u64 {
        let first = chunk.first() == Some(&b'\n') && self.edge != Edge::Cr;
        pairs(chunk, |first, second| (first != b'\r') & (second == b'\n')).saturating_add(u64::from(first))
    }

    /// How many CR have no LF behind them. (The last octet of a chunk is the business of the next one.)
    fn bare_crs(&self, chunk: &[u8]) -> u64 {
        let before = self.edge == Edge::Cr && chunk.first().is_some_and(|&octet| octet != b'\n');
        pairs(chunk, |first, second| (first == b'\r') & (second != b'\n')).saturating_add(u64::from(before))
    }
}

/// How many octets and the ones behind them are such a pair: blocks without branches, of which the compiler makes vectors, and
/// few enough octets in each for the count to fit one.
#[inline(always)]
pub(super) fn pairs(text: &[u8], such: impl Fn(u8, u8) -> bool) -> u64 {
    let count = |firsts: &[u8], seconds: &[u8]| {
        firsts
            .iter()
            .zip(seconds)
            .fold(0_u8, |count, (&first, &second)| count.wrapping_add(u8::from(such(first, second))))
    };
    let (mut rest, mut all) = (text, 0_u64);
    while let (Some(firsts), Some(seconds)) =
        (rest.first_chunk::<BLOCK>(), rest.get(1..).and_then(<[u8]>::first_chunk::<BLOCK>))
    {
        all = all.saturating_add(u64::from(count(firsts, seconds)));
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    all.saturating_add(u64::from(count(rest, rest.get(1..).unwrap_or_default())))
}
