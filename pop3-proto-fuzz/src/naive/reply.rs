//! Responses (RFC 1939, 2449, 3206, 5034, 6856), naively.

use super::command::is_tag;
use super::{Parsed, digits, is_control, is_visible, line, looks_like_base64, message_number, split};

/// Which response is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Production {
    /// A status line alone.
    StatusLine,
    /// The answer to LIST.
    ScanListing,
    /// The answer to UIDL.
    UniqueIdListing,
    /// The answer to CAPA.
    CapabilityList,
    /// The answer to RETR or TOP.
    Message,
    /// The greeting.
    Greeting,
    /// The answer to STAT.
    DropListing,
    /// What may come in a SASL exchange.
    Challenge,
    /// The answer to `LIST 1`.
    OneScanListing,
    /// The answer to `UIDL 1`.
    OneUniqueIdListing,
    /// The answer to `LANG tag`.
    Language,
    /// The answer to LANG.
    LanguageListing,
}

impl Production {
    /// Every one.
    pub const ALL: [Self; 12] = [
        Self::StatusLine,
        Self::ScanListing,
        Self::UniqueIdListing,
        Self::CapabilityList,
        Self::Message,
        Self::Greeting,
        Self::DropListing,
        Self::Challenge,
        Self::OneScanListing,
        Self::OneUniqueIdListing,
        Self::Language,
        Self::LanguageListing,
    ];

    /// Whether lines follow a `+OK`.
    #[must_use]
    pub const fn has_rows(self) -> bool {
        matches!(self, Self::ScanListing | Self::UniqueIdListing | Self::CapabilityList | Self::LanguageListing)
    }
}

/// A response that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reading {
    /// `+OK`, `-ERR`, or the `+` of a challenge.
    pub status: Status,
    /// The response code without brackets, in upper case if it is one that an RFC defines.
    pub code: Option<Vec<u8>>,
    /// What is behind it.
    pub text: Vec<u8>,
    /// What the `+OK` carries, or the rows behind it.
    pub rows: Vec<Row>,
    /// Message text.
    pub message: Option<Vec<u8>>,
}

/// The status indicator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// `+OK`
    Ok,
    /// `-ERR`
    Err,
    /// `+`
    Challenge,
}

/// A line of a listing, or what a single line carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Row {
    /// Messages and octets; no octets if they were negative.
    Drop(u32, Option<u64>),
    /// A message and its octets.
    Scan(u32, u64),
    /// A message and its unique-id.
    UniqueId(u32, Vec<u8>),
    /// A capability as it is written again.
    Capability(Vec<u8>),
    /// A tag and a description.
    Language(Vec<u8>, Vec<u8>),
    /// The tag of the language now in use.
    Tag(Vec<u8>),
    /// The timestamp of a greeting.
    Timestamp(Vec<u8>),
    /// A row that makes no sense.
    Bad,
}

const CODES: [&str; 6] = ["LOGIN-DELAY", "IN-USE", "SYS/TEMP", "SYS/PERM", "AUTH", "UTF8"];

/// The most octets of a status line (RFC 1939 §3), and of one that a tolerant client takes.
pub const LIMIT: [usize; 2] = [512, 8192];

/// The most octets of a line in a SASL exchange.
pub const SASL_LIMIT: usize = 65536;

/// The response at the front of the octets.
pub fn response(octets: &[u8], production: Production, tolerant: bool) -> Parsed<Reading> {
    let limit = LIMIT[usize::from(tolerant)];
    if production == Production::Greeting && matches!(octets.first(), Some(0x15 | 0x16)) {
        return Parsed::Refused; // a TLS record
    }
    let first_limit = if production == Production::Challenge { SASL_LIMIT } else { limit };
    let (text, crlf, mut took) = match line(octets, true, first_limit) {
        Parsed::Taken((text, crlf), took) => (text, crlf, took),
        Parsed::Refused => return Parsed::Refused,
        Parsed::Incomplete => return Parsed::Incomplete,
    };
    if !crlf && !tolerant {
        return Parsed::Refused;
    }
    if production == Production::Challenge && text.starts_with(b"+") && !text.starts_with(b"+OK") {
        return match challenge(text, tolerant) {
            Some(text) => {
                let text = text.to_vec();
                Parsed::Taken(
                    Reading { status: Status::Challenge, code: None, text, rows: vec![], message: None },
                    took,
                )
            }
            None => Parsed::Refused,
        };
    }
    if text.len() + 2 > limit && production == Production::Challenge {
        return Parsed::Refused;
    }
    let Some(mut reading) = status_line(text, tolerant) else { return Parsed::Refused };
    if production == Production::Greeting {
        if reading.status == Status::Err {
            return Parsed::Refused;
        }
        // A greeting has no response code: what is in brackets belongs to the text.
        reading.code = None;
        reading.text = text.get(4..).unwrap_or_default().to_vec();
        reading.rows.extend(timestamp(&reading.text).map(Row::Timestamp));
        return Parsed::Taken(reading, took);
    }
    if reading.status == Status::Err {
        return Parsed::Taken(reading, took);
    }
    let carried = carried(&reading.text, production, tolerant, 1);
    reading.rows.extend(carried);
    if production == Production::Message {
        let unstuffed = super::dot::unstuff(&octets[took..], !crlf);
        let Some(end) = unstuffed.end else { return Parsed::Incomplete };
        reading.message = Some(unstuffed.text);
        return Parsed::Taken(reading, took + end);
    }
    while production.has_rows() {
        let text = match line(&octets[took..], !crlf, limit) {
            Parsed::Taken((text, _), more) => {
                took += more;
                text
            }
            Parsed::Refused => return Parsed::Refused,
            Parsed::Incomplete => return Parsed::Incomplete,
        };
        if text == b"." {
            break;
        }
        reading.rows.push(row(text, production, tolerant));
    }
    Parsed::Taken(reading, took)
}

