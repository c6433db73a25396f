//! What a server answers: the status line, its response code, and what a `+OK` may carry.

mod code;
mod greeting;

use crate::error::Misuse;
use crate::grammar::Fault;
use crate::listing::{DropListing, MessageNumber, ScanListing, UniqueIdListing};
use crate::text::{Carried, Text};
use alloc::vec::Vec;
use core::fmt;

pub use self::code::{ErrorClass, ResponseCode};
pub use self::greeting::{Greeting, Timestamp};

/// The status indicator (RFC 1939 §3).
///
/// ```
/// use pop3_proto::{Reply, Status};
///
/// assert_eq!(Reply::err("no such message")?.status(), Status::Err);
/// assert_eq!(Status::Err.to_string(), "-ERR");
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Status {
    /// `+OK`
    Ok,
    /// `-ERR`
    Err,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ok => "+OK",
            Self::Err => "-ERR",
        })
    }
}

/// The first line of a response: status indicator, response code, text (RFC 1939 §3, RFC 2449 §8).
///
/// ```
/// use pop3_proto::{ResponseCode, Status, grammar};
///
/// let (_, line) = grammar::status_line(b"-ERR [IN-USE] mailbox is locked\r\n").unwrap();
/// assert_eq!((line.status, &line.code), (Status::Err, &Some(ResponseCode::InUse)));
/// assert_eq!(line.text, "mailbox is locked");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusLine<'a> {
    /// `+OK` or `-ERR`.
    pub status: Status,
    /// The response code, if the text begins with one.
    pub code: Option<ResponseCode<'a>>,
    /// What follows, for people: "it is not significant" to programs (RFC 1939 §9).
    pub text: Text<'a>,
}

impl StatusLine<'_> {
    /// The same line without the borrow.
    #[must_use]
    pub fn into_owned(self) -> StatusLine<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> StatusLine<'static> {
        let Self { status, code, text } = self;
        StatusLine { status, code: code.map(|code| code.out_of(line)), text: text.out_of(line) }
    }

    /// Appends the line with its CRLF to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(match self.status {
            Status::Ok => b"+OK",
            Status::Err => b"-ERR",
        });
        if let Some(code) = &self.code {
            out.extend_from_slice(b" [");
            one_line(code.as_bytes(), out);
            out.push(b']');
        }
        if !self.text.is_empty() {
            out.push(b' ');
            one_line(self.text.as_bytes(), out);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// What a `+OK` carries for programs.
///
/// ```
/// use pop3_proto::{Client, Command, Config, Data, DropListing, Event, Peer};
///
/// # let mut client = Client::over_tls(Config::new(), Peer::Verified);
/// # let mut out = Vec::new();
/// # client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// # client.send(&Command::user("mrose")?, &mut out)?;
/// # client.next_event(&mut &b"+OK\r\n"[..])?;
/// # client.send(&Command::pass("tanstaaf")?, &mut out)?;
/// # client.next_event(&mut &b"+OK\r\n"[..])?;
/// client.send(&Command::Stat, &mut out)?;
/// let Some(Event::Ok { data, .. }) = client.next_event(&mut &b"+OK 2 320\r\n"[..])? else { panic!() };
/// assert_eq!(data, Data::Drop(DropListing { messages: 2, octets: Some(320) }));
///
/// client.send(&Command::Stat, &mut out)?;
/// let Some(Event::Ok { data, .. }) = client.next_event(&mut &b"+OK two messages\r\n"[..])? else { panic!() };
/// assert!(matches!(data, Data::Malformed(_))); // and the session goes on
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum Data<'a> {
    /// Nothing.
    #[default]
    None,
    /// To `STAT`.
    Drop(DropListing),
    /// To `LIST n`.
    Scan(ScanListing),
    /// To `UIDL n`.
    UniqueId(UniqueIdListing<'a>),
    /// To `LANG tag`: the language now in use (RFC 6856 §3.2).
    Language(LanguageTag<'a>),
    /// To `RETR n`: the octets that the text announces, if it does. A hint for a progress bar, never a length.
    Octets(u64),
    /// The answer should have carried something, and this is what is wrong with it. The session goes on.
    Malformed(Fault),
}

impl Data<'_> {
    /// The same without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Data<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> Data<'static> {
        match self {
            Self::None => Data::None,
            Self::Drop(listing) => Data::Drop(listing),
            Self::Scan(listing) => Data::Scan(listing),
            Self::UniqueId(listing) => Data::UniqueId(listing.out_of(line)),
            Self::Language(tag) => Data::Language(tag.out_of(line)),
            Self::Octets(octets) => Data::Octets(octets),
            Self::Malformed(fault) => Data::Malformed(fault),
        }
    }
}

/// A language tag, or `*` for the server's default (RFC 6856 §3.2, RFC 5646).
///
/// ```
/// use pop3_proto::{LanguageTag, Misuse};
///
/// assert_eq!(LanguageTag::new("de-AT")?.to_string(), "de-AT");
/// assert!(LanguageTag::new("*").is_ok());
/// assert_eq!(LanguageTag::new("de\r\nDELE 1"), Err(Misuse::ForbiddenOctet { octet: b'\r' }));
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct LanguageTag<'a>(Text<'a>);

