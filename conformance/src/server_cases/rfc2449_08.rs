//! RFC 2449 §7 and §8: response codes.

use super::houses;
use super::reading::{CODES, announced, code, credentials, find, list, mechanism};
use super::steps::{not_admitted, second_login_refused};
use crate::case::{Judged, Reply, ServerCase, Start, Talk, fail};

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc2449/8/code-at-the-start",
        "A response code stands at the beginning of the text, and nowhere else",
        &["RFC2449-8-002"],
        |s| {
            announced(s, "RESP-CODES")?;
            for reply in a_session_with_errors(s)? {
                let text = reply.text().to_ascii_uppercase();
                let behind = CODES.iter().find(|code| text.rfind(**code).is_some_and(|at| at > 0));
                if let Some(code) = behind {
                    return fail(format!("{code} right behind the status indicator and a space"), reply.shown());
                }
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/8/announced",
        "A server that sends response codes announces RESP-CODES",
        &["RFC2449-8-006"],
        |s| {
            let list = list(s)?;
            let known = find(&list, "RESP-CODES").is_some();
            for reply in a_session_with_errors(s)? {
                let sent = code(&reply).is_some_and(|code| CODES.contains(&format!("[{code}]").as_str()));
                s.check(known || !sent, "RESP-CODES in the capability list, or no code", reply.shown())?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2449/8/not-announced",
        "A server that does not announce RESP-CODES sends no response code with a refused login",
        &["RFC2449-8-006"],
        |s| {
            let list = list(s)?;
            s.check(find(&list, "RESP-CODES").is_none(), "no RESP-CODES", "RESP-CODES")?;
            for reply in a_session_with_errors(s)? {
                s.check(code(&reply).is_none(), "no response code", reply.shown())?;
            }
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::no_response_codes),
    ServerCase::must(
        "rfc2449/8.1.1/login-delay",
        "LOGIN-DELAY comes with -ERR to AUTH, PASS or APOP",
        &["RFC2449-8.1.1-001", "RFC2449-6.5-007"],
        |s| {
            let account = s.account();
            let reply = s.ok(&format!("USER {}", account.user))?;
            no_delay(s, &reply)?;
            let delayed = s.err(&format!("PASS {}", account.password))?;
            s.check(code(&delayed).as_deref() == Some("LOGIN-DELAY"), "-ERR [LOGIN-DELAY]", delayed.shown())?;
            let right = credentials(s, true);
            let delayed = s.err(&format!("AUTH PLAIN {right}"))?;
            s.check(code(&delayed).as_deref() == Some("LOGIN-DELAY"), "-ERR [LOGIN-DELAY]", delayed.shown())?;
            for line in ["CAPA", "NOOP", "NOSUCH", "QUIT"] {
                let reply = s.ask(line)?;
                no_delay(s, &reply)?;
                if line == "CAPA" {
                    s.data(reply)?;
                }
            }
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::login_too_soon),
    ServerCase::must(
        "rfc2449/8.1.1/nowhere-else",
        "LOGIN-DELAY is never seen but with -ERR to a login",
        &["RFC2449-8.1.1-001"],
        |s| {
            for line in ["STAT", "NOOP", "RETR 0", "DELE 0", "NOSUCH", "USER x", "STAT", "RSET", "QUIT"] {
                let reply = s.ask(line)?;
                s.check(
                    line.starts_with("USER") || code(&reply).is_none_or(|code| code != "LOGIN-DELAY"),
                    "no LOGIN-DELAY here",
                    reply.shown(),
                )?;
            }
            Ok(())
        },
    ),
    ServerCase::should(
        "rfc2449/8.1.1/not-to-user",
        "LOGIN-DELAY is not issued to USER, which would tell names that exist",
        &["RFC2449-8.1.1-002"],
        |s| {
            let account = s.account();
            s.quit()?;
            s.begin(Start::Authorization)?;
            let reply = s.ask(&format!("USER {}", account.user))?;
            no_delay(s, &reply)
        },
    ),
    ServerCase::must(
        "rfc2449/8.1.2/in-use",
        "IN-USE means that the credentials are right and the maildrop is in use",
        &["RFC2449-8.1.2-001"],
        |s| {
            let account = s.account();
            let busy = second_login_refused(s)?;
            in_use(s, &busy)?;
            let mut third = s.second(Start::Authorization)?;
            third.ask(&format!("USER {}", account.user))?;
            let wrong = third.err(&format!("PASS {}-wrong", account.password))?;
            not_in_use(s, &wrong)?;
            // The first session has it still.
            s.ok("STAT")?;
            s.quit()?;
            Ok(())
        },
    ),
    ServerCase::must(
        "rfc2449/8.1.2/in-use-auth",
        "IN-USE comes with -ERR to AUTH too, and with the right credentials alone",
        &["RFC2449-8.1.2-001"],
        |s| {
            let mut second = s.second(Start::Authorization)?;
            mechanism(&mut second, "PLAIN")?;
            let right = credentials(s, true);
            let busy = not_admitted(second.ask(&format!("AUTH PLAIN {right}"))?)?;
            in_use(s, &busy)?;
            let mut third = s.second(Start::Authorization)?;
            let wrong = third.err(&format!("AUTH PLAIN {}", credentials(s, false)))?;
            not_in_use(s, &wrong)
        },
    )
    .needs(&["SASL"]),
];

/// The right credentials were refused because the maildrop is in use, and where there are response codes, one says so.
fn in_use(s: &mut Talk<'_>, busy: &Reply) -> Judged {
    let codes = find(&list(s)?, "RESP-CODES").is_some();
    let told = code(busy).as_deref() == Some("IN-USE");
    s.check(told || !codes && code(busy).is_none(), "-ERR [IN-USE]", busy.shown())
}

fn not_in_use(s: &Talk<'_>, wrong: &Reply) -> Judged {
    s.check(code(wrong).as_deref() != Some("IN-USE"), "no IN-USE with a wrong password", wrong.shown())
}

fn no_delay(s: &Talk<'_>, reply: &Reply) -> Judged {
    s.check(code(reply).is_none_or(|code| code != "LOGIN-DELAY"), "no LOGIN-DELAY here", reply.shown())
}

/// The first lines of a session in which much goes wrong; it begins before the login.
pub(super) fn a_session_with_errors(s: &mut Talk<'_>) -> Judged<Vec<Reply>> {
    let account = s.account();
    let mut replies = Vec::new();
    for line in ["NOSUCH", "STAT", "RETR 1", "AUTH NOSUCHMECH"] {
        replies.push(s.ask(line)?);
        // A server may close once it has refused a few commands.
        s.begin(Start::Authorization)?;
    }
    let user = s.ask(&format!("USER {}", account.user))?;
    let asked = user.is_ok();
    replies.push(user);
    if asked {
        replies.push(s.err(&format!("PASS {}-wrong", account.password))?);
    }
    if s.is_closed() {
        s.begin(Start::Authorization)?;
    }
    s.login()?;
    for line in ["STAT", "RETR 0", "DELE 0", "LIST 0", "TOP 0 0", "UIDL 0", "NOSUCH", "NOOP", "USER x", "QUIT"] {
        replies.push(s.ask(line)?);
    }
    Ok(replies)
}
