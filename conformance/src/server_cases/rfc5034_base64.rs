//! RFC 5034 §4 and §5: base64 and the lengths of lines.

use super::houses;
use super::reading::{base64, challenge, credentials, mechanism, plain};
use crate::case::{Judged, ServerCase, Start, Talk};

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc5034/4/not-base64",
        "A response that is no base64 makes the server reject AUTH",
        &["RFC5034-4-019"],
        |s| {
            mechanism(s, "PLAIN")?;
            refused(s, b"!!!!")?;
            refused(s, b"%%%")?;
            // The session is where it was.
            s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/foreign-characters",
        "A character outside the base64 alphabet is refused, and not ignored",
        &["RFC5034-4-021", "RFC5034-4-019"],
        |s| {
            mechanism(s, "PLAIN")?;
            let right = credentials(s, true);
            let (head, tail) = right.split_at(4);
            // Who ignores them finds the right password.
            for foreign in ["-", "_", "!", " ", "\t", "\0", ".", "\u{7f}", "\u{e4}"] {
                refused_response(s, format!("{head}{foreign}{tail}").as_bytes())?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/foreign-characters-initial",
        "A character outside the base64 alphabet is refused in an initial response",
        &["RFC5034-4-021"],
        |s| {
            mechanism(s, "PLAIN")?;
            let right = credentials(s, true);
            let (head, tail) = right.split_at(4);
            for foreign in ["-", "_", "!", ".", "\t"] {
                refused_initial(s, format!("{head}{foreign}{tail}").as_bytes())?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/inner-pad",
        "A pad character anywhere but at the end is refused",
        &["RFC5034-4-022"],
        |s| {
            mechanism(s, "PLAIN")?;
            let account = s.account();
            // As two strings of base64 it would be the right password.
            let first = base64(b"\0");
            let second = base64(format!("{}\0{}", account.user, account.password).as_bytes());
            for response in
                [format!("{first}{second}"), "=AAA".into(), "AAA=BBB".into(), "AA=A".into(), "AAA=BBBB".into()]
            {
                refused(s, response.as_bytes())?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc5034/5/case-of-base64", "Base64 is taken with its case as it is", &["RFC5034-5-002"], |s| {
        mechanism(s, "PLAIN")?;
        let right = credentials(s, true);
        let swap = |letter: char| match letter {
            'a'..='z' => letter.to_ascii_uppercase(),
            'A'..='Z' => letter.to_ascii_lowercase(),
            other => other,
        };
        let swapped: String = right.chars().map(swap).collect();
        refused(s, swapped.as_bytes())
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/line-of-16-kilooctets",
        "A response as long as the mechanism's longest is taken whole",
        &["RFC5034-4-023"],
        |s| {
            mechanism(s, "XOAUTH2")?;
            challenge(s, "AUTH XOAUTH2")?;
            let message = format!("user={}\u{1}auth=Bearer {}\u{1}\u{1}", s.account().user, "t".repeat(12 * 1024));
            let reply = s.ask(&base64(message.as_bytes()))?;
            let judged = reply.first.starts_with(b"-ERR [AUTH]");
            s.check(judged, "-ERR [AUTH]: the token was looked at", reply.shown())?;
            s.quiet()?;
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::many_mechanisms),
    ServerCase::must(
        "rfc5034/4/limits-apart",
        "The length of a command line is no limit for a response, and holds again behind the exchange",
        &["RFC5034-4-024", "RFC5034-4-023"],
        |s| {
            mechanism(s, "PLAIN")?;
            challenge(s, "AUTH PLAIN")?;
            let reply = s.err(&plain("nosuchuser", &"p".repeat(6000)))?;
            let judged = reply.first.starts_with(b"-ERR [AUTH]");
            s.check(judged, "-ERR [AUTH]: the credentials were looked at", reply.shown())?;
            s.quiet()?;
            s.err(&format!("USER {}", "a".repeat(249)))?;
            s.ok(&format!("USER {}", "a".repeat(248)))?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::commands_of_255_octets),
    ServerCase::must(
        "rfc5034/4/challenge-split",
        "A response comes in as many packets as it likes, and is one line",
        &["RFC5034-4-023", "RFC5034-4-026"],
        |s| {
            mechanism(s, "PLAIN")?;
            s.octet_by_octet(b"AUTH PLAIN\r\n")?;
            let reply = s.reply()?;
            s.check(!reply.is_ok() && !reply.is_err(), "a challenge", reply.shown())?;
            let response = format!("{}\r\n", credentials(s, true));
            s.octet_by_octet(response.as_bytes())?;
            s.expect_ok()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc4616/2/line-octets",
        "CR, LF and NUL in a name or password of PLAIN put no line on the wire, and log nobody in",
        &["RFC4616-2-001"],
        |s| {
            mechanism(s, "PLAIN")?;
            let account = s.account();
            for name in
                [format!("{}\r\nSTAT", account.user), format!("{}\n", account.user), format!("{}\r", account.user)]
            {
                let reply = s.ask(&format!("AUTH PLAIN {}", plain(&name, &account.password)))?;
                s.check(reply.is_err(), "-ERR", reply.shown())?;
                if s.is_closed() {
                    s.begin(Start::Authorization)?;
                } else {
                    s.quiet()?;
                }
            }
            s.err("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
];

/// As an initial response and as a response, these octets must be refused.
fn refused(s: &mut Talk<'_>, octets: &[u8]) -> Judged {
    refused_initial(s, octets)?;
    refused_response(s, octets)
}

fn refused_initial(s: &mut Talk<'_>, octets: &[u8]) -> Judged {
    s.raw(&[b"AUTH PLAIN ", octets, b"\r\n"].concat())?;
    s.expect_err()?;
    again(s)
}

fn refused_response(s: &mut Talk<'_>, octets: &[u8]) -> Judged {
    challenge(s, "AUTH PLAIN")?;
    s.raw(&[octets, b"\r\n"].concat())?;
    s.expect_err()?;
    again(s)
}

/// Finds nobody logged in, and connects again: a server may close once it has refused a few commands.
fn again(s: &mut Talk<'_>) -> Judged {
    if !s.is_closed() {
        s.err("STAT")?;
    }
    s.begin(Start::Authorization)
}
