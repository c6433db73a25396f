//! P16: for every message and every chunking, a strict CRLF reader, an LF reader and a NUL-truncating reader find the end
//! of a stuffed message at the same octet, the last one; under `CanonicalAll` a CR-or-LF reader does too. A dot that is
//! not doubled at the very first octet, behind a bare LF, or at the edge of a chunk would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{
    Reader, cr_or_lf_reader, every_chunking, every_string, given, lf_reader, nul_reader, server, strict_reader,
};
use pop3_proto::Config;
use pop3_proto::wire::dot::{Newlines, Offence, Stuff};
use proptest::prelude::*;

const POLICIES: [Newlines; 4] = [Newlines::Canonical, Newlines::CanonicalAll, Newlines::Reject, Newlines::Trusted];

const ALPHABET: &[u8] = b".\r\nx\0";

fn encoded(policy: Newlines, chunks: &[&[u8]]) -> Result<Vec<u8>, Offence> {
    let (mut stuff, mut out) = (Stuff::new(policy), Vec::new());
    for chunk in chunks {
        let before = out.len();
        let result = stuff.encode(chunk, &mut out);
        if result.is_err() {
            assert_eq!(out.len(), before, "a chunk that is refused leaves nothing behind");
        }
        result?;
    }
    out.extend_from_slice(stuff.finish()?);
    Ok(out)
}

fn segmented(policy: Newlines, chunks: &[&[u8]]) -> Result<Vec<u8>, Offence> {
    let (mut stuff, mut out) = (Stuff::new(policy), Vec::new());
    for chunk in chunks {
        for segment in stuff.segments(chunk)? {
            assert!(!segment.is_empty(), "a segment of no octets costs a vectored write its place");
            out.extend_from_slice(segment);
        }
    }
    out.extend_from_slice(stuff.finish()?);
    Ok(out)
}

/// The readers for whom the text of this policy is meant.
fn readers(policy: Newlines) -> &'static [(&'static str, Reader)] {
    const ALL: [(&str, Reader); 4] =
        [("strict", strict_reader), ("LF", lf_reader), ("NUL", nul_reader), ("CR or LF", cr_or_lf_reader)];
    match policy {
        Newlines::CanonicalAll | Newlines::Reject => &ALL,
        _ => &ALL[..3],
    }
}

fn all_find_the_last_octet(policy: Newlines, message: &[u8], wire: &[u8]) {
    for (name, reader) in readers(policy) {
        assert_eq!(
            reader(wire),
            Some(wire.len()),
            "{policy:?}: the {name} reader of {} for the message {}",
            wire.escape_ascii(),
            message.escape_ascii()
        );
    }
}

/// Every message up to eight octets. One test for each policy, for they run side by side.
fn every_reader_finds_the_end_at_the_last_octet(policy: Newlines) {
    every_string(ALPHABET, 8, &mut |message| {
        if let Ok(wire) = encoded(policy, &[message]) {
            all_find_the_last_octet(policy, message, &wire);
        }
    });
}

#[test]
fn every_reader_finds_the_end_of_every_short_message_under_canonical() {
    every_reader_finds_the_end_at_the_last_octet(Newlines::Canonical);
}

#[test]
fn every_reader_finds_the_end_of_every_short_message_under_canonical_all() {
    every_reader_finds_the_end_at_the_last_octet(Newlines::CanonicalAll);
}

#[test]
fn every_reader_finds_the_end_of_every_short_message_under_reject() {
    every_reader_finds_the_end_at_the_last_octet(Newlines::Reject);
}

#[test]
fn every_reader_finds_the_end_of_every_short_message_under_trusted() {
    every_reader_finds_the_end_at_the_last_octet(Newlines::Trusted);
}

#[test]
fn every_chunking_of_every_message_of_six_octets_stuffs_to_the_same_octets() {
    every_string(ALPHABET, 6, &mut |message| {
        for policy in POLICIES {
            let whole = encoded(policy, &[message]);
            every_chunking(message, &mut |chunks| {
                assert_eq!(encoded(policy, chunks), whole, "{policy:?}: {chunks:?}");
                assert_eq!(segmented(policy, chunks), whole, "{policy:?}: segments of {chunks:?}");
            });
        }
    });
}

/// Where a message is cut once, the state behind the second piece and the octets of both are those of the whole message.
/// That holds for every message up to eight octets and every cut, the front of a message being a message too: so by
/// induction over the pieces it holds for every chunking of them.
#[test]
fn every_cut_of_every_message_of_eight_octets_leaves_the_state_of_the_whole() {
    for policy in POLICIES {
        grow(policy, &mut Vec::new(), &mut vec![Some((Stuff::new(policy), Vec::new()))]);
    }
}

/// `fronts` has, for each front of the message, the state and the octets when it was one chunk; `None` for a refused one.
fn grow(policy: Newlines, message: &mut Vec<u8>, fronts: &mut Vec<Option<(Stuff, Vec<u8>)>>) {
    if message.len() == 8 {
        return;
    }
    for &octet in ALPHABET {
        message.push(octet);
        let (mut stuff, mut out) = (Stuff::new(policy), Vec::new());
        let whole = stuff.encode(message, &mut out).is_ok().then_some((stuff, out));
        for (cut, front) in fronts.iter().enumerate().skip(1) {
            let Some((stuff, out)) = front else { continue };
            let (mut stuff, mut out) = (stuff.clone(), out.clone());
            let cut_once = stuff.encode(&message[cut..], &mut out).is_ok().then_some((stuff, out));
            assert_eq!(cut_once, whole, "{policy:?}: {} cut at {cut}", message.escape_ascii());
        }
        fronts.push(whole);
        grow(policy, message, fronts);
        fronts.pop();
        message.pop();
    }
}

