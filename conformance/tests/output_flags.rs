//! What the flags say is what is done: reports, levels, expectations, colours, exit status.
//!
//! The server under test is our own; where a test asks for that, it says `-err` in lower case.

mod serving;

use pop3_conformance::peer::house::{self, House, Our};
use pop3_conformance::peer::wire::Endpoint;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::OnceLock;

fn program() -> Command {
    Command::new(env!("CARGO_BIN_EXE_pop3-conformance"))
}

fn out(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn path(name: &str) -> String {
    PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name).to_str().unwrap().to_owned()
}

fn file(name: &str, text: &str) -> String {
    let path = path(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// What is wrong with a server.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Nothing,
    /// It answers `-err`, which RFC 1939 §3 forbids.
    LowerCase,
    /// It says something behind the answer to QUIT, which RFC 8314 §3.4 advises against.
    LastWord,
}

struct Server(house::Session, Wrong);

impl Endpoint for Server {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let before = out.len();
        self.0.take(octets, out);
        if self.1 == Wrong::LowerCase && out[before..].starts_with(b"-ERR") {
            out[before..before + 4].copy_from_slice(b"-err");
        }
        if self.1 == Wrong::LastWord && octets == b"QUIT\r\n" {
            out.extend_from_slice(b"+OK bye\r\n");
        }
    }

    fn handle_eof(&mut self) {
        self.0.handle_eof();
    }

    fn wants_tls(&self) -> bool {
        self.0.wants_tls()
    }

    fn tls_established(&mut self, out: &mut Vec<u8>) {
        self.0.tls_established(out);
    }

    fn is_over(&self) -> bool {
        self.0.is_over()
    }
}

/// Where a server listens for as long as the test runs.
fn listen(wrong: Wrong) -> String {
    serving::listen(Our::new(House::default()), move |session| Server(session, wrong))
}

/// Runs the tool on a server, with these arguments behind the usual ones.
fn check(address: &str, more: &[&str]) -> Output {
    static PASSWORD: OnceLock<String> = OnceLock::new();
    let password = PASSWORD.get_or_init(|| file("flags-password", "tanstaaf\n"));
    let mut program = program();
    program.args(["server", address, "--user", "mrose", "--password-file", password]).args(more);
    program.output().unwrap()
}

/// A case that our server passes and that with [`Wrong::LowerCase`] fails.
const CASE: &str = "rfc1939/5/retr-unknown";

