//! The examples of docs/transcripts.md are what they say.

mod serving;

use pop3_conformance::peer::house::{House, Our};
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/transcripts.md")).unwrap()
}

/// The first block of the page that begins like that.
fn block(begins: &str) -> String {
    let page = page();
    let found = page.split("```").map(|part| part.trim_start_matches("text\n")).find(|part| part.starts_with(begins));
    found.unwrap_or_else(|| panic!("no block begins with {begins}")).to_owned()
}

fn file(name: &str, text: &str) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, text).unwrap();
    path
}

fn replay(path: &Path, more: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_pop3-conformance")).arg("replay").arg(path).args(more).output().unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_example_replays_on_our_machines_and_against_a_live_server() {
    let path = file("list-deleted.txt", &block("# shows: LIST of a message"));
    let output = replay(&path, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains("2 passed"), "{}", said(&output));

    let mut house = House::default();
    house.messages.truncate(2);
    // The tool looks whether two sessions are served at a time.
    let address = serving::listen(Our::new(house), |session| session);
    let password = file("transcripts-password", "tanstaaf\n");
    let access = ["--against", &address, "--user", "mrose", "--password-file", password.to_str().unwrap()];
    let output = replay(&path, &[&access[..], &["--allow-delete"]].concat());
    assert_eq!((output.status.code(), said(&output).starts_with("pass ")), (Some(0), true), "{}", said(&output));
    let output = replay(&path, &access);
    assert_eq!((output.status.code(), said(&output).starts_with("skip ")), (Some(0), true), "{}", said(&output));

    // Line 9 of the file, if the server lists what is deleted: here, if the file says that it does.
    let wrong = block("# shows: LIST of a message").replace("-ERR no such message", "+OK 1 120");
    let output = replay(&file("list-deleted-wrong.txt", &wrong), &[&access[..], &["--allow-delete"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("in line 9\n    expected  +OK 1 120\n    got       -ERR"), "{}", said(&output));
}

#[test]
fn what_is_no_transcript_is_refused_with_the_file_and_the_line_that_the_page_shows() {
    let right = block("# shows: LIST of a message");
    let line = |number: usize, by: &str| {
        let mut lines: Vec<_> = right.lines().collect();
        lines[number - 1] = by;
        lines.join("\n")
    };
    let edits = [line(6, "DELE 1"), line(8, "C: LIST \\1"), line(7, "C: NOOP")];
    let shown = block("pop3-conformance: list-deleted.txt:6");
    for (text, words) in edits.iter().zip(shown.lines()) {
        let words = words.strip_prefix("pop3-conformance: list-deleted.txt").unwrap();
        let path = file("list-deleted-broken.txt", text);
        let output = replay(&path, &[]);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let expected = format!("pop3-conformance: {}{words}\n", path.display());
        assert_eq!(said(&output), expected);
    }
}

#[test]
fn the_page_names_every_key_and_every_kind_of_line() {
    let page = page();
    for words in ["start-state", "end-state", "maildrop", "setup", "needs", "shows", "source", "rfc-lines", "note"] {
        assert!(page.contains(&format!("`{words}`")), "{words}");
    }
    for words in ["`C: text`", "`C\\| text`", "`S~ <words>`", "`C@ words`", "`!tls words`"] {
        assert!(page.contains(words), "{words}");
    }
}
