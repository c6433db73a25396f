//! Lines: octets up to and including CRLF (RFC 1939 §3), and the bounded carry.
//!
//! [`Lines`] takes octets off the front of the caller's buffer. A line that lies whole in the buffer is handed out as
//! a slice of it; a line that the buffer cuts is carried until its end arrives. What is held back is never longer than
//! the limit that the caller gives, whatever the peer sends, and no octet is looked at twice.
//!
//! ```
//! use pop3_proto::wire::line::{Ending, Found, Lines};
//!
//! let mut lines = Lines::default();
//! let mut input: &[u8] = b"NOOP\r\nQU";
//! assert!(matches!(lines.find(&mut input, Ending::Crlf, 255), Ok(Some(Found::Whole(b"NOOP", _)))));
//! assert!(matches!(lines.find(&mut input, Ending::Crlf, 255), Ok(None)));
//! assert_eq!(lines.held(), 2);
//!
//! let mut input: &[u8] = b"IT\r\n";
//! assert!(matches!(lines.find(&mut input, Ending::Crlf, 255), Ok(Some(Found::Carried(_)))));
//! assert_eq!(lines.take_carried(), b"QUIT");
//! ```

use crate::text::printable;
use alloc::vec::Vec;

/// Which octets may end a line.
///
/// ```
/// use pop3_proto::wire::line::{Ending, Found, LineEnd, Lines};
///
/// let found = |ending| Lines::new().find(&mut &b"a\nb\r\n"[..], ending, 255);
/// assert_eq!(found(Ending::Crlf), Ok(Some(Found::Whole(b"a\nb", LineEnd::Crlf))));
/// assert_eq!(found(Ending::Lf), Ok(Some(Found::Whole(b"a", LineEnd::BareLf))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// CRLF only; a CR or LF that stands alone belongs to the line.
    Crlf,
    /// The first LF, with or without a CR before it.
    Lf,
}

/// Which octets did end a line.
///
/// ```
/// use pop3_proto::wire::dot::{Piece, Unstuff};
/// use pop3_proto::wire::line::LineEnd;
///
/// // What a line of the same text ends at is decided by how the status line ended.
/// let first = |lines| matches!(Unstuff::new(lines).next(&mut &b".\n"[..]), Some(Piece::End));
/// assert!(first(LineEnd::BareLf));
/// assert!(!first(LineEnd::Crlf));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LineEnd {
    /// CRLF, as RFC 1939 §3 asks.
    Crlf,
    /// LF without a CR before it.
    BareLf,
}

impl LineEnd {
    /// How many octets it has.
    pub(crate) const fn octets(self) -> usize {
        match self {
            Self::Crlf => 2,
            Self::BareLf => 1,
        }
    }
}

/// A line that is complete; its ending is not part of the text.
///
/// ```
/// use pop3_proto::wire::line::{Ending, Found, LineEnd, Lines};
///
/// let mut lines = Lines::new();
/// assert_eq!(lines.find(&mut &b"NOOP\r\n"[..], Ending::Crlf, 255), Ok(Some(Found::Whole(b"NOOP", LineEnd::Crlf))));
/// assert_eq!(lines.find(&mut &b"ST"[..], Ending::Crlf, 255), Ok(None));
/// assert_eq!(lines.find(&mut &b"AT\r\n"[..], Ending::Crlf, 255), Ok(Some(Found::Carried(LineEnd::Crlf))));
/// assert_eq!(lines.take_carried(), b"STAT");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found<'i> {
    /// It lay whole in the input.
    Whole(&'i [u8], LineEnd),
    /// Its beginning came with an earlier input: [`Lines::take_carried`] has the text.
    Carried(LineEnd),
}

/// The line is longer than the limit: that many octets came, and no end of line among them.
///
/// The octets up to the limit are gone; [`Lines::discard`] drops the tail.
///
/// ```
/// use pop3_proto::wire::line::{Ending, Found, LineEnd, Lines, TooLong};
///
/// let (mut lines, mut input) = (Lines::new(), &b"far too long\r\nNOOP\r\n"[..]);
/// assert_eq!(lines.find(&mut input, Ending::Crlf, 8), Err(TooLong));
/// assert_eq!(lines.discard(&mut input, Ending::Crlf), (6, true)); // the tail, up to and with its CRLF
/// assert_eq!(lines.find(&mut input, Ending::Crlf, 8), Ok(Some(Found::Whole(b"NOOP", LineEnd::Crlf))));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLong;

/// The line framing of one direction of one connection.
///
/// ```
/// use pop3_proto::wire::line::{Ending, Lines};
///
/// let mut lines = Lines::new();
/// for octet in b"+O" {
///     assert_eq!(lines.find(&mut &[*octet][..], Ending::Crlf, 512), Ok(None));
/// }
/// assert_eq!(lines.held(), 2); // and never more than the limit
/// ```
#[derive(Default)]
pub struct Lines {
    carry: Vec<u8>,
}

