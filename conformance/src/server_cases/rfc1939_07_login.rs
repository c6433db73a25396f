//! RFC 1939 §7: USER, PASS and APOP.

use super::steps::{keywords, refused_before_login, stat};
use crate::case::{Judged, ServerCase, Start, Talk, fail, skip};
use crate::peer::Upgrade;

/// A name that nobody has.
const NOBODY: &str = "pop3-conformance-nobody";

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must("rfc1939/7/user-argument", "USER has an argument", &["RFC1939-7-028"], |s| {
        s.err("USER")?;
        s.refused("USER ")?;
        s.quit().map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must("rfc1939/7/user-state", "USER is for the AUTHORIZATION state alone", &["RFC1939-7-030"], |s| {
        let user = s.account().user;
        s.err(&format!("USER {user}"))?;
        stat(s).map(drop)
    }),
    ServerCase::must(
        "rfc1939/7/user-twice",
        "A second USER behind a successful one is refused, or it replaces the first",
        &["RFC1939-7-031"],
        |s| {
            let account = s.account();
            s.ok(&format!("USER {}", account.user))?;
            let second = s.ask(&format!("USER {NOBODY}"))?;
            s.check(second.is_err() || !s.strict(), "-ERR", second.shown())?;
            let pass = s.ask(&format!("PASS {}", account.password))?;
            if pass.is_ok() {
                // Refused, and the first is still remembered: no login as somebody else, at least.
                s.check(second.is_err() && !s.strict(), "-ERR: the second USER was not for that user", pass.shown())?;
                s.note("lenient: a second USER is refused, and the first is remembered");
            } else if second.is_ok() {
                s.note("lenient: a second USER replaces the first");
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/7/user-after-refusal",
        "USER is accepted after an unsuccessful USER and after an unsuccessful PASS",
        &["RFC1939-7-031"],
        |s| {
            let account = s.account();
            if s.ask("USER")?.is_ok() {
                return skip("USER without an argument is accepted");
            }
            s.ok(&format!("USER {}", account.user))?;
            s.err("PASS pop3-conformance-wrong")?;
            if s.is_closed() {
                return skip("the server closes after a wrong password");
            }
            s.ok(&format!("USER {}", account.user))?;
            s.ok(&format!("PASS {}", account.password))?;
            stat(s).map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::quirk(
        "rfc1939/7/user-nobody",
        "USER with a name that nobody has is answered like any other",
        &["RFC1939-7-035"],
        |s| {
            let reply = s.ask(&format!("USER {NOBODY}"))?;
            if reply.is_err() {
                s.note("USER with a name that nobody has is answered -ERR");
            }
            s.quit().map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/7/user-not-permitted",
        "Where USER is refused for want of TLS, the capability list does not hold it",
        &["RFC1939-7-036"],
        |s| {
            let announced = keywords(s)?.iter().any(|word| word == "USER");
            let user = s.account().user;
            let reply = s.ask(&format!("USER {user}"))?;
            s.check(reply.is_ok() || !announced, "+OK to USER, as CAPA lists it", reply.shown())?;
            s.quit().map(drop)
        },
    )
    .needs(&[])
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/user-cleartext-off",
        "A server that permits no plaintext login refuses USER before TLS and does not list it",
        &["RFC1939-7-036"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("the connection has TLS from the start");
            }
            let announced = keywords(s)?;
            let user = s.account().user;
            let reply = s.err(&format!("USER {user}"))?;
            let listed = announced.iter().any(|word| word == "USER");
            s.check(!listed, "no USER among the capabilities", format!("USER, and {}", reply.shown()))?;
            let password = s.account().password;
            s.err(&format!("PASS {password}"))?;
            s.quit().map(drop)
        },
    )
    .needs(&[])
    .from(Start::Greeted)
    .house(|house| house.cleartext_login = false),
    ServerCase::must("rfc1939/7/pass-argument", "PASS has an argument", &["RFC1939-7-037"], |s| {
        for pass in ["PASS", "PASS "] {
            s.begin(Start::Authorization)?;
            let user = s.account().user;
            s.ok(&format!("USER {user}"))?;
            s.err(pass)?;
            if !s.is_closed() {
                s.err("STAT")?;
            }
        }
        Ok(())
    })
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/7/pass-without-user",
        "PASS without a USER before it is refused",
        &["RFC1939-7-038"],
        |s| {
            let password = s.account().password;
            s.err(&format!("PASS {password}"))?;
            s.err("STAT")?;
            s.quit().map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/7/pass-after-refused-user",
        "PASS behind an unsuccessful USER is refused",
        &["RFC1939-7-038"],
        |s| {
            let account = s.account();
            if s.ask("USER")?.is_ok() {
                return skip("USER without an argument is accepted");
            }
            s.err(&format!("PASS {}", account.password))?;
            if s.is_closed() {
                return Ok(());
            }
            s.err("STAT").map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/7/pass-not-immediately",
        "PASS is accepted immediately behind a successful USER, and not behind another command",
        &["RFC1939-7-038"],
        |s| {
            let account = s.account();
            s.ok(&format!("USER {}", account.user))?;
            s.capabilities()?;
            late_pass(s, "CAPA")?;
            s.begin(Start::Authorization)?;
            s.ok(&format!("USER {}", account.user))?;
            s.err("XYZW")?;
            late_pass(s, "an unknown command")
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc1939/7/pass-consumes-user", "A PASS that fails needs a new USER", &["RFC1939-7-039"], |s| {
        let account = s.account();
        s.ok(&format!("USER {}", account.user))?;
        s.err("PASS pop3-conformance-wrong")?;
        if s.is_closed() {
            s.note("the server closes after a wrong password");
            return Ok(());
        }
        s.err(&format!("PASS {}", account.password))?;
        if s.is_closed() {
            return Ok(());
        }
        s.err("STAT").map(drop)
    })
    .from(Start::Authorization),
    ServerCase::must("rfc1939/7/pass-pair", "Name and password are judged as a pair", &["RFC1939-7-040"], |s| {
        let account = s.account();
        let (user, password) = (account.user, account.password);
        let mut shorter = password.clone();
        shorter.pop();
        let pairs = [
            (user.clone(), format!("{password}x")),
            (user.clone(), shorter),
            (NOBODY.to_owned(), password.clone()),
            (format!("{user}x"), password),
        ];
        for (user, password) in pairs {
            s.begin(Start::Authorization)?;
            s.ask(&format!("USER {user}"))?;
            s.err(&format!("PASS {password}"))?;
            if !s.is_closed() {
                s.err("STAT")?;
            }
        }
        Ok(())
    })
    .from(Start::Connected),
    ServerCase::quirk(
        "rfc1939/7/pass-spaces",
        "Spaces in the argument of PASS are part of the password",
        &["RFC1939-7-041"],
        |s| {
            let account = s.account();
            for odd in [format!(" {}", account.password), format!("{} ", account.password)] {
                s.begin(Start::Authorization)?;
                s.ok(&format!("USER {}", account.user))?;
                let reply = s.ask(&format!("PASS {odd}"))?;
                if reply.is_ok() {
                    s.note(
                        format!("spaces are not part of the password: {odd:?} logs in")
                            .replace(&account.password, "***"),
                    );
                }
            }
            Ok(())
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/7/pass",
        "PASS is answered +OK where name and password fit, and -ERR where they do not",
        &["RFC1939-7-042"],
        |s| {
            let account = s.account();
            s.ok(&format!("USER {}", account.user))?;
            s.err("PASS pop3-conformance-wrong")?;
            if !s.is_closed() {
                s.err("STAT")?;
            }
            s.begin(Start::Authorization)?;
            s.ok(&format!("USER {}", account.user))?;
            s.ok(&format!("PASS {}", account.password))?;
            stat(s).map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/7/pass-locked",
        "PASS is answered -ERR where the maildrop cannot be locked",
        &["RFC1939-7-042"],
        |s| {
            let account = s.account();
            let mut other = s.second(Start::Authorization)?;
            other.ok(&format!("USER {}", account.user))?;
            let pass = other.ask(&format!("PASS {}", account.password))?;
            if pass.is_ok() {
                s.check(!s.strict(), "-ERR", pass.shown())?;
                return skip("the server admits two sessions to one maildrop");
            }
            other.err("STAT")?;
            s.ok("NOOP").map(drop)
        },
    ),
    ServerCase::must(
        "rfc1939/7/apop-arguments",
        "APOP has two arguments, a name and a digest",
        &["RFC1939-7-043"],
        |s| {
            let user = s.account().user;
            let zeros = "0".repeat(32);
            let lines = [
                "APOP".to_owned(),
                format!("APOP {user}"),
                format!("APOP {user} c4c9"),
                format!("APOP {user} {zeros} {zeros}"),
                format!("APOP {zeros}"),
            ];
            refused_before_login(s, &lines.each_ref().map(String::as_str))
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/7/apop-not-cut",
        "A digest with more or fewer digits than 32 is refused, even where the first 32 are right",
        &["RFC1939-7-043", "RFC1939-7-055"],
        |s| {
            let (user, digest) = own_digest(s)?;
            s.err(&format!("APOP {user} {digest}0"))?;
            if s.is_closed() {
                return Ok(());
            }
            s.err(&format!("APOP {user} {}", &digest[..31]))?;
            s.is_closed();
            Ok(())
        },
    )
    .from(Start::Greeted),
    ServerCase::must("rfc1939/7/apop-state", "APOP is for the AUTHORIZATION state alone", &["RFC1939-7-044"], |s| {
        let (user, digest) = own_digest(s)?;
        s.login()?;
        s.err(&format!("APOP {user} {digest}"))?;
        stat(s).map(drop)
    })
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-after-user",
        "APOP is accepted behind the greeting or an unsuccessful USER or PASS, and not behind a successful USER",
        &["RFC1939-7-044"],
        |s| {
            let (user, digest) = own_digest(s)?;
            s.ok(&format!("USER {user}"))?;
            s.refused(&format!("APOP {user} {digest}"))
        },
    )
    .needs(&["APOP", "USER"])
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-after-refusal",
        "APOP is accepted behind an unsuccessful USER",
        &["RFC1939-7-044"],
        |s| {
            if s.ask("USER")?.is_ok() {
                return skip("USER without an argument is accepted");
            }
            let (user, digest) = own_digest(s)?;
            apop(s, &user, &digest)?;
            stat(s).map(drop)
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-same-maildrop",
        "The name of APOP is the name of USER: both open the same maildrop",
        &["RFC1939-7-045"],
        |s| {
            let (user, digest) = own_digest(s)?;
            apop(s, &user, &digest)?;
            let by_apop = (stat(s)?, s.multi("LIST")?.rows);
            s.quit()?;
            s.begin(Start::Authorization)?;
            let account = s.account();
            s.ok(&format!("USER {}", account.user))?;
            if s.ask(&format!("PASS {}", account.password))?.is_err() {
                return skip("the user may log in with APOP alone");
            }
            let by_user = (stat(s)?, s.multi("LIST")?.rows);
            s.check(by_apop == by_user, format!("{:?}", by_apop.0), format!("{:?}", by_user.0))
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-timestamp",
        "A server with APOP has a timestamp in its greeting; without one, APOP does not log in",
        &["RFC1939-7-046"],
        |s| {
            if let Some(timestamp) = s.timestamp() {
                return s.check(is_timestamp(&timestamp), "<local@domain>", timestamp);
            }
            let user = s.account().user;
            s.err(&format!("APOP {user} {}", "0".repeat(32)))?;
            s.quit().map(drop)
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-no-timestamp",
        "A greeting without a timestamp is followed by no APOP",
        &["RFC1939-7-046"],
        |s| {
            s.check(s.timestamp().is_none(), "a greeting without a timestamp", s.timestamp().unwrap_or_default())?;
            let user = s.account().user;
            s.err(&format!("APOP {user} c4c9334bac560ecc979e58001b3e22fb"))?;
            s.err("STAT")?;
            s.quit().map(drop)
        },
    )
    .from(Start::Greeted)
    .house(|house| house.apop = false),
    ServerCase::must(
        "rfc1939/7/apop-msg-id",
        "The timestamp has the form of a msg-id, and stands once in the greeting",
        &["RFC1939-7-048"],
        |s| {
            let greeting = s.greeting()?;
            let Some(timestamp) = s.timestamp() else { return skip("the greeting has no timestamp") };
            s.check(is_timestamp(&timestamp), "<local@domain>", greeting.shown())?;
            let opened = greeting.first.iter().filter(|&&octet| octet == b'<').count();
            s.check(opened == 1, "one <local@domain>", greeting.shown())
        },
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/7/apop-timestamp-differs",
        "The timestamp is different each time the server issues a greeting",
        &["RFC1939-7-050"],
        |s| {
            let mut seen = vec![own_timestamp(s)?];
            let mut beside = Vec::new();
            for _ in 0..3 {
                let other = s.second(Start::Greeted)?;
                seen.push(own_timestamp(&other)?);
                beside.push(other);
            }
            drop(beside);
            for _ in 0..16 {
                s.begin(Start::Greeted)?;
                seen.push(own_timestamp(s)?);
            }
            seen.sort_unstable();
            match seen.windows(2).find(|pair| pair[0] == pair[1]) {
                Some(pair) => fail("20 different timestamps", format!("{} twice", pair[0])),
                None => Ok(()),
            }
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-lower-case",
        "The digest is sent in lower-case hexadecimal, and not in upper case",
        &["RFC1939-7-053"],
        |s| {
            let (user, digest) = own_digest(s)?;
            s.refused(&format!("APOP {user} {}", digest.to_ascii_uppercase()))
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop",
        "A correct digest logs in, and the session is in the TRANSACTION state",
        &["RFC1939-7-054"],
        |s| {
            let (user, digest) = own_digest(s)?;
            apop(s, &user, &digest)?;
            stat(s)?;
            s.quit().map(drop)
        },
    )
    .from(Start::Greeted),
    ServerCase::quirk(
        "rfc1939/7/apop-announced-works",
        "Where the greeting has a timestamp, the user can log in with APOP: clients prefer it",
        &["RFC1939-7-054"],
        |s| {
            let (user, digest) = own_digest(s)?;
            s.ok(&format!("APOP {user} {digest}")).map(drop)
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-wrong-digest",
        "A wrong digest is refused, and the session stays in the AUTHORIZATION state",
        &["RFC1939-7-055"],
        |s| {
            let user = s.account().user;
            s.err(&format!("APOP {user} {}", "0".repeat(32)))?;
            if s.is_closed() {
                s.note("the server closes after a wrong digest");
                return Ok(());
            }
            s.err("STAT")?;
            let (user, digest) = own_digest(s)?;
            apop(s, &user, &digest)?;
            stat(s).map(drop)
        },
    )
    .from(Start::Greeted),
    ServerCase::must(
        "rfc1939/7/apop-other-session",
        "The digest of another greeting is refused",
        &["RFC1939-7-055", "RFC1939-7-050"],
        |s| {
            let (user, digest) = own_digest(s)?;
            s.begin(Start::Greeted)?;
            s.err(&format!("APOP {user} {digest}")).map(drop)
        },
    )
    .from(Start::Greeted),
];

/// PASS behind something else than USER.
fn late_pass(s: &mut Talk<'_>, behind: &str) -> Judged {
    let password = s.account().password;
    let reply = s.ask(&format!("PASS {password}"))?;
    if reply.is_ok() && !s.strict() {
        s.note(format!("lenient: PASS is accepted behind USER and {behind}"));
        return Ok(());
    }
    s.check(reply.is_err(), "-ERR", reply.shown())
}

/// The greeting's timestamp.
fn own_timestamp(s: &Talk<'_>) -> Judged<String> {
    s.timestamp().map_or_else(|| skip("the greeting has no timestamp"), Ok)
}

/// The user's name and the digest for this session.
fn own_digest(s: &Talk<'_>) -> Judged<(String, String)> {
    let account = s.account();
    match s.digest(&account.password) {
        Some(digest) => Ok((account.user, digest)),
        None => skip("the greeting has no timestamp"),
    }
}

/// APOP with a correct digest. On a foreign server the user may have no secret.
fn apop(s: &mut Talk<'_>, user: &str, digest: &str) -> Judged {
    let reply = s.ask(&format!("APOP {user} {digest}"))?;
    if reply.is_err() && !s.strict() {
        return skip(format!("the user cannot log in with APOP: {}", reply.shown()));
    }
    s.check(reply.is_ok(), "+OK", reply.shown())
}

/// `<local@domain>` of visible characters.
fn is_timestamp(timestamp: &str) -> bool {
    let inside = timestamp.strip_prefix('<').and_then(|rest| rest.strip_suffix('>'));
    let plain =
        |part: &str| !part.is_empty() && part.bytes().all(|octet| octet.is_ascii_graphic() && !b"<>@".contains(&octet));
    inside.and_then(|inside| inside.split_once('@')).is_some_and(|(local, domain)| plain(local) && plain(domain))
}
