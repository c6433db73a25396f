//! A stream of octets means the same wherever it is cut: for authors who test a codec of their own.

use crate::chunking::{Chunking, Part, Splits};
use crate::octets::escape;
use crate::replay::Effort;
use std::fmt;

/// Two cuttings of the same octets that a codec does not take alike.
///
/// ```
/// use pop3_conformance::replay::Effort;
/// use pop3_conformance::split_invariance;
///
/// // A codec that takes the end of a read for the end of a line.
/// let lines = |pieces: &[&[u8]]| pieces.iter().map(|piece| piece.split(|&octet| octet == b'\n').count()).sum::<usize>();
/// let variance = split_invariance(b"+OK ready\r\n", Effort::LITTLE, lines).unwrap_err();
/// assert_eq!((variance.whole, variance.cut), (2, 12));
/// assert!(variance.to_string().starts_with("octet by octet: + | O | K"));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Variance<T> {
    /// The octets.
    pub octets: Vec<u8>,
    /// How they were cut.
    pub chunking: Chunking,
    /// What the codec made of them in one piece.
    pub whole: T,
    /// What it made of them in those pieces.
    pub cut: T,
}

impl<T: fmt::Debug> fmt::Display for Variance<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { octets, chunking, whole, cut } = self;
        let pieces = chunking.pieces(0, Part::Received, octets).map(escape).collect::<Vec<_>>().join(" | ");
        write!(f, "{chunking}: {}\nwhole  {whole:?}\ncut    {cut:?}", pieces)
    }
}

impl<T: fmt::Debug> std::error::Error for Variance<T> {}

/// Gives the same octets to a codec in one piece, line by line, octet by octet and cut at every pair of places (as far as
/// `effort` allows), and compares what comes out. Gives back in how many ways they were cut.
///
/// `codec` makes a fresh codec, feeds it the pieces one after the other, and gives back whatever can be compared: events,
/// octets of output, an error. Pieces of a message that it hands out as they come must be joined before that.
///
/// ```
/// use pop3_conformance::replay::Effort;
/// use pop3_conformance::split_invariance;
///
/// /// Lines as somebody's client finds them. With `carry` unset it makes the mistake that nearly everybody makes once.
/// fn lines(pieces: &[&[u8]], carry: bool) -> Vec<String> {
///     let (mut lines, mut rest) = (Vec::new(), Vec::new());
///     for piece in pieces {
///         rest.extend_from_slice(piece);
///         while let Some(at) = rest.windows(2).position(|pair| pair == b"\r\n") {
///             lines.push(String::from_utf8_lossy(&rest[..at]).into_owned());
///             rest.drain(..at + 2);
///         }
///         if !carry {
///             rest.clear();
///         }
///     }
///     lines
/// }
///
/// let answer = b"+OK 2 messages\r\n1 120\r\n2 200\r\n.\r\n";
/// assert!(split_invariance(answer, Effort::FULL, |pieces| lines(pieces, true)).is_ok());
///
/// let variance = split_invariance(answer, Effort::FULL, |pieces| lines(pieces, false)).unwrap_err();
/// assert_eq!(variance.whole.len(), 4);
/// println!("{variance}"); // the pieces, and both outcomes
/// ```
///
/// # Errors
///
/// The first [`Variance`].
pub fn split_invariance<T: PartialEq>(
    octets: &[u8],
    effort: Effort,
    codec: impl Fn(&[&[u8]]) -> T,
) -> Result<usize, Box<Variance<T>>> {
    let whole = codec(&[octets]);
    let splits = Splits::of(octets, effort.splits);
    let two = splits.pairs().map(|at| Chunking::Split { exchange: 0, part: Part::Received, at });
    let two = two.take(if effort.splits == 0 { 0 } else { usize::MAX });
    let mut tried = 1;
    for chunking in [Chunking::PerLine, Chunking::PerOctet].into_iter().chain(two) {
        let pieces: Vec<_> = chunking.pieces(0, Part::Received, octets).collect();
        let cut = codec(&pieces);
        if cut != whole {
            return Err(Box::new(Variance { octets: octets.to_vec(), chunking, whole, cut }));
        }
        tried += 1;
    }
    Ok(tried)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_codec_that_fails_at_a_single_cut_is_found_there() {
        let octets = b"+OK\r\n.\r\n";
        // It is wrong where the termination octet is parted from what stands before and behind it.
        let codec = |pieces: &[&[u8]]| pieces.contains(&&b"."[..]) && pieces.len() == 3;
        let variance = split_invariance(octets, Effort::FULL, codec).unwrap_err();
        assert_eq!(variance.chunking, Chunking::Split { exchange: 0, part: Part::Received, at: (5, 6) });
        let shown = variance.to_string();
        assert!(shown.contains("+OK\\r\\n | . | \\r\\n\nwhole  false\ncut    true"), "{shown}");
    }

    #[test]
    fn every_cut_is_tried_once() {
        let tried = split_invariance(b"abcd\r\n", Effort::FULL, |pieces| pieces.concat()).unwrap();
        assert_eq!(tried, 1 + 2 + 15);
        assert_eq!(split_invariance(b"abcd\r\n", Effort::LITTLE, |pieces| pieces.concat()).unwrap(), 3);
    }
}
