//! What a server announces: its capability list (RFC 2449 §6), by the settings and by what holds in the session.

use crate::capability::{Capability, Mechanisms};
use crate::config::{Config, Utf8};
use crate::text::Text;
use alloc::string::String;

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

    /// The names of [`Config::mechanisms`], as they are announced: with a space between them.
    pub(crate) fn mechanism_list(&self) -> String {
        let mut list = String::new();
        for name in self.mechanisms() {
            if !list.is_empty() {
                list.push(' ');
            }
            list.push_str(name);
        }
        list
    }

    /// The capability list, in the order of RFC 2449 §6, for what holds now.
    pub(crate) fn capabilities(&self, now: Now) -> impl Iterator<Item = Capability<'_>> {
        let login = now.may_login;
        let announced = &self.announced;
        [
            announced.top.then_some(Capability::Top),
            (announced.user && login).then_some(Capability::User),
            (!announced.list.is_empty() && login)
                .then(|| Capability::Sasl(Mechanisms(Text::from(announced.list.as_str())))),
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

    /// Whether a line of a capability list, as the client will read it, announces nothing that the server would refuse now.
    pub(crate) fn keeps(&self, line: &[u8], now: Now) -> bool {
        let announced = &self.announced;
        // (The tag is what stands before the first space, if anything does.)
        if line.first() == Some(&b' ') {
            return false;
        }
        let mut words = line.split(|&octet| octet == b' ').filter(|word| !word.is_empty());
        let tag = words.next().unwrap_or_default();
        let is = |name: &str| tag.eq_ignore_ascii_case(name.as_bytes());
        if is("TOP") {
            announced.top
        } else if is("UIDL") {
            announced.uidl
        } else if is("LANG") {
            announced.lang
        } else if is("STLS") {
            announced.stls && now.may_stls
        } else if is("USER") {
            announced.user && now.may_login
        } else if is("SASL") {
            let runs = |word: &[u8]| self.mechanisms().any(|name| word.eq_ignore_ascii_case(name.as_bytes()));
            now.may_login && words.all(runs)
        } else if is("UTF8") {
            match announced.utf8 {
                Utf8::No => false,
                Utf8::Yes => !words.any(|word| word.eq_ignore_ascii_case(b"USER")),
                Utf8::WithUser => true,
            }
        } else {
            true
        }
    }
}

/// What the capability list depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) may_login: bool,
    pub(crate) may_stls: bool,
    pub(crate) logged_in: bool,
}
