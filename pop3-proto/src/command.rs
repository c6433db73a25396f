//! What a client says: one [`Command`] type that the client encodes and the server yields.
//!
//! An argument is a checked type, so that a command which could not be sent cannot exist: no CR, LF, NUL or other
//! control character gets into a line, and no line is longer than 255 octets (RFC 2449 §4).

mod arguments;

use crate::error::Misuse;
use crate::listing::MessageNumber;
use crate::reply::{LanguageTag, decimal};
use crate::state::{Shape, Verb};
use crate::text::{Carried, Secret, Text};
use alloc::vec::Vec;

pub use self::arguments::{Apop, Auth, Digest, Mechanism, Name, Password};
pub(crate) use self::arguments::{check, check_base64};

/// The most octets of a command line that a client sends, with CRLF (RFC 2449 §4).
pub const MAX_COMMAND: usize = 255;

/// A command.
///
/// ```
/// use pop3_proto::{Command, Misuse};
///
/// let mut line = Vec::new();
/// Command::top(1, 10)?.encode(&mut line);
/// assert_eq!(line, b"TOP 1 10\r\n");
///
/// assert!(Command::user("mrose\r\nDELE 1").is_err());
/// assert_eq!(format!("{:?}", Command::pass("tanstaaf")?), "Pass(<secret>)");
/// # Ok::<(), Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command<'a> {
    /// `USER name`
    User(Name<'a>),
    /// `PASS string`
    Pass(Password<'a>),
    /// `APOP name digest`
    Apop(Apop<'a>),
    /// `AUTH mechanism [initial-response]`
    Auth(Auth<'a>),
    /// `STLS`
    Stls,
    /// `UTF8`
    Utf8,
    /// `STAT`
    Stat,
    /// `LIST`, or `LIST msg`
    List(Option<MessageNumber>),
    /// `RETR msg`
    Retr(MessageNumber),
    /// `DELE msg`
    Dele(MessageNumber),
    /// `NOOP`
    Noop,
    /// `RSET`
    Rset,
    /// `TOP msg n`
    Top {
        /// The message.
        number: MessageNumber,
        /// How many lines of its body.
        lines: u64,
    },
    /// `UIDL`, or `UIDL msg`
    Uidl(Option<MessageNumber>),
    /// `CAPA`
    Capa,
    /// `LANG`, or `LANG tag`
    Lang(Option<LanguageTag<'a>>),
    /// `QUIT`
    Quit,
    /// A command that no RFC in our scope defines.
    Other(Other<'a>),
}

impl<'a> Command<'a> {
    /// `USER name` (RFC 1939 §7).
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`], [`Misuse::ForbiddenOctet`] for a space or control character, [`Misuse::NotUtf8`],
    /// [`Misuse::TooLong`].
    pub fn user<T: AsRef<[u8]> + ?Sized>(name: &'a T) -> Result<Self, Misuse> {
        let name = Name::new(name)?;
        fits(b"USER ".len(), name.as_bytes().len())?;
        Ok(Self::User(name))
    }

    /// `PASS string` (RFC 1939 §7). Spaces are part of the password, wherever they stand.
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`], [`Misuse::ForbiddenOctet`] for a control character, [`Misuse::NotUtf8`], [`Misuse::TooLong`].
    pub fn pass<T: AsRef<[u8]> + ?Sized>(password: &'a T) -> Result<Self, Misuse> {
        let password = Password::new(password)?;
        fits(b"PASS ".len(), password.reveal().len())?;
        Ok(Self::Pass(password))
    }

    /// `APOP name digest` (RFC 1939 §7), with the 32 hexadecimal digits that the caller computed from the greeting's
    /// timestamp and the shared secret.
    ///
    /// # Errors
    ///
    /// [`Misuse::Digest`] unless there are 32 of `0` to `9` and `a` to `f`; for the name as [`Command::user`].
    pub fn apop<T: AsRef<[u8]> + ?Sized>(name: &'a T, digest: &'a str) -> Result<Self, Misuse> {
        let name = Name::new(name)?;
        fits(b"APOP  ".len(), name.as_bytes().len().saturating_add(Digest::LENGTH))?;
        Ok(Self::Apop(Apop { name, digest: Digest::new(digest.as_bytes())? }))
    }

    /// `AUTH mechanism` without an initial response (RFC 5034 §4).
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`], [`Misuse::ForbiddenOctet`] or [`Misuse::TooLong`] for what is no mechanism name
    /// (1 to 20 of `A` to `Z`, `0` to `9`, `-`, `_`; RFC 4422 §3.1).
    pub fn auth(mechanism: &'a str) -> Result<Self, Misuse> {
        Ok(Self::Auth(Auth { mechanism: Mechanism::new(mechanism)?, initial: None }))
    }

    /// `AUTH mechanism initial-response` (RFC 5034 §4), the response in base64 already, `=` for an empty one.
    ///
    /// # Errors
    ///
    /// As [`Command::auth`]; [`Misuse::Base64`]; [`Misuse::InitialResponseTooLong`] if the line would be longer than 255
    /// octets: then the response goes behind an empty challenge instead.
    pub fn auth_with_initial<T: AsRef<[u8]> + ?Sized>(mechanism: &'a str, line: &'a T) -> Result<Self, Misuse> {
        let (mechanism, line) = (Mechanism::new(mechanism)?, line.as_ref());
        if line != b"=" {
            check_base64(line)?;
        }
        fits(b"AUTH  ".len(), mechanism.as_str().len().saturating_add(line.len()))
            .map_err(|_| Misuse::InitialResponseTooLong)?;
        Ok(Self::Auth(Auth { mechanism, initial: Some(Secret::from(line)) }))
    }

    /// `RETR msg` (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// [`Misuse::MessageNumberZero`].
    pub fn retr<N>(number: N) -> Result<Self, Misuse>
    where
        N: TryInto<MessageNumber>,
        Misuse: From<N::Error>,
    {
        Ok(Self::Retr(number.try_into()?))
    }

    /// `DELE msg` (RFC 1939 §5).
    ///
    /// # Errors
    ///
    /// [`Misuse::MessageNumberZero`].
    pub fn dele<N>(number: N) -> Result<Self, Misuse>
    where
        N: TryInto<MessageNumber>,
        Misuse: From<N::Error>,
    {
        Ok(Self::Dele(number.try_into()?))
    }

    /// `LIST msg` (RFC 1939 §5); for all messages, [`Command::List`] with `None`.
    ///
    /// # Errors
    ///
    /// [`Misuse::MessageNumberZero`].
    pub fn list<N>(number: N) -> Result<Self, Misuse>
    where
        N: TryInto<MessageNumber>,
        Misuse: From<N::Error>,
    {
        Ok(Self::List(Some(number.try_into()?)))
    }

    /// `UIDL msg` (RFC 1939 §7); for all messages, [`Command::Uidl`] with `None`.
    ///
    /// # Errors
    ///
    /// [`Misuse::MessageNumberZero`].
    pub fn uidl<N>(number: N) -> Result<Self, Misuse>
    where
        N: TryInto<MessageNumber>,
        Misuse: From<N::Error>,
    {
        Ok(Self::Uidl(Some(number.try_into()?)))
    }

    /// `TOP msg n` (RFC 1939 §7): the header, the blank line and `lines` lines of the body.
    ///
    /// # Errors
    ///
    /// [`Misuse::MessageNumberZero`].
    pub fn top<N>(number: N, lines: u64) -> Result<Self, Misuse>
    where
        N: TryInto<MessageNumber>,
        Misuse: From<N::Error>,
    {
        Ok(Self::Top { number: number.try_into()?, lines })
    }

    /// `LANG tag` (RFC 6856 §3); for the listing, [`Command::Lang`] with `None`.
    ///
    /// # Errors
    ///
    /// As [`LanguageTag::new`].
    pub fn lang<T: AsRef<[u8]> + ?Sized>(tag: &'a T) -> Result<Self, Misuse> {
        Ok(Self::Lang(Some(LanguageTag::new(tag)?)))
    }

    /// A command outside the RFCs (`LAST`, `XTND XMIT`, ...): its whole line without CRLF, and what its `+OK` is
    /// followed by.
    ///
    /// # Errors
    ///
    /// [`Misuse::KnownKeyword`] for a keyword that has a constructor of its own; [`Misuse::Empty`],
    /// [`Misuse::ForbiddenOctet`] and [`Misuse::TooLong`] for what is no command line.
    ///
    /// ```
    /// use pop3_proto::{Command, Shape};
    ///
    /// assert!(Command::other("LAST", Shape::SingleLine).is_ok());
    /// assert!(Command::other("stls", Shape::SingleLine).is_err());
    /// ```
    pub fn other<T: AsRef<[u8]> + ?Sized>(line: &'a T, shape: Shape) -> Result<Self, Misuse> {
        let line = line.as_ref();
        let (keyword, arguments) = match memchr::memchr(b' ', line).and_then(|space| line.split_at_checked(space)) {
            Some((keyword, rest)) => (keyword, rest.get(1..).unwrap_or_default()),
            None => (line, &[][..]),
        };
        let verb = Verb::from_keyword(keyword);
        if verb != Verb::Other {
            return Err(Misuse::KnownKeyword { verb });
        }
        let graphic = |octet: &u8| octet.is_ascii_graphic();
        check(keyword, graphic)?;
        if line.len() > keyword.len() {
            check(arguments, |octet| graphic(octet) || *octet == b' ')?;
        }
        fits(0, line.len())?;
        Ok(Self::Other(Other { keyword: Text::from(keyword), arguments: Text::from(arguments), shape }))
    }

    /// The keyword.
    #[must_use]
    pub const fn verb(&self) -> Verb {
        match self {
            Self::User(_) => Verb::User,
            Self::Pass(_) => Verb::Pass,
            Self::Apop(_) => Verb::Apop,
            Self::Auth(_) => Verb::Auth,
            Self::Stls => Verb::Stls,
            Self::Utf8 => Verb::Utf8,
            Self::Stat => Verb::Stat,
            Self::List(_) => Verb::List,
            Self::Retr(_) => Verb::Retr,
            Self::Dele(_) => Verb::Dele,
            Self::Noop => Verb::Noop,
            Self::Rset => Verb::Rset,
            Self::Top { .. } => Verb::Top,
            Self::Uidl(_) => Verb::Uidl,
            Self::Capa => Verb::Capa,
            Self::Lang(_) => Verb::Lang,
            Self::Quit => Verb::Quit,
            Self::Other(_) => Verb::Other,
        }
    }

    /// The message that it names, if it names one.
    #[must_use]
    pub const fn number(&self) -> Option<MessageNumber> {
        match self {
            Self::List(number) | Self::Uidl(number) => *number,
            Self::Retr(number) | Self::Dele(number) | Self::Top { number, .. } => Some(*number),
            _ => None,
        }
    }

    /// What follows a `+OK` to it.
    #[must_use]
    pub const fn shape(&self) -> Shape {
        match self {
            Self::List(None) | Self::Uidl(None) | Self::Lang(None) => Shape::MultiLine,
            Self::Retr(_) | Self::Top { .. } | Self::Capa => Shape::MultiLine,
            Self::Other(other) => other.shape,
            _ => Shape::SingleLine,
        }
    }

    /// Appends the line with its CRLF to `out`. It is one line always; that it is one which may be sent now, and is not too
    /// long with a name or a password out of a SASL message in it, [`Client::may_send`](crate::Client::may_send) says.
    pub fn encode(&self, out: &mut Vec<u8>) {
        self.pieces(|piece| out.extend_from_slice(piece));
    }

    /// How many octets [`Command::encode`] writes.
    pub(crate) fn encoded_len(&self) -> usize {
        let mut octets = 0_usize;
        self.pieces(|piece| octets = octets.saturating_add(piece.len()));
        octets
    }

    fn pieces(&self, mut put: impl FnMut(&[u8])) {
        put(self.verb().keyword().as_bytes());
        let mut argument = |octets: &[u8]| {
            put(b" ");
            put(octets);
        };
        match self {
            Self::User(name) => argument(name.as_bytes()),
            Self::Pass(password) => argument(password.reveal()),
            Self::Apop(Apop { name, digest }) => {
                argument(name.as_bytes());
                argument(digest.as_bytes());
            }
            Self::Auth(Auth { mechanism, initial }) => {
                argument(mechanism.as_str().as_bytes());
                if let Some(initial) = initial {
                    argument(initial.reveal());
                }
            }
            Self::List(Some(number)) | Self::Uidl(Some(number)) | Self::Retr(number) | Self::Dele(number) => {
                argument(decimal(u64::from(number.get())).as_bytes());
            }
            Self::Top { number, lines } => {
                argument(decimal(u64::from(number.get())).as_bytes());
                argument(decimal(*lines).as_bytes());
            }
            Self::Lang(Some(tag)) => argument(tag.as_bytes()),
            Self::Other(other) => {
                put(other.keyword.as_bytes());
                if !other.arguments.is_empty() {
                    put(b" ");
                    put(other.arguments.as_bytes());
                }
            }
            Self::Stls | Self::Utf8 | Self::Stat | Self::Noop | Self::Rset | Self::Capa | Self::Quit => {}
            Self::List(None) | Self::Uidl(None) | Self::Lang(None) => {}
        }
        put(b"\r\n");
    }

    /// The same command without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Command<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> Command<'static> {
        match self {
            Self::User(name) => Command::User(name.out_of(line)),
            Self::Pass(password) => Command::Pass(password.into_owned()),
            Self::Apop(Apop { name, digest }) => Command::Apop(Apop { name: name.out_of(line), digest }),
            Self::Auth(Auth { mechanism, initial }) => {
                Command::Auth(Auth { mechanism, initial: initial.map(Secret::into_owned) })
            }
            Self::Stls => Command::Stls,
            Self::Utf8 => Command::Utf8,
            Self::Stat => Command::Stat,
            Self::List(number) => Command::List(number),
            Self::Retr(number) => Command::Retr(number),
            Self::Dele(number) => Command::Dele(number),
            Self::Noop => Command::Noop,
            Self::Rset => Command::Rset,
            Self::Top { number, lines } => Command::Top { number, lines },
            Self::Uidl(number) => Command::Uidl(number),
            Self::Capa => Command::Capa,
            Self::Lang(tag) => Command::Lang(tag.map(|tag| tag.out_of(line))),
            Self::Quit => Command::Quit,
            Self::Other(other) => Command::Other(Other {
                keyword: other.keyword.out_of(line),
                arguments: other.arguments.out_of(line),
                shape: other.shape,
            }),
        }
    }
}

/// A command outside the RFCs. See [`Command::other`].
///
/// ```
/// use pop3_proto::{Command, Shape};
///
/// let Command::Other(other) = Command::other("XTND XMIT now", Shape::SingleLine)? else { panic!() };
/// assert_eq!(other.keyword(), "XTND");
/// assert_eq!(other.arguments(), "XMIT now");
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Other<'a> {
    pub(crate) keyword: Text<'a>,
    pub(crate) arguments: Text<'a>,
    pub(crate) shape: Shape,
}

impl Other<'_> {
    /// Its keyword, as it came.
    #[must_use]
    pub const fn keyword(&self) -> &Text<'_> {
        &self.keyword
    }

    /// All behind the space that follows the keyword.
    #[must_use]
    pub const fn arguments(&self) -> &Text<'_> {
        &self.arguments
    }
}

fn fits(before: usize, argument: usize) -> Result<(), Misuse> {
    let line = before.saturating_add(argument).saturating_add(2);
    if line > MAX_COMMAND { Err(Misuse::TooLong { limit: MAX_COMMAND }) } else { Ok(()) }
}
