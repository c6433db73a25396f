//! Command lines, without their CRLF.

use super::number::{digits, lines, message_number, plain_message_number};
use super::{Error, Fault, IResult, Tolerance, end, error, failure, sp};
use crate::command::{Apop, Auth, Command, Digest, Mechanism, Name, Other, Password};
use crate::error::Misuse;
use crate::listing::MessageNumber;
use crate::quirk::Quirk;
use crate::reply::LanguageTag;
use crate::state::{Shape, Verb};
use crate::text::{Secret, Text, control, is_base64_text, split_space, visible};
use nom::Parser as _;
use nom::combinator::map;
use nom::sequence::preceded;

/// ```abnf
/// command = keyword *(SP argument)    ; RFC 2449 §3; the line without its CRLF
/// ```
pub(crate) fn command_line<'i>(line: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, Command<'i>> {
    // RFC 2449 §3 has no control characters in a command; A CR, LF or NUL must not cut it short either.
    if let Some(octet) = control(line) {
        return failure(line, Fault::Octet(octet));
    }
    let (rest, keyword) = keyword(line)?;
    let verb = Verb::from_keyword(keyword);
    let rest = if verb == Verb::Pass { rest } else { trimmed(rest, tolerance) };
    let (rest, command) = match verb {
        Verb::User => preceded(sp, |input| name(input, tolerance)).map(Command::User).parse(rest)?,
        Verb::Pass => preceded(sp, password).map(Command::Pass).parse(rest)?,
        Verb::Apop => preceded(sp, apop).map(Command::Apop).parse(rest)?,
        Verb::Auth => preceded(sp, auth).map(Command::Auth).parse(rest)?,
        Verb::Stls => (rest, Command::Stls),
        Verb::Utf8 => (rest, Command::Utf8),
        Verb::Stat => (rest, Command::Stat),
        Verb::List => map(|input| opt_argument(input, message_number), Command::List).parse(rest)?,
        Verb::Retr => preceded(sp, message_number).map(Command::Retr).parse(rest)?,
        Verb::Dele => preceded(sp, message_number).map(Command::Dele).parse(rest)?,
        Verb::Noop => (rest, Command::Noop),
        Verb::Rset => (rest, Command::Rset),
        Verb::Top => top(rest)?,
        Verb::Uidl => map(|input| opt_argument(input, message_number), Command::Uidl).parse(rest)?,
        Verb::Capa => (rest, Command::Capa),
        Verb::Lang => map(|input| opt_argument(input, tag), Command::Lang).parse(rest)?,
        Verb::Quit => (rest, Command::Quit),
        Verb::Other => {
            let arguments = rest.strip_prefix(b" ").unwrap_or_default();
            if let Some(&octet) = arguments.iter().find(|octet| !octet.is_ascii()) {
                return failure(rest, Fault::Octet(octet));
            }
            let other =
                Other { keyword: Text::from(keyword), arguments: Text::from(arguments), shape: Shape::SingleLine };
            return Ok((&[], Command::Other(other)));
        }
    };
    let (rest, ()) = end(rest)?;
    Ok((rest, command))
}

/// ```abnf
/// ("STAT" / "NOOP" / "RSET") CRLF
/// ```
///
/// `None` says nothing: there is [`plain_command_crlf`] for more.
#[inline(always)]
pub(crate) fn bare_command_crlf(input: &[u8]) -> Option<(&[u8], Verb, Command<'static>)> {
    let ([a, b, c, d, b'\r', b'\n'], rest) = input.split_first_chunk()? else { return None };
    match Verb::from_four([*a, *b, *c, *d]) {
        Verb::Noop => Some((rest, Verb::Noop, Command::Noop)),
        Verb::Stat => Some((rest, Verb::Stat, Command::Stat)),
        Verb::Rset => Some((rest, Verb::Rset, Command::Rset)),
        _ => None,
    }
}