/// What the text behind a `+OK` carries, if the production is a single line that carries something. What was asked about
/// one message and is answered about another makes no sense.
pub fn carried(text: &[u8], production: Production, tolerant: bool, number: u32) -> Option<Row> {
    let about = |row: Row| match row {
        Row::Scan(other, _) | Row::UniqueId(other, _) if other != number => Row::Bad,
        row => row,
    };
    match production {
        Production::DropListing => Some(drop_listing(text, tolerant)),
        Production::OneScanListing => Some(about(scan_listing(text, tolerant))),
        Production::OneUniqueIdListing => Some(about(unique_id_listing(text, tolerant))),
        Production::Language => Some(language(text)),
        _ => None,
    }
}

/// A row, its stuffing not removed yet.
pub fn row(text: &[u8], production: Production, tolerant: bool) -> Row {
    let text = if text.first() == Some(&b'.') { &text[1..] } else { text };
    match production {
        Production::ScanListing => scan_listing(text, tolerant),
        Production::UniqueIdListing => unique_id_listing(text, tolerant),
        Production::CapabilityList => capability(text),
        _ => language_listing(text),
    }
}

/// A status line without its ending.
pub fn status_line(line: &[u8], tolerant: bool) -> Option<Reading> {
    let (status, behind) = if line.len() >= 3 && &line[..3] == b"+OK" {
        (Status::Ok, &line[3..])
    } else if line.len() >= 4 && &line[..4] == b"-ERR" {
        (Status::Err, &line[4..])
    } else {
        return None;
    };
    let text = match behind.first() {
        None => behind,
        Some(b' ') => &behind[1..],
        Some(b'\t') if tolerant => &behind[1..],
        Some(_) => return None,
    };
    let (code, text) = match response_code(text) {
        Some((code, [b' ', text @ ..])) => (Some(code), text),
        Some((code, text)) => (Some(code), text),
        None => (None, text),
    };
    Some(Reading { status, code, text: text.to_vec(), rows: vec![], message: None })
}

fn response_code(text: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    if text.first() != Some(&b'[') {
        return None;
    }
    let (code, behind) = split(&text[1..], b']');
    let sound = |level: &[u8]| !level.is_empty() && level.iter().all(|&octet| is_visible(octet));
    if behind.is_none() || !code.split(|&octet| octet == b'/').all(sound) {
        return None;
    }
    let upper = code.to_ascii_uppercase();
    let known = CODES.iter().any(|known| known.as_bytes() == upper);
    Some((if known { upper } else { code.to_vec() }, behind?))
}

/// What a challenge says. Text that is no base64 is a challenge to cancel; a tolerant reader needs no space before what is.
pub(super) fn challenge(line: &[u8], tolerant: bool) -> Option<&[u8]> {
    match line {
        [b'+', b' ', text @ ..] => Some(text),
        [b'+', text @ ..] => (tolerant && (text.is_empty() || looks_like_base64(text))).then_some(text),
        _ => None,
    }
}

/// The one timestamp of a greeting: from the only `<` to the only `>`, visible, with one `@` that has something on
/// either side.
pub fn timestamp(text: &[u8]) -> Option<Vec<u8>> {
    let count = |sought: u8| text.iter().filter(|&&octet| octet == sought).count();
    if count(b'<') != 1 || count(b'>') != 1 {
        return None;
    }
    let (_, behind) = split(text, b'<');
    let (inner, close) = split(behind?, b'>');
    close?;
    let (local, domain) = split(inner, b'@');
    let domain = domain?;
    let sound = |part: &[u8]| !part.is_empty() && part.iter().all(|&octet| is_visible(octet) && octet != b'@');
    (sound(local) && sound(domain)).then(|| [b"<", inner, b">"].concat())
}

/// A single space, or in front of a tolerant reader more of them.
fn space(text: &[u8], tolerant: bool) -> Option<&[u8]> {
    let mut text = text.strip_prefix(b" ")?;
    while text.first() == Some(&b' ') {
        if !tolerant {
            return None;
        }
        text = &text[1..];
    }
    Some(text)
}

/// A tolerant reader skips spaces before a number.
fn leading(text: &[u8], tolerant: bool) -> &[u8] {
    let spaces = text.iter().take_while(|&&octet| octet == b' ').count();
    if tolerant { &text[spaces..] } else { text }
}

