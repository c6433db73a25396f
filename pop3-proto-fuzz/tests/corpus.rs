//! Every input of `corpus/` and `regressions/` keeps every promise: what a fuzzing campaign would check, on stable and
//! without libFuzzer.

use pop3_proto_fuzz::{TARGETS, Target, Ways};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// The files of a folder, and of the folder of one target within it.
fn inputs(folder: &str, target: &Target) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join(target.name);
    let Ok(entries) = fs::read_dir(folder) else { return vec![] };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    paths.sort();
    paths
}

fn replay(folder: &str) {
    let mut broken = vec![];
    for target in &TARGETS {
        for path in inputs(folder, target) {
            let octets = fs::read(&path).unwrap();
            let shown = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(&path).display().to_string();
            match catch_unwind(AssertUnwindSafe(|| (target.check)(&octets, Ways::ALL))) {
                Ok(Ok(())) => {}
                Ok(Err(finding)) => broken.push(format!("{shown}: {finding}\n{}", (target.show)(&octets))),
                Err(_) => broken.push(format!("{shown}: panicked (P32)\n{}", (target.show)(&octets))),
            }
        }
    }
    assert!(broken.is_empty(), "{} inputs break a promise:\n\n{}", broken.len(), broken.join("\n\n"));
}

#[test]
fn every_input_of_the_corpus_keeps_every_promise() {
    replay("corpus");
}

#[test]
fn what_broke_once_does_not_break_again() {
    replay("regressions");
}

#[test]
fn every_target_has_twenty_named_seeds_and_the_corpus_is_small() {
    let mut octets = 0;
    for target in &TARGETS {
        let paths = inputs("corpus", target);
        // What libFuzzer found has forty hexadecimal digits for a name.
        let named = paths.iter().filter(|path| {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            name.len() != 40 || !name.bytes().all(|octet| octet.is_ascii_hexdigit())
        });
        let named = named.count();
        assert!(named >= 20, "{} has {named} named seeds", target.name);
        octets += paths.iter().map(|path| fs::metadata(path).unwrap().len()).sum::<u64>();
    }
    assert!(octets <= 512 * 1024, "the corpus has {octets} octets");
}

/// The public incidents that the promises rule out, and the rows of the field notes: each has a seed by its name, but those
/// rows in which nothing goes over the wire (a timeout, an interface, a tool).
#[test]
fn every_incident_and_every_row_of_the_field_notes_that_has_octets_has_a_seed() {
    let mut names = String::new();
    for path in TARGETS.iter().flat_map(|target| inputs("corpus", target)) {
        names += &format!(" {}-", path.file_name().unwrap_or_default().to_string_lossy());
    }
    let incidents = [
        "cve-2001-0996",
        "cve-2006-5867",
        "cve-2007-1558",
        "cve-2011-0411",
        "cve-2012-0036",
        "cve-2014-3556",
        "cve-2020-14928",
        "cve-2021-22946",
        "cve-2021-22947",
        "cve-2021-33515",
        "cve-2021-38084",
        "cve-2021-38542",
        "cve-2021-39272",
        "cve-2026-27856",
        "cve-2026-41319",
        "no-starttls",
        "cpython-143923",
        "ruby-net-pop-31",
        "commons-net-400",
        "nginx-1620",
        "smuggling",
        "rustsec-2021-0069",
    ];
    let silent = ["f25", "f26", "f55", "f58", "f59", "f60"];
    let rows = (1..=60).map(|row| format!("f{row}")).chain((1..=21).map(|row| format!("w{row}")));
    let rows = rows.filter(|row| !silent.contains(&row.as_str()));
    let has =
        |row: &String| names.split(' ').any(|name| name.starts_with("field-") && name.contains(&format!("-{row}-")));
    let missing: Vec<String> = rows.filter(|row| !has(row)).collect();
    let missed: Vec<&str> = incidents.into_iter().filter(|incident| !names.contains(&format!(" {incident}"))).collect();
    assert!(missing.is_empty() && missed.is_empty(), "no seed for {missing:?} {missed:?}");
}

#[test]
fn every_target_says_how_long_its_inputs_are() {
    for target in &TARGETS {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("fuzz_targets/{}.options", target.name));
        let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let length = text.strip_prefix("[libfuzzer]\nmax_len = ").and_then(|text| text.strip_suffix('\n'));
        assert!(length.is_some_and(|length| length.parse::<usize>().is_ok()), "{}: {text}", path.display());
    }
}

#[test]
fn what_a_fuzzer_takes_of_the_corpus_keeps_every_promise_too() {
    for target in &TARGETS {
        for path in inputs("corpus", target) {
            let octets = fs::read(&path).unwrap();
            let verdict = (target.check)(&octets, Ways::one(&octets));
            assert_eq!(verdict, Ok(()), "{}", path.display());
        }
    }
}

#[test]
fn the_dictionary_has_a_hundred_tokens_in_the_form_that_libfuzzer_reads() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("dict/pop3.dict");
    let text = fs::read_to_string(path).unwrap();
    let mut tokens = vec![];
    for line in text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let token = line.split_once('"').and_then(|(_, rest)| rest.strip_suffix('"'));
        let token = token.unwrap_or_else(|| panic!("no token: {line}"));
        assert!(!tokens.contains(&token), "{token} is there twice");
        tokens.push(token);
        let mut escaped = token.bytes();
        while let Some(octet) = escaped.next() {
            assert!((0x20..0x7F).contains(&octet) && octet != b'"', "{line}");
            if octet == b'\\' {
                let next = escaped.next();
                let hex = next == Some(b'x')
                    && [escaped.next(), escaped.next()].into_iter().flatten().all(|digit| digit.is_ascii_hexdigit());
                assert!(hex || next == Some(b'\\'), "{line}");
            }
        }
    }
    assert!(tokens.len() >= 100, "{} tokens", tokens.len());
}
