//! The SASL mechanisms that need no cryptography, for both sides (RFC 4422, RFC 5034).
//!
//! Others plug in where these do: a client answers [`Event::Challenge`](crate::Event::Challenge) with
//! [`Client::respond`](crate::Client::respond), a server answers [`Incoming::Auth`](crate::Incoming::Auth) and
//! [`Incoming::Response`](crate::Incoming::Response) with [`Server::challenge`](crate::Server::challenge).
//!
//! ```
//! use pop3_proto::{Client, Config, Event, Exchange, Peer};
//!
//! let mut client = Client::over_tls(Config::new(), Peer::Verified);
//! let mut input: &[u8] = b"+OK POP3 server ready\r\n";
//! client.next_event(&mut input)?;
//!
//! let mut out = Vec::new();
//! let mut exchange = Exchange::plain("", "test", "test")?;
//! client.authenticate(&mut exchange, &mut out)?;
//! assert_eq!(out, b"AUTH PLAIN\r\n"); // no capability list, and so no initial response
//!
//! let mut input: &[u8] = b"+ \r\n";
//! let Some(Event::Challenge(challenge)) = client.next_event(&mut input)? else { unreachable!() };
//! client.answer(&challenge, &mut exchange, &mut out)?;
//! assert_eq!(out, b"AUTH PLAIN\r\nAHRlc3QAdGVzdA==\r\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

use crate::command::{Mechanism, Name, Password};
use crate::error::Misuse;
use crate::event::{Challenge, Login};
use crate::grammar::Fault;
use crate::text::{Secret, Text};
use alloc::string::String;
use alloc::vec::Vec;
use base64ct::{Base64, Encoding as _};
use core::fmt;

/// Canonical base64 (RFC 4648 §4: padded, pad bits zero); an empty line is an empty string. The octets go to a buffer of the
/// caller's, for they are there also when the last of them shows that it was none.
pub(crate) fn decode(line: &[u8], octets: &mut Vec<u8>) -> Result<(), Fault> {
    octets.clear();
    octets.resize((line.len() / 4).saturating_mul(3), 0);
    let length = Base64::decode(line, octets).map_err(|_| Fault::Base64)?.len();
    octets.truncate(length);
    Ok(())
}

pub(crate) fn encode(octets: &[u8]) -> String {
    Base64::encode_string(octets)
}

/// When a client sends the initial response in the AUTH line (RFC 5034 §4). Whatever is set, it goes there only if the
/// server's current capability list names SASL and the line stays within 255 octets.
///
/// ```
/// use pop3_proto::{Client, Command, Config, Exchange, InitialResponse, Peer};
///
/// let config = Config::new().initial_response(InitialResponse::Never);
/// let (mut client, mut out) = (Client::over_tls(config, Peer::Verified), Vec::new());
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// client.send(&Command::Capa, &mut out)?;
/// let mut input = &b"+OK\r\nSASL PLAIN\r\n.\r\n"[..];
/// while client.next_event(&mut input)?.is_some() {}
/// client.authenticate(&mut Exchange::plain("", "test", "test")?, &mut out)?;
/// assert_eq!(out, b"CAPA\r\nAUTH PLAIN\r\n"); // with `Auto` the response would stand in this line
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum InitialResponse {
    /// Where it saves a round trip, but behind the challenge for XOAUTH2 and OAUTHBEARER: the largest server there is
    /// refuses those in one line.
    #[default]
    Auto,
    /// Never.
    Never,
    /// For XOAUTH2 and OAUTHBEARER too.
    Always,
}

impl InitialResponse {
    /// Whether the setting is for sending it with this mechanism.
    pub(crate) fn inlines(self, mechanism: &str) -> bool {
        match self {
            Self::Never => false,
            Self::Always => true,
            Self::Auto => !["XOAUTH2", "OAUTHBEARER"].iter().any(|name| name.eq_ignore_ascii_case(mechanism)),
        }
    }
}

/// A client's side of one SASL exchange: who holds it answers challenges without knowing the mechanism.
///
/// Make a new one for each attempt. `Debug` shows the mechanism and no secret.
///
/// ```
/// use pop3_proto::{Exchange, Secret, Step};
///
/// let mut exchange = Exchange::login("mrose", "tanstaaf")?;
/// assert_eq!(exchange.mechanism(), "LOGIN");
/// assert_eq!(exchange.step(b"Username:"), Step::Respond(Secret::from(&b"mrose"[..])));
/// assert_eq!(exchange.step(b"Password:"), Step::Respond(Secret::from(&b"tanstaaf"[..])));
/// assert!(!format!("{exchange:?}").contains("tanstaaf"));
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
pub struct Exchange<'a> {
    kind: Kind<'a>,
    sent: u8,
    failure: Vec<u8>,
}

