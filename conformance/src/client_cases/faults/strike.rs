//! What the server does at a point, and what is demanded of the client then.

use super::super::judge::{each, end, ends, fails, gives_up, hangs, until_quiet, with_first_line, with_rows};
use super::super::rfc2595::needs_stls;
use super::cells::Fault;
use crate::case::{Ended, Judged, Level, Line, Play, Stop, skip};
use crate::fault_matrix::Point;
use crate::mailbox::Mail;
use crate::octets::escape;

/// What the client is to make of it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Then {
    /// Nothing is wrong: it ends well, and all it has stored is right.
    Well,
    /// It reports a failure.
    Fails,
    /// It ends, and what it has stored is right.
    Ends,
}

/// One cell of the matrix.
pub(super) fn strike(c: &mut Play<'_>, point: Point, fault: Fault) -> Judged {
    match fault {
        Fault::Octets => octets(c, point),
        Fault::Cut => {
            let answer = reach(c, point)?;
            let length = answer.len();
            c.start_again()?;
            each(c, &[0, 1, length / 2, length - 2, length - 1], |c, at| cut(c, point, at))
        }
        Fault::CutEverywhere => {
            let length = reach(c, point)?.len();
            let places: Vec<_> = (0..length).collect();
            c.start_again()?;
            each(c, &places, |c, at| cut(c, point, at))
        }
        Fault::Missing => {
            reach(c, point)?;
            let ended = c.wait_for_end();
            c.check(matches!(ended, Ended::Failed(_)), "a failure", format!("{ended:?}"))
        }
        Fault::EndlessLine => {
            reach(c, point)?;
            c.say(b"+OK ")?;
            let piece = vec![b'a'; 64 * 1024];
            (0..6).try_for_each(|_| c.say(&piece))?;
            gives_up(c).map(drop)
        }
        Fault::EndlessRows => {
            reach(c, point)?;
            c.say(b"+OK\r\n")?;
            for block in 0..40_u32 {
                let rows: Vec<u8> =
                    (1..=2000_u32).flat_map(|row| format!("{} 120\r\n", block * 2000 + row).into_bytes()).collect();
                c.say(&rows)?;
            }
            c.hang_up();
            fails(c)?;
            c.check(!c.ours() || c.stored().is_empty(), "no message", "one is stored")
        }
        Fault::Cleartext => each(c, &["+OK inj\r\n", "+", "-ERR\r\n", "\n"], |c, words| {
            let answer = reach(c, point)?;
            c.say(&[&answer[..], words.as_bytes()].concat())?;
            if c.handshake().is_err() {
                return fails(c).map(drop);
            }
            if c.command()?.is_some() {
                c.quiet()?;
            }
            ends(c)
        }),
        Fault::LoginRefused => each(c, &["-ERR [AUTH] no", "-ERR", "-ERR [IN-USE] busy", "-ERR +OK"], |c, answer| {
            reach(c, point)?;
            c.say(format!("{answer}\r\n").as_bytes())?;
            rest(c, point, Then::Fails)?;
            c.check(!c.has_given("STAT") && !c.has_given("RETR"), "no STAT and no RETR", "one")
        }),
        Fault::Lost => each(c, &["", "+", "+ VXNlcm5hb", "+ VXNlcm5hbWU6\r\n"], |c, words| {
            reach(c, point)?;
            c.say(words.as_bytes())?;
            c.hang_up();
            fails(c).map(drop)
        }),
        Fault::Lies => each(c, &["UIDL", "LIST", "TOP", "STAT"], |c, refused| {
            few(c);
            c.honest.capabilities.get_or_insert_default().extend(["UIDL", "LIST", "TOP 9", "STLS"].map(str::to_owned));
            let served = c.serve_with(|_, line| (line.verb == refused).then(|| b"-ERR not here\r\n".to_vec()));
            c.let_go(served)?;
            judge(c, Then::Ends)
        }),
        _ => answered(c, point, fault),
    }
}

