//! RFC 1939 §3: states, errors, and the autologout timer.

use super::steps::{
    alike, all_refused, all_refused_or_meant, drop_and_relogin, keywords, refused_before_login, relogin, stat,
};
use crate::case::{ServerCase, Start, fail, skip};
use crate::mailbox::Mail;
use crate::octets::escape;
use std::time::Duration;

/// Why the clock has to be a virtual one.
const SLOW: &str = "it takes ten minutes of real time";
const BEFORE: Duration = Duration::from_secs(599);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc1939/3/authorization-first",
        "After the greeting the session is in the AUTHORIZATION state",
        &["RFC1939-3-030"],
        |s| {
            s.err("STAT")?;
            s.login()?;
            s.ok("STAT").map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/3/transaction-after-login",
        "After the login the session is in the TRANSACTION state, and no longer in AUTHORIZATION",
        &["RFC1939-3-032"],
        |s| {
            s.login()?;
            stat(s)?;
            let user = s.account().user;
            s.err(&format!("USER {user}"))?;
            stat(s).map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/3/quit-releases",
        "QUIT releases what the session had acquired, and the server says goodbye",
        &["RFC1939-3-033"],
        |s| {
            s.quit()?;
            s.begin(Start::Transaction)?;
            s.quit().map(drop)
        },
    ),
    ServerCase::must("rfc1939/3/quit-closes", "The connection is closed after the goodbye", &["RFC1939-3-034"], |s| {
        s.ok("QUIT")?;
        // One line, and the end: closed() fails for whatever else comes.
        s.closed()
    }),
    ServerCase::must(
        "rfc1939/3/unrecognized",
        "An unrecognized command gets one negative response, and the session goes on",
        &["RFC1939-3-035"],
        |s| {
            s.err("XYZW")?;
            s.quiet()?;
            s.login()?;
            for line in ["XYZW", "XYZW 1 2 3", "+OK", "-ERR"] {
                s.err(line)?;
            }
            s.quiet()?;
            s.ok("NOOP").map(drop)
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc1939/3/unimplemented",
        "A command that is not announced gets a negative response",
        &["RFC1939-3-036"],
        |s| {
            let announced = keywords(s)?;
            for (keyword, line) in [("TOP", "TOP 1 0"), ("UIDL", "UIDL"), ("LANG", "LANG")] {
                if announced.iter().any(|word| word == keyword) {
                    continue;
                }
                let reply = s.ask(line)?;
                if reply.is_ok() {
                    s.check(!s.strict(), "-ERR", reply.shown())?;
                    s.data(reply)?;
                    s.note(format!("{keyword} works though it is not announced"));
                }
            }
            // Of RFC 1081 and RFC 1082; gone since RFC 1460 and RFC 1725.
            for line in ["LAST", "RPOP mrose"] {
                s.refused(line)?;
            }
            s.ok("NOOP").map(drop)
        },
    ),
    ServerCase::must(
        "rfc1939/3/unimplemented-off",
        "TOP, UIDL, APOP and STLS get a negative response from a server without them",
        &["RFC1939-3-036"],
        |s| {
            s.err("STLS")?;
            s.err("APOP mrose c4c9334bac560ecc979e58001b3e22fb")?;
            s.err("AUTH X-NO-SUCH-MECHANISM")?;
            s.login()?;
            for line in ["TOP 1 0", "UIDL", "UIDL 1"] {
                s.err(line)?;
            }
            let announced = keywords(s)?;
            let off = announced.iter().find(|word| matches!(word.as_str(), "TOP" | "UIDL" | "STLS"));
            s.check(off.is_none(), "a capability list without TOP, UIDL and STLS", announced.join(" "))?;
            s.ok("NOOP").map(drop)
        },
    )
    .from(Start::Greeted)
    .house(|house| {
        house.config = |config| config.without_top().without_uidl();
        house.apop = false;
        house.stls = false;
    }),
    ServerCase::must(
        "rfc1939/3/invalid",
        "A syntactically invalid command gets one negative response and changes nothing",
        &["RFC1939-3-037"],
        |s| {
            let before = stat(s)?;
            let number = s.number(Mail::First)?;
            let lines = [String::new(), "RETR one".to_owned(), "RETR".to_owned(), "LIST all".to_owned()];
            all_refused(s, &lines)?;
            let meant = [
                format!("RETR {number} {number}"),
                format!("RETR {number}x"),
                format!("LIST {number} {number}"),
                " STAT".to_owned(),
            ];
            all_refused_or_meant(s, &meant)?;
            let after = stat(s)?;
            alike(s, &before, &after)
        },
    )
    .with(&[Mail::First]),
    ServerCase::must("rfc1939/3/invalid-dele", "A syntactically invalid DELE marks nothing", &["RFC1939-3-037"], |s| {
        let before = stat(s)?;
        let number = s.number(Mail::First)?;
        for line in ["DELE", "DELE all"] {
            s.err(line)?;
            let after = stat(s)?;
            alike(s, &before, &after)?;
        }
        for line in [format!("DELE {number}x"), format!("DELE +{number}")] {
            all_refused_or_meant(s, &[line])?;
            if s.strict() {
                let after = stat(s)?;
                alike(s, &before, &after)?;
            }
            s.ok("RSET")?;
        }
        Ok(())
    })
    .with(&[Mail::First]),
    ServerCase::must(
        "rfc1939/3/state-authorization",
        "The commands of the TRANSACTION state get a negative response in AUTHORIZATION",
        &["RFC1939-3-038"],
        |s| refused_before_login(s, &["STAT", "LIST", "LIST 1", "RETR 1", "NOOP", "RSET", "TOP 1 0", "UIDL", "UIDL 1"]),
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/3/state-authorization-dele",
        "DELE gets a negative response in AUTHORIZATION",
        &["RFC1939-3-038"],
        |s| refused_before_login(s, &["DELE 1"]),
    )
    .from(Start::Connected),
    ServerCase::must(
        "rfc1939/3/state-transaction",
        "The commands of the AUTHORIZATION state get a negative response in TRANSACTION",
        &["RFC1939-3-038"],
        |s| {
            let account = s.account();
            let lines = [
                format!("USER {}", account.user),
                format!("PASS {}", account.password),
                format!("APOP {} c4c9334bac560ecc979e58001b3e22fb", account.user),
                "AUTH PLAIN".to_owned(),
                "STLS".to_owned(),
                "UTF8".to_owned(),
            ];
            all_refused(s, &lines)
        },
    ),
    ServerCase::quirk(
        "rfc1939/3/autologout",
        "The server has an inactivity autologout timer",
        &["RFC1939-3-040"],
        |s| {
            s.elapse(DAY)?;
            if s.is_closed() { Ok(()) } else { fail("an autologout timer", "an open connection after a day") }
        },
    )
    .memory_only(SLOW),
    ServerCase::must(
        "rfc1939/3/autologout-ten-minutes",
        "The autologout timer runs for ten minutes at least",
        &["RFC1939-3-041"],
        |s| {
            s.elapse(BEFORE)?;
            s.ok("NOOP").map(drop)
        },
    )
    .memory_only(SLOW),
    ServerCase::must(
        "rfc1939/3/autologout-ten-minutes-authorization",
        "The autologout timer runs for ten minutes at least in the AUTHORIZATION state too",
        &["RFC1939-3-041"],
        |s| {
            s.elapse(BEFORE)?;
            s.login()?;
            s.ok("NOOP").map(drop)
        },
    )
    .from(Start::Authorization)
    .memory_only(SLOW),
    ServerCase::must(
        "rfc1939/3/autologout-setting",
        "A timer below ten minutes cannot be set by mistake",
        &["RFC1939-3-041"],
        |s| {
            s.elapse(BEFORE)?;
            s.ok("NOOP").map(drop)
        },
    )
    .house(|house| {
        house.config = |config| config.clone().autologout(Duration::from_secs(60)).unwrap_or(config);
    })
    .memory_only(SLOW),
    ServerCase::should(
        "rfc1939/3/autologout-reset",
        "Any command resets the autologout timer, an invalid one as well",
        &["RFC1939-3-042"],
        |s| {
            s.elapse(BEFORE)?;
            s.ok("NOOP")?;
            s.elapse(BEFORE)?;
            s.err("XYZW")?;
            s.elapse(BEFORE)?;
            s.ok("STAT").map(drop)
        },
    )
    .memory_only(SLOW),
    ServerCase::must(
        "rfc1939/3/autologout-no-update",
        "The autologout timer does not lead to the UPDATE state: nothing is removed",
        &["RFC1939-3-043"],
        |s| {
            let before = stat(s)?;
            let number = s.number(Mail::First)?;
            s.ok(&format!("DELE {number}"))?;
            s.elapse(DAY)?;
            if !s.is_closed() {
                return skip("the server has no autologout timer");
            }
            relogin(s)?;
            let after = stat(s)?;
            alike(s, &before, &after)?;
            s.ok(&format!("LIST {number}")).map(drop)
        },
    )
    .with(&[Mail::First])
    .memory_only(SLOW),
    ServerCase::should(
        "rfc1939/3/autologout-silent",
        "When the autologout timer expires, the server closes the connection and says nothing",
        &["RFC1939-3-044", "RFC1939-3-045"],
        |s| {
            s.elapse(DAY)?;
            if let Some(octets) = s.leftover() {
                return fail("the end of the connection alone", escape(&octets));
            }
            if !s.is_closed() {
                return skip("the server has no autologout timer");
            }
            drop_and_relogin(s)
        },
    )
    .memory_only(SLOW),
];
