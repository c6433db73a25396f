//! A POP3 client that is too plain to be wrong in an interesting way: it blocks, reads an octet at a time from a buffer, and knows
//! what RFC 1939 says about ends of lines and of replies, and nothing more.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// No answer takes longer than this over loopback, large messages and loaded machines included.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) struct Naive {
    stream: TcpStream,
    buffer: Vec<u8>,
    at: usize,
}

impl Naive {
    /// Connects and takes the greeting, which has to be positive.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        let mut naive = Self { stream, buffer: Vec::new(), at: 0 };
        let greeting = naive.line()?;
        if !greeting.starts_with(b"+OK") {
            return Err(io::Error::other(format!("greeting: {}", greeting.escape_ascii())));
        }
        Ok(naive)
    }

    /// Connects and logs in with USER and PASS. A refusal is an error with the server's line in it.
    pub(crate) fn login(address: SocketAddr, user: &str, password: &str) -> io::Result<Self> {
        let mut naive = Self::connect(address)?;
        naive.ok(&format!("USER {user}"))?;
        naive.ok(&format!("PASS {password}"))?;
        Ok(naive)
    }

    /// Sends a command and takes the status line, without its CRLF.
    pub(crate) fn ask(&mut self, command: &str) -> io::Result<String> {
        self.stream.write_all(format!("{command}\r\n").as_bytes())?;
        let line = self.line()?;
        let Some(line) = line.strip_suffix(b"\r\n") else {
            return Err(io::Error::other(format!("status line without CRLF: {}", line.escape_ascii())));
        };
        Ok(line.escape_ascii().to_string())
    }

    /// The same, and the answer has to be positive.
    pub(crate) fn ok(&mut self, command: &str) -> io::Result<String> {
        let line = self.ask(command)?;
        // What was sent stays out of the message: it may be a password.
        let verb = command.split(' ').next().unwrap_or_default();
        if line.starts_with("+OK") { Ok(line) } else { Err(io::Error::other(format!("{verb}: {line}"))) }
    }

    /// Sends a command that is answered by a multi-line reply, and gives the lines of it as they came: dots still stuffed, line
    /// ends included, without the termination line.
    ///
    /// The end is CRLF "." CRLF and nothing else. The status line's CRLF counts as the first one.
    pub(crate) fn raw(&mut self, command: &str) -> io::Result<Vec<u8>> {
        self.ok(command)?;
        let mut raw = Vec::new();
        let mut after_crlf = true;
        loop {
            let line = self.line()?;
            if after_crlf && line == b".\r\n" {
                return Ok(raw);
            }
            after_crlf = line.ends_with(b"\r\n");
            raw.extend_from_slice(&line);
        }
    }

    /// The same with one leading dot removed from every line that has one.
    pub(crate) fn block(&mut self, command: &str) -> io::Result<Vec<u8>> {
        let raw = self.raw(command)?;
        let mut octets = Vec::with_capacity(raw.len());
        for line in raw.split_inclusive(|&octet| octet == b'\n') {
            octets.extend_from_slice(line.strip_prefix(b".").unwrap_or(line));
        }
        Ok(octets)
    }

    /// A listing (LIST or UIDL without an argument) as pairs of message number and what stands behind it.
    pub(crate) fn listing(&mut self, command: &str) -> io::Result<Vec<(u32, String)>> {
        let block = self.block(command)?;
        let text = String::from_utf8(block).map_err(io::Error::other)?;
        text.lines()
            .map(|line| {
                let (number, rest) = line.split_once(' ').ok_or_else(|| io::Error::other(line.to_owned()))?;
                Ok((number.parse().map_err(io::Error::other)?, rest.to_owned()))
            })
            .collect()
    }

    /// Sends octets as they are and reads nothing.
    pub(crate) fn send_octets(&mut self, octets: &[u8]) -> io::Result<()> {
        self.stream.write_all(octets)
    }

    /// QUIT, and the connection's end after it. The answer has to be positive.
    pub(crate) fn quit(mut self) -> io::Result<()> {
        self.ok("QUIT")?;
        match self.octet()? {
            None => Ok(()),
            Some(octet) => Err(io::Error::other(format!("octet {octet} after the answer to QUIT"))),
        }
    }

    /// Ends the connection without QUIT and waits until the server has noticed and closed its side.
    pub(crate) fn hang_up(mut self) -> io::Result<()> {
        self.stream.shutdown(std::net::Shutdown::Write)?;
        while self.octet()?.is_some() {}
        Ok(())
    }

    /// The octets up to the next LF, that one included.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        while let Some(octet) = self.octet()? {
            line.push(octet);
            if octet == b'\n' {
                return Ok(line);
            }
        }
        Err(io::Error::new(io::ErrorKind::UnexpectedEof, format!("closed after: {}", line.escape_ascii())))
    }

    fn octet(&mut self) -> io::Result<Option<u8>> {
        if self.at == self.buffer.len() {
            self.buffer.resize(64 * 1024, 0);
            let n = self.stream.read(&mut self.buffer)?;
            self.buffer.truncate(n);
            self.at = 0;
        }
        let octet = self.buffer.get(self.at).copied();
        self.at += 1;
        Ok(octet)
    }
}
