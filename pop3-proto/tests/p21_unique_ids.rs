//! P21: a server sends unique-ids of 1 to 70 octets between 0x21 and 0x7E only; a client keeps what came and says so; the
//! file name of an id is its own, case folded or not, and goes nowhere in the file system. Two ids with one file name
//! would lose a message, and an id used as a path would write anywhere.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{asking, given, server};
use pop3_proto::grammar::{Fault, Grammar};
use pop3_proto::{
    Command, Config, Data, Event, Maildrop, MessageNumber, Misuse, Quirk, Quirks, Reply, UniqueId, UniqueIdListing,
};
use proptest::prelude::*;
use std::collections::HashMap;

/// The id as a tolerant client takes it from a server; `None` if the row is a fault.
fn received(id: &[u8]) -> Option<UniqueId<'static>> {
    let response = [b"+OK\r\n1 ", id, b"\r\n.\r\n"].concat();
    let (_, response) = Grammar::new(Quirks::TOLERANT).unique_id_listing(&response).unwrap();
    response.content.into_iter().next().unwrap().ok().map(|listing| listing.id.into_owned())
}

/// Nothing in the name means anything to a file system.
fn path_safe(name: &str) {
    assert!(name.len() <= 255, "{} octets", name.len());
    let plain = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-_%".contains(&octet);
    assert!(name.bytes().all(plain), "{name}");
    let components: Vec<_> = std::path::Path::new(name).components().collect();
    assert!(matches!(components.as_slice(), [std::path::Component::Normal(_)]), "{name}");
    assert!(!name.starts_with('-'), "an option to many programs: {name}");
}

#[test]
fn no_two_short_unique_ids_have_one_file_name() {
    let mut names = HashMap::new();
    for first in 0..=u8::MAX {
        let ids = [vec![first]].into_iter().chain((0..=u8::MAX).map(|second| vec![first, second]));
        for octets in ids {
            let Some(id) = received(&octets) else { continue };
            let name = id.file_name().unwrap();
            path_safe(&name);
            let other = names.insert(name.to_lowercase(), id.as_bytes().to_vec());
            // Spaces in front are the server's way to separate, and not part of the id.
            assert!(other.is_none_or(|other| other == id.as_bytes()), "{name}");
        }
    }
    assert!(names.len() > 190 * 190, "{}", names.len());
}

#[test]
fn names_that_mean_something_to_a_file_system_are_spelled_otherwise() {
    for id in [
        ".",
        "..",
        "/",
        "\\",
        "../../etc/passwd",
        "/etc/passwd",
        "C:\\AUTOEXEC.BAT",
        "CON",
        "con",
        "NUL",
        "nul.txt",
        "LPT1",
        "aux.",
        "~root",
        "-rf",
        "a:b",
        "a*b?",
        "%2e",
        "%",
        "file.",
        "uid-",
        "<>|\"",
        "`id`",
        "$HOME",
        "a;b",
        "CLOCK$",
    ] {
        let id = UniqueId::new(id).unwrap();
        let name = id.file_name().unwrap();
        path_safe(&name);
        let stem = name.split('.').next().unwrap().to_ascii_lowercase();
        assert!(!["con", "prn", "aux", "nul", "com1", "lpt1"].contains(&stem.as_str()), "{name}");
    }
}

#[test]
fn an_id_of_70_octets_has_a_file_name_and_a_longer_one_has_none() {
    for octet in [b'a', b'A', b'.', b'%', 0x80, 0xFF] {
        let longest = received(&[octet; 70]).unwrap().file_name().unwrap();
        path_safe(&longest);
        assert_eq!(received(&[octet; 71]).unwrap().file_name(), None);
        assert_eq!(received(&[octet; 400]).unwrap().file_name(), None);
    }
}

#[test]
fn a_client_keeps_odd_ids_and_says_so() {
    let long = [b'u'; 71];
    for id in [&b"two words"[..], b"caf\xc3\xa9", b"\xff\xfe", &long, b"trailing ", b"a b c"] {
        assert!(UniqueId::new(id).is_err());
        let row = [b"1 ", id, b"\r\n"].concat();
        for one in [false, true] {
            let command = if one { Command::uidl(1).unwrap() } else { Command::Uidl(None) };
            let answer =
                if one { [b"+OK ", row.as_slice()].concat() } else { [b"+OK\r\n", row.as_slice(), b".\r\n"].concat() };

            let mut client = asking(Config::new(), &command);
            let listing = listing(&mut client, &answer);
            let kept = listing.unwrap().id;
            assert_eq!(kept.as_bytes(), id);
            assert!(!kept.conforms());
            assert_eq!(client.quirks_seen(), Quirks::STRICT.with(Quirk::UniqueIdOctets));
            assert_eq!(client.may_send(&Command::Noop), Ok(()));

            let mut client = asking(Config::new().without_quirk(Quirk::UniqueIdOctets), &command);
            assert_eq!(self::listing(&mut client, &answer), Err(Fault::UniqueId));
            assert!(client.quirks_seen().is_empty());
            assert_eq!(client.may_send(&Command::Noop), Ok(()));
        }
    }
}

