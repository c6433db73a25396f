//! The grammar: nom parsers over whole lines, each production under its ABNF.
//!
//! The machines hand whole lines to the productions; nothing here frames, but for the few productions whose ABNF ends in
//! CRLF: they take a line that is by the RFC to the letter, or say nothing. For authors who have their own framing, and
//! for fuzzing, there are parsers over a buffer as well: [`command`], [`status_line`], and whole multi-line responses
//! ([`scan_listing`], [`unique_id_listing`], [`capability_list`], [`message`]). They mean what nom means:
//!
//! * `Incomplete`: the line, or the response, does not end in the buffer. Read more and parse again.
//! * `Error`: the octets are not of this production; another might match them.
//! * `Failure`: they are of this production and break one of its rules (a number that is too big, say); no other
//!   production matches them either.
//!
//! The free functions take the RFCs to the letter; [`Grammar::new`] takes a set of tolerances.
//!
//! ```
//! use pop3_proto::grammar;
//!
//! let (rest, response) = grammar::scan_listing(b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n+OK").unwrap();
//! assert_eq!(rest, b"+OK");
//! assert_eq!(response.content.len(), 2);
//! assert!(grammar::scan_listing(b"+OK 2 messages\r\n1 120\r\n").unwrap_err().is_incomplete());
//! ```

pub(crate) mod capability;
pub(crate) mod command;
pub(crate) mod listing;
pub(crate) mod number;
mod response;
pub(crate) mod status;

pub use response::{
    Grammar, Response, capability_list, command, encode_capability_list, encode_message, encode_scan_listing,
    encode_unique_id_listing, message, scan_listing, status_line, unique_id_listing,
};
pub(crate) use response::{encode_capability_row, encode_scan_row, encode_unique_id_row, stuff_line};

use crate::quirk::{Quirk, Quirks};
use core::fmt;
use nom::error::{ErrorKind, ParseError};

/// Why octets are not what the grammar has.
///
/// ```
/// use pop3_proto::grammar::{self, Fault};
///
/// // A row that makes no sense is a fault in its place, and the rows around it stay.
/// let (_, response) = grammar::scan_listing(b"+OK\r\n1 120\r\ntwo 200\r\n.\r\n").unwrap();
/// assert!(response.content[0].is_ok());
/// assert_eq!(response.content[1], Err(Fault::Number));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Fault {
    /// There is nothing.
    Empty,
    /// The keyword is not known.
    Keyword,
    /// An argument is missing.
    MissingArgument,
    /// There is more than the command takes.
    ExtraArgument,
    /// There is no number where one must be: decimal digits and nothing else.
    Number,
    /// Message-numbers begin at 1.
    NumberZero,
    /// It is about another message than the one that was asked for.
    OtherNumber,
    /// The number does not fit: 32 bits for messages, 64 for octets.
    NumberTooBig,
    /// An octet stands where it must not.
    Octet(u8),
    /// There must be a single space.
    Space,
    /// The digest is not 32 hexadecimal digits in lower case.
    Digest,
    /// There is no unique-id.
    NoUniqueId,
    /// The unique-id is not 1 to 70 octets in the range 0x21 to 0x7E.
    UniqueId,
    /// It is not UTF-8.
    Utf8,
    /// It is not base64 as RFC 4648 §4 has it.
    Base64,
    /// The line is longer than the limit.
    TooLong,
    /// There is no status indicator.
    NoStatus,
    /// A line of a listing reads like a status line with `-ERR`.
    LooksLikeErr,
    /// Something else nom has no better word for.
    Other(ErrorKind),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => f.write_str("there is nothing"),
            Self::Keyword => f.write_str("the keyword is not known"),
            Self::MissingArgument => f.write_str("an argument is missing"),
            Self::ExtraArgument => f.write_str("there is an argument too many"),
            Self::Number => f.write_str("there is no number"),
            Self::NumberZero => f.write_str("message-numbers begin at 1"),
            Self::OtherNumber => f.write_str("it is about another message"),
            Self::NumberTooBig => f.write_str("the number is too big"),
            Self::Octet(octet) => write!(f, "the octet 0x{octet:02X} must not stand there"),
            Self::Space => f.write_str("there must be a single space"),
            Self::Digest => f.write_str("the digest is not 32 hexadecimal digits in lower case"),
            Self::NoUniqueId => f.write_str("the unique-id is missing"),
            Self::UniqueId => f.write_str("the unique-id is not 1 to 70 octets between 0x21 and 0x7E"),
            Self::Utf8 => f.write_str("it is not UTF-8"),
            Self::Base64 => f.write_str("it is not base64"),
            Self::TooLong => f.write_str("the line is too long"),
            Self::NoStatus => f.write_str("there is neither +OK nor -ERR"),
            Self::LooksLikeErr => f.write_str("it reads like an answer of -ERR"),
            Self::Other(kind) => f.write_str(kind.description()),
        }
    }
}

