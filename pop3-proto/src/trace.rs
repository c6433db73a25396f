//! A trace of the dialogue that can be shown: credentials masked.

use crate::state::Verb;
use crate::text::Text;
use alloc::string::{String, ToString as _};
use alloc::vec::Vec;

/// Turns the octets of both directions into lines for a log, with the arguments of PASS, APOP and AUTH, and every line
/// of a SASL exchange, masked.
///
/// It looks at octets alone, and so works for any client or server. A line is shown once it is complete; of a long one
/// the front is shown, and of what a message holds too: keep the log where the mail may be.
///
/// ```
/// use pop3_proto::Trace;
///
/// let (mut trace, mut log) = (Trace::new(), Vec::new());
/// trace.client(b"USER mrose\r\nPASS tan", |line| log.push(line.to_string()));
/// trace.client(b"staaf\r\n", |line| log.push(line.to_string()));
/// trace.server(b"+OK\r\n", |line| log.push(line.to_string()));
/// assert_eq!(log, ["C: USER mrose", "C: PASS ****", "S: +OK"]);
/// ```
#[derive(Debug, Default)]
pub struct Trace {
    client: Half,
    server: Half,
    /// An AUTH command or a challenge was seen, and no answer behind it.
    exchange: bool,
    /// An AUTH command was seen at all.
    auth: bool,
}

/// One direction.
#[derive(Default)]
struct Half {
    line: Vec<u8>,
    longer: bool,
}

/// How much of a line is kept.
const SHOWN: usize = 512;

impl Trace {
    /// At the beginning of a connection.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Octets that the client sent. `show` gets a line at a time, without its ending.
    pub fn client(&mut self, octets: &[u8], mut show: impl FnMut(&str)) {
        let Self { client, exchange, auth, .. } = self;
        client.lines(octets, |line, longer| {
            // A response may even come before its challenge was seen: behind AUTH, what is no command is masked.
            let known = is_command(line);
            let masked = mask_client(line, *exchange || *auth && !known);
            let begins = is_verb(line, b"AUTH");
            *exchange |= begins;
            *auth |= begins;
            show(&shown("C: ", &masked, longer));
        });
    }

    /// Octets that the server sent.
    pub fn server(&mut self, octets: &[u8], mut show: impl FnMut(&str)) {
        let Self { server, exchange, auth, .. } = self;
        server.lines(octets, |line, longer| {
            // A line that answers an earlier command may come between AUTH and its challenge. (A message may have such
            // a line too: then a command is masked that need not be.)
            let is_challenge = *auth && line.starts_with(b"+") && !line.starts_with(b"+OK");
            *exchange = is_challenge;
            if is_challenge {
                show(if line.len() > 2 { "S: + ****" } else { "S: +" });
                return;
            }
            show(&shown("S: ", &Text::from(line).to_string(), longer));
        });
    }
}

impl Half {
    fn lines(&mut self, octets: &[u8], mut whole: impl FnMut(&[u8], bool)) {
        for part in octets.split_inclusive(|&octet| octet == b'\n') {
            // No growing, which would leave copies behind.
            self.line.reserve_exact(SHOWN.saturating_sub(self.line.len()));
            let room = SHOWN.saturating_sub(self.line.len());
            self.longer |= part.len() > room;
            self.line.extend_from_slice(part.get(..room).unwrap_or(part));
            if part.ends_with(b"\n") {
                whole(self.line.trim_ascii_end(), self.longer);
                wipe(&mut self.line);
                self.longer = false;
            }
        }
    }
}

/// The unfinished line may be half of a password.
impl core::fmt::Debug for Half {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Half").field("held", &self.line.len()).finish()
    }
}

fn mask_client(line: &[u8], exchange: bool) -> String {
    let line = line.trim_ascii_start();
    if exchange {
        return String::from(if line == b"*" { "*" } else { "****" });
    }
    // The keyword, as many words behind it as are no secret, and whether there was more.
    let words = |count: usize| {
        let (keyword, rest) = line.split_at_checked(4).unwrap_or((line, &[]));
        let mut shown = Text::from(keyword).to_string();
        let mut words = rest.split(|octet| octet.is_ascii_whitespace() || octet.is_ascii_control());
        let separated = words.next().is_some_and(<[u8]>::is_empty);
        for word in words.by_ref().take(if separated { count } else { 0 }) {
            shown.push(' ');
            shown.push_str(&Text::from(word).to_string());
        }
        if !separated && !rest.is_empty() || words.next().is_some() {
            shown.push_str(" ****");
        }
        shown
    };
    if is_verb(line, b"PASS") {
        words(0)
    } else if is_verb(line, b"APOP") || is_verb(line, b"AUTH") {
        words(1)
    } else {
        Text::from(line).to_string()
    }
}

