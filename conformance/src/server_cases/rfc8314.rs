//! RFC 8314: implicit TLS and the like; and RFC 1957's advice.

use super::houses;
use super::reading::{credentials, find, list, mechanism, shown};
use crate::case::{ServerCase, Start, fail, skip};
use crate::peer::Upgrade;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc8314/3.1/greeting-over-tls",
        "With implicit TLS the handshake begins at once, and the greeting comes over TLS",
        &["RFC8314-3.1-001"],
        |s| {
            if s.upgrade() != Upgrade::Implicit {
                return skip("no implicit TLS in this run");
            }
            // The handshake is done, and failed had the server said anything in the clear before.
            s.greeting()?;
            s.quiet()?;
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc8314/3.1/authorization-state",
        "Behind the greeting over TLS the state is AUTHORIZATION",
        &["RFC8314-3.1-003"],
        |s| {
            if s.upgrade() != Upgrade::Implicit {
                return skip("no implicit TLS in this run");
            }
            s.err("STAT")?;
            s.login()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc8314/3.1/no-stls",
        "With implicit TLS the octets stay TLS to the end: STLS is refused, and not announced",
        &["RFC8314-3.1-004"],
        |s| {
            if s.upgrade() != Upgrade::Implicit {
                return skip("no implicit TLS in this run");
            }
            if let Some(list) = s.capabilities()? {
                s.check(find(&list, "STLS").is_none(), "no STLS", list.join(", "))?;
            }
            s.err("STLS")?;
            s.login()?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::should(
        "rfc8314/3.4/closed-in-order",
        "The server closes the connection once QUIT is answered, and says nothing behind it",
        &["RFC8314-3.4-001"],
        |s| {
            if s.upgrade() == Upgrade::None {
                return skip("there is no TLS in this run");
            }
            s.ok("QUIT")?;
            s.closed()
        },
    ),
    ServerCase::should(
        "rfc8314/4/stls-works-where-announced",
        "STLS is announced where it works",
        &["RFC8314-4-004"],
        |s| {
            if s.upgrade() == Upgrade::Implicit || s.upgrade() == Upgrade::None && !s.strict() {
                return skip("no STLS in this run");
            }
            let before = list(s)?;
            if find(&before, "STLS").is_none() {
                return skip("the server does not announce STLS");
            }
            s.stls()?;
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::should(
        "rfc8314/4/no-stls-where-none-is",
        "Where there is no TLS, STLS is neither announced nor taken",
        &["RFC8314-4-004"],
        |s| {
            let list = list(s)?;
            s.check(find(&list, "STLS").is_none(), "no STLS", list.join(", "))?;
            s.err("STLS")?;
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::no_stls)
    .needs(&["CAPA"]),
    ServerCase::must(
        "rfc8314/4.1/same-indication",
        "A server that denies logins in the clear answers right and wrong credentials alike",
        &["RFC8314-4.1-001", "RFC8314-4.1-002"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let account = s.account();
            let right = s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            let wrong = s.err(&format!("AUTH PLAIN {}", credentials(s, false)))?;
            s.same(&right.first, &wrong.first)?;
            let known = s.err(&format!("USER {}", account.user))?;
            let unknown = s.err("USER pop3-conformance-nosuchuser")?;
            s.same(&known.first, &unknown.first)?;
            let right = s.err(&format!("PASS {}", account.password))?;
            let wrong = s.err("PASS pop3-conformance-wrong")?;
            s.same(&right.first, &wrong.first)
        },
    )
    .from(Start::Greeted)
    .house(houses::no_cleartext_login),
    ServerCase::must(
        "rfc8314/4.1/same-indication-anywhere",
        "Where USER and AUTH are not announced in the clear, right and wrong credentials are answered alike",
        &["RFC8314-4.1-001", "RFC8314-4.1-002"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let before = list(s)?;
            let plain = find(&before, "SASL").is_some_and(|names| names.contains(&"PLAIN"));
            if plain || find(&before, "USER").is_some() {
                s.note("the server takes logins in the clear");
                return Ok(());
            }
            let right = s.ask(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            if right.is_ok() {
                return fail("-ERR: the mechanism is not announced", right.shown());
            }
            s.begin(Start::Greeted)?;
            let wrong = s.err(&format!("AUTH PLAIN {}", credentials(s, false)))?;
            s.check(right.first == wrong.first, right.shown(), shown(&wrong.first))
        },
    )
    .from(Start::Greeted),
    ServerCase::quirk(
        "rfc1957/observations/space-behind-status",
        "A space and a text stand behind the status indicator, for clients of old",
        &["RFC1957-Observations-001"],
        |s| {
            for line in ["STAT", "RSET", "NOOP", "NOSUCH", "RETR 0", "QUIT"] {
                let reply = s.ask(line)?;
                s.check(!reply.text().is_empty(), format!("a text behind the answer to {line}"), reply.shown())?;
            }
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc8314/4.2/certificate-external",
        "A client whose certificate is accepted as sufficient logs in by AUTH EXTERNAL, and without TLS nobody does",
        &["RFC8314-4.2-002", "RFC2595-4-011"],
        |s| {
            if s.upgrade() == Upgrade::None {
                s.err("AUTH EXTERNAL =")?;
                return s.err("STAT").map(drop);
            }
            // A certificate alone logs nobody in: the state is AUTHORIZATION (RFC 8314 §3.1).
            s.err("STAT")?;
            if s.upgrade() == Upgrade::Stls {
                // RFC 2595 §4 leaves it open; RFC 8314 §4.2, of implicit TLS, does not.
                mechanism(s, "EXTERNAL")?;
            }
            let list = list(s)?;
            let external = find(&list, "SASL").is_some_and(|words| words.contains(&"EXTERNAL"));
            s.check(external, "EXTERNAL among the SASL mechanisms", list.join(", "))?;
            s.ok("AUTH EXTERNAL =")?;
            s.ok("STAT").map(drop)
        },
    )
    .from(Start::Authorization)
    .house(houses::certificate)
    .certificate()
    .needs(&["SASL"]),
];
