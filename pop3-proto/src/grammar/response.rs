//! Parsers over a buffer, for authors with their own framing.

use super::capability::capability;
use super::command::command_line;
use super::listing::{scan_listing as scan_row, unique_id_listing as unique_id_row};
use super::{Fault, IResult, Tolerance, failure, fault};
use crate::capability::Capability;
use crate::command::Command;
use crate::config::Config;
use crate::listing::{ScanListing, UniqueIdListing};
use crate::quirk::{Quirk, Quirks};
use crate::reply::{Status, StatusLine, decimal};
use crate::wire::dot::{Newlines, Piece, Stuff, Unstuff};
use crate::wire::line::LineEnd;
use alloc::borrow::Cow;
use alloc::vec::Vec;

/// The grammar with a set of tolerances.
///
/// ```
/// use pop3_proto::grammar::{self, Grammar};
/// use pop3_proto::{Quirk, Quirks};
///
/// let tolerant = Grammar::new(Quirks::STRICT.with(Quirk::ExtraSpaces));
/// let octets = b"+OK\r\n1   whqtswO00WBw418f9t5JxYwZ\r\n.\r\n";
/// assert!(tolerant.unique_id_listing(octets).unwrap().1.content[0].is_ok());
/// assert!(grammar::unique_id_listing(octets).unwrap().1.content[0].is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Grammar {
    quirks: Quirks,
}

/// A response with what came behind its status line.
///
/// ```
/// use pop3_proto::grammar;
///
/// let (rest, response) = grammar::message(b"+OK 6 octets\r\n..sig\r\n.\r\n+OK").unwrap();
/// assert_eq!(response.status.text, "6 octets");
/// assert_eq!(*response.content, *b".sig\r\n");
/// assert_eq!(rest, b"+OK"); // of the next response
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Response<'i, T> {
    /// The first line.
    pub status: StatusLine<'i>,
    /// What follows a `+OK`; empty for `-ERR`. A row that makes no sense is a [`Fault`] in its place.
    pub content: T,
}

impl Grammar {
    /// The grammar that tolerates `quirks`.
    #[must_use]
    pub const fn new(quirks: Quirks) -> Self {
        Self { quirks }
    }

