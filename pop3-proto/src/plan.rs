//! Which login to try, and what to make of its failure.

use crate::capability::{Capability, Extension, Mechanisms, Support};
use crate::client::Client;
use crate::command::{Command, Mechanism};
use crate::error::{Error, Misuse};
use crate::event::Event;
use crate::reply::{ErrorClass, ResponseCode};
use crate::state::{State, Verb};
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

    /// Whether the client would send the command that the login begins with.
    fn begins(&self, client: &Client) -> Result<(), Misuse> {
        let command = match self {
            Self::Auth(mechanism) => Command::auth(mechanism.as_str())?,
            Self::UserPass => Command::user("-")?,
            Self::Apop => Command::apop("-", "00000000000000000000000000000000")?,
        };
        client.may_send(&command)
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
/// while let Some(event) = client.next_event(&mut input)? {
///     plan.heard(&event);
/// }
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
    /// Nothing for now: the greeting, an answer, the TLS handshake or PASS behind its USER is due, or the session is over.
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
    /// The policy wants TLS, and there is none to be had: the server does not have STLS (any more), refused it, or UTF8 was
    /// sent before it.
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
/// without TLS unless the caller put it into a list of its own *and* the client's policy allows it. What it proposes,
/// [`Client::send`] takes.
///
/// It holds the caller's list and nothing that the server sent: a bit or two for each method.
///
/// The whole of a login is a loop: do what [`Plan::next`] says, and give [`Plan::heard`] what comes of it.
///
/// ```
/// use pop3_proto::{Client, Command, Config, Exchange, Method, Next, Plan, Tls};
/// # // What the server sends next.
/// # let mut answers = ["+OK\r\nSASL PLAIN\r\nUSER\r\n.\r\n", "-ERR not for you\r\n", "+OK\r\n", "+OK\r\n"].into_iter();
/// # let mut read = || answers.next().unwrap().as_bytes();
///
/// let mut client = Client::with_config(Config::new().allow_cleartext_login());
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// let (mut plan, mut out) = (Plan::allowing([Method::auth("PLAIN")?, Method::UserPass]), Vec::new());
/// let ending = loop {
///     match plan.next(&client) {
///         Next::Capa => client.send(&Command::Capa, &mut out)?,
///         Next::Stls => client.send(&Command::Stls, &mut out)?,
///         Next::Login(Method::UserPass) => client.send(&Command::user("mrose")?, &mut out)?,
///         Next::Login(Method::Apop) => unreachable!("it is not in the list"),
///         Next::Login(_) => client.authenticate(&mut Exchange::plain("", "mrose", "tanstaaf")?, &mut out)?,
///         // Behind USER, nothing but PASS; else the greeting or the TLS handshake is due.
///         Next::Nothing => client.send(&Command::pass("tanstaaf")?, &mut out)?,
///         ending => break ending, // LoggedIn or GiveUp
///     }
///     // Write `out`, read until nothing is outstanding; then `tls_established`, if the handshake is due.
///     while client.outstanding() > 0 {
///         let mut input: &[u8] = read();
///         while let Some(event) = client.next_event(&mut input)? {
///             plan.heard(&event);
///             // (Event::Challenge goes to Client::answer.)
///         }
///     }
/// };
/// assert_eq!(ending, Next::LoggedIn); // by USER and PASS: AUTH PLAIN was refused, and not tried again
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Plan {
    choices: Vec<Choice>,
    own_list: bool,
    /// What was proposed last.
    proposed: Option<Method>,
    /// A login failed.
    refused: bool,
    verdict: Option<Why>,
}

/// A method of the caller's list.
#[derive(Clone, Debug)]
struct Choice {
    method: Method,
    /// The SASL line of the last capability list names it.
    listed: bool,
    tried: bool,
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
            choices: methods.into_iter().map(|method| Choice { method, listed: false, tried: false }).collect(),
            own_list: true,
            proposed: None,
            refused: false,
            verdict: None,
        }
    }

    /// What the server said. Give it every event of the login: it takes what it can use, capabilities and refusals. A
    /// refused login is one of the method that was proposed last.
    pub fn heard(&mut self, event: &Event<'_>) {
        match event {
            // A list replaces the one before, and what came before TLS is worth nothing behind it (RFC 2595 §4).
            Event::Ok { to: Verb::Capa | Verb::Stls, .. } | Event::Err { to: Verb::Capa, .. } => self.forget(),
            Event::Capability(Capability::Sasl(mechanisms)) => self.list(mechanisms),
            Event::Err { to, code, .. } if to.is_login() => {
                let method = match to {
                    Verb::Auth => self.proposed.filter(|method| matches!(method, Method::Auth(_))),
                    Verb::Apop => Some(Method::Apop),
                    _ => Some(Method::UserPass),
                };
                self.judge(method, code.as_ref());
            }
            _ => {}
        }
    }

    /// A line of the capability list, for who has no events: give it all of them. [`Plan::heard`] does it by itself. A SASL
    /// line replaces the one before.
    pub fn capability(&mut self, capability: &Capability<'_>) {
        if let Capability::Sasl(mechanisms) = capability {
            self.forget();
            self.list(mechanisms);
        }
    }

    /// The login failed; the code is that of its `-ERR`. [`Plan::heard`] does it by itself: this is for who has no events, or
    /// tried something else than what was proposed.
    pub fn failed(&mut self, method: Method, code: Option<&ResponseCode<'_>>) {
        self.judge(Some(method), code);
    }

    fn forget(&mut self) {
        self.choices.iter_mut().for_each(|choice| choice.listed = false);
    }

    fn list(&mut self, mechanisms: &Mechanisms<'_>) {
        for choice in &mut self.choices {
            choice.listed |=
                matches!(choice.method, Method::Auth(mechanism) if mechanisms.contains(mechanism.as_str()));
        }
    }

    fn judge(&mut self, method: Option<Method>, code: Option<&ResponseCode<'_>>) {
        self.refused = true;
        self.choices.iter_mut().filter(|choice| Some(choice.method) == method).for_each(|choice| choice.tried = true);
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
        // CAPA is harmless, and waits for every answer: what stands against it stands against everything.
        if client.may_send(&Command::Capa).is_err() {
            return Next::Nothing;
        }
        let listed = client.supports(Extension::Stls) != Support::Unknown;
        if !listed && !client.capa_refused() {
            return Next::Capa;
        }
        let tls = client.tls().is_some();
        if client.wants_tls() && client.may_send(&Command::Stls).is_ok() && !client.stls_refused() {
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
        let next = self.choices.iter().find(|choice| {
            let permitted = tls || self.own_list || !choice.method.is_cleartext();
            permitted && !choice.tried && choice.is_offered(client)
        });
        let Some(&Choice { method, .. }) = next else {
            return Next::GiveUp(if self.refused { Why::Refused } else { Why::NothingInCommon });
        };
        self.proposed = Some(method);
        match method.begins(client) {
            Ok(()) => Next::Login(method),
            Err(Misuse::UnverifiedPeer) => Next::GiveUp(Why::Unverified),
            // The policy knows more than the last capability list says.
            Err(Misuse::NeedsTls) => Next::GiveUp(Why::NoTls),
            Err(_) => Next::GiveUp(Why::NothingInCommon),
        }
    }
}

impl Choice {
    fn is_offered(&self, client: &Client) -> bool {
        match self.method {
            // Another list may have come since, and the client has seen it end.
            Method::Auth(_) => self.listed && client.supports(Extension::Sasl) == Support::Yes,
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