impl<'a> LanguageTag<'a> {
    /// The most octets taken for a tag.
    pub const MAX: usize = 64;

    /// A tag of letters, digits and hyphens, or `*`.
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`], [`Misuse::TooLong`] beyond 64 octets, [`Misuse::ForbiddenOctet`].
    pub fn new<T: AsRef<[u8]> + ?Sized>(tag: &'a T) -> Result<Self, Misuse> {
        let octets = tag.as_ref();
        match octets {
            [] => Err(Misuse::Empty),
            b"*" => Ok(Self(Text::from(octets))),
            long if long.len() > Self::MAX => Err(Misuse::TooLong { limit: Self::MAX }),
            _ => match octets.iter().find(|octet| !octet.is_ascii_alphanumeric() && **octet != b'-') {
                Some(&octet) => Err(Misuse::ForbiddenOctet { octet }),
                None => Ok(Self(Text::from(octets))),
            },
        }
    }

    /// The tag's octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The same tag without the borrow.
    #[must_use]
    pub fn into_owned(self) -> LanguageTag<'static> {
        LanguageTag(self.0.into_owned())
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> LanguageTag<'static> {
        LanguageTag(self.0.out_of(line))
    }
}

impl fmt::Display for LanguageTag<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// One language of the listing that answers `LANG` (RFC 6856 §3.2).
///
/// ```
/// use pop3_proto::{Config, Greeting, LanguageListing, LanguageTag, Row, Server};
///
/// let mut out = Vec::new();
/// let mut server = Server::new(Config::new().with_lang(), Greeting::text("ready")?, &mut out);
/// server.next_event(&mut &b"LANG\r\n"[..], &mut out)?;
/// out.clear();
/// server.begin("", &mut out)?;
/// let german = LanguageListing { tag: LanguageTag::new("de")?, description: "Deutsch".into() };
/// server.listing(Row::Language(german), &mut out)?;
/// server.end(&mut out)?;
/// assert_eq!(out, b"+OK\r\nde Deutsch\r\n.\r\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LanguageListing<'a> {
    /// Its tag.
    pub tag: LanguageTag<'a>,
    /// What people call it, in that language, UTF-8.
    pub description: Text<'a>,
}

impl LanguageListing<'_> {
    /// The same line without the borrow.
    #[must_use]
    pub fn into_owned(self) -> LanguageListing<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> LanguageListing<'static> {
        LanguageListing { tag: self.tag.out_of(line), description: self.description.out_of(line) }
    }
}

/// A single-line answer of a server: checked, at most 512 octets, always one line.
///
/// ```
/// use pop3_proto::{Misuse, Reply, ResponseCode};
///
/// let busy = Reply::err("another session has the maildrop")?.with_code(ResponseCode::InUse);
/// let mut line = Vec::new();
/// busy.encode(&mut line);
/// assert_eq!(line, b"-ERR [IN-USE] another session has the maildrop\r\n");
///
/// assert!(Reply::err("gone\r\n+OK").is_err());
/// # Ok::<(), Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply<'a> {
    pub(crate) status: Status,
    pub(crate) code: Option<ResponseCode<'a>>,
    pub(crate) data: Data<'a>,
    pub(crate) text: &'a str,
}

impl<'a> Reply<'a> {
    /// The most octets of a status line, with CRLF (RFC 1939 §3). Text beyond is cut.
    pub const MAX: usize = 512;

    /// `+OK text`. The text may be empty.
    ///
    /// # Errors
    ///
    /// [`Misuse::ForbiddenOctet`] for CR, LF, NUL and other control characters, [`Misuse::Bracket`] for a leading `[`.
    pub fn ok(text: &'a str) -> Result<Self, Misuse> {
        Self::new(Status::Ok, text)
    }

    /// `-ERR text`.
    ///
    /// # Errors
    ///
    /// As [`Reply::ok`].
    pub fn err(text: &'a str) -> Result<Self, Misuse> {
        Self::new(Status::Err, text)
    }

    fn new(status: Status, text: &'a str) -> Result<Self, Misuse> {
        check_text(text)?;
        Ok(Self { status, code: None, data: Data::None, text })
    }

    pub(crate) const fn fixed(status: Status, text: &'static str) -> Self {
        Self { status, code: None, data: Data::None, text }
    }

    /// The answer to STAT: `+OK nn mm` (RFC 1939 §5).
    #[must_use]
    pub const fn drop_listing(messages: u32, octets: u64) -> Self {
        Self::carrying(Data::Drop(DropListing { messages, octets: Some(octets) }))
    }

    /// The answer to `LIST n`: `+OK n octets`.
    #[must_use]
    pub const fn scan_listing(number: MessageNumber, octets: u64) -> Self {
        Self::carrying(Data::Scan(ScanListing { number, octets }))
    }

