//! RFC 2449 §5: the CAPA command.

use super::judge::{all_stored, can_do_without_capa, each, ends, fetches_all};
use crate::case::{ClientCase, skip};
use crate::peer::fetcher::JobLogin;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::should(
        "rfc2449/5/client-asks-again-behind-layer",
        "Once a security layer protects the session the client asks CAPA again",
        &["RFC2449-5-005"],
        |c| {
            super::rfc5034::begin_layer(c)?;
            let Some(line) = c.command()? else { return skip("the client leaves behind the layer") };
            c.check(line.verb == "CAPA", "CAPA", line.shown())?;
            c.answer(&line)?;
            c.serve()
        },
    )
    .job(|job| job.login = JobLogin::Gssapi),
    ClientCase::must(
        "rfc2449/5/client-tags-in-any-case",
        "Capability tags are compared without regard to case",
        &["RFC2449-5-007"],
        |c| {
            let lines = ["top", "Uidl", "sAsL pLaIn", "uSeR", "Resp-Codes"];
            c.honest.capabilities = Some(lines.map(str::to_owned).to_vec());
            let mut seen = false;
            c.serve_with(|honest, line| {
                if line.verb != "AUTH" {
                    return None;
                }
                // Only a client that has seen SASL may send an initial response (RFC 5034 §3).
                seen = line.rest.contains(&b' ');
                honest.capabilities = Some(vec!["SASL PLAIN".to_owned()]);
                None
            })?;
            c.check(seen || !c.ours(), "AUTH with an initial response, as SASL is announced", "none")?;
            all_stored(c)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
    ClientCase::must(
        "rfc2449/5/client-pipelining-in-any-case",
        "PIPELINING counts whatever the case of its letters",
        &["RFC2449-5-007"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("PipeLining".to_owned());
            c.until("STAT")?;
            let more = super::judge::until_quiet(c)?;
            if !c.ours() && more.is_empty() {
                return skip("the client does not pipeline");
            }
            c.check(!more.is_empty(), "another command before the answer", "none")
        },
    )
    .job(|job| job.pipelining = true),
    ClientCase::must(
        "rfc2449/5/client-capa-refused",
        "-ERR to CAPA means that it is not implemented, and the client goes on",
        &["RFC2449-5-009"],
        |c| {
            can_do_without_capa(c)?;
            c.honest.capabilities = None;
            c.serve()?;
            if !c.has_given("CAPA") {
                return skip("the client gave no CAPA");
            }
            all_stored(c)
        },
    ),
    ClientCase::should(
        "rfc2449/5/client-parameters",
        "Parameters follow the tag behind spaces, and unknown ones are tolerated",
        &["RFC2449-5-011"],
        |c| {
            let lines = [
                "TOP foo",
                "X-UNKNOWN a b c",
                "EXPIRE 5 USER extra",
                "EXPIRE",
                "LOGIN-DELAY soon",
                "USER",
                "UIDL",
                "SASL PLAIN LOGIN X-ODD-ONE",
                "IMPLEMENTATION a b <c>",
            ];
            c.honest.capabilities = Some(lines.map(str::to_owned).to_vec());
            fetches_all(c)
        },
    ),
    ClientCase::quirk(
        "rfc2449/5/client-odd-capabilities",
        "Lines of a capability list that make no sense: an empty one, spaces around it, EXPIRENEVER, -ERR",
        &["RFC2449-5-011"],
        |c| {
            let lines = ["", " TOP", "USER ", "EXPIRENEVER", "-ERR none", "+OK", "UIDL", "\u{fc}", ".stuffed"];
            each(c, &lines, |c, odd| {
                c.serve_with(|honest, line| {
                    let answer = (line.verb == "CAPA").then(|| honest.answer(line.text()))?;
                    let at = answer.iter().position(|&octet| octet == b'\n')? + 1;
                    let dot = if odd.starts_with('.') { "." } else { "" };
                    Some([&answer[..at], dot.as_bytes(), odd.as_bytes(), b"\r\n", &answer[at..]].concat())
                })?;
                ends(c)?;
                c.honest.messages.clone().iter().try_for_each(|(_, message)| c.has_stored(message))
            })
        },
    ),
    ClientCase::must(
        "rfc2449/5/client-capability-512",
        "A capability line of 512 octets is one line",
        &["RFC2449-5-013"],
        |c| {
            let mut sasl = "SASL PLAIN LOGIN".to_owned();
            while sasl.len() + 2 + 20 < 512 {
                sasl.push_str(" X-MECHANISM-NAME-19");
            }
            sasl.push_str(&format!(" {}", "Y".repeat(509 - sasl.len())));
            let other = format!("X-{}", "z".repeat(508));
            c.honest.capabilities = Some(vec![sasl, other, "USER".to_owned(), "UIDL".to_owned(), "TOP".to_owned()]);
            fetches_all(c)
        },
    )
    .job(|job| job.login = JobLogin::Plain),
];
