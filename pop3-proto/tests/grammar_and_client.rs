//! DESIGN, promise 10 of the short list: parse, encode, parse is identity; and the public grammar and the client read the
//! same octets as the same values, want more at the same places, and refuse the same. A limit, a tolerance or an end that
//! only one of the two knows would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{asking, canonical};
use pop3_proto::grammar::{self, Fault, Grammar, IResult, Response};
use pop3_proto::{
    Capability, Command, Config, Error, Event, Expiry, MessageNumber, Quirks, ResponseCode, ScanListing, Status,
    StatusLine, Text, UniqueId, UniqueIdListing,
};
use proptest::prelude::*;

/// What one of the two made of a response, its values printed.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Read {
    /// It is whole: status line, content, and how many octets are left.
    Whole { status: String, content: Content, left: usize },
    /// It does not end in the buffer.
    More,
    /// It is none.
    Refused(Why),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Content {
    Rows(Vec<String>),
    Text(Vec<u8>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Why {
    NoStatus,
    BareLf,
    TooLong,
}

/// The multi-line responses.
#[derive(Clone, Copy, Debug)]
enum Kind {
    Scan,
    UniqueId,
    Capability,
    Retr,
    Top,
}

const KINDS: [Kind; 5] = [Kind::Scan, Kind::UniqueId, Kind::Capability, Kind::Retr, Kind::Top];

impl Kind {
    fn command(self) -> Command<'static> {
        match self {
            Self::Scan => Command::List(None),
            Self::UniqueId => Command::Uidl(None),
            Self::Capability => Command::Capa,
            Self::Retr => Command::retr(1).unwrap(),
            Self::Top => Command::top(1, 5).unwrap(),
        }
    }

    fn parsed(self, grammar: Grammar, wire: &[u8]) -> Read {
        match self {
            Self::Scan => read(grammar.scan_listing(wire), rows),
            Self::UniqueId => read(grammar.unique_id_listing(wire), rows),
            Self::Capability => read(grammar.capability_list(wire), rows),
            Self::Retr | Self::Top => read(grammar.message(wire), |text| Content::Text(text.into_owned())),
        }
    }
}

fn rows<T: core::fmt::Debug>(rows: Vec<Result<T, Fault>>) -> Content {
    Content::Rows(rows.iter().map(|row| format!("{row:?}")).collect())
}

fn read<'i, T>(result: IResult<'i, Response<'i, T>>, content: impl FnOnce(T) -> Content) -> Read {
    match result {
        Ok((left, response)) => Read::Whole {
            status: format!("{:?} {:?} {:?}", response.status.status, response.status.code, response.status.text),
            content: content(response.content),
            left: left.len(),
        },
        Err(nom::Err::Incomplete(_)) => Read::More,
        Err(nom::Err::Error(error) | nom::Err::Failure(error)) => Read::Refused(match error.fault {
            Fault::NoStatus => Why::NoStatus,
            Fault::Octet(b'\n') => Why::BareLf,
            Fault::TooLong => Why::TooLong,
            other => panic!("{other:?}"),
        }),
    }
}

/// The same from a client that asked, fed in chunks.
fn heard(kind: Kind, config: &Config, chunks: &[&[u8]]) -> Read {
    let mut client = asking(config.clone(), &kind.command());
    let mut status = String::new();
    let mut content =
        if matches!(kind, Kind::Retr | Kind::Top) { Content::Text(Vec::new()) } else { Content::Rows(Vec::new()) };
    let mut behind: usize = chunks.iter().map(|chunk| chunk.len()).sum();
    for chunk in chunks {
        let mut input = *chunk;
        behind -= chunk.len();
        loop {
            let event = match client.next_event(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(Error::NoStatus { .. }) => return Read::Refused(Why::NoStatus),
                Err(Error::BareLf) => return Read::Refused(Why::BareLf),
                Err(Error::LineTooLong { .. }) => return Read::Refused(Why::TooLong),
                Err(other) => panic!("{other:?}"),
            };
            match (event, &mut content) {
                (Event::Ok { code, text, .. }, _) => status = format!("{:?} {code:?} {text:?}", Status::Ok),
                (Event::Err { code, text, .. }, _) => {
                    let status = format!("{:?} {code:?} {text:?}", Status::Err);
                    return Read::Whole { status, content, left: input.len() + behind };
                }
                (Event::End { .. }, _) => return Read::Whole { status, content, left: input.len() + behind },
                (Event::Body(octets), Content::Text(text)) => text.extend_from_slice(octets),
                (Event::Scan(listing), Content::Rows(rows)) => rows.push(format!("{:?}", Ok::<_, Fault>(listing))),
                (Event::UniqueId(listing), Content::Rows(rows)) => rows.push(format!("{:?}", Ok::<_, Fault>(listing))),
                (Event::Capability(row), Content::Rows(rows)) => rows.push(format!("{:?}", Ok::<_, Fault>(row))),
                (Event::BadRow { fault, .. }, Content::Rows(rows)) => rows.push(format!("{:?}", Err::<(), _>(fault))),
                (other, _) => panic!("{other:?}"),
            }
        }
    }
    Read::More
}

