//! A POP3 server for one session, as naive as can be: a thread, a socket, and a script of what goes wrong.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// One message of the maildrop.
#[derive(Clone)]
pub(crate) struct Mail {
    pub(crate) id: Vec<u8>,
    /// Lines that end in CRLF.
    pub(crate) octets: Vec<u8>,
    pub(crate) retr: Retr,
}

/// What RETR does.
#[derive(Clone, Copy)]
pub(crate) enum Retr {
    Whole,
    Refused,
    /// The connection is closed after so many octets of the message.
    Cut(usize),
}

/// What QUIT in the TRANSACTION state does.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Quit {
    Ok,
    Refused,
    HangUp,
    Silence,
}

/// What STLS does. There is no TLS here: whoever means it does not get far.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Stls {
    Refused,
    /// `+OK`, and these octets right behind it.
    AndBehind(&'static [u8]),
    /// `+OK`, and these octets once the client has begun its handshake.
    AndLater(&'static [u8]),
}

/// What the server is and does.
#[derive(Clone)]
pub(crate) struct Script {
    pub(crate) greeting: &'static str,
    /// In the AUTHORIZATION state and in the TRANSACTION state. `None`: the server has no CAPA.
    pub(crate) capabilities: Option<[&'static [&'static str]; 2]>,
    pub(crate) user: &'static str,
    pub(crate) password: &'static str,
    pub(crate) stls: Stls,
    /// What PASS and AUTH get, whatever stands in them.
    pub(crate) login_gets: Option<&'static str>,
    pub(crate) has_uidl: bool,
    pub(crate) takes_dele: bool,
    pub(crate) quit: Quit,
    /// The first RETR is not answered before so many commands lie here.
    pub(crate) waits_for: usize,
    pub(crate) mail: Vec<Mail>,
}

pub(crate) const USER: &str = "mrose";
pub(crate) const PASSWORD: &str = "tanstaaf";
pub(crate) const PLAIN: &[&str] = &["TOP", "UIDL", "USER"];
pub(crate) const PIPELINING: &[&str] = &["TOP", "UIDL", "USER", "PIPELINING"];

/// What went on, in order, and how the client behaved.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// Each command, and `whole N` where the last octet of message N was sent.
    pub(crate) log: Vec<String>,
    /// The most commands that lay here at once.
    pub(crate) most_at_once: usize,
    /// What came that is no command: everything behind the `+OK` to STLS, and TLS.
    pub(crate) raw: Vec<u8>,
}

impl Session {
    pub(crate) fn has(&self, start: &str) -> bool {
        self.log.iter().any(|line| line.starts_with(start))
    }

    pub(crate) fn all(&self, start: &str) -> Vec<&str> {
        self.log.iter().filter(|line| line.starts_with(start)).map(String::as_str).collect()
    }
}

pub(crate) fn mail(id: &str, octets: impl AsRef<[u8]>) -> Mail {
    Mail { id: id.as_bytes().to_vec(), octets: octets.as_ref().to_vec(), retr: Retr::Whole }
}

impl Script {
    pub(crate) fn new(mail: Vec<Mail>) -> Self {
        Self {
            greeting: "+OK ready",
            capabilities: Some([PLAIN, PIPELINING]),
            user: USER,
            password: PASSWORD,
            stls: Stls::Refused,
            login_gets: None,
            has_uidl: true,
            takes_dele: true,
            quit: Quit::Ok,
            waits_for: 0,
            mail,
        }
    }

    /// Serves one session. The time that its client has to come begins when the example is built: that can take minutes.
    pub(crate) fn start(self) -> Server {
        crate::program::example("fetch");
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let thread = thread::spawn(move || {
            let Some(socket) = accept(&listener) else { return Session::default() };
            let mut talk = Talk { socket, input: Vec::new(), session: Session::default() };
            talk.serve(&self);
            talk.session
        });
        Server { address, thread }
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    thread: JoinHandle<Session>,
}

impl Server {
    /// What went on. Waits for the end of the session.
    pub(crate) fn session(self) -> Session {
        self.thread.join().unwrap()
    }
}

/// A client that never comes must not hold the test for ever.
fn accept(listener: &TcpListener) -> Option<TcpStream> {
    listener.set_nonblocking(true).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        match listener.accept() {
            Ok((socket, _)) => {
                socket.set_nonblocking(false).unwrap();
                return Some(socket);
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && Instant::now() < end => {
                thread::sleep(Duration::from_millis(2));
            }
            Err(_) => return None,
        }
    }
}

struct Talk {
    socket: TcpStream,
    input: Vec<u8>,
    session: Session,
}

impl Talk {
    fn serve(&mut self, script: &Script) {
        self.say(script.greeting);
        let (mut user, mut logged_in, mut waited) = (String::new(), false, false);
        while let Some(line) = self.command() {
            let (verb, argument) = line.split_once(' ').unwrap_or((&line, ""));
            let number = argument.parse::<usize>().unwrap_or(0);
            let found = number.checked_sub(1).and_then(|index| script.mail.get(index));
            match (verb, logged_in) {
                ("CAPA", _) => match script.capabilities {
                    Some(lists) => self.say(&list(lists[usize::from(logged_in)].iter().map(|&line| line.into()))),
                    None => self.say("-ERR what?"),
                },
                ("USER", false) => {
                    argument.clone_into(&mut user);
                    self.say("+OK");
                }
                ("PASS" | "AUTH", false) if script.login_gets.is_some() => {
                    let answer = script.login_gets.unwrap_or_default();
                    logged_in = answer.starts_with("+OK");
                    self.say(answer);
                }
                ("STLS", false) => match script.stls {
                    Stls::Refused => self.say("-ERR not today"),
                    Stls::AndBehind(octets) => {
                        self.send(&[b"+OK begin TLS negotiation\r\n", octets].concat());
                        return self.rest();
                    }
                    Stls::AndLater(octets) => {
                        self.say("+OK begin TLS negotiation");
                        self.read(Duration::from_secs(20));
                        self.send(octets);
                        return self.rest();
                    }
                },
                ("PASS", false) if user == script.user && argument == script.password => {
                    logged_in = true;
                    self.say("+OK maildrop ready");
                }
                ("PASS", false) => self.say("-ERR [AUTH] no such user or password"),
                ("APOP", false) => {
                    logged_in = true;
                    self.say("+OK maildrop ready");
                }
                ("QUIT", false) => {
                    self.say("+OK bye");
                    return;
                }
                ("UIDL", true) if script.has_uidl => {
                    let row = |(index, mail): (usize, &Mail)| {
                        [format!("{} ", index + 1).into_bytes(), mail.id.clone()].concat()
                    };
                    let mut out = b"+OK".to_vec();
                    for row in script.mail.iter().enumerate().map(row) {
                        out.extend_from_slice(b"\r\n");
                        out.extend_from_slice(&row);
                    }
                    self.send(&out);
                    self.say("\r\n.");
                }
                ("LIST", true) => {
                    let rows = script.mail.iter().enumerate();
                    self.say(&list(rows.map(|(index, mail)| format!("{} {}", index + 1, mail.octets.len()))));
                }
                ("RETR", true) => {
                    if !std::mem::replace(&mut waited, true) {
                        self.wait_for(script.waits_for);
                    }
                    if !self.retr(number, found) {
                        return;
                    }
                }
                ("DELE", true) if script.takes_dele && found.is_some() => self.say("+OK marked"),
                ("DELE", true) => self.say("-ERR this maildrop is for reading"),
                ("QUIT", true) => {
                    match script.quit {
                        Quit::Ok => self.say("+OK bye"),
                        Quit::Refused => self.say("-ERR some deleted messages not removed"),
                        Quit::HangUp => {}
                        Quit::Silence => {
                            // Until the client has enough of it.
                            let _ = self.command();
                        }
                    }
                    return;
                }
                _ => self.say("-ERR what?"),
            }
        }
    }

