//! Every public type of `pop3-proto` has an example in its documentation.

use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_public_type_has_an_example() {
    let (mut types, mut without) = (0, Vec::new());
    for path in sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../pop3-proto/src")) {
        let text = fs::read_to_string(&path).unwrap();
        let mut documentation = String::new();
        for line in text.lines() {
            if let Some(comment) = line.strip_prefix("///") {
                documentation.push_str(comment);
                documentation.push('\n');
            } else if let Some(name) = public_type(line) {
                types += 1;
                if !documentation.contains("```\n use ") && !documentation.contains("```\n let ") {
                    without.push(name.to_owned());
                }
                documentation.clear();
            } else if !line.starts_with("#[") && !line.starts_with("    ") && !line.starts_with(")]") {
                documentation.clear();
            }
        }
    }
    assert!(types > 50, "only {types} types were found: is the reader of sources broken?");
    assert!(without.is_empty(), "public types without an example: {}", without.join(", "));
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The name, if the line begins the definition of a public type.
fn public_type(line: &str) -> Option<&str> {
    let rest = line.strip_prefix("pub ")?;
    let rest = ["struct ", "enum ", "trait ", "union "].iter().find_map(|kind| rest.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}
