//! The client that reads every server: raw, without any POP3 library, and as cheap as reading can be.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A connection to a server.
#[derive(Debug)]
pub(crate) struct Reader {
    stream: TcpStream,
    buffer: Box<[u8]>,
}

impl Reader {
    /// Connects, and reads the greeting.
    pub(crate) fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(Duration::from_secs(120)))?;
        let mut reader = Self { stream, buffer: vec![0; 256 * 1024].into_boxed_slice() };
        reader.lines(1)?;
        Ok(reader)
    }

    /// Connects and logs in.
    pub(crate) fn login(address: SocketAddr, user: &str, password: &str) -> io::Result<Self> {
        let mut reader = Self::connect(address)?;
        reader.ask(&format!("USER {user}"))?;
        reader.ask(&format!("PASS {password}"))?;
        Ok(reader)
    }

    /// A command whose answer is one line.
    pub(crate) fn ask(&mut self, command: &str) -> io::Result<()> {
        self.stream.write_all(format!("{command}\r\n").as_bytes())?;
        self.lines(1)?;
        if self.buffer.starts_with(b"+OK") { Ok(()) } else { Err(self.refused(command)) }
    }

    /// A command whose answer is a status line and a block; gives the octets of all.
    pub(crate) fn block(&mut self, command: &str) -> io::Result<u64> {
        self.stream.write_all(format!("{command}\r\n").as_bytes())?;
        // Nothing comes behind the end, so that it is enough to look at what came last.
        let (mut octets, mut tail) = (0, [0_u8; 5]);
        loop {
            let n = self.read()?;
            if octets == 0 && !self.buffer.starts_with(b"+OK") {
                return Err(self.refused(command));
            }
            octets += n as u64;
            let new = &self.buffer[..n];
            if n >= 5 {
                tail.copy_from_slice(&new[n - 5..]);
            } else {
                tail.rotate_left(n);
                tail[5 - n..].copy_from_slice(new);
            }
            if tail == *b"\r\n.\r\n" {
                return Ok(octets);
            }
        }
    }

    /// Sends so many commands at once, and waits for as many ends of blocks; gives the octets of all.
    pub(crate) fn blocks(&mut self, commands: &str, count: usize) -> io::Result<u64> {
        self.stream.write_all(commands.as_bytes())?;
        let finder = memchr::memmem::Finder::new(b"\r\n.\r\n");
        let (mut octets, mut found, mut kept) = (0, 0, 0);
        while found < count {
            let n = self.stream.read(&mut self.buffer[kept..])?;
            if n == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            octets += n as u64;
            let seen = &self.buffer[..kept + n];
            let mut behind = 0;
            for at in finder.find_iter(seen) {
                found += 1;
                behind = at + 5;
            }
            // The front of an end that is cut.
            let from = behind.max(seen.len().saturating_sub(4));
            let length = seen.len() - from;
            self.buffer.copy_within(from..from + length, 0);
            kept = length;
        }
        Ok(octets)
    }

    /// Sends octets, and waits for so many lines.
    pub(crate) fn pipelined_lines(&mut self, commands: &[u8], lines: usize) -> io::Result<()> {
        self.stream.write_all(commands)?;
        self.lines(lines)
    }

    fn lines(&mut self, mut lines: usize) -> io::Result<()> {
        let mut first = true;
        while lines > 0 {
            let n = self.read()?;
            if first && self.buffer[0] != b'+' {
                return Err(self.refused("the command"));
            }
            first = false;
            lines = lines.saturating_sub(memchr::memchr_iter(b'\n', &self.buffer[..n]).count());
        }
        Ok(())
    }

    fn read(&mut self) -> io::Result<usize> {
        match self.stream.read(&mut self.buffer)? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            n => Ok(n),
        }
    }

    fn refused(&self, command: &str) -> io::Error {
        let end = memchr::memchr(b'\r', &self.buffer).unwrap_or(80).min(80);
        io::Error::other(format!("{command}: {}", String::from_utf8_lossy(&self.buffer[..end])))
    }
}
