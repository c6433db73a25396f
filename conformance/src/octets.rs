//! The naive reader: it knows lines that end in CRLF and the line that holds a dot alone, and nothing else of POP3.
//!
//! Nothing here uses `pop3-proto`, so that a fault of the library cannot hide itself. Speed does not matter.

#[cfg(test)]
use crate::planted::{Bug, planted};
use std::fmt::Write as _;

/// An answer of a server, taken apart.
///
/// ```
/// use pop3_conformance::octets::Answer;
///
/// let answer = Answer::read(b"+OK 2 320\r\n").expect("a whole answer");
/// assert!(answer.is_ok() && answer.block.is_none());
/// assert_eq!(answer.text(), b"2 320");
/// assert_eq!(Answer::read(b"+OK 2 3"), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The first line, without CRLF.
    pub first: Vec<u8>,
    /// The lines up to the termination octet, if there is more than the first line.
    pub block: Option<Block>,
}

/// The lines between the first line of an answer and the one that holds the termination octet.
///
/// ```
/// use pop3_conformance::octets::Answer;
///
/// let octets = b"+OK\r\n..x\r\n.\r\n";
/// let block = Answer::read(octets).and_then(|answer| answer.block).expect("an answer of several lines");
/// assert_eq!(block.message(), b".x\r\n"); // without the stuffing
/// assert_eq!(&octets[block.place(0)..block.end], b".x\r\n"); // where each octet of the message came from
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// The lines.
    pub rows: Vec<Row>,
    /// Where, in the answer, the line with the termination octet begins.
    pub end: usize,
}

/// One line of a block.
///
/// ```
/// use pop3_conformance::octets::Answer;
///
/// let block = Answer::read(b"+OK\r\n1 120\r\n..\r\n.\r\n").and_then(|answer| answer.block).expect("two rows");
/// assert_eq!((block.rows[0].start, block.rows[0].stuffed), (5, false));
/// assert_eq!((block.rows[1].octets.as_slice(), block.rows[1].stuffed), (&b"."[..], true));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Where it begins in the answer.
    pub start: usize,
    /// Whether a dot was stuffed in front of it.
    pub stuffed: bool,
    /// The line without the stuffing and without CRLF.
    pub octets: Vec<u8>,
}

impl Answer {
    /// Takes one whole answer apart; `None` if it is none: a line without CRLF, no end, or more behind the end.
    ///
    /// ```
    /// use pop3_conformance::octets::Answer;
    ///
    /// let answer = Answer::read(b"+OK\r\n..\r\n.\r\n").unwrap();
    /// assert_eq!(answer.block.unwrap().rows[0].octets, b".");
    /// assert_eq!(Answer::read(b"+OK\r\n1 120\r\n"), None);
    /// ```
    #[must_use]
    pub fn read(octets: &[u8]) -> Option<Self> {
        let mut lines = lines(octets)?;
        let first = lines.remove(0).1.to_vec();
        let end = match lines.pop() {
            Some((end, line)) if is_end(line) => end,
            Some(_) => return None,
            None => return Some(Self { first, block: None }),
        };
        let mut rows = Vec::new();
        for (start, line) in lines {
            if is_end(line) {
                return None;
            }
            let octets = unstuffed(line).to_vec();
            rows.push(Row { start, stuffed: octets.len() < line.len(), octets });
        }
        Some(Self { first, block: Some(Block { rows, end }) })
    }

    /// What stands behind the status indicator and a space.
    #[must_use]
    pub fn text(&self) -> &[u8] {
        match self.first.iter().position(|&octet| octet == b' ') {
            Some(space) => &self.first[space + 1..],
            None => b"",
        }
    }

    /// Whether it is a challenge: `+` and a space.
    #[must_use]
    pub fn is_challenge(&self) -> bool {
        self.first.starts_with(b"+ ")
    }

    /// Whether it begins with `+OK`.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        indicator(&self.first) == b"+OK"
    }
}

impl Block {
    /// The lines as a message: each with its CRLF.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        self.rows.iter().flat_map(|row| [&row.octets[..], b"\r\n"].concat()).collect()
    }

    /// Where, in the answer, an octet of the message stands.
    #[must_use]
    pub fn place(&self, offset: usize) -> usize {
        let mut before = 0;
        for row in &self.rows {
            let behind = before + row.octets.len() + 2;
            if offset < behind {
                return row.start + usize::from(row.stuffed) + (offset - before);
            }
            before = behind;
        }
        self.end
    }
}

/// Where the first line ends, before its CRLF. A bare LF, or a bare CR, is an octet of the line.
pub(crate) fn line_end(octets: &[u8]) -> Option<usize> {
    #[cfg(test)]
    if planted(Bug::EndsAtCarriageReturn) {
        return octets.windows(2).position(|pair| pair[0] == b'\r');
    }
    octets.windows(2).position(|pair| pair == b"\r\n")
}

/// Whether a line holds the termination octet alone.
pub(crate) fn is_end(line: &[u8]) -> bool {
    #[cfg(test)]
    if planted(Bug::AnyDotEnds) {
        return line.starts_with(b".");
    }
    line == b"."
}

/// A line without the dot that was stuffed in front of it: the first dot goes, whatever follows (RFC 1939 §3).
pub(crate) fn unstuffed(line: &[u8]) -> &[u8] {
    #[cfg(test)]
    if planted(Bug::KeepsStuffing) {
        return line;
    }
    line.strip_prefix(b".").unwrap_or(line)
}

