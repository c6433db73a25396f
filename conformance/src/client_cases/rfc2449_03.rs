//! RFC 2449 §3 and §4: the grammar of commands and the length of a line.

use super::judge::{commands, ends_well, fails, no_login_was_tried};
use crate::case::{ClientCase, Judged, Play, skip};
use crate::peer::fetcher::JobLogin;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc2449/3/client-command-grammar",
        "A command is a keyword and parameters of visible characters, each behind one space",
        &["RFC2449-3-001"],
        |c| {
            c.serve()?;
            for line in commands(c) {
                let mut words = line.text().split(|&octet| octet == b' ');
                let visible = |word: &[u8]| !word.is_empty() && word.iter().all(u8::is_ascii_graphic);
                let keyword = words.next().is_some_and(|word| visible(word) && (3..=4).contains(&word.len()));
                let parameters = line.verb == "PASS" || words.all(visible);
                c.check(
                    keyword && parameters && line.raw.ends_with(b"\r\n"),
                    "keyword *(SP param) CRLF",
                    line.shown(),
                )?;
            }
            Ok(())
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc2449/3/client-top-grammar",
        "TOP and its parameters are of visible characters, each behind one space",
        &["RFC2449-3-001"],
        |c| {
            let line = c.until("TOP")?;
            let words: Vec<_> = line.text().split(|&octet| octet == b' ').collect();
            let visible = words.iter().all(|word| !word.is_empty() && word.iter().all(u8::is_ascii_graphic));
            c.check(words.len() == 3 && visible, "TOP SP msg SP n", line.shown())?;
            c.answer(&line)?;
            c.serve()?;
            ends_well(c)
        },
    )
    .job(|job| job.top = Some(2)),
    ClientCase::must(
        "rfc2449/4/client-command-length",
        "A command is at most 255 octets long, CRLF included",
        &["RFC2449-3-002"],
        |c| {
            c.serve()?;
            short(c)
        },
    )
    .job(|job| job.delete = true),
    ClientCase::must(
        "rfc2449/4/client-long-name",
        "A user's name that makes USER longer than 255 octets is not sent, nor a part of it",
        &["RFC2449-3-002"],
        too_long,
    )
    .job(|job| job.user = "u".repeat(300)),
    ClientCase::must(
        "rfc2449/4/client-long-password",
        "A password that makes PASS longer than 255 octets is not sent, nor a part of it",
        &["RFC2449-3-002"],
        |c| {
            if !c.ours() {
                return skip("the password cannot be chosen");
            }
            c.serve()?;
            short(c)?;
            c.check(!c.has_given("PASS"), "no PASS", "PASS")?;
            fails(c).map(drop)
        },
    )
    .job(|job| job.password = "p".repeat(300)),
    ClientCase::must(
        "rfc2449/4/client-long-token",
        "A token that makes AUTH longer than 255 octets does not go with the command",
        &["RFC2449-3-002", "RFC5034-4-014"],
        |c| {
            c.honest.capabilities.get_or_insert_default().push("SASL PLAIN XOAUTH2".to_owned());
            let line = c.until("AUTH")?;
            c.check(line.raw.len() <= 255, "255 octets at most", format!("{} octets", line.raw.len()))?;
            c.answer(&line)?;
            c.serve()?;
            short(c)
        },
    )
    .job(|job| (job.login, job.password) = (JobLogin::Xoauth2, "t".repeat(2000))),
];

/// No command is longer than 255 octets; responses in a SASL exchange may be.
fn short(c: &Play<'_>) -> Judged {
    for line in commands(c) {
        c.check(line.raw.len() <= 255, "255 octets at most", format!("{} octets: {}", line.raw.len(), line.verb))?;
    }
    Ok(())
}

fn too_long(c: &mut Play<'_>) -> Judged {
    if !c.ours() {
        return skip("the user's name cannot be chosen");
    }
    c.serve()?;
    short(c)?;
    no_login_was_tried(c)?;
    fails(c).map(drop)
}
