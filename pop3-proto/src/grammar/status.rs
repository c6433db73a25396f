//! Status lines, without their CRLF.

use super::{Fault, IResult, Tolerance, error};
use crate::quirk::Quirk;
use crate::reply::{ResponseCode, Status, StatusLine};
use crate::text::Text;
use nom::Parser as _;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::combinator::value;

/// ```abnf
/// single-line = status [SP text]    ; RFC 2449 §3; text is anything, a response code in front or not
/// ```
pub(crate) fn status_line<'i>(line: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, StatusLine<'i>> {
    let (rest, status) = status(line)?;
    let text = match rest {
        [] => rest,
        [b' ', text @ ..] => text,
        [b'\t', text @ ..] if tolerance.pass(Quirk::StatusTab) => text,
        _ => return error(line, Fault::NoStatus),
    };
    let (text, code) = match response_code(text) {
        Ok((text, code)) => (text.strip_prefix(b" ").unwrap_or(text), Some(code)),
        Err(_) => (text, None),
    };
    Ok((&[], StatusLine { status, code, text: Text::from(text) }))
}

/// ```abnf
/// status = "+OK" / "-ERR"    ; RFC 1939 §3: "Servers MUST send the '+OK' and '-ERR' in upper case."
/// ```
fn status(line: &[u8]) -> IResult<'_, Status> {
    match alt((value(Status::Ok, tag(&b"+OK"[..])), value(Status::Err, tag(&b"-ERR"[..])))).parse(line) {
        Ok(found) => Ok(found),
        Err(nom::Err::Incomplete(needed)) => Err(nom::Err::Incomplete(needed)),
        Err(nom::Err::Error(()) | nom::Err::Failure(())) => error(line, Fault::NoStatus),
    }
}

/// ```abnf
/// resp-code = "[" resp-level *("/" resp-level) "]"    ; RFC 2449 §8
/// resp-level = 1*rchar                                ; %x21-2E / %x30-5C / %x5E-7E
/// ```
fn response_code(text: &[u8]) -> IResult<'_, ResponseCode<'_>> {
    let Some((code, rest)) = text
        .strip_prefix(b"[")
        .and_then(|inner| memchr::memchr(b']', inner).and_then(|close| inner.split_at_checked(close)))
    else {
        return error(text, Fault::Other(nom::error::ErrorKind::Tag));
    };
    let levels = code.split(|&octet| octet == b'/');
    for level in levels {
        if level.is_empty() || !level.iter().all(u8::is_ascii_graphic) {
            return error(text, Fault::Other(nom::error::ErrorKind::Verify));
        }
    }
    Ok((rest.get(1..).unwrap_or_default(), ResponseCode::from_octets(code)))
}

#[cfg(test)]
mod tests {
    use super::super::fault;
    use super::*;

    fn parse(line: &'static str, tolerance: Tolerance) -> Result<StatusLine<'static>, Fault> {
        let mut tolerance = tolerance;
        status_line(line.as_bytes(), &mut tolerance).map(|(_, line)| line).map_err(fault)
    }

    #[test]
    fn a_status_stands_alone_or_before_a_space() {
        let strict = Tolerance::default();
        assert_eq!(parse("+OK", strict).unwrap().text, "");
        assert_eq!(parse("+OK ", strict).unwrap().text, "");
        assert_eq!(parse("+OK  two", strict).unwrap().text, " two");
        assert_eq!(parse("-ERR no", strict).unwrap().status, Status::Err);
        for odd in ["+OKfoo", "+ok", "-err no", "OK", "", " +OK", "+ OK", "* OK", "+OK\tx", "-ER"] {
            assert_eq!(parse(odd, strict), Err(Fault::NoStatus), "{odd}");
        }
        let tolerant = Tolerance::new(crate::Quirks::TOLERANT);
        assert_eq!(parse("+OK\tx", tolerant).unwrap().text, "x");
    }

    #[test]
    fn a_response_code_counts_at_the_front_only() {
        let code = |line| parse(line, Tolerance::default()).unwrap().code;
        assert_eq!(code("-ERR [IN-USE] busy"), Some(ResponseCode::InUse));
        assert_eq!(code("-ERR [in-use]busy"), Some(ResponseCode::InUse));
        assert_eq!(code("-ERR [SYS/TEMP]"), Some(ResponseCode::SysTemp));
        assert_eq!(code("-ERR [X/Y/Z] x"), Some(ResponseCode::Other(Text::from("X/Y/Z"))));
        for none in ["+OK ready [AUTH]", "-ERR  [AUTH]", "-ERR [AUTH", "-ERR [] x", "-ERR [A//B] x", "-ERR [A B] x"] {
            assert_eq!(code(none), None, "{none}");
        }
    }
}
