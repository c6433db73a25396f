//! The connection to the server that has the mail: TLS, login, commands, and what it says to them.

use crate::tls::Tls;
use pop3_proto::{
    Capability, Client, Command, Config, Error, Event, Exchange, Login, Method, Misuse, Next, Peer, Plan, Quirk,
    ResponseCode, Status, StatusLine, Text, Verb, Wait, Why,
};
use rustls::pki_types::ServerName;
use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How much is read at once, and so how much of a message is in memory.
const READ: usize = 32 * 1024;
/// How long the server may take to be there. The mail program waits for the answer to its login meanwhile.
const CONNECT: Duration = Duration::from_secs(30);
const GREETING: Duration = Duration::from_secs(60);
/// More lines of a capability list than these are not remembered.
const CAPABILITIES: usize = 100;

/// Which server, and how to speak to it.
pub(crate) struct Target {
    host: String,
    port: u16,
    security: Security,
    tls: Option<Tls>,
    config: Arc<Config>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Security {
    None,
    Implicit,
    Stls,
}

impl Target {
    pub(crate) fn new(address: &str, security: Security, tls: Option<Tls>) -> Result<Self, String> {
        let default = if security == Security::Implicit { 995 } else { 110 };
        let (host, port) = match address.rsplit_once(':') {
            Some((host, port)) if !host.contains(':') || host.ends_with(']') => {
                (host, port.parse().map_err(|_| format!("{address}: no port"))?)
            }
            _ => (address, default),
        };
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        // Bodies pass as they are on the wire, and so their lines must end as they end downstream: no bare LF.
        let config = Config::new().stuffed_bodies().without_quirk(Quirk::BareLf).greeting_wait(GREETING);
        // The default lets no password out before TLS, whatever the server says.
        let config = if security == Security::None { config.allow_cleartext_login() } else { config };
        // `--insecure` said that nobody looks whose certificate it is.
        let unverified = tls.as_ref().is_some_and(|tls| tls.peer == Peer::Unverified);
        let config = if unverified { config.allow_unverified_peer() } else { config };
        Ok(Self { host, port, security, tls, config: Arc::new(config) })
    }

    pub(crate) fn is_loopback(&self) -> bool {
        self.host == "localhost" || self.host.parse().is_ok_and(|address: IpAddr| address.is_loopback())
    }
}

/// Why there is no answer, or no rest of it. `Display` is for the log; the mail program gets the code and `said`.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: Option<ResponseCode<'static>>,
    pub(crate) said: &'static str,
    cause: String,
}

impl Failure {
    fn temporary(said: &'static str, cause: impl fmt::Display) -> Self {
        Self { code: Some(ResponseCode::SysTemp), said, cause: cause.to_string() }
    }

    fn unreachable(cause: impl fmt::Display) -> Self {
        Self::temporary("the server behind this one cannot be reached", cause)
    }

    fn lost(cause: impl fmt::Display) -> Self {
        Self::temporary("the connection to the server behind this one is lost", cause)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.said, self.cause)
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        match error {
            // A server that is about to close often says why, and the code is for programs.
            Error::GreetingRefused { ref code, .. } => {
                let code = code.clone().or(Some(ResponseCode::SysTemp));
                Self { code, said: "the server behind this one refuses the session", cause: error.to_string() }
            }
            // Some servers do so when the password is wrong. It is not for us to say that it is.
            Error::AuthRejectedByClose { .. } => {
                let said = "the server behind this one closed the connection over the login";
                Self { code: None, said, cause: error.to_string() }
            }
            _ => Self::lost(error),
        }
    }
}

impl From<Misuse> for Failure {
    fn from(misuse: Misuse) -> Self {
        match misuse {
            Misuse::Over | Misuse::Unsolicited | Misuse::Outstanding { .. } => Self::lost(misuse),
            Misuse::Terminator => Self::lost("a message of the server would end early for some readers"),
            // A name or password that the server's kind of login has no way to carry, for one: it will not pass by itself.
            _ => {
                let said = "the server behind this one cannot be asked that";
                Self { code: Some(ResponseCode::SysPerm), said, cause: misuse.to_string() }
            }
        }
    }
}

impl From<Why> for Failure {
    fn from(why: Why) -> Self {
        let said = match why {
            Why::NoTls => "the server behind this one has no TLS",
            _ => "the server behind this one has no login that passes here",
        };
        Self { code: Some(ResponseCode::SysPerm), said, cause: format!("{why:?}") }
    }
}

/// A TCP connection, with TLS around it or not.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// One session with the server.
pub(crate) struct Upstream {
    client: Client,
    stream: Box<dyn Stream>,
    buffer: Vec<u8>,
    out: Vec<u8>,
    plan: Plan,
    capabilities: Vec<Capability<'static>>,
}

