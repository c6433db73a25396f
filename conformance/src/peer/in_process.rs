//! Somebody's server in the same process: octets in, octets out, and no socket.

use super::wire::{Endpoint, MemoryWire, Wire};
use super::{Account, Peer, ServerPeer, Site, Upgrade, house};
use crate::case::{Mailbox, ServerCase};
use crate::mailbox::Mail;

/// A server of your own, for tests of your own: give it a function that opens a session, and run cases on it.
///
/// ```
/// use pop3_conformance::mailbox::Mail;
/// use pop3_conformance::peer::in_process::InProcess;
/// use pop3_conformance::peer::wire::Endpoint;
/// use pop3_conformance::{run, server_cases};
///
/// /// A server that knows one user and one message, and little else.
/// #[derive(Default)]
/// struct Small {
///     input: Vec<u8>,
///     user: bool,
///     logged_in: bool,
///     over: bool,
/// }
///
/// impl Small {
///     fn answer(&mut self, line: &str) -> String {
///         let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
///         let message = String::from_utf8(Mail::First.octets()).unwrap();
///         match (verb.to_ascii_uppercase().as_str(), rest) {
///             ("QUIT", "") => {
///                 self.over = true;
///                 "+OK\r\n".into()
///             }
///             ("USER", "mrose") if !self.logged_in => {
///                 self.user = true;
///                 "+OK\r\n".into()
///             }
///             ("PASS", "secret") if self.user && !self.logged_in => {
///                 self.logged_in = true;
///                 "+OK\r\n".into()
///             }
///             ("STAT", "") if self.logged_in => format!("+OK 1 {}\r\n", message.len()),
///             ("NOOP", "") if self.logged_in => "+OK\r\n".into(),
///             // What is wrong with it: there is no termination octet.
///             ("RETR", "1") if self.logged_in => format!("+OK\r\n{message}"),
///             _ => "-ERR\r\n".into(),
///         }
///     }
/// }
///
/// impl Endpoint for Small {
///     fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
///         self.input.extend_from_slice(octets);
///         while let Some(at) = self.input.windows(2).position(|pair| pair == b"\r\n") {
///             let line = String::from_utf8_lossy(&self.input[..at]).into_owned();
///             self.input.drain(..at + 2);
///             out.extend_from_slice(self.answer(&line).as_bytes());
///         }
///     }
///     fn handle_eof(&mut self) {
///         self.over = true;
///     }
///     fn wants_tls(&self) -> bool {
///         false
///     }
///     fn tls_established(&mut self, _out: &mut Vec<u8>) {}
///     fn is_over(&self) -> bool {
///         self.over
///     }
/// }
///
/// let server = InProcess::new("small", |out: &mut Vec<u8>| {
///     out.extend_from_slice(b"+OK small ready\r\n");
///     Small::default()
/// })
/// .account("mrose", "secret")
/// .holding(&[Mail::First]);
///
/// let of = |id: &str| run::server(server_cases::all().find(|case| case.id == id).unwrap(), &server);
/// assert_eq!(of("rfc1939/3/greeting-first").outcome.word(), "pass");
/// let result = of("fault/retr/server-octet-by-octet");
/// assert_eq!(result.outcome.word(), "FAIL");
/// println!("{}", result.dialogue.lines().join("\n"));
/// ```
#[derive(Clone, Debug)]
pub struct InProcess<F> {
    name: String,
    connect: F,
    account: Account,
    announced: Vec<String>,
    mail: Vec<Mail>,
    may_delete: bool,
}

impl<E: Endpoint + 'static, F: Fn(&mut Vec<u8>) -> E> InProcess<F> {
    /// A server of that name. `connect` opens a session: it appends the greeting and gives back the session.
    #[must_use]
    pub fn new(name: &str, connect: F) -> Self {
        Self {
            name: name.to_owned(),
            connect,
            account: house::account(),
            announced: Vec::new(),
            mail: Vec::new(),
            may_delete: false,
        }
    }

    /// Who logs in, by USER and PASS; `mrose` with `tanstaaf`, if nothing else is said.
    #[must_use]
    pub fn account(mut self, user: &str, password: &str) -> Self {
        (self.account.user, self.account.password) = (user.to_owned(), password.to_owned());
        self
    }

    /// The keywords of its capability list, and `CAPA` if it has one, `APOP` if its greeting has a timestamp. Cases about
    /// others are skipped.
    #[must_use]
    pub fn announcing(mut self, keywords: &[&str]) -> Self {
        self.announced = keywords.iter().map(|keyword| keyword.to_ascii_uppercase()).collect();
        self
    }

    /// The messages of its maildrop, in order from number 1. Cases about others are skipped.
    #[must_use]
    pub fn holding(mut self, mail: &[Mail]) -> Self {
        self.mail = mail.to_vec();
        self
    }

    /// Cases may mark messages as deleted. What one of them removes, the next one must find again.
    #[must_use]
    pub const fn allow_delete(mut self) -> Self {
        self.may_delete = true;
        self
    }
}

impl<E: Endpoint + 'static, F: Fn(&mut Vec<u8>) -> E> Peer for InProcess<F> {
    fn name(&self) -> String {
        self.name.clone()
    }

    fn is_ours(&self) -> bool {
        false
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }
}

impl<E: Endpoint + 'static, F: Fn(&mut Vec<u8>) -> E> ServerPeer for InProcess<F> {
    fn may_delete(&self) -> bool {
        self.may_delete
    }

    fn site(&self, case: &ServerCase) -> Result<Box<dyn Site + '_>, String> {
        if case.mailbox == Mailbox::Empty && !self.mail.is_empty() {
            return Err("the maildrop is not empty".to_owned());
        }
        match case.needed().iter().find(|tag| !self.announced.iter().any(|known| known == *tag)) {
            Some(tag) => Err(format!("the server does not announce {tag}")),
            None => Ok(Box::new(InProcessSite(self))),
        }
    }
}

struct InProcessSite<'p, F>(&'p InProcess<F>);

impl<E: Endpoint + 'static, F: Fn(&mut Vec<u8>) -> E> Site for InProcessSite<'_, F> {
    fn connect(&mut self) -> Result<Box<dyn Wire>, String> {
        let mut out = Vec::new();
        let session = (self.0.connect)(&mut out);
        Ok(Box::new(MemoryWire::new(session, out)))
    }

    fn account(&self) -> Account {
        self.0.account.clone()
    }

    fn number(&self, mail: Mail) -> Option<u32> {
        let index = self.0.mail.iter().position(|known| *known == mail)?;
        u32::try_from(index + 1).ok()
    }

    fn count(&self) -> Option<u32> {
        u32::try_from(self.0.mail.len()).ok()
    }
}
