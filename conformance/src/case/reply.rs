//! A server's answer, read naively.

use crate::octets::{escape, indicator};

/// An answer: the first line, and the data lines if it has more.
///
/// ```
/// use pop3_conformance::case::ServerCase;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static ADDS_UP: ServerCase = ServerCase::must("own/adds-up", "STAT says what LIST says", &[], |s| {
///     let (stat, list) = (s.ok("STAT")?, s.multi("LIST")?);
///     let octets: u64 = list.lines().iter().filter_map(|row| row.split(' ').nth(1)?.parse::<u64>().ok()).sum();
///     s.check(stat.number(2) == Some(octets), format!("{octets} octets"), stat.shown())
/// });
/// let results = suite::run(&[Case::Server(&ADDS_UP)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reply {
    /// The first line, without CRLF.
    pub first: Vec<u8>,
    /// The data lines, stuffing removed, without CRLF.
    pub rows: Vec<Vec<u8>>,
    /// All of it as it came.
    pub raw: Vec<u8>,
}

impl Reply {
    /// Whether it begins with `+OK`.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        indicator(&self.first) == b"+OK"
    }

    /// Whether it begins with `-ERR`.
    #[must_use]
    pub fn is_err(&self) -> bool {
        indicator(&self.first) == b"-ERR"
    }

    /// What stands behind the status indicator and a space.
    #[must_use]
    pub fn text(&self) -> String {
        let line = String::from_utf8_lossy(&self.first).into_owned();
        line.split_once(' ').map(|(_, text)| text.to_owned()).unwrap_or_default()
    }

    /// A word of the first line; the status indicator is number 0.
    #[must_use]
    pub fn word(&self, index: usize) -> &[u8] {
        self.first.split(|&octet| octet == b' ').nth(index).unwrap_or_default()
    }

    /// A word of the first line as a number: digits alone.
    #[must_use]
    pub fn number(&self, index: usize) -> Option<u64> {
        number(self.word(index))
    }

    /// The data lines as a message: each with its CRLF.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        self.rows.iter().flat_map(|row| [&row[..], b"\r\n"].concat()).collect()
    }

    /// The data lines as text.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.rows.iter().map(|row| String::from_utf8_lossy(row).into_owned()).collect()
    }

    /// The first line, visible.
    #[must_use]
    pub fn shown(&self) -> String {
        escape(&self.first)
    }
}

/// Digits alone, as a number.
pub(crate) fn number(octets: &[u8]) -> Option<u64> {
    let digits = !octets.is_empty() && octets.iter().all(u8::is_ascii_digit);
    if digits { std::str::from_utf8(octets).ok()?.parse().ok() } else { None }
}