/// ```abnf
/// ("STAT" / "NOOP" / "RSET" / "LIST" / "UIDL") CRLF
/// ("LIST" / "UIDL" / "RETR" / "DELE") SP message-number CRLF
/// "TOP" SP message-number SP number CRLF
/// ```
///
/// The commands that most of a session is made of, where there is nothing to tolerate. `None` says nothing: frame the line,
/// and parse that.
#[inline(always)]
pub(crate) fn plain_command_crlf(input: &[u8]) -> Option<(&[u8], Plain)> {
    let (keyword, rest) = input.split_first_chunk::<4>()?;
    let verb = Verb::from_four(*keyword);
    let bare = Plain { verb, shape: Shape::SingleLine, number: None, lines: 0 };
    let listing = Plain { shape: Shape::MultiLine, ..bare };
    let (rest, plain) = match verb {
        Verb::Stat | Verb::Noop | Verb::Rset => (rest, bare),
        Verb::List | Verb::Uidl if rest.first() != Some(&b' ') => (rest, listing),
        Verb::List | Verb::Uidl | Verb::Dele => {
            let (rest, number) = plain_message_number(rest.strip_prefix(b" ")?)?;
            (rest, Plain { number: Some(number), ..bare })
        }
        Verb::Retr => {
            let (rest, number) = plain_message_number(rest.strip_prefix(b" ")?)?;
            (rest, Plain { number: Some(number), ..listing })
        }
        Verb::Top => {
            let (rest, number) = plain_message_number(rest)?;
            let (rest, lines) = digits(rest.strip_prefix(b" ")?)?;
            (rest, Plain { number: Some(number), lines, ..listing })
        }
        _ => return None,
    };
    Some((rest.strip_prefix(b"\r\n")?, plain))
}

/// A command of the TRANSACTION state that is a keyword and numbers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plain {
    pub(crate) verb: Verb,
    /// What follows a `+OK` to it.
    pub(crate) shape: Shape,
    number: Option<MessageNumber>,
    lines: u64,
}

impl Plain {
    /// The command.
    #[inline(always)]
    pub(crate) const fn command(self) -> Command<'static> {
        let Self { verb, number, lines, .. } = self;
        match (verb, number) {
            (Verb::Retr, Some(number)) => Command::Retr(number),
            (Verb::Dele, Some(number)) => Command::Dele(number),
            (Verb::Top, Some(number)) => Command::Top { number, lines },
            (Verb::List, number) => Command::List(number),
            (Verb::Uidl, number) => Command::Uidl(number),
            (Verb::Stat, _) => Command::Stat,
            (Verb::Rset, _) => Command::Rset,
            _ => Command::Noop,
        }
    }
}

/// ```abnf
/// keyword = 3*4VCHAR    ; RFC 2449 §3; private ones may be longer
/// ```
fn keyword(line: &[u8]) -> IResult<'_, &[u8]> {
    match split_space(line) {
        ([], _) => error(line, if line.is_empty() { Fault::Empty } else { Fault::Space }),
        (keyword, rest) => match keyword.get(visible(keyword)) {
            Some(&octet) => error(line, Fault::Octet(octet)),
            None => Ok((rest, keyword)),
        },
    }
}

/// The line without spaces at its end, where that is tolerated.
fn trimmed<'i>(rest: &'i [u8], tolerance: &mut Tolerance) -> &'i [u8] {
    // (Spaces are all the white space that the line may have: control characters were looked for.)
    if rest.ends_with(b" ") && tolerance.pass(Quirk::TrailingSpaces) { rest.trim_ascii_end() } else { rest }
}

/// ```abnf
/// name = 1*VCHAR    ; RFC 1939 §7: "a string identifying a mailbox"; RFC 6856 §2.2 adds UTF8-2 to UTF8-4
/// ```
fn name<'i>(input: &'i [u8], tolerance: &mut Tolerance) -> IResult<'i, Name<'i>> {
    let spaces = memchr::memchr(b' ', input).is_some();
    match if spaces && tolerance.pass(Quirk::NameWithSpaces) { Name::with_spaces(input) } else { Name::new(input) } {
        Ok(name) => Ok((&[], name)),
        Err(Misuse::ForbiddenOctet { octet: b' ' }) => error(input, Fault::ExtraArgument),
        Err(misuse) => failure(input, argument_fault(&misuse)),
    }
}

