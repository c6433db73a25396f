//! Target 3: values from anywhere are refused, or give exactly one line that says what they say (P10-P12).
//!
//! The plan: an octet for what is built, two chunks, a number. Which of them counts depends on what is built.

use crate::finding::{ensure, same};
use crate::naive::command::{self, Tolerated, command_text, is_mechanism, is_name, is_tag};
use crate::naive::reply::{Status, status_line, timestamp};
use crate::naive::{is_control, is_visible, looks_like_base64, split, to_base64};
use crate::plan::{Octets, chunk, long_chunk, number, octet};
use crate::{Target, Verdict};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::{
    Client, Command, Config, Exchange, Greeting, LanguageTag, MessageNumber, Misuse, Peer, Reply, ResponseCode, Server,
    Shape, UniqueId, UniqueIdListing,
};
use std::sync::{Arc, LazyLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "command_build",
    check: |octets, _| {
        let plan = plan(octets);
        check(&plan, &mut Ours)?;
        beyond_ascii(&plan)
    },
    show: |octets| format!("{:#?}", plan(octets)),
};

/// Makes lines from values.
pub trait Builder {
    /// Appends the line with its CRLF. `None`: it is refused, and nothing was appended.
    fn build(&mut self, plan: &Plan<'_>, line: &mut Vec<u8>) -> Option<()>;

    /// Whether the builder can make such lines at all.
    fn makes(&self, what: What) -> bool {
        let _ = what;
        true
    }
}

/// What is built.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// `USER a`
    User,
    /// `PASS a`
    Pass,
    /// `APOP a b`
    Apop,
    /// `AUTH a`
    Auth,
    /// `AUTH a b`
    AuthWithInitial,
    /// `LIST n`
    List,
    /// `RETR n`
    Retr,
    /// `DELE n`
    Dele,
    /// `UIDL n`
    Uidl,
    /// `TOP n m`, where m is what is above the 32 bits of n
    Top,
    /// `LANG a`
    Lang,
    /// A command outside the RFCs: `a`
    Other,
    /// AUTH PLAIN with the name a and the password b, by a client that may send an initial response
    Plain,
    /// `+OK a`
    Ok,
    /// `-ERR a`
    Err,
    /// `-ERR [b] a`
    ErrWithCode,
    /// `+OK n b`, the answer to UIDL
    UniqueId,
    /// `+OK b a`, the answer to LANG
    Language,
    /// `+OK a b`, a greeting with a timestamp
    Greeting,
}

impl What {
    /// Every one.
    pub const ALL: [Self; 19] = [
        Self::User,
        Self::Pass,
        Self::Apop,
        Self::Auth,
        Self::AuthWithInitial,
        Self::List,
        Self::Retr,
        Self::Dele,
        Self::Uidl,
        Self::Top,
        Self::Lang,
        Self::Other,
        Self::Plain,
        Self::Ok,
        Self::Err,
        Self::ErrWithCode,
        Self::UniqueId,
        Self::Language,
        Self::Greeting,
    ];

    const fn is_command(self) -> bool {
        (self as usize) < Self::Ok as usize
    }
}

/// Values from anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// What is built of them.
    pub what: What,
    /// The number.
    pub number: u64,
    /// One value.
    pub b: Octets<'a>,
    /// Another, which may be long.
    pub a: Octets<'a>,
}

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let what = What::ALL[usize::from(octet(u)) % What::ALL.len()];
        Ok(Self { what, number: number(u), b: Octets(chunk(u)), a: Octets(long_chunk(u)) })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        what: What::User,
        number: 0,
        a: Octets(&[]),
        b: Octets(&[]),
    })
}

