//! APOP and CRAM-MD5 digests, for peers that have nothing better (RFC 1939 §7, RFC 2195).
//!
//! MD5 is broken (RFC 6151): APOP must be allowed by [`Config::allow_apop_md5`](crate::Config::allow_apop_md5), and a
//! server must name CRAM-MD5 among its mechanisms.

use crate::command::{Apop, Command, Digest};
use crate::error::Misuse;
use crate::reply::Timestamp;
use alloc::vec::Vec;
use hmac::{Hmac, KeyInit as _, Mac as _};
use md5::{Digest as _, Md5};
use subtle::ConstantTimeEq as _;

impl Digest {
    /// The digest of a timestamp and a shared secret (RFC 1939 §7).
    ///
    /// ```
    /// use pop3_proto::{Digest, Timestamp};
    ///
    /// let timestamp = Timestamp::find(b"<1896.697170952@dbc.mtview.ca.us>").unwrap();
    /// assert_eq!(Digest::compute(&timestamp, b"tanstaaf").as_bytes(), b"c4c9334bac560ecc979e58001b3e22fb");
    /// ```
    #[must_use]
    pub fn compute(timestamp: &Timestamp<'_>, secret: &[u8]) -> Self {
        let mut md5 = Md5::new();
        md5.update(timestamp.as_bytes());
        md5.update(secret);
        Self::from_digits(hexadecimal(&md5.finalize()))
    }

    /// Whether this is the digest of the timestamp and the secret, in time that does not depend on where it differs.
    #[must_use]
    pub fn matches(&self, timestamp: &Timestamp<'_>, secret: &[u8]) -> bool {
        self.as_bytes().ct_eq(Self::compute(timestamp, secret).as_bytes()).into()
    }
}

impl<'a> Command<'a> {
    /// `APOP name digest`, the digest computed from the greeting's timestamp and the shared secret.
    ///
    /// # Errors
    ///
    /// As [`Command::apop`].
    pub fn apop_with_secret<T: AsRef<[u8]> + ?Sized>(
        name: &'a T,
        timestamp: &Timestamp<'_>,
        secret: &[u8],
    ) -> Result<Self, Misuse> {
        match Command::apop(name, NO_DIGEST)? {
            Command::Apop(Apop { name, .. }) => {
                Ok(Command::Apop(Apop { name, digest: Digest::compute(timestamp, secret) }))
            }
            other => Ok(other),
        }
    }
}

/// A client's response to a server's CRAM-MD5 challenge (RFC 2195 §2): `name SP digest`.
pub(crate) fn cram_response(name: &str, password: &[u8], challenge: &[u8]) -> Vec<u8> {
    let mut response = Vec::from(name);
    response.push(b' ');
    response.extend_from_slice(&cram_digest(password, challenge));
    response
}

/// A client's response to CRAM-MD5, taken apart (RFC 2195 §2).
///
/// ```
/// use pop3_proto::CramMd5;
///
/// let challenge = b"<1896.697170952@postoffice.reston.mci.net>";
/// let response = CramMd5::parse(b"tim b913a602c7eda7a495b4e6e7334d3890").unwrap();
/// assert_eq!(response.name(), b"tim");
/// assert!(response.matches(challenge, b"tanstaaftanstaaf"));
/// assert!(!response.matches(challenge, b"something else"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CramMd5<'a> {
    name: &'a [u8],
    digest: Digest,
}

impl<'a> CramMd5<'a> {
    /// The name and the digest of a decoded response; `None` if it is not `name SP 32 digits`, or the name holds
    /// control characters.
    #[must_use]
    pub fn parse(response: &'a [u8]) -> Option<Self> {
        let space = memchr::memrchr(b' ', response)?;
        let (name, digest) = response.split_at_checked(space)?;
        let digest = Digest::new(digest.get(1..)?).ok()?;
        (!name.is_empty() && !name.iter().any(u8::is_ascii_control)).then_some(Self { name, digest })
    }

    /// Whose maildrop.
    #[must_use]
    pub const fn name(&self) -> &'a [u8] {
        self.name
    }

    /// Whether the digest is that of the challenge and the password, in time that does not depend on where it differs.
    #[must_use]
    pub fn matches(&self, challenge: &[u8], password: &[u8]) -> bool {
        self.digest.as_bytes().ct_eq(&cram_digest(password, challenge)).into()
    }
}

fn cram_digest(password: &[u8], challenge: &[u8]) -> [u8; Digest::LENGTH] {
    match Hmac::<Md5>::new_from_slice(password) {
        Ok(mut hmac) => {
            hmac.update(challenge);
            hexadecimal(&hmac.finalize().into_bytes())
        }
        // HMAC takes keys of any length.
        Err(_) => [b'0'; Digest::LENGTH],
    }
}

fn hexadecimal(octets: &[u8]) -> [u8; Digest::LENGTH] {
    let mut digits = [b'0'; Digest::LENGTH];
    for (pair, octet) in digits.chunks_exact_mut(2).zip(octets) {
        for (digit, value) in pair.iter_mut().zip([octet >> 4, octet & 0x0F]) {
            *digit = b"0123456789abcdef".get(usize::from(value)).copied().unwrap_or(b'0');
        }
    }
    digits
}

const NO_DIGEST: &str = "00000000000000000000000000000000";
