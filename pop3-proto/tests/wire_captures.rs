//! What two deployed servers send, octet for octet (see `wire/README.md`): the tolerant grammar and the tolerant client
//! take every response of it without falling out of step, and read the values that a naive splitter reads. A rule that
//! holds in the RFC and not on the wire would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{Heard, unstuffed};
use pop3_proto::grammar::{self, Grammar};
use pop3_proto::{Client, Command, Committed, Config, Peer, Quirks, Shape, Status};
use std::collections::BTreeMap;
use std::path::Path;

/// One recorded session: what was said, in order.
#[derive(Debug, Default)]
struct Session {
    name: String,
    turns: Vec<Turn>,
}

#[derive(Debug, PartialEq)]
enum Turn {
    Client(Vec<u8>),
    Server(Vec<u8>),
    Tls,
}

fn sessions() -> Vec<Session> {
    let mut sessions = Vec::new();
    for server in ["cyrus", "dovecot"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire").join(server);
        let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        for file in files {
            let name = format!("{server}/{}", file.file_stem().unwrap().to_string_lossy());
            let mut session = Session { name: name.clone(), turns: Vec::new() };
            for line in std::fs::read_to_string(file).unwrap().lines() {
                match line.split_at_checked(3) {
                    Some(("C: ", octets)) => session.turns.push(Turn::Client(unescaped(octets))),
                    Some(("S: ", octets)) => session.turns.push(Turn::Server(unescaped(octets))),
                    _ if line.starts_with("# TLS") => session.turns.push(Turn::Tls),
                    _ if line == "# EOF" => {
                        let next = Session { name: name.clone(), turns: Vec::new() };
                        sessions.push(std::mem::replace(&mut session, next));
                    }
                    _ => assert!(line.starts_with('#'), "{name}: {line}"),
                }
            }
            assert!(session.turns.is_empty(), "{name} ends with the server's end");
        }
    }
    sessions
}

fn unescaped(text: &str) -> Vec<u8> {
    let mut octets = Vec::new();
    let mut rest = text.bytes();
    while let Some(octet) = rest.next() {
        if octet != b'\\' {
            octets.push(octet);
            continue;
        }
        octets.push(match rest.next().expect("something behind the backslash") {
            b'r' => b'\r',
            b'n' => b'\n',
            b't' => b'\t',
            b'0' => 0,
            b'\\' => b'\\',
            b'x' => {
                let digits = [rest.next().unwrap(), rest.next().unwrap()];
                u8::from_str_radix(std::str::from_utf8(&digits).unwrap(), 16).unwrap()
            }
            other => panic!("\\{}", char::from(other)),
        });
    }
    octets
}

/// A line of the client and the octets that answer it.
#[derive(Debug)]
struct Exchange {
    line: Vec<u8>,
    answer: Vec<u8>,
    /// Rows or message text follow the status line.
    multi_line: bool,
    /// The TLS handshake took place before.
    tls: bool,
}

/// The greeting, and each line of the client with its answer, found without the crate.
fn exchanges(session: &Session) -> (Vec<u8>, Vec<Exchange>) {
    let (mut lines, mut said, mut tls_before) = (Vec::new(), Vec::new(), None);
    for turn in &session.turns {
        match turn {
            Turn::Client(octets) => lines.push(octets.clone()),
            Turn::Server(octets) => said.extend_from_slice(octets),
            Turn::Tls => tls_before = Some(lines.len()),
        }
    }
    let mut at = 0;
    let mut status_line = || {
        let end = at + 1 + said[at..].iter().position(|&octet| octet == b'\n').expect("an answer to every line");
        let line = said[at..end].to_vec();
        at = end;
        line
    };
    let greeting = status_line();
    let mut exchanges = Vec::new();
    let mut authenticating = false;
    for (place, line) in lines.into_iter().enumerate() {
        let mut answer = status_line();
        let words: Vec<_> = line.split(u8::is_ascii_whitespace).filter(|word| !word.is_empty()).collect();
        let keyword = words.first().copied().unwrap_or_default().to_ascii_uppercase();
        let multi_line = !authenticating
            && answer.starts_with(b"+OK")
            && match keyword.as_slice() {
                b"RETR" | b"TOP" | b"CAPA" => true,
                b"LIST" | b"UIDL" | b"AUTH" => words.len() == 1,
                _ => false,
            };
        while multi_line && !answer.ends_with(b"\r\n.\r\n") {
            answer.extend_from_slice(&status_line());
        }
        authenticating = answer.starts_with(b"+ ");
        exchanges.push(Exchange { line, answer, multi_line, tls: tls_before == Some(place) });
    }
    assert_eq!(at, said.len(), "{}: octets that answer nothing", session.name);
    (greeting, exchanges)
}

/// The rows of an answer as words.
fn naive_rows(answer: &[u8]) -> Vec<String> {
    let text = String::from_utf8(answer.to_vec()).unwrap();
    let rows: Vec<_> = text.split("\r\n").skip(1).take_while(|row| *row != ".").map(str::to_owned).collect();
    rows
}

