//! P17: what a client unstuffs is the canonical form of what was stored, and the size counter gives the very octets that
//! RETR sends. A CRLF cut over two chunks and taken for a bare LF, a last line end forgotten, or an offence that is
//! reported too late for `-ERR` would break it.

#[path = "support/oracle.rs"]
mod oracle;

use oracle::{canonical, every_chunking, every_string, given, server, unstuffed, with_last_line_end};
use pop3_proto::wire::dot::{Newlines, Offence, Size, Stuff};
use pop3_proto::{Config, Misuse, Verb};
use proptest::prelude::*;

const ALPHABET: &[u8] = b".\r\nx\0";

/// What RETR sends of these stored octets, without stuffing; `None` where the policy gives no promise.
fn sent(policy: Newlines, stored: &[u8]) -> Option<Vec<u8>> {
    match policy {
        Newlines::Canonical => Some(canonical(stored, false)),
        Newlines::CanonicalAll => Some(canonical(stored, true)),
        Newlines::Reject if offence(stored).is_some() => None,
        // Who vouches for CRLF and has bare LF all the same gets dots doubled behind it that no client takes off.
        Newlines::Trusted if has_bare_lf(stored) => None,
        _ => Some(with_last_line_end(stored.to_vec())),
    }
}

fn has_bare_lf(stored: &[u8]) -> bool {
    stored.iter().enumerate().any(|(at, &octet)| octet == b'\n' && (at == 0 || stored[at - 1] != b'\r'))
}

/// The first CR or LF that stands alone.
fn offence(stored: &[u8]) -> Option<Offence> {
    for (at, &octet) in stored.iter().enumerate() {
        match octet {
            b'\n' if at == 0 || stored[at - 1] != b'\r' => return Some(Offence::BareLf),
            b'\r' if stored.get(at + 1) != Some(&b'\n') => return Some(Offence::BareCr),
            _ => {}
        }
    }
    None
}

const POLICIES: [Newlines; 4] = [Newlines::Canonical, Newlines::CanonicalAll, Newlines::Reject, Newlines::Trusted];

fn encoded(policy: Newlines, stored: &[u8]) -> Vec<u8> {
    let (mut stuff, mut wire) = (Stuff::new(policy), Vec::new());
    stuff.encode(stored, &mut wire).unwrap();
    wire.extend_from_slice(stuff.finish().unwrap());
    wire
}

fn counted(policy: Newlines, chunks: &[&[u8]]) -> Size {
    let mut size = Size::new(policy);
    for chunk in chunks {
        size.add(chunk);
    }
    size
}

#[test]
fn what_is_unstuffed_is_the_canonical_form_of_what_was_stuffed() {
    every_string(ALPHABET, 8, &mut |stored| {
        for policy in POLICIES {
            let Some(text) = sent(policy, stored) else { continue };
            let wire = encoded(policy, stored);
            let read = unstuffed(&wire, false);
            assert_eq!(read.text, text, "{policy:?}: {}", stored.escape_ascii());
            assert_eq!(read.used, Some(wire.len()), "{policy:?}: {}", stored.escape_ascii());
            assert!(!read.missing, "{policy:?}: {}", stored.escape_ascii());
        }
    });
}

#[test]
fn the_size_is_the_octets_that_come_out_unstuffed() {
    every_string(ALPHABET, 8, &mut |stored| {
        for policy in POLICIES {
            if let Some(text) = sent(policy, stored) {
                let octets = counted(policy, &[stored]).octets();
                assert_eq!(octets, text.len() as u64, "{policy:?}: {}", stored.escape_ascii());
            }
        }
    });
}

#[test]
fn the_size_of_a_message_with_more_bare_line_ends_than_an_octet_counts_is_right() {
    for line in [&b"\n"[..], b"x\n", b"\r", b"\rx", b"\n\r", b"\r\n", b"\r\r\n"] {
        for times in [127, 128, 129, 255, 256, 257, 512, 1000] {
            let stored = line.repeat(times);
            for policy in [Newlines::Canonical, Newlines::CanonicalAll] {
                let text = sent(policy, &stored).unwrap();
                for cut in [0, 1, 127, 128, stored.len() - 1] {
                    let (front, back) = stored.split_at(cut.min(stored.len()));
                    assert_eq!(
                        counted(policy, &[front, back]).octets(),
                        text.len() as u64,
                        "{policy:?} {times} {line:?}"
                    );
                }
            }
        }
    }
}

#[test]
fn the_size_and_the_offence_do_not_depend_on_the_chunks() {
    every_string(ALPHABET, 6, &mut |stored| {
        for policy in POLICIES {
            let whole = counted(policy, &[stored]);
            every_chunking(stored, &mut |chunks| {
                let cut = counted(policy, chunks);
                assert_eq!((cut.octets(), cut.offence()), (whole.octets(), whole.offence()), "{policy:?}: {chunks:?}");
            });
        }
    });
}

#[test]
fn mail_stored_with_lf_and_with_crlf_is_the_same_mail() {
    every_string(b".\nx", 8, &mut |with_lf| {
        let with_crlf = canonical(with_lf, false);
        for policy in [Newlines::Canonical, Newlines::CanonicalAll] {
            assert_eq!(encoded(policy, with_lf), encoded(policy, &with_crlf), "{}", with_lf.escape_ascii());
            assert_eq!(counted(policy, &[with_lf]).octets(), with_crlf.len() as u64);
        }
    });
}

