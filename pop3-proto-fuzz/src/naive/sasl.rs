//! The SASL mechanisms that need no cryptography, as a server sees them (RFC 4422, 4505, 4616, 7628), naively.

use super::command::is_name;
use super::{base64, is_control, is_visible, split};

/// Who says to be whom.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Login {
    /// A name and a password.
    Pass(Vec<u8>, Vec<u8>),
    /// The identity to act as, a name and a password.
    ActAs(Vec<u8>, Vec<u8>, Vec<u8>),
    /// Whoever TLS says, perhaps to act as somebody.
    External(Option<Vec<u8>>),
    /// Nobody, with a trace.
    Anonymous(Vec<u8>),
    /// A token, perhaps with a name.
    Bearer(Option<Vec<u8>>, Vec<u8>),
    /// A name and the digest of APOP.
    Apop(Vec<u8>, Vec<u8>),
    /// What the application's own mechanism was told: a line in base64.
    Own(Vec<u8>),
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Turn {
    /// A challenge with these octets.
    Challenge(&'static [u8]),
    /// The credentials are there.
    Login(Login),
    /// `-ERR`.
    Refused,
}

/// The mechanism that the application runs.
pub const OWN: &str = "X-TWO";

/// The mechanisms of the machine.
pub const MECHANISMS: [&str; 6] = ["PLAIN", "LOGIN", "EXTERNAL", "ANONYMOUS", "XOAUTH2", "OAUTHBEARER"];

/// One exchange.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    mechanism: Vec<u8>,
    name: Option<Vec<u8>>,
    /// A token was refused, and the client's word of it is due.
    rejected: bool,
}

impl Exchange {
    /// AUTH, with its initial response as it came; the mechanism is one that is offered.
    #[must_use]
    pub fn begin(mechanism: &[u8], initial: Option<&[u8]>) -> (Self, Turn) {
        let mut exchange = Self { mechanism: mechanism.to_vec(), name: None, rejected: false };
        let turn = match initial {
            None if mechanism == b"LOGIN" => Turn::Challenge(b"Username:"),
            None => Turn::Challenge(b""),
            Some(b"=") if mechanism != OWN.as_bytes() => exchange.response(b""),
            Some(line) => exchange.response(line),
        };
        (exchange, turn)
    }

    /// The token was refused, and the client was told why.
    pub fn reject(&mut self) {
        self.rejected = true;
    }

    /// A response as it came; it looks like base64, or is empty.
    pub fn response(&mut self, line: &[u8]) -> Turn {
        if self.mechanism == OWN.as_bytes() {
            return Turn::Login(Login::Own(line.to_vec()));
        }
        let Some(message) = base64(line) else { return Turn::Refused };
        if self.rejected {
            return Turn::Refused;
        }
        if self.mechanism == b"LOGIN" && self.name.is_none() {
            if !is_name(&message, true) {
                return Turn::Refused;
            }
            self.name = Some(message);
            return Turn::Challenge(b"Password:");
        }
        match login(&self.mechanism, &message, self.name.take()) {
            Some(login) => Turn::Login(login),
            None => Turn::Refused,
        }
    }
}

fn login(mechanism: &[u8], message: &[u8], name: Option<Vec<u8>>) -> Option<Login> {
    let identity = |octets: &[u8]| is_name(octets, true).then(|| octets.to_vec());
    let secret = |octets: &[u8]| is_secret(octets).then(|| octets.to_vec());
    let optional = |octets: &[u8]| if octets.is_empty() { Some(None) } else { identity(octets).map(Some) };
    match mechanism {
        b"PLAIN" => {
            let fields: Vec<&[u8]> = message.split(|&octet| octet == 0).collect();
            let [authorization, name, password] = fields[..] else { return None };
            let (name, password) = (identity(name)?, secret(password)?);
            Some(match optional(authorization)? {
                Some(other) if other != name => Login::ActAs(other, name, password),
                _ => Login::Pass(name, password),
            })
        }
        b"LOGIN" => Some(Login::Pass(name?, secret(message)?)),
        b"EXTERNAL" => Some(Login::External(optional(message)?)),
        b"ANONYMOUS" => {
            let sound = std::str::from_utf8(message).is_ok() && !message.iter().any(|&octet| is_control(octet));
            sound.then(|| Login::Anonymous(message.to_vec()))
        }
        b"XOAUTH2" => {
            std::str::from_utf8(message).ok()?;
            let (name, auth) = split(message.strip_suffix(b"\x01\x01")?, 1);
            let name = identity(name.strip_prefix(b"user=")?)?;
            Some(Login::Bearer(Some(name), token(auth?.strip_prefix(b"auth=")?)?))
        }
        _ => {
            std::str::from_utf8(message).ok()?;
            let (header, pairs) = split(message.strip_suffix(b"\x01\x01")?, 1);
            let inner = header.strip_prefix(b"n,").or(header.strip_prefix(b"y,"))?.strip_suffix(b",")?;
            let name = match inner {
                b"" => None,
                _ => Some(identity(&unescaped(inner.strip_prefix(b"a=")?)?)?),
            };
            let auth = pairs?.split(|&octet| octet == 1).find_map(|pair| pair.strip_prefix(b"auth="));
            Some(Login::Bearer(name, token(auth?)?))
        }
    }
}

/// RFC 4616 §2: anything but NUL; and nothing that ends a line.
fn is_secret(octets: &[u8]) -> bool {
    !octets.is_empty() && std::str::from_utf8(octets).is_ok() && !octets.iter().any(|octet| b"\r\n\0".contains(octet))
}

/// RFC 5801 §4: `=2C` is a comma and `=3D` an equals sign; neither can be there by itself.
fn unescaped(name: &[u8]) -> Option<Vec<u8>> {
    let (mut octets, mut at) = (vec![], 0);
    while at < name.len() {
        if name[at] == b',' {
            return None;
        }
        let escape =
            [(&b"=2C"[..], b','), (b"=3D", b'=')].into_iter().find(|(escape, _)| name[at..].starts_with(escape));
        if escape.is_none() && name[at] == b'=' {
            return None;
        }
        octets.push(escape.map_or(name[at], |(_, octet)| octet));
        at += if escape.is_some() { 3 } else { 1 };
    }
    Some(octets)
}

fn token(authorization: &[u8]) -> Option<Vec<u8>> {
    let (scheme, value) = split(authorization, b' ');
    let mut value = value?;
    while value.first() == Some(&b' ') {
        value = &value[1..];
    }
    let sound =
        scheme.eq_ignore_ascii_case(b"Bearer") && !value.is_empty() && value.iter().all(|&octet| is_visible(octet));
    sound.then(|| value.to_vec())
}
