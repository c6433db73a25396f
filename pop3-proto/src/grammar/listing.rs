//! What STAT, LIST, UIDL and LANG answer, without CRLF.

use super::number::{count, digits, message_number, octets, plain_message_number};
use super::{Fault, IResult, Tolerance, end, error, failure, sp};
use crate::listing::{DropListing, ScanListing, UniqueId, UniqueIdListing};
use crate::quirk::Quirk;
use crate::reply::{LanguageListing, LanguageTag};
use crate::text::{Text, control, visible};

/// ```abnf
/// drop-listing = number SP octets [SP *CHAR]    ; RFC 1939 §5: "no requirement on what follows the maildrop size"
/// ```
pub(crate) fn drop_listing<'i>(text: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, DropListing> {
    let (rest, messages) = count(leading(text, tolerance))?;
    let (rest, ()) = one_space(rest, tolerance)?;
    if let Some(positive) = rest.strip_prefix(b"-") {
        let (behind, _) = octets(positive)?;
        if tolerance.pass(Quirk::NegativeOctets) {
            let (behind, ()) = more(behind)?;
            return Ok((behind, DropListing { messages, octets: None }));
        }
    }
    let (rest, octets) = octets(rest)?;
    let (rest, ()) = more(rest)?;
    Ok((rest, DropListing { messages, octets: Some(octets) }))
}

/// ```abnf
/// scan-listing = message-number SP octets [SP *CHAR]    ; RFC 1939 §5: further information may follow
/// ```
pub(crate) fn scan_listing<'i>(row: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, ScanListing> {
    let (rest, number) = row_number(row, tolerance)?;
    let (rest, ()) = one_space(rest, tolerance)?;
    let (rest, octets) = octets(rest)?;
    let (rest, ()) = more(rest)?;
    Ok((rest, ScanListing { number, octets }))
}

/// ```abnf
/// scan-listing CRLF    ; nothing behind the octets, and nothing to tolerate: nearly every row
/// ```
///
/// `None` says nothing: frame the line, and parse that.
#[inline(always)]
pub(crate) fn scan_listing_crlf(input: &[u8]) -> Option<(&[u8], ScanListing)> {
    let (rest, number) = plain_message_number(input)?;
    let (rest, octets) = digits(rest.strip_prefix(b" ")?)?;
    Some((rest.strip_prefix(b"\r\n")?, ScanListing { number, octets }))
}

/// ```abnf
/// unique-id-listing = message-number SP unique-id
/// unique-id         = 1*70(%x21-7E)    ; RFC 1939 §7
/// ```
pub(crate) fn unique_id_listing<'i>(row: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, UniqueIdListing<'i>> {
    let (rest, number) = row_number(row, tolerance)?;
    if rest.is_empty() {
        return failure(row, Fault::NoUniqueId);
    }
    let (rest, ()) = one_space(rest, tolerance)?;
    if rest.is_empty() {
        return failure(row, Fault::NoUniqueId);
    }
    if let Some(octet) = control(rest) {
        return failure(rest, Fault::Octet(octet));
    }
    let id = UniqueId::received(Text::from(rest));
    if !id.conforms() && !tolerance.pass(Quirk::UniqueIdOctets) {
        return failure(rest, Fault::UniqueId);
    }
    Ok((&[], UniqueIdListing { number, id }))
}

/// ```abnf
/// unique-id-listing CRLF    ; nothing to tolerate: nearly every row
/// ```
///
/// `None` says nothing: frame the line, and parse that.
#[inline(always)]
pub(crate) fn unique_id_listing_crlf(input: &[u8]) -> Option<(&[u8], UniqueIdListing<'_>)> {
    let (rest, number) = plain_message_number(input)?;
    let rest = rest.strip_prefix(b" ")?;
    // (Of a known length, the search is a straight line of code.)
    let length = rest.first_chunk::<72>().map_or_else(|| visible(rest), |near| visible(near));
    if length == 0 || length > UniqueId::MAX {
        return None;
    }
    let (id, rest) = rest.split_at_checked(length)?;
    let rest = rest.strip_prefix(b"\r\n")?;
    Some((rest, UniqueIdListing { number, id: UniqueId::received(Text::from(id)) }))
}

