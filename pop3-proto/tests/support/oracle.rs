//! Naive readers and writers that the wire and grammar tests are held against: an octet or a line at a time, everything
//! in memory, nothing clever. Nothing here uses the framing of the crate under test.

// Each test binary compiles this file for itself and uses a part of it.
#![allow(dead_code, reason = "each test program uses its own part of this")]

use pop3_proto::{Client, Command, Config, Event, Greeting, Incoming, Reply, Server};
use proptest::test_runner::Config as ProptestConfig;

/// So many cases for a property. A case that fails is printed and becomes a test of its own name; no file is written.
pub(crate) fn cases(count: u32) -> ProptestConfig {
    ProptestConfig { cases: count, failure_persistence: None, ..ProptestConfig::default() }
}

/// Calls `visit` with every string over `alphabet` up to `longest` octets, the empty one included.
pub(crate) fn every_string(alphabet: &[u8], longest: usize, visit: &mut dyn FnMut(&[u8])) {
    fn grow(alphabet: &[u8], longest: usize, string: &mut Vec<u8>, visit: &mut dyn FnMut(&[u8])) {
        visit(string);
        if string.len() < longest {
            for &octet in alphabet {
                string.push(octet);
                grow(alphabet, longest, string, visit);
                string.pop();
            }
        }
    }
    grow(alphabet, longest, &mut Vec::new(), visit);
}

/// Calls `visit` with every way to cut `octets` into chunks that are not empty: 2 to the power of (length - 1).
pub(crate) fn every_chunking<'o>(octets: &'o [u8], visit: &mut dyn FnMut(&[&'o [u8]])) {
    let places = octets.len().saturating_sub(1);
    let mut chunks = Vec::with_capacity(octets.len());
    for cuts in 0_u32..1 << places {
        chunks.clear();
        let mut from = 0;
        for at in 1..octets.len() {
            if cuts & 1 << (at - 1) != 0 {
                chunks.push(&octets[from..at]);
                from = at;
            }
        }
        chunks.push(&octets[from..]);
        visit(&chunks);
    }
}

/// The octets cut at these places; places that are too big or out of order are left out.
pub(crate) fn cut_at<'o>(octets: &'o [u8], places: &[usize]) -> Vec<&'o [u8]> {
    let mut chunks = Vec::new();
    let mut from = 0;
    for &at in places {
        if at > from && at < octets.len() {
            chunks.push(&octets[from..at]);
            from = at;
        }
    }
    chunks.push(&octets[from..]);
    chunks
}

/// What a naive reader of stuffed text found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unstuffed {
    /// The text, stuffing removed.
    pub(crate) text: Vec<u8>,
    /// How many octets of the wire it took, the end included. `None`: the end did not come.
    pub(crate) used: Option<usize>,
    /// A line began with a lone dot and was not the end.
    pub(crate) missing: bool,
}

/// Splits at CRLF, or at LF for `bare_lf`; takes one leading dot off each line; ends at the line that is a dot alone.
/// Without an end, the text holds whole lines only.
pub(crate) fn unstuffed(wire: &[u8], bare_lf: bool) -> Unstuffed {
    let mut found = Unstuffed { text: Vec::new(), used: None, missing: false };
    let mut from = 0;
    for at in 0..wire.len() {
        let ends = wire[at] == b'\n' && (bare_lf || at > from && wire[at - 1] == b'\r');
        if !ends {
            continue;
        }
        let line = &wire[from..=at];
        from = at + 1;
        if line == b".\r\n" || bare_lf && line == b".\n" {
            found.used = Some(from);
            return found;
        }
        match line.strip_prefix(b".") {
            Some(text) => {
                found.missing |= text[0] != b'.';
                found.text.extend_from_slice(text);
            }
            None => found.text.extend_from_slice(line),
        }
    }
    found
}

/// What RETR sends of stored octets where a bare LF becomes CRLF, and a bare CR too for `and_cr`; a last line without
/// an end gets one.
pub(crate) fn canonical(stored: &[u8], and_cr: bool) -> Vec<u8> {
    let mut text = Vec::new();
    for (at, &octet) in stored.iter().enumerate() {
        match octet {
            b'\n' if at == 0 || stored[at - 1] != b'\r' => text.extend_from_slice(b"\r\n"),
            b'\r' if and_cr && stored.get(at + 1) != Some(&b'\n') => text.extend_from_slice(b"\r\n"),
            _ => text.push(octet),
        }
    }
    with_last_line_end(text)
}

/// The text with CRLF behind it unless it is empty or has one.
pub(crate) fn with_last_line_end(mut text: Vec<u8>) -> Vec<u8> {
    if !text.is_empty() && !text.ends_with(b"\r\n") {
        text.extend_from_slice(b"\r\n");
    }
    text
}

/// Where a reader of a response takes it to end.
pub(crate) type Reader = fn(&[u8]) -> Option<usize>;

