//! Where a dot begins a line: searching text for LF `.`, or for CRLF `.`.
//!
//! Several gears, because no one of them is fast on all mail:
//!
//! 1. Where line after line began with a stuffed dot the next **line** may well begin with another one. Its LF is found in
//!    blocks of half a line.
//! 2. Up to the next **dot** octets are skipped by memchr: an attachment in base64 has none.
//! 3. Behind a dot that stands inside a line, a stretch is searched for the next **LF `.`**, by memchr's memmem.
//! 4. What looks like the place sought and is not (LF `.` where lines end in CRLF) would stop that gear every few octets.
//!    Behind such a miss the stretch is searched in **blocks**, for the exact sequence.
//!
//! Gears only skip: wherever they change, the answer is that of the plain loop, which the tests hold them against.
//!
//! The loops over blocks have constant bounds and no branches, and are written in two steps (two octets of the sequence,
//! then the third): so the compiler makes vectors of them.

/// What stands before a dot that begins a line.
pub(super) trait LineBreak {
    /// Whether the text ends a line.
    fn ends(text: &[u8]) -> bool;
    /// Whether the octet before the LF may stand there.
    fn before(octet: u8) -> bool;

    /// Whether the LF there ends a line.
    #[inline(always)]
    fn before_lf(text: &[u8], lf: usize) -> bool {
        // (In front of the first octet there is none.)
        text.get(lf.wrapping_sub(1)).map_or(Self::ends(b"\n"), |&octet| Self::before(octet))
    }
}

/// CRLF, and nothing else.
pub(super) struct CrLf;
/// LF, with or without a CR before it.
pub(super) struct AnyLf;

impl LineBreak for CrLf {
    #[inline(always)]
    fn ends(text: &[u8]) -> bool {
        matches!(text, [.., b'\r', b'\n'])
    }

    #[inline(always)]
    fn before(octet: u8) -> bool {
        octet == b'\r'
    }
}

impl LineBreak for AnyLf {
    #[inline(always)]
    fn ends(text: &[u8]) -> bool {
        matches!(text, [.., b'\n'])
    }

    #[inline(always)]
    fn before(_: u8) -> bool {
        true
    }
}

/// The octets of a block, of which each may be the dot. The two before them are context, and all together a window.
const BLOCK: usize = 64;
const SHORT_BLOCK: usize = 32;
const CONTEXT: usize = 2;
const WINDOW: usize = BLOCK + CONTEXT;
const SHORT_WINDOW: usize = SHORT_BLOCK + CONTEXT;
/// So many octets are near.
pub(super) const LINE: usize = 128;
const HALF: usize = 32;
/// How far the third and fourth gear go before the second is tried again.
const STRETCH: usize = 16_384;

/// The place of the first dot of `text` behind a line break that lies in `text` too.
#[inline(always)]
pub(super) fn line_dot<B: LineBreak>(text: &[u8]) -> Option<usize> {
    if text.first() != Some(&b'.') {
        return short_or_far::<B>(text);
    }
    if let Some(dot) = next_line_dot::<B>(text) {
        return Some(dot);
    }
    let line = memchr::memchr(b'\n', text)?.saturating_add(1);
    far::<B>(text, line)
}

/// The first gear, for text that begins behind a dropped dot, one of many: the same if the next line begins with a dot and is
/// near.
#[inline(always)]
pub(super) fn next_line_dot<B: LineBreak>(text: &[u8]) -> Option<usize> {
    let line = near_line_end(text)?;
    (text.get(line) == Some(&b'.') && B::before_lf(text, line.wrapping_sub(1))).then_some(line)
}

/// The same for text that begins behind a dropped dot, one of few: the third gear at once.
#[inline(always)]
#[allow(clippy::arithmetic_side_effects, reason = "an octet stands at that place, and one behind it")]
pub(super) fn sparse<B: LineBreak>(text: &[u8]) -> Option<usize> {
    match skip::to_lf_dot(text.get(..STRETCH).unwrap_or(text)) {
        Some(lf) if B::before_lf(text, lf) => Some(lf + 1),
        Some(lf) => far::<B>(text, lf),
        None => {
            text.get(STRETCH)?;
            far::<B>(text, STRETCH)
        }
    }
}

/// Whether a dot stands there, behind a line break.
#[inline(always)]
fn begins_line<B: LineBreak>(text: &[u8], dot: usize) -> bool {
    text.get(dot) == Some(&b'.') && text.get(..dot).is_some_and(B::ends)
}

