//! A wire over TCP, in the clear or over TLS.

use super::Upgrade;
use super::tls::Side;
use super::wire::{Endpoint, Received, Wire};
use rustls::Connection;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

/// A socket, and what is needed to put TLS on it.
#[derive(Debug)]
pub struct Socket {
    stream: TcpStream,
    side: Option<Side>,
    tls: Option<Connection>,
    patience: Duration,
}

impl Socket {
    /// A connected socket in the clear.
    ///
    /// # Errors
    ///
    /// The operating system's.
    pub fn new(stream: TcpStream, side: Option<Side>, patience: Duration) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_nonblocking(false)?;
        stream.set_write_timeout(Some(patience.max(SHORTEST)))?;
        Ok(Self { stream, side, tls: None, patience })
    }

    /// A connected socket; over TLS, where that begins with the connection.
    ///
    /// # Errors
    ///
    /// Why there is none, in words.
    pub fn open(stream: TcpStream, side: Option<Side>, upgrade: Upgrade, patience: Duration) -> Result<Self, String> {
        let mut socket = Self::new(stream, side, patience).map_err(|error| error.to_string())?;
        if upgrade == Upgrade::Implicit {
            socket.start_tls()?;
        }
        Ok(socket)
    }

    /// Puts TLS on it.
    ///
    /// # Errors
    ///
    /// Why there is none.
    pub fn start_tls(&mut self) -> Result<(), String> {
        let Some(side) = &self.side else { return Err("this run has no TLS".to_owned()) };
        let mut connection = side.connection()?;
        self.stream.set_read_timeout(Some(self.patience.max(SHORTEST))).map_err(|error| error.to_string())?;
        let until = Instant::now() + self.patience;
        while connection.is_handshaking() {
            if Instant::now() > until {
                return Err("it took too long".to_owned());
            }
            match connection.complete_io(&mut self.stream) {
                Ok((0, 0)) => return Err("the other side has closed".to_owned()),
                Ok(_) => {}
                Err(error) => return Err(error.to_string()),
            }
        }
        self.tls = Some(connection);
        Ok(())
    }

    fn write(&mut self, mut octets: &[u8]) -> io::Result<()> {
        let Some(tls) = &mut self.tls else { return self.stream.write_all(octets) };
        while !octets.is_empty() {
            let taken = tls.writer().write(octets)?;
            octets = &octets[taken..];
            while tls.wants_write() {
                tls.write_tls(&mut self.stream)?;
            }
        }
        Ok(())
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let Some(tls) = &mut self.tls else { return self.stream.read(buffer) };
        loop {
            match tls.reader().read(buffer) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                // TLS without its closing alert: the end all the same.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(0),
                read => return read,
            }
            if tls.read_tls(&mut self.stream)? == 0 {
                return Ok(0);
            }
            tls.process_new_packets().map_err(|error| io::Error::new(ErrorKind::InvalidData, error))?;
            while tls.wants_write() {
                tls.write_tls(&mut self.stream)?;
            }
        }
    }

    /// Says that nothing more will be sent.
    fn close_sending(&mut self) {
        if let Some(tls) = &mut self.tls {
            tls.send_close_notify();
            let _ = tls.write_tls(&mut self.stream);
        }
        let _ = self.stream.shutdown(Shutdown::Write);
    }
}

impl Wire for Socket {
    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        self.write(octets).map_err(|error| error.to_string())
    }

    fn receive(&mut self, into: &mut Vec<u8>, wait: Duration) -> Received {
        if let Err(error) = self.stream.set_read_timeout(Some(wait.max(SHORTEST))) {
            return Received::Broken(error.to_string());
        }
        let mut buffer = [0; 16 * 1024];
        loop {
            return match self.read(&mut buffer) {
                Ok(0) => Received::End,
                Ok(n) => {
                    into.extend_from_slice(&buffer[..n]);
                    Received::Octets
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Received::Nothing,
                Err(error) => Received::Broken(error.to_string()),
            };
        }
    }

    fn finish(&mut self) {
        self.close_sending();
    }

    fn handshake(&mut self) -> Result<(), String> {
        self.start_tls()
    }
}

/// Runs an endpoint on a socket to its end. `out` is what it has said already. After so long without octets, its time is
/// taken to be up.
pub fn drive<E: Endpoint>(end: &mut E, mut out: Vec<u8>, mut socket: Socket, silence: Option<Duration>) {
    let mut buffer = vec![0; 16 * 1024];
    if socket.stream.set_read_timeout(silence).is_err() {
        return;
    }
    loop {
        let written = if out.is_empty() { Ok(()) } else { socket.write(&out) };
        out.clear();
        if end.is_over() {
            break;
        }
        if end.wants_tls() {
            match socket.start_tls() {
                Ok(()) => {
                    end.tls_established(&mut out);
                    let _ = socket.stream.set_read_timeout(silence);
                    continue;
                }
                Err(_) => {
                    end.handle_eof();
                    break;
                }
            }
        }
        match socket.read(&mut buffer) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                end.elapse(Duration::from_secs(24 * 3600));
            }
            Ok(0) | Err(_) => {
                end.handle_eof();
                break;
            }
            // What cannot be written any more need not keep us from reading the last words.
            Ok(n) => end.take(&buffer[..n], &mut out),
        }
        drop(written);
    }
    socket.close_sending();
    // A socket that is closed with octets unread takes answers down with it that are still on their way.
    let _ = socket.stream.set_read_timeout(Some(Duration::from_millis(500)));
    let until = Instant::now() + Duration::from_millis(500);
    while Instant::now() < until && matches!(socket.stream.read(&mut buffer), Ok(n) if n > 0) {}
}

const SHORTEST: Duration = Duration::from_millis(1);
