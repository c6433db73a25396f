//! Stuffing: what a server does to stored mail on its way to the wire.

use super::scan::{self, AnyLf};
use alloc::vec::Vec;

/// Message text that is stuffed already, on its way to a reader of whom nothing is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stuffed {
    edge: Edge,
    /// The line so far is a dot, and CR behind it at most.
    dot: bool,
}

impl Stuffed {
    pub(crate) const fn new() -> Self {
        Self { edge: Edge::LineStart, dot: false }
    }

    /// Whether the chunk may pass: for no reader (of CRLF, of LF, one that stops at NUL, one that drops every CR before
    /// the LF) does the message end in it.
    pub(crate) fn pass(&mut self, chunk: &[u8]) -> bool {
        if memchr::memchr2_iter(b'\n', 0, chunk).any(|end| self.dot_behind(chunk.get(..end).unwrap_or_default())) {
            return false;
        }
        self.dot = self.dot_behind(chunk);
        self.edge = self.edge.after(chunk, Newlines::Trusted);
        true
    }

    /// The octets that end the message here; `None` behind a line of a single dot, which they would end too early.
    pub(crate) fn finish(&self) -> Option<&'static [u8]> {
        match self.edge {
            _ if self.dot => None,
            Edge::LineStart => Some(b".\r\n"),
            _ => Some(b"\r\n.\r\n"),
        }
    }

    /// Whether the line that `front` leaves unfinished is a dot.
    fn dot_behind(&self, front: &[u8]) -> bool {
        let trimmed = front.iter().rposition(|&octet| octet != b'\r').map_or(0, |last| last.saturating_add(1));
        match front.get(..trimmed).unwrap_or_default() {
            [] => self.dot,
            [b'.'] => matches!(self.edge, Edge::LineStart | Edge::BareLf),
            [.., b'\n', b'.'] => true,
            _ => false,
        }
    }
}

/// What becomes of line ends in stored mail that are not CRLF.
///
/// Every policy gives text whose end each reader finds at the same octet: one that splits at CRLF, one that splits at
/// LF, and one that stops reading a line at NUL.
///
/// ```
/// use pop3_proto::wire::dot::{Newlines, Stuff};
///
/// let wire = |newlines| {
///     let (mut stuff, mut out) = (Stuff::new(newlines), Vec::new());
///     stuff.encode(b"bare\rCR, bare\n", &mut out).map(|()| out)
/// };
/// assert_eq!(wire(Newlines::Canonical).unwrap(), b"bare\rCR, bare\r\n");
/// assert_eq!(wire(Newlines::CanonicalAll).unwrap(), b"bare\r\nCR, bare\r\n");
/// assert_eq!(wire(Newlines::Trusted).unwrap(), b"bare\rCR, bare\n");
/// assert!(wire(Newlines::Reject).is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Newlines {
    /// A bare LF becomes CRLF; a bare CR passes. For mail that is stored with LF, and for mail that is not known.
    #[default]
    Canonical,
    /// A bare LF and a bare CR become CRLF each: readers that take CR for a line end agree too.
    CanonicalAll,
    /// A bare LF or CR is refused. [`Size`] tells beforehand, while the answer can still be `-ERR`.
    Reject,
    /// The caller vouches that lines end in CRLF, and the text passes as it is (dots are still stuffed, behind a bare
    /// LF too).
    Trusted,
}

/// Message text that [`Newlines::Reject`] refuses.
///
/// ```
/// use pop3_proto::wire::dot::{Newlines, Offence, Size};
///
/// let mut size = Size::new(Newlines::Reject);
/// size.add(b"one\r\ntwo\n");
/// assert_eq!(size.offence(), Some(Offence::BareLf)); // in time for a `-ERR`
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Offence {
    /// An LF without CR before it.
    BareLf,
    /// A CR without LF behind it.
    BareCr,
}

impl core::fmt::Display for Offence {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(match self {
            Self::BareLf => "the message holds an LF without CR before it",
            Self::BareCr => "the message holds a CR without LF behind it",
        })
    }
}

impl core::error::Error for Offence {}

/// Stuffs message text and ends it.
///
/// ```
/// use pop3_proto::wire::dot::{Newlines, Stuff};
///
/// let (mut stuff, mut out) = (Stuff::new(Newlines::Canonical), Vec::new());
/// for chunk in [&b".one\n"[..], b".", b"two"] {
///     stuff.encode(chunk, &mut out)?;
/// }
/// out.extend_from_slice(stuff.finish()?);
/// assert_eq!(out, b"..one\r\n..two\r\n.\r\n");
/// # Ok::<(), pop3_proto::wire::dot::Offence>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuff {
    newlines: Newlines,
    edge: Edge,
}

