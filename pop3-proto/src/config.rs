//! Settings of both machines: limits, tolerances, policies, times.
//!
//! One [`Config`] serves any number of connections; an `Arc` of it is shared between them.

use crate::capability::Expiry;
use crate::error::{Misuse, Wait};
use crate::quirk::{Quirk, Quirks};
use crate::wire::dot::Newlines;
use alloc::string::String;
use alloc::sync::Arc;
use core::time::Duration;

/// What a client wants of TLS before it sends credentials (RFC 8314).
///
/// ```
/// use pop3_proto::{Client, Command, Config, Misuse, Tls};
///
/// let mut client = Client::with_config(Config::new().tls(Tls::Required)); // the default
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// assert_eq!(client.may_send(&Command::user("mrose")?), Err(Misuse::NeedsTls));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum Tls {
    /// No login without TLS: whatever the server says, no octet of USER, PASS, APOP or AUTH leaves before it, and only
    /// CAPA, STLS and QUIT can be sent. Nor over TLS to a server that nobody verified ([`Peer::Unverified`]; RFC 8314 §5),
    /// unless [`Config::allow_unverified_peer`] says so.
    #[default]
    Required,
    /// STLS where the server has it: a login in the clear only once its capability list does not name STLS, CAPA was refused
    /// before any list did, or STLS was refused. Whoever sits on the way can make it so.
    Opportunistic,
    /// Logins in the clear.
    None,
}

/// Whether the driver could verify who is on the other side of TLS (RFC 8314 §3, RFC 7817).
///
/// ```
/// use pop3_proto::{Client, Command, Config, Misuse, Peer};
///
/// let mut client = Client::over_tls(Config::new(), Peer::Unverified);
/// assert_eq!(client.tls(), Some(Peer::Unverified));
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// assert_eq!(client.may_send(&Command::user("mrose")?), Err(Misuse::UnverifiedPeer));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Peer {
    /// The certificate stands for the name that was asked for.
    Verified,
    /// It does not, or nobody looked.
    Unverified,
}

/// When a client sends commands without waiting for the answers before (RFC 2449 §6.6).
///
/// ```
/// use pop3_proto::{Client, Config, Pipelining};
///
/// assert!(!Client::with_config(Config::new().pipelining(Pipelining::Never)).pipelines());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum Pipelining {
    /// Once the server announced PIPELINING; never across STLS, a login, AUTH or QUIT.
    #[default]
    Announced,
    /// The same, and PASS may be sent right behind USER, if TLS is on.
    WithLogin,
    /// Never.
    Never,
}

/// How a server has UTF-8 (RFC 6856 §2).
///
/// ```
/// use pop3_proto::{Config, Greeting, Server, Utf8};
///
/// let mut out = Vec::new();
/// let mut server = Server::new(Config::new().utf8(Utf8::WithUser), Greeting::text("ready")?, &mut out);
/// server.next_event(&mut &b"CAPA\r\n"[..], &mut out)?;
/// server.capabilities(&mut out)?;
/// assert!(String::from_utf8_lossy(&out).contains("\r\nUTF8 USER\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum Utf8 {
    /// Not at all.
    #[default]
    No,
    /// The UTF8 command.
    Yes,
    /// The UTF8 command, and UTF-8 in user names and passwords (`UTF8 USER`).
    WithUser,
}

