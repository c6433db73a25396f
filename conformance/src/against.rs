//! Replays a transcript as a client of a live server.
//!
//! The client's lines are sent as they stand; what comes back is compared as far as it is significant: status
//! indicators, the numbers behind the `+OK` to STAT, LIST and UIDL, data lines, and the termination octet. "Other text
//! is not significant" (RFC 1939 §9). A transcript that begins logged in is replayed behind a login of the run's user.

use crate::case::{Judged, Start, Stop, Talk, fail};
use crate::octets::{escape, indicator, words};
use crate::peer::Peer as _;
use crate::peer::live_server::LiveServer;
use crate::transcript::{Content, ParseError, Stage, Transcript};

/// Replays a transcript; whether there was no difference, and what to print.
///
/// # Errors
///
/// [`ParseError`], for a transcript that begins nowhere.
pub fn replay(transcript: &Transcript, server: &LiveServer) -> Result<(bool, String), ParseError> {
    let start = match transcript.header.start.first().map(|place| place.state) {
        Some(Stage::Connect) => Start::Connected,
        Some(Stage::Transaction) => Start::Transaction,
        _ => Start::Authorization,
    };
    let mut talk = Talk::new(server, server.plain_site());
    let mut at = 0;
    let judged = talk.begin(start).and_then(|()| follow(transcript, &mut talk, &mut at));
    let (dialogue, _) = talk.into_parts();
    let name = &transcript.name;
    Ok(match judged {
        Ok(()) => (true, format!("pass {name} [{}]\n", server.name())),
        Err(Stop::Skip(why)) => (true, format!("skip {name} [{}]: {why}\n", server.name())),
        Err(Stop::Fail { expected, got }) => {
            let line = if at == 0 { "before its first line".to_owned() } else { format!("in line {at}") };
            let dialogue: String = dialogue.lines().iter().map(|line| format!("      {line}\n")).collect();
            let head = format!("FAIL {name} [{}] {line}\n", server.name());
            (false, format!("{head}    expected  {expected}\n    got       {got}\n{dialogue}"))
        }
    })
}

fn follow(transcript: &Transcript, talk: &mut Talk<'_>, at: &mut usize) -> Judged {
    for command in &transcript.header.setup {
        talk.ok(command)?;
    }
    // What the last command was; empty for the greeting, and where data lines are due.
    let mut command = Vec::new();
    let (mut fresh, mut ended) = (true, false);
    for line in &transcript.lines {
        *at = line.number;
        match &line.content {
            Content::Client(octets) => {
                talk.raw(&[octets, &b"\r\n"[..]].concat())?;
                command.clone_from(octets);
                fresh = true;
            }
            Content::Server(expected) if fresh => {
                fresh = false;
                status(&command, expected, &talk.line()?)?;
            }
            Content::Server(expected) => {
                if std::mem::take(&mut ended) && expected == b"." {
                    continue;
                }
                let got = talk.line()?;
                if got != *expected {
                    return fail(escape(expected), escape(&got));
                }
            }
            Content::Message => {
                while talk.line()? != b"." {}
                ended = true;
            }
            Content::Tls => talk.handshake()?,
            Content::Action => {}
        }
    }
    Ok(())
}

/// The first line of an answer, as far as it is significant.
fn status(command: &[u8], expected: &[u8], got: &[u8]) -> Judged {
    let verb = words(command).next().unwrap_or_default().to_ascii_uppercase();
    let count = match verb.as_slice() {
        b"STAT" => 3,
        b"LIST" | b"UIDL" if words(command).count() > 1 => 3,
        _ => 1,
    };
    let count = if indicator(expected) == b"+OK" { count } else { 1 };
    if words(expected).take(count).eq(words(got).take(count)) { Ok(()) } else { fail(escape(expected), escape(got)) }
}