#[test]
fn the_captures_are_there() {
    let sessions = sessions();
    assert!(sessions.len() >= 50, "{}", sessions.len());
    let mut answers = BTreeMap::new();
    for session in &sessions {
        for exchange in exchanges(session).1 {
            let keyword =
                exchange.line.split(|octet| !octet.is_ascii_alphanumeric()).next().unwrap().to_ascii_uppercase();
            *answers.entry(String::from_utf8(keyword).unwrap()).or_insert(0) += 1;
        }
    }
    for keyword in [
        "USER", "PASS", "APOP", "AUTH", "STLS", "CAPA", "STAT", "LIST", "RETR", "DELE", "NOOP", "RSET", "TOP", "UIDL",
        "QUIT",
    ] {
        assert!(answers.get(keyword).is_some_and(|&count| count >= 2), "{keyword}: {answers:?}");
    }
}

#[test]
fn the_grammar_reads_every_answer_to_its_last_octet() {
    let grammar = Grammar::new(Quirks::TOLERANT);
    for session in sessions() {
        let (greeting, exchanges) = exchanges(&session);
        assert!(grammar.status_line(&greeting).is_ok_and(|(rest, line)| rest.is_empty() && line.status == Status::Ok));
        for Exchange { line, answer, multi_line, .. } in exchanges {
            let what = format!("{}: {} answered {}", session.name, line.escape_ascii(), answer.escape_ascii());
            // Something of the next answer stands behind it, as it does when commands were pipelined.
            let wire = [answer.as_slice(), b"+OK next\r\n"].concat();
            let keyword = line.to_ascii_uppercase();
            if answer.starts_with(b"+ ") {
                assert!(grammar.status_line(&wire).is_err(), "{what}");
                continue;
            }
            let (behind, status) = grammar.status_line(&wire).expect(&what);
            assert_eq!(answer.starts_with(b"+OK"), status.status == Status::Ok, "{what}");
            assert_eq!(answer.windows(2).any(|pair| pair == b" ["), status.code.is_some(), "{what}");
            if !multi_line {
                assert_eq!(behind, b"+OK next\r\n", "{what}");
                continue;
            }
            let rows = if keyword.starts_with(b"RETR") || keyword.starts_with(b"TOP") {
                Vec::new()
            } else {
                naive_rows(&answer)
            };
            let rest = match &keyword[..4] {
                b"LIST" => {
                    let (rest, response) = grammar.scan_listing(&wire).expect(&what);
                    let read: Vec<_> = response.content.iter().map(|row| row.as_ref().expect(&what)).collect();
                    assert_eq!(
                        read.iter().map(|row| format!("{} {}", row.number, row.octets)).collect::<Vec<_>>(),
                        rows,
                        "{what}"
                    );
                    rest
                }
                b"UIDL" => {
                    let (rest, response) = grammar.unique_id_listing(&wire).expect(&what);
                    let read: Vec<_> = response.content.iter().map(|row| row.as_ref().expect(&what)).collect();
                    assert_eq!(
                        read.iter().map(|row| format!("{} {}", row.number, row.id)).collect::<Vec<_>>(),
                        rows,
                        "{what}"
                    );
                    rest
                }
                b"CAPA" | b"AUTH" => {
                    let (rest, response) = grammar.capability_list(&wire).expect(&what);
                    let read: Vec<_> =
                        response.content.iter().map(|row| row.as_ref().expect(&what).to_string()).collect();
                    assert_eq!(read, rows.iter().map(|row| row.trim_end().to_owned()).collect::<Vec<_>>(), "{what}");
                    rest
                }
                _ => {
                    let (rest, response) = grammar.message(&wire).expect(&what);
                    let status = answer.iter().position(|&octet| octet == b'\n').unwrap() + 1;
                    assert_eq!(response.content.as_ref(), unstuffed(&answer[status..], false).text, "{what}");
                    rest
                }
            };
            assert_eq!(rest, b"+OK next\r\n", "{what}");
        }
    }
}

/// How a client says this line, if it says such things at all.
fn command(line: &[u8]) -> Option<Command<'static>> {
    let (_, command) = grammar::command(line).ok()?;
    Some(match command {
        Command::Other(_) => Command::other(line.strip_suffix(b"\r\n")?, Shape::SingleLine).ok()?.into_owned(),
        known => known.into_owned(),
    })
}

