//! The arguments of commands, as types whose values can be sent.

use crate::error::Misuse;
use crate::text::{Carried, Secret, Text, alike, is_base64_text};
#[cfg(feature = "sasl")]
use alloc::vec::Vec;
use core::fmt;

/// The name of a mailbox: one word of visible ASCII, or UTF-8 where the server announced `UTF8 USER` (RFC 6856 §2.2).
///
/// ```
/// use pop3_proto::Command;
///
/// let Command::User(name) = Command::user("mrose")? else { panic!() };
/// assert_eq!(name.as_str(), "mrose");
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Name<'a>(Text<'a>);

impl<'a> Name<'a> {
    /// # Errors
    ///
    /// As [`Command::user`](crate::Command::user).
    pub(crate) fn new<T: AsRef<[u8]> + ?Sized>(name: &'a T) -> Result<Self, Misuse> {
        let name = name.as_ref();
        check(name, |octet| octet.is_ascii_graphic() || !octet.is_ascii())?;
        check_utf8(name)?;
        Ok(Self(Text::from(name)))
    }

    /// A name that a server takes although it has spaces in it.
    pub(crate) fn with_spaces(name: &'a [u8]) -> Result<Self, Misuse> {
        check(name, |octet| !octet.is_ascii_control())?;
        check_utf8(name)?;
        Ok(Self(Text::from(name)))
    }

    /// The octets.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.as_str().unwrap_or_default()
    }

    /// The same name without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Name<'static> {
        Name(self.0.into_owned())
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> Name<'static> {
        Name(self.0.out_of(line))
    }

    /// Nobody's.
    pub(crate) fn none() -> Name<'static> {
        Name(Text::default())
    }
}

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The argument of PASS: any octets but control characters, spaces included; never shown. Out of a SASL message it may hold
/// control characters too, but for CR, LF and NUL (RFC 4616 §2), and [`Client::send`](crate::Client::send) refuses it then.
///
/// ```
/// use pop3_proto::Command;
///
/// let Command::Pass(password) = Command::pass("tan staaf")? else { panic!() };
/// assert_eq!(password.reveal(), b"tan staaf");
/// assert!(!format!("{password:?}").contains("staaf"));
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Password<'a>(Secret<'a>);

impl<'a> Password<'a> {
    pub(crate) fn new<T: AsRef<[u8]> + ?Sized>(password: &'a T) -> Result<Self, Misuse> {
        let password = password.as_ref();
        check(password, |octet| !octet.is_ascii_control())?;
        check_utf8(password)?;
        Ok(Self(Secret::from(password)))
    }

    /// A password out of a SASL message, which may hold more than the argument of PASS (RFC 4616 §2: anything but NUL). What
    /// would end a line stays out all the same: who has the password may hand it on by PASS.
    #[cfg(feature = "sasl")]
    pub(crate) fn in_message(password: &'a [u8]) -> Result<Self, Misuse> {
        check(password, |octet| !matches!(octet, b'\r' | b'\n' | 0))?;
        check_utf8(password)?;
        Ok(Self(Secret::from(password)))
    }

    /// The octets.
    #[must_use]
    pub fn reveal(&self) -> &[u8] {
        self.0.reveal()
    }

    /// The same password without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Password<'static> {
        Password(self.0.into_owned())
    }
}

impl fmt::Debug for Password<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// The arguments of APOP.
///
/// ```
/// use pop3_proto::{Apop, Command};
///
/// let Command::Apop(Apop { name, digest }) = Command::apop("mrose", "c4c9334bac560ecc979e58001b3e22fb")? else { panic!() };
/// assert_eq!(name.as_str(), "mrose");
/// assert_eq!(format!("{digest:?}"), "<secret>");
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Apop<'a> {
    /// Whose maildrop.
    pub name: Name<'a>,
    /// MD5 of the greeting's timestamp and the shared secret.
    pub digest: Digest,
}

/// An MD5 digest as APOP sends it: 32 hexadecimal digits in lower case (RFC 1939 §7).
///
/// Two of them compare in the same time wherever they differ. `Debug` does not show it: who has digest and timestamp
/// can try passwords.
///
/// ```
/// use pop3_proto::Digest;
///
/// assert!(Digest::new(b"c4c9334bac560ecc979e58001b3e22fb").is_ok());
/// assert!(Digest::new(b"too short").is_err());
/// ```
#[derive(Clone, Copy)]
pub struct Digest([u8; Self::LENGTH]);

