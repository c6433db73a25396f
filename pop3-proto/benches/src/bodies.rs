//! Message text: what a client unstuffs and a server stuffs.

use crate::machines::{client, server};
use crate::{Reads, Row, inputs};
use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{Client, Command, Event, Misuse, Server};
use std::hint::black_box;
use std::rc::Rc;

/// Every row of message text.
#[must_use]
pub fn rows() -> Vec<Row> {
    let base64: Rc<[u8]> = inputs::base64().into();
    let text: Rc<[u8]> = inputs::text().into();
    let dots: Rc<[u8]> = inputs::dots().into();
    let mut rows = Vec::new();
    for (read, goal) in [
        (1, Some(50.0)),
        (64, Some(3.0)),
        (1460, Some(0.35)),
        (4096, None),
        (16384, Some(0.16)),
        (65536, Some(0.16)),
        (0, Some(0.16)),
    ] {
        rows.extend(body("base64", &base64, read, goal));
    }
    for (read, goal) in [
        (1, Some(50.0)),
        (64, None),
        (1460, None),
        (4096, None),
        (16384, Some(0.33)),
        (65536, Some(0.33)),
        (0, Some(0.33)),
    ] {
        rows.extend(body("text", &text, read, goal));
    }
    rows.extend(body("quoted-printable", &inputs::quoted_printable().into(), 16384, Some(1.0)));
    rows.extend(body("30 % of lines dotted", &inputs::dotted(30).into(), 16384, Some(1.0)));
    rows.extend(body("all lines dotted", &inputs::dotted(100).into(), 16384, Some(2.0)));
    for (read, goal) in [(1, Some(50.0)), (64, Some(14.0)), (1460, Some(12.0)), (16384, Some(12.0)), (0, Some(12.0))] {
        rows.extend(body("every line a dot", &dots, read, goal));
    }
    let near_misses: Rc<[u8]> = inputs::near_misses().into();
    for (read, goal) in [(64, None), (1460, None), (16384, Some(0.8)), (0, Some(0.8))] {
        rows.extend(body("near misses", &near_misses, read, goal));
    }
    rows.extend(body("a line of 10 MB", &inputs::one_line(10_000_000).into(), 16384, Some(0.16)));
    rows.extend(body("a line of 1 MB of dots", &inputs::line_of_dots(1_000_000).into(), 16384, Some(0.8)));

    for (name, text, trusted, canonical, clean) in [
        ("base64", &base64, Some(0.16), Some(1.95), Some(0.9)),
        ("text", &text, Some(0.33), Some(2.5), Some(0.9)),
        ("every line a dot", &dots, None, None, None),
    ] {
        let sent: Rc<[u8]> = inputs::plain(text).into();
        let stored: Rc<[u8]> = inputs::stored(&sent).into();
        rows.push(segments(&format!("Trusted, {name}"), Newlines::Trusted, &sent, trusted));
        rows.push(copied(&format!("Trusted, {name}"), Newlines::Trusted, &sent, None));
        rows.push(copied(&format!("Canonical, {name} stored with LF"), Newlines::Canonical, &stored, canonical));
        rows.push(copied(&format!("Canonical, {name} stored with CRLF"), Newlines::Canonical, &sent, None));
        rows.push(segments(&format!("Canonical, {name} stored with LF"), Newlines::Canonical, &stored, None));
        rows.push(segments(&format!("Canonical, {name} stored with CRLF"), Newlines::Canonical, &sent, clean));
        rows.push(copied(&format!("CanonicalAll, {name} stored with LF"), Newlines::CanonicalAll, &stored, None));
        rows.push(size(&format!("{name} stored with LF"), &stored));
        rows.push(size(&format!("{name} stored with CRLF"), &sent));
        rows.push(copied(&format!("Reject, {name}"), Newlines::Reject, &sent, None));
        rows.push(stuffed(name, text));
    }
    rows
}