#[test]
fn reject_reports_the_first_bare_cr_or_lf_before_the_answer() {
    every_string(ALPHABET, 8, &mut |stored| {
        assert_eq!(counted(Newlines::Reject, &[stored]).offence(), offence(stored), "{}", stored.escape_ascii());
    });
    for policy in [Newlines::Canonical, Newlines::CanonicalAll] {
        every_string(ALPHABET, 4, &mut |stored| assert_eq!(counted(policy, &[stored]).offence(), None));
    }
}

#[test]
fn reject_refuses_what_it_reported_and_takes_everything_else() {
    every_string(ALPHABET, 6, &mut |stored| {
        every_chunking(stored, &mut |chunks| {
            let (mut stuff, mut wire) = (Stuff::new(Newlines::Reject), Vec::new());
            let mut refused = None;
            for chunk in chunks {
                let before = wire.clone();
                if let Err(why) = stuff.encode(chunk, &mut wire) {
                    assert_eq!(wire, before, "nothing of the chunk is written");
                    refused = Some(why);
                    break;
                }
            }
            let refused = refused.or_else(|| stuff.finish().err());
            assert_eq!(refused, offence(stored), "{chunks:?}");
        });
    });
}

#[test]
fn a_server_that_rejects_can_only_abort_a_message_that_offends() {
    for (stored, why) in [(&b"a\nb\r\n"[..], Offence::BareLf), (b"a\rb\r\n", Offence::BareCr), (b"\n", Offence::BareLf)]
    {
        let mut server = server(Config::new().newlines(Newlines::Reject));
        assert!(given(&mut server, b"RETR 1\r\n").is_some());
        let mut out = Vec::new();
        server.begin("", &mut out).unwrap();
        server.body(b"Subject: hi\r\n", &mut out).unwrap();
        let before = out.clone();
        assert_eq!(server.body(stored, &mut out), Err(Misuse::Offence(why)));
        assert_eq!(server.body(b"more\r\n", &mut out), Err(Misuse::Spoiled { to: Verb::Retr }));
        assert_eq!(server.end(&mut out), Err(Misuse::Spoiled { to: Verb::Retr }));
        assert_eq!(out, before);
        assert!(server.reply(&pop3_proto::Reply::err("sorry").unwrap(), &mut out).is_err());
        server.abort();
        assert_eq!(out, before);
        assert!(server.is_over());
    }
}

#[test]
fn slices_offend_as_copies_do() {
    for (stored, why) in [(&b"a\nb\r\n"[..], Offence::BareLf), (b"a\rb\r\n", Offence::BareCr), (b"\n", Offence::BareLf)]
    {
        let mut server = server(Config::new().newlines(Newlines::Reject));
        assert!(given(&mut server, b"RETR 1\r\n").is_some());
        server.begin("", &mut Vec::new()).unwrap();
        assert!(matches!(server.body_segments(stored), Err(Misuse::Offence(also)) if also == why));
        assert!(matches!(server.body_segments(b"more\r\n"), Err(Misuse::Spoiled { to: Verb::Retr })));
    }
}

#[test]
fn a_cr_at_the_very_end_offends_when_the_message_ends() {
    let mut server = server(Config::new().newlines(Newlines::Reject));
    assert!(given(&mut server, b"RETR 1\r\n").is_some());
    let mut out = Vec::new();
    server.begin("", &mut out).unwrap();
    server.body(b"a\r", &mut out).unwrap();
    let before = out.clone();
    assert_eq!(server.end(&mut out), Err(Misuse::Offence(Offence::BareCr)));
    assert_eq!(out, before);
}

#[test]
fn the_default_makes_crlf_of_bare_lf_and_lets_bare_cr_pass() {
    assert_eq!(Newlines::default(), Newlines::Canonical);
    assert_eq!(encoded(Newlines::default(), b".a\n.\rb\n\n."), b"..a\r\n..\rb\r\n\r\n..\r\n.\r\n");
    assert_eq!(encoded(Newlines::CanonicalAll, b"a\r.\r\rb"), b"a\r\n..\r\n\r\nb\r\n.\r\n");
    assert_eq!(encoded(Newlines::Trusted, b"a\n.b\r\n"), b"a\n..b\r\n.\r\n");
    for policy in POLICIES {
        assert_eq!(encoded(policy, b""), b".\r\n", "an empty message has no line");
        assert_eq!(encoded(policy, b"."), b"..\r\n.\r\n", "the very first octet is stuffed");
        assert_eq!(encoded(policy, b"x"), b"x\r\n.\r\n", "the last line gets its end");
    }
}

proptest! {
    #![proptest_config(oracle::cases(300))]

    #[test]
    fn long_messages_come_out_canonical_and_counted(
        stored in proptest::collection::vec(
            prop_oneof![3 => Just(b'.'), 3 => Just(b'\r'), 3 => Just(b'\n'), 6 => Just(b'x'), 1 => any::<u8>()],
            0..400,
        ),
        places in proptest::collection::vec(0_usize..400, 0..8),
    ) {
        let mut places = places;
        places.sort_unstable();
        let chunks = oracle::cut_at(&stored, &places);
        for policy in POLICIES {
            prop_assert_eq!(counted(policy, &chunks).octets(), counted(policy, &[&stored]).octets());
            if let Some(text) = sent(policy, &stored) {
                prop_assert_eq!(&unstuffed(&encoded(policy, &stored), false).text, &text);
                prop_assert_eq!(counted(policy, &chunks).octets(), text.len() as u64);
            }
        }
    }
}
