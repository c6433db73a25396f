//! What a message's octets become: (2) stuffing, (3) bodies as text, (9) TOP.

use super::super::judge::{all_stored, ends_well, fetches_all};
use crate::case::{ClientCase, Judged, Play, Stop, skip};
use crate::mailbox::Mail;
use crate::octets::escape;

/// The cases, group by group.
pub(crate) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "group/2/client-first-octet",
        "A dot that is the very first octet of a message is unstuffed as any other",
        &["RFC1939-3-027"],
        |c| {
            c.honest.messages = [&b".\r\n"[..], b"..\r\n", b".first\r\nsecond\r\n", b"...\r\n.\r\n"]
                .iter()
                .enumerate()
                .map(|(index, message)| (format!("first-{index}"), message.to_vec()))
                .collect();
            fetches_all(c)?;
            exact(c)
        },
    ),
    ClientCase::must(
        "group/2/client-dots",
        "Lines of dots, and dots within lines, are unstuffed once",
        &["RFC1939-3-026", "RFC1939-3-027"],
        |c| {
            c.honest.keep(&[Mail::Dots, Mail::TwelveLines]);
            fetches_all(c)?;
            exact(c)
        },
    ),
    ClientCase::must("group/2/client-dots-in-top", "What TOP sends is unstuffed, too", &["RFC1939-3-027"], |c| {
        c.honest.keep(&[Mail::Dots, Mail::TwelveLines]);
        c.until("TOP").and_then(|line| c.answer(&line))?;
        c.serve()?;
        ends_well(c)?;
        c.has_stored(&Mail::TwelveLines.octets())?;
        c.has_stored(&Mail::Dots.octets())
    })
    .job(|job| job.top = Some(1000)),
    ClientCase::must(
        "group/2/client-dot-behind-bare-line-feed",
        "In a response of CRLF lines, a dot behind a bare LF is an octet like any other",
        &["RFC1939-3-027"],
        |c| smuggled(c, b"a\n..b\n.c\r\nd\n.\r\ne\r\n", b"a\n..b\n.c\r\nd\n.\r\ne\r\n"),
    ),
    ClientCase::must(
        "group/2/client-false-end-line-feed",
        "LF, a dot and LF do not end a response of CRLF lines: stored mail is never read as responses",
        &["RFC1939-3-028"],
        |c| smuggled(c, b"a\n.\n+OK 99 injected\r\nb\r\n", b"a\n.\n+OK 99 injected\r\nb\r\n"),
    ),
    ClientCase::must(
        "group/2/client-false-end-carriage-return",
        "CR, a dot and CR do not end a response",
        &["RFC1939-3-028"],
        |c| smuggled(c, b"a\r.\r-ERR injected\r.\r\nb\r\n", b"a\r.\r-ERR injected\r.\r\nb\r\n"),
    ),
    ClientCase::must(
        "group/2/client-false-end-mixed",
        "CRLF, a dot and LF do not end a response of CRLF lines",
        &["RFC1939-3-028"],
        // The first line of data is ".\n+OK..." here: its one dot goes, as other octets than CRLF follow.
        |c| {
            let sent = b"a\r\n.\n+OK injected\r\nb\r\n";
            smuggled_or(c, sent, b"a\r\n\n+OK injected\r\nb\r\n", sent)
        },
    ),
    ClientCase::must(
        "group/2/client-dot-and-space",
        "A dot with a space behind it does not end a response",
        &["RFC1939-3-028"],
        |c| {
            let sent = b"a\r\n. \r\nb\r\n.\t\r\nc\r\n";
            smuggled_or(c, sent, b"a\r\n \r\nb\r\n\t\r\nc\r\n", sent)
        },
    ),
    ClientCase::must(
        "group/2/client-dot-and-carriage-returns",
        "A dot with two CR behind it does not end a response",
        &["RFC1939-3-028"],
        |c| {
            let sent = b"a\r\n.\r\r\nb\r\n";
            smuggled_or(c, sent, b"a\r\n\r\r\nb\r\n", sent)
        },
    ),
    ClientCase::must(
        "group/3/client-eight-bit",
        "Octets beyond ASCII, valid as UTF-8 or not, are stored as they came",
        &["RFC6856-2-004"],
        |c| {
            let mut every = b"Subject: every octet\r\n\r\n".to_vec();
            every.extend((0..=255).filter(|octet| !matches!(octet, b'\r' | b'\n')));
            every.extend_from_slice(b"\r\n\xC3\r\n\xA4\r\n\xEF\xBB\xBF\r\n");
            c.honest.messages = vec![("every".to_owned(), every), ("eight".to_owned(), Mail::EightBit.octets())];
            fetches_all(c)?;
            exact(c)
        },
    ),
    ClientCase::must(
        "group/3/client-nul-and-carriage-return",
        "NUL and bare CR in a message are stored as they came, and end nothing",
        &["RFC1939-3-028"],
        |c| {
            c.honest.keep(&[Mail::Raw]);
            fetches_all(c)?;
            exact(c)
        },
    ),
    ClientCase::must(
        "group/3/client-last-line-end",
        "The last CRLF of a message belongs to it, and empty lines at its end are kept",
        &["RFC1939-3-028"],
        |c| {
            c.honest.messages = [
                &b"Subject: one\r\n\r\nend\r\n"[..],
                b"Subject: two\r\n\r\nend\r\n\r\n\r\n",
                b"Subject: three\r\n\r\n\r\n",
            ]
            .iter()
            .enumerate()
            .map(|(index, message)| (format!("end-{index}"), message.to_vec()))
            .collect();
            fetches_all(c)?;
            exact(c)
        },
    ),
    ClientCase::must(
        "group/3/client-empty-message",
        "A message of no lines, or of one empty line, is one",
        &["RFC1939-3-028"],
        |c| {
            c.honest.messages = vec![("none".to_owned(), Vec::new()), ("empty".to_owned(), b"\r\n".to_vec())];
            fetches_all(c)?;
            exact(c)
        },
    ),
    ClientCase::must(
        "group/9/client-top-none",
        "TOP with 0 lines asks for the header, and what comes is stored",
        &["RFC1939-7-005"],
        |c| top(c, "0", 0),
    )
    .job(|job| job.top = Some(0)),
    ClientCase::must(
        "group/9/client-top-five",
        "TOP with 5 lines says 5, and what comes is stored",
        &["RFC1939-7-005"],
        |c| top(c, "5", 5),
    )
    .job(|job| job.top = Some(5)),
    ClientCase::must(
        "group/9/client-top-huge",
        "TOP with a number of lines of 64 bits is sent in full, without a sign",
        &["RFC1939-7-005"],
        |c| top(c, "18446744073709551615", 1000),
    )
    .job(|job| job.top = Some(u64::MAX)),
    ClientCase::must(
        "group/9/client-top-longer",
        "More lines than were asked for, or the whole message, end at the termination octet all the same",
        &["RFC1939-3-028"],
        |c| {
            c.honest.messages = counted();
            c.until("TOP")?;
            let whole = c.honest.answer(b"RETR 1");
            c.say(&whole)?;
            c.serve()?;
            ends_well(c)?;
            counted().iter().try_for_each(|(_, message)| c.has_stored(message))
        },
    )
    .job(|job| job.top = Some(1)),
];

