//! Which login to try, and what to make of its failure.

use crate::capability::{Capability, Extension, Support};
use crate::client::Client;
use crate::command::Mechanism;
use crate::error::{Error, Misuse};
use crate::reply::{ErrorClass, ResponseCode};
use crate::state::State;
use alloc::collections::BTreeSet;
use alloc::vec::Vec;

/// A way to log in.
///
/// ```
/// use pop3_proto::Method;
///
/// let scram = Method::auth("scram-sha-256")?;
/// assert!(!scram.is_cleartext() && Method::UserPass.is_cleartext());
/// assert!(Method::auth("no such mechanism").is_err());
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Method {
    /// AUTH with this mechanism (RFC 5034).
    Auth(Mechanism),
    /// USER and PASS (RFC 1939 §7).
    UserPass,
    /// APOP (RFC 1939 §7).
    Apop,
}

impl Method {
    /// AUTH with the mechanism of that name.
    ///
    /// # Errors
    ///
    /// As [`Mechanism::new`].
    pub fn auth(mechanism: &str) -> Result<Self, Misuse> {
        Mechanism::new(mechanism).map(Self::Auth)
    }

    /// Whether the octets on the wire are all that the login needs, or stand for nothing (ANONYMOUS, EXTERNAL): a method
    /// for connections with TLS.
    #[must_use]
    pub fn is_cleartext(&self) -> bool {
        match self {
            Self::UserPass => true,
            Self::Apop => false,
            Self::Auth(mechanism) => {
                matches!(mechanism.as_str(), "PLAIN" | "LOGIN" | "XOAUTH2" | "OAUTHBEARER" | "ANONYMOUS" | "EXTERNAL")
            }
        }
    }
}

/// What to do next.
///
/// ```
/// use pop3_proto::{Client, Command, Config, Method, Next, Peer, Plan};
///
/// let (mut client, mut plan) = (Client::over_tls(Config::new(), Peer::Verified), Plan::new());
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// assert_eq!(plan.next(&client), Next::Capa);
///
/// client.send(&Command::Capa, &mut Vec::new())?;
/// let mut input = &b"+OK\r\nUSER\r\n.\r\n"[..];
/// while client.next_event(&mut input)?.is_some() {} // each capability goes to `Plan::capability`
/// assert_eq!(plan.next(&client), Next::Login(Method::UserPass));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Next {
    /// Ask CAPA: what was known belongs to another phase of the session.
    Capa,
    /// Send STLS, do the handshake.
    Stls,
    /// Log in this way.
    Login(Method),
    /// Nothing is left to try.
    GiveUp(Why),
    /// Nothing: the maildrop is open.
    LoggedIn,
    /// Nothing for now: the greeting or the TLS handshake is due, or the session is over.
    Nothing,
}

/// Why there is nothing left to try.
///
/// ```
/// use pop3_proto::{Client, Config, ErrorClass, Method, Next, Peer, Plan, ResponseCode, Why};
///
/// let (mut client, mut plan) = (Client::over_tls(Config::new(), Peer::Verified), Plan::new());
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// plan.failed(Method::UserPass, Some(&ResponseCode::InUse)); // "-ERR [IN-USE] mailbox is locked"
/// assert_eq!(plan.next(&client), Next::GiveUp(Why::Later(ErrorClass::Busy)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Why {
    /// The policy wants TLS, and the server does not have STLS or refused it.
    NoTls,
    /// The policy wants a server that was verified, and this one was not.
    Unverified,
    /// Of what the caller allows, the server has nothing.
    NothingInCommon,
    /// The server refused the credentials and says so: ask for others.
    Credentials,
    /// The server refused every way and does not say why: the credentials may be wrong, or it cannot serve them now.
    Refused,
    /// Another session has the maildrop, it is too soon, or the server is in trouble that will pass: try later with the
    /// same credentials.
    Later(ErrorClass),
    /// The server's trouble needs somebody's hand.
    Permanent,
}

/// Chooses a login from what the caller allows, what the server announces, and whether TLS is on.
///
/// It never goes back: a method that failed is not tried again, and a failure that says nothing about the credentials
/// ends the plan, so that nobody is asked for a new password because a disk is full. It proposes no cleartext method
/// without TLS unless the caller put it into a list of its own *and* the client's policy allows it.
///
/// ```
/// use pop3_proto::{Client, Config, Event, Method, Next, Plan, Tls};
///
/// let mut client = Client::with_config(Config::new().tls(Tls::Required));
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// let mut plan = Plan::new();
/// assert_eq!(plan.next(&client), Next::Capa);
/// # Ok::<(), pop3_proto::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    allowed: Vec<Method>,
    own_list: bool,
    offered: BTreeSet<Vec<u8>>,
    tried: Vec<Method>,
    verdict: Option<Why>,
}

