//! Known deviations of a product, each with its reason.
//!
//! ```toml
//! [[expected]]
//! case = "rfc1939/7/pass-immediately"
//! peer = "tcp"          # only there; without it, everywhere
//! reason = "the product keeps the user's name, see its issue 123"
//! ```

use crate::run::{Outcome, Result as RunResult};
use serde::Deserialize;

/// One known deviation.
///
/// ```
/// use pop3_conformance::expectations::Expectations;
///
/// let text = "[[expected]]\ncase = \"rfc1939/5/noop\"\npeer = \"tcp\"\nreason = \"issue 123\"\n";
/// # let text = &text.replace("rfc1939/5/noop", pop3_conformance::server_cases::all().next().unwrap().id);
/// let known = &Expectations::parse(text)?.expected[0];
/// assert_eq!((known.peer.as_deref(), known.reason.as_str()), (Some("tcp"), "issue 123"));
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expected {
    /// The case's id.
    pub case: String,
    /// On which peer; everywhere, if it is not there.
    pub peer: Option<String>,
    /// Why it is so.
    pub reason: String,
}

/// The known deviations.
///
/// ```
/// use pop3_conformance::expectations::Expectations;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let mut results = suite::run(&Case::selected("rfc1939/5/stat"), &Ours::in_memory()[..1], 1, &|| {});
/// let text = format!("[[expected]]\ncase = \"{}\"\nreason = \"it counts wrongly\"\n", results[0].id);
/// let known = Expectations::parse(&text)?;
/// results.iter_mut().for_each(|result| known.apply(result));
/// // It was expected to fail, and passed: the file is not true any more, and the run fails.
/// assert!(results[0].is_unexpected_pass() && results[0].fails(false));
///
/// // A deviation without a reason, or of a case that there is not, is refused.
/// assert!(Expectations::parse("[[expected]]\ncase = \"rfc1939/5/no-such-case\"\nreason = \"?\"\n").is_err());
/// # Ok::<(), String>(())
/// ```
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Expectations {
    /// In the order of the file.
    #[serde(default)]
    pub expected: Vec<Expected>,
}

impl Expectations {
    /// Reads an expectations file.
    ///
    /// # Errors
    ///
    /// What is wrong with it: its form, an empty reason, a case that there is not.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parsed: Self = toml::from_str(text).map_err(|error| error.to_string())?;
        for expected in &parsed.expected {
            if expected.reason.trim().is_empty() {
                return Err(format!("{}: a known deviation needs a reason", expected.case));
            }
            let known =
                crate::server_cases::all().map(|case| case.id).chain(crate::client_cases::all().map(|case| case.id));
            if !known.into_iter().any(|id| id == expected.case) {
                return Err(format!("there is no case {}", expected.case));
            }
        }
        Ok(parsed)
    }

    /// Notes on a result whether it was expected; whoever was expected to fail and passes is told so.
    pub fn apply(&self, result: &mut RunResult) {
        let fits = |expected: &&Expected| {
            expected.case == result.id && expected.peer.as_ref().is_none_or(|peer| *peer == result.peer)
        };
        let Some(expected) = self.expected.iter().find(fits) else { return };
        result.expected = Some(expected.reason.clone());
    }
}

impl RunResult {
    /// A known deviation that did not show.
    #[must_use]
    pub fn is_unexpected_pass(&self) -> bool {
        self.expected.is_some() && matches!(self.outcome, Outcome::Pass | Outcome::Note(_))
    }

    /// Whether it fails the run.
    #[must_use]
    pub fn fails(&self, strict: bool) -> bool {
        match self.outcome {
            Outcome::Fail(_) => self.expected.is_none(),
            Outcome::Warn(_) => strict && self.expected.is_none(),
            _ => self.is_unexpected_pass(),
        }
    }
}
