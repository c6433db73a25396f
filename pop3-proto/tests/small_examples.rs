//! The examples that are meant to be copied run: `checkmail` and `backup` against `server`, and `test_double` by itself.

#[path = "support/built.rs"]
mod built;

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// The example `server`, ended when this is dropped.
struct Server(Child, String);

impl Server {
    fn start() -> Self {
        let mut server =
            Command::new(built::example("server")).arg("127.0.0.1:0").stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.split([' ', ';']).nth(2).unwrap().to_owned();
        Self(server, address)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn run(example: &str, arguments: &[&str]) -> (bool, String) {
    let output = Command::new(built::example(example)).args(arguments).stdin(Stdio::null()).output().unwrap();
    let said = [output.stdout, output.stderr].concat();
    (output.status.success(), String::from_utf8(said).unwrap())
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn checkmail_says_how_much_there_is_or_why_it_cannot_know() {
    let server = Server::start();
    assert_eq!(run("checkmail", &[&server.1, "mrose", "tanstaaf"]), (true, "2 messages, 129 octets\n".to_owned()));
    let (well, said) = run("checkmail", &[&server.1, "mrose", "wrong"]);
    assert!(!well && said.contains("the server refuses PASS"), "{said}");
}

#[test]
fn a_backup_goes_on_where_it_was_cut_short_and_fetches_nothing_twice() {
    let server = Server::start();
    let folder = tempfile::tempdir().unwrap();
    let arguments = [&*server.1, "mrose", "tanstaaf", folder.path().to_str().unwrap()];
    assert!(run("backup", &arguments).0);
    let [first, second] = &names(folder.path())[..] else { panic!("two messages") };
    let text = fs::read_to_string(folder.path().join(first)).unwrap();
    assert!(text.ends_with("\r\n.one\r\n..two\r\n.\r\nthe end\r\n"), "{text}");

    // One is missing, and a half one lies about: as after a lost connection.
    fs::remove_file(folder.path().join(second)).unwrap();
    fs::write(folder.path().join("incoming"), "Subj").unwrap();
    fs::write(folder.path().join(first), "kept").unwrap();
    let (well, said) = run("backup", &arguments);
    assert!(well && said.contains(&**second) && !said.contains(&**first), "{said}");
    assert_eq!(names(folder.path()), [&**first, &**second]);
    assert_eq!(fs::read_to_string(folder.path().join(first)).unwrap(), "kept");
}

#[test]
fn the_test_double_holds_what_it_asserts() {
    let (well, said) = run("test_double", &[]);
    assert!(well && said.starts_with("one message fetched and deleted"), "{said}");
}
