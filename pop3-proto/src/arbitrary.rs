//! `Arbitrary` for the checked types: whatever comes out could have been built by their constructors.

use crate::capability::{Capability, Expiry, Mechanisms};
use crate::command::{Command, Digest, MAX_COMMAND, Mechanism, Name, Password};
use crate::event::{Event, Incoming, Login, Refusal};
use crate::listing::{DropListing, MessageNumber, ScanListing, UniqueId, UniqueIdListing};
use crate::reply::{Data, Greeting, LanguageListing, LanguageTag, Reply, ResponseCode, Status, StatusLine, Timestamp};
use crate::state::{Shape, Verb};
use crate::text::{Secret, Text};
use alloc::string::String;
use arbitrary::Error::IncorrectFormat;
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
        Self::new(if front.is_empty() { &b"x"[..] } else { front }).or(Err(IncorrectFormat))
    }
}

impl<'a> Arbitrary<'a> for DropListing {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { messages: u32::arbitrary(u)?, octets: Option::arbitrary(u)? })
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
        .or(Err(IncorrectFormat))
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
        match which {
            0 => Self::user(front).or_else(|_| Self::user("mrose")).or(Err(IncorrectFormat)),
            1 => Self::pass(front).or_else(|_| Self::pass("tan staaf")).or(Err(IncorrectFormat)),
            2 => Self::apop(front, DIGEST).or_else(|_| Self::apop("mrose", DIGEST)).or(Err(IncorrectFormat)),
            3 => match core::str::from_utf8(front) {
                Ok(mechanism) => Self::auth(mechanism).or_else(|_| Self::auth("PLAIN")).or(Err(IncorrectFormat)),
                Err(_) => Self::auth("PLAIN").or(Err(IncorrectFormat)),
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
                .or(Err(IncorrectFormat)),
        }
    }
}

impl<'a> Arbitrary<'a> for Name<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        match Command::user(line(u)?).or_else(|_| Command::user("mrose")) {
            Ok(Command::User(name)) => Ok(name),
            _ => Err(IncorrectFormat),
        }
    }
}

impl<'a> Arbitrary<'a> for Password<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        match Command::pass(line(u)?).or_else(|_| Command::pass("tan staaf")) {
            Ok(Command::Pass(password)) => Ok(password),
            _ => Err(IncorrectFormat),
        }
    }
}

impl<'a> Arbitrary<'a> for Mechanism {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let own = line(u)?;
        Self::new(own).or_else(|_| Self::new("SCRAM-SHA-256")).or(Err(IncorrectFormat))
    }
}

impl<'a> Arbitrary<'a> for Digest {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let mut digits = [b'0'; Self::LENGTH];
        for digit in &mut digits {
            *digit = *u.choose(b"0123456789abcdef")?;
        }
        Self::new(&digits).or(Err(IncorrectFormat))
    }
}

impl<'a> Arbitrary<'a> for LanguageTag<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let own = line(u)?;
        Self::new(own).or_else(|_| Self::new("*")).or(Err(IncorrectFormat))
    }
}

impl<'a> Arbitrary<'a> for LanguageListing<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(Self { tag: LanguageTag::arbitrary(u)?, description: Text::arbitrary(u)? })
    }
}

impl<'a> Arbitrary<'a> for Timestamp<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let own = line(u)?;
        Self::find(own).or_else(|| Self::find(b"<1896.697170952@host>")).ok_or(IncorrectFormat)
    }
}

impl<'a> Arbitrary<'a> for Data<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u8::arbitrary(u)? % 6 {
            0 => Self::Drop(DropListing::arbitrary(u)?),
            1 => Self::Scan(ScanListing::arbitrary(u)?),
            2 => Self::UniqueId(UniqueIdListing::arbitrary(u)?),
            3 => Self::Language(LanguageTag::arbitrary(u)?),
            4 => Self::Octets(u64::arbitrary(u)?),
            _ => Self::None,
        })
    }
}

