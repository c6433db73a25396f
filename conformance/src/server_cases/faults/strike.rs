//! What the client does at a point, and what is demanded of the server then.

use super::super::groups::{gone, in_step};
use super::super::reading::{challenge, credentials, mechanism, shown};
use super::super::rfc2595::{before_tls, can_shake_hands, never_executed};
use super::super::steps::keywords;
use super::cells::Fault;
use crate::case::{Judged, Start, Stop, Talk, fail, skip};
use crate::fault_matrix::Point;
use crate::mailbox::Mail;
use crate::peer::{Login, Upgrade};
use std::time::Duration;

/// One cell of the matrix.
pub(super) fn strike(s: &mut Talk<'_>, point: Point, fault: Fault) -> Judged {
    match fault {
        Fault::Octets => {
            let line = lead(s, point)?;
            s.octet_by_octet(&ended(&line))?;
            answered(s, point)
        }
        Fault::OneWrite => one_write(s, point),
        Fault::Cut => unharmed(s, |s| {
            let length = line_of_a_fresh_session(s, point)?.len() + 2;
            // Each cut is a session of its own; of a server that is far away not all are tried.
            let step = if s.strict() { 1 } else { (length / 4).max(1) };
            for at in (0..length).step_by(step) {
                let line = lead(s, point)?;
                if point == Point::Quit && s.strict() {
                    // Had the half of a QUIT counted, this would be gone.
                    let number = s.number(Mail::First)?;
                    s.ok(&format!("DELE {number}"))?;
                }
                s.raw(&ended(&line)[..at])?;
                gone(s);
            }
            Ok(())
        }),
        Fault::Lost => unharmed(s, |s| {
            let line = lead(s, point)?;
            s.send(&line)?;
            gone(s);
            Ok(())
        }),
        Fault::GarbageBefore if point == Point::AfterQuit => nothing_behind_quit(s, &GARBAGE),
        Fault::Twice if point == Point::AfterQuit => nothing_behind_quit(s, &[b"QUIT\r\n"]),
        Fault::WrongState if point == Point::AfterQuit => nothing_behind_quit(s, &[b"STAT\r\n", b"USER x\r\n"]),
        Fault::GarbageBefore => GARBAGE.iter().try_for_each(|garbage| refused_before(s, point, garbage)),
        Fault::EmptyLine => refused_before(s, point, b"\r\n"),
        Fault::GarbageWithin => {
            for octet in *b"\0\xFF\x1B\r\t" {
                let mut octets = ended(&line_of_a_fresh_session(s, point)?);
                octets.insert(2, octet);
                refused_before(s, point, &octets)?;
            }
            Ok(())
        }
        Fault::Misspelt => {
            let line = line_of_a_fresh_session(s, point)?;
            let (verb, rest) = line.split_at(line.find(' ').unwrap_or(line.len()));
            let lines = [
                format!("{verb}X{rest}"),
                format!("{}{rest}", &verb[1..]),
                format!(" {line}"),
                format!("{verb}\t{rest}"),
            ];
            lines.iter().try_for_each(|line| refused_before(s, point, &ended(line)))
        }
        Fault::Arguments => arguments(s, point).iter().try_for_each(|line| refused_before(s, point, &ended(line))),
        Fault::Twice => twice(s, point),
        Fault::WrongState => wrong_state(s, point),
        Fault::Missing => unharmed(s, |s| {
            lead(s, point)?;
            if point == Point::Greeting {
                s.greeting()?;
            }
            s.elapse(Duration::from_secs(24 * 3600))?;
            s.closed()
        }),
        Fault::Limits => limits(s, point),
        Fault::EndlessLine => unharmed(s, |s| endless(s, point)),
        Fault::Numbers => numbers(s, point),
        Fault::LineFeeds => {
            let line = lead(s, point)?;
            s.raw(format!("{line}\n").as_bytes())?;
            match s.leftover() {
                None => Ok(()),
                Some(said) => fail("nothing before CRLF", shown(&said)),
            }
        }
        Fault::Cleartext => {
            ["STLS\r\nSTAT\r\n", "STLS\r\nNO", "STLS\r\n\n", "STLS\r\nCAPA\r\nQUIT\r\n"].iter().try_for_each(|octets| {
                s.begin(Start::Greeted)?;
                never_executed(s, octets.as_bytes())
            })
        }
        Fault::LoginRefused => login_refused(s, point),
    }
}

