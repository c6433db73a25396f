//! P18 and P24: a response whose status line ended CRLF ends at CRLF "." CRLF only, one leading dot is removed also where
//! the server forgot to stuff, and at most `.` CR is held back. A CR in front of the end that is read twice or not at all
//! (`. CR CR LF . CRLF`), or an end found at LF `.` LF in a CRLF message, would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{Unstuffed, asking, body, cut_at, every_chunking, every_string, hear, unstuffed};
use pop3_proto::wire::dot::{Piece, Unstuff};
use pop3_proto::wire::line::LineEnd;
use pop3_proto::{Command, Config, Error, Event, Quirk, Verb};
use proptest::prelude::*;

const ALPHABET: &[u8] = b".\r\nx";

/// Feeds the chunks and notes what comes out. Text that is held back stays out of it.
fn read(unstuff: &mut Unstuff, chunks: &[&[u8]]) -> Unstuffed {
    let mut found = Unstuffed { text: Vec::new(), used: None, missing: false };
    let mut used = 0;
    for chunk in chunks {
        let mut input = *chunk;
        while found.used.is_none() {
            let piece = unstuff.next(&mut input);
            assert!(unstuff.held() <= 2, "at most a dot and a CR are held back");
            match piece {
                Some(Piece::Text(octets)) => {
                    assert!(!octets.is_empty(), "a piece of no octets says nothing");
                    found.text.extend_from_slice(octets);
                }
                Some(Piece::End) => found.used = Some(used + chunk.len() - input.len()),
                None => {
                    assert!(input.is_empty(), "None means that the input is used up");
                    break;
                }
            }
        }
        used += chunk.len();
    }
    found.missing = unstuff.missing_stuffing();
    found
}

/// The oracle gives whole lines; the machine hands out the beginning of a line too. This is that beginning.
fn with_last_line(wire: &[u8], bare_lf: bool) -> Unstuffed {
    let mut found = unstuffed(wire, bare_lf);
    if found.used.is_some() {
        return found;
    }
    let whole = (0..=wire.len()).rev().find(|&at| ends_line(&wire[..at], bare_lf)).unwrap_or(0);
    let tail = &wire[whole..];
    match tail {
        [] | b"." | b".\r" => {}
        [b'.', text @ ..] => {
            // ". CR" CR is no end any more, nor is ". LF" where lines end in CRLF.
            found.missing |= text[0] != b'.';
            found.text.extend_from_slice(text);
        }
        _ => found.text.extend_from_slice(tail),
    }
    found
}

fn ends_line(octets: &[u8], bare_lf: bool) -> bool {
    octets.is_empty() || octets.ends_with(b"\r\n") || bare_lf && octets.ends_with(b"\n")
}

const MODES: [(LineEnd, bool); 2] = [(LineEnd::Crlf, false), (LineEnd::BareLf, true)];

#[test]
fn every_short_text_is_unstuffed_as_the_naive_reader_does() {
    every_string(ALPHABET, 8, &mut |wire| {
        for (lines, bare_lf) in MODES {
            let expected = with_last_line(wire, bare_lf);
            assert_eq!(read(&mut Unstuff::new(lines), &[wire]), expected, "{lines:?}: {}", wire.escape_ascii());
        }
    });
}

#[test]
fn every_chunking_of_every_text_of_six_octets_gives_the_same() {
    every_string(ALPHABET, 6, &mut |wire| {
        for (lines, bare_lf) in MODES {
            let expected = with_last_line(wire, bare_lf);
            every_chunking(wire, &mut |chunks| {
                assert_eq!(read(&mut Unstuff::new(lines), chunks), expected, "{lines:?}: {chunks:?}");
            });
        }
    });
}

/// A front of a text is a text too, and the state is all that one call leaves to the next: so what holds for one cut of
/// every text up to eight octets holds, by induction over the pieces, for every chunking of them.
#[test]
fn every_cut_of_every_text_of_eight_octets_leaves_the_state_of_the_whole() {
    every_string(ALPHABET, 8, &mut |wire| {
        for (lines, _) in MODES {
            let mut whole = Unstuff::new(lines);
            let expected = read(&mut whole, &[wire]);
            for cut in 1..wire.len() {
                let (front, back) = wire.split_at(cut);
                let mut unstuff = Unstuff::new(lines);
                let found = read(&mut unstuff, &[front, back]);
                assert_eq!((&found, &unstuff), (&expected, &whole), "{lines:?}: {} cut at {cut}", wire.escape_ascii());
            }
        }
    });
}

#[test]
fn what_is_held_back_is_the_beginning_of_an_end_and_nothing_else() {
    every_string(ALPHABET, 7, &mut |wire| {
        for (lines, bare_lf) in MODES {
            let mut unstuff = Unstuff::new(lines);
            let found = read(&mut unstuff, &[wire]);
            if found.used.is_some() {
                continue;
            }
            let held = (1..=2)
                .find(|&held| {
                    wire.len() >= held
                        && [&b"."[..], b".\r"].contains(&&wire[wire.len() - held..])
                        && ends_line(&wire[..wire.len() - held], bare_lf)
                })
                .unwrap_or(0);
            assert_eq!(unstuff.held(), held, "{lines:?}: {}", wire.escape_ascii());
        }
    });
}

/// The status lines, and how the lines behind them end.
const STATUS: [(&[u8], bool); 2] = [(b"+OK 120 octets\r\n", false), (b"+OK 120 octets\n", true)];