impl Upstream {
    /// Up to where a login can be tried: greeting, TLS, capability list.
    pub(crate) async fn connect(target: &Target) -> Result<Self, Failure> {
        let connected = timeout(CONNECT, TcpStream::connect((target.host.as_str(), target.port))).await;
        let socket = connected
            .map_err(|_| Failure::unreachable("no answer"))
            .and_then(|socket| socket.map_err(Failure::unreachable))?;
        socket.set_nodelay(true).map_err(Failure::unreachable)?;
        let config = Arc::clone(&target.config);
        let (stream, client): (Box<dyn Stream>, _) = match (target.security, &target.tls) {
            (Security::Implicit, Some(tls)) => {
                let stream = handshake(target, tls, Box::new(socket), config.patience(Wait::Tls)).await?;
                (stream, Client::over_tls(config, tls.peer))
            }
            _ => (Box::new(socket), Client::with_config(config)),
        };
        // PLAIN first: a name with a space in it fits there, and not behind USER.
        let methods = Method::auth("PLAIN").into_iter().chain([Method::UserPass]);
        let plan = Plan::allowing(methods);
        let (buffer, out, capabilities) = (vec![0; READ], Vec::new(), Vec::new());
        let mut upstream = Self { client, stream, buffer, out, plan, capabilities };
        while upstream.client.awaiting() == Wait::Greeting {
            upstream.hear(|_, _, _| Ok(())).await?;
        }
        loop {
            match upstream.plan.next(&upstream.client) {
                Next::Capa => upstream.ask_capabilities().await?,
                Next::Stls => upstream = upstream.begin_tls(target).await?,
                Next::Login(_) => return Ok(upstream),
                Next::GiveUp(why) => return Err(why.into()),
                _ => return Err(Failure::unreachable("a plan that this proxy does not know")),
            }
        }
    }

    /// The last capability list; empty if the server has none.
    pub(crate) fn capabilities(&self) -> &[Capability<'static>] {
        &self.capabilities
    }

    pub(crate) async fn ask_capabilities(&mut self) -> Result<(), Failure> {
        self.send(&Command::Capa)?;
        let mut capabilities = Vec::new();
        let mut answered = false;
        while !answered {
            answered = self
                .hear(|_, event, _| {
                    match event {
                        Event::Capability(capability) if capabilities.len() < CAPABILITIES => {
                            capabilities.push(capability.into_owned());
                        }
                        _ => {}
                    }
                    Ok(())
                })
                .await?;
        }
        capabilities.iter().for_each(|capability| self.plan.capability(capability));
        self.capabilities = capabilities;
        Ok(())
    }

    async fn begin_tls(mut self, target: &Target) -> Result<Self, Failure> {
        let Some(tls) = &target.tls else { return Err(Why::NoTls.into()) };
        let status = self.ask(&Command::Stls).await?;
        if status.status == Status::Err {
            return Ok(self); // the plan asks the machine, which knows
        }
        // Octets that came in the clear behind the +OK were an error before we got here. The buffer holds none: all that is
        // read is given to the machine at once.
        let wait = self.client.patience();
        let Self { mut client, stream, buffer, out, plan, .. } = self;
        let stream = handshake(target, tls, stream, wait).await?;
        client.tls_established(tls.peer)?;
        Ok(Self { client, stream, buffer, out, plan, capabilities: Vec::new() })
    }