/// Honest up to this point; gives the line that is due.
fn lead(s: &mut Talk<'_>, point: Point) -> Judged<String> {
    // The session before this one may hold the maildrop.
    gone(s);
    let account = s.account();
    let number = |s: &Talk<'_>| s.number(Mail::First);
    Ok(match point {
        Point::Greeting => {
            s.begin(Start::Connected)?;
            "QUIT".to_owned()
        }
        Point::Capa => {
            s.begin(Start::Authorization)?;
            "CAPA".to_owned()
        }
        Point::Stls => {
            before_tls(s)?;
            can_shake_hands(s)?;
            s.begin(Start::Greeted)?;
            "STLS".to_owned()
        }
        Point::User => {
            user_logs_in(s)?;
            s.begin(Start::Authorization)?;
            format!("USER {}", account.user)
        }
        Point::Pass => {
            user_logs_in(s)?;
            s.begin(Start::Authorization)?;
            s.ok(&format!("USER {}", account.user))?;
            format!("PASS {}", account.password)
        }
        Point::Apop => {
            if s.upgrade() == Upgrade::Stls {
                return skip("the timestamp is forgotten behind STLS");
            }
            s.begin(Start::Authorization)?;
            match s.digest(&account.password) {
                Some(digest) if s.strict() => format!("APOP {} {digest}", account.user),
                // A timestamp alone does not say that this user has a secret for APOP.
                _ => return skip("whether this user logs in by APOP is not known"),
            }
        }
        Point::Auth => {
            s.begin(Start::Authorization)?;
            mechanism(s, "PLAIN")?;
            challenge(s, "AUTH PLAIN")?;
            credentials(s, true)
        }
        Point::AfterQuit => {
            s.begin(Start::Transaction)?;
            s.ok("QUIT")?;
            String::new()
        }
        _ => {
            s.begin(Start::Transaction)?;
            match point {
                Point::Stat => "STAT".to_owned(),
                Point::Uidl => "UIDL".to_owned(),
                Point::List => "LIST".to_owned(),
                Point::Retr => format!("RETR {}", number(s)?),
                Point::Top => format!("TOP {} 1", number(s)?),
                Point::Dele => format!("DELE {}", number(s)?),
                _ => "QUIT".to_owned(),
            }
        }
    })
}

fn user_logs_in(s: &Talk<'_>) -> Judged {
    if s.account().login == Login::User { Ok(()) } else { skip("this user does not log in by USER") }
}

/// The line that is due at a point; the session that it was led in is left.
fn line_of_a_fresh_session(s: &mut Talk<'_>, point: Point) -> Judged<String> {
    let line = lead(s, point)?;
    gone(s);
    Ok(line)
}

fn ended(line: &str) -> Vec<u8> {
    format!("{line}\r\n").into_bytes()
}

/// The honest answer to the line of this point comes, and the session goes on.
fn answered(s: &mut Talk<'_>, point: Point) -> Judged {
    answer(s, point)?;
    match point {
        Point::Greeting | Point::Quit | Point::AfterQuit => s.closed(),
        Point::Capa => {
            s.login()?;
            still_in_step(s)
        }
        Point::Stls => {
            s.handshake()?;
            s.login()?;
            still_in_step(s)
        }
        Point::User => {
            let password = s.account().password;
            s.ok(&format!("PASS {password}"))?;
            still_in_step(s)
        }
        Point::Dele => {
            still_in_step(s)?;
            s.ok("RSET").map(drop)
        }
        _ => still_in_step(s),
    }
}

/// The answers are where they belong. Whatever a live server says too much, the next answer shows; nobody waits for it.
fn still_in_step(s: &mut Talk<'_>) -> Judged {
    if s.strict() {
        return in_step(s);
    }
    let stat = s.ok("STAT")?;
    s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())
}

