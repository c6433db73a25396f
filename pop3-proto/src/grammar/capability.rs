//! Lines of a capability list, without CRLF.

use super::number::count;
use super::{Fault, IResult, error};
use crate::capability::{Capability, Expiry, Mechanisms};
use crate::text::{Text, control, first_eight_in_upper_case, printable, split_space, visible};

/// ```abnf
/// capability = capa-tag *(SP param)    ; RFC 2449 §3
/// capa-tag   = 1*cchar                 ; visible ASCII, no "." in front
/// param      = 1*VCHAR
/// ```
///
/// Whatever is not a known tag with arguments that it takes is [`Capability::Other`].
pub(crate) fn capability(line: &[u8]) -> IResult<'_, Capability<'_>> {
    if line.starts_with(b"-ERR") {
        return error(line, Fault::LooksLikeErr);
    }
    if let Some(octet) = control(line) {
        return error(line, Fault::Octet(octet));
    }
    let (tag, rest) = split_space(line);
    if tag.is_empty() {
        return error(line, if line.is_empty() { Fault::Empty } else { Fault::Space });
    }
    let arguments = rest.get(1..).unwrap_or_default();
    let known = known(tag, arguments);
    Ok((&[], known.unwrap_or_else(|| Capability::Other { tag: Text::from(tag), arguments: Text::from(arguments) })))
}

/// ```abnf
/// capability CRLF    ; a known one: nearly every line
/// ```
///
/// `None` says nothing: frame the line, and parse that.
#[inline(always)]
pub(crate) fn capability_crlf(input: &[u8]) -> Option<(&[u8], Capability<'_>)> {
    let (tag, rest) = input.split_at_checked(visible(input))?;
    let (arguments, rest) = match rest {
        [b'\r', b'\n', rest @ ..] => (&[][..], rest),
        [b' ', rest @ ..] => {
            let (arguments, rest) = rest.split_at_checked(printable(rest))?;
            (arguments, rest.strip_prefix(b"\r\n")?)
        }
        _ => return None,
    };
    if input.len().wrapping_sub(rest.len()) > crate::Reply::MAX {
        return None;
    }
    Some((rest, known(tag, arguments)?))
}

/// The capability of a tag without control characters, in whatever case.
#[inline(always)]
fn known<'i>(tag: &[u8], arguments: &'i [u8]) -> Option<Capability<'i>> {
    const TOP: u64 = first_eight_in_upper_case(b"TOP");
    const USER: u64 = first_eight_in_upper_case(b"USER");
    const UIDL: u64 = first_eight_in_upper_case(b"UIDL");
    const UTF8: u64 = first_eight_in_upper_case(b"UTF8");
    const SASL: u64 = first_eight_in_upper_case(b"SASL");
    const STLS: u64 = first_eight_in_upper_case(b"STLS");
    const LANG: u64 = first_eight_in_upper_case(b"LANG");
    const EXPIRE: u64 = first_eight_in_upper_case(b"EXPIRE");
    const RESP_COD: u64 = first_eight_in_upper_case(b"RESP-CODES");
    const AUTH_RES: u64 = first_eight_in_upper_case(b"AUTH-RESP-CODE");
    const PIPELINI: u64 = first_eight_in_upper_case(b"PIPELINING");
    const LOGIN_DE: u64 = first_eight_in_upper_case(b"LOGIN-DELAY");
    const IMPLEMEN: u64 = first_eight_in_upper_case(b"IMPLEMENTATION");
    // (Fewer than eight octets are followed by zeros, so that these constants say where the tag ends.)
    let ends = |end: &[u8]| tag.get(8..).is_some_and(|behind| behind.eq_ignore_ascii_case(end));
    let bare =
        |capability| (arguments.is_empty() || arguments.iter().all(|&octet| octet == b' ')).then_some(capability);
    match first_eight_in_upper_case(tag) {
        TOP => bare(Capability::Top),
        USER => bare(Capability::User),
        UIDL => bare(Capability::Uidl),
        UTF8 if arguments.is_empty() => Some(Capability::Utf8 { user: false }),
        UTF8 if arguments.eq_ignore_ascii_case(b"USER") => Some(Capability::Utf8 { user: true }),
        SASL => Some(Capability::Sasl(Mechanisms(Text::from(arguments)))),
        STLS => bare(Capability::Stls),
        LANG => bare(Capability::Lang),
        RESP_COD if ends(b"ES") => bare(Capability::RespCodes),
        AUTH_RES if ends(b"P-CODE") => bare(Capability::AuthRespCode),
        PIPELINI if ends(b"NG") => bare(Capability::Pipelining),
        LOGIN_DE if ends(b"LAY") => {
            let (value, per_user) = per_user(arguments)?;
            Some(Capability::LoginDelay { seconds: whole(value)?, per_user })
        }
        EXPIRE => {
            let (value, per_user) = per_user(arguments)?;
            let after = if value.eq_ignore_ascii_case(b"NEVER") { Expiry::Never } else { Expiry::Days(whole(value)?) };
            Some(Capability::Expire { after, per_user })
        }
        IMPLEMEN if ends(b"TATION") => Some(Capability::Implementation(Text::from(arguments))),
        _ => None,
    }
}

