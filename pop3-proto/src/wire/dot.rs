//! Message text on the wire: byte-stuffing and the termination octet (RFC 1939 §3).
//!
//! > If any line of the multi-line response begins with the termination octet, the line is "byte-stuffed" by
//! > pre-pending the termination octet to that line of the response.
//!
//! [`Unstuff`] takes stuffed octets and hands out slices of them; [`Stuff`] does the reverse. Both keep one octet of
//! state, whatever the size of the message, and give the same text wherever the octets are cut.
//!
//! ```
//! use pop3_proto::wire::dot::{Newlines, Piece, Stuff, Unstuff};
//! use pop3_proto::wire::line::LineEnd;
//!
//! let mut wire = Vec::new();
//! let mut stuff = Stuff::new(Newlines::Canonical);
//! stuff.encode(b".signature\n", &mut wire).unwrap();
//! wire.extend_from_slice(stuff.finish().unwrap());
//! assert_eq!(wire, b"..signature\r\n.\r\n");
//!
//! let (mut text, mut input) = (Vec::new(), wire.as_slice());
//! let mut unstuff = Unstuff::new(LineEnd::Crlf);
//! while let Some(Piece::Text(octets)) = unstuff.next(&mut input) {
//!     text.extend_from_slice(octets);
//! }
//! assert_eq!(text, b".signature\r\n");
//! ```

mod scan;
mod stuff;

pub(crate) use self::stuff::Stuffed;
pub use self::stuff::{Newlines, Offence, Segments, Size, Stuff};

use self::scan::{AnyLf, CrLf};
use super::line::LineEnd;

/// What [`Unstuff::next`] finds.
///
/// ```
/// use pop3_proto::wire::dot::{Piece, Unstuff};
/// use pop3_proto::wire::line::LineEnd;
///
/// let (mut unstuff, mut input) = (Unstuff::new(LineEnd::Crlf), &b"one\r\n.\r\n"[..]);
/// assert_eq!(unstuff.next(&mut input), Some(Piece::Text(b"one\r\n")));
/// assert_eq!(unstuff.next(&mut input), Some(Piece::End));
/// assert_eq!(unstuff.next(&mut input), None);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Piece<'i> {
    /// Octets of the message, stuffing removed; never empty. Adjacent pieces belong together.
    Text(&'i [u8]),
    /// The line that holds nothing but the termination octet: the message is over.
    End,
}

/// Takes the stuffing out of message text and finds its end.
///
/// In a response whose status line ended CRLF, only CRLF ends a line, and CR, LF and NUL that stand alone are octets
/// of the message: stored mail with LF `.` LF in it cannot end the response early. In a response whose status line
/// ended in a bare LF, lines end at LF, an optional CR before it not counted.
///
/// ```
/// use pop3_proto::wire::dot::{Piece, Unstuff};
/// use pop3_proto::wire::line::LineEnd;
///
/// let mut unstuff = Unstuff::new(LineEnd::Crlf);
/// assert_eq!(unstuff.next(&mut &b"stored\n.\nmail\r\n."[..]), Some(Piece::Text(b"stored\n.\nmail\r\n")));
/// let mut input = &b"\r\n+OK"[..]; // the end is cut by two reads
/// assert_eq!(unstuff.next(&mut input), Some(Piece::End));
/// assert_eq!(input, b"+OK");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unstuff {
    place: Place,
    lines: LineEnd,
    missing: bool,
    lately: Lately,
}

/// How many lines behind one another have begun with a dot of late. It says where to look first and no more than that: texts
/// that were cut in different ways, and are at the same place, are equal.
#[derive(Clone, Copy, Debug)]
struct Lately(u8);

impl Lately {
    /// So many promise another one.
    const MANY: u8 = 2;
}

impl PartialEq for Lately {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Lately {}

/// Where in the text we stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    LineStart,
    /// Behind a dot that began a line and was dropped.
    Dot,
    /// Behind such a dot and a CR, which is held back.
    DotCr,
    Text,
    /// Behind a CR that was handed out.
    Cr,
}