fn through_a_client(config: &Config, status: &[u8], bare_lf: bool, wire: &[u8], places: &[usize]) {
    let expected = unstuffed(wire, bare_lf);
    let used = expected.used.expect("the text is a whole message");
    let answer = [status, &wire[..used]].concat();
    let mut client = asking(config.clone(), &Command::retr(1).unwrap());
    let (heard, error) = hear(&mut client, &cut_at(&answer, places));
    assert_eq!(error, None, "{}", answer.escape_ascii());
    assert_eq!(body(&heard), expected.text, "{} cut at {places:?}", answer.escape_ascii());
    assert_eq!(heard.last(), Some(&oracle::Heard::Event(format!("{:?}", Event::End { of: Verb::Retr }))));
    let seen = client.quirks_seen();
    assert_eq!(seen.contains(Quirk::MissingStuffing), expected.missing, "{}", answer.escape_ascii());
    assert_eq!(seen.contains(Quirk::BareLf), bare_lf);
    assert_eq!(client.held(), 0);
    assert_eq!(client.outstanding(), 0);
}

#[test]
fn a_client_latches_the_line_end_of_the_status_line_for_the_message() {
    let config = Config::new();
    every_string(ALPHABET, 5, &mut |message| {
        for (status, bare_lf) in STATUS {
            let wire = [message, if bare_lf { &b"\n.\n"[..] } else { b"\r\n.\r\n" }].concat();
            through_a_client(&config, status, bare_lf, &wire, &[]);
            for at in 1..status.len() + wire.len() {
                through_a_client(&config, status, bare_lf, &wire, &[at]);
            }
        }
    });
}

#[test]
fn a_client_leaves_the_octets_behind_the_end_to_the_next_answer() {
    for (status, bare_lf) in STATUS {
        every_string(ALPHABET, 6, &mut |message| {
            let wire = [status, message, b"\r\n.\r\n+OK 1\n2"].concat();
            let used = unstuffed(&wire[status.len()..], bare_lf).used.unwrap() + status.len();
            let mut client = asking(Config::new(), &Command::retr(1).unwrap());
            let mut input = wire.as_slice();
            let event = loop {
                match client.next_event(&mut input).unwrap().expect("the end is in the input") {
                    end @ Event::End { .. } => break end,
                    _ => assert!(!input.is_empty()),
                }
            };
            assert_eq!(event, Event::End { of: Verb::Retr });
            assert_eq!(input, &wire[used..], "{}", wire.escape_ascii());
        });
    }
}

#[test]
fn stored_lf_dot_lf_does_not_cut_a_message_whose_status_line_ended_crlf() {
    let wire: &[&[u8]] = &[b"+OK\r\nhi\n.\n+OK 666\r\n.\n.\r\r\n\n.\r\n\r.\r\n.\r\n"];
    let mut client = asking(Config::new(), &Command::retr(1).unwrap());
    let (heard, error) = hear(&mut client, wire);
    assert_eq!(error, None);
    assert_eq!(body(&heard), b"hi\n.\n+OK 666\r\n\n.\r\r\n\n.\r\n\r.\r\n");
    assert_eq!(client.outstanding(), 0);
}

#[test]
fn a_strict_client_refuses_a_status_line_that_ends_in_bare_lf() {
    let mut client = asking(Config::new().strict(), &Command::retr(1).unwrap());
    let (heard, error) = hear(&mut client, &[b"+OK\nhi\n.\n"]);
    assert_eq!((heard, error), (vec![], Some(Error::BareLf)));
}

#[test]
fn a_strict_client_hands_out_the_same_octets_where_stuffing_is_missing_and_notes_nothing() {
    let mut client = asking(Config::new().strict(), &Command::retr(1).unwrap());
    let (heard, error) = hear(&mut client, &[b"+OK\r\n.foo\r\n. \r\n.\r\n"]);
    assert_eq!((body(&heard), error), (b"foo\r\n \r\n".to_vec(), None));
    assert!(client.quirks_seen().is_empty());
}

fn dotty(longest: usize) -> impl Strategy<Value = Vec<u8>> {
    proptest::collection::vec(
        prop_oneof![
            4 => Just(b".".to_vec()),
            3 => Just(b"\r\n".to_vec()),
            1 => Just(b"\r".to_vec()),
            1 => Just(b"\n".to_vec()),
            4 => Just(b"x".to_vec()),
            1 => proptest::collection::vec(any::<u8>(), 0..40),
        ],
        0..longest,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(oracle::cases(400))]

    #[test]
    fn long_texts_are_unstuffed_as_the_naive_reader_does_however_they_are_cut(
        wire in dotty(200),
        places in proptest::collection::vec(0_usize..400, 0..12),
    ) {
        let mut places = places;
        places.sort_unstable();
        for (lines, bare_lf) in MODES {
            let found = read(&mut Unstuff::new(lines), &cut_at(&wire, &places));
            prop_assert_eq!(found, with_last_line(&wire, bare_lf));
        }
    }

    #[test]
    fn a_client_unstuffs_long_messages_however_they_are_cut(
        message in dotty(120),
        places in proptest::collection::vec(0_usize..400, 0..12),
    ) {
        let mut places = places;
        places.sort_unstable();
        for (status, bare_lf) in STATUS {
            let wire = [message.as_slice(), b"\r\n.\r\n"].concat();
            through_a_client(&Config::new(), status, bare_lf, &wire, &places);
        }
    }
}
