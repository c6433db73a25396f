//! RFC 2449 §8: response codes.

use super::judge::{each, fails, fetches_all};
use crate::case::{ClientCase, Judged, Play};

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::should(
        "rfc2449/8/client-bracket-without-capability",
        "Without RESP-CODES a text that begins with a bracket is a plain failure, or a success like any other",
        &["RFC2449-8-001"],
        |c| {
            c.honest.capabilities.get_or_insert_default().retain(|line| !line.contains("RESP-CODE"));
            c.until("PASS")?;
            c.say(b"-ERR [IN-USE] x\r\n")?;
            c.serve_with(|_, line| (line.verb == "PASS").then(|| b"-ERR [IN-USE] x\r\n".to_vec()))?;
            fails(c).map(drop)
        },
    ),
    ClientCase::should(
        "rfc2449/8/client-code-on-success",
        "A response code, known or not, or a lone bracket, does not make a success less of one",
        &["RFC2449-8-001", "RFC2449-8-003"],
        |c| {
            each(c, &["[X-CODE/1] in", "[IN-USE] in", "[", "[]", "[ a", "[unclosed"], |c, text| {
                let line = c.until("PASS")?;
                let _ = c.honest.answer(line.text());
                c.say(format!("+OK {text}\r\n").as_bytes())?;
                fetches_all(c)
            })
        },
    ),
    ClientCase::must(
        "rfc2449/8/client-code-in-any-case",
        "A response code is interpreted in a case-insensitive fashion",
        &["RFC2449-8-004"],
        |c| {
            let codes = [
                ("[in-use] x", "Busy"),
                ("[In-Use] x", "Busy"),
                ("[sys/temp] x", "Temporary"),
                ("[login-delay]", "Delay"),
            ];
            each(c, &codes, |c, (text, class)| refused(c, text, class))
        },
    ),
    ClientCase::must(
        "rfc2449/8/client-code-detail",
        "Unknown hierarchical detail is ignored, and what is known counts",
        &["RFC2449-8-005"],
        |c| {
            let codes = [
                ("[SYS/TEMP/DISK/42] x", "Temporary"),
                ("[SYS/PERM/X] x", "Permanent"),
                ("[AUTH/EXPIRED] x", "Credentials"),
                ("[IN-USE/FOO] x", "Busy"),
                ("[LOGIN-DELAY/5/6] x", "Delay"),
                ("[FOO/BAR] x", "Unknown"),
                ("[SYSTEMATIC] x", "Unknown"),
                ("[IN-USELESS] x", "Unknown"),
            ];
            each(c, &codes, |c, (text, class)| refused(c, text, class))
        },
    ),
    ClientCase::must(
        "rfc2449/8.1.1/client-login-delay",
        "On LOGIN-DELAY the client does not take the credentials for wrong",
        &["RFC2449-8-004"],
        |c| refused(c, "[LOGIN-DELAY] minimum time between mail checks violation", "Delay"),
    ),
    ClientCase::must(
        "rfc2449/8.1.2/client-in-use",
        "On IN-USE the client does not take the credentials for wrong",
        &["RFC2449-8.1.2-002"],
        |c| refused(c, "[IN-USE] Do you have another POP session running?", "Busy"),
    ),
];

/// The login is refused with this text. The client gives the session up; our own says of which class the refusal is.
pub(super) fn refused(c: &mut Play<'_>, text: &str, class: &str) -> Judged {
    let answer = format!("-ERR {text}\r\n");
    c.until("PASS")?;
    c.say(answer.as_bytes())?;
    let mut tries = 1;
    c.serve_with(|_, line| {
        matches!(line.verb.as_str(), "PASS" | "AUTH" | "APOP").then(|| {
            tries += 1;
            answer.clone().into_bytes()
        })
    })?;
    let why = fails(c)?;
    if c.ours() {
        return c.check(why.contains(class), format!("a failure of the class {class}"), why);
    }
    if tries > 1 {
        c.note(format!("{tries} logins in one session"));
    }
    Ok(())
}
