//! Settings of both machines: limits, tolerances, policies, times.
//!
//! One [`Config`] serves any number of connections; an `Arc` of it is shared between them.

use crate::capability::{Capability, Expiry, Mechanisms};
use crate::error::{Misuse, Wait};
use crate::text::Text;
use crate::wire::dot::Newlines;
use alloc::string::String;
use alloc::sync::Arc;
use core::fmt;
use core::time::Duration;

/// A named tolerance: something that an RFC forbids the peer, and that a machine can take all the same.
///
/// Which are on is set in [`Config`]; none is ever chosen by what a greeting or IMPLEMENTATION says (RFC 2449 §6.9
/// forbids it). The client notes those that it met ([`Client::quirks_seen`](crate::Client::quirks_seen)).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
#[repr(u8)]
pub enum Quirk {
    /// Client, on: a status line may end in a bare LF, and then every line of the response does, an optional CR before
    /// it not counted. For servers written for LF systems. Bends RFC 1939 §3, "All responses [...] CRLF".
    BareLf,
    /// Client, on: a TAB may stand behind the status indicator instead of a space. Bends RFC 2449 §3.
    StatusTab,
    /// Client, on: a status line may be longer than 512 octets, up to [`Config::status_line`]. Bends RFC 1939 §3.
    LongStatus,
    /// Client, on: several spaces may stand where RFC 1939 §5 and §7 have one in STAT, LIST and UIDL. For Maillennium.
    ExtraSpaces,
    /// Client, on: a unique-id may be longer than 70 octets or hold spaces and octets beyond 0x21 to 0x7E (RFC 1939 §7).
    UniqueIdOctets,
    /// Client, on: the size in STAT may be negative, and is then `None`. For servers that count in 32 bits.
    NegativeOctets,
    /// Client, on: a line of message text may begin with a single dot that is not the end. RFC 1939 §3 has the dot
    /// stripped; what is tolerated is that the server forgot to stuff. With it off the same octets are handed out, and
    /// nothing is noted.
    MissingStuffing,
    /// Client, on: a challenge may lack the space behind `+` (RFC 5034 §4). For Exchange.
    BarePlus,
    /// Client, on: a challenge may be text that is not base64, to a mechanism that expects nothing in it. With it off,
    /// [`Client::answer`](crate::Client::answer) cancels the exchange at such a challenge (RFC 5034 §4).
    TextChallenge,
    /// Client, **off**: `+OK` to AUTH before any response was sent counts as `+` (the first one only).
    /// It changes what a status means.
    OkAsContinue,
    /// Server, off: a command may end in a bare LF (RFC 1939 §3).
    BareLfCommand,
    /// Server, off: spaces may stand at the end of a command (RFC 1939 §3).
    TrailingSpaces,
    /// Server, off: the argument of USER may hold spaces (RFC 1939 §3).
    NameWithSpaces,
    /// Server, off: `AUTH` without a mechanism is answered with the list of mechanisms. For Outlook (RFC 5034 §4 wants
    /// the argument).
    BareAuth,
}

impl Quirk {
    /// Every quirk.
    pub const ALL: [Self; 14] = [
        Self::BareLf,
        Self::StatusTab,
        Self::LongStatus,
        Self::ExtraSpaces,
        Self::UniqueIdOctets,
        Self::NegativeOctets,
        Self::MissingStuffing,
        Self::BarePlus,
        Self::TextChallenge,
        Self::OkAsContinue,
        Self::BareLfCommand,
        Self::TrailingSpaces,
        Self::NameWithSpaces,
        Self::BareAuth,
    ];
}

/// A set of [`Quirk`]s.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub struct Quirks(u32);

impl Quirks {
    /// No quirk: the RFCs to the letter.
    pub const STRICT: Self = Self(0);

    /// What a client tolerates by default: all that leaves the meaning of a status alone. A server tolerates nothing.
    pub const TOLERANT: Self = Self::STRICT
        .with(Quirk::BareLf)
        .with(Quirk::StatusTab)
        .with(Quirk::LongStatus)
        .with(Quirk::ExtraSpaces)
        .with(Quirk::UniqueIdOctets)
        .with(Quirk::NegativeOctets)
        .with(Quirk::MissingStuffing)
        .with(Quirk::BarePlus)
        .with(Quirk::TextChallenge);

    /// The set with one more.
    #[must_use]
    pub const fn with(self, quirk: Quirk) -> Self {
        Self(self.0 | 1 << quirk as u8)
    }

    /// The set without one.
    #[must_use]
    pub const fn without(self, quirk: Quirk) -> Self {
        Self(self.0 & !(1 << quirk as u8))
    }

    /// Whether the quirk is in the set.
    #[must_use]
    pub const fn contains(self, quirk: Quirk) -> bool {
        self.0 & 1 << quirk as u8 != 0
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The quirks of the set.
    pub fn iter(self) -> impl Iterator<Item = Quirk> {
        Quirk::ALL.into_iter().filter(move |&quirk| self.contains(quirk))
    }

    pub(crate) const fn extend(&mut self, others: Self) {
        self.0 |= others.0;
    }

    pub(crate) const fn insert(&mut self, quirk: Quirk) {
        *self = self.with(quirk);
    }
}

impl fmt::Debug for Quirks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.iter()).finish()
    }
}

