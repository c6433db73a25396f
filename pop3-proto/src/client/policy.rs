//! Sending: what the policy for TLS and the rules of pipelining have against a command.

use super::{Client, Stls};
use crate::capability::{Extension, Support};
use crate::command::{Command, check};
use crate::config::{Peer, Pipelining, Tls};
use crate::error::Misuse;
use crate::state::{State, Verb};

impl Client {
    pub(super) fn policy_permits(&self, command: &Command<'_>) -> Result<(), Misuse> {
        let verb = command.verb();
        let harmless = matches!(verb, Verb::Capa | Verb::Stls | Verb::Quit);
        match verb {
            Verb::Stls if self.peer.is_some() => return Err(Misuse::TlsIsOn),
            Verb::Stls if self.utf8 => return Err(Misuse::StlsBehindUtf8),
            _ => {}
        }
        if self.peer.is_none() && self.state == State::Authorization && !harmless {
            let no_stls = match self.stls {
                Stls::Refused => true,
                // What was there once does not go away because a later list leaves it out.
                Stls::Named => false,
                Stls::Open => self.known.refused() || self.known.support(Extension::Stls) == Support::No,
            };
            match self.config.tls {
                Tls::Required => return Err(Misuse::NeedsTls),
                Tls::Opportunistic if verb.is_login() && !no_stls => return Err(Misuse::NeedsTls),
                Tls::Opportunistic | Tls::None => {}
            }
        }
        if verb.is_login() && self.mistrusts() {
            return Err(Misuse::UnverifiedPeer);
        }
        let argument: &[u8] = match command {
            Command::Apop(_) if !self.config.apop => return Err(Misuse::ApopIsOff),
            Command::Apop(_) if !self.timestamp => return Err(Misuse::NoTimestamp),
            Command::Apop(apop) => {
                // A name out of a SASL message may have spaces, and here the second word would be the digest.
                check(apop.name.as_bytes(), |octet| *octet != b' ')?;
                apop.name.as_bytes()
            }
            Command::User(name) => name.as_bytes(),
            Command::Pass(password) => {
                check(password.reveal(), |octet| !octet.is_ascii_control())?;
                password.reveal()
            }
            Command::Auth(auth) if auth.initial.is_some() && self.known.support(Extension::Sasl) != Support::Yes => {
                return Err(Misuse::NoInitialResponse);
            }
            _ => &[],
        };
        if !argument.is_ascii() && self.known.support(Extension::Utf8User) != Support::Yes {
            return Err(Misuse::NeedsUtf8User);
        }
        Ok(())
    }

    /// RFC 8314 §5: clients "MUST NOT treat a session as meeting a minimum level of confidentiality if the server's TLS
    /// certificate cannot be validated."
    pub(crate) fn mistrusts(&self) -> bool {
        self.config.tls == Tls::Required && !self.config.unverified_peer && self.peer == Some(Peer::Unverified)
    }

    /// RFC 2449 §6.6, and our barriers: nothing before or behind STLS, a login, AUTH and QUIT.
    pub(super) fn window_permits(&self, command: &Command<'_>) -> Result<(), Misuse> {
        let (Some(first), Some(last)) = (self.outstanding.first(), self.outstanding.last()) else { return Ok(()) };
        let awaiting = Misuse::Outstanding { awaiting: first.verb };
        let verb = command.verb();
        if !self.pipelines() {
            return Err(awaiting);
        }
        let with_login = verb == Verb::Pass
            && last.verb == Verb::User
            && self.config.pipelining == Pipelining::WithLogin
            && self.peer.is_some();
        let barrier = |verb| {
            !matches!(
                verb,
                Verb::Stat | Verb::List | Verb::Retr | Verb::Dele | Verb::Noop | Verb::Rset | Verb::Top | Verb::Uidl
            )
        };
        if !with_login && (barrier(verb) || barrier(last.verb)) {
            return Err(awaiting);
        }
        // A message whose octets were not read yet must not be marked as deleted.
        if verb == Verb::Dele && self.outstanding.has_body() {
            return Err(awaiting);
        }
        let octets = u32::try_from(command.encoded_len()).unwrap_or(u32::MAX);
        let full = self.outstanding.len() >= usize::from(self.config.outstanding)
            || self.outstanding.octets().saturating_add(octets) > self.config.window;
        if full { Err(Misuse::WindowFull) } else { Ok(()) }
    }
}
