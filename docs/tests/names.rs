//! What the pages name is there: tests, files and cases.

mod tree;

use std::collections::BTreeSet;
use std::fs;
use tree::{below, root};

#[test]
fn every_test_that_a_page_names_is_there() {
    let mut written = String::new();
    for source in below(&root(), "rs") {
        written.push_str(&fs::read_to_string(source).unwrap());
    }
    // A name of three words or more: what is shorter is a field or a method.
    let is_a_test =
        |word: &str| word.matches('_').count() >= 3 && word.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
    let is_written = |name: &str| {
        // One is put together from its parts.
        let name = name.replace("a_digest_compares", "a_{name}_compares");
        written.contains(&format!("fn {name}(")) || written.contains(&format!("\"{name}\""))
    };
    let named = named_in_pages(is_a_test);
    assert!(named.len() > 80, "only {} names were found: is the reader of pages broken?", named.len());
    let missing: Vec<_> = named.into_iter().filter(|(_, name)| !is_written(name)).collect();
    assert!(missing.is_empty(), "tests that are not there: {missing:#?}");
}

#[test]
fn every_source_file_that_a_page_names_is_there() {
    let files: Vec<_> = ["rs", "sh", "py", "md"].iter().flat_map(|kind| below(&root(), kind)).collect();
    let is_a_file = |word: &str| {
        let kind = word.rsplit_once('.').map(|(_, kind)| kind);
        kind.is_some_and(|kind| ["rs", "sh", "py", "md"].contains(&kind))
            && !word.contains("NAME")
            && !word.contains("target/")
    };
    let named = named_in_pages(is_a_file);
    assert!(named.len() > 80, "only {} names were found: is the reader of pages broken?", named.len());
    let missing: Vec<_> =
        named.into_iter().filter(|(_, name)| !files.iter().any(|file| file.ends_with(name))).collect();
    assert!(missing.is_empty(), "files that are not there: {missing:#?}");
}

#[test]
fn every_case_that_a_page_names_is_there() {
    // The page that the program writes has them all.
    let coverage = fs::read_to_string(root().join("docs/rfc-coverage.md")).unwrap();
    let written: BTreeSet<_> = in_code(&coverage).collect();
    let is_a_case = |word: &str| {
        let parts: Vec<_> = word.split('/').collect();
        let book = parts[0].strip_prefix("rfc").is_some_and(|rfc| rfc.bytes().all(|b| b.is_ascii_digit()));
        parts.len() == 3 && book && parts[1].starts_with(|c: char| c.is_ascii_digit()) && !parts[2].is_empty()
    };
    let named = named_in_pages(is_a_case);
    assert!(named.len() > 20, "only {} names were found: is the reader of pages broken?", named.len());
    let missing: Vec<_> = named.into_iter().filter(|(_, name)| !written.contains(name.as_str())).collect();
    assert!(missing.is_empty(), "cases that are not there: {missing:#?}");
}

/// What stands in code in the pages, with the page, if it is of that kind.
fn named_in_pages(is_of_it: impl Fn(&str) -> bool) -> BTreeSet<(String, String)> {
    let mut named = BTreeSet::new();
    let root = root();
    let mut pages = below(&root.join("docs"), "md");
    pages.extend(["README.md", "CONTRIBUTING.md", "SECURITY.md"].map(|page| root.join(page)));
    for page in pages {
        let text = fs::read_to_string(&page).unwrap();
        let name = page.file_name().unwrap().to_string_lossy().into_owned();
        if REPORTS.contains(&&*name) {
            continue;
        }
        named.extend(in_code(&text).filter(|word| is_of_it(word)).map(|word| (name.clone(), word.to_owned())));
    }
    named
}

/// The words in code on the lines of a page, outside of fences.
fn in_code(text: &str) -> impl Iterator<Item = &str> {
    let mut fenced = false;
    text.lines()
        .filter(move |line| {
            let fence = line.trim_start().starts_with("```");
            fenced ^= fence;
            !fenced && !fence
        })
        .flat_map(|line| line.split('`').skip(1).step_by(2))
        .flat_map(|code| code.split([' ', ',', '(', ')', '|']))
}

/// The report of a measurement speaks of the code as it was measured.
const REPORTS: [&str; 2] = ["performance.md", "testing.md"];
