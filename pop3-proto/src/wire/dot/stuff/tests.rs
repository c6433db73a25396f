//! The gears of stuffing, held against an octet loop that is obviously right.

use super::*;
use alloc::string::ToString as _;
use alloc::vec;
use proptest::prelude::*;

const ALL: [Newlines; 4] = [Newlines::Canonical, Newlines::CanonicalAll, Newlines::Reject, Newlines::Trusted];

/// What goes over the wire, its end included; `None` for what is refused.
fn naive(text: &[u8], newlines: Newlines) -> Option<Vec<u8>> {
    let mut wire: Vec<u8> = vec![];
    let mut line_start = true;
    for (at, &octet) in text.iter().enumerate() {
        let behind_cr = at > 0 && text[at - 1] == b'\r';
        let before_lf = text.get(at + 1) == Some(&b'\n');
        if line_start && octet == b'.' {
            wire.push(b'.');
        }
        let bare = (octet == b'\n' && !behind_cr) || (octet == b'\r' && !before_lf);
        match (newlines, octet) {
            (Newlines::Reject, _) if bare => return None,
            (Newlines::Canonical | Newlines::CanonicalAll, b'\n') if bare => wire.extend(b"\r\n"),
            (Newlines::CanonicalAll, b'\r') if bare => wire.extend(b"\r\n"),
            _ => wire.push(octet),
        }
        line_start = octet == b'\n' || newlines == Newlines::CanonicalAll && octet == b'\r' && bare;
    }
    // The end belongs behind CRLF, and a CR in front of it is bare where that counts.
    let ended = wire.is_empty() || wire.ends_with(b"\r\n");
    wire.extend_from_slice(if ended { b".\r\n" } else { b"\r\n.\r\n" });
    Some(wire)
}

/// The same by `encode` and by `segments`, in chunks of these lengths, the last of which goes on.
fn stuffed(text: &[u8], newlines: Newlines, cuts: &[usize]) -> [Option<Vec<u8>>; 2] {
    let run = |segments: bool| {
        let (mut stuff, mut wire, mut rest) = (Stuff::new(newlines), vec![], text);
        let mut lengths = cuts.iter().copied().chain(core::iter::repeat(usize::MAX));
        while !rest.is_empty() {
            let (chunk, behind) = rest.split_at(lengths.next().unwrap().clamp(1, rest.len()));
            if segments {
                stuff.segments(chunk).ok()?.for_each(|segment| wire.extend_from_slice(segment));
            } else {
                stuff.encode(chunk, &mut wire).ok()?;
            }
            rest = behind;
        }
        wire.extend_from_slice(stuff.finish().ok()?);
        Some(wire)
    };
    [run(false), run(true)]
}

fn check(text: &[u8], cuts: &[usize]) {
    for newlines in ALL {
        let expected = naive(text, newlines);
        for wire in stuffed(text, newlines, cuts) {
            let shown = |wire: &Option<Vec<u8>>| wire.as_ref().map(|wire| wire.escape_ascii().to_string());
            assert_eq!(shown(&wire), shown(&expected), "{newlines:?}, cut {cuts:?}: {}", text.escape_ascii());
        }
    }
}

/// Whether a reader of some kind would find the end in text that is passed as it is, chunk by chunk.
fn ends(text: &[u8]) -> bool {
    // Without the CR before an LF or NUL, and lines split at both.
    let mut line: Vec<u8> = vec![];
    let mut behind_lf = true;
    for &octet in text {
        if octet == b'\n' || octet == 0 {
            while line.last() == Some(&b'\r') {
                line.pop();
            }
            if line == b"." && behind_lf {
                return true;
            }
            behind_lf = octet == b'\n';
            line.clear();
        } else {
            line.push(octet);
        }
    }
    false
}

fn check_passage(text: &[u8], cuts: &[usize]) {
    let (mut stuffed, mut rest) = (Stuffed::new(), text);
    let mut lengths = cuts.iter().copied().chain(core::iter::repeat(usize::MAX));
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(lengths.next().unwrap().clamp(1, rest.len()));
        let passed = stuffed.pass(chunk);
        let so_far = &text[..text.len() - behind.len()];
        assert_eq!(passed, !ends(so_far), "cut {cuts:?}: {}", so_far.escape_ascii());
        if !passed {
            return;
        }
        rest = behind;
    }
}

#[test]
fn text_that_is_stored_with_crlf_needs_something_at_the_right_octet_wherever_a_block_ends() {
    for line in [&b"x"[..], &[b'x'; 70]] {
        let line = [line, b"\r\n"].concat();
        let clean = line.repeat((4 * BLOCK).div_ceil(line.len()));
        check(&clean, &[]);
        let near_an_edge = |at: &usize| at % BLOCK < 4 || at % BLOCK > BLOCK - 4 || at % 7 == 0;
        for at in (0..clean.len().min(3 * BLOCK)).filter(near_an_edge) {
            for odd in [&b"\n"[..], b"\r", b"\r\n.", b"\n.", b".", b"\r\n..\r\n", b"\r\r\n"] {
                let mut text = clean.clone();
                text.splice(at..at, odd.iter().copied());
                check(&text, &[]);
                check(&text, &[at]);
                check(&text, &[at + odd.len()]);
            }
        }
    }
}