/// What the text that went before ends in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Edge {
    /// Nothing, or CRLF.
    LineStart,
    /// An LF that no CR went before (in trusted text only).
    BareLf,
    Text,
    Cr,
}

impl Stuff {
    /// At the beginning of message text.
    #[must_use]
    pub const fn new(newlines: Newlines) -> Self {
        Self { newlines, edge: Edge::LineStart }
    }

    pub(crate) fn at_line_start(&self) -> bool {
        self.edge == Edge::LineStart
    }

    /// Appends a chunk of the message to `out`, stuffed. Chunks may be cut anywhere.
    ///
    /// # Errors
    ///
    /// [`Offence`] under [`Newlines::Reject`] only; nothing of the chunk was written then.
    pub fn encode(&mut self, chunk: &[u8], out: &mut Vec<u8>) -> Result<(), Offence> {
        if self.newlines == Newlines::Canonical {
            out.reserve(chunk.len());
            self.edge.encode_canonical(chunk, out);
            self.edge = self.edge.after(chunk, self.newlines);
            return Ok(());
        }
        let segments = self.segments(chunk)?;
        out.reserve(chunk.len());
        segments.for_each(|segment| out.extend_from_slice(segment));
        Ok(())
    }

    /// The same octets as [`Stuff::encode`] writes, as slices for a vectored write: all but the inserted octets are
    /// slices of the chunk. The whole chunk counts as sent when this returns.
    ///
    /// # Errors
    ///
    /// [`Offence`] under [`Newlines::Reject`] only.
    pub fn segments<'c>(&mut self, chunk: &'c [u8]) -> Result<Segments<'c>, Offence> {
        if self.newlines == Newlines::Reject {
            if let Some(offence) = self.edge.offence(chunk) {
                return Err(offence);
            }
        }
        let segments = Segments { rest: chunk, edge: self.edge, newlines: self.newlines };
        self.edge = self.edge.after(chunk, self.newlines);
        Ok(segments)
    }

    /// The octets that end the message: CRLF if the text does not end a line, then `.` CRLF. They are to be sent, and
    /// this value begins anew.
    ///
    /// # Errors
    ///
    /// [`Offence::BareCr`] under [`Newlines::Reject`] if the text ends in CR.
    pub const fn finish(&mut self) -> Result<&'static [u8], Offence> {
        let octets: &[u8] = match (self.edge, self.newlines) {
            (Edge::LineStart, _) => b".\r\n",
            (Edge::Cr, Newlines::CanonicalAll) => b"\n.\r\n",
            (Edge::Cr, Newlines::Reject) => return Err(Offence::BareCr),
            _ => b"\r\n.\r\n",
        };
        self.edge = Edge::LineStart;
        Ok(octets)
    }
}

impl Edge {
    /// The edge behind `chunk`.
    fn after(self, chunk: &[u8], newlines: Newlines) -> Self {
        match chunk {
            [] => self,
            [.., b'\r'] => Self::Cr,
            [.., b'\n'] => {
                let crlf = match chunk {
                    [.., b'\r', _] => true,
                    [_] => self == Self::Cr,
                    _ => false,
                };
                if crlf || newlines != Newlines::Trusted { Self::LineStart } else { Self::BareLf }
            }
            _ => Self::Text,
        }
    }

    /// What [`Segments`] make of a chunk under [`Newlines::Canonical`], line by line: a copy needs no segment for each CR.
    fn encode_canonical(self, chunk: &[u8], out: &mut Vec<u8>) {
        if self == Self::LineStart && chunk.first() == Some(&b'.') {
            out.push(b'.');
        }
        let (mut rest, mut behind_cr) = (chunk, self == Self::Cr);
        while let Some((line, [_, next @ ..])) = memchr::memchr(b'\n', rest).and_then(|lf| rest.split_at_checked(lf)) {
            out.extend_from_slice(line);
            let crlf = line.last().map_or(behind_cr, |&octet| octet == b'\r');
            // (Of a length that the compiler knows: no call to copy two octets.)
            if crlf {
                out.push(b'\n');
            } else {
                out.extend_from_slice(b"\r\n");
            }
            if next.first() == Some(&b'.') {
                out.push(b'.');
            }
            (rest, behind_cr) = (next, false);
        }
        out.extend_from_slice(rest);
    }