enum Kind<'a> {
    /// One message says it all.
    Once {
        mechanism: &'static str,
        message: Secret<'static>,
        bearer: Option<&'static [u8]>,
    },
    Login {
        name: &'a [u8],
        password: Secret<'a>,
    },
    #[cfg(feature = "md5")]
    CramMd5 {
        name: &'a str,
        password: Secret<'a>,
    },
}

/// What comes next in an exchange.
///
/// ```
/// use pop3_proto::{Exchange, Step};
///
/// let mut exchange = Exchange::external("")?;
/// assert!(matches!(exchange.step(b""), Step::Respond(response) if response.reveal().is_empty()));
/// assert_eq!(exchange.step(b"more?"), Step::Cancel); // EXTERNAL has one message and no more
/// # Ok::<(), pop3_proto::Misuse>(())
/// ```
#[derive(Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Step {
    /// Send this response.
    Respond(Secret<'static>),
    /// The challenge makes no sense in this mechanism: cancel.
    Cancel,
}

impl<'a> Exchange<'a> {
    /// PLAIN (RFC 4616). `authorization` is the identity to act as; empty for the identity that `name` stands for.
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`] for an empty name or password, [`Misuse::ForbiddenOctet`] for NUL, CR and LF.
    pub fn plain(authorization: &str, name: &str, password: &str) -> Result<Self, Misuse> {
        for field in [authorization, name, password] {
            no_line_octets(field.as_bytes())?;
        }
        not_empty(name)?;
        not_empty(password)?;
        let message = [authorization, name, password].join("\0");
        Ok(Self::once("PLAIN", message.into_bytes(), None))
    }

    /// LOGIN, an obsolete mechanism that some servers have instead of PLAIN.
    ///
    /// # Errors
    ///
    /// As [`Exchange::plain`].
    pub fn login(name: &'a str, password: &'a str) -> Result<Self, Misuse> {
        no_line_octets(name.as_bytes())?;
        no_line_octets(password.as_bytes())?;
        not_empty(name)?;
        not_empty(password)?;
        let kind = Kind::Login { name: name.as_bytes(), password: Secret::from(password.as_bytes()) };
        Ok(Self { kind, sent: 0, failure: Vec::new() })
    }

    /// EXTERNAL (RFC 4422 Appendix A): TLS or the like says who we are. `authorization` may be empty.
    ///
    /// # Errors
    ///
    /// [`Misuse::ForbiddenOctet`] for NUL, CR and LF.
    pub fn external(authorization: &str) -> Result<Self, Misuse> {
        no_line_octets(authorization.as_bytes())?;
        Ok(Self::once("EXTERNAL", authorization.as_bytes().to_vec(), None))
    }

    /// ANONYMOUS (RFC 4505), with a trace for the server's people: a mail address, or anything without `@`.
    ///
    /// # Errors
    ///
    /// [`Misuse::ForbiddenOctet`] for control characters; [`Misuse::TooLong`] beyond 255 characters.
    pub fn anonymous(trace: &str) -> Result<Self, Misuse> {
        if let Some(octet) = trace.bytes().find(u8::is_ascii_control) {
            return Err(Misuse::ForbiddenOctet { octet });
        }
        if trace.chars().count() > 255 {
            return Err(Misuse::TooLong { limit: 255 });
        }
        Ok(Self::once("ANONYMOUS", trace.as_bytes().to_vec(), None))
    }

    /// XOAUTH2, as Google and Microsoft have it: `token` is an access token for the mailbox of `name`.
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`], [`Misuse::ForbiddenOctet`] for control characters, and in the token for all but visible ASCII.
    pub fn xoauth2(name: &str, token: &str) -> Result<Self, Misuse> {
        bearer_fields(&[name], token)?;
        // (One allocation: growing would leave copies of the token behind.)
        let message = ["user=", name, "\x01auth=Bearer ", token, "\x01\x01"].concat();
        Ok(Self::once("XOAUTH2", message.into_bytes(), Some(b"")))
    }

    /// OAUTHBEARER (RFC 7628). `host` and `port` are what the client connected to.
    ///
    /// # Errors
    ///
    /// [`Misuse::Empty`], [`Misuse::ForbiddenOctet`] for control characters, and in the token for all but visible ASCII.
    pub fn oauthbearer(name: &str, host: &str, port: u16, token: &str) -> Result<Self, Misuse> {
        bearer_fields(&[name, host], token)?;
        // RFC 5801 §4: "," and "=" in the gs2-header's authzid are written as =2C and =3D.
        let escaped = name.replace('=', "=3D").replace(',', "=2C");
        let port = alloc::format!("{port}");
        let message =
            ["n,a=", &escaped, ",\x01host=", host, "\x01port=", &port, "\x01auth=Bearer ", token, "\x01\x01"].concat();
        Ok(Self::once("OAUTHBEARER", message.into_bytes(), Some(b"\x01")))
    }

    /// CRAM-MD5 (RFC 2195). MD5 is broken; the mechanism is for servers that have nothing else.
    ///
    /// # Errors
    ///
    /// As [`Exchange::plain`].
    #[cfg(feature = "md5")]
    pub fn cram_md5(name: &'a str, password: &'a str) -> Result<Self, Misuse> {
        no_line_octets(name.as_bytes())?;
        not_empty(name)?;
        not_empty(password)?;
        let kind = Kind::CramMd5 { name, password: Secret::from(password.as_bytes()) };
        Ok(Self { kind, sent: 0, failure: Vec::new() })
    }

    fn once(mechanism: &'static str, message: Vec<u8>, bearer: Option<&'static [u8]>) -> Self {
        let message = Secret::from(message);
        Self { kind: Kind::Once { mechanism, message, bearer }, sent: 0, failure: Vec::new() }
    }

    /// The name of the mechanism.
    #[must_use]
    pub const fn mechanism(&self) -> &'static str {
        match &self.kind {
            Kind::Once { mechanism, .. } => mechanism,
            Kind::Login { .. } => "LOGIN",
            #[cfg(feature = "md5")]
            Kind::CramMd5 { .. } => "CRAM-MD5",
        }
    }

    /// Why the server refused a bearer token: the JSON of its last challenge (RFC 7628 §3.2.2). Empty if it did not say.
    #[must_use]
    pub fn failure(&self) -> Text<'_> {
        Text::from(self.failure.as_slice())
    }

    /// The initial response, for a mechanism in which the client speaks first; [`Exchange::step`] does not repeat it.
    pub(crate) fn initial(&self) -> Option<&[u8]> {
        match &self.kind {
            Kind::Once { message, .. } => Some(message.reveal()),
            _ => None,
        }
    }

    pub(crate) fn initial_sent(&mut self) {
        self.sent = 1;
    }

    /// The response to a challenge as it came.
    pub(crate) fn answer(&mut self, challenge: &Challenge<'_>) -> Step {
        match (challenge.decode(), &self.kind) {
            (Ok(decoded), _) => self.step(&decoded),
            // Some servers put words for people there. They mean nothing to a mechanism that expects nothing.
            (Err(_), Kind::Once { .. } | Kind::Login { .. }) => self.step(challenge.line().as_bytes()),
            #[cfg(feature = "md5")]
            (Err(_), Kind::CramMd5 { .. }) => Step::Cancel,
        }
    }

    /// The last response was not sent: the next step gives it again.
    pub(crate) fn take_back(&mut self) {
        self.sent = self.sent.saturating_sub(1);
    }

    /// The response to a challenge, both decoded.
    pub fn step(&mut self, challenge: &[u8]) -> Step {
        let sent = self.sent;
        self.sent = sent.saturating_add(1);
        let response = match (&self.kind, sent) {
            (Kind::Once { message, .. }, 0) => message.reveal().to_vec(),
            // RFC 7628 §3.2.3: the server says why it refuses, and goes on once it had an answer.
            (Kind::Once { bearer: Some(answer), .. }, 1) => {
                self.failure = challenge.to_vec();
                answer.to_vec()
            }
            (Kind::Login { name, .. }, 0) => name.to_vec(),
            (Kind::Login { password, .. }, 1) => password.reveal().to_vec(),
            #[cfg(feature = "md5")]
            (Kind::CramMd5 { name, password }, 0) => crate::md5::cram_response(name, password.reveal(), challenge),
            _ => return Step::Cancel,
        };
        Step::Respond(Secret::from(response))
    }
}

