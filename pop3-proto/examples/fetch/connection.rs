//! The machine and its stream: all input and output of the session is here.

use pop3_proto::{Client, Command, Config, ErrorClass, Event, Misuse, State, Timestamp, Verb, Wait};
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a session runs over: a socket, or TLS over one.
pub(crate) trait Stream: Read + Write {
    /// From here on a read or a write that takes longer fails.
    fn set_patience(&mut self, patience: Option<Duration>) -> io::Result<()>;
}

impl Stream for TcpStream {
    fn set_patience(&mut self, patience: Option<Duration>) -> io::Result<()> {
        self.set_read_timeout(patience)?;
        self.set_write_timeout(patience)
    }
}

/// Several commands that are sent as the machine lets them go, and their answers.
pub(crate) trait Dialogue {
    /// Sends what may be sent now. The dialogue ends when nothing was sent and nothing is outstanding.
    fn speak(&mut self, client: &mut Client, out: &mut Vec<u8>) -> Result<(), Misuse>;

    /// Takes the next event; they come in the order of the commands.
    fn hear(&mut self, event: Event<'_>);
}

/// A session over a stream.
pub(crate) struct Connection<S> {
    client: Client,
    stream: S,
    buffer: Box<[u8]>,
    out: Vec<u8>,
    timeout: Option<Duration>,
}

impl<S: Stream> Connection<S> {
    /// With a `timeout`, every wait is that long; else the machine says how long each may be.
    pub(crate) fn new(stream: S, config: Config, timeout: Option<Duration>) -> Self {
        let buffer = vec![0; 64 * 1024].into_boxed_slice();
        Self { client: Client::with_config(config), stream, buffer, out: Vec::new(), timeout }
    }

    /// Waits for the greeting, and gives the timestamp that APOP needs, if it holds one.
    pub(crate) fn greeting(&mut self) -> Result<Option<Timestamp<'static>>, Failure> {
        let mut found = None;
        while self.client.state() == State::Greeting {
            self.exchange(|event| {
                if let Event::Greeting { timestamp, .. } = event {
                    found = timestamp.map(Timestamp::into_owned);
                }
            })?;
        }
        Ok(found)
    }

    /// Sends one command and hands over its answer, event by event. `-ERR` is [`Failure::Refused`].
    pub(crate) fn ask(&mut self, command: &Command<'_>, mut hear: impl FnMut(Event<'_>)) -> Result<(), Failure> {
        self.client.send(command, &mut self.out)?;
        let mut refused = None;
        while self.client.outstanding() > 0 {
            self.exchange(|event| {
                let class = event.error_class();
                match event {
                    Event::Err { to, text, .. } => {
                        let class = class.unwrap_or(ErrorClass::Unknown);
                        refused = Some(Failure::Refused { to, class, text: text.to_string() });
                    }
                    event => hear(event),
                }
            })?;
        }
        refused.map_or(Ok(()), Err)
    }

    /// Goes through a dialogue to its end.
    pub(crate) fn converse(&mut self, dialogue: &mut impl Dialogue) -> Result<(), Failure> {
        loop {
            dialogue.speak(&mut self.client, &mut self.out)?;
            if self.client.outstanding() == 0 {
                return Ok(());
            }
            self.exchange(|event| dialogue.hear(event))?;
        }
    }

    pub(crate) const fn client(&self) -> &Client {
        &self.client
    }

    /// One write, one read, and what the octets mean.
    ///
    /// To write all before reading is safe because the machine keeps the window: it never lets more commands out than the
    /// buffers on the way take in (RFC 2449 §6.6).
    fn exchange(&mut self, mut hear: impl FnMut(Event<'_>)) -> Result<(), Failure> {
        let awaiting = self.client.awaiting();
        let patience = self.timeout.or_else(|| self.client.patience());
        let lost = |error: io::Error| match (error.kind(), patience) {
            (ErrorKind::WouldBlock | ErrorKind::TimedOut, Some(patience)) => Failure::Silent { patience, awaiting },
            _ => Failure::Lost { error, awaiting },
        };
        self.stream.set_patience(patience).map_err(lost)?;
        // Where the server has closed already, its last words are still to be read: they say more than "broken pipe".
        let written = self.stream.write_all(&self.out);
        self.out.clear();

        let octets = loop {
            match self.stream.read(&mut self.buffer) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                read => break read.map_err(lost)?,
            }
        };
        if octets == 0 {
            self.client.handle_eof()?;
            return Err(written.map_or_else(lost, |()| Failure::Closed));
        }
        let mut input = &self.buffer[..octets];
        while let Some(event) = self.client.next_event(&mut input)? {
            if let Event::Closing { text, .. } = event {
                return Err(Failure::Closing { text: text.to_string() });
            }
            hear(event);
        }
        written.map_err(lost)
    }
}

/// Why a session, or a command of it, came to nothing.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The server broke the protocol or closed the connection.
    Peer(pop3_proto::Error),
    /// The machine does not let the command out.
    Ours(Misuse),
    /// The command was answered `-ERR`. The session goes on.
    Refused { to: Verb, class: ErrorClass, text: String },
    /// The server said why it closes the connection.
    Closing { text: String },
    /// The server closed the connection.
    Closed,
    /// Nothing came for too long.
    Silent { patience: Duration, awaiting: Wait },
    /// The network failed.
    Lost { error: io::Error, awaiting: Wait },
}

impl From<pop3_proto::Error> for Failure {
    fn from(error: pop3_proto::Error) -> Self {
        Self::Peer(error)
    }
}

impl From<Misuse> for Failure {
    fn from(misuse: Misuse) -> Self {
        Self::Ours(misuse)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Peer(error) => error.fmt(f),
            Self::Ours(misuse) => misuse.fmt(f),
            Self::Refused { to, class, text } => {
                write!(f, "the server refuses {to}; it says: {text}")?;
                f.write_str(match class {
                    ErrorClass::Busy => " (another session has the maildrop: try again when it is over)",
                    ErrorClass::Delay => " (it is too soon after the last login: try again later)",
                    ErrorClass::Temporary => " (it will pass: try again later)",
                    _ => "",
                })
            }
            Self::Closing { text } => write!(f, "the server closes the connection; it says: {text}"),
            Self::Closed => f.write_str("the server closed the connection"),
            Self::Silent { patience, awaiting } => {
                write!(f, "nothing came for {} seconds {awaiting}", patience.as_secs())
            }
            Self::Lost { error, awaiting } => write!(f, "the connection broke {awaiting}: {error}"),
        }
    }
}