    /// The first bare LF or CR of `chunk`, a CR that went before it included.
    fn offence(self, chunk: &[u8]) -> Option<Offence> {
        let mut owed = self == Self::Cr; // an LF must come next
        let mut from = 0_usize;
        for at in memchr::memchr2_iter(b'\r', b'\n', chunk) {
            let adjacent = at == from;
            if owed && !(adjacent && chunk.get(at) == Some(&b'\n')) {
                return Some(Offence::BareCr);
            }
            match chunk.get(at) {
                Some(b'\n') if !owed => return Some(Offence::BareLf),
                Some(b'\n') => owed = false,
                _ => owed = true,
            }
            from = at.saturating_add(1);
        }
        (owed && from < chunk.len()).then_some(Offence::BareCr)
    }
}

/// A chunk of message text, stuffed, in pieces. See [`Stuff::segments`].
///
/// ```
/// use pop3_proto::wire::dot::{Newlines, Stuff};
///
/// let mut stuff = Stuff::new(Newlines::Canonical);
/// let segments: Vec<&[u8]> = stuff.segments(b"one\r\n.two\r\n")?.collect();
/// assert_eq!(segments.concat(), b"one\r\n..two\r\n"); // for a vectored write: nothing was copied
/// # Ok::<(), pop3_proto::wire::dot::Offence>(())
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Segments<'c> {
    rest: &'c [u8],
    edge: Edge,
    newlines: Newlines,
}

impl<'c> Iterator for Segments<'c> {
    type Item = &'c [u8];

    fn next(&mut self) -> Option<&'c [u8]> {
        let first = *self.rest.first()?;
        match (self.edge, first, self.newlines) {
            (Edge::Cr, octet, Newlines::CanonicalAll) if octet != b'\n' => {
                self.edge = Edge::LineStart;
                Some(b"\n")
            }
            (Edge::LineStart | Edge::BareLf, b'.', _) => {
                self.edge = Edge::Text; // the dot of the chunk follows as it is
                Some(b".")
            }
            (Edge::LineStart | Edge::Text, b'\n', Newlines::Canonical | Newlines::CanonicalAll) => {
                self.edge = Edge::Cr;
                Some(b"\r")
            }
            _ => Some(self.run()),
        }
    }
}

impl<'c> Segments<'c> {
    /// The longest run that needs nothing inserted. Its first octet was looked at already.
    ///
    /// Where a dot must be doubled, the run takes the dot along and the next run begins with the same dot.
    fn run(&mut self) -> &'c [u8] {
        let chunk = self.rest;
        let at = match self.newlines {
            Newlines::Trusted | Newlines::Reject => self.next_dot(),
            Newlines::Canonical => self.next_insertion(memchr::memchr_iter(b'\n', chunk)),
            Newlines::CanonicalAll => self.next_insertion(memchr::memchr2_iter(b'\n', b'\r', chunk)),
        };
        let Some((end, next, edge)) = at else {
            self.rest = &[];
            return chunk;
        };
        self.rest = chunk.get(next..).unwrap_or_default();
        self.edge = edge;
        chunk.get(..end).unwrap_or(chunk)
    }

    /// Where a line of trusted text begins with a dot: the end of this run, the start of the next, and its edge.
    fn next_dot(&self) -> Option<(usize, usize, Edge)> {
        scan::line_dot::<AnyLf>(self.rest).map(|dot| (dot.saturating_add(1), dot, Edge::Text))
    }

    fn next_insertion(&self, line_ends: impl Iterator<Item = usize>) -> Option<(usize, usize, Edge)> {
        let chunk = self.rest;
        for at in line_ends {
            let behind = at.saturating_add(1);
            let next = chunk.get(behind);
            if chunk.get(at) == Some(&b'\r') {
                match next {
                    Some(b'\n') | None => continue,
                    Some(_) => return Some((behind, behind, Edge::Cr)),
                }
            }
            let crlf = match at.checked_sub(1) {
                Some(before) => chunk.get(before) == Some(&b'\r'),
                None => true, // this LF is why the run began: its CR is out already
            };
            if !crlf {
                return Some((at, at, Edge::Text));
            }
            if next == Some(&b'.') {
                return Some((behind.saturating_add(1), behind, Edge::Text));
            }
        }
        None
    }
}

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
fn pairs(text: &[u8], such: impl Fn(u8, u8) -> bool) -> u64 {
    const BLOCK: usize = 128;
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
