//! RFC 8314: TLS from the first octet, and the least of confidentiality that a client accepts.

use super::judge::{ends_well, fails, fetches_all, no_login_was_tried};
use super::rfc2595::needs_stls;
use crate::case::{ClientCase, Judged, Play, skip};
use crate::peer::Upgrade;
use crate::peer::fetcher::JobLogin;
use pop3_proto::{Peer, Tls};

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc8314/3.1/client-implicit-tls",
        "With implicit TLS the whole session is inside TLS, and there is no STLS",
        &["RFC8314-3.1-001"],
        |c| {
            if c.upgrade() != Upgrade::Implicit {
                return skip("it needs implicit TLS");
            }
            c.silent(std::time::Duration::from_millis(300))?;
            fetches_all(c)?;
            c.check(!c.has_given("STLS"), "no STLS", "STLS")
        },
    ),
    ClientCase::should(
        "rfc8314/3.4/client-close",
        "The end of the connection behind the answer to QUIT is no failure",
        &["RFC8314-3.4-001"],
        |c| {
            let line = c.until("QUIT")?;
            c.answer(&line)?;
            c.hang_up();
            ends_well(c)
        },
    ),
    ClientCase::must(
        "rfc8314/5/client-default-requires-tls",
        "By default TLS is required: below that nothing but CAPA, STLS and QUIT is sent",
        &["RFC8314-5-001", "RFC8314-5.2-001", "RFC8314-5.2-003", "RFC8314-5.1-001"],
        nothing_but_discovery,
    )
    .job(|job| job.config = |_| Default::default()),
    ClientCase::must(
        "rfc8314/5/client-default-requires-tls-token",
        "By default no token and no digest goes to a server without TLS either",
        &["RFC8314-5-001", "RFC8314-5.2-003", "RFC7628-3-001"],
        nothing_but_discovery,
    )
    .job(|job| {
        job.config = |_| Default::default();
        job.login = JobLogin::Oauthbearer;
    }),
    ClientCase::must(
        "rfc8314/5/client-unverified",
        "Over TLS to a server whose certificate was not validated there is no login",
        &["RFC8314-5-002", "RFC8314-5.2-002"],
        |c| {
            if !c.ours() || c.upgrade() == Upgrade::None {
                return skip("it needs a client that is told so of the certificate, in a run with TLS");
            }
            c.serve()?;
            only_discovery(c)?;
            fails(c).map(drop)
        },
    )
    .job(|job| job.peer = Peer::Unverified),
    ClientCase::should(
        "rfc8314/5.2/client-opportunistic",
        "Where TLS is not required, STLS is used where it is announced, and a login in the clear only where it is not",
        &["RFC8314-5.2-004", "RFC2595-2.2-002"],
        |c| {
            if !c.ours() || c.upgrade() == Upgrade::Implicit {
                return skip("it needs a client that is told to take TLS where it can, in a run without implicit TLS");
            }
            fetches_all(c)?;
            let announced = c.upgrade() == Upgrade::Stls;
            c.check(
                c.has_given("STLS") == announced,
                "STLS where it is announced, and only there",
                format!("{announced}"),
            )
        },
    )
    .job(|job| job.config = |config| config.tls(Tls::Opportunistic)),
    ClientCase::must(
        "rfc8314/5.2/client-opportunistic-announced",
        "Where TLS is not required and STLS is announced, nobody logs in before it",
        &["RFC8314-5.2-004"],
        |c| {
            if !c.ours() || c.upgrade() != Upgrade::None {
                return skip("it needs a client that is told to take TLS where it can, and gives no STLS");
            }
            c.honest.stls = true;
            c.serve()?;
            no_login_was_tried(c)?;
            fails(c).map(drop)
        },
    )
    .job(|job| job.config = |config| config.tls(Tls::Opportunistic)),
    ClientCase::must(
        "rfc8314/5.2/client-no-stls-no-login",
        "Where TLS is required and STLS is not announced, only CAPA, STLS and QUIT are sent",
        &["RFC8314-5.2-003", "RFC6186-6-001"],
        |c| {
            needs_stls(c)?;
            c.honest.stls = false;
            c.serve()?;
            only_discovery(c)?;
            fails(c).map(drop)
        },
    ),
];

fn nothing_but_discovery(c: &mut Play<'_>) -> Judged {
    if !c.ours() || c.upgrade() != Upgrade::None {
        return skip("it needs a client of the default settings, in a run without TLS");
    }
    c.serve()?;
    only_discovery(c)?;
    fails(c).map(drop)
}

fn only_discovery(c: &Play<'_>) -> Judged {
    no_login_was_tried(c)?;
    for line in c.lines() {
        let known = matches!(line.verb.as_str(), "CAPA" | "STLS" | "QUIT");
        c.check(known, "CAPA, STLS or QUIT", line.shown())?;
    }
    Ok(())
}
