//! P16, P18, P24: message text that a proxy passes on with its stuffing left in.
//!
//! Broken if the passage changed an octet, ended a message elsewhere than the reader of stuffed text does, held back
//! more than `.` CR, or if a server could be made to write an early end of a message.

use pop3_proto::wire::dot::{Passage, Piece, Unstuff};
use pop3_proto::wire::line::LineEnd;
use pop3_proto::{Client, Command, Config, Event, Greeting, Incoming, Misuse, Reply, Server, Verb};

/// Every text over the alphabet of `length` octets.
fn texts(length: usize) -> impl Iterator<Item = Vec<u8>> {
    const ALPHABET: &[u8; 4] = b".\r\nx";
    (0..ALPHABET.len().pow(length as u32)).map(move |code| {
        (0..length).map(|place| ALPHABET[code / ALPHABET.len().pow(place as u32) % ALPHABET.len()]).collect()
    })
}

/// How many octets up to the end and what is left, by the passage, for one chunking.
fn passed(text: &[u8], cuts: &[usize], lines: LineEnd) -> (Vec<u8>, Option<usize>) {
    let (mut passage, mut out, mut from) = (Passage::new(lines), Vec::new(), 0);
    for &to in cuts.iter().chain([&text.len()]) {
        let mut input = &text[from..to];
        while let Some(piece) = passage.next(&mut input) {
            match piece {
                Piece::Text(octets) => {
                    assert!(!octets.is_empty());
                    out.extend_from_slice(octets);
                }
                Piece::End => return (out, Some(to - input.len())),
            }
        }
        assert!(input.is_empty() && passage.held() <= 2);
        from = to;
    }
    (out, None)
}

#[test]
fn the_passage_changes_nothing_and_ends_where_the_reader_ends() {
    for length in 0..=7 {
        for text in texts(length) {
            for lines in [LineEnd::Crlf, LineEnd::BareLf] {
                let (mut unstuff, mut input, mut end) = (Unstuff::new(lines), &text[..], None);
                while let Some(piece) = unstuff.next(&mut input) {
                    if piece == Piece::End {
                        end = Some(text.len() - input.len());
                        break;
                    }
                }
                for mask in 0..1_usize << length.saturating_sub(1) {
                    let cuts: Vec<usize> = (1..length).filter(|at| mask >> (at - 1) & 1 == 1).collect();
                    let (out, found) = passed(&text, &cuts, lines);
                    assert_eq!(found, end, "{text:?} cut at {cuts:?}");
                    assert!(text.starts_with(&out), "{text:?} cut at {cuts:?}: {out:?}");
                    let missing = end.unwrap_or(text.len()) - out.len();
                    assert!(missing <= 3, "{text:?} cut at {cuts:?}: {out:?}");
                }
            }
        }
    }
}

#[test]
fn a_line_that_is_no_end_is_passed_on_in_one_piece_with_the_dot_before_it() {
    // In text whose lines end in CRLF, a dot before a bare LF is one before any octet.
    for line in [&b"..\r\n"[..], b".x\r\n", b".\n\r\n", b".\n.\n\r\n", b".\rx\r\n"] {
        let wire = [line, b".\r\n"].concat();
        let (mut passage, mut input) = (Passage::new(LineEnd::Crlf), &wire[..]);
        let pieces = core::iter::from_fn(|| passage.next(&mut input)).take(2);
        assert_eq!(pieces.collect::<Vec<_>>(), [Piece::Text(line), Piece::End], "{}", line.escape_ascii());
        assert_eq!(input, b"");
    }
}

fn server_with_a_body_begun() -> (Server, Vec<u8>) {
    let mut out = Vec::new();
    let config = Config::new().allow_cleartext_login();
    let mut server = Server::new(config, Greeting::text("").unwrap(), &mut out);
    let mut input = &b"USER a\r\nPASS b\r\nRETR 1\r\n"[..];
    while let Some(incoming) = server.next_event(&mut input, &mut out).unwrap() {
        if let Incoming::Command(Command::Retr(_)) = incoming {
            out.clear();
            server.begin("", &mut out).unwrap();
            out.clear();
            break;
        }
        server.reply(&pop3_proto::Reply::ok("").unwrap(), &mut out).unwrap();
    }
    (server, out)
}

