//! P22: "No allocation is sized by a number that the peer sent." P23: limits are configurable and hold at limit - 1,
//! limit and limit + 1. P24: "Held-back octets <= limit at every instant". A bound that is off by one, or that a cut of
//! the input moves, breaks them.

#[path = "support/machines.rs"]
mod machines;

use machines::{Heard, Site, Turn, every_cut, feed, greeted, hear, logged_in, open, pieces, run};
use pop3_proto::{
    Client, Command, Config, Data, DropListing, Error, Event, Incoming, MAX_COMMAND, Misuse, Quirk, Refusal, Reply,
    Server, Verb,
};

/// `front`, as many `x` as it takes, and CRLF: so many octets in all.
fn line(front: &str, octets: usize) -> Vec<u8> {
    let mut line = front.as_bytes().to_vec();
    line.resize(octets - 2, b'x');
    line.extend_from_slice(b"\r\n");
    line
}

/// Whole, octet by octet, and at every one point: each long line is read so.
fn cuts(length: usize) -> Vec<Vec<usize>> {
    (1..length).map(|cut| vec![cut]).chain([vec![], (1..length).collect()]).collect()
}

#[test]
fn a_command_line_may_be_as_long_as_the_limit_and_no_longer() {
    for limit in [40, 255, 512] {
        for (octets, fits) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
            let octets = line("USER ", octets);
            for cuts in cuts(octets.len()) {
                let mut server = greeted(Config::new().allow_cleartext_login().command_line(limit));
                let (mut seen, mut out) = (vec![], vec![]);
                let mut site = Site::default();
                for piece in pieces(&octets, &cuts) {
                    site.serve(&mut server, piece, &mut seen, &mut out).unwrap();
                    assert!(server.held() <= limit);
                }
                let expected = match &seen[..] {
                    [Incoming::Command(Command::User(name))] => name.as_bytes().len() == octets.len() - 7,
                    [Incoming::Refused { refusal: Refusal::TooLong, .. }] => false,
                    other => panic!("{other:?}"),
                };
                assert_eq!(expected, fits, "{} octets of {limit}, cut at {cuts:?}", octets.len());
            }
        }
    }
}

#[test]
fn the_default_takes_commands_of_512_octets() {
    for (octets, fits) in [(255, true), (512, true), (513, false)] {
        let mut server = greeted(Config::new().allow_cleartext_login());
        let octets = line("USER ", octets);
        let incoming = server.next_event(&mut &octets[..], &mut vec![]).unwrap().unwrap();
        assert_eq!(matches!(incoming, Incoming::Command(Command::User(_))), fits);
    }
}

#[test]
fn a_client_sends_no_command_of_more_than_255_octets() {
    for (octets, fits) in [(MAX_COMMAND - 1, true), (MAX_COMMAND, true), (MAX_COMMAND + 1, false)] {
        let argument = "x".repeat(octets - "USER \r\n".len());
        let too_long = Err(Misuse::TooLong { limit: 255 });
        for command in [Command::user(&argument), Command::pass(&argument)] {
            assert_eq!(command.is_ok(), fits);
            match command {
                Ok(command) => {
                    let mut out = vec![];
                    command.encode(&mut out);
                    assert_eq!(out.len(), octets);
                }
                refused => assert_eq!(refused, too_long),
            }
        }
    }
}

#[test]
fn a_status_line_may_be_as_long_as_the_limit_and_no_longer() {
    for limit in [16, 512, 8192] {
        for (octets, fits) in [(limit - 1, true), (limit, true), (limit + 1, false)] {
            let octets = line("-ERR ", octets);
            for cuts in [vec![], vec![1], vec![octets.len() / 2], vec![octets.len() - 2], vec![octets.len() - 1]] {
                let mut client = logged_in(Config::new().status_line(limit), "");
                client.send(&Command::Noop, &mut vec![]).unwrap();
                let mut heard = vec![];
                for piece in pieces(&octets, &cuts) {
                    let _ = hear(&mut client, piece, &mut heard);
                    assert!(client.held() <= limit);
                }
                let too_long = Heard::Error(Error::LineTooLong { limit });
                assert_eq!(heard.contains(&too_long), !fits, "{} of {limit}: {heard:?}", octets.len());
                assert_eq!(heard.len(), if fits { 1 } else { heard.len() });
            }
        }
    }
}