impl Plan {
    /// What is safe over TLS: AUTH PLAIN, AUTH LOGIN, then USER and PASS. Without TLS: nothing.
    #[must_use]
    pub fn new() -> Self {
        let plain = ["PLAIN", "LOGIN"].into_iter().filter_map(|name| Method::auth(name).ok());
        Self { own_list: false, ..Self::allowing(plain.chain([Method::UserPass])) }
    }

    /// These methods and no others, the best first. A cleartext method in it may be proposed without TLS, if the
    /// client's policy allows the login.
    #[must_use]
    pub fn allowing(methods: impl IntoIterator<Item = Method>) -> Self {
        Self {
            allowed: methods.into_iter().collect(),
            own_list: true,
            offered: BTreeSet::new(),
            tried: Vec::new(),
            verdict: None,
        }
    }

    /// A line of the capability list; give it all of them.
    pub fn capability(&mut self, capability: &Capability<'_>) {
        if let Capability::Sasl(mechanisms) = capability {
            self.offered.extend(mechanisms.iter().map(<[u8]>::to_ascii_uppercase));
        }
    }

    /// The login failed; the code is that of its `-ERR`.
    pub fn failed(&mut self, method: Method, code: Option<&ResponseCode<'_>>) {
        self.tried.push(method);
        let class = code.map_or(ErrorClass::Unknown, ResponseCode::error_class);
        self.verdict = match class {
            ErrorClass::Credentials => Some(Why::Credentials),
            ErrorClass::Busy | ErrorClass::Delay | ErrorClass::Temporary => Some(Why::Later(class)),
            ErrorClass::Permanent => Some(Why::Permanent),
            // The server does not say: perhaps it cannot do this method for this user. Others may work.
            ErrorClass::Unknown => None,
        };
    }

    /// The connection was lost over the login: what that says about the credentials.
    #[must_use]
    pub const fn lost(error: &Error) -> Option<Why> {
        match error {
            Error::AuthRejectedByClose { .. } => Some(Why::Credentials),
            _ => None,
        }
    }

    /// What to do next. The plan asks the client for what it knows: whether TLS is on, whether CAPA or STLS was refused.
    #[must_use]
    pub fn next(&mut self, client: &Client) -> Next {
        match client.state() {
            State::Authorization => {}
            State::Transaction => return Next::LoggedIn,
            State::Greeting | State::Handshake | State::Update | State::Closed => return Next::Nothing,
        }
        if let Some(why) = self.verdict {
            return Next::GiveUp(why);
        }
        let listed = client.supports(Extension::Stls) != Support::Unknown;
        if !listed && !client.capa_refused() {
            // What was listed before belongs to another phase of the session (RFC 2595 §4).
            self.offered.clear();
            return Next::Capa;
        }
        let tls = client.tls().is_some();
        if client.wants_tls() && client.may_send(&crate::Command::Stls).is_ok() && !client.stls_refused() {
            match client.supports(Extension::Stls) {
                Support::Yes => return Next::Stls,
                // Without a capability list, asking is the only way to find out.
                Support::Unknown if client.requires_tls() => return Next::Stls,
                Support::Unknown | Support::No => {}
            }
        }
        if !tls && client.requires_tls() {
            return Next::GiveUp(Why::NoTls);
        }
        if client.mistrusts() {
            return Next::GiveUp(Why::Unverified);
        }
        let next = self.allowed.iter().copied().find(|method| {
            let permitted = tls || self.own_list || !method.is_cleartext();
            permitted && !self.tried.contains(method) && self.offers(*method, client)
        });
        match next {
            Some(method) => Next::Login(method),
            None if self.tried.is_empty() => Next::GiveUp(Why::NothingInCommon),
            None => Next::GiveUp(Why::Refused),
        }
    }

    fn offers(&self, method: Method, client: &Client) -> bool {
        match method {
            Method::Auth(mechanism) => self.offered.contains(mechanism.as_str().as_bytes()),
            // RFC 2449 §6.2: USER says that the two commands are there. Without a list they are what there is.
            Method::UserPass => client.supports(Extension::User) == Support::Yes || client.capa_refused(),
            Method::Apop => client.offers_apop(),
        }
    }
}

impl Default for Plan {
    fn default() -> Self {
        Self::new()
    }
}