#[test]
fn an_empty_chunk_changes_nothing() {
    every_string(ALPHABET, 4, &mut |message| {
        for policy in POLICIES {
            for cut in 0..=message.len() {
                let (front, back) = message.split_at(cut);
                assert_eq!(encoded(policy, &[b"", front, b"", back, b""]), encoded(policy, &[message]));
            }
        }
    });
}

#[test]
fn segments_that_nobody_looks_at_count_as_sent() {
    every_string(ALPHABET, 5, &mut |message| {
        for policy in POLICIES {
            let (front, back) = message.split_at(message.len() / 2);
            let (mut dropped, mut encoded) = (Stuff::new(policy), Stuff::new(policy));
            let both = (dropped.segments(front).map(drop), encoded.encode(front, &mut Vec::new()));
            assert_eq!(both.0, both.1);
            assert_eq!(dropped, encoded, "{policy:?}: {}", front.escape_ascii());
            assert_eq!(dropped.segments(back).is_err(), encoded.encode(back, &mut Vec::new()).is_err());
        }
    });
}

#[test]
fn the_server_sends_the_octets_of_stuff_in_body_and_in_body_segments() {
    every_string(ALPHABET, 4, &mut |message| {
        for policy in POLICIES {
            let mut server = server(Config::new().newlines(policy));
            let Ok(wire) = encoded(policy, &[message]) else { continue };
            let expected = [b"+OK\r\n", wire.as_slice()].concat();
            every_chunking(message, &mut |chunks| {
                assert!(given(&mut server, b"RETR 1\r\n").is_some());
                let mut out = Vec::new();
                server.begin("", &mut out).unwrap();
                for chunk in chunks {
                    server.body(chunk, &mut out).unwrap();
                }
                server.end(&mut out).unwrap();
                assert_eq!(out, expected, "{policy:?}: body {chunks:?}");

                assert!(given(&mut server, b"TOP 1 9\r\n").is_some());
                out.clear();
                server.begin("", &mut out).unwrap();
                for chunk in chunks {
                    server.body_segments(chunk).unwrap().for_each(|segment| out.extend_from_slice(segment));
                }
                server.end(&mut out).unwrap();
                assert_eq!(out, expected, "{policy:?}: body_segments {chunks:?}");
            });
        }
    });
}

/// What a server makes of text that is stuffed already, in these chunks; `None` if it refuses it, now or at the end.
fn passed_on(chunks: &[&[u8]]) -> Option<Vec<u8>> {
    let mut server = server(Config::new());
    assert!(given(&mut server, b"RETR 1\r\n").is_some());
    server.begin("", &mut Vec::new()).unwrap();
    let mut out = Vec::new();
    for chunk in chunks {
        let before = out.len();
        if server.body_stuffed(chunk, &mut out).is_err() {
            assert_eq!(out.len(), before, "a chunk that is refused leaves nothing behind");
            return None;
        }
    }
    server.end(&mut out).ok()?;
    Some(out)
}

#[test]
fn text_that_is_passed_on_stuffed_ends_at_its_last_octet_or_is_refused() {
    every_string(ALPHABET, 6, &mut |text| {
        let whole = passed_on(&[text]);
        for cut in 1..text.len() {
            assert_eq!(passed_on(&[&text[..cut], &text[cut..]]), whole, "{} cut at {cut}", text.escape_ascii());
        }
        let Some(wire) = whole else { return };
        assert!(wire.starts_with(text), "it passes as it is");
        for reader in [strict_reader, lf_reader] {
            assert_eq!(reader(&wire), Some(wire.len()), "{}", wire.escape_ascii());
        }
    });
}

/// A line of a dot and a NUL is no end to who counts octets, and one to who reads C strings.
#[test]
fn text_that_is_passed_on_stuffed_has_no_early_end_for_a_reader_of_c_strings() {
    every_string(ALPHABET, 5, &mut |text| {
        let Some(wire) = passed_on(&[text]) else { return };
        assert_eq!(nul_reader(&wire), Some(wire.len()), "{}", wire.escape_ascii());
    });
}

proptest! {
    #![proptest_config(oracle::cases(300))]

    /// Long runs take the vectorised paths that short strings never reach.
    #[test]
    fn long_messages_end_at_their_last_octet_however_they_are_cut(
        message in proptest::collection::vec(
            prop_oneof![3 => Just(b'.'), 3 => Just(b'\r'), 3 => Just(b'\n'), 1 => Just(0), 6 => Just(b'x'), 1 => any::<u8>()],
            0..400,
        ),
        places in proptest::collection::vec(0_usize..400, 0..8),
    ) {
        let mut places = places;
        places.sort_unstable();
        let chunks = oracle::cut_at(&message, &places);
        for policy in POLICIES {
            let whole = encoded(policy, &[&message]);
            prop_assert_eq!(&encoded(policy, &chunks), &whole);
            prop_assert_eq!(&segmented(policy, &chunks), &whole);
            if let Ok(wire) = whole {
                all_find_the_last_octet(policy, &message, &wire);
            }
        }
    }
}
