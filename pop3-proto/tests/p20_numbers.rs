//! P20: a number is decimal digits and nothing else; 0, a sign, and what does not fit 32 bits (messages) or 64 bits
//! (octets) are typed answers. A number that wraps would name another message (2^32 + 1 would be message 1), and one that
//! stops at the first odd octet would delete it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{asking, given, server};
use pop3_proto::grammar::Fault;
use pop3_proto::{
    Client, Command, Config, Data, Event, Incoming, Maildrop, MessageNumber, Misuse, Quirk, Refusal, ScanListing,
    Unavailable, Verb,
};

const MAX_32: &str = "4294967295";
const OVER_32: &str = "4294967296";
const ONE_OVER_32: &str = "4294967297";
const MAX_64: &str = "18446744073709551615";
const OVER_64: &str = "18446744073709551616";
const ONE_OVER_64: &str = "18446744073709551617";
const E_40: &str = "10000000000000000000000000000000000000000";

/// What is no message-number, and why.
const NO_NUMBER: [(&str, Fault); 22] = [
    ("", Fault::MissingArgument),
    ("0", Fault::NumberZero),
    ("00", Fault::NumberZero),
    ("-0", Fault::Number),
    ("-1", Fault::Number),
    ("+1", Fault::Number),
    ("x", Fault::Number),
    (".1", Fault::Number),
    ("\u{ff11}", Fault::Number),
    ("\u{661}", Fault::Number),
    ("1x", Fault::ExtraArgument),
    ("1_0", Fault::ExtraArgument),
    ("1.0", Fault::ExtraArgument),
    ("1,000", Fault::ExtraArgument),
    ("1e40", Fault::ExtraArgument),
    ("0x1", Fault::NumberZero),
    (OVER_32, Fault::NumberTooBig),
    (ONE_OVER_32, Fault::NumberTooBig),
    (MAX_64, Fault::NumberTooBig),
    (OVER_64, Fault::NumberTooBig),
    (ONE_OVER_64, Fault::NumberTooBig),
    (E_40, Fault::NumberTooBig),
];

/// What is a message-number, and which.
const NUMBER: [(&str, u32); 7] = [
    ("1", 1),
    ("2", 2),
    ("01", 1),
    ("0000000000000000000000000000000000000000000000001", 1),
    ("10", 10),
    ("4294967294", u32::MAX - 1),
    (MAX_32, u32::MAX),
];

fn number(number: u32) -> MessageNumber {
    MessageNumber::new(number).unwrap()
}

#[test]
fn a_server_refuses_what_is_no_message_number_and_says_why() {
    for (text, fault) in NO_NUMBER {
        for (command, verb) in [
            (format!("RETR {text}\r\n"), Verb::Retr),
            (format!("DELE {text}\r\n"), Verb::Dele),
            (format!("LIST {text}\r\n"), Verb::List),
            (format!("UIDL {text}\r\n"), Verb::Uidl),
            (format!("TOP {text} 1\r\n"), Verb::Top),
        ] {
            let mut server = server(Config::new());
            let (mut input, mut out) = (command.as_bytes(), Vec::new());
            let incoming = server.next_event(&mut input, &mut out).unwrap();
            let Some(Incoming::Refused { verb: refused, refusal: Refusal::Syntax(why) }) = incoming else {
                panic!("{command:?}: {incoming:?}");
            };
            assert_eq!(refused, verb, "{command:?}");
            let fault = if verb == Verb::Top { before_a_space(fault) } else { fault };
            assert_eq!(why, fault, "{command:?}");
            assert!(out.starts_with(b"-ERR "));
            assert_eq!(server.owes(), None);
        }
    }
}

/// The same fault where a space and something else must follow the number.
fn before_a_space(fault: Fault) -> Fault {
    match fault {
        Fault::ExtraArgument => Fault::Space,
        Fault::MissingArgument => Fault::Number,
        other => other,
    }
}

#[test]
fn a_server_takes_leading_zeros_by_their_value_and_the_largest_number() {
    for (text, value) in NUMBER {
        let number = number(value);
        for (command, expected) in [
            (format!("RETR {text}\r\n"), Command::Retr(number)),
            (format!("DELE {text}\r\n"), Command::Dele(number)),
            (format!("LIST {text}\r\n"), Command::List(Some(number))),
            (format!("UIDL {text}\r\n"), Command::Uidl(Some(number))),
            (format!("TOP {text} 1\r\n"), Command::Top { number, lines: 1 }),
        ] {
            assert_eq!(
                given(&mut server(Config::new()), command.as_bytes()),
                Some(Incoming::Command(expected)),
                "{command:?}"
            );
        }
    }
}

