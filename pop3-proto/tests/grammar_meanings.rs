//! The public grammar means what nom means: `Incomplete` for a line or response that does not end in the buffer, `Error`
//! where another production might match, `Failure` where none can. A parser that says `Error` for a short buffer makes a
//! caller give up; one that says `Incomplete` for a line that is too long makes him read for ever.

use nom::Parser as _;
use nom::branch::alt;
use nom::combinator::map;
use pop3_proto::grammar::{self, Fault, Grammar, IResult};
use pop3_proto::{Command, Quirk, Quirks, Status};

/// What came out, without the value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Meaning {
    Ok,
    Incomplete,
    Error(Fault),
    Failure(Fault),
}

fn meaning<T>(input: &[u8], result: IResult<'_, T>) -> Meaning {
    let inside = |at: &[u8]| {
        let (whole, part) = (input.as_ptr_range(), at.as_ptr_range());
        assert!(whole.start <= part.start && part.end <= whole.end, "an error points into the input");
    };
    match result {
        Ok((rest, _)) => {
            inside(rest);
            Meaning::Ok
        }
        Err(nom::Err::Incomplete(_)) => Meaning::Incomplete,
        Err(nom::Err::Error(error)) => {
            inside(error.input);
            Meaning::Error(error.fault)
        }
        Err(nom::Err::Failure(error)) => {
            inside(error.input);
            Meaning::Failure(error.fault)
        }
    }
}

#[test]
fn a_buffer_that_ends_too_early_is_incomplete() {
    for front in
        [&b""[..], b"+", b"+O", b"+OK", b"+OK ", b"+OK x\r", b"-", b"-ERR no", b"x", b"* OK", b"\r", b"\0", b"\xff"]
    {
        assert_eq!(meaning(front, grammar::status_line(front)), Meaning::Incomplete, "{}", front.escape_ascii());
        assert_eq!(meaning(front, grammar::scan_listing(front)), Meaning::Incomplete, "{}", front.escape_ascii());
        assert_eq!(meaning(front, grammar::unique_id_listing(front)), Meaning::Incomplete);
        assert_eq!(meaning(front, grammar::capability_list(front)), Meaning::Incomplete);
        assert_eq!(meaning(front, grammar::message(front)), Meaning::Incomplete);
        assert_eq!(meaning(front, grammar::command(front)), Meaning::Incomplete);
    }
    for front in [
        &b"+OK\r\n"[..],
        b"+OK\r\n.",
        b"+OK\r\n.\r",
        b"+OK\r\n1 120\r\n",
        b"+OK\r\n.\n",
        b"+OK\r\n\r\n",
        b"+OK\r\n. \r\n",
    ] {
        assert_eq!(meaning(front, grammar::scan_listing(front)), Meaning::Incomplete, "{}", front.escape_ascii());
        assert_eq!(meaning(front, grammar::message(front)), Meaning::Incomplete, "{}", front.escape_ascii());
        assert_eq!(meaning(front, grammar::status_line(front)), Meaning::Ok, "{}", front.escape_ascii());
    }
}

#[test]
fn octets_of_another_production_are_an_error() {
    for line in [&b"QUIT\r\n"[..], b"+ \r\n", b"* OK\r\n", b"\r\n", b"+OKfoo\r\n", b"+ok\r\n", b"1 120\r\n", b".\r\n"] {
        let expected = Meaning::Error(Fault::NoStatus);
        assert_eq!(meaning(line, grammar::status_line(line)), expected, "{}", line.escape_ascii());
        assert_eq!(meaning(line, grammar::scan_listing(line)), expected, "{}", line.escape_ascii());
        assert_eq!(meaning(line, grammar::message(line)), expected, "{}", line.escape_ascii());
    }
    assert_eq!(meaning(b"\r\n", grammar::command(b"\r\n")), Meaning::Error(Fault::Empty));
    assert_eq!(meaning(b" NOOP\r\n", grammar::command(b" NOOP\r\n")), Meaning::Error(Fault::Space));
}

#[test]
fn octets_that_break_a_rule_of_their_production_are_a_failure() {
    for (line, fault) in [
        (&b"RETR 0\r\n"[..], Fault::NumberZero),
        (b"RETR 4294967296\r\n", Fault::NumberTooBig),
        (b"TOP 4294967297 0\r\n", Fault::NumberTooBig),
        (b"NO\0OP\r\n", Fault::Octet(0)),
        (b"PASS a\tb\r\n", Fault::Octet(b'\t')),
        (b"USER a\nb\r\n", Fault::Octet(b'\n')),
        (b"APOP mrose c4c9\r\n", Fault::Digest),
        (b"AUTH PLAIN *\r\n", Fault::Base64),
        (b"USER \xff\r\n", Fault::Utf8),
    ] {
        assert_eq!(meaning(line, grammar::command(line)), Meaning::Failure(fault), "{}", line.escape_ascii());
    }
    for line in [&b"+OK\n"[..], b"-ERR no\n", b"x\n"] {
        assert_eq!(meaning(line, grammar::status_line(line)), Meaning::Failure(Fault::Octet(b'\n')));
        assert_eq!(meaning(line, grammar::message(line)), Meaning::Failure(Fault::Octet(b'\n')));
    }
}