impl<'a> Arbitrary<'a> for StatusLine<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let code = if bool::arbitrary(u)? { Some(ResponseCode::arbitrary(u)?) } else { None };
        Ok(Self { status: Status::arbitrary(u)?, code, text: Text::arbitrary(u)? })
    }
}

impl<'a> Arbitrary<'a> for Reply<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let text = <&str>::arbitrary(u)?;
        let reply = match Status::arbitrary(u)? {
            Status::Ok => Self::ok(text).or_else(|_| Self::ok("")),
            Status::Err => Self::err(text).or_else(|_| Self::err("")),
        };
        let reply = reply.or(Err(IncorrectFormat))?;
        Ok(if bool::arbitrary(u)? { reply.with_code(ResponseCode::arbitrary(u)?) } else { reply })
    }
}

impl<'a> Arbitrary<'a> for Greeting<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let text = <&str>::arbitrary(u)?;
        let greeting = Self::text(text).or_else(|_| Self::text("POP3 server ready"));
        let greeting = greeting.or(Err(IncorrectFormat))?;
        if bool::arbitrary(u)? {
            return greeting.with_timestamp("<a@b>").or(Err(IncorrectFormat));
        }
        Ok(greeting)
    }
}

impl<'a> Arbitrary<'a> for Login<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u8::arbitrary(u)? % 6 {
            0 => Self::Apop { name: Name::arbitrary(u)?, digest: Digest::arbitrary(u)? },
            1 => Self::ActAs {
                authorization: Name::arbitrary(u)?,
                name: Name::arbitrary(u)?,
                password: Password::arbitrary(u)?,
            },
            2 => Self::External { authorization: Option::arbitrary(u)? },
            3 => Self::Anonymous { trace: Text::arbitrary(u)? },
            4 => Self::Bearer { name: Option::arbitrary(u)?, token: Secret::arbitrary(u)? },
            _ => Self::Pass { name: Name::arbitrary(u)?, password: Password::arbitrary(u)? },
        })
    }
}

impl<'a> Arbitrary<'a> for Event<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let code = if bool::arbitrary(u)? { Some(ResponseCode::arbitrary(u)?) } else { None };
        Ok(match u8::arbitrary(u)? % 11 {
            0 => Self::Greeting { text: Text::arbitrary(u)?, timestamp: Option::arbitrary(u)? },
            1 => Self::Ok { to: Verb::arbitrary(u)?, code, text: Text::arbitrary(u)?, data: Data::arbitrary(u)? },
            2 => Self::Err { to: Verb::arbitrary(u)?, code, text: Text::arbitrary(u)? },
            3 => Self::Scan(ScanListing::arbitrary(u)?),
            4 => Self::UniqueId(UniqueIdListing::arbitrary(u)?),
            5 => Self::Capability(Capability::arbitrary(u)?),
            6 => Self::Language(LanguageListing::arbitrary(u)?),
            7 => Self::Line(Text::arbitrary(u)?),
            8 => Self::Body(<&[u8]>::arbitrary(u)?),
            9 => Self::End { of: Verb::arbitrary(u)? },
            _ => Self::Closing { code, text: Text::arbitrary(u)? },
        })
    }
}

impl<'a> Arbitrary<'a> for Incoming<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        Ok(match u8::arbitrary(u)? % 6 {
            0 => Self::Login(Login::arbitrary(u)?),
            1 => Self::Response(Secret::arbitrary(u)?),
            2 => Self::Cancelled,
            3 => Self::Update,
            4 => Self::Refused { verb: Verb::arbitrary(u)?, refusal: Refusal::State },
            _ => Self::Command(Command::arbitrary(u)?),
        })
    }
}

/// Octets of at most one command line.
fn line<'a>(u: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let octets = <&[u8]>::arbitrary(u)?;
    Ok(octets.get(..MAX_COMMAND).unwrap_or(octets))
}

const DIGEST: &str = "c4c9334bac560ecc979e58001b3e22fb";