/// Where in the input, and why. `Debug` does not show the input, which may be half of a password.
///
/// ```
/// use pop3_proto::grammar::{self, Fault};
///
/// let Err(nom::Err::Error(error) | nom::Err::Failure(error)) = grammar::command(b"RETR 1x\r\n") else { panic!() };
/// assert_eq!((error.fault, error.input), (Fault::ExtraArgument, &b"x"[..]));
/// assert_eq!(error.to_string(), "there is an argument too many");
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Error<'i> {
    /// The input from the octet on that did not match.
    pub input: &'i [u8],
    /// Why.
    pub fault: Fault,
}

impl fmt::Debug for Error<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Error").field("octets_left", &self.input.len()).field("fault", &self.fault).finish()
    }
}

impl<'i> ParseError<&'i [u8]> for Error<'i> {
    fn from_error_kind(input: &'i [u8], kind: ErrorKind) -> Self {
        Self { input, fault: Fault::Other(kind) }
    }

    fn append(_: &'i [u8], _: ErrorKind, other: Self) -> Self {
        other
    }
}

impl fmt::Display for Error<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault.fmt(f)
    }
}

impl core::error::Error for Error<'_> {}

/// What nom gives back, with our error.
pub type IResult<'i, T> = nom::IResult<&'i [u8], T, Error<'i>>;

/// Another production might match.
pub(crate) const fn error<'i, T>(input: &'i [u8], fault: Fault) -> IResult<'i, T> {
    Err(nom::Err::Error(Error { input, fault }))
}

/// No other production matches.
pub(crate) const fn failure<'i, T>(input: &'i [u8], fault: Fault) -> IResult<'i, T> {
    Err(nom::Err::Failure(Error { input, fault }))
}

/// The reason in a nom error of a whole line, where `Incomplete` cannot be.
#[inline(always)]
pub(crate) fn fault(error: nom::Err<Error<'_>>) -> Fault {
    match error {
        nom::Err::Incomplete(_) => Fault::Empty,
        nom::Err::Error(error) | nom::Err::Failure(error) => error.fault,
    }
}

/// `SP`
#[inline(always)]
pub(crate) fn sp(input: &[u8]) -> IResult<'_, ()> {
    match input {
        [b' ', rest @ ..] => Ok((rest, ())),
        [] => error(input, Fault::MissingArgument),
        _ => error(input, Fault::Space),
    }
}

/// Nothing may follow.
#[inline(always)]
pub(crate) fn end(input: &[u8]) -> IResult<'_, ()> {
    if input.is_empty() { Ok((input, ())) } else { error(input, Fault::ExtraArgument) }
}

/// What may be tolerated, and what was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tolerance {
    pub(crate) allowed: Quirks,
    pub(crate) seen: Quirks,
}

impl Tolerance {
    pub(crate) const fn new(allowed: Quirks) -> Self {
        Self { allowed, seen: Quirks::STRICT }
    }

    /// Whether the quirk passes; if so, it is noted.
    pub(crate) const fn pass(&mut self, quirk: Quirk) -> bool {
        if self.allowed.contains(quirk) {
            self.seen.insert(quirk);
            return true;
        }
        false
    }
}