#[test]
fn a_line_beyond_the_limit_is_a_failure_and_never_incomplete() {
    let long = [b"+OK ".as_slice(), &[b'a'; 508]].concat();
    assert_eq!(meaning(&long[..511], grammar::status_line(&long[..511])), Meaning::Incomplete);
    assert_eq!(meaning(&long, grammar::status_line(&long)), Meaning::Failure(Fault::TooLong));
    let row = [b"+OK\r\n".as_slice(), &[b'1'; 512]].concat();
    assert_eq!(meaning(&row[..516], grammar::scan_listing(&row[..516])), Meaning::Incomplete);
    assert_eq!(meaning(&row, grammar::scan_listing(&row)), Meaning::Failure(Fault::TooLong));
    let command = [b'a'; 512];
    assert_eq!(meaning(&command[..511], grammar::command(&command[..511])), Meaning::Incomplete);
    assert_eq!(meaning(&command, grammar::command(&command)), Meaning::Failure(Fault::TooLong));
    let body = [b"+OK\r\n".as_slice(), &[b'a'; 100_000]].concat();
    assert_eq!(meaning(&body, grammar::message(&body)), Meaning::Incomplete, "a line of a message has no limit");
}

#[test]
fn the_parsers_stand_beside_each_other_in_nom() {
    let either = |input| -> IResult<'_, String> {
        alt((
            map(grammar::status_line, |line| format!("{} {}", line.status, line.text)),
            map(grammar::command, |command| format!("{command:?}")),
        ))
        .parse(input)
    };
    assert_eq!(either(b"+OK hi\r\nrest"), Ok((&b"rest"[..], "+OK hi".to_owned())));
    assert_eq!(either(b"QUIT\r\n"), Ok((&b""[..], "Quit".to_owned())));
    assert!(either(b"QUIT").is_err_and(|error| error.is_incomplete()));
    // A failure is final: the second parser is not asked.
    assert!(matches!(either(b"+OK\n"), Err(nom::Err::Failure(error)) if error.fault == Fault::Octet(b'\n')));
}

#[test]
fn an_err_has_no_lines_behind_it() {
    let (rest, response) = grammar::scan_listing(b"-ERR [SYS/TEMP] later\r\n1 120\r\n.\r\n").unwrap();
    assert_eq!(rest, b"1 120\r\n.\r\n");
    assert_eq!(response.status.status, Status::Err);
    assert!(response.content.is_empty());
    let (rest, response) = grammar::message(b"-ERR no\r\n.\r\n").unwrap();
    assert_eq!((rest, response.content.as_ref()), (&b".\r\n"[..], &b""[..]));
}

#[test]
fn a_row_that_makes_no_sense_is_a_fault_in_its_place() {
    let (rest, response) = grammar::scan_listing(b"+OK\r\n1 120\r\nx\r\n-ERR no\r\n\r\n2 200 extra\r\n.\r\n").unwrap();
    assert!(rest.is_empty());
    let faults: Vec<_> = response.content.iter().map(|row| row.as_ref().err().copied()).collect();
    assert_eq!(faults, [None, Some(Fault::Number), Some(Fault::LooksLikeErr), Some(Fault::Empty), None]);
    let (_, response) = grammar::capability_list(b"+OK\r\nTOP\r\n\r\n..x\r\n.y\r\nA\0\r\n.\r\n").unwrap();
    let faults: Vec<_> = response.content.iter().map(|row| row.as_ref().err().copied()).collect();
    assert_eq!(faults, [None, Some(Fault::Empty), None, None, Some(Fault::Octet(0))]);
}

#[test]
fn text_borrows_from_the_input_unless_a_dot_was_removed() {
    let plain = b"+OK\r\nSubject: hi\r\n\r\nbody.\r\n.\r\n";
    assert!(matches!(grammar::message(plain).unwrap().1.content, std::borrow::Cow::Borrowed(_)));
    let dotted = b"+OK\r\nhi\r\n..x\r\n.\r\n";
    assert_eq!(grammar::message(dotted).unwrap().1.content.as_ref(), b"hi\r\n.x\r\n");
}

#[test]
fn each_tolerance_of_the_grammar_is_one_setting() {
    let strict = Grammar::new(Quirks::STRICT);
    for (quirk, wire) in [
        (Quirk::BareLf, &b"+OK\n1 a\n.\n"[..]),
        (Quirk::StatusTab, b"+OK\tx\r\n1 a\r\n.\r\n"),
        (Quirk::ExtraSpaces, b"+OK\r\n1   a\r\n.\r\n"),
        (Quirk::UniqueIdOctets, b"+OK\r\n1 a b\r\n.\r\n"),
    ] {
        let taken = |grammar: Grammar| {
            grammar.unique_id_listing(wire).is_ok_and(|(_, response)| response.content.iter().all(Result::is_ok))
        };
        assert!(!taken(strict), "{quirk:?}");
        assert!(taken(Grammar::new(Quirks::STRICT.with(quirk))), "{quirk:?}");
        assert!(!taken(Grammar::new(Quirks::TOLERANT.without(quirk))), "{quirk:?}");
    }
    let long = [b"+OK ".as_slice(), &[b'a'; 600], b"\r\n"].concat();
    assert!(strict.status_line(&long).is_err());
    assert!(Grammar::new(Quirks::STRICT.with(Quirk::LongStatus)).status_line(&long).is_ok());
    for (quirk, wire, expected) in [
        (Quirk::BareLfCommand, &b"NOOP\n"[..], Command::Noop),
        (Quirk::TrailingSpaces, b"NOOP  \r\n", Command::Noop),
        (Quirk::TrailingSpaces, b"RETR 1 \r\n", Command::retr(1).unwrap()),
    ] {
        assert!(strict.command(wire).is_err());
        assert_eq!(Grammar::new(Quirks::STRICT.with(quirk)).command(wire), Ok((&b""[..], expected)));
    }
}
