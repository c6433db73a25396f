//! RFC 3206: the SYS and AUTH response codes.

use super::judge::each;
use super::rfc2449_08::refused;
use crate::case::ClientCase;

/// The cases, in the order of the text.
pub(super) const CASES: &[ClientCase] = &[
    ClientCase::must(
        "rfc3206/4/client-sys",
        "SYS/TEMP and SYS/PERM are told from each other, and from SYS alone",
        &["RFC3206-4-001"],
        |c| {
            let codes = [("[SYS/TEMP] x", "Temporary"), ("[SYS/PERM] x", "Permanent"), ("[SYS] x", "Unknown")];
            each(c, &codes, |c, (text, class)| refused(c, text, class))
        },
    ),
    ClientCase::must(
        "rfc3206/4/client-any-case",
        "Case is not significant at any level of the hierarchy",
        &["RFC3206-4-002"],
        |c| {
            let codes = [("[sys/Temp] x", "Temporary"), ("[Sys/pERM] x", "Permanent"), ("[auth] x", "Credentials")];
            each(c, &codes, |c, (text, class)| refused(c, text, class))
        },
    ),
    ClientCase::must(
        "rfc3206/4/client-system-error",
        "A system error says nothing against the credentials",
        &["RFC3206-4-006"],
        |c| refused(c, "[SYS/TEMP] the disk is away", "Temporary"),
    ),
    ClientCase::must(
        "rfc3206/5/client-auth-alone",
        "With AUTH-RESP-CODE only errors with the AUTH code are caused by the credentials",
        &["RFC3206-5-005"],
        |c| {
            let texts = [("[AUTH] nope", "Credentials"), ("nope", "Unknown"), ("wrong password", "Unknown")];
            each(c, &texts, |c, (text, class)| refused(c, text, class))
        },
    ),
];
