//! What a server can do: the lines that answer `CAPA` (RFC 2449 §5 and §6, RFC 2595, 3206, 5034, 6856).

use crate::reply::decimal;
use crate::text::{Carried, Text};
use alloc::vec::Vec;
use core::fmt;

/// One line of a capability list.
///
/// Tags are matched without regard to case. A known tag whose arguments make no sense, and any other tag, is
/// [`Capability::Other`]: nothing is lost.
///
/// ```
/// use pop3_proto::{Capability, Expiry, grammar};
///
/// let (_, response) = grammar::capability_list(b"+OK\r\nexpire 60\r\nX-OWN a b\r\n.\r\n").unwrap();
/// assert_eq!(response.content[0], Ok(Capability::Expire { after: Expiry::Days(60), per_user: false }));
/// assert_eq!(response.content[1], Ok(Capability::Other { tag: "X-OWN".into(), arguments: "a b".into() }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Capability<'a> {
    /// `TOP` (RFC 2449 §6.1).
    Top,
    /// `USER`: the commands USER and PASS (RFC 2449 §6.2).
    User,
    /// `SASL` with its mechanisms (RFC 5034 §3).
    Sasl(Mechanisms<'a>),
    /// `RESP-CODES` (RFC 2449 §6.4).
    RespCodes,
    /// `AUTH-RESP-CODE` (RFC 3206 §6).
    AuthRespCode,
    /// `LOGIN-DELAY` (RFC 2449 §6.5).
    LoginDelay {
        /// Seconds between logins.
        seconds: u32,
        /// `USER`: it may differ for the user; ask again after login.
        per_user: bool,
    },
    /// `PIPELINING` (RFC 2449 §6.6).
    Pipelining,
    /// `EXPIRE` (RFC 2449 §6.7).
    Expire {
        /// What happens to messages that stay.
        after: Expiry,
        /// `USER`: it may differ for the user; ask again after login.
        per_user: bool,
    },
    /// `UIDL` (RFC 2449 §6.8).
    Uidl,
    /// `IMPLEMENTATION`: the server's name, for people only (RFC 2449 §6.9 forbids programs to act on it).
    Implementation(Text<'a>),
    /// `STLS` (RFC 2595 §4).
    Stls,
    /// `UTF8` (RFC 6856 §2).
    Utf8 {
        /// `USER`: user names and passwords may be UTF-8 (RFC 6856 §2.2).
        user: bool,
    },
    /// `LANG` (RFC 6856 §3).
    Lang,
    /// Any other line.
    Other {
        /// Its first word.
        tag: Text<'a>,
        /// What follows behind the space.
        arguments: Text<'a>,
    },
}

/// How long messages may stay on the server (RFC 2449 §6.7).
///
/// ```
/// use pop3_proto::{Capability, Expiry};
///
/// let kept = Capability::Expire { after: Expiry::Never, per_user: false };
/// assert_eq!(kept.to_string(), "EXPIRE NEVER");
/// let gone_after_retr = Capability::Expire { after: Expiry::Days(0), per_user: true };
/// assert_eq!(gone_after_retr.to_string(), "EXPIRE 0 USER");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Expiry {
    /// `NEVER`: as long as they are not deleted.
    Never,
    /// Days; 0 forbids to leave mail on the server.
    Days(u32),
}

/// The SASL mechanisms that a server offers, in its order.
///
/// ```
/// use pop3_proto::{Capability, Mechanisms};
///
/// let mechanisms = Mechanisms::new(["PLAIN", "SCRAM-SHA-256"])?;
/// assert!(mechanisms.contains("scram-sha-256"));
/// assert_eq!(Capability::Sasl(mechanisms).to_string(), "SASL PLAIN SCRAM-SHA-256");
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Mechanisms<'a>(pub(crate) Text<'a>);

/// Two lists are equal if they name the same mechanisms in the same order, however many spaces are between them.
impl PartialEq for Mechanisms<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.iter().eq(other.iter())
    }
}

impl Eq for Mechanisms<'_> {}

