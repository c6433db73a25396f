//! Numbers: decimal digits, never a sign, and never a value that wraps.

use super::{Fault, IResult, error, failure};
use crate::listing::MessageNumber;
use crate::text::first_eight;

/// ```abnf
/// number = 1*DIGIT    ; RFC 1939 §3: numbers are "expressed in base-10"
/// ```
///
/// `None` where there is no digit, or so many that the value may not fit into 64 bits.
#[inline(always)]
pub(crate) fn digits(input: &[u8]) -> Option<(&[u8], u64)> {
    let (value, length) = match up_to_eight(first_eight(input)) {
        (_, 0) => return None,
        (of_eight, 8) => beyond_eight(of_eight, input)?,
        few => few,
    };
    input.get(length..).map(|rest| (rest, value))
}

/// The digits in front among eight octets, the first of them the lowest, all at once and without a branch: their value,
/// and how many there are. Where there are none, the value means nothing.
#[inline(always)]
const fn up_to_eight(octets: u64) -> (u64, usize) {
    const EACH: u64 = 0x0101_0101_0101_0101;
    // A digit is now 0 to 9. Whatever an octet that is none adds to those behind it does not count.
    let values = octets ^ (EACH * 0x30);
    let others = (values | values.wrapping_add(EACH * 0x76)) & (EACH * 0x80);
    let length = others.trailing_zeros() / 8;
    // Zeros in front for the digits that are missing; then pairs, fours, and all eight.
    let digits = values.wrapping_shl(length.wrapping_mul(8).wrapping_neg());
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    let value = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF;
    (value, length as usize)
}

/// The same for eight digits and more; `None` from [`SAFE`] on.
fn beyond_eight(of_eight: u64, input: &[u8]) -> Option<(u64, usize)> {
    let (mut value, mut length) = (of_eight, 8_usize);
    for octet in input.iter().take(SAFE).skip(8) {
        let digit = octet.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
        length = length.wrapping_add(1);
    }
    (length < SAFE).then_some((value, length))
}

/// One digit at a time: `None` in the value is more than 64 bits. The digits are taken all the same.
#[cold]
#[inline(never)]
fn checked_digits(input: &[u8]) -> IResult<'_, Option<u64>> {
    let length = input.iter().take_while(|octet| octet.is_ascii_digit()).count();
    let Some((digits, rest)) = input.split_at_checked(length).filter(|_| length > 0) else {
        return error(input, if input.is_empty() { Fault::MissingArgument } else { Fault::Number });
    };
    let value = digits
        .iter()
        .try_fold(0_u64, |value, digit| value.checked_mul(10)?.checked_add(u64::from(digit.wrapping_sub(b'0'))));
    Ok((rest, value))
}

/// A size in octets.
#[inline(always)]
pub(crate) fn octets(input: &[u8]) -> IResult<'_, u64> {
    match digits(input) {
        Some(found) => Ok(found),
        None => octets_checked(input),
    }
}

#[cold]
#[inline(never)]
fn octets_checked(input: &[u8]) -> IResult<'_, u64> {
    match checked_digits(input)? {
        (rest, Some(value)) => Ok((rest, value)),
        (_, None) => failure(input, Fault::NumberTooBig),
    }
}

/// A count of messages.
pub(crate) fn count(input: &[u8]) -> IResult<'_, u32> {
    let (rest, value) = octets(input)?;
    match u32::try_from(value) {
        Ok(value) => Ok((rest, value)),
        Err(_) => failure(input, Fault::NumberTooBig),
    }
}

/// A message-number, from 1.
#[inline(always)]
pub(crate) fn message_number(input: &[u8]) -> IResult<'_, MessageNumber> {
    match plain_message_number(input) {
        Some(found) => Ok(found),
        None => no_message_number(input),
    }
}

/// The same without a reason where there is none.
#[inline(always)]
pub(crate) fn plain_message_number(input: &[u8]) -> Option<(&[u8], MessageNumber)> {
    let (rest, value) = digits(input)?;
    Some((rest, MessageNumber::new(u32::try_from(value).ok()?)?))
}

#[cold]
#[inline(never)]
fn no_message_number(input: &[u8]) -> IResult<'_, MessageNumber> {
    match checked_digits(input)? {
        (rest, Some(value)) => match u32::try_from(value).map(MessageNumber::new) {
            Ok(Some(number)) => Ok((rest, number)),
            Ok(None) => failure(input, Fault::NumberZero),
            Err(_) => failure(input, Fault::NumberTooBig),
        },
        (_, None) => failure(input, Fault::NumberTooBig),
    }
}

/// A number of lines for TOP, which saturates: more lines than 64 bits count are all lines.
pub(crate) fn lines(input: &[u8]) -> IResult<'_, u64> {
    match digits(input) {
        Some(found) => Ok(found),
        None => checked_digits(input).map(|(rest, value)| (rest, value.unwrap_or(u64::MAX))),
    }
}

/// Fewer digits than these always fit into 64 bits.
const SAFE: usize = 20;

#[cfg(test)]
mod tests {
    use super::super::fault;
    use super::*;
    use alloc::string::ToString as _;
    use alloc::vec::Vec;

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

    /// One digit at a time.
    fn naive(input: &[u8]) -> (usize, Option<u64>) {
        let mut value = Some(0_u64);
        let mut length = 0;
        for &octet in input.iter().take_while(|octet| octet.is_ascii_digit()) {
            value = value.and_then(|value| value.checked_mul(10)?.checked_add(u64::from(octet - b'0')));
            length += 1;
        }
        (length, value)
    }

    fn agrees(input: &[u8]) {
        let (length, value) = naive(input);
        match checked_digits(input) {
            Ok((rest, found)) => assert_eq!((input.len() - rest.len(), found), (length, value), "{input:?}"),
            Err(_) => assert_eq!(length, 0, "{input:?}"),
        }
        match digits(input) {
            Some((rest, found)) => assert_eq!((input.len() - rest.len(), Some(found)), (length, value), "{input:?}"),
            None => assert!(length == 0 || length >= SAFE, "{input:?}"),
        }
    }

    #[test]
    fn eight_digits_at_a_time_are_as_one_at_a_time() {
        // Every count of digits to beyond 64 bits, with every octet behind them, and with something behind that.
        for count in 0..=22 {
            for digit in ["0", "1", "9", "7305918264"] {
                let digits: Vec<u8> = digit.bytes().cycle().take(count).collect();
                agrees(&digits);
                for octet in 0..=255 {
                    let one = [&digits[..], &[octet]].concat();
                    agrees(&one);
                    agrees(&[&one[..], b"12345678"].concat());
                    agrees(&[&one[..], &[0xFF; 9]].concat());
                }
            }
        }
        for shift in 0..64 {
            for value in [(1_u64 << shift) - 1, 1 << shift, (1 << shift) + 1, u64::MAX - (1 << shift)] {
                agrees(value.to_string().as_bytes());
            }
        }
    }
}
