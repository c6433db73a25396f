//! Our own client: `pop3-proto`'s machine and the plainest program around it, which fetches a maildrop. No socket.

use super::Upgrade;
use super::house::account;
use super::wire::Endpoint;
use crate::case::Ended;
use pop3_proto::{
    Challenge, Client, Command, Committed, Config, Data, ErrorClass, Event, Exchange, MessageNumber, Peer,
    ResponseCode, State, Timestamp, Tls, Verb,
};
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// What our client does. The default: CAPA, the login, STAT, UIDL, LIST, RETR of everything, QUIT.
#[derive(Clone, Debug)]
pub struct Job {
    /// The user's name.
    pub user: String,
    /// The password.
    pub password: String,
    /// The commands that log in.
    pub login: JobLogin,
    /// What is tried where that login is refused, one after the other.
    pub fall_back: Vec<JobLogin>,
    /// Whether CAPA is asked.
    pub capa: bool,
    /// TOP with so many lines in place of RETR.
    pub top: Option<u64>,
    /// Whether each message is deleted once it is stored.
    pub delete: bool,
    /// Whether commands are sent before the answers to those before them are there.
    pub pipelining: bool,
    /// Other commands, given behind the login in place of all that: whole lines without CRLF of commands that
    /// `pop3-proto` knows (`NOOP`, `LIST 1`, `LANG`).
    pub commands: Vec<String>,
    /// What the driver tells the machine of the server behind TLS.
    pub peer: Peer,
    /// What else is to be changed on the machine's settings.
    pub config: fn(Config) -> Config,
}

/// How our client logs in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobLogin {
    /// USER and PASS.
    User,
    /// APOP.
    Apop,
    /// AUTH PLAIN.
    Plain,
    /// AUTH LOGIN.
    Login,
    /// AUTH XOAUTH2, with the password as token.
    Xoauth2,
    /// AUTH OAUTHBEARER, with the password as token.
    Oauthbearer,
    /// AUTH EXTERNAL, for whoever TLS stands for.
    External,
    /// AUTH CRAM-MD5.
    CramMd5,
    /// AUTH GSSAPI: a toy that answers any challenge, and begins a security layer behind `+OK`
    /// ([`Play::layer`](crate::case::Play::layer)).
    Gssapi,
}

impl Default for Job {
    fn default() -> Self {
        let account = account();
        Self {
            user: account.user,
            password: account.password,
            login: JobLogin::User,
            fall_back: Vec::new(),
            capa: true,
            top: None,
            delete: false,
            pipelining: false,
            commands: Vec::new(),
            peer: Peer::Verified,
            config: |config| config,
        }
    }
}

/// One thing to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Do {
    Capa,
    Stls,
    Login,
    Pass,
    Stat,
    Uidl,
    List,
    Retr(MessageNumber),
    Top(MessageNumber, u64),
    Dele(MessageNumber),
    Given(String),
    Quit,
}

/// Our client at work.
pub struct Fetcher {
    job: Job,
    client: Client,
    todo: VecDeque<Do>,
    sent: VecDeque<Do>,
    exchange: Option<Exchange<'static>>,
    timestamp: Option<Timestamp<'static>>,
    numbers: BTreeSet<MessageNumber>,
    body: Vec<u8>,
    stored: Vec<Vec<u8>>,
    failure: Option<String>,
    over: bool,
    greeted: bool,
    layer_due: bool,
    idle: Duration,
}

impl std::fmt::Debug for Fetcher {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Fetcher").field("client", &self.client).field("todo", &self.todo).finish_non_exhaustive()
    }
}