/// ```abnf
/// lang-listing = lang-tag SP lang-desc    ; RFC 6856 §3.2
/// ```
pub(crate) fn language_listing(row: &[u8]) -> IResult<'_, LanguageListing<'_>> {
    let (rest, tag) = language(row)?;
    let (description, ()) = sp(rest)?;
    one_line(description)?;
    Ok((&[], LanguageListing { tag, description: Text::from(description) }))
}

/// The tag in front of a `+OK` to LANG.
pub(crate) fn language(text: &[u8]) -> IResult<'_, LanguageTag<'_>> {
    let length = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (tag, rest) = text.split_at_checked(length).unwrap_or((text, &[]));
    match LanguageTag::new(tag) {
        Ok(tag) => Ok((rest, tag)),
        Err(crate::Misuse::ForbiddenOctet { octet }) => error(text, Fault::Octet(octet)),
        Err(crate::Misuse::TooLong { .. }) => error(text, Fault::TooLong),
        Err(_) => error(text, Fault::Empty),
    }
}

/// The message-number that begins a row.
fn row_number<'i>(row: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, crate::MessageNumber> {
    if row.starts_with(b"-ERR") {
        return failure(row, Fault::LooksLikeErr);
    }
    if row.is_empty() {
        return error(row, Fault::Empty);
    }
    message_number(leading(row, tolerance))
}

/// The octets without spaces in front, where those are tolerated.
fn leading<'i>(input: &'i [u8], tolerance: &mut Tolerance) -> &'i [u8] {
    let mut rest = input;
    while let Some(shorter) = rest.strip_prefix(b" ") {
        rest = shorter;
    }
    if rest.len() < input.len() && tolerance.pass(Quirk::ExtraSpaces) { rest } else { input }
}

/// A single space, or several where that is tolerated.
fn one_space<'i>(input: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, ()> {
    let (mut rest, ()) = sp(input)?;
    while let [b' ', behind @ ..] = rest {
        if !tolerance.pass(Quirk::ExtraSpaces) {
            return failure(rest, Fault::Space);
        }
        rest = behind;
    }
    Ok((rest, ()))
}

/// A CR or LF in what nobody looks at is the end of a line to somebody else, and what follows a row of its own.
fn one_line(text: &[u8]) -> IResult<'_, ()> {
    match text.iter().find(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
        Some(&octet) => failure(text, Fault::Octet(octet)),
        None => Ok((&[], ())),
    }
}

