//! How plans are read from octets, and written to them.
//!
//! A plan is read front to back, and whatever is missing is empty or zero, so that every input is a plan. [`Script`]
//! writes what [`octet`], [`chunk`] and [`rest`] read: that is how the seeds are made.

use arbitrary::Unstructured;
use std::fmt;

/// One octet; 0 at the end.
pub fn octet(u: &mut Unstructured<'_>) -> u8 {
    u.bytes(1.min(u.len())).ok().and_then(|octets| octets.first().copied()).unwrap_or(0)
}

/// Octets behind their length in one octet; fewer at the end.
pub fn chunk<'a>(u: &mut Unstructured<'a>) -> &'a [u8] {
    let length = usize::from(octet(u));
    u.bytes(length.min(u.len())).unwrap_or_default()
}

/// Octets behind their length in two octets, the higher first; fewer at the end.
pub fn long_chunk<'a>(u: &mut Unstructured<'a>) -> &'a [u8] {
    let length = usize::from(octet(u)) << 8 | usize::from(octet(u));
    u.bytes(length.min(u.len())).unwrap_or_default()
}

/// Eight octets, the highest first.
pub fn number(u: &mut Unstructured<'_>) -> u64 {
    (0..8).fold(0, |number, _| number << 8 | u64::from(octet(u)))
}

/// All that is left.
pub fn rest<'a>(u: &mut Unstructured<'a>) -> &'a [u8] {
    u.bytes(u.len()).unwrap_or_default()
}

/// Writes a plan.
#[derive(Clone, Debug, Default)]
pub struct Script(Vec<u8>);

impl Script {
    /// An empty plan.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// What [`octet`] reads.
    #[must_use]
    pub fn octet(mut self, octet: u8) -> Self {
        self.0.push(octet);
        self
    }

    /// What [`chunk`] reads: 255 octets at most.
    ///
    /// # Panics
    ///
    /// If there are more.
    #[must_use]
    pub fn chunk(mut self, octets: impl AsRef<[u8]>) -> Self {
        let octets = octets.as_ref();
        self.0.push(u8::try_from(octets.len()).expect("a chunk has 255 octets at most"));
        self.rest(octets)
    }

    /// What [`long_chunk`] reads: 65535 octets at most.
    ///
    /// # Panics
    ///
    /// If there are more.
    #[must_use]
    pub fn long_chunk(mut self, octets: impl AsRef<[u8]>) -> Self {
        let octets = octets.as_ref();
        let length = u16::try_from(octets.len()).expect("a long chunk has 65535 octets at most");
        self.0.extend_from_slice(&length.to_be_bytes());
        self.rest(octets)
    }

    /// What [`number`] reads.
    #[must_use]
    pub fn number(mut self, number: u64) -> Self {
        self.0.extend_from_slice(&number.to_be_bytes());
        self
    }

    /// What [`rest`] reads.
    #[must_use]
    pub fn rest(mut self, octets: impl AsRef<[u8]>) -> Self {
        self.0.extend_from_slice(octets.as_ref());
        self
    }

    /// The plan's octets.
    #[must_use]
    pub fn into_octets(self) -> Vec<u8> {
        self.0
    }
}

/// Where a stream of octets is cut into reads: the length of each piece. What is left behind the last is one piece.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Cuts<'a>(pub &'a [u8]);

impl Cuts<'_> {
    /// Not cut at all.
    pub const WHOLE: Cuts<'static> = Cuts(&[]);
    /// An octet at a time (for the first 4096; what is behind them comes in one piece).
    pub const OCTETS: Cuts<'static> = Cuts(&[1; 4096]);

    /// The pieces of `octets`; there may be empty ones.
    pub fn of(self, octets: &[u8]) -> impl Iterator<Item = &[u8]> {
        let (mut left, mut lengths, mut done) = (octets, self.0.iter(), false);
        std::iter::from_fn(move || {
            if done {
                return None;
            }
            let length = match lengths.next() {
                Some(&length) if usize::from(length) < left.len() => usize::from(length),
                _ => {
                    done = true;
                    left.len()
                }
            };
            let (piece, behind) = left.split_at(length);
            left = behind;
            Some(piece)
        })
    }
}

impl fmt::Debug for Cuts<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cuts {:?}", self.0)
    }
}

/// Octets that print as text.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Octets<'a>(pub &'a [u8]);

impl fmt::Debug for Octets<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}