impl Place {
    /// The place behind octets of text, the first of which no dot has to be taken from.
    #[inline]
    const fn after(self, text: &[u8], lines: LineEnd) -> Self {
        match (lines, text) {
            (_, [.., b'\x0E'..=0xFF]) => Self::Text,
            (_, [.., b'\r']) => Self::Cr,
            (LineEnd::Crlf, [.., b'\r', b'\n']) | (LineEnd::BareLf, [.., b'\n']) => Self::LineStart,
            (LineEnd::Crlf, [b'\n']) if matches!(self, Self::Cr) => Self::LineStart,
            _ => Self::Text,
        }
    }
}

impl Unstuff {
    /// At the beginning of message text; `lines` is how the status line of the response ended.
    #[must_use]
    pub const fn new(lines: LineEnd) -> Self {
        Self { place: Place::LineStart, lines, missing: false, lately: Lately(0) }
    }

    /// Takes octets off the front of `input`. `None` means that the input is used up.
    ///
    /// After [`Piece::End`] the rest of `input` belongs to the next response.
    #[inline]
    pub fn next<'i>(&mut self, input: &mut &'i [u8]) -> Option<Piece<'i>> {
        match self.text(input) {
            Some(text) => Some(Piece::Text(text)),
            None => self.end(input),
        }
    }

    /// Takes the LF that ends the message, which is what [`Unstuff::text`] left if it left anything.
    fn end<'i>(&mut self, input: &mut &'i [u8]) -> Option<Piece<'i>> {
        let (_, behind) = input.split_first()?;
        *input = behind;
        self.place = Place::LineStart;
        Some(Piece::End)
    }

    /// The text at the front of `input`. If there is none, the input is used up, or only the LF that ends the message is
    /// missing, and stands at the front of it.
    #[inline]
    pub(crate) fn text<'i>(&mut self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        match (self.place, *input) {
            (_, []) => None,
            // Reads of one octet need no search, and most of them change nothing.
            (Place::Text, octet @ [b'\x0E'..=0xFF]) => {
                *input = &[];
                Some(octet)
            }
            (Place::Text | Place::Cr, octet @ [_]) => {
                self.place = self.place.after(octet, self.lines);
                *input = &[];
                Some(octet)
            }
            (Place::Text | Place::Cr, _) => Some(self.line(input)),
            // The shortest line that is not the end, between two like it: a dot, stuffed.
            (Place::Dot, octets) if octets.starts_with(b".\r\n.") => Some(self.up_to(3, input)),
            // Behind a dot that began a line, a second one is text like any other octet.
            (Place::Dot, [first, _, _, _, ..]) if *first > b'\r' && self.lines == LineEnd::Crlf => {
                self.missing |= *first != b'.';
                Some(if self.lately.0 < Lately::MANY { self.sparse_line(input) } else { self.dense_line(input) })
            }
            _ => self.next_text(input),
        }
    }

    #[inline(never)]
    fn next_text<'i>(&mut self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        if let dot @ [b'.'] = *input {
            match self.place {
                Place::LineStart => {
                    *input = &[];
                    self.place = Place::Dot;
                    return None;
                }
                Place::Dot => {
                    *input = &[];
                    self.place = Place::Text;
                    return Some(dot);
                }
                Place::DotCr | Place::Text | Place::Cr => {}
            }
        }
        // A stuffed dot is no end, whatever comes behind it.
        if let (Place::LineStart, [b'.', rest @ ..], true) = (self.place, *input, input.starts_with(b"..")) {
            *input = rest;
            self.place = Place::Dot;
            return self.text(input);
        }
        match (self.place, *input) {
            (Place::Dot, line @ b".\r\n") => {
                *input = &[];
                self.place = Place::LineStart;
                Some(line)
            }
            (Place::Dot, [b'.', ..]) => Some(self.line(input)),
            _ => self.line_start(input),
        }
    }

    /// The octets at the beginning of a line, and what is left when they are no end of the message.
    #[inline(never)]
    fn line_start<'i>(&mut self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        loop {
            let (&first, behind) = input.split_first()?;
            match (self.place, first) {
                (Place::LineStart, b'.') => {
                    *input = behind;
                    self.place = Place::Dot;
                }
                (Place::Dot, b'\r') => {
                    *input = behind;
                    self.place = Place::DotCr;
                }
                (Place::DotCr, b'\n') => return None,
                (Place::Dot, b'\n') if self.lines == LineEnd::BareLf => return None,
                (Place::Dot, _) => {
                    // RFC 1939 §3: "If so and if octets other than CRLF immediately follow, the first octet of the
                    // line (the termination octet) is stripped away." That holds where the server forgot to stuff.
                    self.missing |= first != b'.';
                    self.place = Place::Text;
                }
                (Place::DotCr, _) => {
                    self.missing = true;
                    self.place = Place::Cr;
                    return Some(b"\r");
                }
                (Place::LineStart | Place::Text | Place::Cr, _) => return Some(self.line(input)),
            }
        }
    }

    /// Whether a line began with a dot that no second dot followed, although the line did not end there: the sender
    /// does not stuff.
    #[must_use]
    pub const fn missing_stuffing(&self) -> bool {
        self.missing
    }

    /// How many octets are held back: those that may yet turn out to be the end (at most two, `.` CR).
    #[must_use]
    pub const fn held(&self) -> usize {
        match self.place {
            Place::LineStart | Place::Text | Place::Cr => 0,
            Place::Dot => 1,
            Place::DotCr => 2,
        }
    }

    /// The text up to the next dot that begins a line, or to the end of the input.
    #[inline(never)]
    fn line<'i>(&mut self, input: &mut &'i [u8]) -> &'i [u8] {
        let octets = *input;
        let dot = match self.lines {
            LineEnd::Crlf if self.place == Place::Cr && octets.starts_with(b"\n.") => Some(1),
            LineEnd::Crlf => scan::line_dot::<CrLf>(octets),
            LineEnd::BareLf => scan::line_dot::<AnyLf>(octets),
        };
        if let Some(dot) = dot {
            return self.up_to(dot, input);
        }
        self.rest(input)
    }

    /// The same behind a dot that was dropped, if lines before it began with a dot too.
    #[inline(never)]
    fn dense_line<'i>(&mut self, input: &mut &'i [u8]) -> &'i [u8] {
        if let Some(dot) = scan::next_line_dot::<CrLf>(input) {
            return self.up_to(dot, input);
        }
        self.lately = Lately(0);
        self.sparse_line(input)
    }

    /// The same behind a dot that was dropped.
    #[inline(never)]
    #[allow(clippy::arithmetic_side_effects, reason = "at most `Lately::MANY` times behind one another")]
    fn sparse_line<'i>(&mut self, input: &mut &'i [u8]) -> &'i [u8] {
        let Some(dot) = scan::sparse::<CrLf>(input) else { return self.rest(input) };
        self.lately = Lately(if dot < scan::LINE { self.lately.0 + 1 } else { 0 });
        self.up_to(dot, input)
    }

    /// All of the input: no line of it begins with a dot.
    #[inline(always)]
    fn rest<'i>(&mut self, input: &mut &'i [u8]) -> &'i [u8] {
        let octets = core::mem::take(input);
        self.place = self.place.after(octets, self.lines);
        octets
    }

    /// The text before a dot that begins a line, which is dropped.
    #[inline(always)]
    fn up_to<'i>(&mut self, dot: usize, input: &mut &'i [u8]) -> &'i [u8] {
        let Some((text, [_, rest @ ..])) = input.split_at_checked(dot) else { return self.rest(input) };
        *input = rest;
        self.place = Place::Dot;
        text
    }
}

