//! Where the binary of an example is.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// The built example `name`, whose source is `examples/name.rs` and what lies in `examples/name/`.
///
/// `cargo test` builds the examples, beside `deps/` where this test lies. `cargo test --test` with a name does not: then the
/// example is built here, so that no stale one is tested.
pub(crate) fn example(name: &str) -> PathBuf {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _alone = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);

    let test = env::current_exe().unwrap();
    let profile = test.parent().and_then(Path::parent).expect("this test lies below a target directory");
    let binary = profile.join("examples").join(format!("{name}{}", env::consts::EXE_SUFFIX));
    let package = Path::new(env!("CARGO_MANIFEST_DIR"));
    let sources =
        [package.join("src"), package.join("examples").join(name), package.join(format!("examples/{name}.rs"))];
    let newest = sources.iter().filter_map(|source| newest(source)).max();
    if newest.is_none() || fs::metadata(&binary).and_then(|data| data.modified()).ok() < newest {
        let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
        cargo.current_dir(package).args(["build", "--quiet", "--example", name]);
        cargo.env("CARGO_TARGET_DIR", profile.parent().unwrap_or(profile));
        if profile.file_name().is_some_and(|profile| profile == "release") {
            cargo.arg("--release");
        }
        let status = cargo.stdin(Stdio::null()).status().unwrap();
        assert!(status.success(), "the example {name} does not build");
    }
    binary
}

fn newest(path: &Path) -> Option<SystemTime> {
    if path.is_dir() {
        return fs::read_dir(path).ok()?.flatten().filter_map(|entry| newest(&entry.path())).max();
    }
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
