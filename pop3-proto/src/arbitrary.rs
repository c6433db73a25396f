//! `Arbitrary` for the checked types: whatever comes out could have been built by their constructors.

use crate::capability::{Capability, Expiry, Mechanisms};
use crate::command::{Command, MAX_COMMAND};
use crate::listing::{DropListing, MessageNumber, ScanListing, UniqueId, UniqueIdListing};
use crate::reply::ResponseCode;
use crate::state::Shape;
use crate::text::{Secret, Text};
use alloc::string::String;
use arbitrary::{Arbitrary, Result, Unstructured};

impl<'a> Arbitrary<'a> for Text<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let octets = <&[u8]>::arbitrary(u)?;
        let line = octets.split(|octet| matches!(octet, b'\r' | b'\n')).next().unwrap_or_default();
        Ok(Self::from(line))
    }
}

impl<'a> Arbitrary<'a> for Secret<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        <&[u8]>::arbitrary(u).map(Self::from)
    }
}

impl<'a> Arbitrary<'a> for MessageNumber {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self::new(u32::arbitrary(u)?).unwrap_or(Self::FIRST))
    }
}

impl<'a> Arbitrary<'a> for UniqueId<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let octets = <&[u8]>::arbitrary(u)?;
        let front = octets.split(|octet| !octet.is_ascii_graphic()).next().unwrap_or_default();
        let front = front.get(..Self::MAX).unwrap_or(front);
        Self::new(if front.is_empty() { &b"x"[..] } else { front }).map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for DropListing {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { messages: u32::arbitrary(u)?, octets: Some(u64::arbitrary(u)?) })
    }
}

impl<'a> Arbitrary<'a> for ScanListing {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { number: MessageNumber::arbitrary(u)?, octets: u64::arbitrary(u)? })
    }
}

impl<'a> Arbitrary<'a> for UniqueIdListing<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { number: MessageNumber::arbitrary(u)?, id: UniqueId::arbitrary(u)? })
    }
}

impl<'a> Arbitrary<'a> for ResponseCode<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let known = ["LOGIN-DELAY", "IN-USE", "SYS/TEMP", "SYS/PERM", "AUTH", "UTF8"];
        match known.get(usize::from(u8::arbitrary(u)? % 8)) {
            Some(code) => Self::new(code),
            None => Self::new(<&str>::arbitrary(u)?),
        }
        .or_else(|_| Self::new("X-OTHER"))
        .map_err(|_| arbitrary::Error::IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for Capability<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u8::arbitrary(u)? % 15 {
            0 => Self::Top,
            1 => Self::User,
            2 => Self::Sasl(Mechanisms(Text::from(*u.choose(&["", "PLAIN", "PLAIN CRAM-MD5 SCRAM-SHA-256"])?))),
            3 => Self::RespCodes,
            4 => Self::AuthRespCode,
            5 => Self::LoginDelay { seconds: u32::arbitrary(u)?, per_user: bool::arbitrary(u)? },
            6 => Self::Pipelining,
            7 => Self::Expire { after: Expiry::Days(u32::arbitrary(u)?), per_user: bool::arbitrary(u)? },
            8 => Self::Expire { after: Expiry::Never, per_user: bool::arbitrary(u)? },
            9 => Self::Uidl,
            10 => Self::Stls,
            11 => Self::Utf8 { user: bool::arbitrary(u)? },
            12 => Self::Lang,
            13 => Self::Implementation(Text::from("Shlemazle-Plotz-v302")),
            _ => {
                let word: String = <&str>::arbitrary(u)?.chars().filter(char::is_ascii_graphic).take(64).collect();
                Self::Other { tag: Text::from(["X-", &word].concat().into_bytes()), arguments: Text::default() }
            }
        })
    }
}

impl<'a> Arbitrary<'a> for Command<'a> {
    /// Arguments are whatever octets are there; where the constructor refuses them, a plain value takes their place.
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let number = MessageNumber::arbitrary(u)?;
        let optional = bool::arbitrary(u)?.then_some(number);
        let which = u8::arbitrary(u)? % 18;
        let octets = <&[u8]>::arbitrary(u)?;
        let front = octets.get(..MAX_COMMAND).unwrap_or(octets);
        let fallback = |_| arbitrary::Error::IncorrectFormat;
        match which {
            0 => Self::user(front).or_else(|_| Self::user("mrose")).map_err(fallback),
            1 => Self::pass(front).or_else(|_| Self::pass("tan staaf")).map_err(fallback),
            2 => Self::apop(front, DIGEST).or_else(|_| Self::apop("mrose", DIGEST)).map_err(fallback),
            3 => match core::str::from_utf8(front) {
                Ok(mechanism) => Self::auth(mechanism).or_else(|_| Self::auth("PLAIN")).map_err(fallback),
                Err(_) => Self::auth("PLAIN").map_err(fallback),
            },
            4 => Ok(Self::Stls),
            5 => Ok(Self::Utf8),
            6 => Ok(Self::Stat),
            7 => Ok(Self::List(optional)),
            8 => Ok(Self::Retr(number)),
            9 => Ok(Self::Dele(number)),
            10 => Ok(Self::Noop),
            11 => Ok(Self::Rset),
            12 => Ok(Self::Top { number, lines: u64::arbitrary(u)? }),
            13 => Ok(Self::Uidl(optional)),
            14 => Ok(Self::Capa),
            15 => Self::lang(front).or(Ok(Self::Lang(None))),
            16 => Ok(Self::Quit),
            _ => Self::other(front, Shape::SingleLine)
                .or_else(|_| Self::other("XTND XMIT", Shape::SingleLine))
                .map_err(fallback),
        }
    }
}

const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";