impl Digest {
    /// How many digits.
    pub const LENGTH: usize = 32;

    /// # Errors
    ///
    /// [`Misuse::Digest`] for anything but 32 of `0` to `9` and `a` to `f`.
    pub fn new(digits: &[u8]) -> Result<Self, Misuse> {
        match <[u8; Self::LENGTH]>::try_from(digits) {
            Ok(digits) if digits.iter().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f')) => Ok(Self(digits)),
            _ => Err(Misuse::Digest),
        }
    }

    #[cfg(feature = "md5")]
    pub(crate) const fn from_digits(digits: [u8; Self::LENGTH]) -> Self {
        Self(digits)
    }

    /// The digits.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        alike(&self.0, &other.0)
    }
}

impl Eq for Digest {}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("<secret>")
    }
}

/// The arguments of AUTH.
///
/// ```
/// use pop3_proto::Command;
///
/// let Command::Auth(auth) = Command::auth_with_initial("plain", "AHRlc3QAdGVzdA==")? else { panic!() };
/// assert_eq!(auth.mechanism.as_str(), "PLAIN");
/// assert_eq!(auth.initial_line().map(|line| line.reveal()), Some(&b"AHRlc3QAdGVzdA=="[..]));
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Auth<'a> {
    /// The mechanism.
    pub mechanism: Mechanism,
    /// The initial response as it is sent, in base64; `=` stands for an empty one (RFC 5034 §4).
    pub(crate) initial: Option<Secret<'a>>,
}

impl Auth<'_> {
    /// The initial response as it is sent, in base64; `=` stands for an empty one (RFC 5034 §4).
    #[must_use]
    pub const fn initial_line(&self) -> Option<&Secret<'_>> {
        self.initial.as_ref()
    }

    /// The initial response decoded.
    ///
    /// # Errors
    ///
    /// [`Fault::Base64`](crate::grammar::Fault::Base64) for what is no canonical base64.
    #[cfg(feature = "sasl")]
    pub fn initial(&self) -> Result<Option<Secret<'static>>, crate::grammar::Fault> {
        match &self.initial {
            None => Ok(None),
            Some(line) if line.reveal() == b"=" => Ok(Some(Secret::from(Vec::new()))),
            Some(line) => line.decode().map(Some),
        }
    }
}

/// The name of a SASL mechanism, in upper case (RFC 4422 §3.1).
///
/// ```
/// use pop3_proto::Mechanism;
///
/// assert_eq!(Mechanism::new("scram-sha-256")?.as_str(), "SCRAM-SHA-256");
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Mechanism {
    name: [u8; Self::MAX],
    length: u8,
}

impl Mechanism {
    /// The most octets that RFC 4422 §3.1 allows.
    pub const MAX: usize = 20;

    /// A name of 1 to 20 letters, digits, hyphens and underscores, in whatever case.
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`], [`Misuse::TooLong`], [`Misuse::ForbiddenOctet`].
    pub fn new<T: AsRef<[u8]> + ?Sized>(name: &T) -> Result<Self, Misuse> {
        let octets = name.as_ref();
        check(octets, |octet| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_'))?;
        let mut name = [0; Self::MAX];
        let Some(place) = name.get_mut(..octets.len()) else { return Err(Misuse::TooLong { limit: Self::MAX }) };
        place.copy_from_slice(octets);
        place.make_ascii_uppercase();
        Ok(Self { name, length: u8::try_from(octets.len()).unwrap_or_default() })
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.name.get(..usize::from(self.length)).and_then(|name| core::str::from_utf8(name).ok()).unwrap_or_default()
    }
}

impl fmt::Debug for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Mechanism {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Base64 text, not empty.
pub(crate) fn check_base64(line: &[u8]) -> Result<(), Misuse> {
    if is_base64_text(line) { Ok(()) } else { Err(Misuse::Base64) }
}

pub(crate) fn check(argument: &[u8], allowed: impl Fn(&u8) -> bool) -> Result<(), Misuse> {
    if argument.is_empty() {
        return Err(Misuse::Empty);
    }
    match argument.iter().find(|octet| !allowed(octet)) {
        Some(&octet) => Err(Misuse::ForbiddenOctet { octet }),
        None => Ok(()),
    }
}

/// RFC 6856 §2.2: what is beyond ASCII is UTF-8.
fn check_utf8(argument: &[u8]) -> Result<(), Misuse> {
    core::str::from_utf8(argument).map(|_| ()).map_err(|_| Misuse::NotUtf8)
}