impl core::hash::Hash for Mechanisms<'_> {
    fn hash<H: core::hash::Hasher>(&self, state: &mut H) {
        self.iter().for_each(|name| name.hash(state));
    }
}

impl Mechanisms<'_> {
    /// A list of these mechanisms.
    ///
    /// # Errors
    ///
    /// As [`Mechanism::new`](crate::Mechanism::new).
    pub fn new<'n>(names: impl IntoIterator<Item = &'n str>) -> Result<Mechanisms<'static>, crate::Misuse> {
        let mut list = Vec::new();
        for name in names {
            if !list.is_empty() {
                list.push(b' ');
            }
            list.extend_from_slice(crate::Mechanism::new(name)?.as_str().as_bytes());
        }
        Ok(Mechanisms(Text::from(list)))
    }

    /// Each mechanism's name.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.0.as_bytes().split(|&octet| octet == b' ').filter(|name| !name.is_empty())
    }

    /// Whether the mechanism is offered, in whatever case.
    #[must_use]
    pub fn contains(&self, mechanism: &str) -> bool {
        self.iter().any(|name| name.eq_ignore_ascii_case(mechanism.as_bytes()))
    }
}

impl Capability<'_> {
    /// The same line without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Capability<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> Capability<'static> {
        match self {
            Self::Top => Capability::Top,
            Self::User => Capability::User,
            Self::Sasl(Mechanisms(names)) => Capability::Sasl(Mechanisms(names.out_of(line))),
            Self::RespCodes => Capability::RespCodes,
            Self::AuthRespCode => Capability::AuthRespCode,
            Self::LoginDelay { seconds, per_user } => Capability::LoginDelay { seconds, per_user },
            Self::Pipelining => Capability::Pipelining,
            Self::Expire { after, per_user } => Capability::Expire { after, per_user },
            Self::Uidl => Capability::Uidl,
            Self::Implementation(name) => Capability::Implementation(name.out_of(line)),
            Self::Stls => Capability::Stls,
            Self::Utf8 { user } => Capability::Utf8 { user },
            Self::Lang => Capability::Lang,
            Self::Other { tag, arguments } => {
                Capability::Other { tag: tag.out_of(line), arguments: arguments.out_of(line) }
            }
        }
    }

    /// Appends the line without its CRLF to `out`.
    pub(crate) fn encode_text(&self, out: &mut Vec<u8>) {
        match self {
            Self::Top => out.extend_from_slice(b"TOP"),
            Self::User => out.extend_from_slice(b"USER"),
            Self::Sasl(names) => {
                out.extend_from_slice(b"SASL");
                for name in names.iter() {
                    out.push(b' ');
                    out.extend_from_slice(name);
                }
            }
            Self::RespCodes => out.extend_from_slice(b"RESP-CODES"),
            Self::AuthRespCode => out.extend_from_slice(b"AUTH-RESP-CODE"),
            Self::LoginDelay { seconds, per_user } => {
                out.extend_from_slice(b"LOGIN-DELAY ");
                out.extend_from_slice(decimal(u64::from(*seconds)).as_bytes());
                if *per_user {
                    out.extend_from_slice(b" USER");
                }
            }
            Self::Pipelining => out.extend_from_slice(b"PIPELINING"),
            Self::Expire { after, per_user } => {
                out.extend_from_slice(b"EXPIRE ");
                match after {
                    Expiry::Never => out.extend_from_slice(b"NEVER"),
                    Expiry::Days(days) => out.extend_from_slice(decimal(u64::from(*days)).as_bytes()),
                }
                if *per_user {
                    out.extend_from_slice(b" USER");
                }
            }
            Self::Uidl => out.extend_from_slice(b"UIDL"),
            Self::Implementation(name) => {
                out.extend_from_slice(b"IMPLEMENTATION ");
                out.extend_from_slice(name.as_bytes());
            }
            Self::Stls => out.extend_from_slice(b"STLS"),
            Self::Utf8 { user } => out.extend_from_slice(if *user { b"UTF8 USER" } else { b"UTF8" }),
            Self::Lang => out.extend_from_slice(b"LANG"),
            Self::Other { tag, arguments } => {
                out.extend_from_slice(tag.as_bytes());
                if !arguments.is_empty() {
                    out.push(b' ');
                    out.extend_from_slice(arguments.as_bytes());
                }
            }
        }
    }
}

