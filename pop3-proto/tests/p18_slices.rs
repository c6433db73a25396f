//! P18, P24: `Client::body` hands out the octets that `Client::next_event` does, wherever the reads are cut, for text that is
//! passed on as it came too; and it says nothing where no message text is due.

use pop3_proto::{Client, Command, Config, Event, Peer, Quirk, Verb};

const MESSAGES: [&[u8]; 5] = [
    b"+OK\r\nSubject: hi\r\n\r\n..\r\n.dot\r\n...\r\n.\r\n",
    b"+OK\r\n.\r\n",
    b"+OK\r\na\rb\nc\0\n.\n\r\n.\r\n",
    b"+OK\r\n\r.\r\n\r\n.\r\r\n.\r\n",
    b"+OK\n..one\n\n.\n",
];

fn asked(config: Config) -> Client {
    let mut client = Client::over_tls(config, Peer::Verified);
    client.next_event(&mut &b"+OK ready\r\n"[..]).unwrap();
    for command in [Command::user("mrose").unwrap(), Command::pass("tanstaaf").unwrap()] {
        client.send(&command, &mut vec![]).unwrap();
        client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    }
    client.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
    client
}

/// What the client hands out of the message, cut into the reads; `as_slices` asks for plain slices first.
fn text(config: Config, reads: &[&[u8]], as_slices: bool) -> (Vec<u8>, bool) {
    let (mut client, mut found, mut ended) = (asked(config), vec![], false);
    for read in reads {
        let mut input = *read;
        loop {
            if as_slices {
                while let Some(octets) = client.body(&mut input) {
                    assert!(!octets.is_empty());
                    found.extend_from_slice(octets);
                }
            }
            match client.next_event(&mut input).unwrap() {
                None => break,
                Some(Event::Body(octets)) => found.extend_from_slice(octets),
                Some(Event::End { of: Verb::Retr }) => ended = true,
                Some(Event::Ok { to: Verb::Retr, .. }) => {}
                Some(other) => panic!("{other:?}"),
            }
        }
    }
    (found, ended)
}

#[test]
fn plain_slices_are_the_text_of_the_events_at_every_cut() {
    for message in MESSAGES {
        for stuffed in [false, true] {
            if stuffed && message.starts_with(b"+OK\n") {
                continue; // refused: its dots are not where a reader of CRLF looks
            }
            let config = || if stuffed { Config::new().stuffed_bodies() } else { Config::new() };
            let expected = text(config(), &[message], false);
            assert!(expected.1);
            for first in 0..=message.len() {
                for second in first..=message.len() {
                    let reads = [&message[..first], &message[first..second], &message[second..]];
                    assert_eq!(
                        text(config(), &reads, true),
                        expected,
                        "{} cut at {first} and {second}",
                        message.escape_ascii()
                    );
                }
            }
            let octets: Vec<&[u8]> = message.chunks(1).collect();
            assert_eq!(text(config(), &octets, true), expected);
        }
    }
}

#[test]
fn where_no_text_is_due_nothing_is_taken() {
    let mut client = Client::new();
    let mut input: &[u8] = b"+OK ready\r\n";
    assert_eq!(client.body(&mut input), None);
    assert_eq!(input, b"+OK ready\r\n");

    let mut client = asked(Config::new());
    let mut input: &[u8] = b"+OK\r\nx\r\n.\r\n";
    assert_eq!(client.body(&mut input), None);
    client.next_event(&mut input).unwrap();
    assert_eq!(client.body(&mut input), Some(&b"x\r\n"[..]));
    assert_eq!(client.body(&mut input), None, "the end is an event");
    assert_eq!(client.next_event(&mut input), Ok(Some(Event::End { of: Verb::Retr })));
    client.send(&Command::Noop, &mut vec![]).unwrap();
    let mut input: &[u8] = b"+OK\r\n";
    assert_eq!(client.body(&mut input), None);
    assert_eq!(input, b"+OK\r\n");
}

#[test]
fn text_that_is_passed_on_comes_as_plain_slices_too() {
    let mut client = asked(Config::new().stuffed_bodies());
    let mut input: &[u8] = b"+OK\r\n..x\r\n.\r\n";
    client.next_event(&mut input).unwrap();
    assert_eq!(client.body(&mut input), Some(&b"..x\r\n"[..]));
    assert_eq!(client.body(&mut input), None);
    assert_eq!(client.next_event(&mut input), Ok(Some(Event::End { of: Verb::Retr })));
}

#[test]
fn stuffing_that_is_missing_shows_before_the_message_ends() {
    let mut client = asked(Config::new());
    let mut input: &[u8] = b"+OK\r\n.dot\r\nmore";
    client.next_event(&mut input).unwrap();
    assert!(!client.quirks_seen().contains(Quirk::MissingStuffing));
    while client.body(&mut input).is_some() {}
    assert!(client.quirks_seen().contains(Quirk::MissingStuffing));
    let mut client = asked(Config::new().without_quirk(Quirk::MissingStuffing));
    let mut input: &[u8] = b"+OK\r\n.dot\r\nmore";
    client.next_event(&mut input).unwrap();
    while client.body(&mut input).is_some() {}
    assert!(!client.quirks_seen().contains(Quirk::MissingStuffing));
}

#[test]
fn a_machine_that_gives_its_buffers_back_keeps_the_half_line_that_it_holds() {
    let mut client = asked(Config::new());
    assert_eq!(client.next_event(&mut &b"-ERR no su"[..]), Ok(None));
    client.shrink_to_fit();
    let event = client.next_event(&mut &b"ch message\r\n"[..]).unwrap();
    assert!(
        matches!(&event, Some(Event::Err { to: Verb::Retr, text, .. }) if *text == *"no such message"),
        "{event:?}"
    );

    let greeting = pop3_proto::Greeting::text("ready").unwrap();
    let mut out = vec![];
    let mut server = pop3_proto::Server::new(Config::new().with_other_commands(), greeting, &mut out);
    assert_eq!(server.next_event(&mut &b"CA"[..], &mut out), Ok(None));
    server.shrink_to_fit();
    assert!(server.next_event(&mut &b"PA\r\n"[..], &mut out).unwrap().is_some());
}
