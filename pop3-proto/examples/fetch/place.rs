//! Where the maildrop is: `HOST[:PORT]`, or a POP URL (RFC 2384).
//!
//! ```text
//! pop-url   = "pop://" [user-auth "@"] hostport        ; RFC 2384 §8
//! user-auth = enc-user [";AUTH=" ("*" / enc-auth-type)]
//! ```

use percent_encoding::percent_decode_str;
use std::net::Ipv6Addr;
use std::str::FromStr;

/// A server, and what a URL may say about the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    /// A name or an address, without the brackets of IPv6.
    pub(crate) host: String,
    /// `None` if it is not said.
    pub(crate) port: Option<u16>,
    pub(crate) user: Option<String>,
    pub(crate) mechanism: Mechanism,
}

/// How the URL wants the user to log in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mechanism {
    /// `;AUTH=*`, or nothing said, which means the same (RFC 2384 §4).
    Any,
    /// `;AUTH=+APOP`
    Apop,
}

impl Place {
    /// The port, or the registered one: 110 (RFC 1939 §3, RFC 2384 §3), and for TLS from the first octet 995 (RFC 8314 §3.3).
    pub(crate) fn port(&self, implicit_tls: bool) -> u16 {
        self.port.unwrap_or(if implicit_tls { 995 } else { 110 })
    }
}

impl FromStr for Place {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let Some((scheme, rest)) = text.split_once("://") else {
            let (host, port) = host_and_port(text)?;
            return Ok(Self { host, port, user: None, mechanism: Mechanism::Any });
        };
        if !scheme.eq_ignore_ascii_case("pop") {
            return Err(format!("a URL with the scheme {scheme:?} is not a POP URL"));
        }
        // The grammar has no path. A lone slash is what programs add that know other schemes better.
        let rest = rest.strip_suffix('/').unwrap_or(rest);
        let (user_auth, hostport) = match rest.split_once('@') {
            Some((user_auth, hostport)) => (Some(user_auth), hostport),
            None => (None, rest),
        };
        let (host, port) = host_and_port(hostport)?;
        let (user, mechanism) = user_auth.map_or(Ok((None, Mechanism::Any)), user_and_mechanism)?;
        Ok(Self { host, port, user, mechanism })
    }
}

fn user_and_mechanism(text: &str) -> Result<(Option<String>, Mechanism), String> {
    if text.contains(':') {
        // RFC 2384 §3: "clear text passwords are not permitted".
        return Err("a POP URL holds no password".to_owned());
    }
    let (user, auth) = match text.split_once(';') {
        Some((user, auth)) => (user, Some(auth)),
        None => (text, None),
    };
    let user = match (user, auth) {
        ("", None) => return Err("there is nothing before the @".to_owned()),
        // RFC 2384 §4: "If no user name is specified, one SHOULD be obtained from [...] the user".
        ("", Some(_)) => None,
        (user, _) => Some(decoded(user)?),
    };
    let mechanism = match auth {
        None => Mechanism::Any,
        Some(auth) => match auth.split_at_checked("AUTH=".len()) {
            Some((tag, name)) if tag.eq_ignore_ascii_case("AUTH=") => mechanism(&decoded(name)?)?,
            _ => return Err(format!("a POP URL knows ;AUTH= and not ;{auth} (write %3B for a ; in the user name)")),
        },
    };
    Ok((user, mechanism))
}

/// RFC 2384 §4: "the client SHOULD NOT use a different mechanism without explicit user permission".
fn mechanism(name: &str) -> Result<Mechanism, String> {
    match name {
        "" => Err("no mechanism stands behind ;AUTH=".to_owned()),
        "*" => Ok(Mechanism::Any),
        name if name.eq_ignore_ascii_case("+APOP") => Ok(Mechanism::Apop),
        name => Err(format!("the mechanism {name:?} is not supported in a URL; * and +APOP are (and --auth)")),
    }
}

fn decoded(text: &str) -> Result<String, String> {
    // "uchar" of RFC 1738 §5, and what RFC 2384 §8 adds.
    let allowed = |octet: u8| octet.is_ascii_alphanumeric() || b"$-_.+!*'(),%&=~".contains(&octet);
    if let Some(odd) = text.bytes().find(|&octet| !allowed(octet)) {
        return Err(format!("the octet 0x{odd:02X} must be written as %{odd:02X} there"));
    }
    let whole =
        |escape: &str| escape.get(..2).is_some_and(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if !text.split('%').skip(1).all(whole) {
        return Err("two hexadecimal digits must stand behind a %".to_owned());
    }
    match percent_decode_str(text).decode_utf8() {
        Ok(text) => Ok(text.into_owned()),
        Err(_) => Err("what is written with % is not UTF-8".to_owned()),
    }
}

fn host_and_port(text: &str) -> Result<(String, Option<u16>), String> {
    let (host, port) = if let Some(bracketed) = text.strip_prefix('[') {
        let (address, rest) = bracketed.split_once(']').ok_or("a ] is missing behind the IPv6 address")?;
        address.parse::<Ipv6Addr>().map_err(|_| format!("{address:?} is not an IPv6 address"))?;
        match rest.strip_prefix(':') {
            None if !rest.is_empty() => return Err("behind the ] only :PORT may stand".to_owned()),
            port => (address, port),
        }
    } else if text.parse::<Ipv6Addr>().is_ok() {
        (text, None)
    } else {
        match text.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (text, None),
        }
    };
    let plain = |character: char| !character.is_control() && !" /@;?#[]%".contains(character);
    if host.is_empty() || !(host.chars().all(plain)) {
        return Err(format!("{host:?} is not the name of a host"));
    }
    let port = match port {
        None => None,
        Some(digits) if digits.bytes().all(|digit| digit.is_ascii_digit()) => match digits.parse() {
            Ok(0) | Err(_) => return Err(format!("{digits:?} is not a port (1 to 65535)")),
            Ok(port) => Some(port),
        },
        Some(odd) => return Err(format!("{odd:?} is not a port (1 to 65535)")),
    };
    Ok((host.to_owned(), port))
}