/// The settings of a [`Client`](crate::Client) or a [`Server`](crate::Server).
///
/// The defaults are safe: no login without TLS, no MD5, no pipelining that was not announced.
///
/// ```
/// use pop3_proto::{Config, Quirk};
/// use std::sync::Arc;
///
/// let lenient = Arc::new(Config::new().with_quirk(Quirk::OkAsContinue));
/// let client = pop3_proto::Client::with_config(Arc::clone(&lenient));
/// # let _ = client;
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    pub(crate) command_line: usize,
    pub(crate) discarded: usize,
    pub(crate) status_line: usize,
    pub(crate) sasl_line: usize,
    pub(crate) rows: u64,
    pub(crate) outstanding: u16,
    pub(crate) window: u32,
    pub(crate) quirks: Quirks,
    pub(crate) tls: Tls,
    pub(crate) cleartext_login: bool,
    pub(crate) unverified_peer: bool,
    pub(crate) apop: bool,
    pub(crate) pipelining: Pipelining,
    #[cfg(feature = "sasl")]
    pub(crate) initial_response: crate::sasl::InitialResponse,
    #[cfg(feature = "sasl")]
    pub(crate) builtin: u8,
    pub(crate) newlines: Newlines,
    pub(crate) stuffed: bool,
    greeting: Duration,
    reply: Duration,
    handshake: Duration,
    command: Duration,
    /// `None`: as long as for any command.
    login: Option<Duration>,
    pub(crate) announced: Announced,
}

