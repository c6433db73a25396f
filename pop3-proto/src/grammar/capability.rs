//! Lines of a capability list, without CRLF.

use super::number::count;
use super::{Fault, IResult, error};
use crate::capability::{Capability, Expiry, Mechanisms};
use crate::text::Text;

/// ```abnf
/// capability = capa-tag *(SP param)    ; RFC 2449 §3
/// capa-tag   = 1*cchar                 ; visible ASCII, no "." in front
/// param      = 1*VCHAR
/// ```
///
/// Whatever is not a known tag with arguments that it takes is [`Capability::Other`].
pub(crate) fn capability(line: &[u8]) -> IResult<'_, Capability<'_>> {
    if line.is_empty() {
        return error(line, Fault::Empty);
    }
    if line.starts_with(b"-ERR") {
        return error(line, Fault::LooksLikeErr);
    }
    if let Some(&octet) = line.iter().find(|octet| octet.is_ascii_control()) {
        return error(line, Fault::Octet(octet));
    }
    let length = memchr::memchr(b' ', line).unwrap_or(line.len());
    let (tag, rest) = line.split_at_checked(length).unwrap_or((line, &[]));
    if tag.is_empty() {
        return error(line, Fault::Space);
    }
    let arguments = rest.strip_prefix(b" ").unwrap_or_default();
    let known = known(tag, arguments);
    Ok((&[], known.unwrap_or_else(|| Capability::Other { tag: Text::from(tag), arguments: Text::from(arguments) })))
}

fn known<'i>(tag: &[u8], arguments: &'i [u8]) -> Option<Capability<'i>> {
    let is = |name: &str| tag.eq_ignore_ascii_case(name.as_bytes());
    let bare = |capability| arguments.iter().all(|&octet| octet == b' ').then_some(capability);
    match tag.first()?.to_ascii_uppercase() {
        b'T' if is("TOP") => bare(Capability::Top),
        b'U' if is("USER") => bare(Capability::User),
        b'U' if is("UIDL") => bare(Capability::Uidl),
        b'U' if is("UTF8") && arguments.is_empty() => Some(Capability::Utf8 { user: false }),
        b'U' if is("UTF8") && arguments.eq_ignore_ascii_case(b"USER") => Some(Capability::Utf8 { user: true }),
        b'S' if is("SASL") => Some(Capability::Sasl(Mechanisms(Text::from(arguments)))),
        b'S' if is("STLS") => bare(Capability::Stls),
        b'R' if is("RESP-CODES") => bare(Capability::RespCodes),
        b'A' if is("AUTH-RESP-CODE") => bare(Capability::AuthRespCode),
        b'P' if is("PIPELINING") => bare(Capability::Pipelining),
        b'L' if is("LANG") => bare(Capability::Lang),
        b'L' if is("LOGIN-DELAY") => {
            let (value, per_user) = per_user(arguments)?;
            Some(Capability::LoginDelay { seconds: whole(value)?, per_user })
        }
        b'E' if is("EXPIRE") => {
            let (value, per_user) = per_user(arguments)?;
            let after = if value.eq_ignore_ascii_case(b"NEVER") { Expiry::Never } else { Expiry::Days(whole(value)?) };
            Some(Capability::Expire { after, per_user })
        }
        b'I' if is("IMPLEMENTATION") => Some(Capability::Implementation(Text::from(arguments))),
        _ => None,
    }
}

/// ```abnf
/// value [SP "USER"]    ; RFC 2449 §6.5 and §6.7
/// ```
fn per_user(arguments: &[u8]) -> Option<(&[u8], bool)> {
    match memchr::memchr(b' ', arguments).and_then(|space| arguments.split_at_checked(space)) {
        None => Some((arguments, false)),
        Some((value, user)) if user.eq_ignore_ascii_case(b" USER") => Some((value, true)),
        Some(_) => None,
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
    fn an_empty_line_or_a_control_character_is_a_fault() {
        assert!(capability(b"").is_err());
        assert!(capability(b" TOP").is_err());
        assert!(capability(b"TOP\0").is_err());
        assert!(capability(b"TOP\nSTLS").is_err());
    }
}