impl Plan<'_> {
    fn message(&self) -> u32 {
        self.number as u32
    }

    /// The line that says what the values say, if there is any that may be sent.
    fn expected(&self) -> Option<Vec<u8>> {
        let (a, b, n) = (self.a.0, self.b.0, self.message());
        let with = |keyword: &str, argument: &[u8]| [keyword.as_bytes(), b" ", argument].concat();
        let numbered = |keyword: &str| (n > 0).then(|| format!("{keyword} {n}").into_bytes());
        let text = match self.what {
            What::User => is_name(a, false).then(|| with("USER", a)),
            What::Pass => is_name(a, true).then(|| with("PASS", a)),
            What::Apop => (is_name(a, false) && command::is_digest(b)).then(|| with("APOP", &[a, b" ", b].concat())),
            What::Auth => is_mechanism(a).then(|| with("AUTH", &a.to_ascii_uppercase())),
            What::AuthWithInitial => {
                let sound = is_mechanism(a) && (b == b"=" || !b.is_empty() && looks_like_base64(b));
                sound.then(|| with("AUTH", &[&a.to_ascii_uppercase()[..], b" ", b].concat()))
            }
            What::List => numbered("LIST"),
            What::Retr => numbered("RETR"),
            What::Dele => numbered("DELE"),
            What::Uidl => numbered("UIDL"),
            What::Top => (n > 0).then(|| format!("TOP {n} {}", self.number >> 32).into_bytes()),
            What::Lang => is_tag(a).then(|| with("LANG", a)),
            What::Other => {
                let (keyword, arguments) = split(a, b' ');
                let unknown = !command::KEYWORDS.iter().any(|known| known.as_bytes().eq_ignore_ascii_case(keyword));
                let sound = !keyword.is_empty() && keyword.iter().all(|&octet| is_visible(octet));
                let arguments = arguments.is_none_or(|arguments| {
                    !arguments.is_empty() && arguments.iter().all(|&octet| is_visible(octet) || octet == b' ')
                });
                (unknown && sound && arguments).then(|| a.to_vec())
            }
            What::Plain => {
                let sound = |field: &[u8]| {
                    !field.is_empty()
                        && std::str::from_utf8(field).is_ok()
                        && !field.iter().any(|octet| matches!(octet, b'\r' | b'\n' | 0))
                };
                if !sound(a) || !sound(b) {
                    return None;
                }
                let line = with("AUTH PLAIN", &to_base64(&[b"\0", a, b"\0", b].concat()));
                return Some([if line.len() <= 253 { &line[..] } else { b"AUTH PLAIN" }, b"\r\n"].concat());
            }
            What::Ok => self.text().then(|| status("+OK", a)),
            What::Err => self.text().then(|| status("-ERR", a)),
            What::ErrWithCode => {
                let sound =
                    |level: &[u8]| !level.is_empty() && level.iter().all(|&octet| is_visible(octet) && octet != b']');
                let code = b.split(|&octet| octet == b'/').all(sound);
                let code = code && std::str::from_utf8(b).is_ok();
                (self.text() && code).then(|| {
                    let known = ["LOGIN-DELAY", "IN-USE", "SYS/TEMP", "SYS/PERM", "AUTH", "UTF8"];
                    let upper = b.to_ascii_uppercase();
                    let code = if known.iter().any(|known| known.as_bytes() == upper) { &upper } else { b };
                    status("-ERR", &[&b"["[..], code, b"]", if a.is_empty() { &b""[..] } else { b" " }, a].concat())
                })
            }
            What::UniqueId => {
                let sound = (1..=70).contains(&b.len()) && b.iter().all(|&octet| is_visible(octet));
                (n > 0 && sound).then(|| status("+OK", &[n.to_string().as_bytes(), b" ", b].concat()))
            }
            What::Language => (self.text() && is_tag(b))
                .then(|| status("+OK", &[b, if a.is_empty() { &b""[..] } else { b" " }, a].concat())),
            What::Greeting => {
                let whole = timestamp(b).is_some_and(|found| found == b);
                let plain = a.is_ascii() && !a.contains(&b'<') && !a.contains(&b'>');
                (self.text() && whole && plain)
                    .then(|| status("+OK", &[a, if a.is_empty() { &b""[..] } else { b" " }, b].concat()))
            }
        }?;
        Some([&text[..], b"\r\n"].concat())
    }

    /// The text of a reply: no control character, no `[` in front.
    fn text(&self) -> bool {
        let text = self.a.0;
        std::str::from_utf8(text).is_ok() && !text.iter().any(|&octet| is_control(octet)) && text.first() != Some(&b'[')
    }
}