/// What a server has, and so announces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Announced {
    pub(crate) top: bool,
    pub(crate) uidl: bool,
    pub(crate) user: bool,
    pub(crate) pipelining: bool,
    pub(crate) resp_codes: bool,
    pub(crate) stls: bool,
    pub(crate) lang: bool,
    pub(crate) utf8: Utf8,
    pub(crate) sasl: String,
    /// All mechanisms in one line, those that the machine runs in front.
    pub(crate) list: String,
    pub(crate) login_delay: Option<(u32, bool)>,
    pub(crate) expire: Option<(Expiry, bool)>,
    pub(crate) implementation: String,
    pub(crate) others: bool,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            command_line: 512,
            discarded: 128 * 1024,
            status_line: 8 * 1024,
            sasl_line: 64 * 1024,
            rows: 20_000_000,
            outstanding: 64,
            window: 4096,
            quirks: Quirks::TOLERANT,
            tls: Tls::Required,
            cleartext_login: false,
            unverified_peer: false,
            apop: false,
            pipelining: Pipelining::Announced,
            #[cfg(feature = "sasl")]
            initial_response: crate::sasl::InitialResponse::Auto,
            #[cfg(feature = "sasl")]
            builtin: 0,
            newlines: Newlines::Canonical,
            stuffed: false,
            greeting: MINUTES_5,
            reply: MINUTES_10,
            handshake: MINUTES_5,
            command: MINUTES_10,
            login: None,
            announced: Announced {
                top: true,
                uidl: true,
                user: true,
                pipelining: true,
                resp_codes: true,
                stls: false,
                lang: false,
                utf8: Utf8::No,
                sasl: String::new(),
                list: String::new(),
                login_delay: None,
                expire: None,
                implementation: String::new(),
                others: false,
            },
        }
    }

    /// Tolerates nothing on either side.
    #[must_use]
    pub const fn strict(mut self) -> Self {
        self.quirks = Quirks::STRICT;
        self
    }

    /// Tolerates one thing more, on the side it is about.
    #[must_use]
    pub const fn with_quirk(mut self, quirk: Quirk) -> Self {
        self.quirks.insert(quirk);
        self
    }

    /// Tolerates one thing less.
    #[must_use]
    pub const fn without_quirk(mut self, quirk: Quirk) -> Self {
        self.quirks = self.quirks.without(quirk);
        self
    }

    /// Client: the policy for TLS. Default: [`Tls::Required`].
    #[must_use]
    pub const fn tls(mut self, tls: Tls) -> Self {
        self.tls = tls;
        self
    }

    /// Both: logins in the clear are allowed. Whoever is on the way can read the password (RFC 8314 §3).
    #[must_use]
    pub const fn allow_cleartext_login(mut self) -> Self {
        self.tls = Tls::None;
        self.cleartext_login = true;
        self
    }

    /// Client: under [`Tls::Required`] a login is allowed over TLS to a server that nobody verified
    /// ([`Peer::Unverified`]). Whoever is on the way can be that server, and read the password (RFC 8314 §5).
    #[must_use]
    pub const fn allow_unverified_peer(mut self) -> Self {
        self.unverified_peer = true;
        self
    }

    /// Both: APOP is allowed, although MD5 is broken and a man in the middle can recover passwords (RFC 6151 §2.1).
    #[must_use]
    pub const fn allow_apop_md5(mut self) -> Self {
        self.apop = true;
        self
    }

    /// Client: when commands are pipelined. Default: [`Pipelining::Announced`].
    #[must_use]
    pub const fn pipelining(mut self, pipelining: Pipelining) -> Self {
        self.pipelining = pipelining;
        self
    }

    /// Client: at most so many commands and octets of commands may be outstanding. Default: 64 and 4096, which every
    /// transport takes in, so that a driver that writes before it reads cannot block for ever (RFC 2449 §6.6).
    #[must_use]
    pub const fn window(mut self, commands: u16, octets: u32) -> Self {
        self.outstanding = if commands == 0 { 1 } else { commands };
        self.window = octets;
        self
    }

    /// Client: the limit of a status line and of a line of a listing, in octets with CRLF. Default: 8 KiB.
    #[must_use]
    pub const fn status_line(mut self, octets: usize) -> Self {
        self.status_line = octets;
        self
    }

    /// Client: at most so many lines in a listing. Default: 20 million.
    #[must_use]
    pub const fn rows(mut self, rows: u64) -> Self {
        self.rows = rows;
        self
    }

    /// Both: the limit of a challenge or response line, in octets with CRLF. Default: 64 KiB.
    #[must_use]
    pub const fn sasl_line(mut self, octets: usize) -> Self {
        self.sasl_line = octets;
        self
    }

    /// Client: message text is handed out as it is on the wire, stuffing left in, for a proxy that passes it on with
    /// [`Server::body_stuffed`](crate::Server::body_stuffed). A server whose lines end in bare LF is refused then, whatever
    /// [`Quirk::BareLf`] says.
    #[must_use]
    pub const fn stuffed_bodies(mut self) -> Self {
        self.stuffed = true;
        self
    }

    /// Server: the limit of a command line, in octets with CRLF. Default: 512; RFC 2449 §4 asks for 255.
    #[must_use]
    pub const fn command_line(mut self, octets: usize) -> Self {
        self.command_line = octets;
        self
    }

    /// Server: a line that is too long is dropped up to its end; after so many octets without an end the connection is
    /// to be closed. Default: 128 KiB.
    #[must_use]
    pub const fn discarded(mut self, octets: usize) -> Self {
        self.discarded = octets;
        self
    }

    /// Server: what becomes of line ends in stored mail. Default: [`Newlines::Canonical`].
    #[must_use]
    pub const fn newlines(mut self, newlines: Newlines) -> Self {
        self.newlines = newlines;
        self
    }

    /// Server: the TOP command is not there.
    #[must_use]
    pub const fn without_top(mut self) -> Self {
        self.announced.top = false;
        self
    }

    /// Server: the UIDL command is not there.
    #[must_use]
    pub const fn without_uidl(mut self) -> Self {
        self.announced.uidl = false;
        self
    }

    /// Server: the commands USER and PASS are not there.
    #[must_use]
    pub const fn without_user(mut self) -> Self {
        self.announced.user = false;
        self
    }

    /// Server: PIPELINING is not announced (commands that come in a batch are answered in order all the same).
    #[must_use]
    pub const fn without_pipelining(mut self) -> Self {
        self.announced.pipelining = false;
        self
    }

    /// Server: RESP-CODES and AUTH-RESP-CODE are not announced, and a refused login gets no `[AUTH]` by itself.
    #[must_use]
    pub const fn without_response_codes(mut self) -> Self {
        self.announced.resp_codes = false;
        self
    }

    /// Server: STLS is there (RFC 2595 §4): the driver can do a TLS handshake. Never announced once TLS is on.
    #[must_use]
    pub const fn with_stls(mut self) -> Self {
        self.announced.stls = true;
        self
    }

    /// Server: LANG is there (RFC 6856 §3).
    #[must_use]
    pub const fn with_lang(mut self) -> Self {
        self.announced.lang = true;
        self
    }

    /// Server: how UTF8 is there (RFC 6856 §2). Default: [`Utf8::No`].
    #[must_use]
    pub const fn utf8(mut self, utf8: Utf8) -> Self {
        self.announced.utf8 = utf8;
        self
    }

    /// Server: the SASL mechanisms that AUTH takes, in the order in which they are announced (RFC 5034 §3).
    ///
    /// # Errors
    ///
    /// As [`Mechanism::new`](crate::Mechanism::new), and [`Misuse::TooLong`] if the line would be longer than 512
    /// octets.
    pub fn sasl_mechanisms<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Misuse> {
        let mut list = String::new();
        for name in names {
            if !list.is_empty() {
                list.push(' ');
            }
            list.push_str(crate::Mechanism::new(name)?.as_str());
        }
        // Together with those that the machine runs, the line stays within 512 octets.
        if list.len() > 440 {
            return Err(Misuse::TooLong { limit: 512 });
        }
        self.announced.sasl = list;
        self.announced.list = self.mechanism_list();
        Ok(self)
    }

    /// Server: the mechanisms that the machine runs by itself. They are announced in front of those of
    /// [`Config::sasl_mechanisms`], and come to the application as [`Incoming::Login`](crate::Incoming::Login).
    #[cfg(feature = "sasl")]
    #[must_use]
    pub fn builtin_mechanisms(mut self, mechanisms: impl IntoIterator<Item = crate::sasl::Builtin>) -> Self {
        mechanisms.into_iter().for_each(|mechanism| self.builtin |= mechanism.bit());
        self.announced.list = self.mechanism_list();
        self
    }

    /// Client: when the initial response goes with AUTH. Default: [`InitialResponse::Auto`](crate::InitialResponse).
    #[cfg(feature = "sasl")]
    #[must_use]
    pub const fn initial_response(mut self, setting: crate::sasl::InitialResponse) -> Self {
        self.initial_response = setting;
        self
    }

    /// Server: keywords that no RFC defines come to the application ([`Command::Other`](crate::Command::Other)).
    #[must_use]
    pub const fn with_other_commands(mut self) -> Self {
        self.announced.others = true;
        self
    }

    /// Server: what IMPLEMENTATION says, in the TRANSACTION state only (RFC 2449 §6.9).
    ///
    /// # Errors
    ///
    /// [`Misuse::ForbiddenOctet`] for control characters and for what is beyond ASCII; [`Misuse::TooLong`] if the line would
    /// be longer than 512 octets.
    pub fn implementation(mut self, name: impl Into<String>) -> Result<Self, Misuse> {
        let name = name.into();
        if let Some(octet) = name.bytes().find(|octet| !octet.is_ascii() || octet.is_ascii_control()) {
            return Err(Misuse::ForbiddenOctet { octet });
        }
        if name.len() > 490 {
            return Err(Misuse::TooLong { limit: 512 });
        }
        self.announced.implementation = name;
        Ok(self)
    }

    /// Server: `EXPIRE` (RFC 2449 §6.7); `per_user` for a value that may differ once the user is known.
    #[must_use]
    pub const fn expire(mut self, after: Expiry, per_user: PerUser) -> Self {
        self.announced.expire = Some((after, per_user.differs()));
        self
    }

    /// Server: `LOGIN-DELAY` in seconds (RFC 2449 §6.5).
    #[must_use]
    pub const fn login_delay(mut self, seconds: u32, per_user: PerUser) -> Self {
        self.announced.login_delay = Some((seconds, per_user.differs()));
        self
    }

    /// Client: how long the greeting may take. Default: 5 minutes.
    #[must_use]
    pub const fn greeting_wait(mut self, wait: Duration) -> Self {
        self.greeting = wait;
        self
    }

    /// Client: how long an answer, or the next octets of one, may take. Default: 10 minutes.
    #[must_use]
    pub const fn reply_wait(mut self, wait: Duration) -> Self {
        self.reply = wait;
        self
    }

    /// Both: how long the TLS handshake behind STLS may take. Default: 5 minutes.
    #[must_use]
    pub const fn handshake_wait(mut self, wait: Duration) -> Self {
        self.handshake = wait;
        self
    }

    /// Server: after how long without a command the driver logs out (RFC 1939 §3). Default: 10 minutes.
    ///
    /// # Errors
    ///
    /// [`Misuse::TooShort`] below 10 minutes: "Such a timer MUST be of at least 10 minutes' duration".
    pub fn autologout(mut self, wait: Duration) -> Result<Self, Misuse> {
        if wait < MINUTES_10 {
            return Err(Misuse::TooShort);
        }
        self.command = wait;
        Ok(self)
    }

    /// Server: an autologout below the ten minutes that RFC 1939 §3 demands.
    #[must_use]
    pub const fn autologout_below_ten_minutes(mut self, wait: Duration) -> Self {
        self.command = wait;
        self
    }

    /// Server: how long a client that has not logged in may be silent, below the ten minutes that RFC 1939 §3 demands for
    /// it as well. Default: as long as one that has.
    #[must_use]
    pub const fn login_wait_below_ten_minutes(mut self, wait: Duration) -> Self {
        self.login = Some(wait);
        self
    }

    /// How long the server waits for a command before login.
    pub(crate) const fn login_patience(&self) -> Duration {
        match self.login {
            Some(wait) => wait,
            None => self.command,
        }
    }

    /// How long a wait of this kind may be. The driver owns the clock. `None`: as long as it takes.
    #[must_use]
    pub const fn patience(&self, wait: Wait) -> Option<Duration> {
        match wait {
            Wait::Greeting => Some(self.greeting),
            Wait::Tls => Some(self.handshake),
            Wait::Reply(_) => Some(self.reply),
            Wait::Command => Some(self.command),
            Wait::Answer(_) | Wait::Close => None,
        }
    }
}

