//! Response codes, and what they mean for programs (RFC 2449 §8, RFC 3206).

use crate::error::Misuse;
use crate::text::{Carried, Text};
use core::fmt;

/// A response code: what a program may act on (RFC 2449 §8, RFC 3206, RFC 6856 §5).
///
/// Codes are hierarchical: a program that does not know `SYS/TEMP/DISK` may treat it as `SYS/TEMP`, and
/// [`ResponseCode::error_class`] does.
///
/// ```
/// use pop3_proto::{ErrorClass, ResponseCode};
///
/// let full_disk = ResponseCode::new("SYS/TEMP/DISK")?; // unknown, but below SYS/TEMP
/// assert_eq!(full_disk.error_class(), ErrorClass::Temporary);
/// assert_eq!(ResponseCode::Auth.error_class(), ErrorClass::Credentials);
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ResponseCode<'a> {
    /// `LOGIN-DELAY`: too soon after the last login (RFC 2449 §8.1.1).
    LoginDelay,
    /// `IN-USE`: the maildrop is locked by another session (RFC 2449 §8.1.2).
    InUse,
    /// `SYS/TEMP`: a failure that will pass (RFC 3206 §4).
    SysTemp,
    /// `SYS/PERM`: a failure that needs somebody's hand (RFC 3206 §4).
    SysPerm,
    /// `AUTH`: the credentials are the reason (RFC 3206 §5).
    Auth,
    /// `UTF8`: the message needs UTF-8 mode (RFC 6856 §5).
    Utf8,
    /// Any other, as it came.
    Other(Text<'a>),
}

impl<'a> ResponseCode<'a> {
    /// The most octets of a code that a server sends.
    pub const MAX: usize = 255;

    /// The code between the brackets, whatever the case of its letters.
    #[must_use]
    pub(crate) fn from_octets(octets: &'a [u8]) -> Self {
        const KNOWN: [(&[u8], ResponseCode<'static>); 6] = [
            (b"LOGIN-DELAY", ResponseCode::LoginDelay),
            (b"IN-USE", ResponseCode::InUse),
            (b"SYS/TEMP", ResponseCode::SysTemp),
            (b"SYS/PERM", ResponseCode::SysPerm),
            (b"AUTH", ResponseCode::Auth),
            (b"UTF8", ResponseCode::Utf8),
        ];
        KNOWN
            .iter()
            .find(|(name, _)| octets.eq_ignore_ascii_case(name))
            .map_or_else(|| Self::Other(Text::from(octets)), |(_, code)| code.clone())
    }

    /// A code of your own: `1*rchar *("/" 1*rchar)` (RFC 2449 §8), or one of the known ones.
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`] for an empty level, [`Misuse::ForbiddenOctet`] for octets outside 0x21 to 0x7E and for `]`,
    /// [`Misuse::TooLong`] beyond 255 octets.
    ///
    /// ```
    /// use pop3_proto::ResponseCode;
    ///
    /// assert_eq!(ResponseCode::new("SYS/TEMP"), Ok(ResponseCode::SysTemp));
    /// assert!(ResponseCode::new("X-QUOTA/SOFT").is_ok());
    /// assert!(ResponseCode::new("X]\r\n.").is_err());
    /// ```
    pub fn new(code: &'a str) -> Result<Self, Misuse> {
        if code.len() > Self::MAX {
            return Err(Misuse::TooLong { limit: Self::MAX });
        }
        for level in code.split('/') {
            if level.is_empty() {
                return Err(Misuse::Empty);
            }
            if let Some(octet) = level.bytes().find(|octet| !octet.is_ascii_graphic() || *octet == b']') {
                return Err(Misuse::ForbiddenOctet { octet });
            }
        }
        Ok(Self::from_octets(code.as_bytes()))
    }

    /// The code as it stands between the brackets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::LoginDelay => b"LOGIN-DELAY",
            Self::InUse => b"IN-USE",
            Self::SysTemp => b"SYS/TEMP",
            Self::SysPerm => b"SYS/PERM",
            Self::Auth => b"AUTH",
            Self::Utf8 => b"UTF8",
            Self::Other(code) => code.as_bytes(),
        }
    }

    /// The same code without the borrow.
    #[must_use]
    pub fn into_owned(self) -> ResponseCode<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> ResponseCode<'static> {
        match self {
            Self::Other(code) => ResponseCode::Other(code.out_of(line)),
            Self::LoginDelay => ResponseCode::LoginDelay,
            Self::InUse => ResponseCode::InUse,
            Self::SysTemp => ResponseCode::SysTemp,
            Self::SysPerm => ResponseCode::SysPerm,
            Self::Auth => ResponseCode::Auth,
            Self::Utf8 => ResponseCode::Utf8,
        }
    }

    /// What the code means for a program that has to decide what to do next.
    #[must_use]
    pub fn error_class(&self) -> ErrorClass {
        const PARENTS: [(&[u8], ErrorClass); 5] = [
            (b"LOGIN-DELAY", ErrorClass::Delay),
            (b"IN-USE", ErrorClass::Busy),
            (b"SYS/TEMP", ErrorClass::Temporary),
            (b"SYS/PERM", ErrorClass::Permanent),
            (b"AUTH", ErrorClass::Credentials),
        ];
        let octets = self.as_bytes();
        PARENTS
            .iter()
            .find(|(name, _)| match octets.split_at_checked(name.len()) {
                Some((head, tail)) => head.eq_ignore_ascii_case(name) && matches!(tail, [] | [b'/', ..]),
                None => false,
            })
            .map_or(ErrorClass::Unknown, |&(_, class)| class)
    }
}

impl fmt::Display for ResponseCode<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "[{}]", Text::from(self.as_bytes()))
    }
}

/// What a `-ERR` means for a program: nobody should be asked for a new password because a disk is full.
///
/// ```
/// use pop3_proto::{ErrorClass, ResponseCode};
///
/// assert_eq!(ResponseCode::InUse.error_class(), ErrorClass::Busy);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum ErrorClass {
    /// The credentials are wrong: ask for others (`[AUTH]`).
    Credentials,
    /// Another session has the maildrop: try again when it is over (`[IN-USE]`).
    Busy,
    /// Too soon: try again after the server's login delay (`[LOGIN-DELAY]`).
    Delay,
    /// It will pass: try again later with the same credentials (`[SYS/TEMP]`).
    Temporary,
    /// It will not pass by itself (`[SYS/PERM]`).
    Permanent,
    /// The server does not say.
    Unknown,
}
