//! `maildir_server` beside Dovecot: the same reader, the same mailbox, the same run; and the blaster as the limit.

use crate::House;
use crate::blaster::{self, Script};
use crate::input::{self, Lines, Names};
use crate::process::{self, Running};
use crate::reader::Reader;
use crate::results::{Results, in_turn};
use std::fmt::Write as _;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;
use std::{fs, thread, time};

const OURS: &str = "maildir_server";
const DOVECOT: &str = "Dovecot";
const BLASTER: &str = "blaster";

/// A server that runs, and a session with it.
struct Subject {
    name: &'static str,
    address: SocketAddr,
    session: Option<Reader>,
    process: Option<Running>,
    /// Processor time that it took for how much work, in all rounds.
    processor: (f64, f64),
}

impl Subject {
    fn new(name: &'static str, address: SocketAddr, process: Option<Running>) -> Self {
        Self { name, address, session: None, process, processor: (0.0, 0.0) }
    }

    /// Does `work` in the session, and gives the seconds that it took.
    fn timed(&mut self, amount: f64, work: impl FnOnce(&mut Reader) -> io::Result<()>) -> Result<f64, String> {
        self.session()?;
        let before = self.process.as_ref().map(Running::processor_time);
        let began = Instant::now();
        work(self.session()?).map_err(|error| error.to_string())?;
        let took = began.elapsed().as_secs_f64();
        if let (Some(process), Some(before)) = (&self.process, before) {
            self.processor.0 += process.processor_time() - before;
            self.processor.1 += amount;
        }
        Ok(took)
    }

    fn session(&mut self) -> Result<&mut Reader, String> {
        if self.session.is_none() {
            let mut session = login(self.address, USER)?;
            // Dovecot looks at the maildrop when the first command wants something of it.
            session.ask("STAT").map_err(|error| error.to_string())?;
            self.session = Some(session);
        }
        self.session.as_mut().ok_or_else(String::new)
    }
}

const USER: &str = "mrose";
const PASSWORD: &str = "tanstaaf";

pub(crate) fn run(house: &House, results: &mut Results) -> Result<(), String> {
    let io = |error: std::io::Error| error.to_string();
    let room = &house.room;
    let rounds = house.rounds(5);

    results.section("servers");
    for (lines, what) in [(Lines::Lf, "stored with LF"), (Lines::Crlf, "stored with CRLF")] {
        let octets = 50_000_000;
        let text = input::message(50, octets, lines);
        let maildir = room.join(format!("large-{lines:?}"));
        input::maildir(&maildir, 1, Names::WithSizes, |_| text.clone()).map_err(io)?;
        let mut subjects = all(house, &maildir, std::slice::from_ref(&text), 1)?;
        let row = format!("RETR of 50 MB, {what}");
        let measured = in_turn(rounds * 2 + 1, &mut subjects, |subject| {
            let took = subject.timed(50.0, |session| session.block("RETR 1").map(drop))?;
            Ok(octets as f64 / took / 1e6)
        });
        report(results, &row, &mut subjects, measured, "MB/s", "us/MB");
    }

    let count = 10_000;
    let texts: Vec<_> = (0..16).map(|seed| input::message(seed, 4_000, Lines::Lf)).collect();
    let maildir = room.join("small");
    input::maildir(&maildir, count, Names::WithSizes, |number| texts[(number as usize - 1) % texts.len()].clone())
        .map_err(io)?;
    let mut subjects = all(house, &maildir, &texts, count as usize)?;
    let measured = in_turn(rounds, &mut subjects, |subject| {
        let took = subject.timed(f64::from(count), |session| {
            (1..=count).try_for_each(|number| session.block(&format!("RETR {number}")).map(drop))
        })?;
        Ok(f64::from(count) / took)
    });
    report(results, "10,000 messages of 4 KB, one at a time", &mut subjects, measured, "messages/s", "us/message");
    let measured = in_turn(rounds, &mut subjects, |subject| {
        let numbers: Vec<u32> = (1..=count).collect();
        let took = subject.timed(f64::from(count), |session| {
            numbers.chunks(64).try_for_each(|batch| {
                let mut commands = String::new();
                for number in batch {
                    let _ = write!(commands, "RETR {number}\r\n");
                }
                session.blocks(&commands, batch.len()).map(drop)
            })
        })?;
        Ok(f64::from(count) / took)
    });
    report(results, "10,000 messages of 4 KB, 64 in flight", &mut subjects, measured, "messages/s", "us/message");
    let noops = "NOOP\r\n".repeat(64);
    let measured = in_turn(rounds, &mut subjects, |subject| {
        let commands = 2_000.0 * 64.0;
        let took = subject
            .timed(commands, |session| (0..2_000).try_for_each(|_| session.pipelined_lines(noops.as_bytes(), 64)))?;
        Ok(commands / took)
    });
    report(results, "NOOP, 64 in flight", &mut subjects, measured, "commands/s", "us/command");
    drop(subjects);

    // Each session is logged in and has been answered, and waits.
    let waiting = if house.quick { 20 } else { 150 };
    let accounts = crate::scale::accounts(&room.join("accounts"), waiting + 1, crate::scale::stored).map_err(io)?;
    let (process, address) = process::maildir_server(&house.example("maildir_server"), &["--accounts", &accounts])?;
    let users = (0..=waiting).map(|user| format!("user{user}"));
    let memory = crate::scale::waiting_sessions(&process, address, users)?;
    results.add("memory of a session that waits", OURS, memory / 1024.0, "KiB");
    drop(process);
    let maildir = room.join("accounts/0");
    let (process, address) =
        process::dovecot(&maildir, &maildir.with_extension("state"), &password_file(house)?, &house.dovecot_script())?;
    let users = (0..=waiting).map(|_| USER.to_owned());
    let memory = crate::scale::waiting_sessions(&process, address, users)?;
    results.add("memory of a session that waits", DOVECOT, memory / 1024.0, "KiB");
    drop(process);

    let count = 100_000;
    for (names, what) in [(Names::WithSizes, "sizes in the names"), (Names::Plain, "sizes to be counted")] {
        let maildir = room.join(format!("many-{names:?}"));
        input::maildir(&maildir, count, names, |number| input::message(u64::from(number), 1_000, Lines::Lf))
            .map_err(io)?;

        // Cold: the server has never seen this maildrop. What the system has in its own memory, both find there.
        let mut cold: Vec<Vec<f64>> = vec![Vec::new(), Vec::new()];
        for round in 0..house.rounds(3) {
            for (server, values) in [OURS, DOVECOT].into_iter().zip(&mut cold) {
                for file in crate::OWN_FILES {
                    let _ = fs::remove_file(maildir.join(file));
                }
                for file in fs::read_dir(&maildir).map_err(io)?.flatten() {
                    if file.file_name().to_string_lossy().starts_with("dovecot") {
                        let _ = fs::remove_file(file.path());
                    }
                }
                let state = room.join(format!("state-cold-{round}-{names:?}"));
                let subject = if server == OURS { ours(house, &maildir)? } else { dovecot(house, &maildir, &state)? };
                values.push(timed_login(subject.address)?);
            }
        }
        for (server, values) in [OURS, DOVECOT].into_iter().zip(&mut cold) {
            let median = crate::results::median(values);
            results.add(&format!("login into 100,000, cold, {what}"), server, median * 1e3, "ms");
        }

        // Warm: it has, and nothing has changed. The server runs on; the session is another one.
        let mut subjects =
            vec![ours(house, &maildir)?, dovecot(house, &maildir, &room.join(format!("state-warm-{names:?}")))?];
        for subject in &mut subjects {
            timed_login(subject.address)?;
        }
        let measured = in_turn(rounds, &mut subjects, |subject| Ok(timed_login(subject.address)? * 1e3));
        report(results, &format!("login into 100,000, warm, {what}"), &mut subjects, measured, "ms", "us");
        if names == Names::WithSizes {
            for command in ["LIST", "UIDL"] {
                let measured = in_turn(rounds * 2, &mut subjects, |subject| {
                    let took = subject.timed(1.0, |session| session.block(command).map(drop))?;
                    Ok(took * 1e3)
                });
                report(results, &format!("{command} of 100,000"), &mut subjects, measured, "ms", "us");
            }
        }
    }
    Ok(())
}