/// ```abnf
/// string = 1*(SP / VCHAR)    ; RFC 1939 §7: spaces "may" be part of the password, and are
/// ```
fn password(input: &[u8]) -> IResult<'_, Password<'_>> {
    match Password::new(input) {
        Ok(password) => Ok((&[], password)),
        Err(misuse) => failure(input, argument_fault(&misuse)),
    }
}

/// ```abnf
/// apop   = name SP digest
/// digest = 32(DIGIT / %x61-66)    ; RFC 1939 §7: "sent in hexadecimal format, using lower-case ASCII characters"
/// ```
fn apop(input: &[u8]) -> IResult<'_, Apop<'_>> {
    let Some((name, digest)) = memchr::memrchr(b' ', input).and_then(|space| input.split_at_checked(space)) else {
        return error(input, Fault::MissingArgument);
    };
    let (digest, ()) = sp(digest)?;
    let name = match Name::new(name) {
        Ok(name) => name,
        Err(misuse) => return failure(input, argument_fault(&misuse)),
    };
    match Digest::new(digest) {
        Ok(digest) => Ok((&[], Apop { name, digest })),
        Err(_) => failure(digest, Fault::Digest),
    }
}

/// ```abnf
/// auth             = mechanism [SP initial-response]    ; RFC 5034 §5
/// initial-response = base64 / "="
/// ```
fn auth(input: &[u8]) -> IResult<'_, Auth<'_>> {
    let length = memchr::memchr(b' ', input).unwrap_or(input.len());
    let (mechanism, rest) = input.split_at_checked(length).unwrap_or((input, &[]));
    let mechanism = match Mechanism::new(mechanism) {
        Ok(mechanism) => mechanism,
        Err(misuse) => return failure(input, argument_fault(&misuse)),
    };
    let initial = match rest {
        [] => None,
        [b' ', initial @ ..] if is_base64_text(initial) || initial == b"=" => Some(Secret::from(initial)),
        _ => return failure(rest, Fault::Base64),
    };
    Ok((&[], Auth { mechanism, initial }))
}

/// ```abnf
/// [SP argument]
/// ```
fn opt_argument<'i, T>(
    input: &'i [u8],
    argument: impl nom::Parser<&'i [u8], Output = T, Error = Error<'i>>,
) -> IResult<'i, Option<T>> {
    if input.is_empty() { Ok((input, None)) } else { preceded(sp, argument).map(Some).parse(input) }
}

/// ```abnf
/// top = SP message-number SP number    ; RFC 1939 §7
/// ```
fn top(input: &[u8]) -> IResult<'_, Command<'_>> {
    let (rest, (number, lines)) = (preceded(sp, message_number), preceded(sp, lines)).parse(input)?;
    Ok((rest, Command::Top { number, lines }))
}

/// ```abnf
/// lang-tag = 1*(ALPHA / DIGIT / "-") / "*"    ; RFC 6856 §3.2
/// ```
fn tag(input: &[u8]) -> IResult<'_, LanguageTag<'_>> {
    match LanguageTag::new(input) {
        Ok(tag) => Ok((&[], tag)),
        Err(misuse) => failure(input, argument_fault(&misuse)),
    }
}

/// The fault that a checked type's refusal comes from.
pub(crate) const fn argument_fault(misuse: &Misuse) -> Fault {
    match misuse {
        Misuse::Empty => Fault::MissingArgument,
        Misuse::ForbiddenOctet { octet } => Fault::Octet(*octet),
        Misuse::NotUtf8 => Fault::Utf8,
        _ => Fault::TooLong,
    }
}

#[cfg(test)]
mod tests {
    use super::super::fault;
    use super::*;
    use crate::quirk::Quirks;
    use alloc::vec::Vec;

