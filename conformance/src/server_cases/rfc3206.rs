//! RFC 3206: the SYS and AUTH response codes.

use super::houses;
use super::reading::{announced, code, credentials, find, list, mechanism};
use super::rfc2449_08::a_session_with_errors;
use super::steps::second_login_refused;
use crate::case::{Judged, Reply, ServerCase, Start, Talk, skip};
use crate::peer::Login;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc3206/4/sys",
        "SYS comes with -ERR, and says that the system has failed and not the credentials",
        &["RFC3206-4-005"],
        |s| {
            let account = s.account();
            s.ok(&format!("USER {}", account.user))?;
            let reply = s.err(&format!("PASS {}", account.password))?;
            let sys = code(&reply).is_some_and(|code| code == "SYS/TEMP" || code == "SYS/PERM");
            s.check(sys, "-ERR [SYS/TEMP] or [SYS/PERM]", reply.shown())?;
            let reply = s.err(&format!("AUTH PLAIN {}", credentials(s, true)))?;
            let sys = code(&reply).is_some_and(|code| code == "SYS/TEMP" || code == "SYS/PERM");
            s.check(sys, "-ERR [SYS/TEMP] or [SYS/PERM]", reply.shown())?;
            // The session goes on.
            s.multi("CAPA")?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::system_fails),
    ServerCase::must("rfc3206/4/sys-with-err-alone", "SYS never comes with +OK", &["RFC3206-4-005"], |s| {
        for reply in a_session_with_errors(s)? {
            let sys = code(&reply).is_some_and(|code| code.starts_with("SYS"));
            s.check(!sys || reply.is_err(), "-ERR", reply.shown())?;
        }
        Ok(())
    })
    .from(Start::Authorization),
    ServerCase::must(
        "rfc3206/5/auth",
        "AUTH says that the credentials are the problem",
        &["RFC3206-5-001", "RFC3206-6-001"],
        |s| {
            announced(s, "AUTH-RESP-CODE")?;
            let account = s.account();
            if s.ask(&format!("USER {}", account.user))?.is_err() {
                return skip("the server refuses USER");
            }
            let reply = s.err(&format!("PASS {}-wrong", account.password))?;
            auth(s, &reply)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc3206/5/auth-not-in-use",
        "A maildrop that is in use is no problem with the credentials: no AUTH",
        &["RFC3206-5-001"],
        |s| {
            let busy = second_login_refused(s)?;
            s.check(code(&busy).as_deref() != Some("AUTH"), "another code than AUTH, or none", busy.shown())
        },
    ),
    ServerCase::must(
        "rfc3206/5/auth-not-system",
        "A system that fails is no problem with the credentials: no AUTH",
        &["RFC3206-5-001"],
        |s| {
            let account = s.account();
            s.ok(&format!("USER {}", account.user))?;
            let reply = s.err(&format!("PASS {}", account.password))?;
            s.check(code(&reply).as_deref() != Some("AUTH"), "another code than AUTH", reply.shown())
        },
    )
    .from(Start::Authorization)
    .house(houses::system_fails),
    ServerCase::must(
        "rfc3206/5/auth-with-logins-alone",
        "AUTH comes with -ERR to a command that authenticates, and with nothing else",
        &["RFC3206-5-002"],
        |s| {
            let account = s.account();
            for line in ["NOSUCH", "STAT", "RETR 1", "STLS x", "CAPA"] {
                let reply = s.ask(line)?;
                s.check(code(&reply).as_deref() != Some("AUTH"), "no AUTH", reply.shown())?;
                s.begin(Start::Authorization)?;
            }
            if s.ask(&format!("USER {}", account.user))?.is_ok() {
                let reply = s.ask(&format!("PASS {}", account.password))?;
                s.check(reply.is_ok() || account.login != Login::User, "+OK", reply.shown())?;
                s.check(reply.is_err() || code(&reply).is_none(), "no AUTH with +OK", reply.shown())?;
                if reply.is_err() {
                    return skip("this user does not log in by USER");
                }
            } else {
                s.login()?;
            }
            for line in ["STAT", "RETR 0", "LIST 0", "NOSUCH", "DELE 0", "NOOP", "QUIT"] {
                let reply = s.ask(line)?;
                s.check(code(&reply).as_deref() != Some("AUTH"), "no AUTH", reply.shown())?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::should(
        "rfc3206/5/capa",
        "A server that uses the AUTH code has CAPA, and announces AUTH-RESP-CODE there",
        &["RFC3206-5-003", "RFC3206-5-004"],
        |s| {
            let account = s.account();
            if s.ask(&format!("USER {}", account.user))?.is_err() {
                return skip("the server refuses USER");
            }
            let reply = s.err(&format!("PASS {}-wrong", account.password))?;
            if code(&reply).as_deref() != Some("AUTH") {
                return skip("the server does not use the AUTH code");
            }
            if s.is_closed() {
                s.begin(Start::Authorization)?;
            }
            let Some(list) = s.capabilities()? else { return crate::case::fail("a capability list", "-ERR") };
            let both = find(&list, "AUTH-RESP-CODE").is_some() && find(&list, "RESP-CODES").is_some();
            s.check(both, "AUTH-RESP-CODE and RESP-CODES", list.join(", "))
        },
    )
    .from(Start::Authorization)
    .needs(&[]),
    ServerCase::should(
        "rfc3206/5/not-to-user",
        "AUTH is not issued to USER, which would tell names that do not exist",
        &["RFC3206-5-006"],
        |s| {
            let reply = s.ask("USER pop3-conformance-nosuchuser")?;
            s.check(code(&reply).as_deref() != Some("AUTH"), "+OK, or -ERR without AUTH", reply.shown())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc3206/6/auth-to-apop",
        "With AUTH-RESP-CODE, APOP with a wrong digest is answered -ERR [AUTH]",
        &["RFC3206-6-001"],
        |s| {
            announced(s, "AUTH-RESP-CODE")?;
            let account = s.account();
            let Some(digest) = s.digest(&format!("{}-wrong", account.password)) else {
                return skip("the greeting has no timestamp");
            };
            let reply = s.err(&format!("APOP {} {digest}", account.user))?;
            auth(s, &reply)
        },
    )
    .from(Start::Greeted)
    .needs(&["AUTH-RESP-CODE", "APOP"]),
    ServerCase::must(
        "rfc3206/6/auth-to-auth",
        "With AUTH-RESP-CODE, AUTH with wrong credentials is answered -ERR [AUTH]",
        &["RFC3206-6-001"],
        |s| {
            announced(s, "AUTH-RESP-CODE")?;
            mechanism(s, "PLAIN")?;
            let reply = s.err(&format!("AUTH PLAIN {}", credentials(s, false)))?;
            auth(s, &reply)
        },
    )
    .from(Start::Authorization)
    .needs(&["AUTH-RESP-CODE", "SASL"]),
    ServerCase::must(
        "rfc3206/6/nobody",
        "With AUTH-RESP-CODE, a name that nobody has is answered as a wrong password is",
        &["RFC3206-6-001"],
        |s| {
            announced(s, "AUTH-RESP-CODE")?;
            if s.ask("USER pop3-conformance-nosuchuser")?.is_err() {
                return skip("the server refuses the name with USER already");
            }
            let reply = s.err("PASS pop3-conformance-wrong")?;
            auth(s, &reply)
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc3206/6/both-states", "AUTH-RESP-CODE is announced in both states", &["RFC3206-6-002"], |s| {
        let before = find(&list(s)?, "AUTH-RESP-CODE").is_some();
        s.login()?;
        let after = find(&list(s)?, "AUTH-RESP-CODE").is_some();
        if !before && !after {
            return skip("the server does not announce AUTH-RESP-CODE");
        }
        s.check(before && after, "AUTH-RESP-CODE before and after the login", format!("{before}, {after}"))
    })
    .from(Start::Authorization),
];

fn auth(s: &Talk<'_>, reply: &Reply) -> Judged {
    s.check(code(reply).as_deref() == Some("AUTH"), "-ERR [AUTH]", reply.shown())
}
