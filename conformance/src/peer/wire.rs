//! The wire between the runner and who is checked: octets, TLS and the end, and no POP3.

use std::time::Duration;

/// What came of waiting for octets.
///
/// ```
/// use pop3_conformance::peer::wire::{Received, Wire};
/// use std::time::Duration;
///
/// /// Reads until nothing more comes.
/// fn drain(wire: &mut dyn Wire) -> Result<Vec<u8>, String> {
///     let mut octets = Vec::new();
///     loop {
///         match wire.receive(&mut octets, Duration::from_millis(50)) {
///             Received::Octets => {}
///             Received::Nothing | Received::End => return Ok(octets),
///             Received::Broken(why) => return Err(why),
///         }
///     }
/// }
/// # use pop3_conformance::peer::wire::{Endpoint, MemoryWire};
/// # struct Closed;
/// # impl Endpoint for Closed {
/// #     fn take(&mut self, _octets: &[u8], _out: &mut Vec<u8>) {}
/// #     fn handle_eof(&mut self) {}
/// #     fn wants_tls(&self) -> bool { false }
/// #     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
/// #     fn is_over(&self) -> bool { true }
/// # }
/// # assert_eq!(drain(&mut MemoryWire::new(Closed, b"-ERR\r\n".to_vec())), Ok(b"-ERR\r\n".to_vec()));
/// ```
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
///
/// ```
/// use pop3_conformance::peer::wire::{Received, Wire};
/// use std::time::Duration;
///
/// /// A wire that lets somebody look on.
/// struct Watched<W>(W);
///
/// impl<W: Wire> Wire for Watched<W> {
///     fn send(&mut self, octets: &[u8]) -> Result<(), String> {
///         println!("{}", octets.escape_ascii());
///         self.0.send(octets)
///     }
///     fn receive(&mut self, into: &mut Vec<u8>, wait: Duration) -> Received { self.0.receive(into, wait) }
///     fn finish(&mut self) { self.0.finish(); }
///     fn handshake(&mut self) -> Result<(), String> { self.0.handshake() }
/// }
/// # use pop3_conformance::peer::wire::{Endpoint, MemoryWire};
/// # struct Echo;
/// # impl Endpoint for Echo {
/// #     fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) { out.extend_from_slice(octets); }
/// #     fn handle_eof(&mut self) {}
/// #     fn wants_tls(&self) -> bool { false }
/// #     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
/// #     fn is_over(&self) -> bool { false }
/// # }
///
/// let mut wire = Watched(MemoryWire::new(Echo, Vec::new()));
/// wire.send(b"NOOP\r\n")?;
/// let mut came = Vec::new();
/// assert_eq!(wire.receive(&mut came, Duration::ZERO), Received::Octets);
/// assert_eq!(came, b"NOOP\r\n");
/// assert!(wire.handshake().is_err()); // an echo knows no TLS
/// # Ok::<(), String>(())
/// ```
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
///
/// ```
/// use pop3_conformance::peer::wire::Endpoint;
/// use pop3_proto::{Config, Greeting, Incoming, Maildrop, Server};
///
/// /// A server of `pop3-proto` with an empty maildrop, which lets nobody in.
/// struct Empty(Server);
///
/// impl Endpoint for Empty {
///     fn take(&mut self, mut octets: &[u8], out: &mut Vec<u8>) {
///         while let Ok(Some(incoming)) = self.0.next_event(&mut octets, out) {
///             Maildrop::default().answer(&incoming, &mut self.0, out).expect("every command has an answer");
///         }
///     }
///     fn handle_eof(&mut self) {
///         self.0.handle_eof();
///     }
///     fn wants_tls(&self) -> bool { false }
///     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
///     fn is_over(&self) -> bool {
///         self.0.is_over()
///     }
/// }
///
/// let mut out = Vec::new();
/// let mut session = Empty(Server::new(Config::new(), Greeting::text("ready")?, &mut out));
/// session.take(b"STAT\r\nQUIT\r\n", &mut out);
/// assert!(out.starts_with(b"+OK ready\r\n-ERR") && session.is_over());
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
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
///
/// ```
/// use pop3_conformance::peer::wire::{Endpoint, MemoryWire, Received, Wire};
/// use std::time::Duration;
/// # struct Session(bool);
/// # impl Endpoint for Session {
/// #     fn take(&mut self, _octets: &[u8], out: &mut Vec<u8>) { self.0 = true; out.extend_from_slice(b"+OK bye\r\n"); }
/// #     fn handle_eof(&mut self) { self.0 = true; }
/// #     fn wants_tls(&self) -> bool { false }
/// #     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
/// #     fn is_over(&self) -> bool { self.0 }
/// # }
///
/// // `Session` is an `Endpoint` that answers QUIT.
/// let mut wire = MemoryWire::new(Session(false), b"+OK ready\r\n".to_vec());
/// let mut octets = Vec::new();
/// wire.receive(&mut octets, Duration::ZERO);
/// wire.send(b"QUIT\r\n")?;
/// wire.receive(&mut octets, Duration::ZERO);
/// assert_eq!(octets, b"+OK ready\r\n+OK bye\r\n");
/// assert_eq!(wire.receive(&mut octets, Duration::ZERO), Received::End);
/// # Ok::<(), String>(())
/// ```
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
