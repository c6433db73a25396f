//! How octets are cut on their way into a subject. A protocol that is sound never notices.

/// One way of cutting a session's octets.
///
/// ```
/// use pop3_conformance::chunking::{Chunking, Part};
///
/// let octets = b"+OK\r\n.\r\n";
/// let cut = |chunking: Chunking| chunking.pieces(0, Part::Received, octets).collect::<Vec<_>>();
/// assert_eq!(cut(Chunking::PerLine), [&b"+OK\r\n"[..], b".\r\n"]);
/// assert_eq!(cut(Chunking::PerOctet).len(), octets.len());
/// let split = Chunking::Split { exchange: 0, part: Part::Received, at: (4, 7) };
/// assert_eq!(cut(split), [&b"+OK\r"[..], b"\n.\r", b"\n"]);
/// assert_eq!(split.to_string(), "what it receives here cut before the octets 4 and 7");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chunking {
    /// Each turn of the other side in one piece.
    Whole,
    /// Cut behind each LF.
    PerLine,
    /// One octet at a time.
    PerOctet,
    /// One turn in three pieces (or two, where the second cut is at its end), everything else whole.
    Split {
        /// The exchange, from 0.
        exchange: usize,
        /// What is cut.
        part: Part,
        /// Before which octets, from 0.
        at: (usize, usize),
    },
}

/// What is cut.
///
/// ```
/// use pop3_conformance::chunking::{Chunking, Part};
///
/// // What a server reads from its disk is cut, and what comes from the client is not.
/// let stored = Chunking::Split { exchange: 1, part: Part::Stored, at: (1, 2) };
/// assert_eq!(stored.pieces(1, Part::Stored, b".\r\n").count(), 3);
/// assert_eq!(stored.pieces(1, Part::Received, b"RETR 1\r\n").count(), 1);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// What the subject receives.
    Received,
    /// The stored message, as the application hands it to a server.
    Stored,
}

impl std::fmt::Display for Chunking {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Whole => f.write_str("turn by turn"),
            Self::PerLine => f.write_str("line by line"),
            Self::PerOctet => f.write_str("octet by octet"),
            Self::Split { part, at: (first, second), .. } => {
                let what = match part {
                    Part::Received => "what it receives here",
                    Part::Stored => "the stored message",
                };
                write!(f, "{what} cut before the octets {first} and {second}")
            }
        }
    }
}

impl Chunking {
    /// The pieces of what is received, or stored, in an exchange.
    pub fn pieces(self, exchange: usize, part: Part, octets: &[u8]) -> impl Iterator<Item = &[u8]> {
        let mut start = 0;
        std::iter::from_fn(move || {
            let rest = octets.get(start..).filter(|rest| !rest.is_empty())?;
            let length = match self {
                Self::PerLine => rest.iter().position(|&octet| octet == b'\n').map_or(rest.len(), |lf| lf + 1),
                Self::PerOctet => 1,
                Self::Split { exchange: here, part: of, at: (first, second) } if here == exchange && of == part => {
                    match start {
                        0 => first,
                        _ if start == first => second - first,
                        _ => rest.len(),
                    }
                }
                Self::Whole | Self::Split { .. } => rest.len(),
            };
            start += length;
            Some(&rest[..length])
        })
    }
}

/// The two-point splits of some octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Splits {
    /// Where cuts are made, in order; the last is the end.
    positions: Vec<usize>,
    /// Whether some were left out.
    pub(crate) thinned: bool,
}

impl Splits {
    /// All of them, or `limit` at most: then the cuts near the line ends and, of the others, some at even distances.
    pub(crate) fn of(octets: &[u8], limit: usize) -> Self {
        let count = |positions: usize| positions * positions.saturating_sub(1) / 2;
        if count(octets.len()) <= limit {
            return Self { positions: (1..=octets.len()).collect(), thinned: false };
        }
        let near_line_end = |&at: &usize| {
            let around = at.saturating_sub(3)..(at + 3).min(octets.len());
            octets[around].contains(&b'\n')
        };
        // The more there may be, the closer they stand; the coarsest choice is the whole and its end.
        let mut step = 1;
        loop {
            let mut positions: Vec<_> =
                (1..octets.len()).filter(|at| at % step == 0 || step < 16 && near_line_end(at)).collect();
            positions.push(octets.len());
            if count(positions.len()) <= limit || positions.len() <= 2 {
                return Self { positions, thinned: true };
            }
            step += 1;
        }
    }

    /// Each pair, the smaller position first.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (usize, usize)> {
        let positions = &self.positions;
        positions
            .iter()
            .enumerate()
            .flat_map(|(index, &first)| positions[index + 1..].iter().map(move |&second| (first, second)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(chunking: Chunking, octets: &[u8]) -> Vec<&[u8]> {
        chunking.pieces(0, Part::Received, octets).collect()
    }

    #[test]
    fn pieces_put_together_are_the_whole() {
        let octets = b"+OK\r\n1 120\r\n.\r\n";
        let splits = Splits::of(octets, usize::MAX);
        let all = splits.pairs().map(|at| Chunking::Split { exchange: 0, part: Part::Received, at });
        for chunking in [Chunking::Whole, Chunking::PerLine, Chunking::PerOctet].into_iter().chain(all) {
            assert_eq!(cut(chunking, octets).concat(), octets, "{chunking}");
        }
        assert_eq!(cut(Chunking::PerLine, octets), [&b"+OK\r\n"[..], b"1 120\r\n", b".\r\n"]);
        assert_eq!(cut(Chunking::PerOctet, octets).len(), octets.len());
        assert_eq!(cut(Chunking::Whole, b"").len(), 0);
    }

    #[test]
    fn every_two_point_split_is_there_once() {
        let splits = Splits::of(b"abcd", usize::MAX);
        assert_eq!(splits.pairs().collect::<Vec<_>>(), [(1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4)]);
        assert!(!splits.thinned);
        let at = (1, 3);
        assert_eq!(cut(Chunking::Split { exchange: 0, part: Part::Received, at }, b"abcd"), [&b"a"[..], b"bc", b"d"]);
        assert_eq!(cut(Chunking::Split { exchange: 1, part: Part::Received, at }, b"abcd"), [b"abcd"]);
        assert_eq!(cut(Chunking::Split { exchange: 0, part: Part::Stored, at }, b"abcd"), [b"abcd"]);
    }

    #[test]
    fn thinned_splits_stay_near_the_line_ends_and_say_so() {
        let mut octets = [b'x'; 1000].to_vec();
        octets[500] = b'\n';
        let splits = Splits::of(&octets, 10_000);
        assert!(splits.thinned);
        assert!(splits.pairs().count() <= 10_000);
        assert!((499..=502).all(|at| splits.positions.contains(&at)));
        assert_eq!(Splits::of(b"ab", 0).pairs().count(), 1);
    }
}