fn status(indicator: &str, text: &[u8]) -> Vec<u8> {
    [indicator.as_bytes(), if text.is_empty() { &b""[..] } else { b" " }, text].concat()
}

/// Holds a builder to the promise.
///
/// # Errors
///
/// The finding.
pub fn check(plan: &Plan<'_>, builder: &mut impl Builder) -> Verdict {
    if !builder.makes(plan.what) {
        return Ok(());
    }
    let mut line = b"before".to_vec();
    let built = builder.build(plan, &mut line);
    let line = line.strip_prefix(b"before").unwrap_or_default();
    let expected = plan.expected();
    if built.is_none() {
        ensure!(line.is_empty(), "P10", "it is refused, and {:?} is written", Octets(line));
    } else {
        one_line(plan.what, line)?;
    }
    match (expected, built) {
        (None, Some(())) => ensure!(false, "P10, P11", "{plan:?} gives {:?}", Octets(line)),
        (None, None) => {}
        (Some(expected), Some(())) if expected.len() > 512 && !plan.what.is_command() => cut(plan, &expected, line)?,
        (Some(expected), Some(())) => same!(Octets(&expected), Octets(line), "P10, P11", "the line"),
        // RFC 2449 §4 for a command; what does not fit a status line is cut or refused.
        (Some(expected), None) => {
            let limit = if plan.what.is_command() { 255 } else { 512 };
            ensure!(expected.len() > limit, "P10, P11", "{:?} is refused", Octets(&expected));
        }
    }
    if built.is_some() && plan.what.is_command() {
        let text = line.strip_suffix(b"\r\n").unwrap_or_default();
        let back = command_text(text, Tolerated::default()).map(|command| command.line());
        same!(Some(Octets(line)), back.as_deref().map(Octets), "P10", "the line as it is read");
    }
    Ok(())
}

/// No CR, LF, NUL or other control character inside, CRLF at the end, and not too long.
fn one_line(what: What, line: &[u8]) -> Verdict {
    let text = line.strip_suffix(b"\r\n").unwrap_or_default();
    let (promise, limit) = if what.is_command() { ("P10", 255) } else { ("P11", 512) };
    ensure!(line.ends_with(b"\r\n") && !text.is_empty(), promise, "no line: {:?}", Octets(line));
    ensure!(!text.iter().any(|&octet| is_control(octet)), promise, "more than a line: {:?}", Octets(line));
    ensure!(line.len() <= limit, promise, "{} octets: {:?}", line.len(), Octets(line));
    ensure!(what.is_command() || status_line(text, false).is_some(), promise, "no status line: {:?}", Octets(line));
    Ok(())
}

/// Text that is too long is cut, and only that: the code, the numbers and the timestamp stay.
fn cut(plan: &Plan<'_>, expected: &[u8], line: &[u8]) -> Verdict {
    let text = line.strip_suffix(b"\r\n").unwrap_or_default();
    ensure!(std::str::from_utf8(text).is_ok(), "P11", "cut within a character: {:?}", Octets(line));
    if plan.what == What::Greeting {
        let (front, stamp) = text.split_at(text.len().saturating_sub(plan.b.0.len()));
        same!(plan.b, Octets(stamp), "P13, P23", "the timestamp of a greeting that is cut");
        ensure!(expected.starts_with(front.trim_ascii_end()), "P23", "cut to {:?}", Octets(line));
        return Ok(());
    }
    ensure!(expected.starts_with(text.trim_ascii_end()), "P23", "cut to {:?}", Octets(line));
    ensure!(line.len() > 512 - 4, "P23", "cut to {} octets", line.len());
    let (whole, shorter) = (status_line(expected.trim_ascii_end(), false), status_line(text, false));
    let of = |line: Option<crate::naive::reply::Reading>| line.map(|line| (line.status == Status::Ok, line.code));
    same!(of(whole), of(shorter), "P23", "the status and the code of a line that is cut");
    Ok(())
}

/// The constructors of `pop3-proto`.
#[derive(Clone, Copy, Debug)]
pub struct Ours;

