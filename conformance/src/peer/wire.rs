//! The wire between the runner and who is checked: octets, TLS and the end, and no POP3.

use std::time::Duration;

/// What came of waiting for octets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Received {
    /// Octets came.
    Octets,
    /// Nothing, for as long as was waited.
    Nothing,
    /// The other side has closed.
    End,
    /// The connection broke.
    Broken(String),
}

/// A connection, seen from the runner's side.
pub trait Wire {
    /// Sends octets, in one piece.
    ///
    /// # Errors
    ///
    /// Why they cannot be sent: the other side has closed.
    fn send(&mut self, octets: &[u8]) -> Result<(), String>;

    /// Waits for octets and appends what came.
    fn receive(&mut self, into: &mut Vec<u8>, wait: Duration) -> Received;

    /// Sends nothing more; the other side sees the end.
    fn finish(&mut self);

    /// Does the TLS handshake.
    ///
    /// # Errors
    ///
    /// Why there is no TLS.
    fn handshake(&mut self) -> Result<(), String>;

    /// Lets time pass without waiting for it. `false`: this wire has a real clock.
    fn elapse(&mut self, time: Duration) -> bool {
        let _ = time;
        false
    }
}

/// One end of a session in process: octets in, octets out, no socket.
pub trait Endpoint {
    /// Takes octets, and appends what it sends.
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>);

    /// The other side has closed.
    fn handle_eof(&mut self);

    /// Whether the next octets belong to a TLS handshake.
    fn wants_tls(&self) -> bool;

    /// The handshake is done.
    fn tls_established(&mut self, out: &mut Vec<u8>);

    /// Whether it has closed the connection.
    fn is_over(&self) -> bool;

    /// Time passes.
    fn elapse(&mut self, time: Duration) {
        let _ = time;
    }
}

/// A wire to an [`Endpoint`] in the same thread. It never waits: what has not come will not come.
#[derive(Debug)]
pub struct MemoryWire<E> {
    end: E,
    out: Vec<u8>,
    finished: bool,
}

impl<E: Endpoint> MemoryWire<E> {
    /// A wire; `out` is what the endpoint has said already.
    pub const fn new(end: E, out: Vec<u8>) -> Self {
        Self { end, out, finished: false }
    }
}

impl<E: Endpoint> Wire for MemoryWire<E> {
    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        if self.end.is_over() {
            return Err("the connection is closed".to_owned());
        }
        self.end.take(octets, &mut self.out);
        Ok(())
    }

    fn receive(&mut self, into: &mut Vec<u8>, _wait: Duration) -> Received {
        if !self.out.is_empty() {
            into.append(&mut self.out);
            return Received::Octets;
        }
        if self.end.is_over() || self.finished { Received::End } else { Received::Nothing }
    }

    fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            if !self.end.is_over() {
                self.end.handle_eof();
            }
        }
    }

    fn handshake(&mut self) -> Result<(), String> {
        if self.end.is_over() || !self.end.wants_tls() {
            return Err("the other side does not go on with TLS".to_owned());
        }
        self.end.tls_established(&mut self.out);
        Ok(())
    }

    fn elapse(&mut self, time: Duration) -> bool {
        self.end.elapse(time);
        true
    }
}

impl<E: Endpoint + ?Sized> Endpoint for Box<E> {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        (**self).take(octets, out);
    }
    fn handle_eof(&mut self) {
        (**self).handle_eof();
    }
    fn wants_tls(&self) -> bool {
        (**self).wants_tls()
    }
    fn tls_established(&mut self, out: &mut Vec<u8>) {
        (**self).tls_established(out);
    }
    fn is_over(&self) -> bool {
        (**self).is_over()
    }
    fn elapse(&mut self, time: Duration) {
        (**self).elapse(time);
    }
}
