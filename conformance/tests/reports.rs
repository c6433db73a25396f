//! The reports: what they say of a pass, a failure, a warning, a note, a known deviation and a skipped case.

use pop3_conformance::case::{Dialogue, Entry, Level, Role, Who};
use pop3_conformance::expectations::Expectations;
use pop3_conformance::output::human::{Colours, Volume};
use pop3_conformance::output::{Run, html, human, json, junit, markdown};
use pop3_conformance::run::{Difference, Outcome, Result as RunResult};
use std::time::Duration;

fn result(id: &'static str, level: Level, outcome: Outcome) -> RunResult {
    let entry = |who, octets: &[u8]| Entry { session: 1, who, octets: octets.to_vec() };
    RunResult {
        id,
        title: "RETR of a message marked as deleted is refused",
        requirements: &["RFC1939-5-022"],
        level,
        role: Role::Server,
        peer: "127.0.0.1:110".to_owned(),
        outcome,
        expected: None,
        dialogue: Dialogue {
            entries: vec![entry(Who::Client, b"RETR 1\r\n"), entry(Who::Server, b"+OK <b>&\x00\r\n")],
        },
        took: Duration::from_millis(3),
    }
}

fn difference() -> Difference {
    Difference { expected: "-ERR".to_owned(), got: "+OK <b>&".to_owned(), sent: "RETR 1\\r\\n".to_owned() }
}

fn results() -> Vec<RunResult> {
    vec![
        result("rfc1939/5/pass", Level::Must, Outcome::Pass),
        result("rfc1939/5/fail", Level::Must, Outcome::Fail(difference())),
        result("rfc1939/5/warn", Level::Should, Outcome::Warn(difference())),
        result("rfc1939/6/note", Level::Quirk, Outcome::Note("lenient: QUIT now".to_owned())),
        result("rfc1939/6/skip", Level::Must, Outcome::Skipped("the server does not announce TOP".to_owned())),
    ]
}

fn run(results: &[RunResult]) -> Run<'_> {
    let command = "pop3-conformance server 127.0.0.1:110 --user mrose";
    Run { subject: "127.0.0.1:110", command, strict: false, results }
}

#[test]
fn a_failure_is_told_with_the_rfcs_words_what_was_sent_expected_and_got_and_how_to_see_it_again() {
    let results = results();
    let text = human::report(&run(&results), Volume::Usual, Colours::Off);
    for words in [
        "FAIL rfc1939/5/fail [MUST, server, 127.0.0.1:110]",
        "RFC 1939 section 5 (RFC1939-5-022): \"",
        "sent      RETR 1\\r\\n",
        "expected  -ERR",
        "got       +OK <b>&",
        "again:    pop3-conformance --only rfc1939/5/fail server 127.0.0.1:110 --user mrose",
        "      C: RETR 1\\r\\n",
        "      S: +OK <b>&\\x00\\r\\n",
        "warn rfc1939/5/warn",
        "note rfc1939/6/note [quirk, server, 127.0.0.1:110]: lenient: QUIT now",
        "skipped 1: the server does not announce TOP",
        "5 cases, 2 passed, 1 failed, 1 skipped, 1 warnings, 1 with a note",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("pass rfc1939/5/pass") && !text.contains('\x1b'), "{text}");
    assert!(human::report(&run(&results), Volume::Usual, Colours::On).contains("\x1b[31mFAIL\x1b[0m"));
}

#[test]
fn what_several_peers_do_alike_is_told_once_and_verbose_tells_it_of_each() {
    let words = |outcome: Outcome| {
        let peers = ["tcp", "tls", "memory"];
        let results = peers.map(|peer| {
            let result = result("rfc1939/5/one", Level::Must, outcome.clone());
            RunResult { peer: peer.to_owned(), ..result }
        });
        let text = human::report(&run(&results), Volume::Usual, Colours::Off);
        let verbose = human::report(&run(&results), Volume::Verbose, Colours::Off);
        assert_eq!(verbose.matches("rfc1939/5/one [MUST").count(), 3, "{verbose}");
        assert_eq!(text.matches("rfc1939/5/one [MUST").count(), 1, "{text}");
        let mut part = results[..2].to_vec();
        part.push(RunResult { outcome: Outcome::Pass, ..results[2].clone() });
        (text, human::report(&run(&part), Volume::Usual, Colours::Off))
    };
    let (all, part) = words(Outcome::Fail(difference()));
    assert!(all.contains("FAIL rfc1939/5/one [MUST, server, everywhere]"), "{all}");
    assert!(all.contains("    said on tcp:\n      C: RETR 1\\r\\n"), "{all}");
    assert!(part.contains("FAIL rfc1939/5/one [MUST, server, tcp; tls]"), "{part}");
    let (all, part) = words(Outcome::Note("x".repeat(400)));
    assert!(all.contains(&format!("everywhere]: {}...\n", "x".repeat(160))), "{all}");
    assert!(part.contains("[MUST, server, tcp; tls]: x"), "{part}");
}