#[test]
fn the_line_count_of_top_saturates_and_nothing_else_does() {
    for (text, lines) in [
        ("0", 0),
        ("00", 0),
        ("1", 1),
        (ONE_OVER_32, (1 << 32) + 1),
        (MAX_64, u64::MAX),
        (OVER_64, u64::MAX),
        (ONE_OVER_64, u64::MAX),
        (E_40, u64::MAX),
    ] {
        let incoming = given(&mut server(Config::new()), format!("TOP 1 {text}\r\n").as_bytes());
        assert_eq!(incoming, Some(Incoming::Command(Command::Top { number: number(1), lines })), "{text}");
    }
    for text in ["", "-1", "+1", "x", "1x", "1_0", "1.0", "1e40", "1 1"] {
        let incoming = given(&mut server(Config::new()), format!("TOP 1 {text}\r\n").as_bytes());
        assert!(
            matches!(incoming, Some(Incoming::Refused { verb: Verb::Top, refusal: Refusal::Syntax(_) })),
            "{text}: {incoming:?}"
        );
    }
}

#[test]
fn a_number_beyond_the_maildrop_names_no_message() {
    let mut maildrop = Maildrop::new([(120, "a"), (200, "b")]).unwrap();
    for beyond in [3, 4, u32::MAX - 1, u32::MAX] {
        assert_eq!(maildrop.get(number(beyond)), Err(Unavailable::NoSuchMessage));
        assert_eq!(maildrop.dele(number(beyond)), Err(Unavailable::NoSuchMessage));
    }
    maildrop.dele(number(2)).unwrap();
    assert_eq!(maildrop.get(number(2)), Err(Unavailable::Deleted));
    assert_eq!(maildrop.dele(number(2)), Err(Unavailable::Deleted));
    assert_eq!(maildrop.stat().messages, 1);
    assert_eq!(maildrop.deleted().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_client_does_not_name_message_0() {
    for command in [Command::retr(0), Command::dele(0), Command::list(0), Command::uidl(0), Command::top(0, 1)] {
        assert_eq!(command, Err(Misuse::MessageNumberZero));
    }
}

/// The events of a listing that consists of one odd row between two good ones.
fn rows<'l>(client: &mut Client, listing: &'l str) -> Vec<Event<'l>> {
    let mut input = listing.as_bytes();
    let mut events = Vec::new();
    while let Some(event) = client.next_event(&mut input).unwrap() {
        events.push(event);
    }
    events
}

#[test]
fn a_client_reports_a_bad_row_and_stays_in_step() {
    // A dot in front of a row is stuffing, and a space is what `Quirk::ExtraSpaces` takes.
    for (text, fault) in NO_NUMBER.into_iter().filter(|(text, _)| !text.is_empty() && !text.starts_with(['.', ' '])) {
        for (command, row, verb) in [
            (Command::List(None), format!("{text} 120"), Verb::List),
            (Command::Uidl(None), format!("{text} abc"), Verb::Uidl),
        ] {
            let good = if verb == Verb::List { "7 700" } else { "7 id7" };
            let listing = format!("+OK\r\n{good}\r\n{row}\r\n{good}\r\n.\r\n");
            let mut client = asking(Config::new(), &command);
            let events = rows(&mut client, &listing);
            assert_eq!(events.len(), 5, "{row:?}: {events:?}");
            let Event::BadRow { of, line, fault: why } = &events[2] else { panic!("{row:?}: {:?}", events[2]) };
            assert_eq!((*of, line.as_bytes()), (verb, row.as_bytes()));
            assert_eq!(*why, before_a_space(fault), "{row:?}");
            assert_eq!(events[1], events[3]);
            assert_eq!(events[4], Event::End { of: verb });
            assert_eq!(client.may_send(&Command::Noop), Ok(()));
        }
    }
}

#[test]
fn a_client_takes_the_numbers_of_a_listing_by_their_values() {
    for (text, value) in NUMBER {
        let mut client = asking(Config::new(), &Command::List(None));
        let listing = format!("+OK\r\n{text} {MAX_64}\r\n.\r\n");
        let events = rows(&mut client, &listing);
        assert_eq!(events[1], Event::Scan(ScanListing { number: number(value), octets: u64::MAX }), "{text}");
    }
}

