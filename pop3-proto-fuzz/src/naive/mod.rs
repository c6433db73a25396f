//! POP3 read an octet at a time, by code that is slow and obviously right, and knows nothing of `pop3-proto`.

pub mod command;
pub mod dot;
pub mod reply;
pub mod sasl;
pub mod server;
pub mod session;

/// What a parser makes of the octets at the front of a buffer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Parsed<T> {
    /// The line, or the response, does not end in the buffer.
    Incomplete,
    /// It is not what it should be.
    Refused,
    /// It is, and took that many octets.
    Taken(T, usize),
}

/// The line at the front: its text, whether it ended in CRLF, and how many octets it took. With `bare_lf` the first LF
/// ends it, else the first CRLF. No line is longer than `limit`.
pub fn line(octets: &[u8], bare_lf: bool, limit: usize) -> Parsed<(&[u8], bool)> {
    let mut at = 0;
    while at < octets.len() && at < limit {
        if octets[at] == b'\n' {
            if at > 0 && octets[at - 1] == b'\r' {
                return Parsed::Taken((&octets[..at - 1], true), at + 1);
            }
            if bare_lf {
                return Parsed::Taken((&octets[..at], false), at + 1);
            }
        }
        at += 1;
    }
    if octets.len() >= limit { Parsed::Refused } else { Parsed::Incomplete }
}

/// Digits at the front, and what is behind them; `None` without a digit. The number is `None` beyond 64 bits.
pub fn digits(octets: &[u8]) -> Option<(Option<u64>, &[u8])> {
    let mut number = Some(0_u64);
    let mut at = 0;
    while at < octets.len() && octets[at].is_ascii_digit() {
        let digit = u64::from(octets[at] - b'0');
        number = number.and_then(|number| number.checked_mul(10)).and_then(|number| number.checked_add(digit));
        at += 1;
    }
    if at == 0 { None } else { Some((number, &octets[at..])) }
}

/// The whole of `octets` as a message-number.
pub fn message_number(octets: &[u8]) -> Option<u32> {
    match digits(octets) {
        Some((Some(number), [])) if number > 0 => u32::try_from(number).ok(),
        _ => None,
    }
}

/// A control character.
pub fn is_control(octet: u8) -> bool {
    octet < 0x20 || octet == 0x7F
}

/// Visible ASCII.
pub fn is_visible(octet: u8) -> bool {
    (0x21..=0x7E).contains(&octet)
}

/// The front up to the first `octet`, and what is behind it.
pub fn split(octets: &[u8], octet: u8) -> (&[u8], Option<&[u8]>) {
    let mut at = 0;
    while at < octets.len() {
        if octets[at] == octet {
            return (&octets[..at], Some(&octets[at + 1..]));
        }
        at += 1;
    }
    (octets, None)
}

/// Base64 by its looks: quartets of the alphabet, at most two `=` at the end, and something in front of them.
pub fn looks_like_base64(text: &[u8]) -> bool {
    let mut padding = 0;
    for &octet in text {
        let of_alphabet = octet.is_ascii_alphanumeric() || octet == b'+' || octet == b'/';
        match octet {
            b'=' => padding += 1,
            _ if of_alphabet && padding == 0 => {}
            _ => return false,
        }
    }
    text.len() % 4 == 0 && padding <= 2 && padding < text.len()
}

/// Canonical base64 decoded: whole quartets, pad bits zero (RFC 4648 §3.5). No octets are an empty string.
pub fn base64(text: &[u8]) -> Option<Vec<u8>> {
    if text.is_empty() {
        return Some(vec![]);
    }
    if !looks_like_base64(text) {
        return None;
    }
    let (mut octets, mut bits, mut held) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0_u32);
    for &octet in text {
        let value = match octet {
            b'A'..=b'Z' => octet - b'A',
            b'a'..=b'z' => octet - b'a' + 26,
            b'0'..=b'9' => octet - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        bits = bits << 6 | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            octets.push((bits >> held) as u8);
            bits &= (1 << held) - 1;
        }
    }
    // Six bits too many are a whole character too many.
    (bits == 0 && held < 6).then_some(octets)
}

/// Octets in base64.
pub fn to_base64(octets: &[u8]) -> Vec<u8> {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = Vec::with_capacity(octets.len().div_ceil(3) * 4);
    for group in octets.chunks(3) {
        let octet = |at: usize| u32::from(group.get(at).copied().unwrap_or(0));
        let bits = octet(0) << 16 | octet(1) << 8 | octet(2);
        for at in 0..4 {
            let value = (bits >> (18 - 6 * at)) as usize & 63;
            text.push(if at <= group.len() { ALPHABET[value] } else { b'=' });
        }
    }
    text
}

/// Octets in hexadecimal, lower case.
pub fn to_hex(octets: &[u8]) -> Vec<u8> {
    octets
        .iter()
        .flat_map(|octet| [octet >> 4, octet & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_rfc_4648() {
        for (octets, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foobar", "Zm9vYmFy")] {
            assert_eq!(to_base64(octets.as_bytes()), text.as_bytes());
            assert_eq!(base64(text.as_bytes()).as_deref(), Some(octets.as_bytes()));
        }
        for no in ["Zh==", "Zm9=", "Zg=", "Zg", "====", "Z===", "Zm=v", "Zm9v\n", "=", "*"] {
            assert_eq!(base64(no.as_bytes()), None, "{no}");
        }
    }

    #[test]
    fn a_number_is_digits_and_does_not_wrap() {
        assert_eq!(message_number(b"4294967295"), Some(u32::MAX));
        assert_eq!(message_number(b"007"), Some(7));
        for no in ["", "0", "4294967296", "4294967297", "18446744073709551617", "-1", "+1", "1x", " 1", "1 "] {
            assert_eq!(message_number(no.as_bytes()), None, "{no}");
        }
    }
}