#[test]
fn the_limits_of_a_client_are_8_kib_and_strictly_512_octets() {
    let fits = |config: Config, octets: usize| {
        let mut client = logged_in(config, "");
        client.send(&Command::Noop, &mut vec![]).unwrap();
        hear(&mut client, &line("+OK ", octets), &mut vec![]).is_ok()
    };
    assert!(fits(Config::new(), 8192) && !fits(Config::new(), 8193));
    let strict = || Config::new().without_quirk(Quirk::LongStatus);
    assert!(fits(strict(), 512) && !fits(strict(), 513));
    // What RFC 2449 §4 allows is no tolerance.
    for (octets, tolerated) in [(511, false), (512, false), (513, true)] {
        let mut client = logged_in(Config::new(), "");
        client.send(&Command::Noop, &mut vec![]).unwrap();
        hear(&mut client, &line("+OK ", octets), &mut vec![]).unwrap();
        assert_eq!(client.quirks_seen().contains(Quirk::LongStatus), tolerated, "{octets} octets");
    }
}

#[test]
fn a_line_of_a_listing_may_be_as_long_as_the_limit_and_no_longer() {
    for (command, row) in [(Command::List(None), "1 5 "), (Command::Uidl(None), "1 "), (Command::Capa, "X ")] {
        for (octets, fits) in [(99, true), (100, true), (101, false)] {
            let octets = [b"+OK\r\n", &line(row, octets)[..], b".\r\n"].concat();
            for cuts in cuts(octets.len()) {
                let mut client = logged_in(Config::new().status_line(100), "");
                client.send(&command, &mut vec![]).unwrap();
                let mut heard = vec![];
                for piece in pieces(&octets, &cuts) {
                    let _ = hear(&mut client, piece, &mut heard);
                    assert!(client.held() <= 100);
                }
                let expected = if fits {
                    Heard::Event(format!("End {{ of: {:?} }}", command.verb()))
                } else {
                    Heard::Error(Error::LineTooLong { limit: 100 })
                };
                assert_eq!(heard.last(), Some(&expected), "{heard:?}");
            }
        }
    }
}

#[test]
fn a_listing_may_have_as_many_lines_as_the_limit_and_no_more() {
    for command in [Command::List(None), Command::Uidl(None), Command::Capa] {
        for (rows, fits) in [(2, true), (3, true), (4, false)] {
            let mut octets = b"+OK\r\n".to_vec();
            (1..=rows).for_each(|row| octets.extend_from_slice(format!("{row} 5\r\n").as_bytes()));
            octets.extend_from_slice(b".\r\n");
            let mut client = logged_in(Config::new().rows(3), "");
            client.send(&command, &mut vec![]).unwrap();
            let mut heard = vec![];
            let read = hear(&mut client, &octets, &mut heard);
            let too_long = Error::ListingTooLong { to: command.verb(), limit: 3 };
            assert_eq!(read, if fits { Ok(()) } else { Err(too_long) });
            assert_eq!(
                heard.len(),
                if fits { rows + 2 } else { 5 },
                "status, rows, and the end or the error: {heard:?}"
            );
        }
    }
}

#[test]
fn the_lines_of_each_listing_are_counted_anew() {
    let mut client = logged_in(Config::new().rows(2), "PIPELINING");
    for _ in 0..3 {
        client.send(&Command::List(None), &mut vec![]).unwrap();
    }
    assert_eq!(feed(&mut client, &b"+OK\r\n1 5\r\n2 5\r\n.\r\n".repeat(3)).len(), 12);
}