impl Lines {
    /// Nothing carried.
    #[must_use]
    pub const fn new() -> Self {
        Self { carry: Vec::new() }
    }

    /// Takes one line off the front of `input`. `limit` counts octets with the line's ending.
    ///
    /// `Ok(None)` means that the input is used up and the line is not complete.
    ///
    /// # Errors
    ///
    /// [`TooLong`] as soon as `limit` octets came without an end of line, wherever the input was cut.
    pub fn find<'i>(
        &mut self,
        input: &mut &'i [u8],
        ending: Ending,
        limit: usize,
    ) -> Result<Option<Found<'i>>, TooLong> {
        if let Some(text) = self.whole_text(input, limit) {
            return Ok(Some(Found::Whole(text, LineEnd::Crlf)));
        }
        self.find_any(input, ending, limit)
    }

    /// A line that lies whole in the input, has no control characters in it and ends in CRLF, as nearly every line does.
    /// `None` says nothing, and nothing was taken: it is for [`Lines::find_any`] to find out.
    #[inline(always)]
    fn whole_text<'i>(&self, input: &mut &'i [u8], limit: usize) -> Option<&'i [u8]> {
        let octets: &'i [u8] = input;
        if !self.carry.is_empty() {
            return None;
        }
        let (text, behind) = octets.split_at_checked(printable(octets.get(..limit).unwrap_or(octets)))?;
        match behind {
            [b'\r', b'\n', rest @ ..] if octets.len().wrapping_sub(rest.len()) <= limit => {
                *input = rest;
                Some(text)
            }
            _ => None,
        }
    }

    /// [`Lines::find`], whatever the line is.
    pub(crate) fn find_any<'i>(
        &mut self,
        input: &mut &'i [u8],
        ending: Ending,
        limit: usize,
    ) -> Result<Option<Found<'i>>, TooLong> {
        if input.is_empty() {
            return Ok(None);
        }
        let room = limit.saturating_sub(self.carry.len());
        let window: &'i [u8] = input.get(..room).unwrap_or(input);
        if let Some((text, end, after)) = split_line(window, self.carry.last().copied(), ending) {
            *input = input.get(after..).unwrap_or_default();
            if self.carry.is_empty() {
                return Ok(Some(Found::Whole(text, end)));
            }
            if text.is_empty() && end == LineEnd::Crlf && after == 1 {
                self.carry.pop(); // the CR came with an earlier input
            }
            self.carry(text);
            return Ok(Some(Found::Carried(end)));
        }
        let full = window.len() == room;
        *input = input.get(window.len()..).unwrap_or_default();
        if full {
            let last = window.last().or(self.carry.last()).copied();
            self.clear();
            self.carry.extend(last.filter(|&octet| octet == b'\r'));
            return Err(TooLong);
        }
        self.carry(window);
        Ok(None)
    }

    /// The text of a line that [`Found::Carried`] announced. Give the buffer back with [`Lines::reuse`], and the next
    /// line that is cut allocates nothing.
    #[must_use]
    pub fn take_carried(&mut self) -> Vec<u8> {
        core::mem::take(&mut self.carry)
    }

    /// Takes back the buffer that [`Lines::take_carried`] gave away.
    ///
    /// A buffer beyond 1 KiB is given back to the allocator: one long SASL line shall not cost memory for the rest of
    /// the session.
    pub fn reuse(&mut self, buffer: Vec<u8>) {
        self.carry = buffer;
        self.clear();
        if self.carry.capacity() > KEPT {
            self.carry = Vec::new();
        }
    }

    /// Drops the tail of a line that was [`TooLong`]: the number of octets dropped, and whether its end was among them.
    pub fn discard(&mut self, input: &mut &[u8], ending: Ending) -> (usize, bool) {
        let before = self.carry.last().copied();
        match split_line(input, before, ending) {
            Some((_, _, after)) => {
                *input = input.get(after..).unwrap_or_default();
                self.clear();
                (after, true)
            }
            None => {
                let dropped = input.len();
                if let Some(&last) = input.last() {
                    self.clear();
                    self.carry.extend(Some(last).filter(|&octet| octet == b'\r'));
                }
                *input = &[];
                (dropped, false)
            }
        }
    }

    fn carry(&mut self, octets: &[u8]) {
        if self.carry.capacity() == 0 {
            self.carry.reserve_exact(octets.len().max(FIRST));
        }
        #[cfg(feature = "zeroize")]
        if self.carry.capacity().saturating_sub(self.carry.len()) < octets.len() {
            // Growing in place would leave the old octets behind.
            let room = self.carry.len().saturating_add(octets.len()).saturating_mul(2);
            let mut longer = Vec::with_capacity(room);
            longer.extend_from_slice(&self.carry);
            self.clear();
            self.carry = longer;
        }
        self.carry.extend_from_slice(octets);
    }

    /// How many octets of an unfinished line are held back.
    #[inline]
    #[must_use]
    pub fn held(&self) -> usize {
        self.carry.len()
    }

    /// Gives the buffer back to the allocator if nothing is in it.
    pub fn shrink_to_fit(&mut self) {
        if self.carry.is_empty() {
            self.carry = Vec::new();
        }
    }

    /// Forgets the unfinished line.
    pub fn clear(&mut self) {
        #[cfg(feature = "zeroize")]
        zeroize::Zeroize::zeroize(self.carry.as_mut_slice());
        self.carry.clear();
    }
}