#[test]
fn no_stuffed_text_makes_the_server_end_a_message_early() {
    for length in 0..=6 {
        for text in texts(length) {
            for cut in 0..=length {
                let (mut server, mut out) = server_with_a_body_begun();
                let written = server
                    .body_stuffed(&text[..cut], &mut out)
                    .and_then(|()| server.body_stuffed(&text[cut..], &mut out))
                    .and_then(|()| server.end(&mut out));
                // A reader of CRLF and a reader of LF find the end at the last octet, or not at all.
                for lines in [LineEnd::Crlf, LineEnd::BareLf] {
                    let (mut reader, mut input, mut end) = (Unstuff::new(lines), &out[..], None);
                    while let Some(piece) = reader.next(&mut input) {
                        if piece == Piece::End {
                            end = Some(input.len());
                            break;
                        }
                    }
                    match &written {
                        Ok(()) => assert_eq!(end, Some(0), "{text:?} cut at {cut}, {lines:?}: {out:?}"),
                        Err(_) => assert_eq!(end, None, "{text:?} cut at {cut}, {lines:?}: {out:?}"),
                    }
                }
            }
        }
    }
}

#[test]
fn the_answer_is_owed_until_the_stuffed_text_is_ended() {
    let (mut server, mut out) = server_with_a_body_begun();
    server.body_stuffed(b"..one\r\n", &mut out).unwrap();
    assert_eq!(server.owes(), Some(Verb::Retr));
    server.end(&mut out).unwrap();
    assert_eq!((server.owes(), out.as_slice()), (None, &b"..one\r\n.\r\n"[..]));
}

#[test]
fn an_early_end_is_refused_and_nothing_of_the_chunk_is_written() {
    let (mut server, mut out) = server_with_a_body_begun();
    assert_eq!(server.body_stuffed(b"a\r\n.\r\n+OK\r\n", &mut out), Err(Misuse::Terminator));
    assert!(out.is_empty());
    server.abort();
    assert!(server.is_over());
}

#[test]
fn a_client_hands_out_stuffed_text_where_it_is_told_to() {
    let config = Config::new().allow_cleartext_login().stuffed_bodies();
    let mut client = pop3_proto::Client::with_config(config);
    for (command, answer) in [
        (None, &b"+OK\r\n"[..]),
        (Some(Command::user("a").unwrap()), b"+OK\r\n"),
        (Some(Command::pass("b").unwrap()), b"+OK\r\n"),
    ] {
        if let Some(command) = command {
            client.send(&command, &mut Vec::new()).unwrap();
        }
        client.next_event(&mut &answer[..]).unwrap();
    }
    client.send(&Command::retr(1).unwrap(), &mut Vec::new()).unwrap();
    let (mut text, mut ended) = (Vec::new(), false);
    for octet in b"+OK\r\n..dot\r\n...\r\n.x\r\n.\r\n" {
        let mut input = std::slice::from_ref(octet);
        while let Some(event) = client.next_event(&mut input).unwrap() {
            match event {
                Event::Body(octets) => text.extend_from_slice(octets),
                Event::End { .. } => ended = true,
                _ => {}
            }
        }
    }
    assert!(ended);
    assert_eq!(text, b"..dot\r\n...\r\n.x\r\n");
}

#[test]
fn stuffed_text_passes_octet_for_octet_and_is_ended_once() {
    for (chunks, said) in [
        (&[&b"one\r\n..two\r\n"[..]][..], &b"one\r\n..two\r\n.\r\n"[..]),
        (&[b"one\r\n.", b".two\r\n"], b"one\r\n..two\r\n.\r\n"),
        (&[b"no line end"], b"no line end\r\n.\r\n"),
        (&[b"bare LF\n"], b"bare LF\n\r\n.\r\n"),
        (&[], b".\r\n"),
        (&[b"", b""], b".\r\n"),
    ] {
        let mut server = retrieving();
        let mut out = Vec::new();
        for chunk in chunks {
            server.body_stuffed(chunk, &mut out).unwrap();
        }
        server.end(&mut out).unwrap();
        assert_eq!(out.escape_ascii().to_string(), said.escape_ascii().to_string());
        assert_eq!(server.owes(), None);
    }
}

