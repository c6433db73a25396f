//! The program itself: its exit status, its table, and what it says of a difference.

use std::path::PathBuf;
use std::process::{Command, Output};

fn run(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pop3-conformance")).args(arguments).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn err(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A file of the test's own.
fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

#[test]
fn a_part_of_the_self_check_passes_and_prints_a_table_without_colours() {
    let output = run(&["--only", "rfc1939-05-l"]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("transcript "), "{text}");
    for line in ["rfc1939-05-list-all      server", "rfc1939-05-list-all      client"] {
        assert!(text.contains(line), "{text}");
    }
    assert!(text.contains("3 transcripts, 6 replays in "), "{text}");
    assert!(text.contains(": 6 passed, 0 failed, 0 skipped"), "{text}");
    assert!(!text.contains('\x1b'), "{text:?}");
}

#[test]
fn what_is_skipped_says_why_and_is_not_counted_as_passed() {
    let text = out(&run(&["--only", "rfc2595-04-stls-again"]));
    assert!(text.contains("skipped: the client does not send STLS when TLS is on"), "{text}");
    assert!(text.contains(": 1 passed, 0 failed, 1 skipped"), "{text}");
}

#[test]
fn quiet_prints_the_total_alone() {
    let text = out(&run(&["--quiet", "--only", "rfc1939-04"]));
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(text.starts_with("2 transcripts, 4 replays"), "{text}");
}

#[test]
fn list_names_every_transcript_and_every_case_and_runs_none() {
    let output = run(&["--list"]);
    assert_eq!(output.status.code(), Some(0));
    let cases = pop3_conformance::server_cases::all().count() + pop3_conformance::client_cases::all().count();
    assert_eq!(out(&output).lines().count(), pop3_conformance::embedded::FILES.len() + cases);
    assert!(out(&output).contains("RETR multi-line response"));
}

#[test]
fn a_prefix_that_nothing_has_and_an_unknown_argument_are_usage_errors() {
    let output = run(&["--only", "rfc9999"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(err(&output).contains("no case's and no transcript's name begins with \"rfc9999\""));
    assert_eq!(run(&["--nonsense"]).status.code(), Some(2));
}

#[test]
fn a_difference_is_shown_with_its_place_and_the_exit_status_is_1() {
    let text = "# start-state: TRANSACTION\n# end-state: TRANSACTION\n\nC: STAT\nS: +0K 2 320\n";
    let path = file("difference.txt", text);
    let output = run(&["replay", path.to_str().unwrap()]);
    let shown = out(&output);
    assert_eq!(output.status.code(), Some(1), "{shown}");
    assert!(shown.contains("FAILED in line 5"), "{shown}");
    assert!(shown.contains("expected  +0K 2 320\\r\\n\n"), "{shown}");
    assert!(shown.contains("got       -ERR 2 320\\r\\n\n"), "{shown}");
    assert!(shown.contains("0 passed, 2 failed"), "{shown}");
}

#[test]
fn what_is_no_transcript_and_a_file_that_is_not_there_could_not_be_run() {
    let path = file("broken.txt", "# start-state: TRANSACTION\n# end-state: TRANSACTION\n\nC: STAT\nX: +OK\n");
    let output = run(&["replay", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("broken.txt:5: the line begins with none of C: S:"), "{}", err(&output));

    let output = run(&["replay", "not-there.txt"]);
    assert_eq!(output.status.code(), Some(3));
    assert!(err(&output).contains("not-there.txt"), "{}", err(&output));
}
