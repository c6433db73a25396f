//! The greeting, and its timestamp (RFC 1939 §4 and §7).

use super::{Reply, check_text, cut};
use crate::error::Misuse;
use crate::text::{Carried, Text};
use alloc::vec::Vec;
use core::fmt;

/// What a server says first: `+OK text [timestamp]` (RFC 1939 §4).
///
/// ```
/// use pop3_proto::Greeting;
///
/// let plain = Greeting::text("POP3 server ready")?;
/// let for_apop = plain.with_timestamp("<1896.697170952@dbc.mtview.ca.us>")?;
/// # let _ = for_apop;
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Greeting<'a> {
    pub(crate) text: &'a str,
    pub(crate) timestamp: Option<Timestamp<'a>>,
}

impl<'a> Greeting<'a> {
    /// A greeting without a timestamp.
    ///
    /// # Errors
    ///
    /// As [`Reply::ok`]; a `<` or `>` in the text is [`Misuse::ForbiddenOctet`], for it could be taken for part of a
    /// timestamp; so is what is beyond ASCII, for no language was agreed on yet.
    pub fn text(text: &'a str) -> Result<Self, Misuse> {
        check_text(text)?;
        if let Some(octet) = text.bytes().find(|octet| matches!(octet, b'<' | b'>') || !octet.is_ascii()) {
            return Err(Misuse::ForbiddenOctet { octet });
        }
        Ok(Self { text, timestamp: None })
    }

    /// The same greeting with the timestamp that announces APOP. It must be a new one in every session.
    ///
    /// # Errors
    ///
    /// [`Misuse::Timestamp`] unless it is `<` local `@` domain `>` in visible ASCII without inner brackets, of at most 255
    /// octets.
    pub fn with_timestamp(mut self, timestamp: &'a str) -> Result<Self, Misuse> {
        let parsed = Timestamp::whole(timestamp.as_bytes()).filter(|_| timestamp.len() <= 255);
        self.timestamp = Some(parsed.ok_or(Misuse::Timestamp)?);
        Ok(self)
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"+OK");
        let timestamp = self.timestamp.as_ref().map(Timestamp::as_bytes);
        if !self.text.is_empty() {
            let taken = timestamp.map_or(0, |octets| octets.len().saturating_add(1));
            out.push(b' ');
            out.extend_from_slice(cut(self.text, Reply::MAX.saturating_sub(6).saturating_sub(taken)).as_bytes());
        }
        if let Some(timestamp) = timestamp {
            out.push(b' ');
            out.extend_from_slice(timestamp);
        }
        out.extend_from_slice(b"\r\n");
    }
}

/// The timestamp of a greeting, for APOP (RFC 1939 §7): a msg-id with its angle brackets.
///
/// Only `<` 1\*VCHAR `@` 1\*VCHAR `>` without inner brackets is one, and only if it is the sole one in the greeting:
/// what is looser lets an attacker choose the octets that are hashed (RFC 6151 §2.1).
///
/// ```
/// use pop3_proto::Timestamp;
///
/// let timestamp = Timestamp::find(b"POP3 server ready <1896.697170952@dbc.mtview.ca.us>").unwrap();
/// assert_eq!(timestamp.as_bytes(), b"<1896.697170952@dbc.mtview.ca.us>");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Timestamp<'a>(Text<'a>);

impl<'a> Timestamp<'a> {
    /// The timestamp in the text of a greeting, if there is exactly one.
    ///
    /// ```
    /// use pop3_proto::Timestamp;
    ///
    /// assert!(Timestamp::find(b"POP3 server ready <1896.697170952@dbc.mtview.ca.us>").is_some());
    /// assert!(Timestamp::find(b"ready <a@b> <c@d>").is_none());
    /// assert!(Timestamp::find(b"ready <no-at-sign>").is_none());
    /// ```
    #[must_use]
    pub fn find(text: &'a [u8]) -> Option<Self> {
        let open = memchr::memchr(b'<', text)?;
        let close = memchr::memchr(b'>', text)?;
        let lone = memchr::memrchr(b'<', text) == Some(open) && memchr::memrchr(b'>', text) == Some(close);
        if !lone {
            return None;
        }
        Self::whole(text.get(open..=close)?)
    }

    fn whole(octets: &'a [u8]) -> Option<Self> {
        let inner = octets.strip_prefix(b"<")?.strip_suffix(b">")?;
        let visible = inner.iter().all(|octet| octet.is_ascii_graphic() && !matches!(octet, b'<' | b'>'));
        let at = memchr::memchr(b'@', inner)?;
        let both_sides = at > 0 && inner.len() > at.saturating_add(1);
        let one_at = memchr::memrchr(b'@', inner) == Some(at);
        (visible && both_sides && one_at).then(|| Self(Text::from(octets)))
    }

    /// The octets with their angle brackets, as they are hashed.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }

    /// The same timestamp without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Timestamp<'static> {
        Timestamp(self.0.into_owned())
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> Timestamp<'static> {
        Timestamp(self.0.out_of(line))
    }
}

impl fmt::Display for Timestamp<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}
