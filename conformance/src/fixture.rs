//! The messages that stand where a transcript says no more than "the message": of exactly the size that it gives, with
//! lines that begin with dots, so that whoever stuffs or unstuffs wrongly is seen.

/// A message of exactly that many octets, as RETR sends it: every line ends in CRLF. `None` for a single octet, which
/// makes no line.
///
/// ```
/// use pop3_conformance::fixture;
///
/// let message = fixture::message(120).unwrap();
/// assert_eq!(message.len(), 120);
/// assert!(message.windows(5).any(|octets| octets == b"\r\n.\r\n"));
/// ```
#[must_use]
pub fn message(octets: usize) -> Option<Vec<u8>> {
    let mut message = Vec::with_capacity(octets);
    let around = HEAD.len() + DOTS.len() + LAST.len();
    match octets {
        1 => return None,
        // Too small for a header and all the dots.
        _ if octets < around || octets == around + 1 => fill(&mut message, octets),
        _ => {
            message.extend_from_slice(HEAD);
            message.extend_from_slice(DOTS);
            fill(&mut message, octets - around);
            message.extend_from_slice(LAST);
        }
    }
    Some(message)
}

/// The message for TOP where the transcript gives no size: a header and twelve lines of body, four of which begin with
/// a dot.
#[must_use]
pub fn twelve_lines() -> Vec<u8> {
    let mut message = b"From: mrose@dbc.mtview.ca.us\r\nSubject: twelve lines,\r\n\tfolded\r\n\r\n".to_vec();
    for number in 1..=12 {
        let dots = if number % 3 == 1 { "." } else { "" };
        message.extend_from_slice(format!("{dots}line {number} of 12\r\n").as_bytes());
    }
    message
}

/// What TOP sends of a message: the header, the blank line, and so many lines of the body.
///
/// ```
/// use pop3_conformance::fixture;
///
/// assert_eq!(fixture::top(b"A: b\r\n\r\n1\r\n2\r\n", 1), b"A: b\r\n\r\n1\r\n");
/// ```
#[must_use]
pub fn top(message: &[u8], lines: usize) -> Vec<u8> {
    let mut sent = Vec::new();
    let mut left = None;
    for line in message.split_inclusive(|&octet| octet == b'\n') {
        match &mut left {
            None if line == b"\r\n" => left = Some(lines),
            None => {}
            Some(0) => break,
            Some(left) => *left -= 1,
        }
        sent.extend_from_slice(line);
    }
    sent
}

/// Lines of 40 octets at most, and of two at least.
fn fill(message: &mut Vec<u8>, mut octets: usize) {
    while octets > 0 {
        let line = match octets {
            0..=40 => octets,
            41 => 39,
            _ => 40,
        };
        message.extend(b"a line that fills the message up, no mor".iter().take(line - 2));
        message.extend_from_slice(b"\r\n");
        octets -= line;
    }
}

const HEAD: &[u8] = b"Subject: dots\r\n\r\n";
const DOTS: &[u8] = b".\r\n..\r\n.x\r\n";
/// What comes last looks like the end, stuffed or not.
const LAST: &[u8] = b"..\r\n.\r\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_exactly_the_size_that_is_asked_for_and_whole_lines() {
        for octets in (0..=400).filter(|&octets| octets != 1) {
            let message = message(octets).unwrap();
            assert_eq!(message.len(), octets);
            assert!(message.is_empty() || message.ends_with(b"\r\n"), "{octets}");
        }
        assert_eq!(message(1), None);
    }

    #[test]
    fn the_messages_of_the_rfcs_examples_hold_every_kind_of_dot() {
        for octets in [120, 200] {
            let message = message(octets).unwrap();
            for line in [&b"\r\n.\r\n"[..], b"\r\n..\r\n", b"\r\n.x\r\n"] {
                assert!(message.windows(line.len()).any(|window| window == line));
            }
        }
    }

    #[test]
    fn ten_of_twelve_lines_end_behind_the_tenth() {
        let message = twelve_lines();
        let top = top(&message, 10);
        assert!(top.ends_with(b".line 10 of 12\r\n"));
        assert!(message.starts_with(&top));
    }
}