    /// One command with its CRLF.
    ///
    /// # Errors
    ///
    /// nom's, see the [module](super). A line of more than 512 octets is [`Fault::TooLong`].
    pub fn command<'i>(&self, input: &'i [u8]) -> IResult<'i, Command<'i>> {
        let (rest, (line, _)) = line(input, self.quirks.contains(Quirk::BareLfCommand), Config::new().command_line)?;
        let (_, command) = command_line(line, &mut self.tolerance())?;
        Ok((rest, command))
    }

    /// One status line with its CRLF.
    ///
    /// # Errors
    ///
    /// nom's, see the [module](super).
    pub fn status_line<'i>(&self, input: &'i [u8]) -> IResult<'i, StatusLine<'i>> {
        self.first_line(input).map(|(rest, (status, _))| (rest, status))
    }

    /// The answer to LIST: status line, scan listings, termination octet.
    ///
    /// # Errors
    ///
    /// nom's, see the [module](super).
    pub fn scan_listing<'i>(&self, input: &'i [u8]) -> IResult<'i, Response<'i, Vec<Result<ScanListing, Fault>>>> {
        self.listing(input, |row| scan_row(row, &mut self.tolerance()))
    }

    /// The answer to UIDL: status line, unique-id listings, termination octet.
    ///
    /// # Errors
    ///
    /// nom's, see the [module](super).
    pub fn unique_id_listing<'i>(
        &self,
        input: &'i [u8],
    ) -> IResult<'i, Response<'i, Vec<Result<UniqueIdListing<'i>, Fault>>>> {
        self.listing(input, |row| unique_id_row(row, &mut self.tolerance()))
    }

    /// The answer to CAPA: status line, capabilities, termination octet.
    ///
    /// # Errors
    ///
    /// nom's, see the [module](super).
    pub fn capability_list<'i>(
        &self,
        input: &'i [u8],
    ) -> IResult<'i, Response<'i, Vec<Result<Capability<'i>, Fault>>>> {
        self.listing(input, capability)
    }

    /// The answer to RETR or TOP: status line, message text with the stuffing removed, termination octet. The text
    /// borrows from the input unless there was a dot to remove.
    ///
    /// # Errors
    ///
    /// nom's, see the [module](super).
    pub fn message<'i>(&self, input: &'i [u8]) -> IResult<'i, Response<'i, Cow<'i, [u8]>>> {
        let (rest, (status, end)) = self.first_line(input)?;
        let mut content = Cow::Borrowed(&[][..]);
        if status.status == Status::Err {
            return Ok((rest, Response { status, content }));
        }
        let (mut unstuff, mut left) = (Unstuff::new(end), rest);
        loop {
            match unstuff.next(&mut left) {
                Some(Piece::Text(text)) if content.is_empty() => content = Cow::Borrowed(text),
                Some(Piece::Text(text)) => content.to_mut().extend_from_slice(text),
                Some(Piece::End) => return Ok((left, Response { status, content })),
                None => return Err(nom::Err::Incomplete(nom::Needed::Unknown)),
            }
        }
    }

    const fn tolerance(&self) -> Tolerance {
        Tolerance::new(self.quirks)
    }

    fn limit(&self) -> usize {
        if self.quirks.contains(Quirk::LongStatus) { Config::new().status_line } else { crate::Reply::MAX }
    }

    fn first_line<'i>(&self, input: &'i [u8]) -> IResult<'i, (StatusLine<'i>, LineEnd)> {
        let (rest, (text, end)) = line(input, true, self.limit())?;
        if end == LineEnd::BareLf && !self.quirks.contains(Quirk::BareLf) {
            return failure(input, Fault::Octet(b'\n'));
        }
        let (_, status) = super::status::status_line(text, &mut self.tolerance())?;
        Ok((rest, (status, end)))
    }

    fn listing<'i, T>(
        &self,
        input: &'i [u8],
        row: impl Fn(&'i [u8]) -> IResult<'i, T>,
    ) -> IResult<'i, Response<'i, Vec<Result<T, Fault>>>> {
        let (mut rest, (status, end)) = self.first_line(input)?;
        let mut content = Vec::new();
        if status.status == Status::Err {
            return Ok((rest, Response { status, content }));
        }
        loop {
            let (behind, text) = listing_line(rest, end, self.limit())?;
            rest = behind;
            match text {
                b"." => return Ok((rest, Response { status, content })),
                [b'.', stuffed @ ..] => content.push(row(stuffed).map(|(_, value)| value).map_err(fault)),
                _ => content.push(row(text).map(|(_, value)| value).map_err(fault)),
            }
        }
    }
}

/// One command with its CRLF. See [`Grammar::command`].
///
/// # Errors
///
/// nom's, see the [module](super).
pub fn command(input: &[u8]) -> IResult<'_, Command<'_>> {
    Grammar::default().command(input)
}

/// One status line with its CRLF. See [`Grammar::status_line`].
///
/// # Errors
///
/// nom's, see the [module](super).
pub fn status_line(input: &[u8]) -> IResult<'_, StatusLine<'_>> {
    Grammar::default().status_line(input)
}

/// The answer to LIST. See [`Grammar::scan_listing`].
///
/// # Errors
///
/// nom's, see the [module](super).
pub fn scan_listing(input: &[u8]) -> IResult<'_, Response<'_, Vec<Result<ScanListing, Fault>>>> {
    Grammar::default().scan_listing(input)
}

/// The answer to UIDL. See [`Grammar::unique_id_listing`].
///
/// # Errors
///
/// nom's, see the [module](super).
pub fn unique_id_listing(input: &[u8]) -> IResult<'_, Response<'_, Vec<Result<UniqueIdListing<'_>, Fault>>>> {
    Grammar::default().unique_id_listing(input)
}

/// The answer to CAPA. See [`Grammar::capability_list`].
///
/// # Errors
///
/// nom's, see the [module](super).
pub fn capability_list(input: &[u8]) -> IResult<'_, Response<'_, Vec<Result<Capability<'_>, Fault>>>> {
    Grammar::default().capability_list(input)
}