#[test]
fn text_passes_stuffed_unless_it_ends_for_somebody_wherever_a_block_ends() {
    let clean = b"..two\r\nthree\r\n".repeat(20);
    check_passage(&clean, &[]);
    for at in 0..clean.len() {
        for odd in [&b".\r\n"[..], b"\n.\n", b"\n.\0", b"\n.\r\r\n", b"\n.\rx\n", b".", b"\n.\r", b"\0.\r\n"] {
            let mut text = clean.clone();
            text.splice(at..at, odd.iter().copied());
            for cuts in [&[][..], &[at], &[at + 1], &[at + 2], &[at, 1, 1, 1, 1]] {
                check_passage(&text, cuts);
            }
        }
    }
}

/// Octets that one of a block may need something for, each at every place of texts of one octet.
fn each_at_every_place(length: usize, mut check: impl FnMut(&[u8])) {
    for fill in *b"x.\r\n" {
        for odd in [&b""[..], b"\r\n", b"\r\n.", b"\n.", b"x\n", b"\rx", b"\r\r\n", b"\r."] {
            for at in 0..=length - odd.len() {
                let mut text = vec![fill; length];
                text[at..at + odd.len()].copy_from_slice(odd);
                check(&text);
            }
        }
    }
}

/// Whether the octet there needs one before it or behind it.
fn needs(text: &[u8], at: usize, all: bool) -> bool {
    match text[at] {
        b'\n' => text[at - 1] != b'\r' || text[at + 1] == b'.',
        b'\r' => all && text[at + 1] != b'\n',
        _ => false,
    }
}

#[test]
fn a_block_is_odd_if_an_octet_between_its_first_and_last_needs_something_and_not_else() {
    each_at_every_place(BLOCK + 2, |text| {
        let block = text.first_chunk().unwrap();
        for (all, found) in [(false, odd::<false>(block)), (true, odd::<true>(block))] {
            let expected = (1..=BLOCK).any(|at| needs(text, at, all));
            assert_eq!(found, expected, "CR too: {all}: {}", text.escape_ascii());
        }
    });
}

#[test]
fn whole_blocks_are_skipped_up_to_the_first_that_is_odd() {
    let lines = b"\nA line of some octets, and its end.\r".repeat(4 * BLOCK / 37 + 1);
    for length in [0, 1, BLOCK, BLOCK + 1, BLOCK + 2, BLOCK + 3, 2 * BLOCK + 1, 2 * BLOCK + 2, 4 * BLOCK] {
        let full = length.saturating_sub(2) / BLOCK * BLOCK;
        assert_eq!(
            (clean::<false>(&lines[..length]), clean::<true>(&lines[..length])),
            (full, full),
            "{length} octets"
        );
    }
    for at in 1..3 * BLOCK {
        let mut text = lines[..4 * BLOCK].to_vec();
        text[at - 1..=at].copy_from_slice(b"x\n");
        let first = (1..).find(|&at| needs(&text, at, false)).unwrap();
        assert_eq!(clean::<false>(&text), (first - 1) / BLOCK * BLOCK, "a bare LF at {at}");
    }
}

#[test]
fn the_end_may_be_in_a_chunk_if_a_line_of_it_begins_with_a_dot_and_no_other_octet_of_text() {
    let end = |octet: Option<&u8>| matches!(octet, Some(b'\r' | b'\n' | 0));
    for edge in [Edge::LineStart, Edge::BareLf, Edge::Cr, Edge::Text] {
        for dot in [false, true] {
            for chunk in [
                &b""[..],
                b".",
                b"\r",
                b"\n",
                b"\0",
                b"x",
                b".\r",
                b".\n",
                b".\0",
                b".x",
                b"..",
                b"x.\r\n",
                b"x\n.\r",
                b"x\n.x",
                b"x\n..\n.\0",
                b"x\n.\n",
                b"\n.\n",
                b"\n.",
                b"\r\n..\r\n.y\r\n",
            ] {
                let at_once = match chunk {
                    [b'.', behind @ ..] if matches!(edge, Edge::LineStart | Edge::BareLf) => end(behind.first()),
                    _ => dot && end(chunk.first()),
                };
                let later = chunk.windows(3).any(|octets| octets.starts_with(b"\n.") && end(octets.last()));
                let found = Stuffed { edge, dot }.may_end(chunk);
                assert_eq!(found, at_once || later, "{edge:?}, {dot}: {}", chunk.escape_ascii());
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn texts_of_all_kinds_are_stuffed_as_the_octet_loop_does(
        parts in proptest::collection::vec((0_usize..9, 1_usize..60), 0..20),
        cuts in proptest::collection::vec(1_usize..700, 0..6),
    ) {
        let kinds: [&[u8]; 9] = [b"x", b"one\r\n", b"\r\n", b"\n", b"\r", b".", b"\n.\r\n", b"..\r\n", b"\0"];
        let mut text = vec![];
        for (kind, times) in parts {
            // Clean lines are many, so that blocks are skipped; what is odd is rare.
            text.extend(kinds[kind].repeat(if kind < 3 { times } else { 1 + times / 30 }));
        }
        check(&text, &cuts);
        check_passage(&text, &cuts);
    }
}
