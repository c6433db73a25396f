//! The report as JUnit XML, which every CI system shows.

use super::{Run, human, section};
use crate::run::Outcome;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

/// The report as JUnit XML: a suite for each section and role, a test case for each case and peer.
///
/// # Errors
///
/// The library's words.
pub fn report(run: &Run<'_>) -> Result<String, String> {
    let mut report = Report::new(format!("pop3-conformance {}", run.subject));
    for (name, role, _) in run.sections() {
        let mut suite = TestSuite::new(format!("{name} {}", role.word()));
        for result in run.results.iter().filter(|result| result.role == role && section(result.id) == name) {
            let mut status = match &result.outcome {
                _ if result.fails(run.strict) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(match result.outcome.difference() {
                        Some(difference) => format!("expected {}, got {}", difference.expected, difference.got),
                        None => "a known deviation did not show".to_owned(),
                    });
                    status.set_type(result.level.word());
                    let dialogue = result.dialogue.lines().join("\n");
                    status.set_description(format!("{}\n{dialogue}", human::explanation(run, result)));
                    status
                }
                Outcome::Skipped(_) => TestCaseStatus::skipped(),
                _ => TestCaseStatus::success(),
            };
            if let Outcome::Skipped(why) = &result.outcome {
                status.set_message(why.as_str());
            }
            let mut case = TestCase::new(format!("{} ({})", result.id, result.peer), status);
            case.set_classname(name.replace('/', ".")).set_time(result.took);
            match (&result.outcome, &result.expected) {
                (Outcome::Fail(_) | Outcome::Warn(_), Some(reason)) => {
                    case.set_system_out(format!("known deviation: {reason}"));
                }
                (Outcome::Warn(difference), None) if !run.strict => {
                    let words = format!("warning: expected {}, got {}", difference.expected, difference.got);
                    case.set_system_out(words);
                }
                (Outcome::Note(words), _) => {
                    case.set_system_out(format!("note: {words}"));
                }
                _ => {}
            }
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().map_err(|error| error.to_string())
}