/// A client reads the text behind the `+OK` to RETR, in reads of so many octets (0: the whole): event by event, and by
/// `Client::body`.
fn body(name: &str, text: &Rc<[u8]>, read: usize, goal: Option<f64>) -> [Row; 2] {
    // A small text shows what an octet costs as well as a long one.
    let text: Rc<[u8]> = if read == 1 { text[..64 * 1024].into() } else { text.clone() };
    let read = if read == 0 { text.len() } else { read };
    let name = if read == text.len() { format!("{name}, whole") } else { format!("{name}, reads of {read}") };
    let by_events = reading(format!("client next_event, {name}"), text.clone(), read, goal, |client, input| {
        loop {
            match client.next_event(input) {
                Ok(Some(Event::Body(octets))) => _ = black_box(octets),
                Ok(None) => break,
                other => panic!("{other:?}"),
            }
        }
    });
    let by_body = reading(format!("client body, {name}"), text, read, goal, |client, input| {
        while let Some(octets) = client.body(input) {
            black_box(octets);
        }
    });
    [by_events, by_body]
}

fn reading(
    name: String,
    text: Rc<[u8]>,
    read: usize,
    goal: Option<f64>,
    take: impl Fn(&mut Client, &mut &[u8]) + Copy + 'static,
) -> Row {
    Row {
        name,
        unit: "octet",
        goal,
        units: text.len(),
        reads: Some(Reads { text: text.clone(), read }),
        prepare: Box::new(move || {
            let mut client = client(&Command::retr(1).unwrap(), b"+OK\r\n");
            let text = text.clone();
            Box::new(move || {
                for mut input in text.chunks(read) {
                    take(&mut client, &mut input);
                }
            })
        }),
    }
}

const CHUNK: usize = 16384;

fn copied(name: &str, newlines: Newlines, text: &Rc<[u8]>, goal: Option<f64>) -> Row {
    written(format!("server body, {name}"), newlines, text, goal, Server::body)
}

/// What a proxy passes on as it is.
fn stuffed(name: &str, text: &Rc<[u8]>) -> Row {
    written(format!("server body_stuffed, {name}"), Newlines::Canonical, text, None, Server::body_stuffed)
}

/// An answer that is written into a buffer.
fn written(
    name: String,
    newlines: Newlines,
    text: &Rc<[u8]>,
    goal: Option<f64>,
    write: impl Fn(&mut Server, &[u8], &mut Vec<u8>) -> Result<(), Misuse> + Copy + 'static,
) -> Row {
    let text = text.clone();
    Row {
        name,
        unit: "octet",
        goal,
        units: text.len(),
        reads: Some(Reads { text: text.clone(), read: CHUNK }),
        prepare: Box::new(move || {
            let (mut server, mut out) = (server(newlines), Vec::with_capacity(3 * CHUNK));
            server.next_event(&mut &b"RETR 1\r\n"[..], &mut out).unwrap();
            server.begin("", &mut out).unwrap();
            let text = text.clone();
            Box::new(move || {
                for chunk in text.chunks(CHUNK) {
                    out.clear();
                    write(&mut server, chunk, &mut out).unwrap();
                    black_box(&out);
                }
            })
        }),
    }
}

/// What a message will have on the wire, as a server finds out that has not met it before.
fn size(name: &str, text: &Rc<[u8]>) -> Row {
    let text = text.clone();
    Row {
        name: format!("server size, Canonical, {name}"),
        unit: "octet",
        goal: None,
        units: text.len(),
        reads: Some(Reads { text: text.clone(), read: CHUNK }),
        prepare: Box::new(move || {
            let text = text.clone();
            Box::new(move || {
                let mut size = Size::new(Newlines::Canonical);
                text.chunks(CHUNK).for_each(|chunk| size.add(chunk));
                black_box(size.octets());
            })
        }),
    }
}

fn segments(name: &str, newlines: Newlines, text: &Rc<[u8]>, goal: Option<f64>) -> Row {
    let text = text.clone();
    Row {
        name: format!("server segments, {name}"),
        unit: "octet",
        goal,
        units: text.len(),
        reads: Some(Reads { text: text.clone(), read: CHUNK }),
        prepare: Box::new(move || {
            let (mut server, mut out) = (server(newlines), Vec::new());
            server.next_event(&mut &b"RETR 1\r\n"[..], &mut out).unwrap();
            server.begin("", &mut out).unwrap();
            let text = text.clone();
            Box::new(move || {
                for chunk in text.chunks(CHUNK) {
                    for segment in server.body_segments(chunk).unwrap() {
                        black_box(segment);
                    }
                }
            })
        }),
    }
}
