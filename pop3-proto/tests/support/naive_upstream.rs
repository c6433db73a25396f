//! A POP3 server for the tests of the proxy: raw sockets, threads, no thought. It says what it was told to say, writes down what it
//! hears, and uses nothing of the crate under test.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use rustls::crypto::ring;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// What the server does.
#[derive(Clone)]
pub(crate) struct Manner {
    pub(crate) greeting: &'static str,
    /// The lines of the capability list; `None`: no CAPA.
    pub(crate) capabilities: Option<&'static [&'static str]>,
    pub(crate) tls: Tls,
    /// The answer to PASS and to AUTH.
    pub(crate) login: &'static str,
    /// To QUIT in the TRANSACTION state.
    pub(crate) quit: &'static str,
    /// The answers to RETR n and TOP n, as they are on the wire: status line, text, termination octet.
    pub(crate) messages: Arc<Vec<Vec<u8>>>,
    /// Other commands, by their whole line, and what they are answered with; else it is `+OK`.
    pub(crate) answers: &'static [(&'static str, &'static str)],
    /// Behind the answer to this command the connection is closed.
    pub(crate) closes_after: &'static str,
}

#[derive(Clone)]
pub(crate) enum Tls {
    None,
    Implicit(Arc<ServerConfig>),
    /// The second are octets that somebody put behind the `+OK` to STLS.
    Stls(Arc<ServerConfig>, &'static [u8]),
}

impl Default for Manner {
    fn default() -> Self {
        Self {
            greeting: "+OK naive\r\n",
            capabilities: Some(&["USER"]),
            tls: Tls::None,
            login: "+OK in\r\n",
            quit: "+OK removed\r\n",
            messages: Arc::default(),
            answers: &[],
            closes_after: "",
        }
    }
}

pub(crate) struct Upstream {
    pub(crate) address: SocketAddr,
    heard: Arc<Heard>,
}

#[derive(Default)]
struct Heard {
    /// By connection, in the order of their beginning: the lines, and at the end [`GONE`].
    lines: Mutex<BTreeMap<usize, Vec<String>>>,
    more: Condvar,
}

/// The line that stands for the end of the connection.
pub(crate) const GONE: &str = "(gone)";

impl Upstream {
    pub(crate) fn new(manner: Manner) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let heard = Arc::<Heard>::default();
        let theirs = Arc::clone(&heard);
        thread::spawn(move || {
            for (number, stream) in listener.incoming().flatten().enumerate() {
                let (manner, heard) = (manner.clone(), Arc::clone(&theirs));
                thread::spawn(move || {
                    let session = Session { number, manner, heard, logged_in: false };
                    session.begin(stream);
                });
            }
        });
        Self { address, heard }
    }

    /// What came, once `count` connections were made and all of them are gone.
    #[track_caller]
    pub(crate) fn heard(&self, count: usize) -> Vec<Vec<String>> {
        let lines = self.heard.lines.lock().unwrap();
        let (lines, timeout) = self
            .heard
            .more
            .wait_timeout_while(lines, Duration::from_secs(60), |lines| {
                let gone = lines.values().filter(|lines| lines.last().is_some_and(|line| line == GONE)).count();
                gone < count || gone < lines.len()
            })
            .unwrap();
        assert!(!timeout.timed_out(), "the proxy is still connected, or never was: {lines:?}");
        lines.values().cloned().collect()
    }
}

struct Session {
    number: usize,
    manner: Manner,
    heard: Arc<Heard>,
    logged_in: bool,
}

enum End {
    Gone,
    /// Go on with TLS.
    Tls(Arc<ServerConfig>),
}

impl Session {
    fn begin(mut self, mut socket: TcpStream) {
        self.hear(None);
        let greeting = self.manner.greeting.as_bytes();
        let tls = match self.manner.tls.clone() {
            Tls::Implicit(config) => Some((config, greeting)),
            _ => {
                let _ = socket.write_all(greeting);
                match self.talk(&mut socket) {
                    End::Gone => None,
                    End::Tls(config) => Some((config, &b""[..])),
                }
            }
        };
        if let Some((config, greeting)) = tls {
            let mut tls = StreamOwned::new(ServerConnection::new(config).unwrap(), socket);
            // A handshake that fails is one that the proxy refused, and the end.
            if tls.write_all(greeting).is_ok() {
                self.talk(&mut tls);
            }
            tls.conn.send_close_notify();
            let _ = tls.flush();
        }
        self.hear(Some(GONE.to_owned()));
    }

    fn hear(&self, line: Option<String>) {
        self.heard.lines.lock().unwrap().entry(self.number).or_default().extend(line);
        self.heard.more.notify_all();
    }

    fn talk(&mut self, stream: &mut (impl Read + Write)) -> End {
        let mut buffer = Vec::new();
        while let Some(line) = read_line(stream, &mut buffer) {
            self.hear(Some(line.clone()));
            if let ("STLS", Tls::Stls(config, injected)) = (line.as_str(), &self.manner.tls) {
                let _ = stream.write_all(&[b"+OK begin\r\n", *injected].concat());
                return End::Tls(Arc::clone(config));
            }
            let answer = self.answer(&line);
            if stream.write_all(&answer).is_err() || line == "QUIT" || line == self.manner.closes_after {
                return End::Gone;
            }
        }
        End::Gone
    }

    fn answer(&mut self, line: &str) -> Vec<u8> {
        if let Some((_, answer)) = self.manner.answers.iter().find(|(command, _)| *command == line) {
            return answer.as_bytes().to_vec();
        }
        let mut words = line.split(' ');
        let (verb, argument) = (words.next().unwrap(), words.next().unwrap_or_default());
        match (verb, self.manner.capabilities) {
            ("CAPA", Some(list)) => format!("+OK\r\n{}\r\n.\r\n", list.join("\r\n")).into(),
            ("CAPA", None) => b"-ERR what?\r\n".to_vec(),
            ("PASS" | "AUTH", _) => {
                self.logged_in = self.manner.login.starts_with("+OK");
                self.manner.login.into()
            }
            ("QUIT", _) if self.logged_in => self.manner.quit.into(),
            ("RETR" | "TOP", _) => {
                let number: usize = argument.parse().unwrap();
                self.manner.messages.get(number - 1).cloned().unwrap_or_else(|| b"-ERR no such message\r\n".to_vec())
            }
            _ => b"+OK\r\n".to_vec(),
        }
    }
}

fn read_line(stream: &mut impl Read, buffer: &mut Vec<u8>) -> Option<String> {
    loop {
        if let Some(end) = buffer.iter().position(|&octet| octet == b'\n') {
            let line: Vec<u8> = buffer.drain(..=end).collect();
            return Some(String::from_utf8_lossy(line.strip_suffix(b"\r\n").unwrap_or(&line)).into_owned());
        }
        let mut octets = [0; 1024];
        match stream.read(&mut octets) {
            Ok(0) | Err(_) => return None,
            Ok(n) => buffer.extend_from_slice(&octets[..n]),
        }
    }
}

/// A server's side of TLS for 127.0.0.1, and the certificate, in PEM, that vouches for it.
pub(crate) fn certified() -> (Arc<ServerConfig>, String) {
    let made = rcgen::generate_simple_self_signed(["127.0.0.1".to_owned()]).unwrap();
    let certificate = CertificateDer::from(made.cert.der().to_vec());
    let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate], key)
        .unwrap();
    (Arc::new(config), made.cert.pem())
}
