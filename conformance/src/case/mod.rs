//! What a case is: a few lines of protocol beside a section of an RFC, and a judgement.
//!
//! A [`ServerCase`] is a dialogue that the runner holds with a server; a [`ClientCase`] is a server that the runner
//! plays to a client. Both are values in a list per section, see [`server_cases`](crate::server_cases) and
//! [`client_cases`](crate::client_cases).

mod dialogue;
mod honest;
mod listening;
mod play;
mod reply;
mod talk;

pub use dialogue::{Dialogue, Entry, Who};
pub use honest::Honest;
pub use play::{Ended, Line, Play};
pub use reply::Reply;
pub(crate) use talk::NO_DELETIONS;
pub use talk::Talk;

use crate::catalogue::{self, Requirement};
use crate::mailbox::Mail;
use crate::peer::fetcher::Job;
use crate::peer::house::House;

/// How much a requirement weighs.
///
/// ```
/// use pop3_conformance::case::Level;
/// use pop3_conformance::suite::Case;
///
/// let must = Case::selected("").iter().filter_map(Case::server).filter(|case| case.level == Level::Must).count();
/// assert!(must > 100);
/// assert_eq!(Level::Should.word(), "SHOULD");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// A failure fails the run.
    Must,
    /// A failure is a warning; with `--strict` it fails the run.
    Should,
    /// A failure is only reported.
    Quirk,
}

impl Level {
    /// `MUST`, `SHOULD` or `quirk`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Must => "MUST",
            Self::Should => "SHOULD",
            Self::Quirk => "quirk",
        }
    }
}

/// Who is checked.
///
/// ```
/// use pop3_conformance::case::Role;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("rfc1939/5/"), &Ours::in_memory()[..1], 2, &|| {});
/// let (servers, clients): (Vec<_>, Vec<_>) = results.iter().partition(|result| result.role == Role::Server);
/// assert!(!servers.is_empty() && !clients.is_empty());
/// assert_eq!(Role::Client.word(), "client");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// A server.
    Server,
    /// A client.
    Client,
}

impl Role {
    /// `server` or `client`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
        }
    }
}

