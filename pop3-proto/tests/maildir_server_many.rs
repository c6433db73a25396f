//! The example `maildir_server` with many messages and many users: what it remembers of sizes, and what it must not believe; and
//! that each user gets the mail that is theirs.

// Times of modification are set here, and file names are taken apart.
#![cfg(unix)]

mod support;

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use support::maildir::Maildir;
use support::peers::{MaildirServer, PASSWORD, USER};

const OLD: SystemTime = SystemTime::UNIX_EPOCH;

/// Messages of one length, and sizes that differ: `\n` is sent as two octets.
const THREE: &[u8] = b"a\nb\nc\n";
const ONE: &[u8] = b"a b c\n";

#[test]
fn sizes_are_remembered_from_one_process_to_the_next() {
    let maildir = with_messages();
    assert_eq!(sizes(&maildir), [9, 9]);

    // A message does not change. Here one does behind the server's back, and shows that it was not read again.
    put(&maildir, 1, ONE, OLD);
    assert_eq!(sizes(&maildir), [9, 9]);

    // A mail reader has given it flags.
    let flagged = PathBuf::from(format!("{}:2,S", message(&maildir, 1).display()));
    fs::rename(message(&maildir, 1), &flagged).unwrap();
    assert_eq!(sizes(&maildir), [9, 9]);
}

#[test]
fn a_size_is_remembered_for_the_length_and_the_time_that_it_was_counted_at() {
    let maildir = with_messages();
    assert_eq!(sizes(&maildir), [9, 9]);

    put(&maildir, 1, ONE, OLD + Duration::from_nanos(100));
    assert_eq!(sizes(&maildir), [7, 9], "another time");
    put(&maildir, 2, b"a\n", OLD);
    assert_eq!(sizes(&maildir), [7, 3], "another length");
}

#[test]
fn what_is_new_is_counted_and_what_is_gone_is_forgotten() {
    let maildir = with_messages();
    assert_eq!(sizes(&maildir), [9, 9]);

    fs::remove_file(message(&maildir, 1)).unwrap();
    put(&maildir, 3, THREE, OLD);
    put(&maildir, 0, ONE, OLD);
    assert_eq!(sizes(&maildir), [7, 9, 9]);
    put(&maildir, 1, ONE, OLD);
    assert_eq!(sizes(&maildir), [7, 7, 9, 9], "it has the name, the length and the time of one that was removed");
}

/// A cache that lies would make LIST lie. Each of these files is for the same messages as they are here, or nearly.
#[test]
fn a_file_of_sizes_that_is_torn_damaged_or_foreign_is_not_believed() {
    let maildir = with_messages();
    assert_eq!(sizes(&maildir), [9, 9]);
    let good = fs::read(cache(&maildir)).unwrap();
    // From here on, a server that believes the file says 9, and one that counts says 7.
    put(&maildir, 1, ONE, OLD);
    assert_eq!(sizes(&maildir), [9, 9]);

    for length in 0..good.len() {
        fs::write(cache(&maildir), &good[..length]).unwrap();
        if length % 32 == 0 || length > good.len() - 3 {
            assert_eq!(sizes(&maildir), [7, 9], "torn at {length} of {}", good.len());
        }
    }
    for at in (0..good.len()).step_by(13) {
        let mut damaged = good.clone();
        damaged[at] ^= 1;
        fs::write(cache(&maildir), &damaged).unwrap();
        assert_eq!(sizes(&maildir), [7, 9], "damaged at {at}");
    }
    fs::write(cache(&maildir), [&good[..], b"more"].concat()).unwrap();
    assert_eq!(sizes(&maildir), [7, 9], "with something behind it");

    let other = Maildir::new();
    put(&other, 1, THREE, OLD + Duration::from_secs(1));
    put(&other, 2, THREE, OLD + Duration::from_secs(1));
    assert_eq!(sizes(&other), [9, 9]);
    fs::copy(cache(&other), cache(&maildir)).unwrap();
    assert_eq!(sizes(&maildir), [7, 9], "of another Maildir");

    fs::remove_file(cache(&maildir)).unwrap();
    fs::create_dir(cache(&maildir)).unwrap();
    assert_eq!(sizes(&maildir), [7, 9], "where no file can be written");

    fs::remove_dir(cache(&maildir)).unwrap();
    fs::write(cache(&maildir), &good).unwrap();
    assert_eq!(sizes(&maildir), [9, 9], "the good one was believed all the time, or this test shows nothing");
}