    fn retr(&mut self, number: usize, found: Option<&Mail>) -> bool {
        let Some(mail) = found else {
            self.say("-ERR no such message");
            return true;
        };
        match mail.retr {
            Retr::Refused => self.say("-ERR the disk has a hole here"),
            Retr::Cut(octets) => {
                self.say("+OK");
                self.send(&stuffed(&mail.octets)[..octets]);
                return false;
            }
            Retr::Whole => {
                self.say(&format!("+OK {} octets", mail.octets.len()));
                self.send(&stuffed(&mail.octets));
                self.say(".");
                self.session.log.push(format!("whole {number}"));
            }
        }
        true
    }

    /// The next line; `None` when the client has closed, or is silent for too long.
    fn command(&mut self) -> Option<String> {
        while !self.input.contains(&b'\n') && self.input.first() != Some(&TLS_HANDSHAKE) {
            if !self.read(Duration::from_secs(20)) {
                return None;
            }
        }
        // Whoever sends early has done so by now, or soon will have.
        self.read(Duration::from_millis(5));
        self.session.most_at_once = self.session.most_at_once.max(self.waiting());
        if self.input.first() == Some(&TLS_HANDSHAKE) {
            self.rest();
            return None;
        }
        let end = self.input.iter().position(|&octet| octet == b'\n').unwrap();
        let line: Vec<u8> = self.input.drain(..=end).collect();
        let line = String::from_utf8(line).unwrap();
        let line = line.strip_suffix("\r\n").expect("a command ends in CRLF").to_owned();
        self.session.log.push(line.clone());
        Some(line)
    }

    /// Takes whatever comes until the client closes.
    fn rest(&mut self) {
        while self.read(Duration::from_secs(20)) {}
        self.session.raw = std::mem::take(&mut self.input);
    }

    /// The one that is being answered counts.
    fn wait_for(&mut self, commands: usize) {
        while self.waiting() + 1 < commands {
            assert!(self.read(Duration::from_secs(20)), "{} commands, not {commands}", self.waiting() + 1);
        }
        self.session.most_at_once = self.session.most_at_once.max(self.waiting() + 1);
    }

    fn waiting(&self) -> usize {
        self.input.iter().filter(|&&octet| octet == b'\n').count()
    }

    fn read(&mut self, patience: Duration) -> bool {
        self.socket.set_read_timeout(Some(patience)).unwrap();
        let mut buffer = [0; 4096];
        match self.socket.read(&mut buffer) {
            Ok(octets) => {
                self.input.extend_from_slice(&buffer[..octets]);
                octets > 0
            }
            Err(_) => false,
        }
    }

    fn say(&mut self, line: &str) {
        self.send(format!("{line}\r\n").as_bytes());
    }

    fn send(&mut self, octets: &[u8]) {
        // The client may be gone; then the next read says so.
        let _ = self.socket.write_all(octets);
    }
}

/// The first octet of a TLS record that holds a part of a handshake (RFC 8446 section 5.1).
const TLS_HANDSHAKE: u8 = 0x16;

fn list(lines: impl Iterator<Item = String>) -> String {
    let mut out = String::from("+OK");
    for line in lines {
        out += "\r\n";
        out += &line;
    }
    out + "\r\n."
}

fn stuffed(octets: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for (index, &octet) in octets.iter().enumerate() {
        if octet == b'.' && (index == 0 || octets[..index].ends_with(b"\r\n")) {
            out.push(b'.');
        }
        out.push(octet);
    }
    out
}