#[test]
fn sections_stand_in_the_order_of_the_rfcs_and_their_numbers() {
    let ids = ["fault/greeting/a", "group/2/a", "rfc2449/6.6/a", "rfc1939/10/a", "rfc1939/9/a", "fault/capa/a"];
    let results = ids.map(|id| result(id, Level::Must, Outcome::Pass));
    let sections: Vec<_> = run(&results).sections().into_iter().map(|(section, ..)| section).collect();
    assert_eq!(sections, ["rfc1939/9", "rfc1939/10", "rfc2449/6.6", "group/2", "fault/greeting", "fault/capa"]);
}

#[test]
fn quiet_tells_what_failed_and_the_total_and_verbose_tells_all() {
    let results = results();
    let quiet = human::report(&run(&results), Volume::Quiet, Colours::Off);
    assert!(quiet.starts_with("FAIL rfc1939/5/fail") && !quiet.contains("warn rfc1939"), "{quiet}");
    let verbose = human::report(&run(&results), Volume::Verbose, Colours::Off);
    for words in ["pass rfc1939/5/pass", "skip rfc1939/6/skip"] {
        assert!(verbose.contains(words), "{verbose}");
    }
}

#[test]
fn only_failures_and_with_strict_warnings_fail_the_run() {
    let results = results();
    assert!(!run(&results).totals().conforms());
    let without = [&results[..1], &results[2..]].concat();
    assert!(run(&without).totals().conforms());
    assert!(!Run { strict: true, ..run(&without) }.totals().conforms());
}

#[test]
fn json_says_the_same_in_fields() {
    let results = results();
    let parsed: serde_json::Value = serde_json::from_str(&json::report(&run(&results))).unwrap();
    assert_eq!(parsed["version"], 1);
    assert_eq!(parsed["conforms"], false);
    assert_eq!(parsed["totals"]["failed"], 1);
    let failed = &parsed["results"][1];
    assert_eq!((&failed["outcome"], &failed["fails"]), (&"fail".into(), &true.into()));
    assert_eq!((&failed["expected"], &failed["got"]), (&"-ERR".into(), &"+OK <b>&".into()));
    assert_eq!(failed["requirements"][0], "RFC1939-5-022");
    assert_eq!(failed["dialogue"][1], "S: +OK <b>&\\x00\\r\\n");
    assert_eq!(parsed["results"][4]["reason"], "the server does not announce TOP");
}

#[test]
fn junit_counts_failures_and_skipped_cases_and_escapes_what_came() {
    let results = results();
    let text = junit::report(&run(&results)).unwrap();
    assert!(text.contains("tests=\"5\" failures=\"1\""), "{text}");
    assert!(text.contains("<testsuite name=\"rfc1939/5 server\" tests=\"3\""), "{text}");
    assert!(text.contains("expected -ERR, got +OK &lt;b&gt;&amp;"), "{text}");
    assert!(text.contains("<skipped message=\"the server does not announce TOP\""), "{text}");
}

#[test]
fn markdown_names_what_is_no_pass() {
    let results = results();
    let text = markdown::report(&run(&results));
    for words in ["does not conform", "## failure: `rfc1939/5/fail`", "## warning:", "## note:", "expected  -ERR"] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    assert!(!text.contains("rfc1939/5/pass"), "{text}");
}

#[test]
fn the_page_needs_nothing_else_and_what_came_is_no_markup_in_it() {
    let results = results();
    let page = html::report(&run(&results));
    assert!(!page.contains("http://") && !page.contains("https://") && !page.contains("<b>&"), "{page}");
    assert_eq!(page.matches("<tr class=\"case\"").count(), 5);
    let shown = "S: +OK \\u003cb>&\\\\x00";
    for words in ["data-words=\"fail\"", "data-level=\"MUST\"", shown, "RFC1939-5-022", "<option>SHOULD"] {
        assert!(page.contains(words), "{words}");
    }
}

#[test]
fn a_known_deviation_does_not_fail_the_run_and_one_that_does_not_show_does() {
    let case = pop3_conformance::server_cases::all().next().unwrap().id;
    let text = format!("[[expected]]\ncase = {case:?}\nreason = \"issue 123\"\n");
    let expectations = Expectations::parse(&text).unwrap();

    let mut known = [result(case, Level::Must, Outcome::Fail(difference()))];
    known.iter_mut().for_each(|result| expectations.apply(result));
    assert!(run(&known).totals().conforms());
    let shown = human::report(&run(&known), Volume::Usual, Colours::Off);
    assert!(shown.contains("known") && shown.contains(": issue 123"), "{shown}");

    let mut gone = [result(case, Level::Must, Outcome::Pass)];
    gone.iter_mut().for_each(|result| expectations.apply(result));
    assert!(!run(&gone).totals().conforms());
    let shown = human::report(&run(&gone), Volume::Quiet, Colours::Off);
    assert!(shown.contains("UNEXPECTED PASS"), "{shown}");
}

#[test]
fn a_known_deviation_needs_a_reason_and_a_case_that_there_is() {
    assert!(Expectations::parse("[[expected]]\ncase = \"rfc1939/5/nothing\"\nreason = \"x\"\n").is_err());
    let case = pop3_conformance::server_cases::all().next().unwrap().id;
    assert!(Expectations::parse(&format!("[[expected]]\ncase = {case:?}\nreason = \" \"\n")).is_err());
    assert!(Expectations::parse(&format!("[[expected]]\ncase = {case:?}\n")).is_err());
}
