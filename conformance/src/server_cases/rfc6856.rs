//! RFC 6856: UTF8 and LANG.

use super::houses;
use super::reading::{announced, code, find, list, shown};
use crate::case::{Judged, Reply, ServerCase, Start, Talk, fail, skip};
use crate::mailbox::Mail;
use crate::octets::escape;
use crate::peer::{Login, Upgrade};

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc6856/2/capability",
        "The capability is UTF8, with USER behind it at most, and the same in both states",
        &["RFC6856-2-001", "RFC6856-2-002"],
        |s| {
            let before = announced(s, "UTF8")?;
            let good = before.is_empty() || before.len() == 1 && before[0].eq_ignore_ascii_case("USER");
            s.check(good, "UTF8 or UTF8 USER", before.join(" "))?;
            s.login()?;
            let list = list(s)?;
            let after = find(&list, "UTF8").map(|words| words.join(" "));
            s.check(after == Some(before.join(" ")), format!("UTF8 {}", before.join(" ")), format!("{after:?}"))
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc6856/2/authorization-state",
        "UTF8 is for the AUTHORIZATION state alone",
        &["RFC6856-2-003"],
        |s| {
            utf8(s)?;
            s.login()?;
            s.err("UTF8")?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc6856/2/mail-as-it-is",
        "In UTF-8 mode a message with UTF-8 in its header comes as it is",
        &["RFC6856-2-004"],
        |s| {
            utf8(s)?;
            s.login()?;
            let number = s.number(Mail::EightBit)?;
            let message = s.multi(&format!("RETR {number}"))?.message();
            s.same(Mail::EightBit.octets(), message)
        },
    )
    .from(Start::Authorization)
    .with(&[Mail::EightBit])
    .needs(&["UTF8"]),
    ServerCase::must("rfc6856/2.1/no-argument", "UTF8 takes no argument", &["RFC6856-2.1-001"], |s| {
        s.err("UTF8 x")?;
        s.err("UTF8 USER")?;
        Ok(())
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc6856/2.1/ascii-unchanged",
        "UTF-8 mode does not change what a message in ASCII is",
        &["RFC6856-2.1-002"],
        |s| {
            let number = s.number(Mail::First)?;
            let plain = (s.ok(&format!("LIST {number}"))?.number(2), s.multi(&format!("RETR {number}"))?.message());
            s.quit()?;
            s.begin(Start::Authorization)?;
            utf8(s)?;
            s.login()?;
            let mode = (s.ok(&format!("LIST {number}"))?.number(2), s.multi(&format!("RETR {number}"))?.message());
            s.check(plain.0 == mode.0, format!("{:?} octets", plain.0), format!("{:?} octets", mode.0))?;
            s.same(plain.1, mode.1)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc6856/2.1/header-in-ascii",
        "Without UTF8 a message with UTF-8 in its header is refused, or comes with a header in ASCII",
        &["RFC6856-2.1-004", "RFC6856-2.1-005", "RFC6856-4-001", "RFC6856-4-002", "RFC6856-2.1-010"],
        in_ascii_mode,
    )
    .with(&[Mail::EightBit])
    .house(houses::utf8_mail_refused),
    ServerCase::quirk(
        "rfc6856/2.1/header-in-ascii-anywhere",
        "A server with UTF8 does not send UTF-8 headers to a client that has not asked for them",
        &["RFC6856-2.1-004", "RFC6856-2.1-005", "RFC6856-4-001", "RFC6856-4-002"],
        in_ascii_mode,
    )
    .with(&[Mail::EightBit]),
    ServerCase::must(
        "rfc6856/2.1/utf8-or-not",
        "UTF8 is answered +OK or -ERR, and the session goes on either way",
        &["RFC6856-2.1-006"],
        |s| {
            s.ask("UTF8")?;
            // Twice is not foreseen, and no end of the session.
            s.ask("UTF8")?;
            s.login()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::should(
        "rfc6856/2.1/size",
        "The size in LIST is that of what RETR sends, stuffing not counted",
        &["RFC6856-2.1-008", "RFC6856-2.1-009"],
        |s| {
            let mut sum = 0;
            for row in s.multi("LIST")?.rows {
                let row = Reply { first: row, ..Reply::default() };
                let (Some(number), Some(octets)) = (row.number(0), row.number(1)) else {
                    return fail("a number and a size", row.shown());
                };
                sum += octets;
                let reply = s.ask(&format!("RETR {number}"))?;
                if reply.is_err() {
                    continue;
                }
                let sent = s.data(reply)?.message().len() as u64;
                s.check(sent == octets, format!("{octets} octets of message {number}"), format!("{sent} octets"))?;
            }
            let stat = s.ok("STAT")?;
            if stat.number(2) != Some(sum) {
                s.note(format!("STAT says {}, and the scan listings add up to {sum}", stat.text()));
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc6856/2.1/stls-behind-utf8",
        "STLS behind UTF8 is refused, or begins TLS",
        &["RFC6856-2.1-012"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            utf8(s)?;
            let reply = s.ask("STLS")?;
            if reply.is_ok() && (s.strict() || s.upgrade() == Upgrade::Stls) {
                s.handshake()?;
            } else if reply.is_ok() {
                return Ok(());
            }
            s.multi("CAPA")?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc6856/2.2/utf8-in-names",
        "With UTF8 USER, a user name in UTF-8 is a name like any other",
        &["RFC6856-2.2-001"],
        |s| {
            user_in_utf8(s)?;
            utf8(s)?;
            let ascii = s.ask("USER pop3-conformance-jorg")?;
            s.begin(Start::Authorization)?;
            utf8(s)?;
            let reply = s.ask("USER j\u{f6}rg")?;
            s.check(reply.is_ok() || reply.is_err() && ascii.is_err(), "+OK", reply.shown())?;
            s.err("PASS gr\u{fc}n")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc6856/2.2/not-utf8", "A user name that is no UTF-8 is rejected", &["RFC6856-2.2-009"], |s| {
        user_in_utf8(s)?;
        utf8(s)?;
        let wrong: [&[u8]; 6] = [b"a\xC3\x28", b"\xED\xA0\x80", b"\xF5\x80\x80\x80", b"\xC0\xAF", b"\xFF", b"\xE2\x82"];
        for name in wrong {
            s.raw(&[b"USER ", name, b"\r\n"].concat())?;
            s.expect_err()?;
        }
        Ok(())
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc6856/2.2/password-not-utf8",
        "A password that is no UTF-8 is rejected",
        &["RFC6856-2.2-009"],
        |s| {
            user_in_utf8(s)?;
            let account = s.account();
            if account.login != Login::User {
                return skip("this user does not log in by USER");
            }
            utf8(s)?;
            s.ok(&format!("USER {}", account.user))?;
            s.raw(&[b"PASS ", account.password.as_bytes(), b"\xC0\xAF\r\n"].concat())?;
            s.expect_err()?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc6856/3.1/both-states",
        "LANG is announced and there in the AUTHORIZATION and in the TRANSACTION state",
        &["RFC6856-3.1-001", "RFC6856-3.2-007"],
        |s| {
            announced(s, "LANG")?;
            s.multi("LANG")?;
            s.login()?;
            let list = list(s)?;
            s.check(find(&list, "LANG").is_some(), "LANG in the list", list.join(", "))?;
            s.multi("LANG")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc6856/3.2/success",
        "LANG with a language of the listing is answered +OK, the tag, and a text in UTF-8",
        &["RFC6856-3.2-001", "RFC6856-3.2-002", "RFC6856-3.2-003"],
        |s| {
            for tag in languages(s)? {
                let reply = s.ok(&format!("LANG {tag}"))?;
                tag_and_text(s, &reply)?;
                for line in ["NOSUCH", "STAT", "RETR 0"] {
                    let reply = s.ask(line)?;
                    in_utf8(s, &reply.first)?;
                }
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc6856/3.2/unknown",
        "LANG with a language that the server does not have is refused, and the old one stays",
        &["RFC6856-3.2-004"],
        |s| {
            let Some(tag) = languages(s)?.into_iter().next() else { return skip("the listing is empty") };
            s.ok(&format!("LANG {tag}"))?;
            let before = s.err("RETR 4294967295")?;
            let reply = s.err("LANG x-nosuch")?;
            in_utf8(s, &reply.first)?;
            let after = s.err("RETR 4294967295")?;
            s.check(before.text() == after.text(), before.shown(), after.shown())
        },
    ),
    ServerCase::must(
        "rfc6856/3.2/preferred",
        "LANG * asks for the language that the server prefers",
        &["RFC6856-3.2-005", "RFC6856-3.2-006"],
        |s| {
            let before = s.ok("LANG *")?;
            tag_and_text(s, &before)?;
            s.login()?;
            let after = s.ok("LANG *")?;
            tag_and_text(s, &after)?;
            if before.word(1) != after.word(1) {
                s.note("the preferred language depends on the user");
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc6856/3.2/listing",
        "A line of the language listing is a tag, and a description in UTF-8 behind a space",
        &["RFC6856-3.2-007", "RFC6856-3.2-008"],
        |s| {
            for row in s.multi("LANG")?.rows {
                in_utf8(s, &row)?;
                let tag = row.split(|&octet| octet == b' ').next().unwrap_or_default();
                s.check(is_tag(tag), "a language tag", shown(&row))?;
                s.check(!row.ends_with(b" "), "a description, or no space", shown(&row))?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc6856/5/utf8-code",
        "The response code UTF8 comes with -ERR to LIST, TOP or RETR alone",
        &["RFC6856-5-001", "RFC6856-2.1-010"],
        |s| {
            let number = s.number(Mail::EightBit)?;
            for line in [format!("RETR {number}"), format!("TOP {number} 0"), format!("LIST {number}")] {
                let reply = s.ask(&line)?;
                s.check(reply.is_err() || code(&reply).as_deref() != Some("UTF8"), "UTF8 with -ERR", reply.shown())?;
                if reply.is_ok() && !line.starts_with("LIST") {
                    s.data(reply)?;
                }
            }
            for line in ["STAT", "NOOP", "DELE 0", "NOSUCH", "RSET", "QUIT"] {
                let reply = s.ask(line)?;
                s.check(code(&reply).as_deref() != Some("UTF8"), "no UTF8 code", reply.shown())?;
            }
            Ok(())
        },
    )
    .with(&[Mail::EightBit]),
    ServerCase::should(
        "rfc6856/7/no-names-told",
        "LANG * before the login does not tell which users there are",
        &["RFC6856-7-001"],
        |s| {
            let account = s.account();
            s.ask(&format!("USER {}", account.user))?;
            let known = s.ask("LANG *")?;
            s.begin(Start::Authorization)?;
            s.ask("USER pop3-conformance-nosuchuser")?;
            let unknown = s.ask("LANG *")?;
            s.check(known.word(1) == unknown.word(1), known.shown(), unknown.shown())
        },
    )
    .from(Start::Authorization),
];

/// UTF8, which may be refused.
fn utf8(s: &mut Talk<'_>) -> Judged {
    if s.ask("UTF8")?.is_err() { skip("the server refuses UTF8 here") } else { Ok(()) }
}

fn user_in_utf8(s: &mut Talk<'_>) -> Judged {
    let words = announced(s, "UTF8")?;
    let user = words.iter().any(|word| word.eq_ignore_ascii_case("USER"));
    if user { Ok(()) } else { skip("the server announces UTF8 without USER") }
}

/// The message with UTF-8 in its header, and nobody has said UTF8.
fn in_ascii_mode(s: &mut Talk<'_>) -> Judged {
    let number = s.number(Mail::EightBit)?;
    for line in [format!("RETR {number}"), format!("TOP {number} 0")] {
        let reply = s.ask(&line)?;
        if reply.is_err() {
            let fits = code(&reply).is_none_or(|code| code == "UTF8");
            s.check(fits, "-ERR, with [UTF8] or no code", reply.shown())?;
            continue;
        }
        for row in s.data(reply)?.rows {
            if row.is_empty() {
                break;
            }
            s.check(row.is_ascii(), "a header in ASCII", shown(&row))?;
        }
    }
    s.ok("STAT")?;
    Ok(())
}

/// The tags of the language listing.
fn languages(s: &mut Talk<'_>) -> Judged<Vec<String>> {
    let lines = s.multi("LANG")?.lines();
    Ok(lines.iter().filter_map(|line| line.split(' ').next()).map(str::to_owned).collect())
}

fn tag_and_text(s: &Talk<'_>, reply: &Reply) -> Judged {
    in_utf8(s, &reply.first)?;
    s.check(is_tag(reply.word(1)) && !reply.word(2).is_empty(), "+OK, a language tag, and a text", reply.shown())
}

fn is_tag(tag: &[u8]) -> bool {
    let part = |part: &[u8]| (1..=8).contains(&part.len()) && part.iter().all(u8::is_ascii_alphanumeric);
    tag.split(|&octet| octet == b'-').all(part)
}

fn in_utf8(s: &Talk<'_>, line: &[u8]) -> Judged {
    s.check(std::str::from_utf8(line).is_ok(), "UTF-8", escape(line))
}