/// The place behind the first LF, if it is near: blocks of half a line that the compiler makes vectors of are cheaper to begin
/// than a call of memchr, and dearer to go on with.
#[inline(always)]
#[allow(clippy::arithmetic_side_effects, reason = "the sum is at most LINE")]
fn near_line_end(text: &[u8]) -> Option<usize> {
    let (mut rest, mut at) = (text, 0);
    while at < LINE {
        let (block, behind) = rest.split_first_chunk::<HALF>()?;
        if block.iter().fold(false, |any, &octet| any | (octet == b'\n')) {
            return Some(at + first_lf(block) + 1);
        }
        (rest, at) = (behind, at + HALF);
    }
    None
}

/// The place of the first LF of a block that holds one, found in words of eight octets.
#[inline(always)]
#[allow(clippy::arithmetic_side_effects, reason = "a borrow out of the highest octet of a word is meant to be lost")]
fn first_lf(block: &[u8; HALF]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const LFS: u64 = u64::from_ne_bytes([b'\n'; 8]);
    const HIGH: u64 = u64::from_ne_bytes([0x80; 8]);
    let mut at = 0_usize;
    for word in block.chunks_exact(8) {
        let Ok(word) = word.try_into() else { break };
        // An octet that is 0 now was an LF; the lowest octet whose high bit this sets is one (those above it may not be).
        let word = u64::from_le_bytes(word) ^ LFS;
        let zero = word.wrapping_sub(ONES) & !word & HIGH;
        if zero != 0 {
            return at + zero.trailing_zeros() as usize / 8;
        }
        at += 8;
    }
    at
}

#[inline(never)]
fn short_or_far<B: LineBreak>(text: &[u8]) -> Option<usize> {
    if text.first_chunk::<WINDOW>().is_none() {
        return short::<B>(text);
    }
    far::<B>(text, skip::to_dot(text)?)
}

/// The octet loop that the rest is a faster form of.
#[inline]
pub(super) fn plain<B: LineBreak>(text: &[u8]) -> Option<usize> {
    (1..text.len()).find(|&at| begins_line::<B>(text, at))
}

/// The gears for what is far away. Looks at `dot` and what is behind it; it is a dot, or the beginning of a line.
#[inline(never)]
fn far<B: LineBreak>(text: &[u8], mut dot: usize) -> Option<usize> {
    loop {
        if begins_line::<B>(text, dot) {
            return Some(dot);
        }
        let stretch = text.get(..dot.saturating_add(STRETCH)).unwrap_or(text);
        if let Some(lf) = skip::to_lf_dot(stretch.get(dot..)?) {
            let lf = lf.saturating_add(dot);
            dot = lf.saturating_add(1);
            if begins_line::<B>(text, dot) {
                return Some(dot);
            }
            if let Some(dot) = blocks::<B>(stretch.get(lf..)?) {
                return Some(lf.saturating_add(dot));
            }
        }
        dot = skip::to_dot(text.get(stretch.len()..)?)?.saturating_add(stretch.len());
    }
}

/// Text that fills no block: two short ones, which overlap.
fn short<B: LineBreak>(text: &[u8]) -> Option<usize> {
    let (Some(front), Some(back)) = (text.first_chunk(), text.last_chunk()) else {
        return plain::<B>(text);
    };
    // (A window's first two octets have no say: the first of the text never is the dot, and the second may be.)
    let holds = begins_line::<B>(text, 1) || holds_short::<B>(front) || holds_short::<B>(back);
    if holds { plain::<B>(text) } else { None }
}

/// The last gear. Does not look at the first two octets.
fn blocks<B: LineBreak>(text: &[u8]) -> Option<usize> {
    let mut rest = text;
    loop {
        match rest.first_chunk() {
            Some(window) if holds::<B>(window) => break,
            Some(_) => rest = rest.get(BLOCK..).unwrap_or_default(),
            // What fills no window does so with octets before it, if there are any.
            None if text.last_chunk().is_some_and(|window| !holds::<B>(window)) => return None,
            None => break,
        }
    }
    plain::<B>(rest).map(|dot| text.len().saturating_sub(rest.len()).saturating_add(dot))
}

/// Whether a dot of the block begins a line.
#[inline(always)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "the bounds are constants")]
fn holds<B: LineBreak>(window: &[u8; WINDOW]) -> bool {
    let (mut ends, mut any) = ([false; BLOCK], false);
    for at in 0..BLOCK {
        ends[at] = B::before(window[at]) & (window[at + 2] == b'.');
    }
    for at in 0..BLOCK {
        any |= ends[at] & (window[at + 1] == b'\n');
    }
    any
}

