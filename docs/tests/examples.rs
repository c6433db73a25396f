//! Every public type has an example in its documentation: in `pop3-proto` and in the library of `pop3-conformance`.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

#[test]
fn every_public_type_has_an_example() {
    for (source, least) in [("../pop3-proto/src", 80), ("../conformance/src", 70)] {
        let types = public_types(&Path::new(env!("CARGO_MANIFEST_DIR")).join(source));
        let without: Vec<_> = types.iter().filter(|(_, has_example)| !has_example).map(|(name, _)| name).collect();
        assert!(types.len() >= least, "{source}: only {} types were found: is the reader broken?", types.len());
        assert!(without.is_empty(), "{source}: public types without an example: {without:?}");
    }
}

#[test]
fn what_is_private_or_hidden_is_not_asked_for_and_what_is_exported_is() {
    let folder = std::env::temp_dir().join(format!("public-types-{}", std::process::id()));
    let write = |file: &str, text: &str| fs::write(folder.join(file), text).unwrap();
    fs::create_dir_all(folder.join("open")).unwrap();
    write(
        "lib.rs",
        "pub mod open;\n#[doc(hidden)] // why\npub mod hidden;\nmod private;\npub use private::{\n    Out, more,\n};\n",
    );
    write(
        "open/mod.rs",
        "mod inner;\npub use inner::Inner;\n/// One.\n///\n/// ```\n/// let x = 1;\n/// ```\n#[derive(Debug)]\npub struct A;\npub enum B {}\n",
    );
    write("open/inner.rs", "pub struct Inner<'a>(&'a u8);\npub struct Kept;\npub(crate) struct Crate;\n");
    write("hidden.rs", "pub struct Hidden;\n");
    write("private.rs", "pub trait Out {}\npub struct In;\nmod tests {\n    pub struct Deep;\n}\n");
    let found = public_types(&folder);
    fs::remove_dir_all(&folder).unwrap();
    let expected = [("A", true), ("B", false), ("Inner", false), ("Out", false)];
    assert_eq!(found, expected.map(|(name, has)| (name.to_owned(), has)));
}

/// The public types of a crate by their names, and whether each has an example: those of the modules that are public and
/// not hidden, and of the others those that a `pub use` names.
fn public_types(source: &Path) -> Vec<(String, bool)> {
    let mut exported = BTreeSet::new();
    files(source, &mut |text| exported.extend(exports(text)));
    let mut types = Vec::new();
    module(&source.join("lib.rs"), source, true, &exported, &mut types);
    types.sort();
    types
}

/// Reads a module and those below it, which lie in `folder`.
fn module(file: &Path, folder: &Path, public: bool, exported: &BTreeSet<String>, types: &mut Vec<(String, bool)>) {
    let text = fs::read_to_string(file).unwrap();
    let (mut example, mut hidden) = (false, false);
    for line in text.lines() {
        let (visible, rest) = line.strip_prefix("pub ").map_or((false, line), |rest| (true, rest));
        if let Some(name) = rest.strip_prefix("mod ").and_then(|rest| rest.strip_suffix(';')) {
            if !hidden {
                let below = folder.join(name);
                let file =
                    [folder.join(format!("{name}.rs")), below.join("mod.rs")].into_iter().find(|file| file.exists());
                module(&file.unwrap(), &below, public && visible, exported, types);
            }
        } else if let Some(name) = defined(rest).filter(|_| visible) {
            if (public && !hidden) || exported.contains(name) {
                types.push((name.to_owned(), example));
            }
        }
        match line.strip_prefix("///") {
            Some(comment) => example |= ["", "no_run"].iter().any(|kind| comment == format!(" ```{kind}")),
            // Attributes stand between the documentation and the definition.
            None if line.starts_with("#[") || line.starts_with("    ") || line.starts_with(")]") => {
                hidden |= line.starts_with("#[doc(hidden)]");
            }
            None => (example, hidden) = (false, false),
        }
    }
}

/// The name, if that begins the definition of a type.
fn defined(text: &str) -> Option<&str> {
    let rest = ["struct ", "enum ", "trait ", "union "].iter().find_map(|kind| text.strip_prefix(kind))?;
    rest.split(|c: char| !c.is_alphanumeric() && c != '_').next()
}

/// The names behind each `pub use` of a file.
fn exports(text: &str) -> Vec<String> {
    let parts = text.split("\npub use ").skip(1).filter_map(|rest| rest.split(';').next());
    let names = parts.flat_map(|part| part.split(|c: char| !c.is_alphanumeric() && c != '_'));
    names.filter(|name| name.starts_with(char::is_uppercase)).map(str::to_owned).collect()
}

/// Hands over the text of each file below the folder.
fn files(folder: &Path, take: &mut impl FnMut(&str)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        if path.is_dir() {
            files(&path, take);
        } else if path.extension().is_some_and(|kind| kind == "rs") {
            take(&fs::read_to_string(&path).unwrap());
        }
    }
}