impl Fetcher {
    /// A client on a fresh connection.
    #[must_use]
    pub fn new(job: Job, upgrade: Upgrade) -> Self {
        let mut config = Config::new().allow_apop_md5();
        config = match upgrade {
            Upgrade::None => config.allow_cleartext_login(),
            Upgrade::Stls | Upgrade::Implicit => config.tls(Tls::Required),
        };
        let config = (job.config)(config);
        let client = match upgrade {
            Upgrade::Implicit => Client::over_tls(config, job.peer),
            _ => Client::with_config(config),
        };
        let mut todo = VecDeque::new();
        if job.capa {
            todo.push_back(Do::Capa);
        }
        if upgrade == Upgrade::Stls {
            todo.push_back(Do::Stls);
            if job.capa {
                todo.push_back(Do::Capa);
            }
        }
        todo.push_back(Do::Login);
        Self {
            job,
            client,
            todo,
            sent: VecDeque::new(),
            exchange: None,
            timestamp: None,
            numbers: BTreeSet::new(),
            body: Vec::new(),
            stored: Vec::new(),
            failure: None,
            over: false,
            greeted: false,
            layer_due: false,
            idle: Duration::ZERO,
        }
    }

    /// How it ended; `Hung` while it has not.
    #[must_use]
    pub fn ended(&self) -> Ended {
        match (&self.failure, self.over) {
            (Some(why), _) => Ended::Failed(why.clone()),
            (None, true) => Ended::Well,
            (None, false) => Ended::Hung,
        }
    }

    /// The messages that are complete.
    #[must_use]
    pub fn stored(&self) -> &[Vec<u8>] {
        &self.stored
    }

    fn fail(&mut self, why: impl ToString) {
        if self.failure.is_none() {
            self.failure = Some(why.to_string());
        }
    }

    fn stop(&mut self, why: impl ToString) {
        self.fail(why);
        self.over = true;
    }

    /// Sends what may be sent now.
    fn go_on(&mut self, out: &mut Vec<u8>) {
        if self.layer_due || self.client.state() == State::Handshake {
            return;
        }
        while !self.over {
            if !self.greeted || !self.sent.is_empty() && !self.job.pipelining {
                return;
            }
            let Some(next) = self.todo.front().cloned() else { return };
            match self.give(&next, out) {
                Ok(()) => {
                    self.todo.pop_front();
                    self.sent.push_back(next);
                }
                // Not before the answers are there.
                Err(_) if !self.sent.is_empty() => return,
                Err(misuse) => {
                    self.fail(misuse);
                    self.todo.clear();
                    if next == Do::Quit {
                        self.over = true;
                    } else {
                        self.todo.push_back(Do::Quit);
                    }
                }
            }
        }
    }

    fn give(&mut self, what: &Do, out: &mut Vec<u8>) -> Result<(), String> {
        let words = |misuse: pop3_proto::Misuse| misuse.to_string();
        let (user, password) = (self.job.user.clone(), self.job.password.clone());
        let command = match what {
            Do::Capa => Command::Capa,
            Do::Stls => Command::Stls,
            Do::Login => match self.job.login {
                JobLogin::User => Command::user(&user).map_err(words)?,
                JobLogin::Apop => {
                    let Some(timestamp) = &self.timestamp else { return Err("the greeting has no timestamp".into()) };
                    let digits = crate::digest::apop(&String::from_utf8_lossy(timestamp.as_bytes()), &password);
                    let command = Command::apop(&user, &digits).map_err(words)?.into_owned();
                    return self.client.send(&command, out).map_err(words);
                }
                JobLogin::CramMd5 => Command::auth("CRAM-MD5").map_err(words)?,
                JobLogin::Gssapi => Command::auth("GSSAPI").map_err(words)?,
                login => {
                    let (user, password): (&'static str, &'static str) = (user.leak(), password.leak());
                    let mut exchange = match login {
                        JobLogin::Plain => Exchange::plain("", user, password),
                        JobLogin::Login => Exchange::login(user, password),
                        JobLogin::External => Exchange::external(""),
                        JobLogin::Xoauth2 => Exchange::xoauth2(user, password),
                        _ => Exchange::oauthbearer(user, "localhost", 110, password),
                    }
                    .map_err(words)?;
                    let done = self.client.authenticate(&mut exchange, out).map_err(words);
                    self.exchange = Some(exchange);
                    return done;
                }
            },
            Do::Pass => Command::pass(&password).map_err(words)?,
            Do::Stat => Command::Stat,
            Do::Uidl => Command::Uidl(None),
            Do::List => Command::List(None),
            Do::Retr(number) => Command::Retr(*number),
            Do::Top(number, lines) => Command::Top { number: *number, lines: *lines },
            Do::Dele(number) => Command::Dele(*number),
            Do::Given(line) => given(line)?,
            Do::Quit => Command::Quit,
        };
        self.client.send(&command, out).map_err(words)
    }