    /// The answer to `UIDL n`: `+OK n unique-id`.
    ///
    /// # Errors
    ///
    /// [`Misuse::UniqueId`] if it is one that a server may not send.
    pub fn unique_id(listing: UniqueIdListing<'a>) -> Result<Self, Misuse> {
        if listing.id.conforms() { Ok(Self::carrying(Data::UniqueId(listing))) } else { Err(Misuse::UniqueId) }
    }

    /// The answer to `LANG tag`: `+OK tag text` (RFC 6856 §3.2).
    ///
    /// # Errors
    ///
    /// As [`Reply::ok`].
    pub fn language(tag: LanguageTag<'a>, text: &'a str) -> Result<Self, Misuse> {
        check_text(text)?;
        Ok(Self { text, ..Self::carrying(Data::Language(tag)) })
    }

    const fn carrying(data: Data<'a>) -> Self {
        Self { status: Status::Ok, code: None, data, text: "" }
    }

    /// The same answer with a response code in front of its text.
    #[must_use]
    pub fn with_code(mut self, code: ResponseCode<'a>) -> Self {
        self.code = Some(code);
        self
    }

    /// `+OK` or `-ERR`.
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// Appends the line with its CRLF to `out`, cut to 512 octets at the end of a character.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let start = out.len();
        // (Each of a length that the compiler knows: no call to copy four octets.)
        match self.status {
            Status::Ok => out.extend_from_slice(b"+OK"),
            Status::Err => out.extend_from_slice(b"-ERR"),
        }
        if let Some(code) = self.code.as_ref().filter(|code| code.as_bytes().len() <= ResponseCode::MAX) {
            out.extend_from_slice(b" [");
            one_line(code.as_bytes(), out);
            out.push(b']');
        }
        match &self.data {
            Data::Drop(DropListing { messages, octets }) => {
                out.push(b' ');
                out.extend_from_slice(decimal(u64::from(*messages)).as_bytes());
                out.push(b' ');
                out.extend_from_slice(decimal(octets.unwrap_or(0)).as_bytes());
            }
            Data::Scan(listing) => {
                out.push(b' ');
                out.extend_from_slice(decimal(u64::from(listing.number.get())).as_bytes());
                out.push(b' ');
                out.extend_from_slice(decimal(listing.octets).as_bytes());
            }
            Data::UniqueId(listing) => {
                out.push(b' ');
                out.extend_from_slice(decimal(u64::from(listing.number.get())).as_bytes());
                out.push(b' ');
                out.extend_from_slice(listing.id.as_bytes());
            }
            Data::Language(tag) => {
                out.push(b' ');
                out.extend_from_slice(tag.as_bytes());
            }
            Data::None | Data::Octets(_) | Data::Malformed(_) => {}
        }
        if !self.text.is_empty() {
            let room = Self::MAX.saturating_sub(3).saturating_sub(out.len().saturating_sub(start));
            out.push(b' ');
            out.extend_from_slice(cut(self.text, room).as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The outcome of the UPDATE state in the RFC's words: `+OK`, or `-ERR some deleted messages not removed`
/// (RFC 1939 §6).
impl<E> From<Result<(), E>> for Reply<'_> {
    fn from(removed: Result<(), E>) -> Self {
        match removed {
            Ok(()) => Self::fixed(Status::Ok, "POP3 server signing off"),
            Err(_) => Self::fixed(Status::Err, "some deleted messages not removed"),
        }
    }
}

/// Appends octets that came from somewhere, so that they stay on their line: a control character becomes `?`.
pub(crate) fn one_line(octets: &[u8], out: &mut Vec<u8>) {
    out.extend(octets.iter().map(|&octet| if octet.is_ascii_control() && octet != b'\t' { b'?' } else { octet }));
}

/// Text that stays one line and is no response code.
pub(crate) fn check_text(text: &str) -> Result<(), Misuse> {
    if let Some(octet) = text.bytes().find(u8::is_ascii_control) {
        return Err(Misuse::ForbiddenOctet { octet });
    }
    // RFC 2449 §8: text that begins with "[" is a response code.
    if text.starts_with('[') { Err(Misuse::Bracket) } else { Ok(()) }
}

/// The front of `text` that fits, cut at the end of a character.
fn cut(text: &str, room: usize) -> &str {
    if text.len() <= room {
        return text;
    }
    let mut end = room;
    while !text.is_char_boundary(end) {
        end = end.saturating_sub(1);
    }
    text.get(..end).unwrap_or_default()
}

/// A number in decimal digits, without leading zeros.
pub(crate) struct Decimal {
    digits: [u8; 20],
    start: usize,
}

impl Decimal {
    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.digits.get(self.start..).unwrap_or_default()
    }
}

pub(crate) fn decimal(mut number: u64) -> Decimal {
    let mut digits = [0_u8; 20];
    let mut start = digits.len();
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789".get(usize::try_from(number % 10).unwrap_or(0)).copied().unwrap_or(b'0');
        start = start.saturating_sub(1);
        number /= 10;
        if number == 0 {
            break;
        }
    }
    Decimal { digits, start }
}