#[test]
fn stuffed_text_begins_where_a_line_begins() {
    let mut server = retrieving();
    let mut out = Vec::new();
    server.body(b"half a line", &mut out).unwrap();
    let refused = server.body_stuffed(b"..\r\n", &mut out);
    assert_eq!((refused, &out[..]), (Err(Misuse::InsideLine), &b"half a line"[..]));
    server.body(b"\r\n", &mut out).unwrap();
    server.body_stuffed(b"..\r\n", &mut out).unwrap();
    assert_eq!(server.body(b"x", &mut out), Err(Misuse::BegunStuffed));
    server.end(&mut out).unwrap();
    assert_eq!(out, b"half a line\r\n..\r\n.\r\n");
}

#[test]
fn stuffed_text_belongs_into_a_message_that_was_begun() {
    let mut server = asked();
    let refused = |server: &mut Server| server.body_stuffed(b"one\r\n", &mut Vec::new()).unwrap_err();
    assert_eq!(refused(&mut server), Misuse::WrongAnswer { to: Verb::Retr });
    server.reply(&Reply::err("no such message").unwrap(), &mut Vec::new()).unwrap();
    assert_eq!(refused(&mut server), Misuse::NothingOwed);
    server.next_event(&mut &b"LIST\r\n"[..], &mut Vec::new()).unwrap();
    server.begin("scan listing follows", &mut Vec::new()).unwrap();
    assert_eq!(refused(&mut server), Misuse::WrongAnswer { to: Verb::List });
    server.abort();
    assert_eq!(refused(&mut server), Misuse::Over);
}

/// A server that began to answer RETR.
fn retrieving() -> Server {
    let mut server = asked();
    server.begin("message follows", &mut Vec::new()).unwrap();
    server
}

/// A server that was asked for a message.
fn asked() -> Server {
    let config = Config::new().allow_cleartext_login();
    let mut server = Server::new(config, Greeting::text("ready").unwrap(), &mut Vec::new());
    let mut input = &b"USER mrose\r\nPASS tanstaaf\r\nRETR 1\r\n"[..];
    while let Some(_incoming) = server.next_event(&mut input, &mut Vec::new()).unwrap() {
        if server.owes() == Some(Verb::Retr) {
            break;
        }
        server.reply(&Reply::ok("").unwrap(), &mut Vec::new()).unwrap();
    }
    server
}

#[test]
fn what_may_be_the_end_is_held_back_and_counted() {
    let config = Config::new().allow_cleartext_login().stuffed_bodies();
    let mut client = Client::with_config(config);
    for (command, answer) in [
        (None, &b"+OK\r\n"[..]),
        (Some(Command::user("mrose").unwrap()), b"+OK\r\n"),
        (Some(Command::pass("tanstaaf").unwrap()), b"+OK\r\n"),
    ] {
        if let Some(command) = command {
            client.send(&command, &mut Vec::new()).unwrap();
        }
        client.next_event(&mut &*answer).unwrap();
    }
    client.send(&Command::retr(1).unwrap(), &mut Vec::new()).unwrap();
    let mut input = &b"+OK\r\n..two dots\r\n.\r\n"[..];
    let mut text = Vec::new();
    while let Some(event) = client.next_event(&mut input).unwrap() {
        if let Event::Body(octets) = event {
            text.extend_from_slice(octets);
        }
    }
    assert_eq!(text, b"..two dots\r\n", "as it is on the wire");
    client.send(&Command::retr(2).unwrap(), &mut Vec::new()).unwrap();
    let mut held = |octets: &[u8]| {
        let mut input = octets;
        while client.next_event(&mut input).unwrap().is_some() {}
        client.held()
    };
    assert_eq!(held(b"+OK\r\n"), 0);
    assert_eq!(held(b"one\r\n"), 0);
    assert_eq!(held(b"."), 1);
    assert_eq!(held(b"\r"), 2);
    assert_eq!(held(b"\n"), 0);
    assert_eq!((client.outstanding(), Passage::new(LineEnd::Crlf).held()), (0, 0));
}
