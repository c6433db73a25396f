//! The examples as programs: where they are, and one run of `fetch`.

use crate::scripted::{PASSWORD, USER};
use std::collections::BTreeMap;
use std::env;
use std::ffi::OsStr;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::SystemTime;
use tempfile::TempDir;

/// A directory for one test: a password file, and `mail`, where the messages go.
pub(crate) struct Room {
    directory: TempDir,
}

/// A run that has ended.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Room {
    pub(crate) fn new() -> Self {
        let room = Self { directory: tempfile::tempdir().unwrap() };
        fs::write(room.path("password"), format!("{PASSWORD}\nthe second line is none\n")).unwrap();
        fs::create_dir(room.mail()).unwrap();
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    pub(crate) fn mail(&self) -> PathBuf {
        self.path("mail")
    }

    /// The files in `mail`, all of them, temporary ones too.
    pub(crate) fn files(&self) -> BTreeMap<String, Vec<u8>> {
        let entries = fs::read_dir(self.mail()).unwrap().map(Result::unwrap);
        let files = entries.filter(|entry| entry.file_type().unwrap().is_file());
        files.map(|entry| (entry.file_name().into_string().unwrap(), fs::read(entry.path()).unwrap())).collect()
    }

    /// `fetch` as it is used with a server that has no TLS.
    pub(crate) fn fetch(&self, server: SocketAddr, options: &[&str]) -> Ran {
        self.run(&[&["--user", USER, "--allow-cleartext"], options].concat(), &server.to_string())
    }

    /// `fetch` with the password file and `mail`, and what is given.
    pub(crate) fn run(&self, options: &[&str], server: &str) -> Ran {
        let mut command = Command::new(example("fetch"));
        command.args(options).arg("--password-file").arg(self.path("password"));
        if !options.contains(&"--timeout") {
            command.args(["--timeout", "20"]);
        }
        run(command.arg(server).arg(self.mail()))
    }
}

pub(crate) fn run(command: &mut Command) -> Ran {
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = |octets: Vec<u8>| String::from_utf8(octets).unwrap();
    Ran { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
}

/// Where an example lies.
///
/// `cargo test` builds the examples; `cargo test --test fetch` does not, and must not look at old ones: then they are built
/// here.
pub(crate) fn example(name: &str) -> PathBuf {
    static EXAMPLES: OnceLock<PathBuf> = OnceLock::new();
    let examples = EXAMPLES.get_or_init(|| {
        let test = env::current_exe().unwrap();
        let profile = test.parent().and_then(Path::parent).unwrap();
        let examples = profile.join("examples");
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        let source = newest(&package.join("src")).max(newest(&package.join("examples")));
        if ["fetch", "client"].iter().any(|name| newest(&binary(&examples, name)) < source) {
            build(profile);
        }
        examples
    });
    binary(examples, name)
}

fn binary(examples: &Path, name: &str) -> PathBuf {
    examples.join(format!("{name}{}", env::consts::EXE_SUFFIX))
}

fn build(profile: &Path) {
    let mut cargo = Command::new(env::var_os("CARGO").as_deref().unwrap_or(OsStr::new("cargo")));
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).args(["build", "--quiet", "--example", "fetch"]);
    cargo.args(["--example", "client"]).env("CARGO_TARGET_DIR", profile.parent().unwrap());
    if profile.ends_with("release") {
        cargo.arg("--release");
    }
    assert!(cargo.stdin(Stdio::null()).status().unwrap().success(), "the examples do not build");
}

/// When the file, or what is newest below the directory, was changed.
fn newest(path: &Path) -> Option<SystemTime> {
    if path.is_dir() {
        return fs::read_dir(path).ok()?.filter_map(|entry| newest(&entry.ok()?.path())).max();
    }
    fs::metadata(path).and_then(|data| data.modified()).ok()
}
