//! Who is checked: our own machines in memory and over loopback, a live server, a live client.

pub mod fetcher;
pub mod house;
pub mod in_process;
pub mod live_client;
pub mod live_server;
pub mod loopback;
pub mod memory;
mod ours;
pub mod socket;
pub mod tls;
pub mod wire;

use crate::case::{ClientCase, Ended, ServerCase};
use crate::mailbox::Mail;
use std::time::Duration;
use wire::Wire;

/// Who logs in, and how.
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Login {
    /// USER and PASS.
    User,
    /// AUTH PLAIN.
    Plain,
}

/// When TLS begins.
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
pub trait ServerPeer: Peer {
    /// Whether messages may be marked as deleted.
    fn may_delete(&self) -> bool;

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