/// The honest answer to the line of this point, as it came.
fn answer(s: &mut Talk<'_>, point: Point) -> Judged<Vec<u8>> {
    Ok(match point {
        Point::Greeting => {
            s.greeting()?;
            s.expect_ok()?.raw
        }
        Point::Capa | Point::Uidl | Point::List | Point::Retr | Point::Top => s.expect_multi()?.raw,
        _ => s.expect_ok()?.raw,
    })
}

fn one_write(s: &mut Talk<'_>, point: Point) -> Judged {
    s.begin(Start::Transaction)?;
    if !keywords(s)?.iter().any(|keyword| keyword == "PIPELINING") {
        return skip("the server does not announce PIPELINING");
    }
    gone(s);
    let account = s.account();
    let line = lead(s, point)?;
    let more = match point {
        Point::Greeting => {
            return s.raw(b"NOSUCH\r\nQUIT\r\n").and_then(|()| {
                s.greeting()?;
                s.expect_err()?;
                s.expect_ok()?;
                s.closed()
            });
        }
        Point::Quit => "STAT\r\n".to_owned(),
        Point::User => format!("PASS {}\r\nSTAT\r\nQUIT\r\n", account.password),
        Point::Capa => "QUIT\r\n".to_owned(),
        Point::Dele => "RSET\r\nQUIT\r\n".to_owned(),
        _ => "STAT\r\nQUIT\r\n".to_owned(),
    };
    s.raw(format!("{line}\r\n{more}").as_bytes())?;
    answer(s, point)?;
    if point != Point::Quit {
        more.lines().try_for_each(|_| s.expect_ok().map(drop))?;
    }
    s.closed()
}

/// Something that changes nothing: a fresh session finds the maildrop as it was.
fn unharmed<'p>(s: &mut Talk<'p>, what: impl FnOnce(&mut Talk<'p>) -> Judged) -> Judged {
    s.begin(Start::Transaction)?;
    let before = s.ok("STAT")?.first;
    s.quit()?;
    what(s)?;
    gone(s);
    s.begin(Start::Transaction)?;
    let after = s.ok("STAT")?.first;
    s.same(before, after)
}

/// A line that is refused at this point, with one `-ERR`; then the right line does what it always does. A server that
/// is not ours may be lenient, and may close.
fn refused_before(s: &mut Talk<'_>, point: Point, octets: &[u8]) -> Judged {
    let line = lead(s, point)?;
    let judged = refused(s, point, octets, &line);
    // No RFC foresees it, and many servers close the connection behind garbage.
    if matches!(judged, Err(Stop::Fail { .. })) && !s.strict() && s.is_closed() {
        s.note(format!("the server closes the connection behind {}", shown(octets)));
        return Ok(());
    }
    judged
}

fn refused(s: &mut Talk<'_>, point: Point, octets: &[u8], line: &str) -> Judged {
    s.raw(octets)?;
    if point == Point::Greeting {
        s.greeting()?;
    }
    let reply = s.reply()?;
    if !reply.is_err() {
        s.check(!s.strict(), "-ERR", reply.shown())?;
        s.note(format!("lenient: {} is answered {}", shown(octets), reply.shown()));
        return Ok(());
    }
    // One answer: the next one that comes is that to the next line.
    match point {
        // "Immediately after" a USER: what comes between may end that. An exchange is over.
        Point::Pass => {
            let reply = s.ask(line)?;
            s.check(reply.is_err() || !s.strict(), "-ERR: PASS does not follow USER", reply.shown())?;
            if reply.is_ok() { still_in_step(s) } else { s.err("STAT").map(drop) }
        }
        Point::Auth => {
            s.err("STAT")?;
            s.login()?;
            still_in_step(s)
        }
        Point::Greeting => s.quit().map(drop),
        _ => {
            s.send(line)?;
            answered(s, point)
        }
    }
}

fn nothing_behind_quit(s: &mut Talk<'_>, all: &[&[u8]]) -> Judged {
    for octets in all {
        lead(s, Point::AfterQuit)?;
        // Whether it can be sent at all is the network's business.
        if s.raw(octets).is_ok() {
            s.closed()?;
        }
    }
    Ok(())
}

