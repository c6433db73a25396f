//! The examples of docs/conformance.md are what they say.

use pop3_conformance::case::ServerCase;
use pop3_conformance::catalogue;
use pop3_conformance::expectations::Expectations;
use pop3_conformance::peer::Upgrade;
use pop3_conformance::peer::memory::Memory;
use pop3_conformance::run::{self, Outcome};
use std::path::Path;
use std::process::Command;

fn page() -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/conformance.md")).unwrap()
}

/// The words of the page's blocks in one language.
fn blocks<'p>(page: &'p str, language: &str) -> Vec<&'p str> {
    let begin = format!("```{language}\n");
    page.split(&*begin).skip(1).map(|rest| rest.split("```").next().unwrap()).collect()
}

/// The page's example of a case.
#[rustfmt::skip]
const EXAMPLE: ServerCase =
ServerCase::must(
    "rfc1939/5/noop-twice",
    "NOOP is answered +OK, however often it comes",
    &["RFC1939-5-035"],
    |s| {
        s.ok("NOOP")?;
        s.ok("NOOP")?;
        s.quiet()
    },
)
;

#[test]
fn the_example_of_a_case_compiles_passes_and_names_a_requirement() {
    let page = page();
    let block = blocks(&page, "text").into_iter().find(|block| block.starts_with("ServerCase::must")).unwrap();
    assert!(include_str!("conformance_page.rs").contains(block), "{block}");
    assert!(EXAMPLE.requirements.iter().all(|id| catalogue::requirement(id).is_some()));
    assert_eq!(run::server(&EXAMPLE, &Memory::new(Upgrade::None)).outcome, Outcome::Pass);
}

#[test]
fn the_expectations_of_the_page_are_such_a_file() {
    let page = page();
    for block in blocks(&page, "toml") {
        assert_eq!(Expectations::parse(block).map(|parsed| parsed.expected.len()), Ok(1), "{block}");
    }
}

#[test]
fn every_option_on_the_page_is_one_of_the_program_and_the_reverse() {
    let help = |command: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_pop3-conformance")).args(command).arg("--help").output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let texts = [&["server"][..], &["client"], &["fixture"], &["replay"], &["coverage"], &[]].map(help).concat();
    let page = page();
    let options = |text: &str| {
        let words = text.split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '-'));
        let options = words.filter(|word| word.starts_with("--") && word.len() > 3);
        options.map(str::to_owned).collect::<std::collections::BTreeSet<_>>()
    };
    // Those of cargo, of programs that are examples, and of the shell.
    let others = [
        "--release",
        "--path",
        "--locked",
        "--git",
        "--example",
        "--listen",
        "--port",
        "--host",
        "--into",
        "--password",
        "--test",
        "--allow-cleartext",
    ];
    let known = options(&texts);
    for option in options(&page) {
        assert!(known.contains(&option) || others.contains(&option.as_str()), "{option} is no option");
    }
    for option in known {
        let rare = ["--help", "--version", "--write", "--check", "--against"].contains(&option.as_str());
        assert!(rare || page.contains(&option), "{option} is not on the page");
    }
}

#[test]
fn the_snippets_for_ci_name_options_and_files_that_belong_together() {
    let page = page();
    let snippets: Vec<_> = blocks(&page, "yaml");
    assert_eq!(snippets.len(), 2);
    for snippet in snippets {
        assert!(!snippet.contains('\t'), "YAML has no tabs");
        for words in [
            "cargo install --locked --git \"$POP3_PROTO\" pop3-conformance",
            "fixture --maildir mail",
            "> pw",
            "--junit pop3.xml",
        ] {
            assert!(snippet.contains(words), "{words}\n{snippet}");
        }
        assert!(snippet.matches("pop3.xml").count() >= 2, "the report is kept");
    }
}