/// Whether a capability's value may differ from user to user (RFC 2449 §6.5 and §6.7).
///
/// ```
/// use pop3_proto::{Config, Greeting, PerUser, Server};
///
/// let mut out = Vec::new();
/// let mut server = Server::new(Config::new().login_delay(60, PerUser::Differs), Greeting::text("ready")?, &mut out);
/// server.next_event(&mut &b"CAPA\r\n"[..], &mut out)?;
/// server.capabilities(&mut out)?;
/// assert!(String::from_utf8_lossy(&out).contains("\r\nLOGIN-DELAY 60 USER\r\n"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PerUser {
    /// One value for all.
    Same,
    /// `USER` stands behind the value until the user is known.
    Differs,
}

impl PerUser {
    const fn differs(self) -> bool {
        matches!(self, Self::Differs)
    }
}

impl Default for Config {
    fn default() -> Self {
        Self::new()
    }
}

/// The configuration of a machine: the defaults cost no heap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Shared(Option<Arc<Config>>);

impl Shared {
    pub(crate) fn new(config: impl Into<Arc<Config>>) -> Self {
        Self(Some(config.into()))
    }
}

impl core::ops::Deref for Shared {
    type Target = Config;

    fn deref(&self) -> &Config {
        static DEFAULT: Config = Config::new();
        self.0.as_deref().unwrap_or(&DEFAULT)
    }
}

const MINUTES_5: Duration = Duration::from_secs(5 * 60);
const MINUTES_10: Duration = Duration::from_secs(10 * 60);