/// The first word of a line.
#[must_use]
pub fn indicator(line: &[u8]) -> &[u8] {
    #[cfg(test)]
    if planted(Bug::TakesAnything) {
        return b"+OK";
    }
    line.split(|&octet| octet == b' ').next().unwrap_or(line)
}

/// The words of a line, as single spaces part them.
pub fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(|&octet| octet == b' ')
}

/// A message as it is sent: CRLF behind the last line, a dot in front of each line that begins with one.
#[must_use]
pub fn stuffed(message: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    let mut rest = message;
    while !rest.is_empty() {
        let length = rest.windows(2).position(|pair| pair == b"\r\n").unwrap_or(rest.len());
        if rest[0] == b'.' {
            sent.push(b'.');
        }
        sent.extend_from_slice(&rest[..length]);
        sent.extend_from_slice(b"\r\n");
        rest = rest.get(length + 2..).unwrap_or_default();
    }
    sent
}

/// Each line with where it begins; `None` unless the octets are whole lines, and at least one.
fn lines(octets: &[u8]) -> Option<Vec<(usize, &[u8])>> {
    let mut found = Vec::new();
    let mut start = 0;
    while start < octets.len() {
        let length = line_end(&octets[start..])?;
        found.push((start, &octets[start..start + length]));
        start += length + 2;
    }
    if found.is_empty() { None } else { Some(found) }
}

/// Where two strings of octets begin to differ; `None` if they are equal.
#[must_use]
pub fn difference(expected: &[u8], got: &[u8]) -> Option<usize> {
    let common = expected.iter().zip(got).take_while(|(a, b)| a == b).count();
    (common < expected.len() || common < got.len()).then_some(common)
}

/// Octets as text: `\r`, `\n`, `\\`, and `\xNN` for whatever is not visible ASCII or a space.
#[must_use]
pub fn escape(octets: &[u8]) -> String {
    let mut text = String::new();
    for &octet in octets {
        match octet {
            b'\r' => text.push_str("\\r"),
            b'\n' => text.push_str("\\n"),
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(octet)),
            _ => write!(text, "\\x{octet:02X}").expect("writing to a string"),
        }
    }
    text
}

/// Both strings of octets, line by line, with a mark below the first octet that differs.
///
/// ```
/// use pop3_conformance::octets::comparison;
///
/// let shown = comparison(b"+OK 2 320\r\n", b"+OK 2 321\r\n");
/// assert_eq!(shown, "expected  +OK 2 320\\r\\n\n\
///                    \x20                 ^\n\
///                    got       +OK 2 321\\r\\n\n\
///                    \x20                 ^\n");
/// ```
#[must_use]
pub fn comparison(expected: &[u8], got: &[u8]) -> String {
    let at = difference(expected, got);
    let mut shown = String::new();
    for (label, octets) in [("expected  ", expected), ("got       ", got)] {
        let mut indent = label;
        let mut start = 0;
        while start < octets.len() {
            let line =
                octets[start..].iter().position(|&octet| octet == b'\n').map_or(octets.len(), |lf| start + lf + 1);
            writeln!(shown, "{indent}{}", escape(&octets[start..line])).expect("writing to a string");
            indent = "          ";
            if let Some(at) = at.filter(|at| (start..line).contains(at)) {
                writeln!(shown, "{indent}{}^", " ".repeat(escape(&octets[start..at]).len()))
                    .expect("writing to a string");
            }
            start = line;
        }
        if at == Some(octets.len()) {
            writeln!(shown, "{indent}^ nothing more").expect("writing to a string");
        }
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_one_line_or_ends_in_a_line_with_a_dot_alone() {
        for (octets, rows) in [
            (&b"+OK\r\n"[..], None),
            (b"+OK\r\n.\r\n", Some(0)),
            (b"+OK\r\n\r\n.\r\n", Some(1)),
            (b"+OK\r\n..\r\n.x\r\n.\r\n", Some(2)),
        ] {
            assert_eq!(Answer::read(octets).unwrap().block.map(|block| block.rows.len()), rows, "{}", escape(octets));
        }
        for octets in [&b""[..], b"+OK", b"+OK\n", b"+OK\r\n1 120\r\n", b"+OK\r\n.\r\n+OK\r\n", b"+OK\r\n.\r\n.\r\n"] {
            assert_eq!(Answer::read(octets), None, "{}", escape(octets));
        }
    }

    #[test]
    fn each_octet_of_a_message_has_its_place_in_the_answer() {
        let octets = b"+OK\r\n..a\r\n\r\nb\r\n.\r\n";
        let block = Answer::read(octets).unwrap().block.unwrap();
        let message = block.message();
        assert_eq!(message, b".a\r\n\r\nb\r\n");
        for (offset, octet) in message.iter().enumerate() {
            assert_eq!(octets[block.place(offset)], *octet, "{offset}");
        }
        assert_eq!(block.place(message.len()), block.end);
    }

    #[test]
    fn stuffing_doubles_a_dot_at_the_start_of_a_line_and_nowhere_else() {
        assert_eq!(stuffed(b".\r\n..\r\na.b\r\n.c"), b"..\r\n...\r\na.b\r\n..c\r\n");
        assert_eq!(stuffed(b""), b"");
        assert_eq!(stuffed(b"\r\n"), b"\r\n");
    }

    #[test]
    fn what_is_missing_is_marked_too() {
        assert_eq!(difference(b"a", b"a"), None);
        assert_eq!(difference(b"ab", b"a"), Some(1));
        assert_eq!(comparison(b"a", b""), "expected  a\n          ^\ngot       ^ nothing more\n");
    }
}
