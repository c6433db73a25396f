//! P16 to P18 on mail that is long and of many kinds, in reads of the sizes that sockets give: however the searches skip, and
//! wherever one takes over from another, the octets are those of a loop that looks at each of them.
//!
//! A gear that begins one octet too late, that forgets what stood before a block, or that is cut by the end of a read, would
//! break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{canonical, cases, unstuffed, with_last_line_end};
use pop3_proto::wire::dot::{Newlines, Offence, Passage, Piece, Size, Stuff, Unstuff};
use pop3_proto::wire::line::LineEnd;
use proptest::prelude::*;

const READS: [usize; 11] = [1, 2, 3, 7, 63, 64, 65, 66, 1460, 4096, usize::MAX];

/// A stretch of text of one kind, as it may stand in a message.
fn stretch() -> impl Strategy<Value = Vec<u8>> {
    let lines = |line: &'static [u8]| (0_usize..40).prop_map(move |times| line.repeat(times));
    prop_oneof![
        lines(b"QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVphYmNkZWZnaGlqa2xtbm9wcXJzdHV2d3h5ejAxMjM0\r\n"),
        lines(b"A sentence. And another one, which is longer than the first. And so on.\r\n"),
        lines(b".\r\n"),
        lines(b"..\r\n"),
        lines(b".dotted. A line of seventy octets or so, that has to be stuffed, and so on.\r\n"),
        lines(b"LF dot LF\n.\n.\r\r.\n\n"),
        lines(b"\r"),
        lines(b"\n"),
        lines(b"\0\r\n"),
        lines(b"="),
        (0_usize..300).prop_map(|octets| vec![b'x'; octets]),
        (0_usize..300).prop_map(|octets| vec![b'.'; octets]),
        Just(b"\r\n".to_vec()),
        proptest::collection::vec(any::<u8>(), 0..80),
    ]
}

fn text() -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(stretch(), 0..12).prop_map(|stretches| stretches.concat())
}

/// What a client hands out of the chunks, and how many octets the message took of them.
fn read(unstuff: &mut Unstuff, wire: &[u8], size: usize) -> (Vec<u8>, Option<usize>) {
    let (mut found, mut used) = (Vec::new(), 0);
    for chunk in wire.chunks(size.min(wire.len().max(1))) {
        let mut input = chunk;
        while let Some(piece) = unstuff.next(&mut input) {
            match piece {
                Piece::Text(octets) => found.extend_from_slice(octets),
                Piece::End => return (found, Some(used + chunk.len() - input.len())),
            }
        }
        used += chunk.len();
    }
    (found, None)
}

fn passed(wire: &[u8], lines: LineEnd, size: usize) -> (Vec<u8>, Option<usize>) {
    let (mut found, mut used, mut passage) = (Vec::new(), 0, Passage::new(lines));
    for chunk in wire.chunks(size.min(wire.len().max(1))) {
        let mut input = chunk;
        while let Some(piece) = passage.next(&mut input) {
            match piece {
                Piece::Text(octets) => found.extend_from_slice(octets),
                Piece::End => return (found, Some(used + chunk.len() - input.len())),
            }
        }
        used += chunk.len();
    }
    (found, None)
}

/// RFC 1939 §3, octet by octet: text in canonical form, its dots doubled where a line begins (behind a bare LF too).
fn stuffed(policy: Newlines, stored: &[u8]) -> Vec<u8> {
    let text = match policy {
        Newlines::Canonical => canonical(stored, false),
        Newlines::CanonicalAll => canonical(stored, true),
        _ => stored.to_vec(),
    };
    let mut wire = Vec::new();
    for octet in with_last_line_end(text) {
        if octet == b'.' && (wire.is_empty() || wire.ends_with(b"\n")) {
            wire.push(b'.');
        }
        wire.push(octet);
    }
    wire.extend_from_slice(b".\r\n");
    wire
}

/// The first CR or LF that stands alone.
fn offence(stored: &[u8]) -> Option<Offence> {
    (0..stored.len()).find_map(|at| match stored[at] {
        b'\n' if at == 0 || stored[at - 1] != b'\r' => Some(Offence::BareLf),
        b'\r' if stored.get(at + 1) != Some(&b'\n') => Some(Offence::BareCr),
        _ => None,
    })
}

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn long_mail_is_unstuffed_as_the_naive_reader_does_in_reads_of_every_size(front in text(), back in text()) {
        for (lines, bare_lf, end) in [(LineEnd::Crlf, false, &b"\r\n.\r\n"[..]), (LineEnd::BareLf, true, b"\n.\n")] {
            let wire = [front.as_slice(), end, &back].concat();
            let expected = unstuffed(&wire, bare_lf);
            let used = expected.used.expect("the text has an end");
            for size in READS {
                let mut unstuff = Unstuff::new(lines);
                let (text, taken) = read(&mut unstuff, &wire, size);
                prop_assert_eq!(taken, Some(used), "reads of {}", size);
                prop_assert!(text == expected.text, "reads of {}", size);
                prop_assert_eq!(unstuff.missing_stuffing(), expected.missing);
                let (text, taken) = passed(&wire, lines, size);
                prop_assert_eq!(taken, Some(used), "stuffing left in, reads of {}", size);
                prop_assert!(wire[..used].starts_with(&text) && used - text.len() <= 3, "reads of {}", size);
            }
        }
    }

    #[test]
    fn long_mail_is_stuffed_as_the_naive_loop_does_in_chunks_of_every_size(stored in text()) {
        for policy in [Newlines::Canonical, Newlines::CanonicalAll, Newlines::Reject, Newlines::Trusted] {
            for size in READS {
                let size = size.min(stored.len().max(1));
                let (mut stuff, mut again, mut sizes) = (Stuff::new(policy), Stuff::new(policy), Size::new(policy));
                let (mut copied, mut segmented, mut met) = (Vec::new(), Vec::new(), None);
                for chunk in stored.chunks(size) {
                    sizes.add(chunk);
                    met = met.or(stuff.encode(chunk, &mut copied).err());
                    if let Ok(segments) = again.segments(chunk) {
                        segments.for_each(|segment| segmented.extend_from_slice(segment));
                    }
                    prop_assert_eq!(&stuff, &again);
                }
                if policy == Newlines::Reject {
                    let met = met.or(stuff.clone().finish().err());
                    prop_assert_eq!(met, offence(&stored));
                    prop_assert_eq!(sizes.offence(), offence(&stored));
                    if met.is_some() {
                        continue;
                    }
                }
                prop_assert_eq!(met, None);
                copied.extend_from_slice(stuff.finish().unwrap());
                segmented.extend_from_slice(again.finish().unwrap());
                let expected = stuffed(policy, &stored);
                prop_assert!(copied == expected, "{:?} in chunks of {}", policy, size);
                prop_assert!(segmented == expected, "{:?} in segments, chunks of {}", policy, size);
                let octets = with_last_line_end(match policy {
                    Newlines::Canonical => canonical(&stored, false),
                    Newlines::CanonicalAll => canonical(&stored, true),
                    _ => stored.clone(),
                });
                prop_assert_eq!(sizes.octets(), octets.len() as u64, "{:?}", policy);
            }
        }
    }
}