impl fmt::Debug for Exchange<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Exchange").field("mechanism", &self.mechanism()).field("sent", &self.sent).finish()
    }
}

/// A mechanism that the server's machine runs by itself: the application gets [`Incoming::Login`](crate::Incoming) with
/// decoded and checked fields, and no exchange.
///
/// ```
/// use pop3_proto::{Builtin, Config, Greeting, Incoming, Login, Server};
///
/// let config = Config::new().builtin_mechanisms([Builtin::Plain]);
/// let mut out = Vec::new();
/// let mut server = Server::over_tls(config, Greeting::text("ready")?, &mut out);
/// let incoming = server.next_event(&mut &b"AUTH PLAIN AHRlc3QAdGVzdA==\r\n"[..], &mut out)?;
/// assert!(matches!(incoming, Some(Incoming::Login(Login::Pass { name, .. })) if name.as_str() == "test"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Builtin {
    /// PLAIN (RFC 4616): [`Login::Pass`], or [`Login::ActAs`] with an authorization identity of its own.
    Plain,
    /// LOGIN: [`Login::Pass`].
    Login,
    /// EXTERNAL (RFC 4422): [`Login::External`].
    External,
    /// ANONYMOUS (RFC 4505): [`Login::Anonymous`].
    Anonymous,
    /// XOAUTH2: [`Login::Bearer`].
    Xoauth2,
    /// OAUTHBEARER (RFC 7628): [`Login::Bearer`].
    Oauthbearer,
}

