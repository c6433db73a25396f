//! The least that a server can do: answers that are ready in memory go out as they are. No server that reads files and
//! stuffs dots is faster, so that it is the limit for servers, and nothing that holds up a client.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;

/// What it answers.
#[derive(Debug)]
pub(crate) struct Script {
    /// Messages as they are on the wire, status line included; RETR takes them in turn, again and again.
    pub(crate) retr: Vec<Vec<u8>>,
    pub(crate) messages: usize,
    pub(crate) octets: usize,
    pub(crate) uidl: Vec<u8>,
    pub(crate) list: Vec<u8>,
    pub(crate) pipelining: bool,
}

impl Script {
    /// A maildrop of `messages`, which are those of `texts` in turn.
    pub(crate) fn new(texts: &[Vec<u8>], messages: usize, pipelining: bool) -> Self {
        let retr: Vec<Vec<u8>> = texts
            .iter()
            .map(|text| [&b"+OK message follows\r\n"[..], &crate::input::on_the_wire(text)].concat())
            .collect();
        let (mut uidl, mut list, mut octets) = (b"+OK\r\n".to_vec(), b"+OK\r\n".to_vec(), 0);
        for number in 1..=messages {
            let size = texts[(number - 1) % texts.len()].len();
            octets += size;
            let _ = write!(uidl, "{number} {}.M{number}P1.example\r\n", 1_700_000_000 + number);
            let _ = write!(list, "{number} {size}\r\n");
        }
        uidl.extend_from_slice(b".\r\n");
        list.extend_from_slice(b".\r\n");
        Self { retr, messages, octets, uidl, list, pipelining }
    }
}

/// Listens as long as the process lives; one thread a connection.
pub(crate) fn start(script: Script) -> io::Result<SocketAddr> {
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    let address = listener.local_addr()?;
    let script = Arc::new(script);
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let script = Arc::clone(&script);
            thread::spawn(move || serve(&script, stream));
        }
    });
    Ok(address)
}

fn serve(script: &Script, mut stream: TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    stream.write_all(b"+OK ready\r\n")?;
    let (mut input, mut buffer, mut out) = (Vec::new(), [0; 16 * 1024], Vec::new());
    loop {
        let n = stream.read(&mut buffer)?;
        if n == 0 {
            return Ok(());
        }
        input.extend_from_slice(&buffer[..n]);
        let mut behind = 0;
        while let Some(length) = memchr::memchr(b'\n', &input[behind..]) {
            let line = input[behind..behind + length].trim_ascii_end();
            behind += length + 1;
            let verb = line.get(..4).unwrap_or(line).to_ascii_uppercase();
            let number = || {
                std::str::from_utf8(line.get(5..)?.split(|&octet| octet == b' ').next()?).ok()?.parse::<usize>().ok()
            };
            match verb.as_slice() {
                b"RETR" => {
                    let message = &script.retr[number().unwrap_or(1).wrapping_sub(1) % script.retr.len()];
                    if message.len() > 64 * 1024 {
                        stream.write_all(&out)?;
                        out.clear();
                        stream.write_all(message)?;
                    } else {
                        out.extend_from_slice(message);
                    }
                }
                b"CAPA" if script.pipelining => {
                    out.extend_from_slice(b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\nPIPELINING\r\n.\r\n")
                }
                b"CAPA" => out.extend_from_slice(b"+OK\r\nUSER\r\nUIDL\r\nTOP\r\n.\r\n"),
                b"STAT" => {
                    let _ = write!(out, "+OK {} {}\r\n", script.messages, script.octets);
                }
                b"UIDL" | b"LIST" => match number() {
                    Some(number) if verb == b"UIDL" => {
                        let _ = write!(out, "+OK {number} {}.M{number}P1.example\r\n", 1_700_000_000 + number);
                    }
                    Some(number) => {
                        let _ = write!(out, "+OK {number} {}\r\n", script.octets / script.messages.max(1));
                    }
                    None if verb == b"UIDL" => out.extend_from_slice(&script.uidl),
                    None => out.extend_from_slice(&script.list),
                },
                b"LAST" | b"AUTH" | b"APOP" | b"STLS" => out.extend_from_slice(b"-ERR no\r\n"),
                _ => out.extend_from_slice(b"+OK\r\n"),
            }
            if verb == b"QUIT" {
                return stream.write_all(&out);
            }
            if out.len() >= 256 * 1024 {
                stream.write_all(&out)?;
                out.clear();
            }
        }
        input.drain(..behind);
        stream.write_all(&out)?;
        out.clear();
    }
}