/// What a client wants of TLS before it sends credentials (RFC 8314).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
#[non_exhaustive]
pub enum Tls {
    /// No login without TLS: whatever the server says, no octet of USER, PASS, APOP or AUTH leaves before it, and only
    /// CAPA, STLS and QUIT can be sent.
    #[default]
    Required,
    /// STLS where the server has it: a login in the clear only once its capability list does not name STLS, CAPA was refused
    /// before any list did, or STLS was refused. Whoever sits on the way can make it so.
    Opportunistic,
    /// Logins in the clear.
    None,
}

/// Whether the driver could verify who is on the other side of TLS (RFC 8314 §3, RFC 7817).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "arbitrary", derive(arbitrary::Arbitrary))]
pub enum Peer {
    /// The certificate stands for the name that was asked for.
    Verified,
    /// It does not, or nobody looked.
    Unverified,
}

/// When a client sends commands without waiting for the answers before (RFC 2449 §6.6).
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
    login: Duration,
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
            login: MINUTES_10,
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
        Ok(self)
    }

    /// Server: the mechanisms that the machine runs by itself. They are announced in front of those of
    /// [`Config::sasl_mechanisms`], and come to the application as [`Incoming::Login`](crate::Incoming::Login).
    #[cfg(feature = "sasl")]
    #[must_use]
    pub fn builtin_mechanisms(mut self, mechanisms: impl IntoIterator<Item = crate::sasl::Builtin>) -> Self {
        mechanisms.into_iter().for_each(|mechanism| self.builtin |= mechanism.bit());
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
    /// As [`Reply::ok`](crate::Reply::ok); [`Misuse::TooLong`] if the line would be longer than 512 octets.
    pub fn implementation(mut self, name: impl Into<String>) -> Result<Self, Misuse> {
        let name = name.into();
        crate::reply::check_text(&name)?;
        if let Some(octet) = name.bytes().find(|octet| !octet.is_ascii()) {
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
        self.login = wait;
        Ok(self)
    }

    /// Server: an autologout below the ten minutes that RFC 1939 §3 demands.
    #[must_use]
    pub const fn autologout_below_ten_minutes(mut self, wait: Duration) -> Self {
        self.command = wait;
        self.login = wait;
        self
    }

    /// Server: how long a client that has not logged in may be silent, below the ten minutes that RFC 1939 §3 demands for
    /// it as well. Default: 10 minutes.
    #[must_use]
    pub const fn login_wait_below_ten_minutes(mut self, wait: Duration) -> Self {
        self.login = wait;
        self
    }

    /// How long the server waits for a command before login.
    pub(crate) const fn login_patience(&self) -> Duration {
        self.login
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

impl Config {
    /// The SASL mechanisms, those that the machine runs in front.
    pub(crate) fn mechanisms(&self) -> impl Iterator<Item = &str> {
        #[cfg(feature = "sasl")]
        let builtin = crate::sasl::Builtin::ALL
            .into_iter()
            .filter(|builtin| self.builtin & builtin.bit() != 0)
            .map(|builtin| -> &str { builtin.name() });
        #[cfg(not(feature = "sasl"))]
        let builtin = core::iter::empty();
        let runs = |name: &str| -> bool {
            #[cfg(feature = "sasl")]
            return crate::sasl::Builtin::ALL.iter().any(|it| self.builtin & it.bit() != 0 && it.name() == name);
            #[cfg(not(feature = "sasl"))]
            {
                let _ = name;
                false
            }
        };
        builtin.chain(self.announced.sasl.split_ascii_whitespace().filter(move |name| !runs(name)))
    }

    /// The capability list, in the order of RFC 2449 §6, for what holds now.
    pub(crate) fn capabilities(&self, now: Now) -> impl Iterator<Item = Capability<'_>> {
        let login = now.may_login;
        let mut mechanisms = String::new();
        for name in self.mechanisms() {
            if !mechanisms.is_empty() {
                mechanisms.push(' ');
            }
            mechanisms.push_str(name);
        }
        let announced = &self.announced;
        [
            announced.top.then_some(Capability::Top),
            (announced.user && login).then_some(Capability::User),
            (!mechanisms.is_empty() && login)
                .then(|| Capability::Sasl(Mechanisms(Text::from(mechanisms.into_bytes())))),
            announced.resp_codes.then_some(Capability::RespCodes),
            announced.resp_codes.then_some(Capability::AuthRespCode),
            announced
                .login_delay
                .map(|(seconds, per_user)| Capability::LoginDelay { seconds, per_user: per_user && !now.logged_in }),
            announced.pipelining.then_some(Capability::Pipelining),
            announced
                .expire
                .map(|(after, per_user)| Capability::Expire { after, per_user: per_user && !now.logged_in }),
            announced.uidl.then_some(Capability::Uidl),
            (announced.stls && now.may_stls).then_some(Capability::Stls),
            match announced.utf8 {
                Utf8::No => None,
                Utf8::Yes => Some(Capability::Utf8 { user: false }),
                Utf8::WithUser => Some(Capability::Utf8 { user: true }),
            },
            announced.lang.then_some(Capability::Lang),
            (!announced.implementation.is_empty() && now.logged_in)
                .then(|| Capability::Implementation(Text::from(announced.implementation.as_str()))),
        ]
        .into_iter()
        .flatten()
    }
}

/// What the capability list depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) may_login: bool,
    pub(crate) may_stls: bool,
    pub(crate) logged_in: bool,
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