#[test]
fn a_challenge_may_be_as_long_as_the_limit_of_a_sasl_line_and_no_longer() {
    for (octets, fits) in [(20_003, true), (20_007, false)] {
        // Base64 comes in quartets: "+ ", 4 n octets, CRLF.
        let limit = 20_004;
        let octets = [b"+ ", &b"QUJD".repeat((octets - 3) / 4)[..], b"\r\n"].concat();
        for cuts in [vec![], vec![2], vec![octets.len() - 1], vec![octets.len() / 2, octets.len() - 2]] {
            let mut client = Client::with_config(Config::new().allow_cleartext_login().sasl_line(limit));
            feed(&mut client, b"+OK\r\n");
            client.send(&Command::auth("X").unwrap(), &mut vec![]).unwrap();
            let mut heard = vec![];
            for piece in pieces(&octets, &cuts) {
                let _ = hear(&mut client, piece, &mut heard);
                assert!(client.held() <= limit);
            }
            let refused = heard.first() == Some(&Heard::Error(Error::LineTooLong { limit }));
            assert_eq!(refused, !fits, "{} octets", octets.len());
        }
    }
}

#[test]
fn the_status_line_that_ends_a_sasl_exchange_has_the_limit_of_status_lines() {
    for (octets, fits) in [(8192, true), (8193, false)] {
        let mut client = Client::with_config(Config::new().allow_cleartext_login());
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::auth("X").unwrap(), &mut vec![]).unwrap();
        assert_eq!(hear(&mut client, &line("-ERR ", octets), &mut vec![]).is_ok(), fits, "{octets} octets");
    }
}

#[test]
fn a_response_may_be_as_long_as_the_limit_of_a_sasl_line_and_no_longer() {
    let limit = 1002;
    for (quartets, fits) in [(249, true), (250, true), (251, false)] {
        let response = b"QUJD".repeat(quartets);
        let octets = [&response[..], b"\r\nCAPA\r\n"].concat();
        for cuts in cuts(octets.len()) {
            let (mut server, mut site) = (greeted(machines::everything().sasl_line(limit)), Site::default());
            let (mut seen, mut out) = (vec![], vec![]);
            site.serve(&mut server, b"AUTH X-TWO\r\n", &mut seen, &mut out).unwrap();
            for piece in pieces(&octets, &cuts) {
                site.serve(&mut server, piece, &mut seen, &mut out).unwrap();
                assert!(server.held() <= limit);
            }
            let taken = matches!(&seen[1], Incoming::Response(line) if line.reveal() == response);
            assert_eq!(taken, fits, "cut at {cuts:?}");
            if !fits {
                // One -ERR, which ends the exchange; what follows is a command again.
                assert!(matches!(seen[1], Incoming::Refused { refusal: Refusal::TooLong, .. }));
                assert_eq!(seen[2], Incoming::Command(Command::Capa));
            }
        }
        let mut client = Client::with_config(Config::new().allow_cleartext_login().sasl_line(limit));
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::auth("X").unwrap(), &mut vec![]).unwrap();
        feed(&mut client, b"+ \r\n");
        let expected = if fits { Ok(()) } else { Err(Misuse::TooLong { limit }) };
        assert_eq!(client.respond_line(&response, &mut vec![]), expected);
    }
}

#[test]
fn the_default_limit_of_a_sasl_line_is_64_kib() {
    for (quartets, fits) in [(16_383, true), (16_384, false)] {
        let mut client = Client::with_config(Config::new().allow_cleartext_login());
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::auth("X").unwrap(), &mut vec![]).unwrap();
        feed(&mut client, b"+ \r\n");
        assert_eq!(client.respond_line(&b"QUJD".repeat(quartets), &mut vec![]).is_ok(), fits);
        let mut server = greeted(machines::everything());
        server.next_event(&mut &b"AUTH X-TWO\r\n"[..], &mut vec![]).unwrap().unwrap();
        assert_eq!(server.challenge_line(&b"QUJD".repeat(quartets), &mut vec![]).is_ok(), fits);
    }
}

