//! Numbers: decimal digits, never a sign, and never a value that wraps.

use super::{Fault, IResult, error, failure};
use crate::listing::MessageNumber;

/// ```abnf
/// number = 1*DIGIT    ; RFC 1939 §3: numbers are "expressed in base-10"
/// ```
///
/// `None` in the value: more than 64 bits. The digits are taken all the same.
fn digits(input: &[u8]) -> IResult<'_, Option<u64>> {
    let mut value = Some(0_u64);
    let mut rest = input;
    while let [digit @ b'0'..=b'9', behind @ ..] = rest {
        value =
            value.and_then(|value| value.checked_mul(10)).and_then(|value| value.checked_add(u64::from(digit & 0x0F)));
        rest = behind;
    }
    if rest.len() == input.len() {
        let fault = if input.is_empty() { Fault::MissingArgument } else { Fault::Number };
        return error(input, fault);
    }
    Ok((rest, value))
}

/// A size in octets.
pub(crate) fn octets(input: &[u8]) -> IResult<'_, u64> {
    match digits(input)? {
        (rest, Some(value)) => Ok((rest, value)),
        (_, None) => failure(input, Fault::NumberTooBig),
    }
}

/// A count of messages.
pub(crate) fn count(input: &[u8]) -> IResult<'_, u32> {
    match digits(input)? {
        (rest, Some(value)) => match u32::try_from(value) {
            Ok(value) => Ok((rest, value)),
            Err(_) => failure(input, Fault::NumberTooBig),
        },
        (_, None) => failure(input, Fault::NumberTooBig),
    }
}

/// A message-number, from 1.
pub(crate) fn message_number(input: &[u8]) -> IResult<'_, MessageNumber> {
    let (rest, value) = count(input)?;
    match MessageNumber::new(value) {
        Some(number) => Ok((rest, number)),
        None => failure(input, Fault::NumberZero),
    }
}

/// A number of lines for TOP, which saturates: more lines than 64 bits count are all lines.
pub(crate) fn lines(input: &[u8]) -> IResult<'_, u64> {
    let (rest, value) = digits(input)?;
    Ok((rest, value.unwrap_or(u64::MAX)))
}

#[cfg(test)]
mod tests {
    use super::super::fault;
    use super::*;

    #[test]
    fn odd_numbers_are_typed_faults_and_never_wrap() {
        let number =
            |text: &'static str| message_number(text.as_bytes()).map(|(_, number)| number.get()).map_err(fault);
        assert_eq!(number("1"), Ok(1));
        assert_eq!(number("01"), Ok(1));
        assert_eq!(number("4294967295"), Ok(u32::MAX));
        for big in ["4294967296", "4294967297", "18446744073709551616", "10000000000000000000000000000000000000000"] {
            assert_eq!(number(big), Err(Fault::NumberTooBig), "{big}");
        }
        assert_eq!(number("0"), Err(Fault::NumberZero));
        assert_eq!(number(""), Err(Fault::MissingArgument));
        for odd in ["-1", "+1", "x", " 1"] {
            assert_eq!(number(odd), Err(Fault::Number), "{odd}");
        }
        assert_eq!(octets(b"18446744073709551615"), Ok((&b""[..], u64::MAX)));
        assert_eq!(octets(b"18446744073709551616").map_err(fault), Err(Fault::NumberTooBig));
        assert_eq!(lines(b"18446744073709551616"), Ok((&b""[..], u64::MAX)));
    }
}