fn drop_listing(text: &[u8], tolerant: bool) -> Row {
    let read = || {
        let (Some(messages), behind) = digits(leading(text, tolerant))? else { return None };
        let messages = u32::try_from(messages).ok()?;
        let behind = space(behind, tolerant)?;
        if let (Some(b'-'), true) = (behind.first(), tolerant) {
            let (Some(_), behind) = digits(&behind[1..])? else { return None };
            return ends(behind).then_some(Row::Drop(messages, None));
        }
        let (Some(octets), behind) = digits(behind)? else { return None };
        ends(behind).then_some(Row::Drop(messages, Some(octets)))
    };
    read().unwrap_or(Row::Bad)
}

fn scan_listing(text: &[u8], tolerant: bool) -> Row {
    let read = || {
        let (number, behind) = numbered(text, tolerant)?;
        let (Some(octets), behind) = digits(behind)? else { return None };
        ends(behind).then_some(Row::Scan(number, octets))
    };
    read().unwrap_or(Row::Bad)
}

fn unique_id_listing(text: &[u8], tolerant: bool) -> Row {
    let read = || {
        let (number, id) = numbered(text, tolerant)?;
        let conforms = id.len() <= 70 && id.iter().all(|&octet| is_visible(octet));
        let bearable = !id.is_empty() && !id.iter().any(|&octet| is_control(octet)) && (conforms || tolerant);
        bearable.then(|| Row::UniqueId(number, id.to_vec()))
    };
    read().unwrap_or(Row::Bad)
}

fn numbered(text: &[u8], tolerant: bool) -> Option<(u32, &[u8])> {
    let text = leading(text, tolerant);
    let (Some(_), behind) = digits(text)? else { return None };
    let number = message_number(&text[..text.len() - behind.len()])?;
    Some((number, space(behind, tolerant)?))
}

/// Nothing, or a space and whatever the server adds, if it ends no line for anybody.
fn ends(text: &[u8]) -> bool {
    matches!(text.first(), None | Some(b' ')) && is_one_line(text)
}

fn is_one_line(text: &[u8]) -> bool {
    !text.iter().any(|octet| b"\r\n\0".contains(octet))
}

fn language(text: &[u8]) -> Row {
    let (tag, _) = split(text, b' ');
    if is_tag(tag) { Row::Tag(tag.to_vec()) } else { Row::Bad }
}

fn language_listing(text: &[u8]) -> Row {
    match split(text, b' ') {
        (tag, Some(description)) if is_tag(tag) && is_one_line(description) => {
            Row::Language(tag.to_vec(), description.to_vec())
        }
        _ => Row::Bad,
    }
}

/// A capability: its tag in upper case and its arguments in their usual form if it is a known one with arguments that
/// it takes; else as it came, but for a space at the end of a lone tag.
pub fn capability(text: &[u8]) -> Row {
    if text.iter().any(|&octet| is_control(octet)) || text.starts_with(b"-ERR") {
        return Row::Bad;
    }
    let (tag, arguments) = split(text, b' ');
    if tag.is_empty() {
        return Row::Bad;
    }
    let arguments = arguments.unwrap_or_default();
    let upper = tag.to_ascii_uppercase();
    let known = match &upper[..] {
        b"TOP" | b"USER" | b"RESP-CODES" | b"AUTH-RESP-CODE" | b"PIPELINING" | b"UIDL" | b"STLS" | b"LANG" => {
            arguments.iter().all(|&octet| octet == b' ').then(Vec::new)
        }
        b"UTF8" if arguments.is_empty() => Some(vec![]),
        b"UTF8" => arguments.eq_ignore_ascii_case(b"USER").then(|| b" USER".to_vec()),
        b"SASL" => Some(arguments.split(|&octet| octet == b' ').filter(|name| !name.is_empty()).fold(
            vec![],
            |mut all, name| {
                all.push(b' ');
                all.extend_from_slice(name);
                all
            },
        )),
        b"IMPLEMENTATION" => Some([b" ", arguments].concat()),
        b"LOGIN-DELAY" => per_user(arguments, false),
        b"EXPIRE" => per_user(arguments, true),
        _ => None,
    };
    Row::Capability(match known {
        Some(arguments) => [upper, arguments].concat(),
        None if arguments.is_empty() => tag.to_vec(),
        None => text.to_vec(),
    })
}

/// A number of 32 bits, or NEVER, and perhaps USER.
fn per_user(arguments: &[u8], never: bool) -> Option<Vec<u8>> {
    let (value, user) = split(arguments, b' ');
    let value = match digits(value) {
        Some((Some(number), [])) => u32::try_from(number).ok()?.to_string(),
        None if never && value.eq_ignore_ascii_case(b"NEVER") => "NEVER".into(),
        _ => return None,
    };
    match user {
        None => Some(format!(" {value}").into_bytes()),
        Some(user) if user.eq_ignore_ascii_case(b"USER") => Some(format!(" {value} USER").into_bytes()),
        Some(_) => None,
    }
}