/// Other octets in place of the answer.
fn answered(c: &mut Play<'_>, point: Point, fault: Fault) -> Judged {
    let demand = demand(point, fault);
    let mut number = 0;
    loop {
        let (line, honest) = reached(c, point)?;
        let variants = variants(c, point, fault, &honest, &line);
        let Some(octets) = variants.get(number) else { return skip("there is nothing to try here") };
        c.say(octets)?;
        let judged = if !c.honest.wants_tls() {
            rest(c, point, demand)
        } else if c.handshake().is_err() {
            // The client has given up.
            fails(c).map(drop)
        } else {
            rest(c, point, Then::Ends)
        };
        match judged {
            Err(Stop::Fail { expected, got }) if !c.ours() && is_tolerance(point, fault, octets) => {
                c.note(format!("tolerant: {} is taken (expected {expected}, got {got})", shown(octets)));
            }
            other => other?,
        }
        number += 1;
        if number == variants.len() {
            return Ok(());
        }
        c.start_again()?;
    }
}

/// What a client is free to overlook. RFC 1939 §3 knows two status indicators, and does not say what a client does with a
/// line that has neither; nor that anything parts `+OK` from what follows, which came with RFC 2449 §3. Whether the refusal
/// of one message is a failure of the whole, no RFC says.
fn is_tolerance(point: Point, fault: Fault, octets: &[u8]) -> bool {
    match fault {
        Fault::GarbageBefore | Fault::EmptyLine | Fault::OddOctets => true,
        Fault::Refused if point == Point::Retr => true,
        Fault::WrongStatus => octets.starts_with(b"+OK") || matches!(point, Point::Capa | Point::Uidl | Point::Top),
        _ => point == Point::AfterQuit,
    }
}

/// The first line of an answer, visible and short.
fn shown(octets: &[u8]) -> String {
    let line = octets.split_inclusive(|&octet| octet == b'\n').next().unwrap_or_default();
    escape(&line[..line.len().min(60)])
}

/// What is demanded where other octets come in place of the answer.
fn demand(point: Point, fault: Fault) -> Then {
    match fault {
        Fault::GarbageBefore | Fault::EmptyLine | Fault::WrongStatus if point != Point::AfterQuit => Then::Fails,
        Fault::AtTheLimit | Fault::OddOctets if point != Point::Stls => Then::Well,
        Fault::FalseEnd if matches!(point, Point::Retr | Point::Top) => Then::Well,
        Fault::Refused
            if matches!(
                point,
                Point::Greeting
                    | Point::Pass
                    | Point::User
                    | Point::Apop
                    | Point::Auth
                    | Point::Stls
                    | Point::Retr
                    | Point::Quit
            ) =>
        {
            Then::Fails
        }
        _ => Then::Ends,
    }
}

