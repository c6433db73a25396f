//! Steps that several cases take.

use crate::case::{Judged, Reply, Start, Stop, Talk, fail, skip};
use crate::octets::escape;
use crate::peer::Login;
use std::thread;
use std::time::Duration;

/// Logs in on a fresh connection. The session before it ended without QUIT, so that a server that locks the maildrop
/// may take a moment to see the end.
pub(super) fn relogin(s: &mut Talk<'_>) -> Judged {
    let mut tries = 40;
    loop {
        match s.begin(Start::Transaction) {
            Err(Stop::Fail { .. }) if tries > 0 => tries -= 1,
            judged => return judged,
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Ends the session without QUIT and logs in again.
pub(super) fn drop_and_relogin(s: &mut Talk<'_>) -> Judged {
    s.hang_up();
    relogin(s)
}

/// Tries to log in; `false` if the answer is `-ERR`.
pub(super) fn admitted(s: &mut Talk<'_>) -> Judged<bool> {
    match s.login() {
        Ok(()) => Ok(true),
        Err(Stop::Fail { got, .. }) if got.starts_with("-ERR") => Ok(false),
        Err(other) => Err(other),
    }
}

/// While this session has the maildrop, another one tries to log in by USER and PASS; why it is refused.
pub(super) fn second_login_refused(s: &Talk<'_>) -> Judged<Reply> {
    let account = s.account();
    if account.login != Login::User {
        return skip("this user does not log in by USER");
    }
    let mut second = s.second(Start::Authorization)?;
    second.ok(&format!("USER {}", account.user))?;
    not_admitted(second.ask(&format!("PASS {}", account.password))?)
}

/// The answer to the login of a second session; the case is skipped where that is admitted.
pub(super) fn not_admitted(reply: Reply) -> Judged<Reply> {
    if reply.is_ok() { skip("the server admits two sessions to one maildrop") } else { Ok(reply) }
}

/// Each line must be answered `-ERR` before the login. Two for each connection: servers close after a few of them.
pub(super) fn refused_before_login(s: &mut Talk<'_>, lines: &[&str]) -> Judged {
    for pair in lines.chunks(2) {
        s.begin(Start::Authorization)?;
        for line in pair {
            s.err(line)?;
        }
        s.quit()?;
    }
    Ok(())
}

/// Each line must be answered `-ERR`, with one line, and the session goes on.
pub(super) fn all_refused(s: &mut Talk<'_>, lines: &[String]) -> Judged {
    for line in lines {
        s.err(line)?;
        // It shows at once if more than one line was sent.
        s.ok("NOOP")?;
    }
    Ok(())
}

/// As [`all_refused`], for lines that the grammar refuses but that can only be meant one way: our own server says `-ERR`; a
/// foreign one that does what is meant is noted, whatever it sends.
pub(super) fn all_refused_or_meant(s: &mut Talk<'_>, lines: &[String]) -> Judged {
    for line in lines {
        s.send(line)?;
        let reply = s.reply()?;
        if reply.is_ok() {
            s.check(!s.strict(), "-ERR", reply.shown())?;
            s.note(format!("lenient: {line} is answered +OK"));
            while s.leftover().is_some() {}
        }
        s.ok("NOOP")?;
    }
    Ok(())
}

/// The drop listing: how many messages, and how many octets.
pub(super) fn stat(s: &mut Talk<'_>) -> Judged<(u64, u64)> {
    let stat = s.ok("STAT")?;
    match (stat.number(1), stat.number(2)) {
        (Some(count), Some(octets)) => Ok((count, octets)),
        _ => fail("+OK nn mm", stat.shown()),
    }
}

/// The scan listings of LIST: message-numbers and sizes.
pub(super) fn scan_listings(s: &mut Talk<'_>) -> Judged<Vec<(u64, u64)>> {
    s.multi("LIST")?.rows.iter().map(|row| scan_listing(row)).collect()
}

/// A scan listing; what stands behind the size is nobody's business here.
pub(super) fn scan_listing(row: &[u8]) -> Judged<(u64, u64)> {
    let mut words = row.split(|&octet| octet == b' ');
    match (words.next().and_then(decimal), words.next().and_then(decimal)) {
        (Some(number), Some(size)) => Ok((number, size)),
        _ => fail("a scan listing: message-number, SP, size", escape(row)),
    }
}

/// The unique-id listings of UIDL: message-numbers and all that stands behind the space.
pub(super) fn unique_ids(s: &mut Talk<'_>) -> Judged<Vec<(u64, Vec<u8>)>> {
    s.multi("UIDL")?.rows.iter().map(|row| unique_id(row)).collect()
}

/// A unique-id listing.
pub(super) fn unique_id(row: &[u8]) -> Judged<(u64, Vec<u8>)> {
    let parts = row.iter().position(|&octet| octet == b' ').map(|at| (&row[..at], &row[at + 1..]));
    match parts.and_then(|(number, id)| Some((decimal(number)?, id))) {
        Some((number, id)) => Ok((number, id.to_vec())),
        None => fail("a unique-id listing: message-number, SP, unique-id", escape(row)),
    }
}

/// One to 70 octets from 0x21 to 0x7E.
pub(super) fn is_unique_id(id: &[u8]) -> bool {
    (1..=70).contains(&id.len()) && id.iter().all(u8::is_ascii_graphic)
}

/// Digits alone, as a number.
pub(super) fn decimal(digits: &[u8]) -> Option<u64> {
    let plain = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    if plain { std::str::from_utf8(digits).ok()?.parse().ok() } else { None }
}

/// What RETR sends behind its first line: the message, byte-stuffed, and the termination octet.
pub(super) fn on_the_wire(message: &[u8]) -> Vec<u8> {
    let mut sent = Vec::new();
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        if line.starts_with(b".") {
            sent.push(b'.');
        }
        sent.extend_from_slice(line);
    }
    sent.extend_from_slice(b".\r\n");
    sent
}

/// What STAT and the listings say, as a report tells it.
pub(super) trait Told {
    fn told(&self) -> String;
}

impl Told for u64 {
    fn told(&self) -> String {
        self.to_string()
    }
}

impl Told for Vec<u8> {
    fn told(&self) -> String {
        escape(self)
    }
}

impl<A: Told, B: Told> Told for (A, B) {
    fn told(&self) -> String {
        format!("{} {}", self.0.told(), self.1.told())
    }
}

impl<T: Told> Told for Vec<T> {
    fn told(&self) -> String {
        let rows: Vec<_> = self.iter().take(MOST).map(Told::told).collect();
        match self.len() {
            0 => "none".to_owned(),
            all if all > MOST => format!("{}, and so on, {all} in all", rows.join(", ")),
            _ => rows.join(", "),
        }
    }
}

/// So many rows of a listing are told.
const MOST: usize = 12;

/// Fails unless both are the same.
pub(super) fn alike<T: Told + PartialEq>(s: &Talk<'_>, expected: &T, got: &T) -> Judged {
    s.check(expected == got, expected.told(), got.told())
}

/// An answer's octets behind the first line.
pub(super) fn behind_first_line(reply: &Reply) -> &[u8] {
    &reply.raw[reply.first.len() + 2..]
}

/// Whether these are the message-numbers from 1 to that one, each once and in order.
pub(super) fn is_one_to(numbers: &[u64], count: u64) -> bool {
    numbers.len() as u64 == count && numbers.iter().zip(1..).all(|(number, expected)| *number == expected)
}

/// Keywords of the capability list, in upper case; none if the server has no list.
pub(super) fn keywords(s: &mut Talk<'_>) -> Judged<Vec<String>> {
    let list = s.capabilities()?.unwrap_or_default();
    Ok(list.iter().filter_map(|line| line.split(' ').next()).map(str::to_ascii_uppercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listings_are_told_as_they_stand_on_the_wire() {
        assert_eq!((8_u64, 5941_u64).told(), "8 5941");
        assert_eq!(vec![(1_u64, b"a\0".to_vec()), (2, b"bc".to_vec())].told(), "1 a\\x00, 2 bc");
        assert_eq!(Vec::<u64>::new().told(), "none");
        let many: Vec<u64> = (1..=13).collect();
        assert_eq!(many.told(), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, and so on, 13 in all");
    }
}