#[test]
fn an_answer_of_512_octets_is_whole_and_a_longer_text_is_cut() {
    for (text, octets) in [(505, 511), (506, 512), (507, 512), (5000, 512)] {
        let text = "x".repeat(text);
        let mut out = vec![];
        Reply::ok(&text).unwrap().encode(&mut out);
        assert_eq!(out.len(), octets);
        assert!(out.ends_with(b"x\r\n"));
    }
}

#[test]
fn a_body_holds_back_four_octets_at_most_and_nothing_else_is_bounded() {
    let body = b"+OK\r\nx\r\n.\r\r\n.x\r\n..\r\n.\r.\r\n\r\n.\r\n";
    for cuts in every_cut(body.len()) {
        let mut client = logged_in(Config::new().status_line(16), "");
        client.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
        for piece in pieces(body, &cuts) {
            feed(&mut client, piece);
            assert!(client.held() <= 5, "the status line is five octets");
        }
        assert_eq!(client.held(), 0);
    }
    let mut client = logged_in(Config::new().status_line(16), "");
    client.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    for _ in 0..1000 {
        feed(&mut client, &[b'x'; 1000]);
        assert_eq!(client.held(), 0, "message text has no lines that could be too long");
    }
    for octets in [&b"\r\n"[..], b".", b"\r"] {
        feed(&mut client, octets);
        assert!(client.held() <= 4);
    }
}

#[test]
fn body_octets_are_handed_out_as_soon_as_they_are_unambiguous() {
    let mut client = logged_in(Config::new(), "");
    client.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
    feed(&mut client, b"+OK\r\n");
    let mut taken = 0;
    let mut handed = 0;
    for &octet in b"a\r\nb\r\n..c\r\n.d\r\n.\rx\r\n" {
        taken += 1;
        for heard in feed(&mut client, &[octet]) {
            let Heard::Body(body) = heard else { panic!("{heard:?}") };
            handed += body.len();
        }
        let stuffing = 3;
        assert!(taken - handed - client.held() <= stuffing, "only dots that began a line are gone");
    }
    assert_eq!(handed, 17);
}

