//! P26: "Work is linear [...] for 1-octet chunks and hostile shapes". P33: "a driver loop over k octets makes O(k) calls;
//! a call that takes nothing and yields nothing means "feed me" (or, server, "answer first")". A machine that hands out
//! nothing again and again, or many events for one octet, breaks them. (Instructions are counted elsewhere; calls are
//! counted here.)

#[path = "support/machines.rs"]
mod machines;

use machines::{Site, everything, greeted, logged_in, open};
use pop3_proto::{Client, Command, Config, Server};

/// Octets that are hard on a reader, so many of each.
fn shapes(octets: usize) -> Vec<(&'static str, Vec<u8>)> {
    let of = |pattern: &[u8]| pattern.iter().copied().cycle().take(octets).collect::<Vec<u8>>();
    vec![
        ("dots", of(b".")),
        ("CR", of(b"\r")),
        ("LF", of(b"\n")),
        ("CRLF", of(b"\r\n")),
        ("no line end", of(b"x")),
        ("dot CR", of(b".\r")),
        ("dot LF", of(b".\n")),
        ("dot CRLF", of(b".\r\n")),
        ("dots and CRLF", of(b"..\r\n")),
        ("NUL", of(b"\0")),
        ("short lines", of(b"x\r\n")),
        ("almost the end", of(b"\r\n.\rx")),
    ]
}

/// How often a driver calls until it knows that the octets are used up, or the session is over.
fn client_calls(client: &mut Client, octets: &[u8], chunk: usize) -> usize {
    let mut calls = 0;
    for piece in octets.chunks(chunk) {
        let mut input = piece;
        loop {
            let before = input.len();
            calls += 1;
            match client.next_event(&mut input) {
                Ok(Some(_)) => {}
                Ok(None) => {
                    assert!(input.is_empty(), "None, and {before} octets were left");
                    break;
                }
                Err(_) => return calls,
            }
        }
    }
    calls
}

fn server_calls(server: &mut Server, octets: &[u8], chunk: usize) -> usize {
    let (mut site, mut out, mut calls) = (Site::default(), vec![], 0);
    for piece in octets.chunks(chunk) {
        let mut input = piece;
        loop {
            calls += 1;
            match server.next_event(&mut input, &mut out) {
                Ok(Some(incoming)) => site.answer(&incoming, server, &mut out),
                Ok(None) => {
                    assert!(input.is_empty() || server.is_over());
                    break;
                }
                Err(_) => return calls,
            }
        }
    }
    calls
}

/// The answers to these commands, and the status line that opens each.
fn clients() -> Vec<(&'static str, Client)> {
    let sent = |command: Command<'_>, octets: &[u8]| {
        let mut client = logged_in(Config::new().status_line(100_000), "");
        client.send(&command, &mut vec![]).unwrap();
        machines::feed(&mut client, octets);
        client
    };
    vec![
        ("greeting", Client::with_config(Config::new().status_line(100_000))),
        ("status", sent(Command::Noop, b"")),
        ("RETR", sent(Command::retr(1).unwrap(), b"+OK\r\n")),
        ("RETR, LF", sent(Command::retr(1).unwrap(), b"+OK\n")),
        ("LIST", sent(Command::List(None), b"+OK\r\n")),
        ("LIST, LF", sent(Command::List(None), b"+OK\n")),
        ("UIDL", sent(Command::Uidl(None), b"+OK\r\n")),
        ("CAPA", sent(Command::Capa, b"+OK\r\n")),
    ]
}

#[test]
fn a_client_is_called_no_more_often_than_octets_come() {
    for octets in [600, 1200] {
        for (shape, text) in shapes(octets) {
            for chunk in [1, 2, 3, 7, 100, octets] {
                for (place, mut client) in clients() {
                    let calls = client_calls(&mut client, &text, chunk);
                    let bound = octets + octets.div_ceil(chunk) + 1;
                    assert!(calls <= bound, "{place}, {shape}, chunks of {chunk}: {calls} calls for {octets} octets");
                }
            }
        }
    }
}

#[test]
fn a_server_is_called_no_more_often_than_octets_come() {
    for octets in [600, 1200] {
        for (shape, text) in shapes(octets) {
            for chunk in [1, 2, 3, 7, 100, octets] {
                let mut auth = greeted(everything());
                auth.next_event(&mut &b"AUTH X-TWO\r\n"[..], &mut vec![]).unwrap().unwrap();
                auth.challenge_line(b"", &mut vec![]).unwrap();
                for (place, mut server) in [
                    ("AUTHORIZATION", greeted(everything())),
                    ("AUTH", auth),
                    ("TRANSACTION", open(everything(), &mut Site::default())),
                    ("long lines", greeted(everything().command_line(16))),
                ] {
                    let calls = server_calls(&mut server, &text, chunk);
                    let bound = octets + octets.div_ceil(chunk) + 1;
                    assert!(calls <= bound, "{place}, {shape}, chunks of {chunk}: {calls} calls for {octets} octets");
                }
            }
        }
    }
}

#[test]
fn twice_the_octets_make_no_more_than_twice_the_calls() {
    for chunk in [1, 3, 50] {
        for (short, long) in shapes(1000).into_iter().zip(shapes(2000)) {
            for (one, two) in clients().into_iter().zip(clients()) {
                let ((place, mut one), (_, mut two)) = (one, two);
                let calls = (client_calls(&mut one, &short.1, chunk), client_calls(&mut two, &long.1, chunk));
                assert!(calls.1 <= 2 * calls.0 + 2, "{place}, {}: {calls:?}", short.0);
            }
        }
    }
}

#[test]
fn a_message_is_handed_out_in_as_few_pieces_as_its_dots_allow() {
    let mut client = logged_in(Config::new(), "");
    client.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
    let message = [b"+OK\r\n", &b"a line of text. And more.\r\n".repeat(1000)[..], b".\r\n"].concat();
    let calls = client_calls(&mut client, &message, message.len());
    assert_eq!(calls, 4, "Ok, Body, End, and nothing left");
}

#[test]
fn an_empty_read_takes_nothing_and_yields_nothing() {
    for (_, mut client) in clients() {
        let before = (client.state(), client.held(), client.outstanding());
        for _ in 0..3 {
            assert_eq!(client.next_event(&mut &b""[..]), Ok(None));
        }
        assert_eq!((client.state(), client.held(), client.outstanding()), before);
    }
    let mut out = vec![];
    assert_eq!(greeted(everything()).next_event(&mut &b""[..], &mut out), Ok(None));
    assert!(out.is_empty());
}