    fn hear(&mut self, event: Event<'_>, out: &mut Vec<u8>) {
        match event {
            Event::Greeting { timestamp, .. } => {
                self.greeted = true;
                self.timestamp = timestamp.map(Timestamp::into_owned);
            }
            Event::Ok { to, data, .. } => {
                if to == Verb::List && self.is_multi(to) {
                    // The scan listing knows better than STAT.
                    self.numbers.clear();
                }
                if let Data::Drop(listing) = data {
                    self.numbers = (1..=listing.messages.min(1000)).filter_map(MessageNumber::new).collect();
                }
                if !self.is_multi(to) {
                    self.done(true);
                }
            }
            Event::Scan(row) => {
                self.numbers.insert(row.number);
            }
            Event::Err { to, text, code } => {
                let class = code.as_ref().map_or(ErrorClass::Unknown, ResponseCode::error_class);
                let words = format!("{to}: {class:?}: {text}");
                match to {
                    Verb::Capa | Verb::Uidl | Verb::Top | Verb::List | Verb::Other | Verb::Lang => {}
                    _ => self.fail(words),
                }
                self.done(false);
            }
            Event::Challenge(challenge) => {
                if let Some(response) = self.own_response(&challenge) {
                    if let Err(misuse) = self.client.respond(&response, out) {
                        self.stop(misuse);
                    }
                } else if let Some(mut exchange) = self.exchange.take() {
                    if let Err(misuse) = self.client.answer(&challenge, &mut exchange, out) {
                        self.stop(misuse);
                    }
                    self.exchange = Some(exchange);
                } else if let Err(misuse) = self.client.cancel(out) {
                    self.stop(misuse);
                }
            }
            Event::Body(octets) => self.body.extend_from_slice(octets),
            // What a list says beside capabilities is not for us (RFC 2449 §5).
            Event::BadRow { of: Verb::Capa, .. } => {}
            Event::BadRow { of, line, .. } => self.fail(format!("{of}: a line makes no sense: {line}")),
            Event::End { of } => {
                if matches!(of, Verb::Retr | Verb::Top) {
                    self.stored.push(std::mem::take(&mut self.body));
                }
                self.done(true);
            }
            Event::Closing { text, code } => {
                let class = code.as_ref().map_or(ErrorClass::Unknown, ResponseCode::error_class);
                self.fail(format!("the server closes: {class:?}: {text}"));
            }
            _ => {}
        }
    }

    /// The response of a mechanism that is ours.
    fn own_response(&self, challenge: &Challenge<'_>) -> Option<Vec<u8>> {
        match self.job.login {
            JobLogin::CramMd5 => {
                let digest = crate::digest::cram_md5(&challenge.decode().ok()?, &self.job.password);
                Some(format!("{} {digest}", self.job.user).into_bytes())
            }
            JobLogin::Gssapi => Some(b"toy".to_vec()),
            _ => None,
        }
    }

    /// Whether data lines follow the `+OK` that came.
    fn is_multi(&self, to: Verb) -> bool {
        match (to, self.sent.front()) {
            (Verb::Retr | Verb::Top | Verb::Capa, _) => true,
            (Verb::List | Verb::Uidl | Verb::Lang, Some(Do::Given(line))) => !line.contains(' '),
            (Verb::List | Verb::Uidl | Verb::Lang, _) => true,
            _ => false,
        }
    }