/// Nothing, or a space and whatever the server adds.
fn more(input: &[u8]) -> IResult<'_, ()> {
    match input {
        [b' ', added @ ..] => one_line(added),
        _ => end(input),
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault;
    use super::*;
    use crate::quirk::Quirks;

    #[test]
    fn a_scan_listing_is_two_numbers_and_what_the_server_adds() {
        let scan = |row: &'static str| {
            scan_listing(row.as_bytes(), &mut Tolerance::default())
                .map(|(_, listing)| (listing.number.get(), listing.octets))
                .map_err(fault)
        };
        assert_eq!(scan("1 120"), Ok((1, 120)));
        assert_eq!(scan("1 120 (unread)"), Ok((1, 120)));
        assert_eq!(scan("1 5000000000"), Ok((1, 5_000_000_000)));
        for (row, reason) in [
            ("", Fault::Empty),
            ("1", Fault::MissingArgument),
            ("1 ", Fault::MissingArgument),
            ("1  120", Fault::Space),
            ("1 120x", Fault::ExtraArgument),
            ("0 120", Fault::NumberZero),
            ("-1 120", Fault::Number),
            ("1 -120", Fault::Number),
            ("4294967296 1", Fault::NumberTooBig),
            ("1 18446744073709551616", Fault::NumberTooBig),
            ("-ERR no such message", Fault::LooksLikeErr),
        ] {
            assert_eq!(scan(row), Err(reason), "{row:?}");
        }
    }

    #[test]
    fn a_row_that_is_read_with_its_crlf_is_what_the_line_is() {
        let ids = ["x", "~!", "", " ", "a b", "\u{e9}", "\t", &"i".repeat(70), &"i".repeat(71), &"i".repeat(80)];
        let numbers = ["1", "01", "0", "", " 1", "-1", "+1", "x", "12345678", "123456789", "4294967295", "4294967296"];
        let sizes = [
            "0",
            "00000000000000000000000000012",
            "18446744073709551615",
            "18446744073709551616",
            "1 x",
            "1x",
            " 1",
            "",
        ];
        let mut taken = 0;
        for number in numbers {
            for rest in ids.iter().chain(&sizes) {
                for space in [" ", "  ", "\t", ""] {
                    let row = alloc::format!("{number}{space}{rest}");
                    // What is behind the row is none of its business.
                    for behind in ["\r\n", "\r\n.\r\n", "\r\n1 1\r\n1 1\r\n", "\n", "\r", ""] {
                        let input = alloc::format!("{row}{behind}");
                        let mut strict = Tolerance::default();
                        if let Some((left, listing)) = scan_listing_crlf(input.as_bytes()) {
                            assert_eq!(Ok((&b""[..], listing)), scan_listing(row.as_bytes(), &mut strict), "{input:?}");
                            assert_eq!(left, &behind.as_bytes()[2..]);
                            taken += 1;
                        }
                        if let Some((left, listing)) = unique_id_listing_crlf(input.as_bytes()) {
                            assert_eq!(
                                Ok((&b""[..], listing)),
                                unique_id_listing(row.as_bytes(), &mut strict),
                                "{input:?}"
                            );
                            assert_eq!(left, &behind.as_bytes()[2..]);
                            taken += 1;
                        }
                    }
                }
            }
        }
        assert!(taken > 100, "{taken}");
        assert!(scan_listing_crlf(b"1 120\r\n").is_some() && unique_id_listing_crlf(b"1 x\r\n").is_some());
        // RFC 1939 §7: "a string of one to 70 characters".
        for (octets, taken) in [(0, false), (1, true), (69, true), (70, true), (71, false)] {
            let row = alloc::format!("1 {}\r\n", "i".repeat(octets));
            assert_eq!(unique_id_listing_crlf(row.as_bytes()).is_some(), taken, "{octets} octets");
        }
    }

    #[test]
    fn each_tolerance_is_needed_and_noted() {
        let run = |quirk: Quirk, row: &'static str| {
            let parse = |allowed| {
                let mut tolerance = Tolerance::new(allowed);
                let passes = match quirk {
                    Quirk::NegativeOctets => drop_listing(row.as_bytes(), &mut tolerance).is_ok(),
                    _ => unique_id_listing(row.as_bytes(), &mut tolerance).is_ok(),
                };
                (passes, tolerance.seen)
            };
            assert!(!parse(Quirks::TOLERANT.without(quirk)).0, "{row}");
            assert_eq!(parse(Quirks::STRICT.with(quirk)), (true, Quirks::STRICT.with(quirk)), "{row}");
        };
        run(Quirk::ExtraSpaces, "1   abc");
        run(Quirk::UniqueIdOctets, "1 two words");
        run(Quirk::UniqueIdOctets, "1 \u{e9}");
        run(Quirk::NegativeOctets, "3 -2147483648");
    }

    #[test]
    fn a_missing_unique_id_is_a_fault_of_its_own() {
        for row in ["1", "1 ", "1   "] {
            let mut tolerance = Tolerance::new(Quirks::TOLERANT);
            assert_eq!(unique_id_listing(row.as_bytes(), &mut tolerance).map_err(fault), Err(Fault::NoUniqueId));
        }
    }
}
