//! RFC 2595: STLS.

use super::houses;
use super::reading::{credentials, find, list, shown};
use crate::case::{Judged, ServerCase, Start, Talk, fail, skip};
use crate::peer::Upgrade;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::should(
        "rfc2595/2.2/encryption-needed",
        "There is a mode in which nobody logs in without TLS, and one with it logs in",
        &["RFC2595-2.2-001"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let account = s.account();
            s.err(&format!("USER {}", account.user))?;
            if let Some(digest) = s.digest(&account.password) {
                s.err(&format!("APOP {} {digest}", account.user))?;
            }
            s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            s.err("STAT")?;
            s.stls()?;
            s.login()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::no_cleartext_login),
    ServerCase::should(
        "rfc2595/2.2/base-protocol-suffices",
        "There is a mode in which USER and PASS suffice, without TLS",
        &["RFC2595-2.2-003"],
        |s| {
            let account = s.account();
            s.ok(&format!("USER {}", account.user))?;
            s.ok(&format!("PASS {}", account.password))?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::no_stls),
    ServerCase::must(
        "rfc2595/2.3/cleartext-refused",
        "The server can be set up to refuse every login in the clear, and then announces none",
        &["RFC2595-2.3-001"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let account = s.account();
            let before = list(s)?;
            for tag in ["USER", "SASL"] {
                s.check(find(&before, tag).is_none(), format!("no {tag} before TLS"), before.join(", "))?;
            }
            s.err(&format!("USER {}", account.user))?;
            s.err(&format!("PASS {}", account.password))?;
            s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            s.err("AUTH PLAIN")?;
            s.err("AUTH LOGIN")?;
            s.err("STAT")?;
            s.stls()?;
            let after = list(s)?;
            let both = find(&after, "USER").is_some() && find(&after, "SASL").is_some();
            s.check(both, "USER and SASL over TLS", after.join(", "))?;
            s.ok(&format!("USER {}", account.user))?;
            s.ok(&format!("PASS {}", account.password))?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::no_cleartext_login),
    ServerCase::must(
        "rfc2595/2.5/handshake-fails",
        "Where the TLS handshake fails, no command in the clear is taken any more",
        &["RFC2595-2.5-001"],
        |s| {
            before_tls(s)?;
            s.ok("STLS")?;
            if s.raw(b"CAPA\r\nQUIT\r\n").is_err() {
                return Ok(());
            }
            let said = s.leftover().unwrap_or_default();
            let command = [&b"+OK"[..], b"-ERR"].iter().any(|word| said.windows(word.len()).any(|part| part == *word));
            s.check(!command, "no answer in the clear", shown(&said))?;
            let closed = s.is_closed();
            s.check(closed || !s.strict(), "the end of the connection", "an open one")
        },
    )
    .from(Start::Greeted)
    .needs(&["STLS"]),
    ServerCase::must(
        "rfc2595/4/capa",
        "A server with STLS has CAPA, and announces it there",
        &["RFC2595-4-001"],
        |s| {
            before_tls(s)?;
            if s.ask("STLS")?.is_err() {
                return skip("the server has no STLS");
            }
            s.begin(Start::Greeted)?;
            match s.capabilities()? {
                Some(list) if find(&list, "STLS").is_some() => Ok(()),
                Some(list) => fail("STLS in the list", list.join(", ")),
                None => fail("a capability list", "-ERR"),
            }
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/4/announced-where-permitted",
        "STLS is announced where it is permitted: not once TLS is on, and not after the login",
        &["RFC2595-4-002", "RFC2595-8-001"],
        |s| {
            let list_before = list(s)?;
            if s.upgrade() != Upgrade::Implicit {
                can_shake_hands(s)?;
                s.check(find(&list_before, "STLS").is_some(), "STLS", list_before.join(", "))?;
                s.stls()?;
            }
            let over_tls = list(s)?;
            s.check(find(&over_tls, "STLS").is_none(), "no STLS over TLS", over_tls.join(", "))?;
            s.login()?;
            let after = list(s)?;
            s.check(find(&after, "STLS").is_none(), "no STLS after the login", after.join(", "))
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/8/transaction-state",
        "STLS is not announced in the TRANSACTION state",
        &["RFC2595-4-002", "RFC2595-8-001"],
        |s| {
            let after = list(s)?;
            s.check(find(&after, "STLS").is_none(), "no STLS after the login", after.join(", "))
        },
    )
    .needs(&["CAPA"]),
    ServerCase::must("rfc2595/4/no-argument", "STLS takes no argument", &["RFC2595-4-003"], |s| {
        before_tls(s)?;
        s.err("STLS x")?;
        // No handshake has begun.
        s.multi("CAPA")?;
        Ok(())
    })
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/4/authorization-state",
        "STLS is for the AUTHORIZATION state alone",
        &["RFC2595-4-004"],
        |s| {
            s.err("STLS")?;
            s.ok("STAT")?;
            s.quit()?;
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc2595/4/handshake-at-once",
        "The handshake begins right behind the CRLF of +OK, and no greeting comes behind it",
        &["RFC2595-4-005"],
        |s| {
            before_tls(s)?;
            can_shake_hands(s)?;
            s.ok("STLS")?;
            s.quiet()?;
            s.handshake()?;
            s.quiet()?;
            s.multi("CAPA")?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/4/plaintext-after-stls",
        "Commands that come in the clear behind STLS are never executed",
        &["RFC2595-4-006"],
        |s| never_executed(s, b"STLS\r\nNOOP\r\nUSER x\r\n"),
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/4/half-a-line-after-stls",
        "The beginning of a line in the clear behind STLS is no part of a command over TLS",
        &["RFC2595-4-006"],
        |s| never_executed(s, b"STLS\r\nNOO"),
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/4/user-forgotten",
        "A USER in the clear does not count over TLS",
        &["RFC2595-4-006"],
        |s| {
            before_tls(s)?;
            can_shake_hands(s)?;
            let account = s.account();
            if s.ask(&format!("USER {}", account.user))?.is_err() {
                return skip("the server refuses USER in the clear");
            }
            s.stls()?;
            // The RFC does not say it of the server; PASS has to follow USER all the same.
            let reply = s.ask(&format!("PASS {}", account.password))?;
            if reply.is_ok() && !s.strict() {
                s.note("lenient: a USER in the clear is remembered over TLS");
                return Ok(());
            }
            s.check(reply.is_err(), "-ERR", reply.shown())
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/4/stls-again",
        "STLS over TLS is answered -ERR, and the session goes on",
        &["RFC2595-4-008"],
        |s| {
            if s.upgrade() == Upgrade::None {
                return skip("there is no TLS in this run");
            }
            s.err("STLS")?;
            s.login()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .needs(&[]),
    ServerCase::must(
        "rfc2595/4/authorization-behind-stls",
        "The state behind STLS is AUTHORIZATION",
        &["RFC2595-4-010"],
        |s| {
            before_tls(s)?;
            can_shake_hands(s)?;
            s.stls()?;
            s.err("STAT")?;
            s.login()?;
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc2595/4/capabilities-behind-stls",
        "The capability list behind STLS is one of its own: what it names is there",
        &["RFC2595-4-014"],
        |s| {
            before_tls(s)?;
            can_shake_hands(s)?;
            s.stls()?;
            let list = list(s)?;
            if find(&list, "SASL").is_some_and(|words| words.contains(&"PLAIN")) {
                s.ok(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            } else {
                s.login()?;
            }
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::quirk(
        "rfc2595/6/plain-in-the-clear",
        "PLAIN is neither announced nor taken without TLS",
        &["RFC2595-6-001", "RFC4616-5-001"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let list = list(s)?;
            let words = find(&list, "SASL").unwrap_or_default();
            let open = words.iter().any(|word| ["PLAIN", "LOGIN"].contains(&word.to_ascii_uppercase().as_str()));
            s.check(!open, "no PLAIN and no LOGIN before TLS", list.join(", "))?;
            s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .needs(&["CAPA"]),
];

/// Sends it in one piece, shakes hands if the server still wants to, and finds nothing of it answered.
pub(super) fn never_executed(s: &mut Talk<'_>, octets: &[u8]) -> Judged {
    before_tls(s)?;
    can_shake_hands(s)?;
    s.raw(octets)?;
    let reply = s.reply()?;
    if reply.is_err() {
        s.note("STLS with something behind it is refused");
        return Ok(());
    }
    if let Some(said) = s.leftover() {
        // A TLS alert is fine, as the octets are no TLS.
        let in_the_clear = said.starts_with(b"+") || said.starts_with(b"-");
        return s.check(!in_the_clear, "nothing behind +OK", shown(&said));
    }
    if s.handshake().is_err() {
        return Ok(());
    }
    if let Some(said) = s.leftover() {
        return fail("nothing over TLS before a command", shown(&said));
    }
    s.multi("CAPA")?;
    s.err("STAT")?;
    s.quit()?;
    Ok(())
}

pub(super) fn before_tls(s: &Talk<'_>) -> Judged {
    if s.upgrade() == Upgrade::Implicit { skip("TLS is on from the first octet") } else { Ok(()) }
}

pub(super) fn can_shake_hands(s: &Talk<'_>) -> Judged {
    if s.upgrade() == Upgrade::None && !s.strict() { skip("this run is told of no TLS") } else { Ok(()) }
}
