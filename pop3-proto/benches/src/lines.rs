//! Lines: what a client reads row by row, and what a server is told.

use crate::Row;
use crate::machines::{client, server};
use pop3_proto::wire::dot::Newlines;
use pop3_proto::{Command, Event, Reply};
use std::hint::black_box;

const ROWS: usize = 2000;
const READ: usize = 16384;

/// Every row of lines.
#[must_use]
pub fn rows() -> Vec<Row> {
    let list = (1..=ROWS).map(|number| format!("{number} {}\r\n", 1000 + number * 37 % 90_000)).collect();
    let uidl = (1..=ROWS).map(|number| format!("{number} whqtswO00WBw418f9t5Jx{number:04}\r\n")).collect();
    let capa =
        ["TOP", "USER", "SASL PLAIN LOGIN", "PIPELINING", "UIDL", "RESP-CODES", "EXPIRE NEVER", "IMPLEMENTATION x"];
    let capa = (0..ROWS).map(|at| format!("{}\r\n", capa[at % capa.len()])).collect();
    vec![
        answer("LIST", Command::List(None), list, 185.0),
        answer("UIDL", Command::Uidl(None), uidl, 200.0),
        answer("CAPA", Command::Capa, capa, 260.0),
        command("NOOP", &["NOOP\r\n"], 115.0),
        command("RETR", &["RETR 17\r\n"], 205.0),
        command("a mixed session", &SESSION, 170.0),
        session("NOOP", &["NOOP\r\n"]),
        session("a mixed session", &SESSION),
    ]
}

const SESSION: [&str; 6] = ["STAT\r\n", "LIST 3\r\n", "UIDL 3\r\n", "DELE 3\r\n", "NOOP\r\n", "RSET\r\n"];

fn answer(name: &str, command: Command<'static>, rows: String, goal: f64) -> Row {
    Row {
        name: format!("client, a row of {name}"),
        unit: "row",
        goal: Some(goal),
        units: ROWS,
        reads: None,
        prepare: Box::new(move || {
            let mut client = client(&command, b"+OK\r\n");
            let rows = rows.clone();
            Box::new(move || {
                for mut input in rows.as_bytes().chunks(READ) {
                    loop {
                        let event = client.next_event(&mut input);
                        debug_assert!(!matches!(event, Ok(Some(Event::BadRow { .. }))));
                        black_box(&event);
                        if !matches!(event, Ok(Some(_))) {
                            break;
                        }
                    }
                }
            })
        }),
    }
}

/// A command line on the server. Each of many servers reads one, for a second has to wait for the answer to the first.
fn command(name: &str, lines: &'static [&'static str], goal: f64) -> Row {
    Row {
        name: format!("server, a line of {name}"),
        unit: "line",
        goal: Some(goal),
        units: ROWS / lines.len() * lines.len(),
        reads: None,
        prepare: Box::new(move || {
            let mut told: Vec<_> = lines
                .iter()
                .cycle()
                .take(ROWS / lines.len() * lines.len())
                .map(|line| (server(Newlines::Canonical), line))
                .collect();
            let mut out = Vec::with_capacity(4096);
            Box::new(move || {
                for (server, line) in &mut told {
                    black_box(&server.next_event(&mut line.as_bytes(), &mut out));
                }
            })
        }),
    }
}

/// Command lines that come in a batch, each with the one-line answer that the application gives.
fn session(name: &str, lines: &'static [&'static str]) -> Row {
    let octets = lines.concat().repeat(ROWS / lines.len());
    Row {
        name: format!("server, a line of {name} and its answer"),
        unit: "line",
        goal: None,
        units: ROWS / lines.len() * lines.len(),
        reads: None,
        prepare: Box::new(move || {
            let (mut server, mut out) = (server(Newlines::Canonical), Vec::with_capacity(4096));
            let (octets, no) = (octets.clone(), Reply::err("no").unwrap());
            Box::new(move || {
                let mut input = octets.as_bytes();
                while let Some(incoming) = server.next_event(&mut input, &mut out).unwrap() {
                    black_box(&incoming);
                    server.reply(&no, &mut out).unwrap();
                    out.clear();
                }
            })
        }),
    }
}
