//! P4: "A reply with no command outstanding is never matched to a later command. An -ERR line is `Event::Closing` at
//! once: after it any octet is fatal, sending is Misuse, EOF is a clean end. Any other such reply is fatal." An attacker
//! who sends the answer before the question breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{Heard, feed, hear, logged_in};
use pop3_proto::{Client, Command, Config, Error, ErrorClass, Event, Misuse, Verb, Wait};

const UNASKED: [&[u8]; 6] = [b"+OK\r\n", b"+", b"\r\n", b"x", b".\r\n", b" -ERR\r\n"];

/// Clients that wait for nothing, behind what they heard last.
fn idle() -> Vec<(&'static str, Client)> {
    let mut greeted = Client::with_config(Config::new().allow_cleartext_login());
    feed(&mut greeted, b"+OK\r\n");
    let mut user = Client::with_config(Config::new().allow_cleartext_login());
    feed(&mut user, b"+OK\r\n");
    user.send(&Command::user("mrose").unwrap(), &mut vec![]).unwrap();
    feed(&mut user, b"+OK\r\n");
    let mut read = logged_in(Config::new(), "PIPELINING");
    read.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
    feed(&mut read, b"+OK\r\nhello\r\n.\r\n");
    vec![
        ("the greeting", greeted),
        ("USER", user),
        ("CAPA", logged_in(Config::new(), "PIPELINING")),
        ("PASS", logged_in(Config::new(), "")),
        ("RETR", read),
    ]
}

#[test]
fn an_answer_to_nothing_is_fatal_by_its_first_octet() {
    for unasked in UNASKED {
        for (behind, mut client) in idle() {
            let mut heard = vec![];
            assert_eq!(hear(&mut client, &unasked[..1], &mut heard), Err(Error::Unsolicited), "behind {behind}");
            assert_eq!(heard, [Heard::Error(Error::Unsolicited)], "no event comes from it");
            assert_eq!(client.send(&Command::Quit, &mut vec![]), Err(Misuse::Over));
        }
    }
}

#[test]
fn a_line_that_begins_like_a_refusal_and_is_none_is_fatal_where_it_ends() {
    for line in [&b"-\r\n"[..], b"-ERRx\r\n", b"-OK\r\n"] {
        for (behind, mut client) in idle() {
            let (front, end) = line.split_at(line.len() - 1);
            let mut heard = vec![];
            hear(&mut client, front, &mut heard).unwrap();
            assert_eq!(heard, [], "behind {behind}");
            assert_eq!(hear(&mut client, end, &mut heard), Err(Error::Unsolicited), "behind {behind}");
            assert_eq!(heard, [Heard::Error(Error::Unsolicited)], "no event comes from it");
        }
    }
}

#[test]
fn an_answer_that_waits_in_the_read_is_never_taken_for_a_later_command() {
    for unasked in UNASKED.into_iter().chain([&b"-"[..], b"-ERR early\r\n"]) {
        let octets = [b"+OK 1 5\r\n", unasked].concat();
        let mut client = logged_in(Config::new(), "PIPELINING");
        client.send(&Command::Stat, &mut vec![]).unwrap();
        let mut input = &octets[..];
        assert!(matches!(client.next_event(&mut input), Ok(Some(Event::Ok { to: Verb::Stat, .. }))));
        let mut out = vec![];
        for command in [Command::Noop, Command::Quit, Command::dele(1).unwrap()] {
            assert_eq!(client.send(&command, &mut out), Err(Misuse::Unsolicited), "{}", unasked.escape_ascii());
        }
        assert!(out.is_empty());
    }
}

#[test]
fn half_an_err_bars_commands_and_the_whole_of_it_closes_at_every_cut() {
    let line = b"-ERR [SYS/TEMP] going down\r\n";
    for (behind, _) in idle() {
        for cut in 1..line.len() {
            let mut client = idle().into_iter().find(|(name, _)| *name == behind).unwrap().1;
            assert_eq!(feed(&mut client, &line[..cut]), []);
            assert_eq!(client.send(&Command::Quit, &mut vec![]), Err(Misuse::Unsolicited), "behind {behind}");
            let heard = feed(&mut client, &line[cut..]);
            assert!(matches!(&heard[..], [Heard::Event(closing)] if closing.starts_with("Closing {")), "{heard:?}");
        }
    }
}

/// A client whose server said that it is about to close.
fn closing() -> Client {
    let mut client = logged_in(Config::new(), "");
    let mut input = &b"-ERR [SYS/TEMP] going down\r\n"[..];
    let event = client.next_event(&mut input).unwrap().unwrap();
    assert_eq!(event.error_class(), Some(ErrorClass::Temporary));
    assert!(matches!(event, Event::Closing { text, .. } if text == "going down"));
    client
}

#[test]
fn behind_the_closing_word_nothing_can_be_sent() {
    let (mut client, mut out) = (closing(), vec![]);
    for command in [Command::Quit, Command::Noop, Command::Capa] {
        assert_eq!(client.may_send(&command), Err(Misuse::Over));
        assert_eq!(client.send(&command, &mut out), Err(Misuse::Over));
    }
    assert!(out.is_empty());
    assert_eq!((client.awaiting(), client.patience()), (Wait::Close, None));
}

#[test]
fn behind_the_closing_word_every_octet_is_fatal() {
    for octet in 0..=255_u8 {
        let mut client = closing();
        for _ in 0..2 {
            assert_eq!(client.next_event(&mut &[octet][..]), Err(Error::Unsolicited));
        }
        assert_eq!(client.handle_eof(), Err(Error::Unsolicited));
    }
}

#[test]
fn behind_the_closing_word_the_end_of_the_connection_is_clean() {
    let mut client = closing();
    assert_eq!(client.handle_eof(), Ok(()));
    assert!(client.is_over());
    assert_eq!(client.send(&Command::Noop, &mut vec![]), Err(Misuse::Over));
}

#[test]
fn a_server_that_said_that_it_is_about_to_close_ends_the_session() {
    assert!(closing().is_over(), "by the server's closing word");
}

#[test]
fn a_second_answer_to_one_command_is_not_the_answer_to_the_next() {
    let mut client = logged_in(Config::new(), "PIPELINING");
    let mut out = vec![];
    client.send(&Command::dele(1).unwrap(), &mut out).unwrap();
    let mut heard = vec![];
    assert_eq!(hear(&mut client, b"+OK deleted\r\n+OK deleted twice\r\n", &mut heard), Err(Error::Unsolicited));
    assert_eq!(heard.len(), 2, "the answer, and the error: {heard:?}");
}
