//! Who is checked: a server ([`ServerPeer`]) or a client ([`ClientPeer`]) of your own, however it is reached.
//!
//! For a server in the same process there is [`InProcess`](in_process::InProcess). The program's own peers, live ones and
//! ours, stand behind the same traits.

pub mod in_process;
mod ours;
pub mod wire;

// The program's, and its tests': who is checked without any code of the caller's. Not part of the interface.
#[doc(hidden)]
pub mod fetcher;
#[doc(hidden)]
pub mod house;
#[doc(hidden)]
pub mod live_client;
#[doc(hidden)]
pub mod live_server;
#[doc(hidden)]
pub mod loopback;
#[doc(hidden)]
pub mod memory;
#[doc(hidden)]
pub mod socket;
#[doc(hidden)]
pub mod tls;

use crate::case::{ClientCase, Ended, ServerCase};
use crate::mailbox::Mail;
use std::time::Duration;
use wire::Wire;

/// Who logs in, and how.
///
/// ```
/// use pop3_conformance::peer::{Account, Login};
///
/// let account = Account { user: "mrose".into(), password: "tanstaaf".into(), login: Login::User };
/// assert!(!format!("{account:?}").contains("tanstaaf"));
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct Account {
    /// The user's name.
    pub user: String,
    /// The password; for APOP, the shared secret.
    pub password: String,
    /// The commands that log in.
    pub login: Login,
}

impl std::fmt::Debug for Account {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Account").field("user", &self.user).field("login", &self.login).finish_non_exhaustive()
    }
}

/// The commands that log in.
///
/// ```
/// use pop3_conformance::peer::{Account, Login};
///
/// let mut account = Account { user: "mrose".into(), password: "tanstaaf".into(), login: Login::User };
/// account.login = Login::Plain; // for a server that refuses USER
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// USER and PASS.
    User,
    /// AUTH PLAIN.
    Plain,
}

/// When TLS begins.
///
/// ```
/// use pop3_conformance::peer::Upgrade;
///
/// let port = |upgrade| match upgrade {
///     Upgrade::Implicit => 995,
///     Upgrade::None | Upgrade::Stls => 110,
/// };
/// assert_eq!(port(Upgrade::Implicit), 995);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Upgrade {
    /// Never.
    None,
    /// Behind STLS, before anybody logs in.
    Stls,
    /// With the connection.
    Implicit,
}

impl Upgrade {
    /// What our own peers have behind their names.
    const fn behind_a_name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Stls => ", STLS",
            Self::Implicit => ", TLS",
        }
    }
}

/// Who is checked, a server or a client.
///
/// ```
/// use pop3_conformance::peer::{Peer, Upgrade};
/// use std::time::Duration;
///
/// /// A server behind a slow line.
/// struct FarAway;
///
/// impl Peer for FarAway {
///     fn name(&self) -> String { "pop.example.org:110".into() }
///     fn is_ours(&self) -> bool { false }
///     fn upgrade(&self) -> Upgrade { Upgrade::Stls }
///     fn patience(&self) -> Duration { Duration::from_secs(30) }
///     fn quiet(&self) -> Duration { Duration::from_secs(2) }
/// }
/// assert!(FarAway.quiet() < FarAway.patience());
/// ```
pub trait Peer {
    /// What it is called in reports: `memory`, `tcp`, `tls`, `HOST:PORT`, a program's name.
    fn name(&self) -> String;

    /// Whether it is our own, which is held to the strict reading.
    fn is_ours(&self) -> bool;

    /// When TLS begins in this run.
    fn upgrade(&self) -> Upgrade;

    /// How long an answer of a server may take, and how long a client may be silent. Zero, if nothing else is said: in
    /// process what has not come will not come.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// How long to wait where nothing is expected. Zero, if nothing else is said.
    fn quiet(&self) -> Duration {
        Duration::ZERO
    }
}