#[test]
fn a_client_that_says_the_same_stays_in_step_with_every_session() {
    let (mut said, mut left_out) = (0, 0);
    for session in sessions() {
        for octets_at_once in [1, 7, usize::MAX] {
            let config = Config::new().allow_cleartext_login().allow_apop_md5();
            let mut client = Client::with_config(config);
            let (greeting, exchanges) = exchanges(&session);
            let hear = |client: &mut Client, octets: &[u8]| {
                let chunks: Vec<_> = octets.chunks(octets_at_once).collect();
                let (heard, error) = oracle::hear(client, &chunks);
                assert_eq!(error, None, "{}: {}", session.name, octets.escape_ascii());
                heard
            };
            let heard = hear(&mut client, &greeting);
            assert!(matches!(&heard[..], [Heard::Event(event)] if event.contains("timestamp: Some")), "{heard:?}");
            let mut quit = false;
            for Exchange { line, answer, multi_line, tls } in &exchanges {
                let what = format!("{}: {} answered {}", session.name, line.escape_ascii(), answer.escape_ascii());
                if *tls {
                    client.tls_established(Peer::Unverified).expect(&what);
                }
                let mut out = Vec::new();
                let response = line.strip_suffix(b"\r\n").unwrap_or(line);
                let answers_a_challenge = match response {
                    b"*" => client.cancel(&mut out),
                    _ => client.respond_line(response, &mut out),
                };
                if answers_a_challenge.is_err() {
                    let Some(command) = command(line).filter(|command| client.may_send(command).is_ok()) else {
                        // The server heard what no client of ours says, and what it answered is not for us.
                        left_out += 1;
                        continue;
                    };
                    client.send(&command, &mut out).expect(&what);
                }
                said += 1;
                assert!(out.eq_ignore_ascii_case(line), "{what}: {}", out.escape_ascii());
                quit |= line.eq_ignore_ascii_case(b"QUIT\r\n");
                let heard = hear(&mut client, answer);
                checked(&heard, answer, *multi_line, &what);
                assert_eq!(client.outstanding(), usize::from(answer.starts_with(b"+ ")), "{what}");
                assert_eq!(client.held(), 0, "{what}");
            }
            assert_eq!(client.quirks_seen(), Quirks::STRICT, "{}: these servers need no tolerance", session.name);
            assert_eq!(client.handle_eof(), Ok(()), "{}", session.name);
            assert!(quit, "{}", session.name);
            assert_ne!(client.committed(), Committed::Unknown, "{}", session.name);
        }
    }
    assert!(said > 10 * left_out, "{said} lines said, {left_out} left out");
}

/// What the client heard is what the naive splitter sees.
fn checked(heard: &[Heard], answer: &[u8], multi_line: bool, what: &str) {
    let event = |place: usize| match heard.get(place) {
        Some(Heard::Event(event)) => event.as_str(),
        other => panic!("{what}: {other:?}"),
    };
    let first = match answer {
        [b'+', b' ', ..] => "Challenge",
        [b'+', ..] => "Ok {",
        _ => "Err {",
    };
    assert!(event(0).starts_with(first), "{what}: {heard:?}");
    assert!(!event(0).contains("Malformed"), "{what}: {heard:?}");
    if !multi_line {
        assert_eq!(heard.len(), 1, "{what}: {heard:?}");
        return;
    }
    assert!(event(heard.len() - 1).starts_with("End"), "{what}: {heard:?}");
    let status = answer.iter().position(|&octet| octet == b'\n').unwrap() + 1;
    if event(0).contains("Retr") || event(0).contains("Top") {
        assert_eq!(oracle::body(heard), unstuffed(&answer[status..], false).text, "{what}");
        assert_eq!(heard.len(), 3, "{what}: {heard:?}");
        return;
    }
    let rows = naive_rows(answer);
    assert_eq!(heard.len(), rows.len() + 2, "{what}: {heard:?}");
    for (row, place) in rows.iter().zip(1..) {
        assert!(!event(place).starts_with("BadRow"), "{what}: {row}");
        // Each word of the row is in the event, as a number or as text.
        if !event(place).starts_with("Capability") {
            assert!(row.split(' ').all(|word| event(place).contains(word)), "{what}: {row}: {}", event(place));
        }
    }
}

/// Pipelined sessions arrive as one run of octets; the grammar cuts them where the commands say.
#[test]
fn every_front_of_every_answer_is_incomplete_to_the_grammar() {
    let grammar = Grammar::new(Quirks::TOLERANT);
    let mut seen = std::collections::BTreeSet::new();
    for session in sessions() {
        for Exchange { line, answer, multi_line, .. } in exchanges(&session).1 {
            if answer.starts_with(b"+ ") || !seen.insert(answer.clone()) {
                continue;
            }
            for end in 0..answer.len() {
                let front = &answer[..end];
                let incomplete = match line.get(..4) {
                    _ if !multi_line => grammar.status_line(front).is_err_and(|error| error.is_incomplete()),
                    Some(b"LIST") => grammar.scan_listing(front).is_err_and(|error| error.is_incomplete()),
                    Some(b"UIDL") => grammar.unique_id_listing(front).is_err_and(|error| error.is_incomplete()),
                    Some(b"CAPA" | b"AUTH") => grammar.capability_list(front).is_err_and(|error| error.is_incomplete()),
                    _ => grammar.message(front).is_err_and(|error| error.is_incomplete()),
                };
                assert!(incomplete, "{}: {}", session.name, front.escape_ascii());
            }
        }
    }
}