    /// The answer to the oldest command is complete.
    fn done(&mut self, ok: bool) {
        let Some(done) = self.sent.pop_front() else { return };
        match (done, ok) {
            (Do::Login, true) if self.job.login == JobLogin::User => self.todo.push_front(Do::Pass),
            (Do::Login | Do::Pass, true) => {
                self.failure = None;
                self.layer_due = self.job.login == JobLogin::Gssapi;
                self.logged_in();
            }
            (Do::Login | Do::Pass, false) if !self.job.fall_back.is_empty() => {
                self.job.login = self.job.fall_back.remove(0);
                self.exchange = None;
                self.todo.push_front(Do::Login);
            }
            (Do::Login | Do::Pass | Do::Stls, false) => {
                self.todo.clear();
                self.todo.push_back(Do::Quit);
            }
            (Do::List, _) if self.job.commands.is_empty() => {
                for &number in &self.numbers {
                    self.todo.push_back(match self.job.top {
                        Some(lines) => Do::Top(number, lines),
                        None => Do::Retr(number),
                    });
                    if self.job.delete {
                        self.todo.push_back(Do::Dele(number));
                    }
                }
                self.todo.push_back(Do::Quit);
            }
            (Do::Retr(number), false) => self.todo.retain(|todo| *todo != Do::Dele(number)),
            (Do::Quit, _) => {
                self.over = true;
                if self.job.delete && self.client.committed() != Committed::Yes {
                    self.fail("it is not known whether the messages are deleted");
                }
            }
            _ => {}
        }
    }

    fn logged_in(&mut self) {
        if self.job.capa {
            self.todo.push_back(Do::Capa);
        }
        if self.job.commands.is_empty() {
            self.todo.extend([Do::Stat, Do::Uidl, Do::List]);
        } else {
            self.todo.extend(self.job.commands.iter().cloned().map(Do::Given));
            self.todo.push_back(Do::Quit);
        }
    }
}

/// The error's class, where it has one, and its words.
fn classed(error: &pop3_proto::Error) -> String {
    match error.class() {
        Some(class) => format!("{class:?}: {error}"),
        None => error.to_string(),
    }
}

/// A command from its line.
fn given(line: &str) -> Result<Command<'static>, String> {
    let line = format!("{line}\r\n");
    match pop3_proto::grammar::command(line.as_bytes()) {
        Ok((_, command)) => Ok(command.into_owned()),
        _ => Err(format!("{line:?} is no command")),
    }
}

impl Endpoint for Fetcher {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.idle = Duration::ZERO;
        let mut input = octets;
        while !self.over {
            // Half of a listing or of a message tells nothing yet, so commands wait for the end of this input.
            let event = match self.client.next_event(&mut input) {
                Ok(Some(event)) => event,
                Ok(None) => break,
                Err(error) => return self.stop(classed(&error)),
            };
            match event {
                Event::Body(octets) => self.body.extend_from_slice(octets),
                event => self.hear(event, out),
            }
            self.go_on(out);
        }
    }

    fn handle_eof(&mut self) {
        if !self.over {
            match self.client.handle_eof() {
                Ok(()) => self.fail("the server has closed the connection"),
                Err(error) => self.fail(classed(&error)),
            }
            self.over = true;
        }
    }

    fn wants_tls(&self) -> bool {
        (self.layer_due || self.client.state() == State::Handshake) && !self.over
    }

    fn tls_established(&mut self, out: &mut Vec<u8>) {
        let done = if std::mem::take(&mut self.layer_due) {
            self.client.security_layer_established()
        } else {
            self.client.tls_established(self.job.peer)
        };
        match done {
            Ok(()) => self.go_on(out),
            Err(misuse) => self.stop(misuse),
        }
    }

    fn is_over(&self) -> bool {
        self.over
    }

    fn elapse(&mut self, time: Duration) {
        self.idle += time;
        if !self.over && self.client.patience().is_some_and(|patience| self.idle >= patience) {
            self.stop(format!("the server was silent {}", self.client.awaiting()));
        }
    }
}
