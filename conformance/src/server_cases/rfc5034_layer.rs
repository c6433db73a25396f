//! RFC 5034 §4: security layers; CRAM-MD5, where the server speaks first; and OAUTHBEARER.

use super::houses;
use super::reading::{base64, challenge, mechanism, shown, still_open};
use crate::case::{Judged, ServerCase, Start, Talk, fail, skip};
use crate::digest;
use crate::peer::Upgrade;

/// The cases, in the order of the text.
pub(super) const CASES: &[ServerCase] = &[
    ServerCase::must(
        "rfc5034/4/layer",
        "A security layer is in force right behind the CRLF of the success reply",
        &["RFC5034-4-030"],
        |s| {
            in_the_clear(s)?;
            challenge(s, "AUTH GSSAPI")?;
            s.ok("AAAA")?;
            // The reply itself was in the clear; from here on nothing is.
            s.quiet()?;
            s.layer()?;
            s.ok("STAT")?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::security_layer),
    ServerCase::must(
        "rfc5034/4/layer-forgets",
        "What the client sent in the clear before a security layer is forgotten: no command of it is executed",
        &["RFC5034-4-031", "RFC5034-4-030"],
        |s| {
            in_the_clear(s)?;
            challenge(s, "AUTH GSSAPI")?;
            s.raw(b"AAAA\r\nSTAT\r\nNOOP\r\n")?;
            s.expect_ok()?;
            if let Some(said) = s.leftover() {
                let answer = said.starts_with(b"+") || said.starts_with(b"-");
                return s.check(!answer, "no answer to a command in the clear", shown(&said));
            }
            if s.layer().is_err() {
                return Ok(());
            }
            if let Some(said) = s.leftover() {
                return fail("nothing before a command", shown(&said));
            }
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::security_layer),
    ServerCase::must(
        "rfc5034/4/layer-over-tls",
        "A security layer and TLS go together: TLS protects what the layer has protected",
        &["RFC5034-4-033"],
        |s| {
            if s.upgrade() == Upgrade::None {
                return skip("there is no TLS in this run");
            }
            challenge(s, "AUTH GSSAPI")?;
            s.ok("AAAA")?;
            s.layer()?;
            s.ok("STAT")?;
            // TLS is on still.
            let list = super::reading::list(s)?;
            s.check(super::reading::find(&list, "STLS").is_none(), "no STLS", list.join(", "))?;
            s.quit()?;
            Ok(())
        },
    )
    .from(Start::Authorization)
    .house(houses::security_layer)
    .memory_only("the layer over sockets is TLS itself"),
    ServerCase::must(
        "rfc2195/2/login",
        "CRAM-MD5 with the right digest logs in, and with a wrong one does not",
        &["RFC2195-2-001", "RFC5034-4-025", "RFC5034-4-026"],
        |s| {
            mechanism(s, "CRAM-MD5")?;
            let account = s.account();
            for right in [false, true] {
                let asked = challenge(s, "AUTH CRAM-MD5")?;
                let octets = super::reading::decoded(&asked)?;
                let secret = if right { account.password.clone() } else { format!("{}-wrong", account.password) };
                let digest = digest::cram_md5(&octets, &secret);
                let response = base64(format!("{} {digest}", account.user).as_bytes());
                let reply = s.ask(&response)?;
                s.check(reply.is_ok() == right, if right { "+OK" } else { "-ERR" }, reply.shown())?;
                if !right {
                    still_open(s)?;
                }
            }
            s.ok("STAT")?;
            Ok(())
        },
    )
    .from(Start::Authorization),
    ServerCase::must(
        "rfc2195/2/challenge-anew",
        "The challenge of CRAM-MD5 is another one each time",
        &["RFC2195-2-001"],
        |s| {
            mechanism(s, "CRAM-MD5")?;
            let first = challenge(s, "AUTH CRAM-MD5")?;
            s.err("*")?;
            still_open(s)?;
            let second = challenge(s, "AUTH CRAM-MD5")?;
            s.check(first.first != second.first, "another challenge", second.shown())
        },
    )
    .from(Start::Authorization),
    ServerCase::must("rfc7628/3/tls-alone", "OAUTHBEARER is not announced without TLS", &["RFC7628-3-001"], |s| {
        if s.upgrade() == Upgrade::Implicit {
            return skip("TLS is on from the first octet");
        }
        let list = super::reading::list(s)?;
        let names = super::reading::find(&list, "SASL").unwrap_or_default();
        let bearer = names.iter().any(|name| name.eq_ignore_ascii_case("OAUTHBEARER"));
        s.check(!bearer, "no OAUTHBEARER before TLS", list.join(", "))
    })
    .from(Start::Greeted),
    ServerCase::must(
        "rfc7628/3/tls-alone-ours",
        "OAUTHBEARER is refused without TLS, and announced and taken over TLS",
        &["RFC7628-3-001"],
        |s| {
            if s.upgrade() == Upgrade::Implicit {
                return skip("TLS is on from the first octet");
            }
            let message = base64(b"n,,\x01host=x\x01port=110\x01auth=Bearer token\x01\x01");
            s.err(&format!("AUTH OAUTHBEARER {message}"))?;
            s.err("AUTH OAUTHBEARER")?;
            s.stls()?;
            mechanism(s, "OAUTHBEARER")?;
            challenge(s, "AUTH OAUTHBEARER")?;
            s.err("*")?;
            Ok(())
        },
    )
    .from(Start::Greeted)
    .house(houses::many_mechanisms_over_tls),
];

fn in_the_clear(s: &Talk<'_>) -> Judged {
    if s.upgrade() == Upgrade::None { Ok(()) } else { skip("TLS is on already") }
}