/// A carried line may be half of a `PASS` command.
impl core::fmt::Debug for Lines {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Lines").field("held", &self.carry.len()).finish()
    }
}

#[cfg(feature = "zeroize")]
impl Drop for Lines {
    fn drop(&mut self) {
        self.clear();
    }
}

/// The line at the front of `octets` without its ending, how it ended, and how many octets it took. `before` is the
/// octet that went before them.
fn split_line(octets: &[u8], before: Option<u8>, ending: Ending) -> Option<(&[u8], LineEnd, usize)> {
    for lf in memchr::memchr_iter(b'\n', octets) {
        let text = octets.get(..lf)?;
        let after = lf.saturating_add(1);
        if let Some(text) = text.strip_suffix(b"\r") {
            return Some((text, LineEnd::Crlf, after));
        }
        if lf == 0 && before == Some(b'\r') {
            return Some((text, LineEnd::Crlf, after));
        }
        if ending == Ending::Lf {
            return Some((text, LineEnd::BareLf, after));
        }
    }
    None
}

/// The least octets of buffer: most lines fit, and what comes octet by octet does not make it grow again and again.
const FIRST: usize = 128;

/// The most octets of buffer that stay between two lines.
const KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{string::String, vec};

    /// Every line of `octets`, cut at `cuts`, read the way the machines read.
    fn read(octets: &[u8], cuts: &[usize], ending: Ending, limit: usize) -> Vec<Result<(Vec<u8>, LineEnd), TooLong>> {
        let mut lines = Lines::default();
        let mut found = vec![];
        let mut from = 0;
        let mut discarding = false;
        for &to in cuts.iter().chain([&octets.len()]) {
            let mut input = &octets[from..to];
            from = to;
            loop {
                if discarding {
                    discarding = !lines.discard(&mut input, ending).1;
                    if discarding {
                        break;
                    }
                }
                match lines.find(&mut input, ending, limit) {
                    Ok(None) => break,
                    Ok(Some(Found::Whole(text, end))) => found.push(Ok((text.to_vec(), end))),
                    Ok(Some(Found::Carried(end))) => {
                        let text = lines.take_carried();
                        found.push(Ok((text.clone(), end)));
                        lines.reuse(text);
                    }
                    Err(TooLong) => {
                        found.push(Err(TooLong));
                        discarding = true;
                    }
                }
                assert!(lines.held() <= limit);
            }
        }
        found
    }

    /// An octet loop that is obviously right.
    fn naive(octets: &[u8], ending: Ending, limit: usize) -> Vec<Result<(Vec<u8>, LineEnd), TooLong>> {
        let mut found = vec![];
        let mut line = vec![];
        let mut too_long = false;
        for &octet in octets {
            line.push(octet);
            let end = if line.ends_with(b"\r\n") {
                Some((2, LineEnd::Crlf))
            } else if ending == Ending::Lf && octet == b'\n' {
                Some((1, LineEnd::BareLf))
            } else {
                None
            };
            match end {
                Some((size, end)) => {
                    if !too_long {
                        found.push(Ok((line[..line.len() - size].to_vec(), end)));
                    }
                    line.clear();
                    too_long = false;
                }
                None if line.len() == limit && !too_long => {
                    found.push(Err(TooLong));
                    too_long = true;
                }
                None => {}
            }
        }
        found
    }

    #[test]
    fn every_short_text_reads_alike_at_every_cut() {
        let alphabet = b"\r\nx";
        for length in 0..=7_u32 {
            for code in 0..3_usize.pow(length) {
                let mut rest = code;
                let text: Vec<u8> = (0..length)
                    .map(|_| {
                        let octet = alphabet[rest % 3];
                        rest /= 3;
                        octet
                    })
                    .collect();
                for ending in [Ending::Crlf, Ending::Lf] {
                    for limit in [3, 4, 255] {
                        let expected = naive(&text, ending, limit);
                        for mask in 0..1_usize << length.saturating_sub(1) {
                            let cuts: Vec<usize> = (1..text.len()).filter(|at| mask >> (at - 1) & 1 == 1).collect();
                            assert_eq!(
                                read(&text, &cuts, ending, limit),
                                expected,
                                "{:?} cut at {cuts:?}, {ending:?}, limit {limit}",
                                String::from_utf8_lossy(&text)
                            );
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn a_line_of_exactly_the_limit_passes_and_one_octet_more_does_not() {
        for (length, passes) in [(8, true), (9, true), (10, true), (11, false)] {
            let mut text = vec![b'x'; length - 2];
            text.extend_from_slice(b"\r\n");
            for cut in 0..=text.len() {
                let found = read(&text, &[cut], Ending::Crlf, 10);
                assert_eq!(found.len(), 1);
                assert_eq!(found[0].is_ok(), passes, "{length} octets cut at {cut}");
            }
        }
    }

    #[test]
    fn a_plain_line_is_taken_at_once_up_to_the_limit_and_nothing_else_is() {
        let taken = |octets: &'static [u8], limit| {
            let (mut input, lines) = (octets, Lines::new());
            let text = lines.whole_text(&mut input, limit);
            assert!(text.is_some() || input == octets, "what is not taken stays");
            text.map(|text| (text, input))
        };
        assert_eq!(taken(b"NOOP\r\nQUIT\r\n", 255), Some((&b"NOOP"[..], &b"QUIT\r\n"[..])));
        assert_eq!(taken(b"\r\n", 2), Some((&b""[..], &b""[..])));
        assert_eq!(taken(b"NOOP\r\n", 6), Some((&b"NOOP"[..], &b""[..])));
        for limit in 0..6 {
            assert_eq!(taken(b"NOOP\r\n", limit), None, "a limit of {limit}");
        }
        for other in [&b""[..], b"NOOP", b"NOOP\r", b"NOOP\n", b"NO\0OP\r\n", b"NOOP\r\r\n"] {
            assert_eq!(taken(other, 255), None, "{}", other.escape_ascii());
        }
        let mut lines = Lines::new();
        assert_eq!(lines.find(&mut &b"NO"[..], Ending::Crlf, 255), Ok(None));
        assert_eq!(lines.whole_text(&mut &b"OP\r\n"[..], 255), None, "the line began earlier");
    }

    #[test]
    fn a_bare_cr_before_a_cut_stays_in_the_line() {
        assert_eq!(read(b"a\rb\r\n", &[2], Ending::Crlf, 99), vec![Ok((b"a\rb".to_vec(), LineEnd::Crlf))]);
    }

    /// A line that came in two reads, and its buffer.
    fn carried(lines: &mut Lines, front: &[u8], tail: &[u8]) -> Vec<u8> {
        assert_eq!(lines.find(&mut &*front, Ending::Crlf, 4096), Ok(None));
        assert_eq!(lines.find(&mut &*tail, Ending::Crlf, 4096), Ok(Some(Found::Carried(LineEnd::Crlf))));
        lines.take_carried()
    }

    #[test]
    fn the_buffer_of_a_carried_line_serves_the_next_one() {
        let mut lines = Lines::new();
        let buffer = carried(&mut lines, b"NO", b"OP\r\n");
        let (at, capacity) = (buffer.as_ptr(), buffer.capacity());
        lines.reuse(buffer);
        assert_eq!(lines.held(), 0);
        // A line that fills it needs no other.
        let line = vec![b'x'; capacity];
        let buffer = carried(&mut lines, &line[..1], &[&line[1..], b"\r\n"].concat());
        assert_eq!((buffer.as_ptr(), buffer.len()), (at, capacity));
    }

    #[test]
    fn a_kibibyte_of_buffer_is_kept_and_no_octet_more() {
        for (given, kept) in [(KEPT, KEPT), (KEPT + 1, 0)] {
            let mut lines = Lines::new();
            lines.reuse(Vec::with_capacity(given));
            assert_eq!(lines.carry.capacity(), kept);
        }
    }

    #[test]
    fn only_an_empty_buffer_is_given_back() {
        let mut lines = Lines::new();
        assert_eq!(lines.find(&mut &b"QU"[..], Ending::Crlf, 255), Ok(None));
        lines.shrink_to_fit();
        assert_eq!(carried(&mut lines, b"I", b"T\r\n"), b"QUIT");
        lines.reuse(Vec::with_capacity(8));
        lines.shrink_to_fit();
        assert_eq!(lines.carry.capacity(), 0);
    }
}