impl Builtin {
    /// Every one, in the order in which they are announced.
    pub const ALL: [Self; 6] =
        [Self::Plain, Self::Login, Self::External, Self::Anonymous, Self::Xoauth2, Self::Oauthbearer];

    /// Its name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Plain => "PLAIN",
            Self::Login => "LOGIN",
            Self::External => "EXTERNAL",
            Self::Anonymous => "ANONYMOUS",
            Self::Xoauth2 => "XOAUTH2",
            Self::Oauthbearer => "OAUTHBEARER",
        }
    }

    pub(crate) fn of(mechanism: Mechanism) -> Option<Self> {
        Self::ALL.into_iter().find(|builtin| builtin.name() == mechanism.as_str())
    }

    pub(crate) const fn bit(self) -> u8 {
        1 << self as u8
    }
}

/// Where a built-in exchange of the server stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Running {
    /// The client's one message is due.
    First(Builtin),
    /// The password of LOGIN is due.
    LoginPassword,
    /// A bearer token was refused, and the client's word of it is due.
    Rejected,
}

/// What a response leads to.
pub(crate) enum Turn {
    Login(Login<'static>),
    /// LOGIN: ask for the password; this is the name.
    Name(Name<'static>),
}

impl Running {
    /// What the server says when the client has not spoken yet.
    pub(crate) const fn challenge(self) -> &'static [u8] {
        match self {
            Self::First(Builtin::Login) => b"Username:",
            Self::LoginPassword => b"Password:",
            Self::First(_) | Self::Rejected => b"",
        }
    }

    /// A response, decoded; `name` is LOGIN's name from before.
    pub(crate) fn step(self, response: &[u8], name: Option<Name<'static>>) -> Result<Turn, Fault> {
        let login = match self {
            Self::First(Builtin::Login) => return user(response).map(Turn::Name),
            // The machine answers that without looking at what the client says.
            Self::Rejected => return Err(Fault::ExtraArgument),
            Self::LoginPassword => {
                Login::Pass { name: name.ok_or(Fault::MissingArgument)?, password: password(response)? }
            }
            Self::First(Builtin::Plain) => plain(response)?,
            Self::First(Builtin::External) => Login::External { authorization: identity(response)? },
            Self::First(Builtin::Anonymous) => Login::Anonymous { trace: trace(response)? },
            Self::First(Builtin::Xoauth2) => xoauth2(response)?,
            Self::First(Builtin::Oauthbearer) => oauthbearer(response)?,
        };
        Ok(Turn::Login(login))
    }
}

/// ```abnf
/// message = [authzid] NUL authcid NUL passwd    ; RFC 4616 §2
/// ```
fn plain(message: &[u8]) -> Result<Login<'static>, Fault> {
    let mut fields = message.split(|&octet| octet == 0);
    let (Some(authorization), Some(authentication), Some(secret), None) =
        (fields.next(), fields.next(), fields.next(), fields.next())
    else {
        return Err(Fault::Octet(0));
    };
    let (name, password) = (user(authentication)?, password(secret)?);
    match identity(authorization)? {
        Some(authorization) if authorization != name => Ok(Login::ActAs { authorization, name, password }),
        _ => Ok(Login::Pass { name, password }),
    }
}

/// ```abnf
/// client-resp = "user=" name %x01 "auth=Bearer " token %x01 %x01
/// ```
fn xoauth2(message: &[u8]) -> Result<Login<'static>, Fault> {
    let text = core::str::from_utf8(message).map_err(|_| Fault::Utf8)?;
    let body = text.strip_suffix("\x01\x01").ok_or(Fault::MissingArgument)?;
    let (name, token) = body.split_once('\x01').ok_or(Fault::MissingArgument)?;
    let name = name.strip_prefix("user=").ok_or(Fault::MissingArgument)?;
    Ok(Login::Bearer { name: Some(user(name.as_bytes())?), token: bearer_token(token.strip_prefix("auth="))? })
}

