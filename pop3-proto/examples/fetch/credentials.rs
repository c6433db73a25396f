//! Who logs in, and in which ways: what the arguments say, checked before anything is sent.

use crate::session::hexadecimal;
use clap::ValueEnum;
use md5::{Digest as _, Md5};
use pop3_proto::{Command, Exchange, Method, Misuse, Plan, Secret, Timestamp};
use std::fmt;
use std::fs;
use std::path::Path;

/// A way to log in, as `--auth` names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Way {
    /// AUTH PLAIN: name and password
    Plain,
    /// AUTH LOGIN: the same, for servers of an older kind
    Login,
    /// AUTH CRAM-MD5: a digest of the password. MD5 is broken
    CramMd5,
    /// AUTH EXTERNAL: the certificate of --client-cert says who we are
    External,
    /// AUTH ANONYMOUS: --user, if given, is for the server's log
    Anonymous,
    /// AUTH XOAUTH2: name and token
    Xoauth2,
    /// AUTH OAUTHBEARER: name and token
    Oauthbearer,
    /// The commands USER and PASS
    Userpass,
    /// The command APOP: a digest of the password. MD5 is broken
    Apop,
}

impl Way {
    /// The mechanism of AUTH; `None` for the ways that are commands of their own.
    const fn mechanism(self) -> Option<&'static str> {
        match self {
            Self::Plain => Some("PLAIN"),
            Self::Login => Some("LOGIN"),
            Self::CramMd5 => Some("CRAM-MD5"),
            Self::External => Some("EXTERNAL"),
            Self::Anonymous => Some("ANONYMOUS"),
            Self::Xoauth2 => Some("XOAUTH2"),
            Self::Oauthbearer => Some("OAUTHBEARER"),
            Self::Userpass | Self::Apop => None,
        }
    }

    fn method(self) -> Result<Method, Misuse> {
        match (self.mechanism(), self) {
            (Some(mechanism), _) => Method::auth(mechanism),
            (None, Self::Apop) => Ok(Method::Apop),
            (None, _) => Ok(Method::UserPass),
        }
    }

    pub(crate) const fn needs_name(self) -> bool {
        !matches!(self, Self::External | Self::Anonymous)
    }

    pub(crate) const fn needs_token(self) -> bool {
        matches!(self, Self::Xoauth2 | Self::Oauthbearer)
    }

    pub(crate) const fn needs_password(self) -> bool {
        self.needs_name() && !self.needs_token()
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.mechanism(), self) {
            (Some(mechanism), _) => write!(f, "AUTH {mechanism}"),
            (None, Self::Apop) => f.write_str("APOP"),
            (None, _) => f.write_str("USER and PASS"),
        }
    }
}

/// Who logs in, and how.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret<'static>,
    pub(crate) token: Secret<'static>,
    /// The server, as OAUTHBEARER tells it that it was meant (RFC 7628 §3.1).
    pub(crate) host: String,
    pub(crate) port: u16,
    /// The best first. There is no way but these: whoever is on the way could cause us to fall back to a weaker one.
    pub(crate) ways: Vec<Way>,
    /// Whether the caller has named them, or a login in the clear is allowed.
    pub(crate) own_list: bool,
}

/// What is said to log in.
#[derive(Debug)]
pub(crate) enum Words<'a> {
    UserPass(Command<'a>, Command<'a>),
    Apop,
    Auth(Exchange<'a>),
}

impl Login {
    /// What is safe over TLS: that of [`Plan::new`].
    pub(crate) const DEFAULT: [Way; 3] = [Way::Plain, Way::Login, Way::Userpass];

    /// Whether the protocol can carry names and secrets at all.
    pub(crate) fn check(&self) -> Result<(), String> {
        // The last one first: what USER and PASS have against a name is said in the plainest words.
        for &way in self.ways.iter().rev() {
            self.words(way)?;
        }
        Ok(())
    }

    pub(crate) fn plan(&self) -> Result<Plan, Misuse> {
        if !self.own_list {
            return Ok(Plan::new());
        }
        let methods = self.ways.iter().map(|way| way.method()).collect::<Result<Vec<_>, _>>()?;
        Ok(Plan::allowing(methods))
    }

    /// The way that the plan means.
    pub(crate) fn way(&self, method: Method) -> Option<Way> {
        self.ways.iter().copied().find(|way| way.method().as_ref() == Ok(&method))
    }

    pub(crate) fn words(&self, way: Way) -> Result<Words<'_>, String> {
        let name = |misuse| format!("this is no user name for POP3: {misuse}");
        let secret = |misuse| format!("this is no password for POP3: {misuse}");
        let in_way = |misuse| format!("{way} cannot carry this name, password or token: {misuse}");
        let text = |secret: &Secret<'_>| {
            std::str::from_utf8(secret.reveal()).is_ok().then_some(()).ok_or(format!("{way} needs a secret in UTF-8"))
        };
        text(&self.token)?;
        if way != Way::Apop {
            text(&self.password)?;
        }
        let (user, password) = (self.user.as_str(), utf8(&self.password));
        let exchange = match way {
            Way::Userpass => {
                let (user, pass) = (Command::user(user), Command::pass(self.password.reveal()));
                return Ok(Words::UserPass(user.map_err(name)?, pass.map_err(secret)?));
            }
            Way::Apop => {
                Command::apop(user, &"0".repeat(32)).map_err(name)?;
                return Ok(Words::Apop);
            }
            Way::Plain => Exchange::plain("", user, password),
            Way::Login => Exchange::login(user, password),
            Way::External => Exchange::external(user),
            Way::Anonymous => Exchange::anonymous(user),
            Way::Xoauth2 => Exchange::xoauth2(user, utf8(&self.token)),
            Way::Oauthbearer => Exchange::oauthbearer(user, &self.host, self.port, utf8(&self.token)),
            #[cfg(feature = "md5")]
            Way::CramMd5 => Exchange::cram_md5(user, password),
            #[cfg(not(feature = "md5"))]
            Way::CramMd5 => return Err("AUTH CRAM-MD5 is not built in (cargo's --features md5 does it)".to_owned()),
        };
        exchange.map(Words::Auth).map_err(in_way)
    }

    /// RFC 1939 §7: the digest is "calculated by applying the MD5 algorithm to a string consisting of the timestamp
    /// (including angle-brackets) followed by a shared secret".
    pub(crate) fn apop_digest(&self, timestamp: &Timestamp<'_>) -> String {
        let digest = Md5::new().chain_update(timestamp.as_bytes()).chain_update(self.password.reveal()).finalize();
        hexadecimal(&digest)
    }
}

/// [`Login::words`] has made sure that nothing is lost here.
fn utf8<'a>(secret: &'a Secret<'_>) -> &'a str {
    std::str::from_utf8(secret.reveal()).unwrap_or_default()
}

/// The first line of a file.
pub(crate) fn secret_in(file: &Path, what: &str) -> Result<Secret<'static>, String> {
    let mut octets = fs::read(file).map_err(|error| format!("{}: {error}", file.display()))?;
    let end = octets.iter().position(|&octet| octet == b'\n').unwrap_or(octets.len());
    octets.truncate(end);
    if octets.ends_with(b"\r") {
        octets.pop();
    }
    if octets.is_empty() {
        return Err(format!("{}: the first line, which is the {what}, is empty", file.display()));
    }
    Ok(Secret::from(octets))
}