fn twice(s: &mut Talk<'_>, point: Point) -> Judged {
    let line = lead(s, point)?;
    s.send(&line)?;
    let first = answer(s, point)?;
    match point {
        Point::Stls => {
            s.handshake()?;
            s.err("STLS")?;
            s.login()?;
        }
        Point::User => {
            // The second one may take the first one's place, or be refused.
            let reply = s.ask(&line)?;
            s.check(reply.is_ok() || reply.is_err(), "one answer", reply.shown())?;
            s.quiet()?;
            return s.ask("QUIT").map(drop);
        }
        Point::Pass | Point::Apop => drop(s.err(&line)?),
        Point::Auth => drop(s.err("AUTH PLAIN")?),
        Point::Dele => {
            let marked = s.ok("STAT")?.first;
            s.err(&line)?;
            let after = s.ok("STAT")?.first;
            s.same(marked, after)?;
            s.ok("RSET")?;
        }
        _ => {
            s.send(&line)?;
            let second = answer(s, point)?;
            // What a capability list says may change from one moment to the next.
            if point == Point::Capa {
                return s.login();
            }
            s.same(first, second)?;
        }
    }
    still_in_step(s)
}

fn wrong_state(s: &mut Talk<'_>, point: Point) -> Judged {
    match point {
        Point::Greeting => {
            s.begin(Start::Connected)?;
            s.send("STAT")?;
            s.greeting()?;
            s.expect_err()?;
            s.quit().map(drop)
        }
        Point::Stls | Point::User | Point::Pass | Point::Apop | Point::Auth => {
            let line = if point == Point::Auth { "AUTH PLAIN".to_owned() } else { line_of_a_fresh_session(s, point)? };
            gone(s);
            s.begin(Start::Transaction)?;
            s.err(&line)?;
            still_in_step(s)
        }
        _ => {
            let line = line_of_a_fresh_session(s, point)?;
            s.begin(Start::Authorization)?;
            s.err(&line)?;
            if !s.strict() && s.is_closed() {
                return Ok(());
            }
            s.login()?;
            still_in_step(s)
        }
    }
}

fn limits(s: &mut Talk<'_>, point: Point) -> Judged {
    // 255 octets with CRLF are a command; 512 is where many a buffer ends. A login that fails may take seconds.
    let slow = matches!(point, Point::Pass | Point::Apop);
    let sizes: &[usize] = if slow && !s.strict() {
        &[255, 256, 8193]
    } else {
        &[254, 255, 256, 511, 512, 513, 1024, 1025, 2550, 8192, 8193]
    };
    for &octets in sizes {
        let line = lead(s, point)?;
        let rest = octets.saturating_sub(line.len() + 3);
        s.send(&format!("{line} {}", "a".repeat(rest)))?;
        if point == Point::Greeting {
            s.greeting()?;
        }
        let reply = match s.reply() {
            Err(_) if !s.strict() && octets > 255 && s.is_closed() => continue,
            reply => reply?,
        };
        s.check(reply.is_ok() || reply.is_err(), "one answer", reply.shown())?;
        if reply.raw.len() > 512 {
            s.check(!s.strict(), "512 octets at most", format!("{} octets", reply.raw.len()))?;
            s.note(format!("an answer of {} octets to a command of {octets}", reply.raw.len()));
        }
        // USER takes any name that fits.
        let taken = reply.is_ok() && point != Point::User;
        s.check(!taken || !s.strict(), "-ERR", reply.shown())?;
        if taken {
            s.note(format!("lenient: {line} and an argument of {rest} octets is answered +OK"));
        } else if s.strict() {
            s.quit()?;
        }
    }
    Ok(())
}

fn endless(s: &mut Talk<'_>, point: Point) -> Judged {
    let line = lead(s, point)?;
    if point == Point::Greeting {
        s.greeting()?;
    }
    // Closing is an answer too.
    let piece = vec![b'a'; 16 * 1024];
    let mut open = s.raw(line.as_bytes()).is_ok();
    for _ in 0..12 {
        open = open && s.raw(&piece).is_ok();
    }
    if !open || s.raw(b"\r\n").is_err() {
        return Ok(());
    }
    let mut refused = 0;
    while let Some(said) = s.leftover() {
        let text = String::from_utf8_lossy(&said).into_owned();
        s.check(!text.contains("+OK"), "-ERR", shown(&said))?;
        refused += text.matches("-ERR").count();
    }
    s.check(refused == 1 || !s.strict(), "-ERR once, or the end", format!("-ERR {refused} times"))
}

