//! RFC 1939 §7, TOP: "the headers of the message, the blank line separating the headers from the body, and then the number
//! of lines of the indicated message's body". A CR in front of the blank line's LF that is cut off into another chunk,
//! a header line counted as a body line, or an unfinished last line left out, would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{canonical, cut_at, every_chunking, every_string};
use pop3_proto::Top;
use pop3_proto::wire::dot::{Newlines, Size};
use proptest::prelude::*;

/// What is to be sent, and whether more of the message could change it.
fn naive(stored: &[u8], lines: u64) -> (&[u8], bool) {
    let mut sent = 0;
    let mut left = None;
    for line in stored.split_inclusive(|&octet| octet == b'\n') {
        if left == Some(0) {
            break;
        }
        sent += line.len();
        if !line.ends_with(b"\n") {
            continue;
        }
        left = match left {
            Some(left) => Some(left - 1),
            None if line == b"\n" || line == b"\r\n" => Some(lines),
            None => None,
        };
    }
    (&stored[..sent], left == Some(0))
}

/// What the cutter sends of the chunks, and whether it wants no more.
fn cut(top: &mut Top, chunks: &[&[u8]]) -> (Vec<u8>, bool) {
    let mut sent = Vec::new();
    for chunk in chunks {
        let was_done = top.is_done();
        let taken = top.take(chunk);
        assert!(chunk.starts_with(taken), "the front of the chunk");
        assert!(taken.len() == chunk.len() || top.is_done(), "a shorter slice at the end only");
        assert!(!was_done || taken.is_empty(), "nothing behind the end");
        sent.extend_from_slice(taken);
    }
    (sent, top.is_done())
}

const COUNTS: [u64; 5] = [0, 1, 2, 3, u64::MAX];

#[test]
fn every_short_message_is_cut_as_the_naive_reader_does_in_every_chunking() {
    every_string(b"\r\nx", 7, &mut |stored| {
        for lines in COUNTS {
            let (sent, done) = naive(stored, lines);
            let expected = (sent.to_vec(), done);
            every_chunking(stored, &mut |chunks| {
                assert_eq!(cut(&mut Top::new(lines), chunks), expected, "TOP {lines}: {chunks:?}");
            });
        }
    });
}

/// The state is all that one chunk leaves to the next, so that what holds for one cut holds for any number of them.
#[test]
fn every_cut_of_every_message_of_eight_octets_leaves_the_state_of_the_whole() {
    every_string(b"\r\nx", 8, &mut |stored| {
        for lines in COUNTS {
            let mut whole = Top::new(lines);
            let (sent, done) = naive(stored, lines);
            let expected = (sent.to_vec(), done);
            assert_eq!(cut(&mut whole, &[stored]), expected, "TOP {lines}: {}", stored.escape_ascii());
            for place in 1..stored.len() {
                let mut top = Top::new(lines);
                assert_eq!(
                    cut(&mut top, &cut_at(stored, &[place])),
                    expected,
                    "TOP {lines}: {}",
                    stored.escape_ascii()
                );
                assert_eq!(top, whole, "TOP {lines}: {} cut at {place}", stored.escape_ascii());
            }
        }
    });
}

#[test]
fn the_table_of_odd_messages() {
    for (stored, lines, sent) in [
        (&b"A: b\r\n\r\nfirst\r\nsecond\r\n"[..], 0, &b"A: b\r\n\r\n"[..]),
        (b"A: b\r\n\r\nfirst\r\nsecond\r\n", 1, b"A: b\r\n\r\nfirst\r\n"),
        (b"A: b\r\n\r\nfirst\r\nsecond\r\n", 2, b"A: b\r\n\r\nfirst\r\nsecond\r\n"),
        (b"A: b\r\n\r\nfirst\r\nsecond\r\n", u64::MAX, b"A: b\r\n\r\nfirst\r\nsecond\r\n"),
        (b"A: b\n\nfirst\nsecond\n", 1, b"A: b\n\nfirst\n"),
        (b"A: b\r\n\r\n\r\n\r\nx\r\n", 2, b"A: b\r\n\r\n\r\n\r\n"),
        (b"A: b\r\n\r\n", 0, b"A: b\r\n\r\n"),
        (b"A: b\r\n\r\n", 5, b"A: b\r\n\r\n"),
        (b"A: b\r\n", 0, b"A: b\r\n"),
        (b"A: b", 0, b"A: b"),
        (b"", 0, b""),
        (b"\r\nbody\r\n", 0, b"\r\n"),
        (b"\r\nbody", 1, b"\r\nbody"),
        (b"A: b\r\n\r\nno end", 1, b"A: b\r\n\r\nno end"),
        (b"A: b\r\r\n\r\nx", 0, b"A: b\r\r\n\r\n"),
        (b"A: b\r\n\r\r\nC: d\r\n\r\nx", 0, b"A: b\r\n\r\r\nC: d\r\n\r\n"),
        (b"A: b\r\n \r\nC: d\r\n\r\nx", 0, b"A: b\r\n \r\nC: d\r\n\r\n"),
    ] {
        let mut top = Top::new(lines);
        assert_eq!(top.take(stored), sent, "TOP {lines}: {}", stored.escape_ascii());
        assert_eq!(naive(stored, lines).0, sent);
    }
}

proptest! {
    #![proptest_config(oracle::cases(500))]

    #[test]
    fn long_messages_are_cut_as_the_naive_reader_does_however_they_are_cut(
        stored in "([A-Z]: [a-z]{0,9}\r?\n){0,5}(\r?\n)?([a-z.\r]{0,20}\r?\n){0,8}[a-z\r]{0,5}",
        lines in prop_oneof![0_u64..10, Just(u64::MAX)],
        places in proptest::collection::vec(0_usize..200, 0..8),
    ) {
        let mut places = places;
        places.sort_unstable();
        let stored = stored.as_bytes();
        let (sent, done) = naive(stored, lines);
        prop_assert_eq!(cut(&mut Top::new(lines), &cut_at(stored, &places)), (sent.to_vec(), done));
    }

    /// It does not matter for the lines that are sent whether the mail is stored with LF or with CRLF.
    #[test]
    fn mail_stored_with_lf_and_with_crlf_is_cut_at_the_same_line(
        with_lf in "([A-Z]: [a-z]{0,9}\n){0,5}\n?([a-z.]{0,20}\n){0,8}",
        lines in 0_u64..10,
    ) {
        let with_crlf = canonical(with_lf.as_bytes(), false);
        let sent = Top::new(lines).take(with_lf.as_bytes()).to_vec();
        let sent_crlf = Top::new(lines).take(&with_crlf).to_vec();
        prop_assert_eq!(canonical(&sent, false), sent_crlf.clone());
        let mut size = Size::new(Newlines::Canonical);
        size.add(&sent);
        prop_assert_eq!(size.octets(), sent_crlf.len() as u64);
    }
}