#[inline(always)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "the bounds are constants")]
fn holds_short<B: LineBreak>(window: &[u8; SHORT_WINDOW]) -> bool {
    let (mut ends, mut any) = ([false; SHORT_BLOCK], false);
    for at in 0..SHORT_BLOCK {
        ends[at] = B::before(window[at]) & (window[at + 2] == b'.');
    }
    for at in 0..SHORT_BLOCK {
        any |= ends[at] & (window[at + 1] == b'\n');
    }
    any
}

/// With memchr's `std` its vector instructions are those of the machine that runs this.
#[cfg(feature = "std")]
mod skip {
    extern crate std;

    use memchr::memmem::Finder;
    use std::sync::OnceLock;

    #[inline(always)]
    pub(super) fn to_dot(text: &[u8]) -> Option<usize> {
        memchr::memchr(b'.', text)
    }

    /// Building a searcher costs as much as searching some hundred octets: it is built once.
    #[inline(always)]
    pub(super) fn to_lf_dot(text: &[u8]) -> Option<usize> {
        static LF_DOT: OnceLock<Finder<'static>> = OnceLock::new();
        LF_DOT.get_or_init(|| Finder::new(b"\n.")).find(text)
    }
}

/// Without it they are those that the compiler may take for granted, and a loop that it makes vectors of is ahead of memchr.
#[cfg(not(feature = "std"))]
mod skip {
    use super::{AnyLf, blocks};

    const LONG_BLOCK: usize = 256;

    pub(super) fn to_dot(text: &[u8]) -> Option<usize> {
        let mut rest = text;
        while let Some(block) = rest.first_chunk::<LONG_BLOCK>() {
            if block.iter().fold(false, |any, &octet| any | (octet == b'.')) {
                break;
            }
            rest = rest.get(LONG_BLOCK..).unwrap_or_default();
        }
        memchr::memchr(b'.', rest).map(|dot| text.len().saturating_sub(rest.len()).saturating_add(dot))
    }