fn numbers(s: &mut Talk<'_>, point: Point) -> Judged {
    let line = |number: &str| match point {
        Point::Uidl => format!("UIDL {number}"),
        Point::List => format!("LIST {number}"),
        Point::Retr => format!("RETR {number}"),
        Point::Top => format!("TOP {number} 0"),
        _ => format!("DELE {number}"),
    };
    for number in REFUSED {
        gone(s);
        s.begin(Start::Transaction)?;
        let before = s.ok("STAT")?.first;
        s.err(&line(number))?;
        let after = s.ok("STAT")?.first;
        s.same(before, after)?;
    }
    for number in LOOSE {
        s.begin(Start::Transaction)?;
        let reply = s.ask(&line(number))?;
        if reply.is_err() {
            still_in_step(s)?;
        } else {
            s.check(!s.strict(), "-ERR", reply.shown())?;
            s.note(format!("lenient: {} is answered +OK", line(number)));
        }
        // Where the message is marked now, nothing is removed: there is no QUIT.
    }
    Ok(())
}

fn login_refused(s: &mut Talk<'_>, point: Point) -> Judged {
    // A wrong password may take a live server seconds.
    for _ in 0..if s.strict() { 4 } else { 2 } {
        let line = lead(s, point)?;
        let wrong = match point {
            Point::Auth => credentials(s, false),
            Point::Apop => format!("APOP {} {}", s.account().user, "0".repeat(32)),
            _ => format!("{line}-wrong"),
        };
        s.err(&wrong)?;
        if !s.strict() && s.is_closed() {
            continue;
        }
        s.err("STAT")?;
        s.login()?;
        still_in_step(s)?;
    }
    Ok(())
}

/// Lines with an argument too few or too many.
fn arguments(s: &Talk<'_>, point: Point) -> Vec<String> {
    let user = s.account().user;
    let lines: &[&str] = match point {
        Point::Capa => &["CAPA x", "CAPA "],
        Point::Stls => &["STLS x", "STLS "],
        Point::User => &["USER", "USER "],
        Point::Pass => &["PASS"],
        Point::Apop => &["APOP", "APOP x", "APOP x y z"],
        Point::Stat => &["STAT 1", "STAT "],
        Point::Uidl => &["UIDL 1 1", "UIDL "],
        Point::List => &["LIST 1 1", "LIST "],
        Point::Retr => &["RETR", "RETR ", "RETR 1 1"],
        Point::Top => &["TOP", "TOP 1", "TOP 1 ", "TOP 1 1 1"],
        Point::Dele => &["DELE", "DELE ", "DELE 1 1"],
        _ => &["QUIT now", "QUIT "],
    };
    lines.iter().map(|line| line.replace('x', &user)).collect()
}

/// Lines that are no commands.
const GARBAGE: [&[u8]; 6] = [
    b"\xff\xfe\xfd\r\n",
    b"\x16\x03\x01\x02\x00\r\n",
    b"GET / HTTP/1.1\r\n",
    b".\r\n",
    b"+OK\r\n",
    b"A1 LOGIN a b\r\n",
];

/// Numbers that no maildrop has a message of. Each is refused by every server that does not wrap.
const REFUSED: [&str; 12] = [
    "0",
    "-1",
    "4294967295",
    "4294967296",
    "4294967297",
    "18446744073709551615",
    "18446744073709551616",
    "18446744073709551617",
    "1e40",
    "99999999999999999999999999999999999999",
    "x",
    "\u{661}",
];

/// Numbers with something before or behind them that the grammar does not allow.
const LOOSE: [&str; 12] = ["", "+1", "1x", "1.0", "1_0", "0x1", "1,2", "1-2", " 1", "1 ", "1 2", "'1'"];