/// ```abnf
/// client-resp = (gs2-header kvsep *kvpair kvsep) / kvsep    ; RFC 7628 §3.1
/// gs2-header  = ("n" / "y") "," ["a=" saslname] ","          ; no channel binding here
/// ```
fn oauthbearer(message: &[u8]) -> Result<Login<'static>, Fault> {
    let text = core::str::from_utf8(message).map_err(|_| Fault::Utf8)?;
    let body = text.strip_suffix("\x01\x01").ok_or(Fault::MissingArgument)?;
    let (header, pairs) = body.split_once('\x01').ok_or(Fault::MissingArgument)?;
    let authorization = header.strip_prefix("n,").or_else(|| header.strip_prefix("y,"));
    let authorization = authorization.and_then(|rest| rest.strip_suffix(',')).ok_or(Fault::MissingArgument)?;
    let name = match authorization {
        "" => None,
        named => {
            let escaped = named.strip_prefix("a=").ok_or(Fault::MissingArgument)?;
            if escaped.contains(',') {
                return Err(Fault::Octet(b','));
            }
            // RFC 5802 §7: "=" stands in "=2C" and "=3D" only.
            if !escaped.split('=').skip(1).all(|rest| rest.starts_with("2C") || rest.starts_with("3D")) {
                return Err(Fault::Octet(b'='));
            }
            Some(user(escaped.replace("=2C", ",").replace("=3D", "=").as_bytes())?)
        }
    };
    let token = pairs.split('\x01').find_map(|pair| pair.strip_prefix("auth="));
    Ok(Login::Bearer { name, token: bearer_token(token)? })
}

fn bearer_token(authorization: Option<&str>) -> Result<Secret<'static>, Fault> {
    let value = authorization.ok_or(Fault::MissingArgument)?;
    let (scheme, token) = value.split_once(' ').ok_or(Fault::MissingArgument)?;
    let token = token.trim_start_matches(' ');
    if !scheme.eq_ignore_ascii_case("Bearer") || token.is_empty() {
        return Err(Fault::MissingArgument);
    }
    match token.bytes().find(|octet| !octet.is_ascii_graphic()) {
        Some(octet) => Err(Fault::Octet(octet)),
        None => Ok(Secret::from(token.as_bytes().to_vec())),
    }
}

fn identity(octets: &[u8]) -> Result<Option<Name<'static>>, Fault> {
    if octets.is_empty() { Ok(None) } else { user(octets).map(Some) }
}

fn user(octets: &[u8]) -> Result<Name<'static>, Fault> {
    Name::with_spaces(octets).map(Name::into_owned).map_err(|misuse| crate::grammar::command::argument_fault(&misuse))
}

fn password(octets: &[u8]) -> Result<Password<'static>, Fault> {
    Password::in_message(octets)
        .map(Password::into_owned)
        .map_err(|misuse| crate::grammar::command::argument_fault(&misuse))
}

fn trace(octets: &[u8]) -> Result<Text<'static>, Fault> {
    core::str::from_utf8(octets).map_err(|_| Fault::Utf8)?;
    match octets.iter().find(|octet| octet.is_ascii_control()) {
        Some(&octet) => Err(Fault::Octet(octet)),
        None => Ok(Text::from(octets.to_vec())),
    }
}

fn no_line_octets(field: &[u8]) -> Result<(), Misuse> {
    match field.iter().find(|octet| matches!(octet, b'\r' | b'\n' | 0)) {
        Some(&octet) => Err(Misuse::ForbiddenOctet { octet }),
        None => Ok(()),
    }
}

fn not_empty(field: &str) -> Result<(), Misuse> {
    if field.is_empty() { Err(Misuse::Empty) } else { Ok(()) }
}

fn bearer_fields(fields: &[&str], token: &str) -> Result<(), Misuse> {
    for field in fields {
        not_empty(field)?;
        if let Some(octet) = field.bytes().find(u8::is_ascii_control) {
            return Err(Misuse::ForbiddenOctet { octet });
        }
    }
    not_empty(token)?;
    // RFC 6750 §2.1: a token is visible ASCII, and a space would end it.
    match token.bytes().find(|octet| !octet.is_ascii_graphic()) {
        Some(octet) => Err(Misuse::ForbiddenOctet { octet }),
        None => Ok(()),
    }
}