/// Lines end at CRLF and nowhere else.
pub(crate) fn strict_reader(wire: &[u8]) -> Option<usize> {
    let mut from = 0;
    for at in 1..wire.len() {
        if wire[at - 1] == b'\r' && wire[at] == b'\n' && at > from {
            if &wire[from..at - 1] == b"." {
                return Some(at + 1);
            }
            from = at + 1;
        }
    }
    None
}

/// Lines end at LF; a CR before it goes.
pub(crate) fn lf_reader(wire: &[u8]) -> Option<usize> {
    let mut used = 0;
    for line in wire.split_inclusive(|&octet| octet == b'\n') {
        used += line.len();
        let line = line.strip_suffix(b"\n")?;
        if line.strip_suffix(b"\r").unwrap_or(line) == b"." {
            return Some(used);
        }
    }
    None
}

/// Lines end at LF and are C strings: what is behind a NUL is not seen; CRs at the end go.
pub(crate) fn nul_reader(wire: &[u8]) -> Option<usize> {
    let mut used = 0;
    for line in wire.split_inclusive(|&octet| octet == b'\n') {
        used += line.len();
        let line = line.strip_suffix(b"\n")?;
        let mut seen = line.split(|&octet| octet == 0).next().unwrap_or_default();
        while let Some(shorter) = seen.strip_suffix(b"\r") {
            seen = shorter;
        }
        if seen == b"." {
            return Some(used);
        }
    }
    None
}

/// Lines end at CR, at LF, or at both in this order.
pub(crate) fn cr_or_lf_reader(wire: &[u8]) -> Option<usize> {
    let mut from = 0;
    let mut at = 0;
    while at < wire.len() {
        let octet = wire[at];
        at += 1;
        if octet == b'\r' || octet == b'\n' {
            let line = &wire[from..at - 1];
            if octet == b'\r' && wire.get(at) == Some(&b'\n') {
                at += 1;
            }
            from = at;
            if line == b"." {
                return Some(at);
            }
        }
    }
    None
}

/// A client in the TRANSACTION state.
pub(crate) fn client(config: Config) -> Client {
    let mut client = Client::with_config(config.allow_cleartext_login());
    let mut out = Vec::new();
    hear(&mut client, &[b"+OK ready\r\n"]);
    client.send(&Command::user("mrose").unwrap(), &mut out).unwrap();
    hear(&mut client, &[b"+OK\r\n"]);
    client.send(&Command::pass("tanstaaf").unwrap(), &mut out).unwrap();
    hear(&mut client, &[b"+OK\r\n"]);
    client
}

/// A client in the TRANSACTION state that has sent this command.
pub(crate) fn asking(config: Config, command: &Command<'_>) -> Client {
    let mut client = client(config);
    client.send(command, &mut Vec::new()).unwrap();
    client
}

/// Everything the client makes of these chunks, adjacent bodies joined; and its error, if it has one.
pub(crate) fn hear(client: &mut Client, chunks: &[&[u8]]) -> (Vec<Heard>, Option<pop3_proto::Error>) {
    let mut heard = Vec::new();
    for chunk in chunks {
        let mut input = *chunk;
        loop {
            match client.next_event(&mut input) {
                Ok(Some(event)) => note(&mut heard, event),
                Ok(None) => {
                    assert!(input.is_empty(), "a client that says nothing has used its input up");
                    break;
                }
                Err(error) => return (heard, Some(error)),
            }
        }
    }
    (heard, None)
}

fn note(heard: &mut Vec<Heard>, event: Event<'_>) {
    match event {
        Event::Body(octets) => {
            assert!(!octets.is_empty(), "a body of no octets says nothing");
            match heard.last_mut() {
                Some(Heard::Body(text)) => text.extend_from_slice(octets),
                _ => heard.push(Heard::Body(octets.to_vec())),
            }
        }
        other => heard.push(Heard::Event(format!("{other:?}"))),
    }
}

/// An event without its borrow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    /// Octets of a message, joined.
    Body(Vec<u8>),
    /// Any other event, printed.
    Event(String),
}

/// The text of a message in what was heard.
pub(crate) fn body(heard: &[Heard]) -> Vec<u8> {
    heard
        .iter()
        .filter_map(|heard| if let Heard::Body(text) = heard { Some(text.as_slice()) } else { None })
        .collect::<Vec<_>>()
        .concat()
}

/// A server in the TRANSACTION state.
pub(crate) fn server(config: Config) -> Server {
    let mut out = Vec::new();
    let mut server = Server::new(config.allow_cleartext_login(), Greeting::text("ready").unwrap(), &mut out);
    for line in ["USER mrose\r\n", "PASS tanstaaf\r\n"] {
        assert!(given(&mut server, line.as_bytes()).is_some(), "{line}");
        server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
    }
    server
}

/// The server's event for one line, and nothing behind it.
pub(crate) fn given(server: &mut Server, line: &[u8]) -> Option<Incoming<'static>> {
    let (mut input, mut out) = (line, Vec::new());
    let incoming = server.next_event(&mut input, &mut out).unwrap().map(Incoming::into_owned);
    assert!(input.is_empty());
    incoming
}
