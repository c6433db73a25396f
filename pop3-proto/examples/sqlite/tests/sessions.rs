//! Sessions over a database in memory.

use rusqlite::Connection;
use std::io::{self, Read, Write};

/// What a client sends, and what it gets.
struct Script<'a>(&'a [u8], Vec<u8>);

impl Read for Script<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Script<'_> {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        self.1.write(octets)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn mail() -> Connection {
    let mail = Connection::open_in_memory().unwrap();
    mail.execute_batch(sqlite_front_end::SCHEMA).unwrap();
    mail.execute("INSERT INTO users (name, password) VALUES ('mrose', 'tanstaaf')", []).unwrap();
    for text in [&b"Subject: one\n\n.dot\n"[..], b"Subject: two\r\n\r\na\r\nb\r\n"] {
        sqlite_front_end::deliver(&mail, "mrose", text).unwrap();
    }
    sqlite_front_end::deliver(&mail, "somebody else", b"not yours").unwrap();
    mail
}

fn say(mail: &mut Connection, commands: &str) -> String {
    let mut script = Script(commands.as_bytes(), Vec::new());
    sqlite_front_end::serve(&mut script, mail).unwrap();
    String::from_utf8(script.1).unwrap()
}

#[test]
fn what_stat_announces_is_what_retr_sends() {
    let said = say(&mut mail(), "USER mrose\r\nPASS tanstaaf\r\nSTAT\r\nLIST 1\r\nRETR 1\r\nTOP 2 1\r\nQUIT\r\n");
    let answers = "+OK 2 44\r\n+OK 1 22\r\n+OK message follows\r\nSubject: one\r\n\r\n..dot\r\n.\r\n\
                   +OK message follows\r\nSubject: two\r\n\r\na\r\n.\r\n";
    assert!(said.contains(answers), "{said}");
}

#[test]
fn only_quit_removes_and_a_unique_id_is_never_given_twice() {
    let mut mail = mail();
    assert!(!say(&mut mail, "USER mrose\r\nPASS tanstaaf\r\nDELE 2\r\n").contains("-ERR")); // and the connection is lost
    assert!(say(&mut mail, "USER mrose\r\nPASS tanstaaf\r\nSTAT\r\nDELE 2\r\nQUIT\r\n").contains("+OK 2 44"));
    sqlite_front_end::deliver(&mail, "mrose", b"three").unwrap();
    let said = say(&mut mail, "USER mrose\r\nPASS tanstaaf\r\nUIDL\r\nQUIT\r\n");
    assert!(said.contains("\r\n1 1\r\n2 4\r\n.\r\n"), "{said}");
}

#[test]
fn a_maildrop_that_is_open_elsewhere_is_in_use_and_a_wrong_password_is_refused() {
    let mut mail = mail();
    let said = say(&mut mail, "USER mrose\r\nPASS wrong\r\n");
    assert!(said.ends_with("-ERR [AUTH] wrong name or password\r\n"), "{said}");
    mail.execute("UPDATE users SET locked = 1", []).unwrap();
    assert!(say(&mut mail, "USER mrose\r\nPASS tanstaaf\r\nSTAT\r\n").contains("-ERR [IN-USE]"));
}
