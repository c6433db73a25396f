//! Stuffing: what a server does to stored mail on its way to the wire.

mod size;

use super::scan::{self, AnyLf};
use alloc::vec::Vec;

pub use self::size::Size;

use self::size::pairs;

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
        if self.may_end(chunk) && self.ends(chunk) {
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

    /// Whether a line of the chunk begins with a dot and something that could belong to its end. (Where text is stuffed, that
    /// is a second dot.)
    fn may_end(&self, chunk: &[u8]) -> bool {
        let odd = |octet: Option<&u8>| matches!(octet, Some(b'\r' | b'\n' | 0));
        let at_once = match chunk {
            [b'.', ..] if matches!(self.edge, Edge::LineStart | Edge::BareLf) => odd(chunk.get(1)),
            _ => self.dot && odd(chunk.first()),
        };
        if at_once {
            return true;
        }
        let mut rest = chunk;
        while let Some(line) = scan::line_dot::<AnyLf>(rest).and_then(|dot| rest.get(dot..)) {
            if odd(line.get(1)) {
                return true;
            }
            rest = line;
        }
        false
    }

    /// Whether the message ends in the chunk, for any reader.
    fn ends(&self, chunk: &[u8]) -> bool {
        memchr::memchr2_iter(b'\n', 0, chunk).any(|end| self.dot_behind(chunk.get(..end).unwrap_or_default()))
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
        match self.newlines {
            Newlines::Canonical => {
                out.reserve(chunk.len());
                self.edge.encode_canonical(chunk, out);
            }
            Newlines::CanonicalAll => {
                out.reserve(chunk.len());
                self.edge.encode_canonical_all(chunk, out);
            }
            Newlines::Trusted | Newlines::Reject => {
                let segments = self.segments(chunk)?;
                out.reserve(chunk.len());
                segments.for_each(|segment| out.extend_from_slice(segment));
                return Ok(());
            }
        }
        self.edge = self.edge.after(chunk, self.newlines);
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
        if self == Self::Cr && chunk.first() == Some(&b'\n') {
            return encode_crlf(chunk, out);
        }
        let mut rest = chunk;
        while let Some((line, [_, next @ ..])) = memchr::memchr(b'\n', rest).and_then(|lf| rest.split_at_checked(lf)) {
            out.extend_from_slice(line);
            if line.last() == Some(&b'\r') {
                // The next lines may need nothing either.
                return encode_crlf(rest.get(line.len()..).unwrap_or_default(), out);
            }
            out.extend_from_slice(b"\r\n");
            if next.first() == Some(&b'.') {
                out.push(b'.');
            }
            rest = next;
        }
        out.extend_from_slice(rest);
    }

    /// The same under [`Newlines::CanonicalAll`]: from one bare CR to the next the text is what the other policy makes of it,
    /// and mostly there is none.
    fn encode_canonical_all(mut self, chunk: &[u8], out: &mut Vec<u8>) {
        if self == Self::Cr && chunk.first().is_some_and(|&octet| octet != b'\n') {
            out.push(b'\n');
            self = Self::LineStart;
        }
        let mut rest = chunk;
        if pairs(chunk, |first, second| (first == b'\r') & (second != b'\n')) > 0 {
            let mut from = 0_usize;
            for cr in memchr::memchr_iter(b'\r', chunk) {
                let behind = cr.saturating_add(1);
                if chunk.get(behind).is_some_and(|&octet| octet != b'\n') {
                    self.encode_canonical(chunk.get(from..behind).unwrap_or_default(), out);
                    out.push(b'\n');
                    (self, from) = (Self::LineStart, behind);
                }
            }
            rest = chunk.get(from..).unwrap_or_default();
        }
        self.encode_canonical(rest, out);
    }

    /// The first bare LF or CR of `chunk`, a CR that went before it included.
    fn offence(self, chunk: &[u8]) -> Option<Offence> {
        let even = (self == Self::Cr) == (chunk.first() == Some(&b'\n'));
        if (even || chunk.is_empty()) && pairs(chunk, |first, second| (first == b'\r') ^ (second == b'\n')) == 0 {
            return None;
        }
        // There is one: this finds the first.
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
        Some(Offence::BareCr)
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
            Newlines::Canonical => self.next_insertion::<false>(memchr::memchr_iter(b'\n', chunk)),
            Newlines::CanonicalAll => self.next_insertion_of_all(),
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

    /// The same where line ends become CRLF, up to the first line that needs nothing: the next ones may need nothing either.
    fn next_insertion<const ALL: bool>(&self, line_ends: impl Iterator<Item = usize>) -> Option<(usize, usize, Edge)> {
        for at in line_ends {
            if let Some(insertion) = self.insertion::<ALL>(at) {
                return Some(insertion);
            }
            if at > 0 {
                return self.next_insertion_far::<ALL>(at);
            }
        }
        None
    }

    #[inline(never)]
    fn next_insertion_of_all(&self) -> Option<(usize, usize, Edge)> {
        self.next_insertion::<true>(memchr::memchr2_iter(b'\n', b'\r', self.rest))
    }

    /// The same behind such a line, whose LF stands there.
    #[inline(never)]
    fn next_insertion_far<const ALL: bool>(&self, lf: usize) -> Option<(usize, usize, Edge)> {
        let (chunk, mut lines) = (self.rest, 0_u8);
        let mut at = lf;
        loop {
            let mut from = at.saturating_add(1);
            if lines == 0 {
                let clean = clean::<ALL>(chunk.get(at..).unwrap_or_default());
                from = from.saturating_add(clean);
                lines = if clean == 0 { LINES } else { 0 };
            } else {
                lines = lines.saturating_sub(1);
            }
            let rest = chunk.get(from..)?;
            let found = if ALL { memchr::memchr2(b'\n', b'\r', rest) } else { memchr::memchr(b'\n', rest) };
            at = from.saturating_add(found?);
            if let Some(insertion) = self.insertion::<ALL>(at) {
                return Some(insertion);
            }
        }
    }

    /// What a line end asks for.
    #[inline(always)]
    fn insertion<const ALL: bool>(&self, at: usize) -> Option<(usize, usize, Edge)> {
        let chunk = self.rest;
        let behind = at.saturating_add(1);
        let next = chunk.get(behind);
        if ALL && chunk.get(at) == Some(&b'\r') {
            return match next {
                Some(b'\n') | None => None,
                Some(_) => Some((behind, behind, Edge::Cr)),
            };
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
        None
    }
}

/// Appends text that begins with the LF behind a CR, each bare LF as CRLF and each dot that begins a line doubled.
#[inline(never)]
fn encode_crlf(text: &[u8], out: &mut Vec<u8>) {
    let (mut rest, mut crlf, mut lines) = (text, true, 0_u8);
    while let [b'\n', next @ ..] = rest {
        // (Of a length that the compiler knows: no call to copy two octets.)
        if crlf {
            out.push(b'\n');
        } else {
            out.extend_from_slice(b"\r\n");
        }
        let mut done = 0;
        if next.first() == Some(&b'.') {
            out.push(b'.');
        } else if lines == 0 {
            done = clean::<false>(rest);
            lines = if done == 0 { LINES } else { 0 };
        }
        lines = lines.saturating_sub(1);
        let line = next.get(done..).unwrap_or_default();
        let length = memchr::memchr(b'\n', line).unwrap_or(line.len()).saturating_add(done);
        let (line, behind) = next.split_at_checked(length).unwrap_or((next, &[]));
        out.extend_from_slice(line);
        (rest, crlf) = (behind, line.last() == Some(&b'\r'));
    }
}

/// After a stretch that is not clean, so many lines are done one by one before the next is tried.
const LINES: u8 = 4;
const BLOCK: usize = 128;

/// How many octets behind the first one (an LF) need nothing, in whole blocks: each LF has its CR, no line begins with a dot, and,
/// with `ALL`, each CR has its LF. A gear as those of the search for dots are.
fn clean<const ALL: bool>(text: &[u8]) -> usize {
    let mut rest = text;
    while let Some(block) = rest.first_chunk() {
        if odd::<ALL>(block) {
            break;
        }
        rest = rest.get(BLOCK..).unwrap_or_default();
    }
    text.len().saturating_sub(rest.len())
}

/// Whether an octet of the block needs something. The first and the last are context.
#[inline(always)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "the bounds are constants")]
fn odd<const ALL: bool>(block: &[u8; BLOCK + 2]) -> bool {
    let (mut odd, mut any) = ([false; BLOCK], false);
    for at in 0..BLOCK {
        odd[at] = (block[at] != b'\r') | (block[at + 2] == b'.');
    }
    for at in 0..BLOCK {
        any |= odd[at] & (block[at + 1] == b'\n');
    }
    if ALL {
        for at in 0..BLOCK {
            any |= (block[at + 1] == b'\r') & (block[at + 2] != b'\n');
        }
    }
    any
}

#[cfg(test)]
mod tests;