/// Our own client stores exactly what was sent.
fn exact(c: &Play<'_>) -> Judged {
    if !c.ours() {
        return Ok(());
    }
    let wanted: Vec<_> = c.honest.messages.iter().map(|(_, message)| message.clone()).collect();
    let stored = c.stored();
    let shown = |all: &[Vec<u8>]| all.iter().map(|one| escape(one)).collect::<Vec<_>>().join(" | ");
    c.check(stored == wanted, shown(&wanted), shown(&stored))
}

/// A body as it is on the wire, up to the termination octet, and what it is then; the session goes on behind it.
fn smuggled(c: &mut Play<'_>, wire: &[u8], message: &[u8]) -> Judged {
    let header = b"Subject: smuggled\r\n\r\n";
    c.honest.only(&[header, message].concat());
    c.until("RETR")?;
    c.say(&[b"+OK message follows\r\n", &header[..], wire, b".\r\n"].concat())?;
    c.serve()?;
    all_stored(c)?;
    exact(c)
}

/// The same. That a dot is left where it should be taken off is the matter of other cases: with a foreign client `kept` is
/// only noted.
fn smuggled_or(c: &mut Play<'_>, wire: &[u8], message: &[u8], kept: &[u8]) -> Judged {
    let judged = smuggled(c, wire, message);
    let header = b"Subject: smuggled\r\n\r\n";
    if matches!(judged, Err(Stop::Fail { .. })) && !c.ours() && c.has_stored(&[header, kept].concat()).is_ok() {
        c.note("the dot is not taken off");
        return ends_well(c);
    }
    judged
}

/// The client gives TOP with this number of lines; each answer is cut by the honest server, and stored.
fn top(c: &mut Play<'_>, argument: &str, lines: usize) -> Judged {
    c.honest.messages = counted();
    let line = c.until("TOP")?;
    if c.ours() {
        c.check(line.rest == format!("1 {argument}").as_bytes(), format!("TOP 1 {argument}"), line.shown())?;
    } else if line.rest.rsplit(|&octet| octet == b' ').next() != Some(argument.as_bytes()) {
        return skip("the number of lines cannot be chosen");
    }
    c.answer(&line)?;
    c.serve()?;
    ends_well(c)?;
    counted().iter().try_for_each(|(_, message)| c.has_stored(&crate::fixture::top(message, lines)))
}

/// A message with twelve lines of body, and one that is a header alone.
fn counted() -> Vec<(String, Vec<u8>)> {
    let lines: String = (1..=12).map(|number| format!("line {number} of 12\r\n")).collect();
    let twelve = format!("Subject: twelve lines,\r\n\tfolded\r\nFrom: mrose@example.org\r\n\r\n{lines}");
    let header = "Subject: a header alone\r\nFrom: mrose@example.org\r\n".to_owned();
    vec![("twelve".to_owned(), twelve.into_bytes()), ("header".to_owned(), header.into_bytes())]
}