    fn strict(line: &'static str) -> Result<Command<'static>, Fault> {
        command_line(line.as_bytes(), &mut Tolerance::default()).map(|(_, command)| command).map_err(fault)
    }

    #[test]
    fn every_command_parses_to_what_encodes_to_it() {
        for line in [
            "USER mrose",
            "PASS tan staaf ",
            "PASS  leading",
            "APOP mrose c4c9334bac560ecc979e58001b3e22fb",
            "AUTH PLAIN",
            "AUTH PLAIN dGVzdAB0ZXN0AHRlc3Q=",
            "AUTH EXTERNAL =",
            "STLS",
            "UTF8",
            "STAT",
            "LIST",
            "LIST 1",
            "RETR 4294967295",
            "DELE 1",
            "NOOP",
            "RSET",
            "TOP 1 0",
            "TOP 1 18446744073709551615",
            "UIDL",
            "UIDL 2",
            "CAPA",
            "LANG",
            "LANG *",
            "LANG en-boont",
            "QUIT",
            "XTND XMIT  now",
        ] {
            let command = strict(line).unwrap();
            let mut encoded = Vec::new();
            command.encode(&mut encoded);
            assert_eq!(encoded, [line.as_bytes(), b"\r\n"].concat());
        }
    }

    #[test]
    fn a_command_that_is_read_with_its_crlf_is_what_the_line_is() {
        let keywords = [
            "NOOP", "stat", "RSET", "LIST", "UIDL", "Retr", "DELE", "TOP", "TOP\0", "QUIT", "CAPA", "UTF8", "XYZW",
            "NO",
        ];
        let arguments =
            ["", " ", " 1", "  1", " 0", " 1 0", " 1 18446744073709551616", " 4294967296", " 1 ", "\t1", " 1 2 3", "1"];
        let mut taken = 0;
        for keyword in keywords {
            for arguments in arguments {
                for behind in ["\r\n", "\r\nNOOP\r\n", "\n", "\r", ""] {
                    let line = alloc::format!("{keyword}{arguments}");
                    let input = alloc::format!("{line}{behind}");
                    if let Some((left, verb, command)) = bare_command_crlf(input.as_bytes()) {
                        assert_eq!(plain_command_crlf(input.as_bytes()).map(|(left, _)| left), Some(left));
                        assert_eq!((verb, command.shape()), (command.verb(), Shape::SingleLine));
                        let framed = command_line(line.as_bytes(), &mut Tolerance::default());
                        assert_eq!(Ok((&b""[..], command)), framed, "{input:?}");
                        taken += 1;
                    }
                    if let Some((left, plain)) = plain_command_crlf(input.as_bytes()) {
                        let command = plain.command();
                        assert_eq!((plain.verb, plain.shape), (command.verb(), command.shape()));
                        let framed = command_line(line.as_bytes(), &mut Tolerance::default());
                        assert_eq!(Ok((&b""[..], command)), framed, "{input:?}");
                        assert_eq!(left, &behind.as_bytes()[2..]);
                        assert!(crate::State::Transaction.permits(plain.verb));
                        taken += 1;
                    }
                }
            }
        }
        assert!(taken >= 16, "{taken}");
    }

    #[test]
    fn the_commands_that_most_of_a_session_is_made_of_are_read_with_their_crlf() {
        let number = MessageNumber::new(3).unwrap();
        for (line, expected) in [
            ("STAT", Command::Stat),
            ("noop", Command::Noop),
            ("Rset", Command::Rset),
            ("LIST", Command::List(None)),
            ("UIDL", Command::Uidl(None)),
            ("LIST 3", Command::List(Some(number))),
            ("UIDL 3", Command::Uidl(Some(number))),
            ("RETR 3", Command::Retr(number)),
            ("DELE 3", Command::Dele(number)),
            ("TOP 3 7", Command::Top { number, lines: 7 }),
        ] {
            let input = alloc::format!("{line}\r\nQUIT\r\n");
            let bare = matches!(expected, Command::Stat | Command::Noop | Command::Rset);
            let found = bare_command_crlf(input.as_bytes()).map(|(left, _, command)| (left, command));
            assert_eq!(found, bare.then(|| (&b"QUIT\r\n"[..], expected.clone())), "{line}");
            let found = plain_command_crlf(input.as_bytes()).map(|(left, plain)| (left, plain.command()));
            assert_eq!(found, Some((&b"QUIT\r\n"[..], expected)), "{line}");
        }
    }

    #[test]
    fn spaces_at_the_end_are_tolerated_and_noted_where_there_are_any() {
        let parse = |line: &'static str, allowed| {
            let mut tolerance = Tolerance::new(allowed);
            let parsed = command_line(line.as_bytes(), &mut tolerance).map(|(_, command)| command).map_err(fault);
            (parsed, tolerance.seen)
        };
        let allowed = Quirks::STRICT.with(Quirk::TrailingSpaces);
        assert_eq!(parse("NOOP", allowed), (Ok(Command::Noop), Quirks::STRICT));
        assert_eq!(parse("NOOP  ", allowed), (Ok(Command::Noop), allowed));
        assert_eq!(parse("NOOP ", Quirks::TOLERANT.without(Quirk::TrailingSpaces)).0, Err(Fault::ExtraArgument));
        // RFC 1939 §7: spaces may be part of a password.
        assert_eq!(parse("PASS a ", allowed), (Ok(Command::pass("a ").unwrap()), Quirks::STRICT));
    }