fn settings() -> [(Quirks, Config); 2] {
    [(Quirks::STRICT, Config::new().strict()), (Quirks::TOLERANT, Config::new())]
}

/// Grammar and client agree about these octets, whole and cut.
fn agree(kind: Kind, wire: &[u8], places: &[usize]) {
    for (quirks, config) in settings() {
        let parsed = kind.parsed(Grammar::new(quirks), wire);
        for chunks in [vec![wire], wire.chunks(1).collect(), oracle::cut_at(wire, places)] {
            assert_eq!(heard(kind, &config, &chunks), parsed, "{kind:?} of {} under {quirks:?}", wire.escape_ascii());
        }
    }
}

fn status() -> impl Strategy<Value = StatusLine<'static>> {
    let code = prop_oneof![
        4 => Just(None),
        1 => Just(Some(ResponseCode::InUse)),
        1 => Just(Some(ResponseCode::new("SYS/TEMP").unwrap())),
        1 => Just(Some(ResponseCode::new("X-OWN/CODE").unwrap())),
    ];
    let text = prop_oneof![Just(String::new()), "[!-Z\\\\-~][ -~]{0,40}", "[a-zé€]{1,9}", " [ -Z]{0,4}"];
    (prop_oneof![9 => Just(Status::Ok), 1 => Just(Status::Err)], code, text)
        .prop_map(|(status, code, text)| StatusLine { status, code, text: Text::from(text.into_bytes()) })
}

fn number() -> impl Strategy<Value = MessageNumber> {
    prop_oneof![1..50_u32, Just(u32::MAX), 1..=u32::MAX].prop_map(|number| MessageNumber::new(number).unwrap())
}

fn scan() -> impl Strategy<Value = ScanListing> {
    (number(), prop_oneof![0..5000_u64, Just(u64::MAX), any::<u64>()])
        .prop_map(|(number, octets)| ScanListing { number, octets })
}

fn unique_id() -> impl Strategy<Value = UniqueIdListing<'static>> {
    (number(), "[!-~]{1,70}")
        .prop_map(|(number, id)| UniqueIdListing { number, id: UniqueId::new(&id).unwrap().into_owned() })
}

fn capability() -> impl Strategy<Value = Capability<'static>> {
    prop_oneof![
        Just(Capability::Top),
        Just(Capability::User),
        Just(Capability::RespCodes),
        Just(Capability::AuthRespCode),
        Just(Capability::Pipelining),
        Just(Capability::Uidl),
        Just(Capability::Stls),
        Just(Capability::Lang),
        any::<bool>().prop_map(|user| Capability::Utf8 { user }),
        (any::<u32>(), any::<bool>()).prop_map(|(seconds, per_user)| Capability::LoginDelay { seconds, per_user }),
        (any::<u32>(), any::<bool>())
            .prop_map(|(days, per_user)| Capability::Expire { after: Expiry::Days(days), per_user }),
        any::<bool>().prop_map(|per_user| Capability::Expire { after: Expiry::Never, per_user }),
        "[!-~][ -~]{0,30}".prop_map(|name| Capability::Implementation(Text::from(name.into_bytes()))),
        ("X-[!-~]{1,12}", "([!-~][ -~]{0,20})?").prop_map(|(tag, arguments)| Capability::Other {
            tag: Text::from(tag.into_bytes()),
            arguments: Text::from(arguments.into_bytes())
        }),
        Just(Capability::Other { tag: Text::from(".hidden"), arguments: Text::default() }),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    let part = prop_oneof![
        3 => Just(b"\r\n".to_vec()),
        2 => Just(b".".to_vec()),
        1 => Just(b"\n".to_vec()),
        1 => Just(b"\r".to_vec()),
        3 => "[ -~]{0,60}".prop_map(String::into_bytes),
        1 => proptest::collection::vec(any::<u8>(), 0..30),
    ];
    proptest::collection::vec(part, 0..20).prop_map(|parts| parts.concat())
}