/// The answer to RETR or TOP. See [`Grammar::message`].
///
/// # Errors
///
/// nom's, see the [module](super).
pub fn message(input: &[u8]) -> IResult<'_, Response<'_, Cow<'_, [u8]>>> {
    Grammar::default().message(input)
}

/// Appends the answer to LIST to `out`.
pub fn encode_scan_listing(status: &StatusLine<'_>, rows: &[ScanListing], out: &mut Vec<u8>) {
    status.encode(out);
    for row in rows {
        encode_scan_row(row, out);
    }
    out.extend_from_slice(b".\r\n");
}

/// Appends the answer to UIDL to `out`.
pub fn encode_unique_id_listing(status: &StatusLine<'_>, rows: &[UniqueIdListing<'_>], out: &mut Vec<u8>) {
    status.encode(out);
    for row in rows {
        encode_unique_id_row(row, out);
    }
    out.extend_from_slice(b".\r\n");
}

/// Appends the answer to CAPA to `out`.
pub fn encode_capability_list(status: &StatusLine<'_>, rows: &[Capability<'_>], out: &mut Vec<u8>) {
    status.encode(out);
    for row in rows {
        let start = out.len();
        row.encode_text(out);
        // A value that was filled by hand must not get a line of its own.
        for octet in out.get_mut(start..).unwrap_or_default() {
            if octet.is_ascii_control() {
                *octet = b'?';
            }
        }
        stuff_line(start, out);
        out.extend_from_slice(b"\r\n");
    }
    out.extend_from_slice(b".\r\n");
}

/// Appends the answer to RETR or TOP to `out`, bare LF made CRLF and dots stuffed.
pub fn encode_message(status: &StatusLine<'_>, text: &[u8], out: &mut Vec<u8>) {
    status.encode(out);
    let mut stuff = Stuff::new(Newlines::Canonical);
    // Only `Newlines::Reject` refuses anything.
    if stuff.encode(text, out).is_ok() {
        out.extend_from_slice(stuff.finish().unwrap_or_default());
    }
}

pub(crate) fn encode_scan_row(row: &ScanListing, out: &mut Vec<u8>) {
    out.extend_from_slice(decimal(u64::from(row.number.get())).as_bytes());
    out.push(b' ');
    out.extend_from_slice(decimal(row.octets).as_bytes());
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn encode_unique_id_row(row: &UniqueIdListing<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(decimal(u64::from(row.number.get())).as_bytes());
    out.push(b' ');
    out.extend_from_slice(row.id.as_bytes());
    out.extend_from_slice(b"\r\n");
}

pub(crate) fn encode_capability_row(row: &Capability<'_>, out: &mut Vec<u8>) {
    let start = out.len();
    row.encode_text(out);
    stuff_line(start, out);
    out.extend_from_slice(b"\r\n");
}

/// Doubles the dot if the line that begins at `start` begins with one.
pub(crate) fn stuff_line(start: usize, out: &mut Vec<u8>) {
    if out.get(start) == Some(&b'.') {
        out.insert(start, b'.');
    }
}

/// A line at the front of the buffer, its ending taken off.
fn line(input: &[u8], bare_lf: bool, limit: usize) -> IResult<'_, (&[u8], LineEnd)> {
    let window = input.get(..limit).unwrap_or(input);
    for lf in memchr::memchr_iter(b'\n', window) {
        let (text, rest) = input.split_at_checked(lf).unwrap_or((input, &[]));
        let rest = rest.get(1..).unwrap_or_default();
        match text.strip_suffix(b"\r") {
            Some(text) => return Ok((rest, (text, LineEnd::Crlf))),
            None if bare_lf => return Ok((rest, (text, LineEnd::BareLf))),
            None => {}
        }
    }
    incomplete(input, limit)
}

/// A line of a listing whose status line ended in `end`.
fn listing_line(input: &[u8], end: LineEnd, limit: usize) -> IResult<'_, &[u8]> {
    line(input, end == LineEnd::BareLf, limit).map(|(rest, (text, _))| (rest, text))
}

fn incomplete<T>(input: &[u8], limit: usize) -> IResult<'_, T> {
    if input.len() >= limit { failure(input, Fault::TooLong) } else { Err(nom::Err::Incomplete(nom::Needed::Unknown)) }
}