#[test]
fn octets_are_64_bits_and_never_wrap() {
    for (text, octets) in [
        ("0", Some(0)),
        ("00", Some(0)),
        ("120", Some(120)),
        ("0120", Some(120)),
        (OVER_32, Some(1 << 32)),
        (ONE_OVER_32, Some((1 << 32) + 1)),
        (MAX_64, Some(u64::MAX)),
        (OVER_64, None),
        (ONE_OVER_64, None),
        (E_40, None),
        ("-1", None),
        ("+1", None),
        ("1x", None),
        ("1_0", None),
        ("1e40", None),
        ("", None),
    ] {
        let row = format!("+OK\r\n1 {text}\r\n.\r\n");
        let mut client = asking(Config::new().strict(), &Command::List(None));
        let found = match &rows(&mut client, &row)[1] {
            Event::Scan(listing) => Some(listing.octets),
            Event::BadRow { fault, .. } => {
                assert_eq!(*fault == Fault::NumberTooBig, text.len() >= MAX_64.len(), "{row:?}: {fault:?}");
                None
            }
            other => panic!("{row:?}: {other:?}"),
        };
        assert_eq!(found, octets, "{row:?}");

        let mut client = asking(Config::new().strict(), &Command::list(1).unwrap());
        let line = format!("+OK 1 {text}\r\n");
        let data = data(&mut client, &line);
        match octets {
            Some(octets) => assert_eq!(data, Data::Scan(ScanListing { number: number(1), octets }), "{line:?}"),
            None => assert!(matches!(data, Data::Malformed(_)), "{line:?}: {data:?}"),
        }

        let mut client = asking(Config::new().strict(), &Command::Stat);
        let line = format!("+OK 2 {text}\r\n");
        match (self::data(&mut client, &line), octets) {
            (Data::Drop(listing), Some(_)) => assert_eq!((listing.messages, listing.octets), (2, octets), "{line:?}"),
            (Data::Malformed(_), None) => {}
            (other, _) => panic!("{line:?}: {other:?}"),
        }
        assert_eq!(client.may_send(&Command::Noop), Ok(()), "the session goes on");
    }
}

/// The data of a single-line answer.
fn data<'l>(client: &mut Client, line: &'l str) -> Data<'l> {
    match rows(client, line).pop() {
        Some(Event::Ok { data, .. }) => data,
        other => panic!("{line:?}: {other:?}"),
    }
}

#[test]
fn the_message_count_of_stat_is_32_bits_and_may_be_0() {
    for (text, messages) in [
        ("0", Some(0)),
        ("007", Some(7)),
        (MAX_32, Some(u32::MAX)),
        (OVER_32, None),
        (OVER_64, None),
        (E_40, None),
        ("-1", None),
        ("+1", None),
        ("1x", None),
    ] {
        let line = format!("+OK {text} 320\r\n");
        match (data(&mut asking(Config::new(), &Command::Stat), &line), messages) {
            (Data::Drop(listing), Some(messages)) => {
                assert_eq!((listing.messages, listing.octets), (messages, Some(320)));
            }
            (Data::Malformed(_), None) => {}
            (other, _) => panic!("{line:?}: {other:?}"),
        }
    }
    for line in
        ["+OK\r\n", "+OK \r\n", "+OK 2\r\n", "+OK 2 \r\n", "+OK two 320\r\n", "+OK  2 320\r\n", "+OK 2 320x\r\n"]
    {
        let data = data(&mut asking(Config::new().strict(), &Command::Stat), line);
        assert!(matches!(data, Data::Malformed(_)), "{line:?}: {data:?}");
    }
}

#[test]
fn the_answer_to_one_message_is_malformed_where_its_number_is() {
    for (text, _) in NO_NUMBER {
        let line = format!("+OK {text} 120\r\n");
        let data = data(&mut asking(Config::new(), &Command::list(1).unwrap()), &line);
        assert!(matches!(data, Data::Malformed(_)), "{line:?}: {data:?}");
        let line = format!("+OK {text} abc\r\n");
        let data = self::data(&mut asking(Config::new(), &Command::uidl(1).unwrap()), &line);
        assert!(matches!(data, Data::Malformed(_)), "{line:?}: {data:?}");
    }
}

#[test]
fn a_negative_size_is_no_size_where_that_is_tolerated() {
    let line = "+OK 3 -2147483648\r\n";
    let mut client = asking(Config::new(), &Command::Stat);
    match data(&mut client, line) {
        Data::Drop(listing) => assert_eq!((listing.messages, listing.octets), (3, None)),
        other => panic!("{other:?}"),
    }
    assert!(client.quirks_seen().contains(Quirk::NegativeOctets));
    let mut client = asking(Config::new().without_quirk(Quirk::NegativeOctets), &Command::Stat);
    assert!(matches!(data(&mut client, line), Data::Malformed(_)));
    assert!(client.quirks_seen().is_empty());
}

#[test]
fn the_octets_that_retr_announces_are_a_hint_that_never_wraps() {
    for (text, hint) in [
        ("120 octets", Some(120)),
        ("120", Some(120)),
        (MAX_64, Some(u64::MAX)),
        (OVER_64, None),
        (E_40, None),
        ("-1 octets", None),
        ("+1 octets", None),
        ("message follows", None),
        ("", None),
        ("1_0 octets", None),
    ] {
        let line = format!("+OK {text}\r\n");
        let expected = hint.map_or(Data::None, Data::Octets);
        assert_eq!(data(&mut asking(Config::new(), &Command::retr(1).unwrap()), &line), expected, "{line:?}");
    }
}