#[test]
fn a_failing_case_says_the_rfcs_words_what_was_sent_expected_and_got_and_how_to_run_it_alone() {
    let address = listen(Wrong::LowerCase);
    let output = check(&address, &["--only", CASE]);
    let text = out(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    for words in [
        &format!("FAIL {} [MUST, server, {address}]", CASE),
        "    RFC 1939 section ",
        "    sent      ",
        "    expected  ",
        "    got       -err",
        &format!("    again:    pop3-conformance --only {} server {address} --user mrose", CASE),
        "      S: -err",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
    // What it says under "again" does the same again, as it stands.
    let again = text.lines().find_map(|line| line.trim().strip_prefix("again:    pop3-conformance ")).unwrap();
    let words: Vec<_> = again.split(' ').collect();
    let output = program().args(&words).output().unwrap();
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(out(&output).contains("1 cases, 0 passed, 1 failed"), "{}", out(&output));
}

#[test]
fn every_report_is_written_and_tells_of_the_failure() {
    let address = listen(Wrong::LowerCase);
    let names = ["junit", "json", "markdown", "html"].map(|kind| (format!("--{kind}"), path(&format!("flags.{kind}"))));
    let mut arguments = vec!["--only", CASE];
    arguments.extend(names.iter().flat_map(|(flag, path)| [flag.as_str(), path.as_str()]));
    assert_eq!(check(&address, &arguments).status.code(), Some(1));
    let read = |at: usize| std::fs::read_to_string(&names[at].1).unwrap();
    assert!(read(0).contains("failures=\"1\"") && read(0).contains(CASE), "{}", read(0));
    let json: serde_json::Value = serde_json::from_str(&read(1)).unwrap();
    assert_eq!((&json["results"][0]["outcome"], &json["conforms"]), (&"fail".into(), &false.into()));
    assert!(read(2).contains(&format!("## failure: `{}`", CASE)), "{}", read(2));
    assert!(read(3).contains("does not conform") && read(3).contains(CASE));
    // A place that nothing can be written to is no result.
    let output = check(&address, &["--only", CASE, "--json", &path("no/such/directory.json")]);
    assert_eq!(output.status.code(), Some(3));
}

#[test]
fn a_known_deviation_passes_and_one_that_does_not_show_fails() {
    let reason = "the status is in lower case, issue 7";
    let known = file("flags-known.toml", &format!("[[expected]]\ncase = {:?}\nreason = {reason:?}\n", CASE));
    let arguments = ["--only", CASE, "--expectations", &known];
    let output = check(&listen(Wrong::LowerCase), &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("known ") && out(&output).contains(reason), "{}", out(&output));
    let output = check(&listen(Wrong::Nothing), &arguments);
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(out(&output).contains("UNEXPECTED PASS"), "{}", out(&output));
    // A case that there is not, and a reason that is none, are mistakes of whoever wrote the file.
    for text in ["[[expected]]\ncase = \"rfc1939/5/nothing\"\nreason = \"x\"\n", "[[expected]]\n"] {
        let wrong = file("flags-wrong.toml", text);
        let output = check(&listen(Wrong::Nothing), &["--only", CASE, "--expectations", &wrong]);
        assert_eq!(output.status.code(), Some(3), "{}", out(&output));
    }
}

#[test]
fn strict_makes_a_warning_a_failure() {
    let address = listen(Wrong::LastWord);
    let arguments = ["--only", "rfc8314/3.4/closed-in-order", "--stls", "--insecure"];
    let output = check(&address, &arguments);
    assert_eq!(output.status.code(), Some(0), "{}", out(&output));
    assert!(out(&output).contains("warn rfc8314/3.4") && out(&output).contains("1 warnings"), "{}", out(&output));
    let output = check(&address, &[&arguments[..], &["--strict"]].concat());
    assert_eq!(output.status.code(), Some(1), "{}", out(&output));
    assert!(out(&output).contains("0 passed, 1 failed"), "{}", out(&output));
}

#[test]
fn list_names_the_cases_of_the_role_and_prefix_and_runs_none() {
    let nowhere = "127.0.0.1:9";
    let output = check(nowhere, &["--list", "--only", "rfc1939/5/dele"]);
    assert_eq!(output.status.code(), Some(0));
    let text = out(&output);
    assert!(text.lines().count() > 1 && text.lines().all(|line| line.starts_with("rfc1939/5/dele")), "{text}");
    let output = program().args(["client", "--list", "--only", "group/6", "--", "true"]).output().unwrap();
    assert!(out(&output).lines().all(|line| line.starts_with("group/6/client-")), "{}", out(&output));
}

#[test]
fn quiet_verbose_and_usual_say_less_more_and_enough() {
    let address = listen(Wrong::Nothing);
    let lines = |flag: &[&str]| {
        let output = check(&address, &[&["--only", "rfc1939/5/stat"], flag].concat());
        assert_eq!(output.status.code(), Some(0), "{}", out(&output));
        out(&output)
    };
    let (quiet, usual, verbose) = (lines(&["--quiet"]), lines(&[]), lines(&["--verbose"]));
    assert_eq!(quiet.lines().count(), 1, "{quiet}");
    assert!(usual.contains("section ") && !usual.contains("pass rfc1939"), "{usual}");
    assert!(verbose.contains("pass rfc1939/5/stat"), "{verbose}");
    let output = check(&address, &["--quiet", "--verbose"]);
    assert_eq!(output.status.code(), Some(2));
}

/// On a terminal, which `script` makes, there are colours and a bar; `NO_COLOR` takes the colours away.
#[test]
fn colours_are_for_terminals_and_not_with_no_color() {
    let run = |variable: &[(&str, &str)]| {
        let mut script = Command::new("script");
        let command = format!("{} --only rfc1939/5/stat", env!("CARGO_BIN_EXE_pop3-conformance"));
        script.args(["-qec", &command, "/dev/null"]).envs(variable.iter().copied()).env_remove("CI");
        script.env("TERM", "xterm").output().map(|output| out(&output))
    };
    let Ok(coloured) = run(&[("NO_COLOR", "")]) else {
        eprintln!("SKIPPED: no program `script` here, which makes a terminal");
        return;
    };
    assert!(coloured.contains("\x1b[32m"), "{coloured:?}");
    assert!(coloured.contains(" cases, "), "{coloured:?}");
    let plain = run(&[("NO_COLOR", "1")]).unwrap();
    assert!(!plain.contains("\x1b[32m") && !plain.contains("\x1b[1m"), "{plain:?}");
    let output = program().args(["--only", "rfc1939/5/stat"]).output().unwrap();
    assert!(!out(&output).contains('\x1b'), "{}", out(&output));
}

#[test]
fn a_time_limit_is_a_positive_number_of_seconds_and_is_kept() {
    for wrong in ["0", "-1", "soon", "inf"] {
        let output = check("127.0.0.1:9", &[&format!("--timeout={wrong}")]);
        assert_eq!(output.status.code(), Some(2), "{wrong}");
    }
    // A server that never says anything: nothing can be run, and the tool does not wait for ever.
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let output = check(&address, &["--timeout", "0.2"]);
    assert_eq!(output.status.code(), Some(3));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(words.contains("nothing within 0.2 s"), "{words}");
}