#[test]
fn each_user_has_a_maildrop_and_a_session_of_their_own() {
    let (ford, zaphod) = (Maildir::new(), Maildir::new());
    put(&ford, 1, b"for ford\n", OLD);
    put(&zaphod, 1, b"for zaphod\n", OLD);
    put(&zaphod, 2, b"for zaphod too\n", OLD);
    let listed = ford.room().join("accounts");
    let paths = [&ford, &zaphod].map(|maildir| maildir.path().display().to_string());
    fs::write(&listed, format!("ford\ttow el\t{}\nzaphod\tpresident\t{}\n", paths[0], paths[1])).unwrap();
    let server = MaildirServer::start_for(&[OsString::from("--accounts"), listed.into()], &["--allow-cleartext"]);

    let mut one = Line::connect(server.address);
    assert_eq!(one.ask("USER ford"), "+OK send PASS");
    assert_eq!(one.ask("PASS tow el"), "+OK maildrop locked and ready");
    let mut other = Line::connect(server.address);
    other.ask("USER zaphod");
    assert_eq!(other.ask("PASS president"), "+OK maildrop locked and ready");
    assert_eq!([one.ask("STAT"), other.ask("STAT")], ["+OK 1 10", "+OK 2 28"]);

    let mut third = Line::connect(server.address);
    for (name, password) in [("ford", "president"), ("trillian", "tow el")] {
        third.ask(&format!("USER {name}"));
        assert_eq!(third.ask(&format!("PASS {password}")), "-ERR [AUTH] wrong name or password", "{name}");
    }
    third.ask("USER ford");
    assert_eq!(third.ask("PASS tow el"), "-ERR [IN-USE] maildrop already locked");
}

fn with_messages() -> Maildir {
    let maildir = Maildir::new();
    put(&maildir, 1, THREE, OLD);
    put(&maildir, 2, THREE, OLD);
    maildir
}

fn message(maildir: &Maildir, number: u32) -> PathBuf {
    maildir.path().join("cur").join(format!("{number}.M1P1.example"))
}

fn put(maildir: &Maildir, number: u32, octets: &[u8], modified: SystemTime) {
    let path = message(maildir, number);
    fs::write(&path, octets).unwrap();
    File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

fn cache(maildir: &Maildir) -> PathBuf {
    maildir.path().join("pop3.sizes")
}

/// What LIST says, from a server that has just begun.
fn sizes(maildir: &Maildir) -> Vec<u64> {
    let server = MaildirServer::start(maildir);
    let mut line = Line::connect(server.address);
    line.ask(&format!("USER {USER}"));
    assert_eq!(line.ask(&format!("PASS {PASSWORD}")), "+OK maildrop locked and ready");
    assert_eq!(line.ask("LIST"), "+OK scan listing follows");
    let mut sizes = Vec::new();
    loop {
        match line.line() {
            row if row == "." => return sizes,
            row => sizes.push(row.split_once(' ').unwrap().1.parse().unwrap()),
        }
    }
}

struct Line(BufReader<TcpStream>);

impl Line {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut line = Self(BufReader::new(stream));
        assert_eq!(line.line(), "+OK POP3 server ready");
        line
    }

    fn ask(&mut self, command: &str) -> String {
        self.0.get_mut().write_all(format!("{command}\r\n").as_bytes()).unwrap();
        self.line()
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.0.read_line(&mut line).unwrap();
        line.strip_suffix("\r\n").unwrap_or_else(|| panic!("no line: {line:?}")).to_owned()
    }
}
