//! RFC 5034 §3 and §4: SASL, and how AUTH begins and ends.

use super::houses;
use super::reading::{announced, challenge, credentials, decoded, find, list, mechanism, plain, shown, still_open};
use crate::case::{Judged, Reply, ServerCase, Start, Talk, skip};
use crate::peer::Upgrade;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc5034/3/mechanisms",
        "SASL is followed by the names of the mechanisms, a space between them",
        &["RFC5034-3-001", "RFC4422-3.1-001"],
        |s| {
            let names = announced(s, "SASL")?;
            let good = |name: &String| {
                let octet = |octet: u8| octet.is_ascii_uppercase() || octet.is_ascii_digit() || b"-_".contains(&octet);
                (1..=20).contains(&name.len()) && name.bytes().all(octet)
            };
            s.check(!names.is_empty() && names.iter().all(good), "1 to 20 of A-Z 0-9 - _", names.join(" "))
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/3/after-success",
        "SASL stays announced once AUTH has succeeded",
        &["RFC5034-3-005"],
        |s| {
            log_in(s)?;
            let list = list(s)?;
            s.check(find(&list, "SASL").is_some(), "SASL in the list", list.join(", "))
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/3/mechanisms-behind-stls",
        "The mechanisms behind STLS are those that are announced there",
        &["RFC5034-3-004"],
        |s| {
            if s.upgrade() != Upgrade::Stls {
                return skip("no STLS in this run");
            }
            let before = find(&list(s)?, "SASL").map(|names| names.join(" "));
            s.stls()?;
            let names = announced(s, "SASL")?;
            if before.is_some_and(|before| before != names.join(" ")) {
                s.note("the mechanisms differ before and after STLS");
            }
            mechanism(s, "PLAIN")?;
            s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc5034/4/auth-again",
        "Once AUTH has succeeded, a further AUTH is refused",
        &["RFC5034-4-002"],
        |s| {
            log_in(s)?;
            s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            s.err("AUTH PLAIN")?;
            s.ok("STAT")?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/authorization-state",
        "AUTH is for the AUTHORIZATION state alone",
        &["RFC5034-4-004"],
        |s| {
            s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            s.err("AUTH PLAIN")?;
            s.ok("STAT")?;
            s.quit()?;
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc5034/4/unknown-mechanism",
        "A mechanism that the server does not have is refused",
        &["RFC5034-4-005"],
        |s| {
            s.err("AUTH NOSUCHMECH")?;
            s.err("AUTH NOSUCHMECH AAAA")?;
            s.err("AUTH PLAINX")?;
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc4422/3.1/mechanism-name",
        "A mechanism's name has 20 characters at most, of A-Z 0-9 - and _",
        &["RFC4422-3.1-001"],
        |s| {
            for line in ["AUTH ABCDEFGHIJKLMNOPQRSTU", "AUTH PLAIN.", "AUTH PL+AIN", "AUTH PLAIN\u{7f}"] {
                s.err(line)?;
            }
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::quirk("rfc5034/4/no-mechanism", "AUTH needs the name of a mechanism", &["RFC5034-4-005"], |s| {
        let reply = s.ask("AUTH")?;
        if reply.is_ok() {
            s.data(reply.clone())?;
        }
        s.check(reply.is_err(), "-ERR", "a list of mechanisms, as an expired draft had it")
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/challenge",
        "A challenge is +, one space, base64, and CRLF, and nothing else",
        &["RFC5034-4-006", "RFC5034-4-007"],
        |s| {
            let mut asked = 0;
            for name in announced(s, "SASL")? {
                if !["PLAIN", "LOGIN", "CRAM-MD5", "DIGEST-MD5"].contains(&name.to_ascii_uppercase().as_str()) {
                    continue;
                }
                let reply = challenge(s, &format!("AUTH {name}"))?;
                is_challenge(s, &reply)?;
                s.err("*")?;
                asked += 1;
                if s.is_closed() {
                    s.begin(Start::Authorization)?;
                }
            }
            if asked == 0 { skip("none of the mechanisms is known here") } else { Ok(()) }
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/challenge-of-login",
        "A challenge that says something is base64 too",
        &["RFC5034-4-006", "RFC5034-4-007"],
        |s| {
            mechanism(s, "LOGIN")?;
            let first = challenge(s, "AUTH LOGIN")?;
            is_challenge(s, &first)?;
            s.check(first.first.len() > 2, "base64", first.shown())?;
            let account = s.account();
            let second = challenge(s, &super::reading::base64(account.user.as_bytes()))?;
            is_challenge(s, &second)?;
            s.ok(&super::reading::base64(account.password.as_bytes()))?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::many_mechanisms),
    ServerCase::must(
        "rfc5034/4/cancel",
        "A line of * makes the server reject AUTH, and the session goes on",
        &["RFC5034-4-010"],
        |s| {
            mechanism(s, "PLAIN")?;
            challenge(s, "AUTH PLAIN")?;
            s.err("*")?;
            still_open(s)?;
            s.multi("CAPA")?;
            s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/empty-challenge",
        "Without an initial response, a mechanism where the client begins gets an empty challenge",
        &["RFC5034-4-011", "RFC5034-4-013"],
        |s| {
            mechanism(s, "PLAIN")?;
            let reply = challenge(s, "AUTH PLAIN")?;
            let empty = reply.first == b"+ " || reply.first == b"+";
            s.check(empty, "+ and a space", reply.shown())?;
            s.ok(&credentials(s, true))?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/empty-challenge-space",
        "The empty challenge is +, one space, and CRLF",
        &["RFC5034-4-012"],
        |s| {
            mechanism(s, "PLAIN")?;
            let reply = challenge(s, "AUTH PLAIN")?;
            s.same(b"+ \r\n", &reply.raw)?;
            s.quiet()
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/empty-initial-response",
        "An initial response of = is one that is there and is empty",
        &["RFC5034-4-017"],
        |s| {
            mechanism(s, "PLAIN")?;
            // PLAIN's message is never empty.
            s.err("AUTH PLAIN =")?;
            still_open(s)?;
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/empty-initial-response-external",
        "An initial response of = is judged at once",
        &["RFC5034-4-017"],
        |s| {
            mechanism(s, "EXTERNAL")?;
            let reply = s.ask("AUTH EXTERNAL =")?;
            s.check(reply.is_ok() || reply.is_err(), "+OK or -ERR", reply.shown())?;
            let reply = challenge(s, "AUTH EXTERNAL")?;
            s.same(b"+ ", &reply.first)?;
            s.ask("")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::many_mechanisms),
    ServerCase::must(
        "rfc5034/4/server-first",
        "An initial response is refused where the server begins",
        &["RFC5034-4-018"],
        |s| {
            mechanism(s, "CRAM-MD5")?;
            s.err("AUTH CRAM-MD5 AAAA")?;
            still_open(s)?;
            // It is there all the same.
            challenge(s, "AUTH CRAM-MD5")?;
            s.err("*")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2195/2/challenge",
        "The challenge of CRAM-MD5 is a msg-id",
        &["RFC2195-2-001", "RFC5034-4-006"],
        |s| {
            mechanism(s, "CRAM-MD5")?;
            let reply = challenge(s, "AUTH CRAM-MD5")?;
            is_challenge(s, &reply)?;
            let text = String::from_utf8_lossy(&decoded(&reply)?).into_owned();
            let id = text.starts_with('<') && text.ends_with('>') && text.matches('@').count() == 1;
            s.check(id, "<local-part@domain>", shown(text.as_bytes()))?;
            s.err("*")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc5034/4/failed", "AUTH with a wrong password is rejected", &["RFC5034-4-025"], |s| {
        mechanism(s, "PLAIN")?;
        s.err(&format!("AUTH PLAIN {}", credentials(s, false)))?;
        if s.is_closed() {
            return Ok(());
        }
        s.err("STAT")?;
        challenge(s, "AUTH PLAIN")?;
        s.err(&credentials(s, false))?;
        Ok(())
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/succeeded",
        "AUTH that succeeds is answered +OK, and the session is in the TRANSACTION state",
        &["RFC5034-4-026", "RFC5034-6-001"],
        |s| {
            log_in(s)?;
            s.ok("STAT")?;
            s.multi("LIST")?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/6/plain-empty-challenge",
        "The exchange with an empty challenge runs as in the example",
        &["RFC5034-6-001", "RFC5034-4-026"],
        |s| {
            mechanism(s, "PLAIN")?;
            s.raw(b"AUTH PLAIN\r\n")?;
            let empty = s.line()?;
            s.check(empty.first() == Some(&b'+') && empty.len() <= 2, "+ and a space", shown(&empty))?;
            s.ok(&credentials(s, true))?;
            s.ok("STAT")?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/nothing-with-success",
        "The reply that tells of success is one line of +OK, and no data of the mechanism comes with it",
        &["RFC5034-4-034"],
        |s| {
            log_in(s)?;
            s.quiet()?;
            let stat = s.ok("STAT")?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/no-layer",
        "Without a security layer the octets behind the success reply are plain commands, even in the same packet",
        &["RFC5034-4-030"],
        |s| {
            mechanism(s, "PLAIN")?;
            challenge(s, "AUTH PLAIN")?;
            let response = credentials(s, true);
            s.raw(format!("{response}\r\nSTAT\r\nNOOP\r\n").as_bytes())?;
            s.expect_ok()?;
            let stat = s.expect_ok()?;
            s.check(stat.number(2).is_some(), "the answer to STAT", stat.shown())?;
            s.expect_ok()?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL", "PIPELINING"]),
    ServerCase::must(
        "rfc5034/4/as-if-not-issued",
        "An AUTH that was rejected leaves the session as it was",
        &["RFC5034-4-038"],
        |s| {
            mechanism(s, "PLAIN")?;
            s.err(&format!("AUTH PLAIN {}", credentials(s, false)))?;
            still_open(s)?;
            s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            s.ok("STAT")?;
            s.quit()?;
            s.begin(Start::Authorization)?;
            s.err("AUTH NOSUCHMECH")?;
            s.login()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/other-login-behind-it",
        "USER and PASS log in behind an AUTH that was rejected",
        &["RFC5034-4-038"],
        |s| {
            mechanism(s, "PLAIN")?;
            s.err(&format!("AUTH PLAIN {}", credentials(s, false)))?;
            still_open(s)?;
            s.login()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc5034/4/plain-over-tls", "PLAIN over TLS is there", &["RFC5034-4-039"], |s| {
        if s.upgrade() == Upgrade::None {
            return skip("there is no TLS in this run");
        }
        let names = announced(s, "SASL")?;
        s.check(names.iter().any(|name| name.eq_ignore_ascii_case("PLAIN")), "PLAIN", names.join(" "))?;
        s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
        s.ok("STAT")?;
        Ok(())
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/4/no-plaintext-password",
        "The server can be set up to neither announce nor permit a plaintext password without TLS",
        &["RFC5034-4-040"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let before = list(s)?;
            let names = find(&before, "SASL").unwrap_or_default();
            let open = names.iter().any(|name| ["PLAIN", "LOGIN"].contains(name)) || find(&before, "USER").is_some();
            s.check(!open, "no PLAIN, no LOGIN, no USER before TLS", before.join(", "))?;
            s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            s.err("AUTH PLAIN")?;
            s.err("STAT")?;
            s.stls()?;
            mechanism(s, "PLAIN")?;
            s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::no_cleartext_login),
    ServerCase::must(
        "rfc5034/5/any-case",
        "AUTH and the mechanism's name are taken in any case",
        &["RFC5034-5-001"],
        |s| {
            mechanism(s, "PLAIN")?;
            for line in ["auth plain", "Auth Plain", "aUTH pLAIN"] {
                challenge(s, line)?;
                s.err("*")?;
                if s.is_closed() {
                    s.begin(Start::Authorization)?;
                }
            }
            s.ok(&format!("auth plain {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc5034/5/continue-request",
        "A line that begins with + is an answer to AUTH alone",
        &["RFC5034-5-003"],
        |s| {
            let account = s.account();
            let user = format!("USER {}", account.user);
            for line in ["NOSUCH", "STAT", &user, "AUTH NOSUCHMECH", "APOP", "PASS", "NOOP", "LIST 0", "QUIT"] {
                let reply = s.ask(line)?;
                s.check(reply.is_ok() || reply.is_err(), "+OK or -ERR", reply.shown())?;
            }
            s.closed()
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc4616/2/no-nul-in-a-field",
        "A PLAIN message of four fields is refused",
        &["RFC4616-2-001"],
        |s| {
            mechanism(s, "PLAIN")?;
            let account = s.account();
            let message = format!("\0{}\0{}\0x", account.user, account.password);
            s.err(&format!("AUTH PLAIN {}", super::reading::base64(message.as_bytes())))?;
            still_open(s)?;
            s.err("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    ServerCase::must(
        "rfc4616/2/fields-of-255-octets",
        "Each field of a PLAIN message may have 255 octets",
        &["RFC4616-2-002", "RFC5034-4-023"],
        |s| {
            mechanism(s, "PLAIN")?;
            challenge(s, "AUTH PLAIN")?;
            let message = [&[b'a'; 255][..], b"\0", &[b'b'; 255], b"\0", &[b'c'; 255]].concat();
            let reply = s.err(&super::reading::base64(&message))?;
            if s.strict() {
                let judged = reply.first.starts_with(b"-ERR [AUTH]");
                s.check(judged, "-ERR [AUTH]: the credentials were looked at", reply.shown())?;
            }
            still_open(s)?;
            // One answer, and no part of the line was a command.
            s.quiet()?;
            s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    ServerCase::must(
        "rfc4616/2/authorization-identity",
        "Without an authorization identity it is the one that the name stands for; the same name there is the same",
        &["RFC4616-2-003"],
        |s| {
            mechanism(s, "PLAIN")?;
            let account = s.account();
            s.ok(&format!("AUTH PLAIN {}", plain(&account.user, &account.password)))?;
            s.ok("STAT")?;
            s.quit()?;
            s.begin(Start::Authorization)?;
            let message = format!("{0}\0{0}\0{1}", account.user, account.password);
            s.ok(&format!("AUTH PLAIN {}", super::reading::base64(message.as_bytes())))?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&["SASL"]),
    ServerCase::must(
        "rfc5034/4/default-configuration",
        "A plaintext password is refused without TLS unless the server is told otherwise",
        &["RFC5034-4-041"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let account = s.account();
            let list = list(s)?;
            s.check(find(&list, "USER").is_none() && find(&list, "SASL").is_none(), "neither", list.join(", "))?;
            s.err(&format!("USER {}", account.user))?;
            s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::no_cleartext_login),
];

/// Logs in by AUTH PLAIN with an initial response.
fn log_in(s: &mut Talk<'_>) -> Judged {
    mechanism(s, "PLAIN")?;
    s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
    Ok(())
}

/// `+`, one space, and base64 or nothing.
fn is_challenge(s: &Talk<'_>, reply: &Reply) -> Judged {
    // The empty one without its space is the matter of another case.
    if reply.first == b"+" {
        return Ok(());
    }
    let text = reply.first.strip_prefix(b"+ ").unwrap_or(b"?");
    let body = text.strip_suffix(b"==").or_else(|| text.strip_suffix(b"=")).unwrap_or(text);
    let alphabet = body.iter().all(|octet| octet.is_ascii_alphanumeric() || b"+/".contains(octet));
    s.check(alphabet && text.len() % 4 == 0, "+, a space and base64", reply.shown())
}