impl fmt::Display for Capability<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut line = Vec::new();
        self.encode_text(&mut line);
        Text::from(line).fmt(f)
    }
}

/// A capability without its arguments: what a machine remembers of a list, one bit each.
///
/// ```
/// use pop3_proto::{Client, Command, Config, Extension, Peer, Support};
///
/// let mut client = Client::over_tls(Config::new(), Peer::Verified);
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// client.send(&Command::Capa, &mut Vec::new())?;
/// let mut input: &[u8] = b"+OK\r\nUSER\r\nTOP\r\n.\r\n";
/// while client.next_event(&mut input)?.is_some() {}
/// assert_eq!(client.supports(Extension::Top), Support::Yes);
/// assert_eq!(client.supports(Extension::Uidl), Support::No);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
#[repr(u8)]
pub enum Extension {
    /// `TOP`
    Top,
    /// `USER`
    User,
    /// `SASL`
    Sasl,
    /// `RESP-CODES`
    RespCodes,
    /// `AUTH-RESP-CODE`
    AuthRespCode,
    /// `LOGIN-DELAY`
    LoginDelay,
    /// `PIPELINING`
    Pipelining,
    /// `EXPIRE`
    Expire,
    /// `UIDL`
    Uidl,
    /// `IMPLEMENTATION`
    Implementation,
    /// `STLS`
    Stls,
    /// `UTF8`
    Utf8,
    /// `UTF8 USER`
    Utf8User,
    /// `LANG`
    Lang,
}

/// Whether the server can do something, as far as is known.
///
/// ```
/// use pop3_proto::{Client, Extension, Support};
///
/// assert_eq!(Client::new().supports(Extension::Top), Support::Unknown); // nobody asked CAPA yet
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Support {
    /// The last capability list of this phase of the session names it.
    Yes,
    /// There was such a list, and it does not.
    No,
    /// There was none: CAPA was not asked, refused, or asked before TLS or login changed what holds. It may work.
    Unknown,
}

/// The capabilities of the current phase as bits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Known {
    bits: u16,
    complete: bool,
    refused: bool,
}

impl Known {
    pub(crate) const NONE: Self = Self { bits: 0, complete: false, refused: false };
    /// CAPA was answered `-ERR`.
    pub(crate) const REFUSED: Self = Self { refused: true, ..Self::NONE };

    pub(crate) const fn refused(self) -> bool {
        self.refused
    }

    pub(crate) const fn add(&mut self, capability: &Capability<'_>) {
        let extension = match capability {
            Capability::Top => Extension::Top,
            Capability::User => Extension::User,
            Capability::Sasl(_) => Extension::Sasl,
            Capability::RespCodes => Extension::RespCodes,
            Capability::AuthRespCode => Extension::AuthRespCode,
            Capability::LoginDelay { .. } => Extension::LoginDelay,
            Capability::Pipelining => Extension::Pipelining,
            Capability::Expire { .. } => Extension::Expire,
            Capability::Uidl => Extension::Uidl,
            Capability::Implementation(_) => Extension::Implementation,
            Capability::Stls => Extension::Stls,
            Capability::Utf8 { user } => {
                if *user {
                    self.bits |= 1 << Extension::Utf8User as u8;
                }
                Extension::Utf8
            }
            Capability::Lang => Extension::Lang,
            Capability::Other { .. } => return,
        };
        self.bits |= 1 << extension as u8;
    }

    /// The list ended: what is not in it is not there.
    pub(crate) const fn complete(&mut self) {
        self.complete = true;
    }

    pub(crate) const fn support(self, extension: Extension) -> Support {
        match (self.complete, self.bits & (1 << extension as u8)) {
            (false, _) => Support::Unknown,
            (true, 0) => Support::No,
            (true, _) => Support::Yes,
        }
    }
}