/// The answers to try, one after the other.
fn variants(c: &mut Play<'_>, point: Point, fault: Fault, honest: &[u8], line: &Line) -> Vec<Vec<u8>> {
    let first = |words: &[u8]| with_first_line(honest, words);
    let long = |octets: usize| {
        let words =
            if point == Point::Stat { String::from_utf8_lossy(honest).trim_end().to_owned() } else { "+OK".to_owned() };
        first(format!("{words} {}", "a".repeat(octets - words.len() - 3)).as_bytes())
    };
    let rows = |c: &mut Play<'_>, change: &dyn Fn(&str) -> String| with_rows(&mut c.honest, line, change);
    match fault {
        Fault::GarbageBefore => {
            vec![[b"what is this\r\n", honest].concat(), [b"\x00\xFF\x16\x03\x01\r\n", honest].concat()]
        }
        Fault::EmptyLine => vec![[b"\r\n", honest].concat()],
        Fault::WrongStatus => {
            ["+OKAY yes", "OK", "+ERR", "ok 2 320", "250 ok", "* OK", "+0K"].map(|word| first(word.as_bytes())).to_vec()
        }
        Fault::Refused => vec![b"-ERR no\r\n".to_vec(), b"-ERR\r\n".to_vec()],
        Fault::Twice => vec![[honest, honest].concat()],
        Fault::Early => vec![[honest, b"+OK\r\n"].concat(), [honest, b"-ERR\r\n"].concat(), [honest, b"+OK"].concat()],
        Fault::AtTheLimit => vec![long(511), long(512)],
        Fault::BeyondTheLimit => [513, 5120, 8192, 8193, 81920].map(long).to_vec(),
        Fault::OddOctets => {
            let texts: [&[u8]; 3] = [b"+OK \xFF\xFE\xC3", b"+OK a\rb", b"+OK a\0b"];
            texts.map(first).to_vec()
        }
        Fault::LineFeeds => vec![honest.iter().copied().filter(|&octet| octet != b'\r').collect()],
        Fault::GarbageWithin => ["what is this", "-ERR no", "", "\0\0"]
            .map(|garbage| rows(c, &|row| format!("{row}\r\n{garbage}")))
            .to_vec(),
        Fault::Numbers if point == Point::Stat => NUMBERS
            .iter()
            .flat_map(|number| [format!("+OK {number} 320\r\n"), format!("+OK 2 {number}\r\n")])
            .map(String::into_bytes)
            .collect(),
        Fault::Numbers => NUMBERS
            .iter()
            .flat_map(|number| {
                let in_front = rows(c, &|row| row.replacen('2', number, 1));
                let behind = rows(c, &|row| format!("{} {number}", row.split(' ').next().unwrap_or_default()));
                [in_front, behind]
            })
            .collect(),
        Fault::FalseEnd => FALSE_ENDS.iter().map(|end| false_end(honest, end)).collect(),
        Fault::UniqueIds => {
            let long = "x".repeat(71);
            ["+OK", "-ERR", "..", "", "same", "with space", "\u{fc}", "a/../b", long.as_str()]
                .map(|id| rows(c, &|row| format!("{} {id}", row.split(' ').next().unwrap_or_default())))
                .to_vec()
        }
        _ => Vec::new(),
    }
}

/// A line in front of the others that looks like the end; within a message its own dot is stuffing.
fn false_end(honest: &[u8], end: &str) -> Vec<u8> {
    let at = honest.iter().position(|&octet| octet == b'\n').map_or(honest.len(), |lf| lf + 1);
    [&honest[..at], end.as_bytes(), &honest[at..]].concat()
}

/// Each octet by itself. There is nothing wrong with that.
fn octets(c: &mut Play<'_>, point: Point) -> Judged {
    let answer = reach(c, point)?;
    c.say_octet_by_octet(&answer)?;
    if c.honest.wants_tls() {
        c.handshake()?;
    }
    rest(c, point, Then::Well)
}

/// The answer is cut behind so many octets, and the connection closed.
fn cut(c: &mut Play<'_>, point: Point, at: usize) -> Judged {
    let answer = reach(c, point)?;
    c.say(&answer[..at])?;
    c.hang_up();
    if point == Point::Quit {
        // What became of the deletions is not known then; no RFC says what a client makes of that.
        c.weighs(Level::Should);
    }
    fails(c)?;
    c.check(
        !c.ours() || point == Point::Dele || point == Point::Quit || c.stored().is_empty(),
        "no message",
        "one is stored",
    )
}

/// A few messages, so that a session is short.
fn few(c: &mut Play<'_>) {
    c.honest.keep(&[Mail::Spare3, Mail::First]);
}

/// Honest up to this point; gives the answer that is due.
fn reach(c: &mut Play<'_>, point: Point) -> Judged<Vec<u8>> {
    reached(c, point).map(|(_, answer)| answer)
}