/// From PASS to the answer to the STAT behind it, in seconds: Dovecot answers PASS before it has looked at the maildrop. QUIT
/// behind it, and its answer, so that the next login finds the maildrop free.
fn timed_login(address: SocketAddr) -> Result<f64, String> {
    let io = |error: std::io::Error| error.to_string();
    let mut reader = Reader::connect(address).map_err(io)?;
    reader.ask(&format!("USER {USER}")).map_err(io)?;
    let began = Instant::now();
    reader.ask(&format!("PASS {PASSWORD}")).map_err(io)?;
    reader.ask("STAT").map_err(io)?;
    let took = began.elapsed().as_secs_f64();
    reader.ask("QUIT").map_err(io)?;
    Ok(took)
}

/// The maildrop may be locked for a moment by a session that ended just now.
pub(crate) fn login(address: SocketAddr, user: &str) -> Result<Reader, String> {
    let mut refused = None;
    for _ in 0..100 {
        match Reader::login(address, user, PASSWORD) {
            Ok(reader) => return Ok(reader),
            Err(error) => refused = Some(error),
        }
        thread::sleep(time::Duration::from_millis(20));
    }
    Err(refused.map_or_else(String::new, |error| error.to_string()))
}

fn all(house: &House, maildir: &Path, texts: &[Vec<u8>], messages: usize) -> Result<Vec<Subject>, String> {
    let script = Script::new(texts, messages, true);
    let address = blaster::start(script).map_err(|error| error.to_string())?;
    let state = maildir.with_extension("state");
    Ok(vec![ours(house, maildir)?, dovecot(house, maildir, &state)?, Subject::new(BLASTER, address, None)])
}

fn ours(house: &House, maildir: &Path) -> Result<Subject, String> {
    let password = password_file(house)?;
    let path = |path: &Path| path.to_string_lossy().into_owned();
    let arguments = ["--user", USER, "--maildir", &path(maildir), "--password-file", &path(&password)];
    let (process, address) = process::maildir_server(&house.example("maildir_server"), &arguments)?;
    Ok(Subject::new(OURS, address, Some(process)))
}

fn dovecot(house: &House, maildir: &Path, state: &Path) -> Result<Subject, String> {
    let (process, address) = process::dovecot(maildir, state, &password_file(house)?, &house.dovecot_script())?;
    Ok(Subject::new(DOVECOT, address, Some(process)))
}

fn password_file(house: &House) -> Result<PathBuf, String> {
    let path = house.room.join("password");
    fs::write(&path, format!("{PASSWORD}\n")).map_err(|error| error.to_string())?;
    Ok(path)
}

fn report(
    results: &mut Results,
    row: &str,
    subjects: &mut [Subject],
    measured: Vec<Result<f64, String>>,
    unit: &str,
    per: &str,
) {
    for (subject, value) in subjects.iter_mut().zip(measured) {
        match value {
            Ok(value) => results.add(row, subject.name, value, unit),
            Err(why) => results.skip(row, subject.name, &why),
        }
        let (seconds, amount) = std::mem::take(&mut subject.processor);
        if amount > 0.0 {
            results.add(&format!("{row}: processor time"), subject.name, seconds / amount * 1e6, per);
        }
    }
}