/// Where a server case begins; the runner leads there.
///
/// ```
/// use pop3_conformance::case::{ServerCase, Start};
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static EARLY: ServerCase = ServerCase::must("own/early", "STAT before the login is refused", &[], |s| {
///     s.err("STAT").map(drop)
/// })
/// .from(Start::Greeted);
/// let results = suite::run(&[Case::Server(&EARLY)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Connected (and with implicit TLS, the handshake done); the greeting is not read yet.
    Connected,
    /// The greeting is read. No STLS was sent, whatever the run's setting is.
    Greeted,
    /// In the AUTHORIZATION state, over TLS where the run wants TLS.
    Authorization,
    /// Logged in.
    Transaction,
}

/// Which maildrop a server case needs.
///
/// ```
/// use pop3_conformance::case::{Mailbox, ServerCase};
/// use pop3_conformance::mailbox::Mail;
///
/// static TOP: ServerCase = ServerCase::must("own/top", "...", &[], |s| s.multi("TOP 1 0").map(drop)).with(&[Mail::First]);
/// assert_eq!(TOP.mailbox, Mailbox::With(&[Mail::First])); // without that message the case is skipped
/// assert_eq!(TOP.empty().mailbox, Mailbox::Empty);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mailbox {
    /// Any: its messages do not matter.
    Any,
    /// One that holds at least these messages.
    With(&'static [Mail]),
    /// An empty one.
    Empty,
}

/// Why a case has come to its end before its last line.
///
/// ```
/// use pop3_conformance::case::{ServerCase, Stop, fail, skip};
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static EXPIRE: ServerCase = ServerCase::should("own/expire", "mail is kept for ever", &[], |s| {
///     let Some(list) = s.capabilities()? else { return skip("the server has no CAPA") };
///     match list.iter().find(|line| line.starts_with("EXPIRE")) {
///         Some(line) if line == "EXPIRE NEVER" => Ok(()),
///         Some(line) => fail("EXPIRE NEVER", line),
///         None => skip("the server does not announce EXPIRE"),
///     }
/// });
/// let results = suite::run(&[Case::Server(&EXPIRE)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// assert_eq!(skip::<()>("no CAPA"), Err(Stop::Skip("no CAPA".into())));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is not as the RFC says.
    Fail {
        /// What was expected.
        expected: String,
        /// What came.
        got: String,
    },
    /// The case does not apply, and this is why.
    Skip(String),
}

/// What a script gives back.
pub type Judged<T = ()> = Result<T, Stop>;

/// A failure.
///
/// # Errors
///
/// Always [`Stop::Fail`].
pub fn fail<T>(expected: impl Into<String>, got: impl Into<String>) -> Judged<T> {
    let got = got.into();
    Err(Stop::Fail { expected: expected.into(), got: if got.is_empty() { "nothing".to_owned() } else { got } })
}

/// The case does not apply.
///
/// # Errors
///
/// Always [`Stop::Skip`].
pub fn skip<T>(why: impl Into<String>) -> Judged<T> {
    Err(Stop::Skip(why.into()))
}

/// What a server case is made of.
pub type ServerScript = fn(&mut Talk<'_>) -> Judged;

/// What a client case is made of.
pub type ClientScript = fn(&mut Play<'_>) -> Judged;

/// A dialogue with a server.
///
/// ```
/// use pop3_conformance::case::ServerCase;
/// use pop3_conformance::output::Run;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static NOOP: ServerCase = ServerCase::must("own/noop", "NOOP is answered once", &["RFC1939-5-035"], |s| {
///     s.ok("NOOP")?;
///     s.quiet()
/// });
/// let results = suite::run(&[Case::Server(&NOOP)], &Ours::in_memory(), 1, &|| {});
/// assert!(Run { subject: "pop3-proto", command: "", strict: true, results: &results }.totals().conforms());
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ServerCase {
    /// RFC, section and a name: `rfc1939/5/retr-deleted`.
    pub id: &'static str,
    /// What is demanded, as a sentence.
    pub title: &'static str,
    /// The ids of the requirements that it covers.
    pub requirements: &'static [&'static str],
    /// How much it weighs.
    pub level: Level,
    /// Where it begins.
    pub start: Start,
    /// Which maildrop it needs.
    pub mailbox: Mailbox,
    /// What the server must announce; `None`: what the requirements say.
    pub needs: Option<&'static [&'static str]>,
    /// How our own server is set up for it; a foreign server cannot be.
    #[doc(hidden)]
    pub house: Option<fn(&mut House)>,
    /// Whether it needs a certificate of the client's that stands for the user. A foreign server is set up for it where the
    /// run has one.
    pub certificate: bool,
    /// Why it runs in memory alone (a virtual clock, say); empty if it runs anywhere.
    pub memory_only: &'static str,
    /// The dialogue.
    pub script: ServerScript,
}

impl ServerCase {
    const fn new(
        level: Level,
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ServerScript,
    ) -> Self {
        Self {
            id,
            title,
            requirements,
            level,
            start: Start::Transaction,
            mailbox: Mailbox::Any,
            needs: None,
            house: None,
            certificate: false,
            memory_only: "",
            script,
        }
    }

    /// A case that begins logged in, and whose failure fails the run.
    #[must_use]
    pub const fn must(
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ServerScript,
    ) -> Self {
        Self::new(Level::Must, id, title, requirements, script)
    }

    /// A case whose failure is a warning.
    #[must_use]
    pub const fn should(
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ServerScript,
    ) -> Self {
        Self::new(Level::Should, id, title, requirements, script)
    }

    /// A case whose failure is only reported.
    #[must_use]
    pub const fn quirk(
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ServerScript,
    ) -> Self {
        Self::new(Level::Quirk, id, title, requirements, script)
    }

    /// Begins somewhere else than logged in.
    #[must_use]
    pub const fn from(mut self, start: Start) -> Self {
        self.start = start;
        self
    }

    /// Needs these messages in the maildrop.
    #[must_use]
    pub const fn with(mut self, mail: &'static [Mail]) -> Self {
        self.mailbox = Mailbox::With(mail);
        self
    }

    /// Needs an empty maildrop.
    #[must_use]
    pub const fn empty(mut self) -> Self {
        self.mailbox = Mailbox::Empty;
        self
    }

    /// Needs these capabilities, whatever the catalogue says (`APOP`: a timestamp in the greeting; `CAPA`: a capability
    /// list at all).
    #[must_use]
    pub const fn needs(mut self, needs: &'static [&'static str]) -> Self {
        self.needs = Some(needs);
        self
    }

    /// Sets our own server up; on a foreign server the case is skipped.
    #[doc(hidden)]
    #[must_use]
    pub const fn house(mut self, house: fn(&mut House)) -> Self {
        self.house = Some(house);
        self
    }

    /// Needs a certificate of the client's that stands for the user.
    #[must_use]
    pub const fn certificate(mut self) -> Self {
        self.certificate = true;
        self
    }

    /// Runs in memory alone, and says why.
    #[must_use]
    pub const fn memory_only(mut self, why: &'static str) -> Self {
        self.memory_only = why;
        self
    }

    /// What the server must announce: what the case says, or else what its requirements say.
    #[must_use]
    pub fn needed(&self) -> Vec<&'static str> {
        needed(self.needs, self.requirements)
    }
}

