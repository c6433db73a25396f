//! RFC 2449 §3 and §4: grammar and lengths.

use super::reading::{code_is_well_formed, credentials, mechanism, plain, shown};
use crate::case::{Judged, ServerCase, Start, Talk, fail};
use crate::mailbox::Mail;
use crate::octets;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc2449/3/capability-line",
        "A line of the capability list is a tag and its parameters, with single spaces between them",
        &["RFC2449-3-003"],
        |s| {
            each_capability_line(s, |words| {
                words.iter().all(|word| !word.is_empty() && word.iter().all(u8::is_ascii_graphic))
            })?;
            s.login()?;
            each_capability_line(s, |words| {
                words.iter().all(|word| !word.is_empty() && word.iter().all(u8::is_ascii_graphic))
            })
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/3/capability-tag-dot",
        "A capability tag holds no dot, so that no line of the list begins with one",
        &["RFC2449-3-004"],
        |s| {
            each_capability_line(s, |words| !words[0].contains(&b'.'))?;
            s.login()?;
            each_capability_line(s, |words| !words[0].contains(&b'.'))
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/3/retr-dot-stuffed",
        "Every line of RETR's response that begins with a dot has one more in front",
        &["RFC2449-3-005"],
        |s| {
            let number = s.number(Mail::Dots)?;
            let reply = s.multi(&format!("RETR {number}"))?;
            let sent = &reply.raw[reply.first.len() + 2..];
            s.same([&octets::stuffed(&Mail::Dots.octets())[..], b".\r\n"].concat(), sent)
        },
    )
    .with(&[Mail::Dots]),
    ServerCase::must(
        "rfc2449/3/top-dot-stuffed",
        "Every line of TOP's response that begins with a dot has one more in front",
        &["RFC2449-3-005"],
        |s| {
            let number = s.number(Mail::Dots)?;
            let reply = s.multi(&format!("TOP {number} 99"))?;
            let sent = &reply.raw[reply.first.len() + 2..];
            s.same([&octets::stuffed(&Mail::Dots.octets())[..], b".\r\n"].concat(), sent)
        },
    )
    .with(&[Mail::Dots])
    .needs(&["TOP"]),
    ServerCase::must(
        "rfc2449/3/single-line",
        "A first line is +OK or -ERR, and a space before any text",
        &["RFC2449-3-006"],
        |s| {
            // The naive reader refuses +OKAY, +ok and the like for whatever it reads.
            for line in ["STAT", "NOOP", "LIST 0", "RETR 0", "DELE 0", "NOSUCH", "STAT x", "USER x", "RSET"] {
                let reply = s.ask(line)?;
                let plus = reply.is_ok() || reply.is_err();
                s.check(plus, "+OK or -ERR, alone or with a space behind it", reply.shown())?;
            }
            s.quit()?;
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc2449/3/response-code",
        "A response code stands in brackets, and its levels are parted by /",
        &["RFC2449-3-007"],
        |s| {
            let account = s.account();
            for line in ["NOSUCH", "STAT", "AUTH NOSUCHMECH", "RETR 1"] {
                code_is_well_formed(&s.ask(line)?)?;
                s.begin(Start::Authorization)?;
            }
            code_is_well_formed(&s.ask(&format!("USER {}", account.user))?)?;
            code_is_well_formed(&s.ask(&format!("PASS {}-wrong", account.password))?)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/3/timestamp-msg-id",
        "The timestamp in the greeting is a msg-id: <local-part@domain>",
        &["RFC2449-3-008"],
        |s| {
            let Some(timestamp) = s.timestamp() else { return fail("a timestamp in the greeting", "none") };
            let inner = &timestamp[1..timestamp.len() - 1];
            let part = |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_graphic());
            let is_id = match inner.rsplit_once('@') {
                Some((local, domain)) => {
                    let atoms =
                        local.split('.').all(|atom| part(atom) && !atom.contains(['<', '>', '@', '(', ')', ',']));
                    (atoms || local.starts_with('"'))
                        && part(domain)
                        && !domain.contains(['<', '>', '@', '(', ')', ','])
                }
                None => false,
            };
            s.check(is_id, "<local-part@domain>", timestamp)
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2449/3/greeting",
        "The greeting is +OK, a text, and one timestamp at most, in 512 octets",
        &["RFC2449-3-009", "RFC2449-4-004"],
        |s| {
            let greeting = s.line()?;
            s.check(greeting == b"+OK" || greeting.starts_with(b"+OK "), "+OK and a text", shown(&greeting))?;
            s.check(greeting.len() + 2 <= 512, "512 octets at most", format!("{} octets", greeting.len() + 2))?;
            let stamps = greeting.iter().filter(|&&octet| octet == b'<').count();
            s.check(stamps <= 1, "one < at most", shown(&greeting))
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc2449/4/command-of-255-octets",
        "A command of 255 octets, CRLF included, is a command like any other",
        &["RFC2449-4-001"],
        |s| {
            let reply = s.ask(&format!("USER {}", "a".repeat(248)))?;
            // Who knows the name is another matter; ours takes any.
            s.check(reply.is_ok() || !s.strict(), "+OK", reply.shown())?;
            s.multi("CAPA")?;
            // The last octet counts: this password is the wrong one by it.
            let account = s.account();
            let user = s.ask(&format!("USER {}", account.user))?;
            if user.is_ok() {
                s.err(&format!("PASS {}", "p".repeat(248)))?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["CAPA"]),
    ServerCase::must(
        "rfc2449/4/command-of-a-capability",
        "The longest line that AUTH may have is taken whole",
        &["RFC2449-4-002"],
        |s| {
            mechanism(s, "PLAIN")?;
            // 240 octets of base64, so that the line has 253 of the 255 octets.
            let response = plain("nosuchuser", &"p".repeat(168));
            let reply = s.err(&format!("AUTH PLAIN {response}"))?;
            if s.strict() {
                let judged = reply.first.starts_with(b"-ERR [AUTH]");
                s.check(judged, "-ERR [AUTH]: the credentials were looked at", reply.shown())?;
            }
            if s.is_closed() {
                s.begin(Start::Authorization)?;
            }
            // A user's name may be cut off, but not the right one's.
            let right = credentials(s, true);
            s.ok(&format!("AUTH PLAIN {right}"))?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["CAPA", "SASL"]),
    ServerCase::should(
        "rfc2449/4/command-too-long",
        "A command beyond the limit is answered -ERR once, and no part of it is a command",
        &["RFC2449-4-003"],
        |s| {
            let mut line = b"NOOP ".to_vec();
            line.extend_from_slice(&b"STAT ".repeat(2000));
            line.extend_from_slice(b"x\r\n");
            s.raw(&line)?;
            let reply = s.reply().or_else(|_| fail("-ERR", "the end of the connection, or no line"))?;
            s.check(reply.is_err(), "-ERR", reply.shown())?;
            if s.is_closed() {
                return Ok(());
            }
            let stat = s.ok("STAT")?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())?;
            s.quit()?;
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc2449/4/first-line-of-512-octets",
        "A first line has 512 octets at most, CRLF included, whatever the command was",
        &["RFC2449-4-004"],
        |s| {
            let long = "a".repeat(246);
            for line in
                [format!("USER {long}"), format!("X{long}"), format!("APOP {} {long}", "b".repeat(3)), "CAPA x".into()]
            {
                s.send(&line)?;
                let reply = s.reply()?;
                let octets = reply.raw.len();
                s.check(octets <= 512, "512 octets at most", format!("{octets} octets"))?;
                if reply.is_ok() && line.starts_with("CAPA") {
                    s.data(reply)?;
                }
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
];

/// Fails unless all lines of the capability list are like that; `words` is never empty.
fn each_capability_line(s: &mut Talk<'_>, good: fn(&[&[u8]]) -> bool) -> Judged {
    let reply = s.multi("CAPA")?;
    for row in &reply.rows {
        let words: Vec<_> = row.split(|&octet| octet == b' ').collect();
        s.check(good(&words), "tag *(SP param)", shown(row))?;
    }
    // A dot that was stuffed is a dot that must not be there.
    let dotted = reply.raw.windows(4).any(|window| window == b"\r\n..");
    s.check(!dotted, "no line that begins with a dot", "a stuffed line")
}
