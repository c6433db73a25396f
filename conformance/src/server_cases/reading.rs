//! What the cases of several sections read in an answer.

use crate::case::{Judged, Reply, Talk, fail, skip};
use crate::octets::escape;
use base64ct::{Base64, Encoding as _};

/// Base64 of some octets.
pub(super) fn base64(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}

/// The message of SASL PLAIN, in base64.
pub(super) fn plain(user: &str, password: &str) -> String {
    base64(format!("\0{user}\0{password}").as_bytes())
}

/// The run's user and password as the message of SASL PLAIN; with a wrong password, if `right` is false.
pub(super) fn credentials(s: &Talk<'_>, right: bool) -> String {
    let account = s.account();
    let wrong = if right { "" } else { "-wrong" };
    plain(&account.user, &format!("{}{wrong}", account.password))
}

/// What stands behind a tag in a capability list.
pub(super) fn find<'c>(list: &'c [String], tag: &str) -> Option<Vec<&'c str>> {
    list.iter().find_map(|line| {
        let mut words = line.split(' ');
        let found = words.next().is_some_and(|word| word.eq_ignore_ascii_case(tag));
        found.then(|| words.collect())
    })
}

/// The capability list; a case that needs one is skipped where there is none.
pub(super) fn list(s: &mut Talk<'_>) -> Judged<Vec<String>> {
    s.capabilities()?.map_or_else(|| skip("the server has no CAPA"), Ok)
}

/// What stands behind a tag in the capability list; the case is skipped where the list lacks it.
pub(super) fn announced(s: &mut Talk<'_>, tag: &str) -> Judged<Vec<String>> {
    let list = list(s)?;
    match find(&list, tag) {
        Some(words) => Ok(words.into_iter().map(str::to_owned).collect()),
        None => skip(format!("the server does not announce {tag} here")),
    }
}

/// Skips the case unless the mechanism is announced here and now.
pub(super) fn mechanism(s: &mut Talk<'_>, name: &str) -> Judged {
    let known = announced(s, "SASL")?.iter().any(|word| word.eq_ignore_ascii_case(name));
    if known { Ok(()) } else { skip(format!("the server does not announce the mechanism {name} here")) }
}

/// Sends a line; a challenge must come.
pub(super) fn challenge(s: &mut Talk<'_>, line: &str) -> Judged<Reply> {
    let reply = s.ask(line)?;
    if reply.is_ok() || reply.is_err() { fail("a challenge: +", reply.shown()) } else { Ok(reply) }
}

/// The response code at the start of the text, without its brackets.
pub(super) fn code(reply: &Reply) -> Option<String> {
    let text = reply.text();
    let (code, _) = text.strip_prefix('[')?.split_once(']')?;
    Some(code.to_ascii_uppercase())
}

/// What a challenge says.
pub(super) fn decoded(challenge: &Reply) -> Judged<Vec<u8>> {
    match Base64::decode_vec(&challenge.text()) {
        Ok(octets) => Ok(octets),
        Err(_) => fail("base64", challenge.shown()),
    }
}

/// The codes that RFCs define, with their brackets.
pub(super) const CODES: [&str; 6] = ["[LOGIN-DELAY]", "[IN-USE]", "[SYS/TEMP]", "[SYS/PERM]", "[AUTH]", "[UTF8]"];

/// Fails unless a text that begins with `[` is a response code: levels of at least one octet, parted by `/`.
pub(super) fn code_is_well_formed(reply: &Reply) -> Judged {
    let text = reply.text();
    let Some(rest) = text.strip_prefix('[') else { return Ok(()) };
    let level = |level: &str| !level.is_empty() && level.bytes().all(|octet| octet.is_ascii_graphic() && octet != b'[');
    match rest.split_once(']') {
        Some((code, _)) if code.split('/').all(level) => Ok(()),
        _ => fail("a response code, [level] or [level/level], where the text begins with [", reply.shown()),
    }
}

/// Skips the case if the server has closed the connection, as it may once a login has failed.
pub(super) fn still_open(s: &mut Talk<'_>) -> Judged {
    if s.is_closed() { skip("the server closes the connection once a login has failed") } else { Ok(()) }
}

/// Visible octets, shortened.
pub(super) fn shown(octets: &[u8]) -> String {
    escape(&octets[..octets.len().min(200)])
}