#[test]
fn a_number_of_the_peer_sizes_no_memory() {
    // With any allocation of that size the test would not end well.
    let huge = u64::MAX;
    let script = [
        Turn::Server(b"+OK\r\n"),
        Turn::Send(Command::user("x").unwrap()),
        Turn::Server(b"+OK\r\n"),
        Turn::Send(Command::pass("x").unwrap()),
        Turn::Server(b"+OK\r\n"),
        Turn::Send(Command::Stat),
        Turn::Server(b"+OK 4294967295 18446744073709551615\r\n"),
        Turn::Send(Command::retr(1).unwrap()),
        Turn::Server(b"+OK 18446744073709551615 octets\r\n.\r\n"),
        Turn::Send(Command::List(None)),
        Turn::Server(b"+OK 4294967295 messages\r\n4294967295 18446744073709551615\r\n.\r\n"),
    ];
    let trace = run(Client::with_config(Config::new().allow_cleartext_login()), &script, |_, _| vec![]);
    let expected = Event::Ok {
        to: Verb::Stat,
        code: None,
        text: (&b"4294967295 18446744073709551615"[..]).into(),
        data: Data::Drop(DropListing { messages: u32::MAX, octets: Some(huge) }),
    };
    assert!(trace.heard.contains(&Heard::Event(format!("{expected:?}"))), "{trace:#?}");
    assert_eq!(trace.outstanding, 0);

    let mut site = Site::new(&[b"one\r\n"]);
    let mut server: Server = open(Config::new(), &mut site);
    let (mut seen, mut out) = (vec![], vec![]);
    let lines = b"TOP 1 18446744073709551615\r\nTOP 1 99999999999999999999\r\nRETR 4294967295\r\nRETR 4294967296\r\n";
    site.serve(&mut server, lines, &mut seen, &mut out).unwrap();
    let top = "+OK top of message follows\r\none\r\n.\r\n";
    let expected = format!("{top}{top}-ERR no such message\r\n-ERR no such message-number\r\n");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn a_status_line_of_nothing_is_too_long() {
    let mut client = Client::with_config(Config::new().status_line(0));
    assert_eq!(client.next_event(&mut &b"+OK\r\n"[..]), Err(Error::LineTooLong { limit: 0 }));
}

fn takes_nothing_and_ends(limit: usize) {
    let mut server = greeted(Config::new().command_line(limit).discarded(10));
    let mut out = vec![];
    let mut input = &b"NOOP\r\nxxxxxxxxxxxxxxx"[..];
    let refused = server.next_event(&mut input, &mut out).unwrap().unwrap();
    assert!(matches!(refused, Incoming::Refused { refusal: Refusal::TooLong, .. }));
    assert!(server.next_event(&mut input, &mut out).is_err());
}

#[test]
fn a_command_line_of_almost_nothing_takes_nothing_and_ends() {
    takes_nothing_and_ends(1);
    takes_nothing_and_ends(2);
}

#[test]
fn a_command_line_of_nothing_takes_nothing_and_ends() {
    takes_nothing_and_ends(0);
}

#[test]
fn a_smaller_limit_of_command_lines_holds_for_every_command_of_an_open_maildrop() {
    for (line, taken) in [("LIST 0000000000001\r\n", true), ("LIST 00000000000001\r\n", false)] {
        let config = Config::new().command_line(20);
        let mut server = open(config, &mut Site::new(&[b"one\r\n"]));
        let seen = server.next_event(&mut line.as_bytes(), &mut vec![]).unwrap();
        let expected = pop3_proto::Refusal::TooLong;
        match seen {
            Some(Incoming::Command(Command::List(Some(_)))) => assert!(taken, "{line}"),
            Some(Incoming::Refused { refusal, .. }) => assert_eq!((refusal, taken), (expected, false), "{line}"),
            other => panic!("{line}: {other:?}"),
        }
    }
}

#[test]
fn the_limit_of_a_challenge_holds_where_it_is_the_smaller_one_too() {
    for (octets, limit, taken) in [(1000, 1000, true), (1004, 1000, false), (1004, 1004, true), (600, 400, false)] {
        let mut client = Client::over_tls(Config::new().sasl_line(limit), pop3_proto::Peer::Verified);
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::auth("X-ONE").unwrap(), &mut vec![]).unwrap();
        let challenge = [b"+ ", &b"QUJD".repeat((octets - 4) / 4)[..], b"\r\n"].concat();
        assert_eq!(challenge.len(), octets);
        let expected = if taken { Ok(()) } else { Err(Error::LineTooLong { limit }) };
        assert_eq!(hear(&mut client, &challenge, &mut vec![]), expected, "{octets} octets of {limit}");
    }
}

#[test]
fn a_row_that_only_a_tolerance_lets_pass_is_noted_at_every_cut() {
    for octets in [512, 513] {
        let row = [b"SASL ", &b"X".repeat(octets - 7)[..], b"\r\n"].concat();
        for cut in [0, 1, 300, octets - 1] {
            let mut client = logged_in(Config::new(), "");
            client.send(&Command::Capa, &mut vec![]).unwrap();
            feed(&mut client, b"+OK\r\n");
            feed(&mut client, &row[..cut]);
            feed(&mut client, &row[cut..]);
            assert_eq!(client.quirks_seen().contains(Quirk::LongStatus), octets > 512, "{octets}, cut at {cut}");
        }
        let mut client = logged_in(Config::new().without_quirk(Quirk::LongStatus), "");
        client.send(&Command::Capa, &mut vec![]).unwrap();
        feed(&mut client, b"+OK\r\n");
        let expected = if octets > 512 { Err(Error::LineTooLong { limit: 512 }) } else { Ok(()) };
        assert_eq!(hear(&mut client, &row, &mut vec![]), expected);
    }
}