#[test]
fn an_id_that_conforms_leaves_no_mark() {
    for id in [&b"whqtswO00WBw418f9t5JxYwZ"[..], b"!", b"~", b".", &[b'~'; 70], b"-ERR", b"1"] {
        let mut client = asking(Config::new(), &Command::Uidl(None));
        let answer = [b"+OK\r\n1 ", id, b"\r\n.\r\n"].concat();
        let kept = listing(&mut client, &answer).unwrap().id;
        assert_eq!(kept.as_bytes(), id);
        assert!(kept.conforms());
        assert!(client.quirks_seen().is_empty());
    }
}

#[test]
fn a_row_without_an_id_is_a_fault_of_that_row_alone() {
    for row in ["1", "1 ", "1  "] {
        let answer = format!("+OK\r\n{row}\r\n2 b\r\n.\r\n");
        let mut client = asking(Config::new(), &Command::Uidl(None));
        let mut input = answer.as_bytes();
        let mut events = Vec::new();
        while let Some(event) = client.next_event(&mut input).unwrap() {
            events.push(event);
        }
        assert!(matches!(events[1], Event::BadRow { fault: Fault::NoUniqueId, .. }), "{row:?}: {:?}", events[1]);
        assert!(matches!(&events[2], Event::UniqueId(listing) if listing.id.as_bytes() == b"b"));
        assert_eq!(events.len(), 4);
    }
}

#[test]
fn a_control_character_in_an_id_is_a_fault_even_where_odd_ids_are_tolerated() {
    for octet in (0..0x20_u8).chain([0x7F]).filter(|octet| !b"\r\n".contains(octet)) {
        assert_eq!(received(&[b'a', octet, b'b']), None, "{octet:#x}");
    }
    assert_eq!(received(b"a\rb"), None);
    assert_eq!(received(b"a\nb"), None);
}

/// The one listing in an answer to UIDL.
fn listing(client: &mut pop3_proto::Client, answer: &[u8]) -> Result<UniqueIdListing<'static>, Fault> {
    let mut input = answer;
    let mut found = None;
    while let Some(event) = client.next_event(&mut input).unwrap() {
        match event {
            Event::UniqueId(listing) | Event::Ok { data: Data::UniqueId(listing), .. } => {
                found = Some(Ok(listing.into_owned()));
            }
            Event::BadRow { fault, .. } | Event::Ok { data: Data::Malformed(fault), .. } => found = Some(Err(fault)),
            _ => {}
        }
    }
    found.expect("there is a row")
}

#[test]
fn a_server_does_not_send_an_id_that_a_client_had_to_tolerate() {
    let long = [b'u'; 71];
    for id in [&b"two words"[..], b"caf\xc3\xa9", b"\xff", &long] {
        let odd = UniqueIdListing { number: MessageNumber::FIRST, id: received(id).unwrap() };
        assert_eq!(Reply::unique_id(odd.clone()), Err(Misuse::UniqueId));
        assert_eq!(Maildrop::new([(1, id)]), Err(Misuse::UniqueId));
        let mut server = server(Config::new());
        assert!(given(&mut server, b"UIDL\r\n").is_some());
        let mut out = Vec::new();
        server.begin("", &mut out).unwrap();
        let before = out.clone();
        assert_eq!(server.listing(odd, &mut out), Err(Misuse::UniqueId));
        assert_eq!(out, before);
    }
    assert_eq!(Maildrop::new([(1, "")]), Err(Misuse::UniqueId));
}

fn id() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        4 => proptest::collection::vec(0x21..0x7F_u8, 1..70),
        2 => proptest::collection::vec(prop_oneof![Just(b'%'), Just(b'2'), Just(b'e'), Just(b'E'), Just(b'.')], 1..8),
        1 => proptest::collection::vec(0x21..=0xFF_u8, 1..70),
    ]
}

proptest! {
    #![proptest_config(oracle::cases(3000))]

    #[test]
    fn two_ids_have_two_file_names_case_folded_too(one in id(), two in id(), flip in any::<proptest::sample::Index>()) {
        let mut near = one.clone();
        let at = flip.index(near.len());
        near[at] ^= 0x20;
        for other in [two, near] {
            let (Some(one), Some(other)) = (received(&one), received(&other)) else { continue };
            let (a, b) = (one.file_name().unwrap(), other.file_name().unwrap());
            path_safe(&a);
            path_safe(&b);
            prop_assert_eq!(a.to_lowercase() == b.to_lowercase(), one == other, "{:?} {:?}", one, other);
        }
    }
}