/// ```abnf
/// value [SP "USER"]    ; RFC 2449 §6.5 and §6.7
/// ```
fn per_user(arguments: &[u8]) -> Option<(&[u8], bool)> {
    match split_space(arguments) {
        (value, []) => Some((value, false)),
        (value, user) if user.eq_ignore_ascii_case(b" USER") => Some((value, true)),
        _ => None,
    }
}

fn whole(value: &[u8]) -> Option<u32> {
    count(value).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, value)| value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

    #[test]
    fn known_capabilities_are_typed_in_any_case_and_encode_to_themselves() {
        for line in [
            "TOP",
            "USER",
            "SASL",
            "SASL PLAIN CRAM-MD5",
            "RESP-CODES",
            "AUTH-RESP-CODE",
            "LOGIN-DELAY 900",
            "LOGIN-DELAY 900 USER",
            "PIPELINING",
            "EXPIRE 60",
            "EXPIRE NEVER",
            "EXPIRE 0 USER",
            "UIDL",
            "STLS",
            "UTF8",
            "UTF8 USER",
            "LANG",
            "IMPLEMENTATION Shlemazle-Plotz-v302",
        ] {
            let (_, typed) = capability(line.as_bytes()).unwrap();
            assert!(!matches!(typed, Capability::Other { .. }), "{line}");
            let mut encoded = Vec::new();
            typed.encode_text(&mut encoded);
            assert_eq!(encoded, line.as_bytes());
            let lower = line.to_ascii_lowercase();
            assert!(!matches!(capability(lower.as_bytes()).unwrap().1, Capability::Other { .. }), "{lower}");
        }
    }

    #[test]
    fn what_is_not_known_is_kept_as_it_came() {
        for line in [
            "EXPIRENEVER",
            "PIPELINE",
            "X-GOOGLE-RICO",
            "EXPIRE",
            "EXPIRE soon",
            "LOGIN-DELAY",
            "LOGIN-DELAY -1",
            "EXPIRE 60 ALL",
            "TOP 3",
            "STLS yes",
            "XOIP ",
            ".hidden",
            "UTF8 user mode",
            "LOGIN-DELAY 4294967296",
        ] {
            let (_, kept) = capability(line.as_bytes()).unwrap();
            assert!(matches!(kept, Capability::Other { .. }), "{line}");
            assert_eq!(kept.to_string().trim_end(), line.trim_end());
        }
    }

    #[test]
    fn a_line_that_is_read_with_its_crlf_is_what_the_line_is() {
        let tags = [
            "TOP",
            "user",
            "SASL",
            "RESP-CODES",
            "resp-codez",
            "LOGIN-DELAY",
            "EXPIRE",
            "UTF8",
            "UTF\u{18}",
            "X-ODD",
            "-ERR",
            ".",
            "",
        ];
        let arguments = ["", " ", "  ", " PLAIN", " 900", " 900 USER", " NEVER", " \u{e9}", " a\tb", " a\0b", " user"];
        let mut taken = 0;
        for tag in tags {
            for arguments in arguments {
                for behind in ["\r\n", "\r\n.\r\n", "\n", "\r", ""] {
                    let line = alloc::format!("{tag}{arguments}");
                    let input = alloc::format!("{line}{behind}");
                    if let Some((left, found)) = capability_crlf(input.as_bytes()) {
                        assert_eq!(Ok((&b""[..], found)), capability(line.as_bytes()), "{input:?}");
                        assert_eq!(left, &behind.as_bytes()[2..]);
                        taken += 1;
                    }
                }
            }
        }
        assert!(taken > 30, "{taken}");
        assert_eq!(capability_crlf(b"TOP\r\n.\r\n"), Some((&b".\r\n"[..], Capability::Top)));
        let long = alloc::format!("SASL {}\r\n", "x".repeat(505));
        assert!(capability_crlf(alloc::format!("SASL {}\r\n", "x".repeat(506)).as_bytes()).is_none());
        assert!(capability_crlf(long.as_bytes()).is_some());
    }

    #[test]
    fn an_empty_line_or_a_control_character_is_a_fault() {
        assert!(capability(b"").is_err());
        assert!(capability(b" TOP").is_err());
        assert!(capability(b"TOP\0").is_err());
        assert!(capability(b"TOP\nSTLS").is_err());
    }
}