    pub(super) fn to_lf_dot(text: &[u8]) -> Option<usize> {
        if let [b'\n', b'.', ..] = text {
            return Some(0);
        }
        blocks::<AnyLf>(text).map(|dot| dot.saturating_sub(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;
    use alloc::vec::Vec;
    use proptest::prelude::*;

    /// An octet loop that is obviously right, and shares nothing with the gears: every place of a dot that begins a line.
    fn line_dots(text: &[u8], bare_lf: bool) -> impl Iterator<Item = usize> {
        (0..text.len()).filter(move |&at| {
            let front = &text[..at];
            text[at] == b'.' && if bare_lf { front.ends_with(b"\n") } else { front.ends_with(b"\r\n") }
        })
    }

    fn naive(text: &[u8], bare_lf: bool) -> Option<usize> {
        line_dots(text, bare_lf).next()
    }

    fn check(text: &[u8]) {
        for bare_lf in [false, true] {
            let expected = naive(text, bare_lf);
            let found = if bare_lf { line_dot::<AnyLf>(text) } else { line_dot::<CrLf>(text) };
            assert_eq!(found, expected, "bare LF: {bare_lf}, {} octets: {}", text.len(), text.escape_ascii());
            let slow = if bare_lf { plain::<AnyLf>(text) } else { plain::<CrLf>(text) };
            assert_eq!(slow, expected, "octet by octet, bare LF: {bare_lf}: {}", text.escape_ascii());
            let sought = if bare_lf { sparse::<AnyLf>(text) } else { sparse::<CrLf>(text) };
            assert_eq!(sought, expected, "one of few, bare LF: {bare_lf}: {}", text.escape_ascii());
            let next = if bare_lf { next_line_dot::<AnyLf>(text) } else { next_line_dot::<CrLf>(text) };
            let first_lf = text.iter().position(|&octet| octet == b'\n');
            assert!(next.is_none() || next == expected, "one of many, bare LF: {bare_lf}: {}", text.escape_ascii());
            if expected.is_some_and(|dot| first_lf == dot.checked_sub(1) && dot <= LINE) && text.len() >= LINE {
                assert_eq!(next, expected, "one of many, and near: {bare_lf}: {}", text.escape_ascii());
            }
            // The gears one by one, those that have no say on the first octets from there on.
            if text.first_chunk::<CONTEXT>() != Some(b"\n.") {
                let exact = if bare_lf { blocks::<AnyLf>(text) } else { blocks::<CrLf>(text) };
                assert_eq!(exact, expected, "in blocks, bare LF: {bare_lf}: {}", text.escape_ascii());
            }
            if let Some(dot) = text.iter().position(|&octet| octet == b'.') {
                let skipped = if bare_lf { far::<AnyLf>(text, dot) } else { far::<CrLf>(text, dot) };
                assert_eq!(skipped, expected, "far, bare LF: {bare_lf}: {}", text.escape_ascii());
            }
        }
    }

    #[test]
    fn every_gear_finds_a_line_dot_at_every_place_of_texts_of_every_length_around_the_blocks() {
        for length in (0..=70).chain(128..=134).chain([260, 515]) {
            for (first, fill) in [(b'x', b'x'), (b'.', b'x'), (b'.', b'.'), (b'\r', b'\r'), (b'\n', b'\n')] {
                let mut filled = vec![fill; length];
                filled.iter_mut().take(1).for_each(|octet| *octet = first);
                check(&filled);
                for at in 0..length {
                    for line in [&b"\r\n."[..], b"\n.", b".\r\n.", b"\r\r\n.", b"\r\n.\r\n."] {
                        let mut text = filled.clone();
                        let end = length.min(at + line.len());
                        text[at..end].copy_from_slice(&line[..end - at]);
                        check(&text);
                    }
                }
            }
        }
    }

    /// Texts of one octet, and of it with each of these anywhere in between.
    fn with_each_at_every_place(length: usize, mut check: impl FnMut(&[u8])) {
        for fill in *b"x.\r\n" {
            for odd in [&b""[..], b"\r\n.", b"\n.", b"\r\n", b"\rx.", b"x\n"] {
                for at in 0..=length - odd.len() {
                    let mut text = vec![fill; length];
                    text[at..at + odd.len()].copy_from_slice(odd);
                    check(&text);
                }
            }
        }
    }

    #[test]
    fn a_window_holds_a_line_dot_where_there_is_one_behind_its_context_and_nowhere_else() {
        with_each_at_every_place(WINDOW, |text| {
            let window = text.first_chunk().unwrap();
            for (bare_lf, holds) in [(false, holds::<CrLf>(window)), (true, holds::<AnyLf>(window))] {
                let expected = line_dots(text, bare_lf).any(|dot| dot >= CONTEXT);
                assert_eq!(holds, expected, "bare LF: {bare_lf}: {}", text.escape_ascii());
            }
        });
        with_each_at_every_place(SHORT_WINDOW, |text| {
            let window = text.first_chunk().unwrap();
            for (bare_lf, holds) in [(false, holds_short::<CrLf>(window)), (true, holds_short::<AnyLf>(window))] {
                let expected = line_dots(text, bare_lf).any(|dot| dot >= CONTEXT);
                assert_eq!(holds, expected, "bare LF: {bare_lf}: {}", text.escape_ascii());
            }
        });
    }

    #[test]
    fn the_first_lf_is_near_if_it_is_within_a_line_and_in_blocks_that_are_full() {
        for length in 0..3 * LINE {
            let none = vec![b'x'; length];
            assert_eq!(near_line_end(&none), None);
            for lf in 0..length {
                let mut text = none.clone();
                text[lf] = b'\n';
                let near = lf < LINE && (lf / HALF + 1) * HALF <= length;
                assert_eq!(near_line_end(&text), near.then_some(lf + 1), "LF at {lf} of {length} octets");
                // A second one behind it changes nothing.
                text[lf..].fill(b'\n');
                assert_eq!(near_line_end(&text), near.then_some(lf + 1), "LFs from {lf} of {length} octets");
            }
        }
    }

    #[test]
    fn the_gears_change_over_where_a_stretch_ends() {
        for from in [0, 1, 70] {
            for miss in [false, true] {
                for at in STRETCH - 70..STRETCH + 140 {
                    let mut text = vec![b'x'; STRETCH + 300];
                    text[from] = b'.';
                    if miss {
                        text[from + 10..from + 12].copy_from_slice(b"\n.");
                    }
                    text[at..at + 3].copy_from_slice(b"\r\n.");
                    check(&text);
                    assert_eq!(naive(&text, false), Some(at + 2));
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn texts_of_all_kinds_are_searched_as_the_naive_loop_does(
            parts in proptest::collection::vec((0_usize..8, 0_usize..90), 0..60),
            from in 0_usize..64,
        ) {
            let kinds: [&[u8]; 8] = [b"x", b"abc. ", b".", b"\n.", b"\r\r\n", b".\r", b"\n", b"\r\n"];
            let mut text = Vec::new();
            for (kind, times) in parts {
                // Line breaks are few, so that the gears for what is far away get to run.
                let times = if kind == 7 { 1 } else { times };
                text.extend(kinds[kind].repeat(times));
            }
            // At every alignment.
            check(text.get(from..).unwrap_or_default());
        }
    }
}