/// A server under test.
///
/// ```
/// use pop3_conformance::case::ServerCase;
/// use pop3_conformance::peer::wire::{Endpoint, MemoryWire, Wire};
/// use pop3_conformance::peer::{Account, Login, Peer, ServerPeer, Site, Upgrade};
/// use pop3_conformance::mailbox::Mail;
/// use pop3_conformance::{run, server_cases};
///
/// /// A server that is out of order: it says so, and closes.
/// struct OutOfOrder;
///
/// impl Endpoint for OutOfOrder {
///     fn take(&mut self, _octets: &[u8], _out: &mut Vec<u8>) {}
///     fn handle_eof(&mut self) {}
///     fn wants_tls(&self) -> bool { false }
///     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
///     fn is_over(&self) -> bool { true }
/// }
///
/// impl Site for OutOfOrder {
///     fn connect(&mut self) -> Result<Box<dyn Wire>, String> {
///         Ok(Box::new(MemoryWire::new(OutOfOrder, b"-ERR out of order\r\n".to_vec())))
///     }
///     fn account(&self) -> Account {
///         Account { user: "mrose".into(), password: "tanstaaf".into(), login: Login::User }
///     }
///     fn number(&self, _mail: Mail) -> Option<u32> { None }
///     fn count(&self) -> Option<u32> { Some(0) }
/// }
///
/// impl Peer for OutOfOrder {
///     fn name(&self) -> String { "out of order".into() }
///     fn is_ours(&self) -> bool { false }
///     fn upgrade(&self) -> Upgrade { Upgrade::None }
/// }
///
/// impl ServerPeer for OutOfOrder {
///     fn may_delete(&self) -> bool { false }
///     fn site(&self, _case: &ServerCase) -> Result<Box<dyn Site + '_>, String> { Ok(Box::new(OutOfOrder)) }
/// }
///
/// let case = server_cases::all().find(|case| case.id == "rfc1939/3/greeting-first").expect("a case");
/// let result = run::server(case, &OutOfOrder);
/// assert_eq!(result.outcome.difference().expect("no greeting").got, "-ERR out of order");
/// ```
pub trait ServerPeer: Peer {
    /// Whether messages may be marked as deleted.
    fn may_delete(&self) -> bool;

    /// Whether the runner has a certificate that the server accepts in place of the user's password.
    fn has_certificate(&self) -> bool {
        false
    }

    /// How long the answer to a login may take: a refusal is often held back for seconds.
    fn login_patience(&self) -> Duration {
        self.patience()
    }

    /// What a case needs, set up.
    ///
    /// # Errors
    ///
    /// Why the case cannot run here.
    fn site(&self, case: &ServerCase) -> Result<Box<dyn Site + '_>, String>;
}

/// A server as it stands for one case, with its maildrop.
///
/// ```
/// use pop3_conformance::mailbox::Mail;
/// use pop3_conformance::peer::in_process::InProcess;
/// use pop3_conformance::peer::wire::Endpoint;
/// use pop3_conformance::peer::{ServerPeer, Site};
/// use pop3_conformance::server_cases;
/// # struct Session;
/// # impl Endpoint for Session {
/// #     fn take(&mut self, _octets: &[u8], _out: &mut Vec<u8>) {}
/// #     fn handle_eof(&mut self) {}
/// #     fn wants_tls(&self) -> bool { false }
/// #     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
/// #     fn is_over(&self) -> bool { false }
/// # }
///
/// let server = InProcess::new("mine", |_: &mut Vec<u8>| Session).holding(&[Mail::Second, Mail::First]);
/// let site: Box<dyn Site> = server.site(server_cases::all().next().expect("a case"))?;
/// assert_eq!((site.number(Mail::First), site.number(Mail::Raw), site.count()), (Some(2), None, Some(2)));
/// # Ok::<(), String>(())
/// ```
pub trait Site {
    /// Opens a connection; with implicit TLS, the handshake is done.
    ///
    /// # Errors
    ///
    /// Why there is none.
    fn connect(&mut self) -> Result<Box<dyn Wire>, String>;

    /// Who logs in.
    fn account(&self) -> Account;

    /// A message's number.
    fn number(&self, mail: Mail) -> Option<u32>;

