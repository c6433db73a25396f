//! The files of the project, as the tests of the pages walk over them.

use std::fs;
use std::path::{Path, PathBuf};

/// The project's root.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Files of a kind; build output, corpora and what is not ours left out.
pub(crate) fn below(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            if !["target", "corpus", "node_modules", ".git"].contains(&&*name) {
                found.extend(below(&path, kind));
            }
        } else if path.extension().is_some_and(|of| of == kind) {
            found.push(path);
        }
    }
    found.sort();
    found
}