    #[test]
    fn what_is_no_command_line_is_refused_with_its_reason() {
        for (line, reason) in [
            ("", Fault::Empty),
            (" NOOP", Fault::Space),
            ("NOOP ", Fault::ExtraArgument),
            ("NOOP 1", Fault::ExtraArgument),
            ("USER", Fault::MissingArgument),
            ("USER ", Fault::MissingArgument),
            ("USER a b", Fault::ExtraArgument),
            ("USER  a", Fault::ExtraArgument),
            ("PASS", Fault::MissingArgument),
            ("PASS ", Fault::MissingArgument),
            ("APOP mrose", Fault::MissingArgument),
            ("APOP mrose C4C9334BAC560ECC979E58001B3E22FB", Fault::Digest),
            ("APOP mrose c4c9", Fault::Digest),
            ("AUTH", Fault::MissingArgument),
            ("AUTH ", Fault::MissingArgument),
            ("AUTH PLAIN *", Fault::Base64),
            ("AUTH PLAIN dGVzdA", Fault::Base64),
            ("AUTH PLAIN dGVzdA== x", Fault::Base64),
            ("RETR", Fault::MissingArgument),
            ("RETR ", Fault::MissingArgument),
            ("RETR  1", Fault::Number),
            ("RETR 0", Fault::NumberZero),
            ("RETR -1", Fault::Number),
            ("RETR +1", Fault::Number),
            ("RETR 1x", Fault::ExtraArgument),
            ("RETR 1.0", Fault::ExtraArgument),
            ("RETR 1 2", Fault::ExtraArgument),
            ("RETR 4294967297", Fault::NumberTooBig),
            ("LIST ", Fault::MissingArgument),
            ("LIST x", Fault::Number),
            ("TOP 1", Fault::MissingArgument),
            ("TOP 1 -1", Fault::Number),
            ("TOP 1 +1", Fault::Number),
            ("TOP 1 1 1", Fault::ExtraArgument),
            ("LANG a_b", Fault::Octet(b'_')),
            ("NO\0OP", Fault::Octet(0)),
            ("NOOP\nNOOP", Fault::Octet(b'\n')),
            ("NOOP\r", Fault::Octet(b'\r')),
            ("RETR\t1", Fault::Octet(b'\t')),
        ] {
            assert_eq!(strict(line), Err(reason), "{line:?}");
        }
    }

    #[test]
    fn keywords_fold_case_and_arguments_do_not() {
        assert_eq!(strict("uSeR MRose").map(|command| format!("{command:?}")), Ok("User(Name(\"MRose\"))".into()));
    }
}