    /// How many messages there are.
    fn count(&self) -> Option<u32>;
}

/// A client under test.
///
/// ```
/// use pop3_conformance::case::{ClientCase, Ended};
/// use pop3_conformance::peer::wire::{Endpoint, MemoryWire, Wire};
/// use pop3_conformance::peer::{Account, ClientPeer, Login, Peer, Started, Upgrade};
/// use pop3_conformance::run;
///
/// /// A client that leaves as soon as it is greeted.
/// #[derive(Default)]
/// struct Shy(bool);
///
/// impl Endpoint for Shy {
///     fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
///         if octets.starts_with(b"+OK") && !self.0 {
///             self.0 = true;
///             out.extend_from_slice(b"QUIT\r\n");
///         }
///     }
///     fn handle_eof(&mut self) {}
///     fn wants_tls(&self) -> bool { false }
///     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
///     fn is_over(&self) -> bool { false }
/// }
///
/// struct Mine;
///
/// impl Started for Mine {
///     fn accept(&mut self) -> Result<Box<dyn Wire>, String> { Ok(Box::new(MemoryWire::new(Shy::default(), Vec::new()))) }
///     fn end(&mut self) -> Ended { Ended::Well }
///     fn stored(&self) -> Vec<Vec<u8>> { Vec::new() }
/// }
///
/// impl Peer for Mine {
///     fn name(&self) -> String { "mine".into() }
///     fn is_ours(&self) -> bool { false }
///     fn upgrade(&self) -> Upgrade { Upgrade::None }
/// }
///
/// impl ClientPeer for Mine {
///     fn account(&self) -> Account {
///         Account { user: "mrose".into(), password: "tanstaaf".into(), login: Login::User }
///     }
///     fn start(&self, _case: &ClientCase) -> Result<Box<dyn Started + '_>, String> { Ok(Box::new(Mine)) }
/// }
///
/// static LEAVES: ClientCase = ClientCase::must("own/leaves", "the client says QUIT", &[], |p| p.until("QUIT").map(drop));
/// assert_eq!(run::client(&LEAVES, &Mine).outcome.word(), "pass");
/// static FETCHES: ClientCase = ClientCase::must("own/fetches", "it fetches mail", &[], |p| p.until("RETR").map(drop));
/// assert_eq!(run::client(&FETCHES, &Mine).outcome.word(), "skip"); // what a client never does is not judged
/// ```
pub trait ClientPeer: Peer {
    /// The user and the password that the client has.
    fn account(&self) -> Account {
        house::account()
    }

    /// Starts the client for a case.
    ///
    /// # Errors
    ///
    /// Why the case cannot run here.
    fn start(&self, case: &ClientCase) -> Result<Box<dyn Started + '_>, String>;
}

/// A client that runs.
///
/// ```
/// use pop3_conformance::case::{ClientCase, Ended, Play};
/// use pop3_conformance::peer::Started;
/// use pop3_conformance::peer::wire::Wire;
///
/// /// A program that was started, and does not connect.
/// struct Absent;
///
/// impl Started for Absent {
///     fn accept(&mut self) -> Result<Box<dyn Wire>, String> { Err("nobody came within 5 seconds".into()) }
///     fn end(&mut self) -> Ended { Ended::Failed("exit status 1".into()) }
///     fn stored(&self) -> Vec<Vec<u8>> { Vec::new() }
/// }
///
/// let mut started: Box<dyn Started> = Box::new(Absent);
/// assert!(started.accept().is_err()); // the case is skipped, with these words
/// assert_eq!(started.end(), Ended::Failed("exit status 1".into()));
/// ```
pub trait Started {
    /// The client's connection; with implicit TLS, the handshake is done.
    ///
    /// # Errors
    ///
    /// Why there is none: the client did not connect in time.
    fn accept(&mut self) -> Result<Box<dyn Wire>, String>;

    /// Waits for the client's end, and ends it if that takes too long.
    fn end(&mut self) -> Ended;

    /// The messages that the client has stored, in no special order.
    fn stored(&self) -> Vec<Vec<u8>>;
}
