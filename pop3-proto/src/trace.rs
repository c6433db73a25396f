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
    /// An AUTH command was seen, and no answer to it.
    exchange: bool,
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
        let Self { client, exchange, .. } = self;
        client.lines(octets, |line, longer| {
            let masked = mask_client(line, *exchange);
            *exchange |= is_verb(line, Verb::Auth);
            show(&shown("C: ", &masked, longer));
        });
    }

    /// Octets that the server sent.
    pub fn server(&mut self, octets: &[u8], mut show: impl FnMut(&str)) {
        let Self { server, exchange, .. } = self;
        server.lines(octets, |line, longer| {
            let is_challenge = *exchange && line.starts_with(b"+") && !line.starts_with(b"+OK");
            if is_challenge {
                show(if line.len() > 2 { "S: + ****" } else { "S: +" });
                return;
            }
            *exchange = false;
            show(&shown("S: ", &Text::from(line).to_string(), longer));
        });
    }
}

impl Half {
    fn lines(&mut self, octets: &[u8], mut whole: impl FnMut(&[u8], bool)) {
        for part in octets.split_inclusive(|&octet| octet == b'\n') {
            let room = SHOWN.saturating_sub(self.line.len());
            self.longer |= part.len() > room;
            self.line.extend_from_slice(part.get(..room).unwrap_or(part));
            if part.ends_with(b"\n") {
                whole(self.line.trim_ascii_end(), self.longer);
                self.line.clear();
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
    let words = |count: usize| {
        let mut front: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).take(count).collect();
        if line.split(u8::is_ascii_whitespace).nth(count).is_some() {
            front.push(b"****");
        }
        Text::from(front.join(&b' ')).to_string()
    };
    if is_verb(line, Verb::Pass) {
        words(1)
    } else if is_verb(line, Verb::Apop) || is_verb(line, Verb::Auth) {
        words(2)
    } else {
        Text::from(line).to_string()
    }
}

/// Whether the line begins with the keyword, after whatever white space a strange client puts before it.
fn is_verb(line: &[u8], verb: Verb) -> bool {
    let keyword = line.trim_ascii_start().split(u8::is_ascii_whitespace).next().unwrap_or_default();
    Verb::from_keyword(keyword) == verb
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
    fn a_line_without_end_costs_a_bounded_buffer() {
        let mut trace = Trace::new();
        trace.client(&[b'x'; 100_000], |_| {});
        assert!(trace.client.line.len() <= SHOWN);
        let mut seen = String::new();
        trace.client(b"\r\n", |line| seen = line.into());
        assert!(seen.ends_with("x [...]"));
    }
}
