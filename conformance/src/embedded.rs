//! The exchanges that the RFCs print, compiled in.

use crate::transcript::{ParseError, Transcript};

/// Every embedded transcript as (file name, text), in the order of the RFCs' numbers and sections.
pub const FILES: &[(&str, &str)] = &[
    ("rfc1734-02-kerberos-v4.txt", include_str!("../transcripts/rfc1734-02-kerberos-v4.txt")),
    ("rfc1734-02-unknown-mechanism.txt", include_str!("../transcripts/rfc1734-02-unknown-mechanism.txt")),
    ("rfc1939-04-greeting.txt", include_str!("../transcripts/rfc1939-04-greeting.txt")),
    ("rfc1939-04-quit-authorization.txt", include_str!("../transcripts/rfc1939-04-quit-authorization.txt")),
    ("rfc1939-05-dele.txt", include_str!("../transcripts/rfc1939-05-dele.txt")),
    ("rfc1939-05-dele-again.txt", include_str!("../transcripts/rfc1939-05-dele-again.txt")),
    ("rfc1939-05-list-all.txt", include_str!("../transcripts/rfc1939-05-list-all.txt")),
    ("rfc1939-05-list-missing.txt", include_str!("../transcripts/rfc1939-05-list-missing.txt")),
    ("rfc1939-05-list-one.txt", include_str!("../transcripts/rfc1939-05-list-one.txt")),
    ("rfc1939-05-noop.txt", include_str!("../transcripts/rfc1939-05-noop.txt")),
    ("rfc1939-05-retr.txt", include_str!("../transcripts/rfc1939-05-retr.txt")),
    ("rfc1939-05-rset.txt", include_str!("../transcripts/rfc1939-05-rset.txt")),
    ("rfc1939-05-stat.txt", include_str!("../transcripts/rfc1939-05-stat.txt")),
    ("rfc1939-06-quit-empty.txt", include_str!("../transcripts/rfc1939-06-quit-empty.txt")),
    ("rfc1939-06-quit-left.txt", include_str!("../transcripts/rfc1939-06-quit-left.txt")),
    ("rfc1939-07-apop.txt", include_str!("../transcripts/rfc1939-07-apop.txt")),
    ("rfc1939-07-pass.txt", include_str!("../transcripts/rfc1939-07-pass.txt")),
    ("rfc1939-07-pass-locked.txt", include_str!("../transcripts/rfc1939-07-pass-locked.txt")),
    ("rfc1939-07-top.txt", include_str!("../transcripts/rfc1939-07-top.txt")),
    ("rfc1939-07-top-missing.txt", include_str!("../transcripts/rfc1939-07-top-missing.txt")),
    ("rfc1939-07-uidl-all.txt", include_str!("../transcripts/rfc1939-07-uidl-all.txt")),
    ("rfc1939-07-uidl-missing.txt", include_str!("../transcripts/rfc1939-07-uidl-missing.txt")),
    ("rfc1939-07-uidl-one.txt", include_str!("../transcripts/rfc1939-07-uidl-one.txt")),
    ("rfc1939-07-user.txt", include_str!("../transcripts/rfc1939-07-user.txt")),
    ("rfc1939-07-user-unknown.txt", include_str!("../transcripts/rfc1939-07-user-unknown.txt")),
    ("rfc1939-10-session.txt", include_str!("../transcripts/rfc1939-10-session.txt")),
    ("rfc2384-07-apop.txt", include_str!("../transcripts/rfc2384-07-apop.txt")),
    ("rfc2384-07-sasl.txt", include_str!("../transcripts/rfc2384-07-sasl.txt")),
    ("rfc2384-07-user-pass.txt", include_str!("../transcripts/rfc2384-07-user-pass.txt")),
    ("rfc2449-05-capa.txt", include_str!("../transcripts/rfc2449-05-capa.txt")),
    ("rfc2449-08-apop-in-use.txt", include_str!("../transcripts/rfc2449-08-apop-in-use.txt")),
    ("rfc2595-04-stls.txt", include_str!("../transcripts/rfc2595-04-stls.txt")),
    ("rfc2595-04-stls-again.txt", include_str!("../transcripts/rfc2595-04-stls-again.txt")),
    ("rfc5034-03-capa.txt", include_str!("../transcripts/rfc5034-03-capa.txt")),
    ("rfc5034-06-digest-md5.txt", include_str!("../transcripts/rfc5034-06-digest-md5.txt")),
    ("rfc5034-06-plain-empty-challenge.txt", include_str!("../transcripts/rfc5034-06-plain-empty-challenge.txt")),
    ("rfc5034-06-plain-initial-response.txt", include_str!("../transcripts/rfc5034-06-plain-initial-response.txt")),
    ("rfc6856-3.3-lang-es.txt", include_str!("../transcripts/rfc6856-3.3-lang-es.txt")),
    ("rfc6856-3.3-lang-list.txt", include_str!("../transcripts/rfc6856-3.3-lang-list.txt")),
    ("rfc6856-3.3-lang-list-fail.txt", include_str!("../transcripts/rfc6856-3.3-lang-list-fail.txt")),
    ("rfc6856-3.3-lang-sv-default.txt", include_str!("../transcripts/rfc6856-3.3-lang-sv-default.txt")),
    ("rfc6856-3.3-lang-uga.txt", include_str!("../transcripts/rfc6856-3.3-lang-uga.txt")),
    ("rfc6856-3.3-lang-unknown.txt", include_str!("../transcripts/rfc6856-3.3-lang-unknown.txt")),
    ("rfc6856-3.3-login.txt", include_str!("../transcripts/rfc6856-3.3-login.txt")),
];

/// Every embedded transcript, parsed.
///
/// # Errors
///
/// [`ParseError`] for a file that is no transcript; the tests see to it that none is left.
pub fn transcripts() -> Result<Vec<Transcript>, ParseError> {
    FILES.iter().map(|(file, text)| Transcript::parse(file, text)).collect()
}