/// Walks over message text as it is on the wire, stuffing left in, and finds its end: for a proxy, which need not take
/// out what it would have to put in again.
///
/// ```
/// use pop3_proto::wire::dot::{Passage, Piece};
/// use pop3_proto::wire::line::LineEnd;
///
/// let (mut passage, mut input) = (Passage::new(LineEnd::Crlf), &b"one\r\n..two\r\n.\r\n+OK"[..]);
/// assert_eq!(passage.next(&mut input), Some(Piece::Text(b"one\r\n")));
/// assert_eq!(passage.next(&mut input), Some(Piece::Text(b"..two\r\n")));
/// assert_eq!(passage.next(&mut input), Some(Piece::End));
/// assert_eq!(input, b"+OK");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Passage(Unstuff);

impl Passage {
    /// At the beginning of message text; `lines` is how the status line of the response ended.
    #[must_use]
    pub const fn new(lines: LineEnd) -> Self {
        Self(Unstuff::new(lines))
    }

    /// Takes octets off the front of `input`. `None` means that the input is used up.
    pub fn next<'i>(&mut self, input: &mut &'i [u8]) -> Option<Piece<'i>> {
        match self.text(input) {
            Some(text) => Some(Piece::Text(text)),
            None => self.0.end(input),
        }
    }

    /// As [`Unstuff::text`].
    pub(crate) fn text<'i>(&mut self, input: &mut &'i [u8]) -> Option<&'i [u8]> {
        let bare_lf = self.0.lines == LineEnd::BareLf;
        loop {
            let (&first, behind) = input.split_first()?;
            match (self.0.place, first) {
                (Place::LineStart, b'.') => match behind {
                    [] | [b'\r'] | [b'\r', b'\n', ..] => {
                        *input = behind;
                        self.0.place = Place::Dot;
                    }
                    [b'\n', ..] if bare_lf => {
                        *input = behind;
                        self.0.place = Place::Dot;
                    }
                    _ => self.0.place = Place::Text,
                },
                (Place::LineStart, _) => self.0.place = Place::Text,
                (Place::Dot, b'\r') => {
                    *input = behind;
                    self.0.place = Place::DotCr;
                }
                (Place::DotCr, b'\n') => return None,
                (Place::Dot, b'\n') if bare_lf => return None,
                (Place::Dot, _) => {
                    self.0.place = Place::Text;
                    return Some(b".");
                }
                (Place::DotCr, _) => {
                    self.0.place = Place::Cr;
                    return Some(b".\r");
                }
                (Place::Text | Place::Cr, _) => {
                    let octets = *input;
                    let text = self.0.line(input);
                    if self.0.place == Place::Dot {
                        // The dot that begins the next line stays in.
                        self.0.place = Place::LineStart;
                        *input = octets.get(text.len()..).unwrap_or_default();
                    }
                    return Some(text);
                }
            }
        }
    }

    /// How many octets are held back: those that may yet turn out to be the end (at most two, `.` CR).
    #[must_use]
    pub const fn held(&self) -> usize {
        self.0.held()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    /// Behind the first dot of a message.
    fn behind_a_dot() -> Unstuff {
        let mut unstuff = Unstuff::new(LineEnd::Crlf);
        assert_eq!(unstuff.text(&mut &b"."[..]), None);
        unstuff
    }

    /// Reads the rest of a line that began with a dot, up to the next such line, whose dot stands so far behind it. Says how
    /// many near ones there have been of late.
    fn dotted(unstuff: &mut Unstuff, far: usize) -> u8 {
        let (mut line, behind) = (Vec::from([b'.'; 1]), [b'x'; 2 * scan::LINE]);
        line.resize(far - 2, b'x');
        line.extend_from_slice(b"\r\n");
        let wire = [&line, &b"."[..], &behind].concat();
        let mut input = &wire[..];
        assert_eq!(unstuff.text(&mut input), Some(&line[..]));
        assert_eq!((input, unstuff.place), (&behind[..], Place::Dot));
        unstuff.lately.0
    }

    #[test]
    fn lines_that_begin_with_a_dot_are_counted_until_one_is_far() {
        let counted = |lines: [usize; 4]| {
            let mut unstuff = behind_a_dot();
            lines.map(|far| dotted(&mut unstuff, far))
        };
        assert_eq!(counted([4, scan::LINE - 1, 70, 4]), [1, 2, 2, 2]);
        for far in [scan::LINE, scan::LINE + 1, 1000] {
            assert_eq!(counted([4, far, 4, 4]), [1, 0, 1, 2], "{far}");
        }
        // Behind many, the gear for what is near is asked first, which sees as far as a line and not further.
        assert_eq!(counted([4, 4, scan::LINE, 4]), [1, 2, 2, 2]);
        assert_eq!(counted([4, 4, scan::LINE + 1, 4]), [1, 2, 0, 1]);
    }

    #[test]
    fn texts_that_are_at_the_same_place_are_equal_however_they_were_searched() {
        let (mut one, mut other) = (behind_a_dot(), behind_a_dot());
        let (near, far) = (dotted(&mut one, 10), dotted(&mut other, 1000));
        assert_eq!((near, far), (1, 0));
        assert_eq!(one, other);
    }
}