/// A server that is played to a client.
///
/// ```
/// use pop3_conformance::case::ClientCase;
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// static QUIT: ClientCase = ClientCase::should("own/quit", "the client takes its leave", &[], |p| {
///     p.serve()?;
///     p.check(p.has_given("QUIT"), "QUIT", "none")
/// });
/// let results = suite::run(&[Case::Client(&QUIT)], &Ours::in_memory(), 1, &|| {});
/// assert!(results.iter().all(|result| result.outcome.word() == "pass"));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ClientCase {
    /// RFC, section and a name: `rfc1939/3/client-crlf`.
    pub id: &'static str,
    /// What is demanded, as a sentence.
    pub title: &'static str,
    /// The ids of the requirements that it covers.
    pub requirements: &'static [&'static str],
    /// How much it weighs.
    pub level: Level,
    /// What our own client is to do; a foreign client does what its command says.
    #[doc(hidden)]
    pub job: Option<fn(&mut Job)>,
    /// Why it runs in memory alone; empty if it runs anywhere.
    pub memory_only: &'static str,
    /// The server's part.
    pub script: ClientScript,
}

impl ClientCase {
    const fn new(
        level: Level,
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ClientScript,
    ) -> Self {
        Self { id, title, requirements, level, job: None, memory_only: "", script }
    }

    /// A case whose failure fails the run.
    #[must_use]
    pub const fn must(
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ClientScript,
    ) -> Self {
        Self::new(Level::Must, id, title, requirements, script)
    }

    /// A case whose failure is a warning.
    #[must_use]
    pub const fn should(
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ClientScript,
    ) -> Self {
        Self::new(Level::Should, id, title, requirements, script)
    }

    /// A case whose failure is only reported.
    #[must_use]
    pub const fn quirk(
        id: &'static str,
        title: &'static str,
        requirements: &'static [&'static str],
        script: ClientScript,
    ) -> Self {
        Self::new(Level::Quirk, id, title, requirements, script)
    }

    /// Tells our own client what to do; a foreign client is left as it is, and a script that misses a command is skipped.
    #[doc(hidden)]
    #[must_use]
    pub const fn job(mut self, job: fn(&mut Job)) -> Self {
        self.job = Some(job);
        self
    }

    /// Runs in memory alone, and says why.
    #[must_use]
    pub const fn memory_only(mut self, why: &'static str) -> Self {
        self.memory_only = why;
        self
    }
}

fn needed(own: Option<&'static [&'static str]>, requirements: &[&str]) -> Vec<&'static str> {
    if let Some(own) = own {
        return own.to_vec();
    }
    let mut all = Vec::new();
    for requirement in requirements.iter().filter_map(|id| catalogue::requirement(id)) {
        let Requirement { requires, .. } = requirement;
        for tag in requires {
            if !all.contains(&tag.as_str()) {
                all.push(tag.as_str());
            }
        }
    }
    all
}