/// A whole response of this kind, as the encoders write it.
fn response() -> impl Strategy<Value = (Kind, Vec<u8>)> {
    use proptest::collection::vec;
    let encode = |status: &StatusLine<'_>, rows: &mut dyn FnMut(&mut Vec<u8>)| {
        let mut out = Vec::new();
        match status.status {
            Status::Ok => rows(&mut out),
            Status::Err => status.encode(&mut out),
        }
        out
    };
    prop_oneof![
        (status(), vec(scan(), 0..8)).prop_map(move |(status, rows)| {
            (Kind::Scan, encode(&status, &mut |out| grammar::encode_scan_listing(&status, &rows, out)))
        }),
        (status(), vec(unique_id(), 0..8)).prop_map(move |(status, rows)| {
            (Kind::UniqueId, encode(&status, &mut |out| grammar::encode_unique_id_listing(&status, &rows, out)))
        }),
        (status(), vec(capability(), 0..8)).prop_map(move |(status, rows)| {
            (Kind::Capability, encode(&status, &mut |out| grammar::encode_capability_list(&status, &rows, out)))
        }),
        (status(), text(), prop_oneof![Just(Kind::Retr), Just(Kind::Top)]).prop_map(move |(status, text, kind)| {
            (kind, encode(&status, &mut |out| grammar::encode_message(&status, &text, out)))
        }),
    ]
}

/// An octet or a few that change what a response means.
fn splinter() -> impl Strategy<Value = Vec<u8>> {
    let known: Vec<&[u8]> = vec![
        b"\r",
        b"\n",
        b"\r\n",
        b".",
        b" ",
        b"  ",
        b"\t",
        b"\0",
        b"-",
        b"+",
        b"0",
        b"9",
        b"x",
        b"[",
        b"]",
        b"/",
        b".\r\n",
        b"\n.\n",
        b"\r\n.\r\n",
        b"-ERR",
        b"+OK",
        b"\xff",
        b"\xc3\xa9",
        b"18446744073709551616",
        b"4294967296",
        b"\r\r\n",
        b"-1",
    ];
    prop_oneof![
        8 => proptest::sample::select(known).prop_map(<[u8]>::to_vec),
        1 => (500_usize..520).prop_map(|length| vec![b'a'; length]),
        1 => proptest::collection::vec(any::<u8>(), 1..4),
    ]
}

/// Puts each splinter in place of so many octets.
fn mutated(mut wire: Vec<u8>, splinters: &[(proptest::sample::Index, usize, Vec<u8>)]) -> Vec<u8> {
    for (place, instead_of, splinter) in splinters {
        let at = place.index(wire.len() + 1);
        let end = (at + instead_of).min(wire.len());
        wire.splice(at..end, splinter.iter().copied());
    }
    wire
}

proptest! {
    #![proptest_config(oracle::cases(600))]

    #[test]
    fn grammar_and_client_agree_about_whole_responses(
        (kind, wire) in response(),
        behind in prop_oneof![Just(Vec::new()), Just(b"+OK\r\n".to_vec()), Just(b".\r\n".to_vec()), Just(b"\n".to_vec())],
        places in proptest::collection::vec(0_usize..300, 0..6),
    ) {
        let mut places = places;
        places.sort_unstable();
        let wire = [wire, behind.clone()].concat();
        let Read::Whole { left, .. } = kind.parsed(Grammar::default(), &wire) else { panic!("{}", wire.escape_ascii()) };
        prop_assert_eq!(left, behind.len());
        agree(kind, &wire, &places);
    }

    #[test]
    fn every_front_of_a_whole_response_is_incomplete(
        (kind, wire) in response(),
    ) {
        for end in 0..wire.len() {
            let front = &wire[..end];
            for (quirks, config) in settings() {
                assert_eq!(kind.parsed(Grammar::new(quirks), front), Read::More, "{}", front.escape_ascii());
                assert_eq!(heard(kind, &config, &[front]), Read::More, "{}", front.escape_ascii());
            }
        }
    }
}