    /// Tries a login once. What the server says to it is passed on, good or bad.
    pub(crate) async fn login(&mut self, login: &Login<'_>) -> Result<StatusLine<'static>, Failure> {
        let Next::Login(method) = self.plan.next(&self.client) else { return Err(Why::NothingInCommon.into()) };
        let (authorization, name, password) = match login {
            Login::Pass { name, password } => ("", name, password),
            Login::ActAs { authorization, name, password } => (authorization.as_str(), name, password),
            _ => return Err(Why::NothingInCommon.into()),
        };
        match method {
            Method::Auth(_) => {
                // What the machine downstream has checked is UTF-8.
                let password = std::str::from_utf8(password.reveal()).unwrap_or_default();
                let mut exchange = Exchange::plain(authorization, name.as_str(), password)?;
                self.client.authenticate(&mut exchange, &mut self.out)?;
                self.status(|client, event, out| match event {
                    Event::Challenge(challenge) => client.answer(&challenge, &mut exchange, out),
                    _ => Ok(()),
                })
                .await
            }
            _ if !authorization.is_empty() => Err(Why::NothingInCommon.into()),
            _ => {
                let (user, pass) = (Command::user(name.as_bytes())?, Command::pass(password.reveal())?);
                // Both are looked at before the first is sent.
                let accepted = self.ask(&user).await?;
                if accepted.status == Status::Err { Ok(accepted) } else { self.ask(&pass).await }
            }
        }
    }

    /// Sends a command whose answer is a single line, and waits for it.
    pub(crate) async fn ask(&mut self, command: &Command<'_>) -> Result<StatusLine<'static>, Failure> {
        self.send(command)?;
        self.status(|_, _, _| Ok(())).await
    }

    /// Sends a command. Its answer is what [`Upstream::hear`] hears next.
    pub(crate) fn send(&mut self, command: &Command<'_>) -> Result<(), Failure> {
        Ok(self.client.send(command, &mut self.out)?)
    }

    /// The status line of the answer that is due.
    async fn status(
        &mut self,
        mut on: impl FnMut(&mut Client, Event<'_>, &mut Vec<u8>) -> Result<(), Misuse>,
    ) -> Result<StatusLine<'static>, Failure> {
        let mut answer = None;
        loop {
            let answered = self
                .hear(|client, event, out| {
                    let (status, code, text) = match event {
                        Event::Ok { code, text, .. } => (Status::Ok, code, text),
                        Event::Err { code, text, .. } => (Status::Err, code, text),
                        other => return on(client, other, out),
                    };
                    answer = Some(StatusLine { status, code, text }.into_owned());
                    Ok(())
                })
                .await?;
            match answer.take() {
                Some(answer) if answered => return Ok(answer),
                // Each command is answered before the next is sent.
                Some(_) => return Err(Failure::lost("more answers than commands")),
                None => {}
            }
        }
    }

    /// Writes what is to be written, reads once, and says what that means. `true` once nothing is outstanding.
    ///
    /// It waits no longer than the settings allow. Where the server may be silent, that is for ever; to stop waiting then loses
    /// nothing.
    pub(crate) async fn hear(
        &mut self,
        mut on: impl FnMut(&mut Client, Event<'_>, &mut Vec<u8>) -> Result<(), Misuse>,
    ) -> Result<bool, Failure> {
        self.flush().await?;
        let read = within(self.client.patience(), self.stream.read(&mut self.buffer)).await;
        let n = read.unwrap_or_else(|| Err(std::io::ErrorKind::TimedOut.into())).map_err(Failure::lost)?;
        if n == 0 {
            self.client.handle_eof()?;
            return Err(Failure::lost("the server closed it"));
        }
        let mut input = &self.buffer[..n];
        while let Some(event) = self.client.next_event(&mut input)? {
            if let Event::Closing { text, .. } = event {
                return Err(Failure::lost(format!("the server closes it, and says: {text}")));
            }
            on(&mut self.client, event, &mut self.out)?;
        }
        self.flush().await?;
        Ok(self.client.outstanding() == 0)
    }

    /// Whether the server is there and has nothing to say.
    pub(crate) async fn is_alive(&mut self) -> bool {
        timeout(Duration::ZERO, self.hear(|_, _, _| Ok(()))).await.is_err()
    }

    /// Says goodbye where there is nothing to delete, and does not wait for the answer.
    pub(crate) async fn leave(mut self) {
        if self.client.send(&Command::Quit, &mut self.out).is_ok() {
            let _ = timeout(CONNECT, self.flush()).await;
        }
    }

    async fn flush(&mut self) -> Result<(), Failure> {
        if self.out.is_empty() {
            return Ok(());
        }
        let written = async {
            self.stream.write_all(&self.out).await?;
            self.stream.flush().await
        };
        // Commands are short: a server that does not take them is not there.
        let written = timeout(GREETING, written).await;
        // It may have been a password.
        self.out.fill(0);
        self.out.clear();
        written.unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into())).map_err(Failure::lost)
    }
}

async fn handshake(
    target: &Target,
    tls: &Tls,
    stream: Box<dyn Stream>,
    wait: Option<Duration>,
) -> Result<Box<dyn Stream>, Failure> {
    let name = ServerName::try_from(target.host.clone()).map_err(Failure::unreachable)?;
    match within(wait, tls.connector.connect(name, stream)).await {
        Some(Ok(stream)) => Ok(Box::new(stream)),
        Some(Err(error)) => Err(Failure::unreachable(format!("TLS: {error}"))),
        None => Err(Failure::unreachable("the TLS handshake takes too long")),
    }
}

/// `None` if it takes longer.
async fn within<F: Future>(wait: Option<Duration>, future: F) -> Option<F::Output> {
    match wait {
        Some(wait) => timeout(wait, future).await.ok(),
        None => Some(future.await),
    }
}

/// Words of the server that can be said again: one line, in ASCII, and no response code.
pub(crate) fn words(text: &Text<'_>) -> String {
    let ascii = |character: char| if character.is_ascii() { character } else { '?' };
    let words: String = text.to_string().chars().map(ascii).collect();
    if words.starts_with('[') { words.replacen('[', "(", 1) } else { words }
}

/// Whether the server's answer to a command with this keyword passes one to one.
pub(crate) const fn passes(verb: Verb) -> bool {
    use Verb::{Dele, List, Noop, Retr, Rset, Stat, Top, Uidl};
    matches!(verb, Dele | List | Noop | Retr | Rset | Stat | Top | Uidl)
}