fn reached(c: &mut Play<'_>, point: Point) -> Judged<(Line, Vec<u8>)> {
    few(c);
    let verb = match point {
        Point::Greeting => {
            c.accept()?;
            let greeting = format!("+OK {}\r\n", c.honest.greeting).into_bytes();
            return Ok((Line { raw: Vec::new(), verb: "greeting".to_owned(), rest: Vec::new() }, greeting));
        }
        Point::Capa => "CAPA",
        Point::Stls => {
            needs_stls(c)?;
            "STLS"
        }
        Point::User => "USER",
        Point::Pass => "PASS",
        Point::Apop => "APOP",
        Point::Auth => "AUTH",
        Point::Stat => "STAT",
        Point::Uidl => "UIDL",
        Point::List => "LIST",
        Point::Retr => "RETR",
        Point::Top => "TOP",
        Point::Dele => "DELE",
        Point::Quit | Point::AfterQuit => "QUIT",
    };
    let line = c.until(verb)?;
    if matches!(verb, "LIST" | "UIDL") && !line.rest.is_empty() {
        return skip(format!("the client gave {verb} with an argument"));
    }
    if matches!(point, Point::Quit) && !c.has_given("DELE") {
        return skip("the client deleted nothing");
    }
    let answer = c.honest.answer(line.text());
    if point == Point::AfterQuit {
        c.say(&answer)?;
    }
    Ok((line, answer))
}

/// The rest of the session, and the judgement.
fn rest(c: &mut Play<'_>, point: Point, then: Then) -> Judged {
    // Whoever takes a refusal, or garbage, for a success goes on; a login stays refused.
    if then == Then::Fails && matches!(point, Point::Greeting | Point::Stls) {
        gives_up(c)?;
        return Ok(());
    }
    if then == Then::Fails && matches!(point, Point::User | Point::Pass | Point::Apop | Point::Auth) {
        c.honest.logged_in = false;
        let served = c.serve_with(|_, line| {
            matches!(line.verb.as_str(), "USER" | "PASS" | "AUTH" | "APOP" | "").then(|| b"-ERR no\r\n".to_vec())
        });
        c.let_go(served)?;
        return judge(c, then);
    }
    if point == Point::Quit || point == Point::AfterQuit {
        c.weighs(Level::Should);
        let more = until_quiet(c)?;
        let shown: Vec<_> = more.iter().map(Line::shown).collect();
        c.check(more.is_empty(), "nothing behind QUIT", shown.join(" "))?;
        return judge(c, then);
    }
    c.serve_or_hang_up()?;
    judge(c, then)
}

fn judge(c: &mut Play<'_>, then: Then) -> Judged {
    let ended = end(c);
    let right = match then {
        Then::Well => ended == Ended::Well,
        Then::Fails => matches!(ended, Ended::Failed(_)),
        Then::Ends => ended != Ended::Hung,
    };
    let wanted = match then {
        Then::Well => "a client that ends well",
        Then::Fails => "a client that reports a failure",
        Then::Ends => "a client that ends",
    };
    if then != Then::Well {
        hangs(c, &ended);
    }
    c.check(right, wanted, format!("{ended:?}"))?;
    if !c.ours() {
        return Ok(());
    }
    // What our own client has stored is what the server has, whatever went wrong.
    let stored = c.stored();
    let odd = stored.iter().find(|stored| Mail::find(stored).is_none());
    c.check(odd.is_none(), "messages of the maildrop", odd.map(|octets| escape(octets)).unwrap_or_default())
}

/// Numbers that are none, or too large, or written in a way that the grammar does not have.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "+1",
    "01",
    "4294967296",
    "4294967297",
    "18446744073709551616",
    "1e40",
    "1_0",
    "",
    "0x2",
    "2.0",
    "\u{664}",
];

/// What looks like the end of a response of CRLF lines.
const FALSE_ENDS: &[&str] =
    &["a\n.\nb\r\n", "a\r.\rb\r\n", ".\nb\r\n", ". \r\n", "..\r\n", "a\n.\r\n", ".\r\r\n", ".\0\r\n", "a\r\n..\nb\r\n"];
