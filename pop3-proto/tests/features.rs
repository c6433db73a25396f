//! The optional features: what `serde` stores comes back, what `arbitrary` makes could have been built by hand, and
//! `zeroize` does not get into anybody's way.
//!
//! Broken if a stored unique-id came back as another, if an `Arbitrary` command were not one line, or if a value came
//! back from storage that its constructor refuses.

#[cfg(feature = "serde")]
#[test]
fn listings_and_capabilities_come_back_from_storage() {
    use pop3_proto::grammar;

    let octets = b"+OK\r\n1 whqtswO00WBw418f9t5JxYwZ\r\n2 QhdPYR:00WBw1Ph7x7\r\n.\r\n";
    let (_, response) = grammar::unique_id_listing(octets).unwrap();
    let rows: Vec<_> = response.content.into_iter().map(Result::unwrap).collect();
    let json = serde_json::to_string(&rows).unwrap();
    assert_eq!(serde_json::from_str::<Vec<pop3_proto::UniqueIdListing<'_>>>(&json).unwrap(), rows);

    let octets = b"+OK\r\nEXPIRE 60 USER\r\nSASL PLAIN X\r\nX-OTHER \xFF\r\nLOGIN-DELAY 900\r\n.\r\n";
    let (_, response) = grammar::capability_list(octets).unwrap();
    let rows: Vec<_> = response.content.into_iter().map(Result::unwrap).collect();
    let json = serde_json::to_string(&rows).unwrap();
    assert_eq!(serde_json::from_str::<Vec<pop3_proto::Capability<'_>>>(&json).unwrap(), rows);
}

#[cfg(feature = "serde")]
#[test]
fn what_no_constructor_and_no_session_makes_does_not_come_back_from_storage() {
    use pop3_proto::{
        Capability, DropListing, Expiry, Mechanisms, MessageNumber, ScanListing, Text, UniqueId, UniqueIdListing,
    };
    use serde::de::DeserializeOwned;

    fn taken<T: DeserializeOwned>(json: &str) -> bool {
        serde_json::from_str::<T>(json).is_ok()
    }
    let number = |json| taken::<MessageNumber>(json);
    assert!(number("1") && number("4294967295"));
    assert!(!number("0") && !number("4294967296") && !number("-1"));

    let text = |json| taken::<Text<'static>>(json);
    assert!(text("[]") && text("[0,27,255]"));
    assert!(!text("[43,79,75,13,10]") && !text("[13]") && !text("[10]"));

    // What a server may send is more than what one should: 70 octets, and visible ones, are for servers.
    let long = format!("{:?}", [b'x'; 200]);
    let id = |json| taken::<UniqueId<'static>>(json);
    assert!(id("[33]") && id("[97,32,98]") && id("[195,169]") && id(&long));
    assert!(!id("[]") && !id("[0,27]") && !id("[97,127]") && !id("[97,13,10]") && !id("[32,97]"));

    let mechanisms = |json| taken::<Mechanisms<'static>>(json);
    assert!(mechanisms("[]") && mechanisms("[80,76,65,73,78]") && mechanisms("[32,88,32]"));
    assert!(!mechanisms("[0,27]") && !mechanisms("[88,127]") && !mechanisms("[88,10]"));

    // Values that hold others ask them; numbers are all that fit.
    assert!(taken::<UniqueIdListing<'static>>(r#"{"number":1,"id":[97]}"#));
    assert!(!taken::<UniqueIdListing<'static>>(r#"{"number":0,"id":[97]}"#));
    assert!(!taken::<UniqueIdListing<'static>>(r#"{"number":1,"id":[]}"#));
    assert!(taken::<ScanListing>(r#"{"number":1,"octets":120}"#));
    assert!(
        !taken::<ScanListing>(r#"{"number":0,"octets":120}"#) && !taken::<ScanListing>(r#"{"number":1,"octets":-1}"#)
    );
    assert!(taken::<DropListing>(r#"{"messages":0,"octets":null}"#));
    assert!(!taken::<DropListing>(r#"{"messages":-1,"octets":0}"#));
    assert!(taken::<Expiry>(r#""Never""#) && taken::<Expiry>(r#"{"Days":0}"#));
    assert!(!taken::<Expiry>(r#"{"Days":-1}"#));
    let capability = |json| taken::<Capability<'static>>(json);
    assert!(capability(r#"{"Sasl":[80]}"#) && capability(r#"{"Implementation":[80]}"#) && capability(r#""Top""#));
    assert!(!capability(r#"{"Sasl":[0]}"#) && !capability(r#"{"Implementation":[10]}"#));
    assert!(!capability(r#"{"Other":{"tag":[88],"arguments":[13,10]}}"#));
}

#[cfg(feature = "arbitrary")]
#[test]
fn an_arbitrary_command_is_one_line_that_parses_back() {
    use arbitrary::{Arbitrary as _, Unstructured};
    use pop3_proto::{Command, Shape, Verb, grammar};

    let mut state = 1_u64;
    let mut verbs = std::collections::HashSet::new();
    for _ in 0..20_000 {
        let octets: Vec<u8> = (0..300)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        let command = Command::arbitrary(&mut Unstructured::new(&octets)).unwrap();
        verbs.insert(command.verb());
        let mut line = Vec::new();
        command.encode(&mut line);
        assert!(line.len() <= 255 && line.ends_with(b"\r\n"));
        assert_eq!(line.iter().filter(|&&octet| matches!(octet, b'\r' | b'\n' | 0)).count(), 2);
        assert_eq!(command.shape() == Shape::MultiLine, parsed(&line).shape() == Shape::MultiLine);
        assert_eq!(parsed(&line), command);
    }
    assert_eq!(verbs.len(), Verb::ALL.len(), "every command comes up");

    fn parsed(line: &[u8]) -> Command<'_> {
        grammar::command(line).unwrap().1
    }
}

#[cfg(feature = "arbitrary")]
#[test]
fn an_arbitrary_answer_is_one_line_and_every_kind_of_event_comes_up() {
    use arbitrary::{Arbitrary as _, Unstructured};
    use pop3_proto::{Event, Incoming, Reply};

    let mut state = 7_u64;
    let (mut events, mut incoming) = (std::collections::BTreeSet::new(), std::collections::BTreeSet::new());
    // The first word of what `Debug` shows names the kind.
    let kind = |shown: String| shown.split(|letter: char| !letter.is_alphanumeric()).next().map(str::to_owned);
    for _ in 0..5_000 {
        let octets: Vec<u8> = (0..400)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                (state >> 56) as u8
            })
            .collect();
        let mut u = Unstructured::new(&octets);
        let mut line = Vec::new();
        Reply::arbitrary(&mut u).unwrap().encode(&mut line);
        assert!(line.len() <= 512 && line.ends_with(b"\r\n"));
        assert_eq!(line.iter().filter(|&&octet| octet == b'\n').count(), 1);
        events.insert(kind(format!("{:?}", Event::arbitrary(&mut Unstructured::new(&octets)).unwrap())));
        incoming.insert(kind(format!("{:?}", Incoming::arbitrary(&mut Unstructured::new(&octets)).unwrap())));
    }
    assert_eq!((events.len(), incoming.len()), (11, 6));
}

#[cfg(feature = "arbitrary")]
#[test]
fn every_kind_of_every_value_comes_up() {
    use arbitrary::{Arbitrary as _, Unstructured};
    use pop3_proto::{Capability, Data, Event, Incoming, Login, ResponseCode, Text};
    use std::collections::{BTreeMap, BTreeSet};

    /// How many kinds there are, by the first word of what `Debug` shows; the most frequent one comes up in no more than
    /// so many of a hundred draws.
    fn kinds(percent: usize, draw: impl Fn(&mut Unstructured<'_>) -> String) -> usize {
        const DRAWS: usize = 4_000;
        let mut state = 3_u64;
        let mut seen = BTreeMap::<String, usize>::new();
        for _ in 0..DRAWS {
            let octets: Vec<u8> = (0..200)
                .map(|_| {
                    state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                    (state >> 56) as u8
                })
                .collect();
            let shown = draw(&mut Unstructured::new(&octets));
            let kind = shown.split(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default();
            *seen.entry(kind.to_owned()).or_default() += 1;
        }
        let most = seen.values().max().copied().unwrap_or_default();
        assert!(most * 100 <= DRAWS * percent, "{seen:?}");
        seen.len()
    }

    // (EXPIRE has two: days, and NEVER.)
    let capability = |u: &mut Unstructured<'_>| format!("{:?}", Capability::arbitrary(u).unwrap());
    assert_eq!(kinds(10, |u| capability(u).replace("Expire { after: ", "")), 15);
    assert_eq!(kinds(25, |u| format!("{:?}", Data::arbitrary(u).unwrap())), 6);
    assert_eq!(kinds(25, |u| format!("{:?}", Login::arbitrary(u).unwrap())), 6);
    assert_eq!(kinds(15, |u| format!("{:?}", Event::arbitrary(u).unwrap())), 11);
    assert_eq!(kinds(25, |u| format!("{:?}", Incoming::arbitrary(u).unwrap())), 6);

    assert!(kinds(100, |u| format!("{:?}", pop3_proto::Mechanism::arbitrary(u).unwrap())) > 1);
    assert_eq!(kinds(60, |u| pop3_proto::StatusLine::arbitrary(u).unwrap().status.to_string()[1..].to_owned()), 2);
    // Half of the greetings have a timestamp.
    let timestamp = |u: &mut Unstructured<'_>| {
        let mut out = Vec::new();
        let config = pop3_proto::Config::new().allow_cleartext_login().allow_apop_md5();
        let _server = pop3_proto::Server::new(config, pop3_proto::Greeting::arbitrary(u).unwrap(), &mut out);
        assert!(out.starts_with(b"+OK") && out.ends_with(b"\r\n") && out.len() <= 512, "{}", out.escape_ascii());
        out.ends_with(b"<a@b>\r\n").to_string()
    };
    assert_eq!(kinds(60, timestamp), 2);

    let code = |first: u8| {
        let octets = [first, b'X', b'-', b'M', b'I', b'N', b'E', 6];
        ResponseCode::arbitrary(&mut Unstructured::new(&octets)).unwrap().into_owned()
    };
    let codes: BTreeSet<_> = (0..8).map(|first| code(first).as_bytes().to_vec()).collect();
    let codes: Vec<_> = codes.iter().map(|code| code.escape_ascii().to_string()).collect();
    for known in ["LOGIN-DELAY", "IN-USE", "SYS/TEMP", "SYS/PERM", "AUTH", "UTF8"] {
        assert!(codes.iter().any(|code| code == known), "{codes:?}");
    }

    let text = Text::arbitrary(&mut Unstructured::new(b"one\r\ntwo\x08")).unwrap();
    assert_eq!(text.as_bytes(), b"one", "the first line of what is there");
}

#[cfg(feature = "zeroize")]
#[test]
fn secrets_still_move_compare_and_borrow() {
    use pop3_proto::Secret;

    let borrowed = Secret::from(&b"tanstaaf"[..]);
    let owned = borrowed.clone().into_owned();
    assert_eq!(owned, borrowed);
    assert_eq!(owned.into_owned().reveal(), b"tanstaaf");
}
