//! Commands (RFC 1939, 2449, 2595, 5034, 6856), naively.

use super::{Parsed, digits, is_control, is_visible, line, looks_like_base64, message_number, split};

/// What a parser may let pass although the RFCs do not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tolerated {
    /// A command that ends in a bare LF.
    pub bare_lf: bool,
    /// Spaces at the end, but for PASS.
    pub trailing_spaces: bool,
    /// Spaces in the name of USER.
    pub spaces_in_name: bool,
}

/// The most octets of a command line that a server need take.
pub const LIMIT: usize = 512;

/// Every keyword that the RFCs in scope define.
pub const KEYWORDS: [&str; 17] = [
    "USER", "PASS", "APOP", "AUTH", "STLS", "UTF8", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL",
    "CAPA", "LANG", "QUIT",
];

/// A command that was read: its keyword in upper case (as it came, if it is not known), and its arguments as they are
/// written again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    /// In upper case if it is one of [`KEYWORDS`].
    pub keyword: Vec<u8>,
    /// Numbers without leading zeros, mechanisms in upper case. For an unknown keyword, all that is behind the space.
    pub arguments: Vec<Vec<u8>>,
}

impl Command {
    /// The line, with CRLF.
    #[must_use]
    pub fn line(&self) -> Vec<u8> {
        let mut line = self.keyword.clone();
        for argument in &self.arguments {
            line.push(b' ');
            line.extend_from_slice(argument);
        }
        line.extend_from_slice(b"\r\n");
        line
    }

    /// The first argument as a message-number.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.arguments.first().and_then(|argument| message_number(argument))
    }
}

/// The command at the front of the octets.
pub fn command(octets: &[u8], tolerated: Tolerated) -> Parsed<Command> {
    match line(octets, tolerated.bare_lf, LIMIT) {
        Parsed::Taken((text, _), took) => match command_text(text, tolerated) {
            Some(command) => Parsed::Taken(command, took),
            None => Parsed::Refused,
        },
        Parsed::Refused => Parsed::Refused,
        Parsed::Incomplete => Parsed::Incomplete,
    }
}

/// A command without its line ending.
pub fn command_text(text: &[u8], tolerated: Tolerated) -> Option<Command> {
    if text.iter().any(|&octet| is_control(octet)) {
        return None;
    }
    let (word, mut behind) = split(text, b' ');
    if word.is_empty() || !word.iter().all(|&octet| is_visible(octet)) {
        return None;
    }
    let upper = word.to_ascii_uppercase();
    let known = KEYWORDS.iter().any(|keyword| keyword.as_bytes() == upper);
    if tolerated.trailing_spaces && upper != b"PASS" {
        if let Some(arguments) = behind {
            let mut end = arguments.len();
            while end > 0 && arguments[end - 1] == b' ' {
                end -= 1;
            }
            behind = if end == 0 { None } else { Some(&arguments[..end]) };
        }
    }
    if !known {
        let arguments = behind.filter(|arguments| !arguments.is_empty());
        if !arguments.is_none_or(<[u8]>::is_ascii) {
            return None;
        }
        return Some(Command {
            keyword: word.to_vec(),
            arguments: arguments.map(<[u8]>::to_vec).into_iter().collect(),
        });
    }
    let arguments = match (&upper[..], behind) {
        (b"STLS" | b"UTF8" | b"STAT" | b"NOOP" | b"RSET" | b"CAPA" | b"QUIT", None) => vec![],
        (b"LIST" | b"UIDL" | b"LANG", None) => vec![],
        (b"LIST" | b"UIDL" | b"RETR" | b"DELE", Some(number)) => vec![written(message_number(number)?.into())],
        (b"TOP", Some(numbers)) => {
            let (number, lines) = split(numbers, b' ');
            let (lines, []) = digits(lines?)? else { return None };
            vec![written(message_number(number)?.into()), written(lines.unwrap_or(u64::MAX))]
        }
        (b"LANG", Some(tag)) if is_tag(tag) => vec![tag.to_vec()],
        (b"USER", Some(name)) if is_name(name, tolerated.spaces_in_name) => vec![name.to_vec()],
        (b"PASS", Some(string)) if is_name(string, true) => vec![string.to_vec()],
        (b"APOP", Some(arguments)) => {
            let (name, Some(digest)) = split(arguments, b' ') else { return None };
            if !is_name(name, false) || !is_digest(digest) {
                return None;
            }
            vec![name.to_vec(), digest.to_vec()]
        }
        (b"AUTH", Some(arguments)) => {
            let (mechanism, initial) = split(arguments, b' ');
            if !is_mechanism(mechanism) || !initial.is_none_or(|text| text == b"=" || looks_like_base64_here(text)) {
                return None;
            }
            [Some(mechanism.to_ascii_uppercase()), initial.map(<[u8]>::to_vec)].into_iter().flatten().collect()
        }
        _ => return None,
    };
    Some(Command { keyword: upper, arguments })
}

/// A name, or where spaces are allowed a password: no control character, UTF-8.
pub fn is_name(octets: &[u8], spaces: bool) -> bool {
    !octets.is_empty()
        && octets.iter().all(|&octet| !is_control(octet) && (spaces || octet != b' '))
        && std::str::from_utf8(octets).is_ok()
}

/// 32 hexadecimal digits in lower case (RFC 1939 §7).
pub fn is_digest(octets: &[u8]) -> bool {
    octets.len() == 32 && octets.iter().all(|octet| matches!(octet, b'0'..=b'9' | b'a'..=b'f'))
}

/// A language tag, or `*`.
pub fn is_tag(octets: &[u8]) -> bool {
    let of_tag = |octet: &u8| octet.is_ascii_alphanumeric() || *octet == b'-';
    octets == b"*" || !octets.is_empty() && octets.len() <= 64 && octets.iter().all(of_tag)
}

/// The name of a SASL mechanism (RFC 4422 §3.1), in whatever case.
pub fn is_mechanism(octets: &[u8]) -> bool {
    let of_name = |octet: &u8| octet.is_ascii_alphanumeric() || matches!(octet, b'-' | b'_');
    !octets.is_empty() && octets.len() <= 20 && octets.iter().all(of_name)
}

fn looks_like_base64_here(text: &[u8]) -> bool {
    !text.is_empty() && looks_like_base64(text)
}

fn written(number: u64) -> Vec<u8> {
    number.to_string().into_bytes()
}