impl Builder for Ours {
    fn build(&mut self, plan: &Plan<'_>, line: &mut Vec<u8>) -> Option<()> {
        built(plan, line).ok()
    }
}

fn built(plan: &Plan<'_>, line: &mut Vec<u8>) -> std::result::Result<(), Misuse> {
    let (a, b, n) = (plan.a.0, plan.b.0, plan.message());
    // What takes text takes nothing else; the type refuses it.
    let text = |octets| std::str::from_utf8(octets).map_err(|_| Misuse::NeedsLang);
    let command = match plan.what {
        What::User => Command::user(a)?,
        What::Pass => Command::pass(a)?,
        What::Apop => Command::apop(a, text(b)?)?,
        What::Auth => Command::auth(text(a)?)?,
        What::AuthWithInitial => Command::auth_with_initial(text(a)?, b)?,
        What::List => Command::list(n)?,
        What::Retr => Command::retr(n)?,
        What::Dele => Command::dele(n)?,
        What::Uidl => Command::uidl(n)?,
        What::Top => Command::top(n, plan.number >> 32)?,
        What::Lang => Command::lang(a)?,
        What::Other => Command::other(a, Shape::SingleLine)?,
        What::Plain => {
            let mut exchange = Exchange::plain("", text(a)?, text(b)?)?;
            let sent = logging_in(b"+OK\r\nSASL PLAIN\r\n.\r\n")?.authenticate(&mut exchange, line);
            return sent;
        }
        What::Ok => return reply(&Reply::ok(text(a)?)?, line),
        What::Err => return reply(&Reply::err(text(a)?)?, line),
        What::ErrWithCode => return reply(&Reply::err(text(a)?)?.with_code(ResponseCode::new(text(b)?)?), line),
        What::UniqueId => {
            let number = MessageNumber::try_from(n)?;
            return reply(&Reply::unique_id(UniqueIdListing { number, id: UniqueId::new(b)? })?, line);
        }
        What::Language => return reply(&Reply::language(LanguageTag::new(b)?, text(a)?)?, line),
        What::Greeting => {
            let greeting = Greeting::text(text(a)?)?.with_timestamp(text(b)?)?;
            let config = Config::new().allow_cleartext_login().allow_apop_md5();
            let _server = Server::new(config, greeting, line);
            return Ok(());
        }
    };
    command.encode(line);
    Ok(())
}

fn reply(reply: &Reply<'_>, line: &mut Vec<u8>) -> std::result::Result<(), Misuse> {
    reply.encode(line);
    Ok(())
}

/// A name beyond ASCII is for servers that announced `UTF8 USER` (RFC 6856 §2.2), whatever else they announced.
fn beyond_ascii(plan: &Plan<'_>) -> Verdict {
    let name = plan.a.0;
    if plan.what != What::User || name.is_ascii() {
        return Ok(());
    }
    let Ok(user) = Command::user(name) else { return Ok(()) };
    let may = |list: &[u8]| logging_in(list).and_then(|client| client.may_send(&user));
    same!(Ok(()), may(b"+OK\r\nUTF8 USER\r\n.\r\n"), "P29", "whether the name may be sent with UTF8 USER");
    same!(Err(Misuse::NeedsUtf8User), may(b"+OK\r\nUTF8\r\n.\r\n"), "P29", "whether it may be sent with UTF8 alone");
    Ok(())
}

/// A client on TLS whose server gave that capability list.
fn logging_in(list: &[u8]) -> std::result::Result<Client, Misuse> {
    static CONFIG: LazyLock<Arc<Config>> = LazyLock::new(|| Arc::new(Config::new()));
    let mut client = Client::over_tls(Arc::clone(&CONFIG), Peer::Verified);
    let mut hear = |mut octets: &[u8]| while matches!(client.next_event(&mut octets), Ok(Some(_))) {};
    hear(b"+OK\r\n");
    client.send(&Command::Capa, &mut vec![])?;
    let mut hear = |mut octets: &[u8]| while matches!(client.next_event(&mut octets), Ok(Some(_))) {};
    hear(list);
    Ok(client)
}