proptest! {
    #![proptest_config(oracle::cases(6000))]

    #[test]
    fn grammar_and_client_agree_about_damaged_responses(
        (kind, wire) in response(),
        splinters in proptest::collection::vec((any::<proptest::sample::Index>(), 0_usize..4, splinter()), 1..4),
        end in any::<proptest::sample::Index>(),
        places in proptest::collection::vec(0_usize..300, 0..6),
    ) {
        let mut places = places;
        places.sort_unstable();
        let wire = mutated(wire, &splinters);
        agree(kind, &wire, &places);
        agree(kind, &wire[..end.index(wire.len() + 1)], &places);
    }

    #[test]
    fn grammar_and_client_agree_about_octets_that_make_no_sense(
        front in proptest::sample::select(&["", "+OK\r\n", "+OK\n", "-ERR ", "+O"][..]),
        octets in proptest::collection::vec(prop_oneof![Just(b'.'), Just(b'\r'), Just(b'\n'), Just(b' '), Just(b'1'), any::<u8>()], 0..40),
        kind in proptest::sample::select(&KINDS[..]),
    ) {
        agree(kind, &[front.as_bytes(), &octets].concat(), &[]);
    }
}

proptest! {
    #![proptest_config(oracle::cases(400))]

    #[test]
    fn what_is_encoded_is_read_back_as_the_same_values(
        status in status(),
        scans in proptest::collection::vec(scan(), 0..8),
        ids in proptest::collection::vec(unique_id(), 0..8),
        capabilities in proptest::collection::vec(capability(), 0..8),
        text in text(),
    ) {
        let mut line = Vec::new();
        status.encode(&mut line);
        prop_assert_eq!(grammar::status_line(&line), Ok((&b""[..], status.clone())));

        let status = StatusLine { status: Status::Ok, ..status };
        let mut out = Vec::new();
        grammar::encode_scan_listing(&status, &scans, &mut out);
        let (rest, response) = grammar::scan_listing(&out).unwrap();
        prop_assert!(rest.is_empty() && response.status == status);
        prop_assert_eq!(response.content, scans.into_iter().map(Ok).collect::<Vec<_>>());

        out.clear();
        grammar::encode_unique_id_listing(&status, &ids, &mut out);
        let (rest, response) = grammar::unique_id_listing(&out).unwrap();
        prop_assert!(rest.is_empty() && response.status == status);
        prop_assert_eq!(response.content, ids.into_iter().map(Ok).collect::<Vec<_>>());

        out.clear();
        grammar::encode_capability_list(&status, &capabilities, &mut out);
        let (rest, response) = grammar::capability_list(&out).unwrap();
        prop_assert!(rest.is_empty() && response.status == status);
        prop_assert_eq!(response.content, capabilities.into_iter().map(Ok).collect::<Vec<_>>());

        out.clear();
        grammar::encode_message(&status, &text, &mut out);
        let (rest, response) = grammar::message(&out).unwrap();
        prop_assert!(rest.is_empty() && response.status == status);
        prop_assert_eq!(response.content.as_ref(), canonical(&text, false));
    }
}

#[test]
fn the_limit_of_a_line_is_the_same_for_both() {
    for kind in KINDS {
        for length in [500, 505, 506, 507, 508, 509, 510, 511, 512, 513, 600, 8185, 8186, 8187, 8188, 9000] {
            let long = "a".repeat(length);
            for wire in [
                format!("+OK {long}\r\n.\r\n"),
                format!("-ERR {long}\r\n"),
                format!("+OK {long}\n.\n"),
                format!("+OK {long}"),
                format!("+OK {long}\r"),
                format!("+OK\r\n1 {long}\r\n.\r\n"),
                format!("+OK\r\n{long}\r\n.\r\n"),
                format!("+OK\n{long}\n.\n"),
                format!("+OK\r\n{long}"),
                format!("+OK\r\n{long}\r"),
                format!("+OK\r\n.{long}\r\n.\r\n"),
            ] {
                agree(kind, wire.as_bytes(), &[]);
            }
        }
    }
}
