//! The catalogue of requirements: what the RFCs demand, sentence by sentence, and how each can be checked.

use serde::Deserialize;
use std::sync::OnceLock;

/// The catalogue's text, compiled in.
pub const TEXT: &str = include_str!("../requirements.toml");

/// One sentence of an RFC.
///
/// ```
/// use pop3_conformance::catalogue;
///
/// let requirement = catalogue::requirement("RFC1939-5-026").expect("one of the 453");
/// assert_eq!(requirement.place(), "RFC 1939 section 5");
/// println!("{} {}: {}", requirement.level, requirement.id, requirement.quote);
/// assert!(catalogue::requirements().iter().any(|other| other.section == requirement.section));
/// ```
#[derive(Clone, Debug, Deserialize)]
pub struct Requirement {
    /// `RFC1939-5-001`: the RFC, the section, and a running number.
    pub id: String,
    /// The RFC's number.
    pub rfc: u32,
    /// The section.
    pub section: String,
    /// `MUST`, `MUST NOT`, `SHOULD`, `SHOULD NOT` or `MAY`.
    pub level: String,
    /// `server`, `client` or `both`: who can violate it.
    pub role: String,
    /// `wire-server`, `wire-client`, `library` or `policy`: where it can be seen.
    pub testable: String,
    /// 1 for what is demanded of everybody, 2 for the rest, 3 for what no machine can check.
    pub tier: u8,
    /// The requirement in our words.
    pub text: String,
    /// The RFC's own words.
    pub quote: String,
    /// How it is checked.
    pub check: String,
    /// What the peer must announce for it to apply.
    #[serde(default)]
    pub requires: Vec<String>,
    /// Why it cannot be checked.
    #[serde(default)]
    pub why: String,
    /// How a later RFC has changed it.
    #[serde(default)]
    pub status: String,
}

#[derive(Deserialize)]
struct Catalogue {
    requirement: Vec<Requirement>,
}

impl Requirement {
    /// Whether a case must cover it: it is demanded of everybody and shows on a wire or in a library.
    #[must_use]
    pub fn wants_a_case(&self) -> bool {
        self.tier == 1 && self.testable != "policy"
    }

    /// "RFC 1939 section 5".
    #[must_use]
    pub fn place(&self) -> String {
        format!("RFC {} section {}", self.rfc, self.section)
    }
}

/// All requirements, in the catalogue's order.
///
/// # Panics
///
/// If the text that is compiled in is no catalogue, which a test rules out.
#[must_use]
pub fn requirements() -> &'static [Requirement] {
    static PARSED: OnceLock<Vec<Requirement>> = OnceLock::new();
    PARSED.get_or_init(|| toml::from_str::<Catalogue>(TEXT).expect("the embedded catalogue parses").requirement)
}

/// The requirement of that id.
#[must_use]
pub fn requirement(id: &str) -> Option<&'static Requirement> {
    requirements().iter().find(|requirement| requirement.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn the_catalogue_parses_and_every_id_stands_once() {
        let ids: BTreeSet<_> = requirements().iter().map(|requirement| &requirement.id).collect();
        assert_eq!((ids.len(), requirements().len()), (453, 453));
    }

    #[test]
    fn what_no_machine_can_check_says_why() {
        for requirement in requirements().iter().filter(|requirement| requirement.testable == "policy") {
            assert!(!requirement.why.is_empty(), "{}", requirement.id);
        }
    }
}