/// Whether the line begins with a keyword of the RFCs.
fn is_command(line: &[u8]) -> bool {
    let keyword = line.split(|octet| !octet.is_ascii_alphanumeric()).next().unwrap_or_default();
    Verb::from_keyword(keyword) != Verb::Other
}

/// Whether the line begins with the keyword, whatever comes behind it.
fn is_verb(line: &[u8], keyword: &[u8; 4]) -> bool {
    line.trim_ascii_start().get(..4).is_some_and(|front| front.eq_ignore_ascii_case(keyword))
}

fn wipe(line: &mut Vec<u8>) {
    #[cfg(feature = "zeroize")]
    zeroize::Zeroize::zeroize(line.as_mut_slice());
    line.clear();
}

#[cfg(feature = "zeroize")]
impl Drop for Half {
    fn drop(&mut self) {
        wipe(&mut self.line);
    }
}

fn shown(side: &str, line: &str, longer: bool) -> String {
    [side, line, if longer { " [...]" } else { "" }].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(turns: &[(char, &[u8])]) -> Vec<String> {
        let (mut trace, mut log) = (Trace::new(), Vec::new());
        for &(side, octets) in turns {
            for piece in octets.chunks(1) {
                if side == 'C' {
                    trace.client(piece, |line| log.push(line.into()));
                } else {
                    trace.server(piece, |line| log.push(line.into()));
                }
            }
        }
        log
    }

    #[test]
    fn credentials_are_masked_wherever_they_stand() {
        let secret = "c3VwZXJzZWNyZXQhIQ==";
        let pass = alloc::format!("pass {secret}\r\n  PASS  {secret}\r\nPASS\t{secret}\r\n");
        let apop = alloc::format!("APOP mrose {secret}\r\n");
        let auth = alloc::format!("AUTH PLAIN {secret}\r\n");
        let response = alloc::format!("{secret}\r\n");
        let log = log(&[
            ('C', pass.as_bytes()),
            ('C', apop.as_bytes()),
            ('C', auth.as_bytes()),
            ('S', b"-ERR\r\n"),
            ('C', b"AUTH LOGIN\r\n"),
            ('S', b"+ VXNlcm5hbWU6\r\n"),
            ('C', response.as_bytes()),
            ('S', b"+ \r\n"),
            ('C', response.as_bytes()),
            ('S', b"+OK in\r\n"),
            ('C', b"STAT\r\n"),
        ]);
        assert!(!log.concat().contains(&secret[..8]), "{log:?}");
        assert_eq!(log[3..6], ["C: APOP mrose ****", "C: AUTH PLAIN ****", "S: -ERR"]);
        assert_eq!(log.last().map(String::as_str), Some("C: STAT"));
    }

    #[test]
    fn a_challenge_behind_the_answer_to_an_earlier_command_masks_the_response_too() {
        let log = log(&[
            ('C', b"CAPA\r\nAUTH PLAIN\r\n"),
            ('S', b"+OK\r\nSASL PLAIN\r\n.\r\n+ \r\n"),
            ('C', b"AHRlc3QAdGVzdA==\r\n"),
        ]);
        assert_eq!(log.last().map(String::as_str), Some("C: ****"));
    }

    #[test]
    fn a_response_before_its_challenge_is_masked_too() {
        let log = log(&[('C', b"AUTH PLAIN\r\n"), ('S', b"+OK\r\n"), ('C', b"c2VjcmV0\r\nSTAT\r\n")]);
        assert_eq!(log[2..], ["C: ****", "C: STAT"]);
    }

    #[test]
    fn whatever_separates_a_password_it_is_masked() {
        for line in [
            &b"AUTH PLAIN\tsecret\r\n"[..],
            b"APOP name\tsecret\r\n",
            b"AUTH\tPLAIN\x0bsecret\r\n",
            b"PASS\0secret\r\n",
            b"PASS\x0bsecret\r\n",
            b"PASSsecret\r\n",
            b"pass  secret\r\n",
        ] {
            let log = log(&[('C', line)]);
            assert!(!log.concat().contains("secret"), "{log:?}");
        }
    }

    #[test]
    fn directly_behind_auth_even_what_reads_like_a_command_is_masked() {
        assert_eq!(log(&[('C', b"AUTH LOGIN\r\nUSER/wAB\r\n")]), ["C: AUTH LOGIN", "C: ****"]);
        assert_eq!(log(&[('C', b"AUTH LOGIN\r\n"), ('S', b"+ \r\n"), ('C', b"*\r\n")])[2], "C: *");
    }

    #[test]
    fn a_challenge_shows_whether_it_says_anything() {
        let auth = ('C', &b"AUTH X\r\n"[..]);
        for (line, seen) in [
            (&b"+ \r\n"[..], "S: +"),
            (b"+\r\n", "S: +"),
            (b"+a\r\n", "S: +"),
            (b"+ a\r\n", "S: + ****"),
            (b"+ VXNlcm5hbWU6\r\n", "S: + ****"),
            (b"+OK VXNlcm5hbWU6\r\n", "S: +OK VXNlcm5hbWU6"),
        ] {
            assert_eq!(log(&[auth, ('S', line)])[1], seen);
        }
        assert_eq!(log(&[('S', b"+ no exchange\r\n")]), ["S: + no exchange"]);
    }

    #[test]
    fn a_command_shows_that_something_is_masked_only_where_something_was() {
        for (line, seen) in [
            (&b"PASS\r\n"[..], "C: PASS"),
            (b"PASS x\r\n", "C: PASS ****"),
            (b"PASSx\r\n", "C: PASS ****"),
            (b"AUTH\r\n", "C: AUTH"),
            (b"AUTH PLAIN\r\n", "C: AUTH PLAIN"),
            (b"AUTHx PLAIN\r\n", "C: AUTH ****"),
            (b"APOP mrose x\r\n", "C: APOP mrose ****"),
            (b"USER mrose\r\n", "C: USER mrose"),
        ] {
            assert_eq!(log(&[('C', line)]), [seen]);
        }
    }

    #[test]
    fn lines_of_one_read_are_shown_one_by_one_and_whole_up_to_the_limit() {
        let mut seen = Vec::new();
        let mut trace = Trace::new();
        trace.client(b"STAT\r\nNOO", |line| seen.push(String::from(line)));
        assert_eq!(seen, ["C: STAT"]);
        trace.client(b"P\r\n", |line| seen.push(line.into()));
        assert_eq!(seen[1..], ["C: NOOP"]);
        for (octets, longer) in [(SHOWN - 1, false), (SHOWN, false), (SHOWN + 1, true)] {
            let line = [&vec![b'x'; octets - 1][..], b"\n"].concat();
            Trace::new().client(&line, |line| assert_eq!(line.ends_with(" [...]"), longer, "{octets}"));
        }
    }

    /// (What is free is looked at through the kernel; the allocator keeps books in its first octets.)
    #[cfg(all(feature = "zeroize", target_os = "linux"))]
    #[test]
    fn half_a_line_is_wiped_when_the_trace_is_dropped() {
        extern crate std;
        use std::io::{Read as _, Seek as _, SeekFrom};
        let mut memory = std::fs::File::open("/proc/self/mem").unwrap();
        let mut trace = Trace::new();
        trace.client(&[b'k'; 200], |_| {});
        let at = trace.client.line.as_ptr() as u64;
        let mut seen = [0; 200];
        let mut look = || {
            memory.seek(SeekFrom::Start(at)).unwrap();
            memory.read_exact(&mut seen).unwrap();
            seen[32..].windows(8).any(|window| window == b"kkkkkkkk")
        };
        assert!(look());
        drop(trace);
        assert!(!look());
    }

    #[test]
    fn a_line_without_end_costs_a_bounded_buffer() {
        let mut trace = Trace::new();
        trace.client(&[b'x'; 100_000], |_| {});
        assert!(trace.client.line.len() <= SHOWN);
        let mut seen = String::new();
        trace.client(b"\r\n", |line| seen = line.into());
        assert!(seen.ends_with("x [...]"));
    }
}
