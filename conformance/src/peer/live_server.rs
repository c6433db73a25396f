//! Any server that can be reached over TCP.

use super::socket::Socket;
use super::tls::Side;
use super::wire::{Received, Wire};
use super::{Account, Peer, ServerPeer, Site, Upgrade};
use crate::case::{Mailbox, ServerCase, Start, Stop, Talk};
use crate::mailbox::Mail;
use crate::suite::SLOWER;
use std::collections::{BTreeSet, HashMap};
use std::net::{TcpStream, ToSocketAddrs as _};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// A live server, and what was found out about it.
#[derive(Debug)]
pub struct LiveServer {
    host: String,
    port: u16,
    account: Account,
    /// A user whose maildrop is empty.
    empty: Option<Account>,
    upgrade: Upgrade,
    side: Option<Side>,
    certificate: bool,
    may_delete: bool,
    /// Deletions are suspended: several cases run at a time.
    suspended: AtomicBool,
    /// A case is run again, alone, and may take its time.
    unhurried: AtomicBool,
    patience: Duration,
    quiet: Duration,
    found: Mutex<Found>,
    /// Something may have changed in the maildrop.
    stale: Arc<AtomicBool>,
}

/// How a live server is reached.
#[derive(Debug)]
pub struct Reach {
    /// Its name or address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// Who logs in.
    pub account: Account,
    /// A user of the same password whose maildrop is empty.
    pub empty: Option<String>,
    /// When TLS begins.
    pub upgrade: Upgrade,
    /// What TLS needs.
    pub side: Option<Side>,
    /// Whether that has a certificate which stands for the user.
    pub certificate: bool,
    /// Whether messages may be marked as deleted.
    pub may_delete: bool,
    /// How long an answer may take.
    pub patience: Duration,
}

/// What was found out.
#[derive(Clone, Debug, Default)]
struct Found {
    /// Words that the capability lists begin with, before and behind the login; `APOP`, `CAPA`; commands that work.
    capabilities: BTreeSet<String>,
    numbers: HashMap<Mail, u32>,
    count: Option<u32>,
    /// A second session is admitted beside the first.
    admits_several: bool,
}

impl LiveServer {
    /// Connects, logs in, and looks at the capabilities and the maildrop.
    ///
    /// # Errors
    ///
    /// Why nothing can be checked: no connection, no TLS, a refused login.
    pub fn new(reach: Reach) -> Result<Self, String> {
        let Reach { host, port, account, empty, upgrade, side, certificate, may_delete, patience } = reach;
        let empty = empty.map(|user| Account { user, ..account.clone() });
        let server = Self {
            host,
            port,
            account,
            empty,
            upgrade,
            side,
            certificate,
            may_delete,
            patience,
            quiet: Duration::from_millis(300).min(patience),
            suspended: AtomicBool::new(false),
            unhurried: AtomicBool::new(false),
            found: Mutex::default(),
            stale: Arc::default(),
        };
        let found = server.look().map_err(|stop| match stop {
            Stop::Fail { expected, got } => format!("{}: expected {expected}, got {got}", server.name()),
            Stop::Skip(why) => format!("{}: {why}", server.name()),
        })?;
        *server.found() = found;
        Ok(server)
    }

    /// The messages of the mailbox that the maildrop does not hold.
    #[must_use]
    pub fn missing(&self) -> Vec<Mail> {
        let found = self.found();
        Mail::ALL.into_iter().filter(|mail| !found.numbers.contains_key(mail)).collect()
    }

    /// Whether two sessions may be in the maildrop at a time.
    #[must_use]
    pub fn admits_several(&self) -> bool {
        self.found().admits_several
    }

    /// Suspends deletions, or lets them be again, where they are allowed at all.
    pub(crate) fn deletions(&self, allowed: bool) {
        self.suspended.store(!allowed, Ordering::Relaxed);
    }

    /// From now on everything may take longer.
    pub(crate) fn take_time(&self) {
        self.unhurried.store(true, Ordering::Relaxed);
    }

    fn found(&self) -> MutexGuard<'_, Found> {
        self.found.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server as it is, for a dialogue that is no case.
    pub(crate) fn plain_site(&self) -> Box<dyn Site + '_> {
        Box::new(LiveSite { server: self, account: self.account.clone() })
    }

    fn look(&self) -> Result<Found, Stop> {
        let mut found = Found::default();
        let mut talk = Talk::new(self, self.plain_site());
        talk.begin(Start::Greeted)?;
        if talk.timestamp().is_some() {
            found.capabilities.insert("APOP".to_owned());
        }
        let mut list = |talk: &mut Talk<'_>| -> Result<bool, Stop> {
            let Some(lines) = talk.capabilities()? else { return Ok(false) };
            found.capabilities.insert("CAPA".to_owned());
            let words = lines.iter().filter_map(|line| line.split(' ').next()).map(str::to_ascii_uppercase);
            found.capabilities.extend(words);
            Ok(true)
        };
        let mut has_capa = list(&mut talk)?;
        if self.upgrade == Upgrade::Stls {
            talk.stls()?;
            has_capa |= list(&mut talk)?;
        }
        talk.login()?;
        has_capa |= list(&mut talk)?;
        let rows = talk.multi("LIST")?.rows;
        let numbers: Vec<u32> =
            rows.iter().filter_map(|row| std::str::from_utf8(row).ok()?.split(' ').next()?.parse().ok()).collect();
        found.count = u32::try_from(numbers.len()).ok();
        for number in numbers.iter().take(100) {
            let mut message = talk.multi(&format!("RETR {number}"))?.message();
            if Mail::find(&message).is_none() {
                // A server that does not stuff the first octet ends the message too early, and the rest follows.
                if let Some(rest) = talk.leftover() {
                    message.extend_from_slice(&rest);
                    talk.hang_up();
                    talk.begin(Start::Transaction)?;
                }
            }
            if let Some(mail) = Mail::find(&message) {
                found.numbers.entry(mail).or_insert(*number);
            }
        }
        if !has_capa {
            found.capabilities.insert("USER".to_owned());
        }
        for (tag, line) in [("UIDL", "UIDL 1"), ("TOP", "TOP 1 0")] {
            if found.count.unwrap_or_default() > 0 && !found.capabilities.contains(tag) {
                let reply = talk.ask(line)?;
                if reply.is_ok() {
                    if tag == "TOP" {
                        talk.data(reply)?;
                    }
                    found.capabilities.insert(tag.to_owned());
                }
            }
        }
        found.admits_several = talk.second(Start::Transaction).is_ok_and(|mut second| second.ask("QUIT").is_ok());
        let _ = talk.ask("QUIT");
        Ok(found)
    }
}

impl Peer for LiveServer {
    fn name(&self) -> String {
        format!("{}:{}", self.host, self.port)
    }

    fn is_ours(&self) -> bool {
        false
    }

    fn upgrade(&self) -> Upgrade {
        self.upgrade
    }

    fn patience(&self) -> Duration {
        if self.unhurried.load(Ordering::Relaxed) { self.patience * SLOWER } else { self.patience }
    }

    fn quiet(&self) -> Duration {
        if self.unhurried.load(Ordering::Relaxed) { self.quiet * SLOWER } else { self.quiet }
    }
}

impl ServerPeer for LiveServer {
    fn may_delete(&self) -> bool {
        self.may_delete && !self.suspended.load(Ordering::Relaxed)
    }

    fn has_certificate(&self) -> bool {
        self.certificate
    }

    fn login_patience(&self) -> Duration {
        self.patience().max(LOGIN)
    }

    fn site(&self, case: &ServerCase) -> Result<Box<dyn Site + '_>, String> {
        if self.stale.swap(false, Ordering::Relaxed) {
            // Message-numbers may have moved.
            if let Ok(found) = self.look() {
                *self.found() = found;
            }
        }
        let found = self.found();
        for tag in case.needed() {
            if !found.capabilities.contains(tag) {
                return Err(match tag {
                    "APOP" => "the greeting has no timestamp".to_owned(),
                    "CAPA" => "the server has no CAPA".to_owned(),
                    _ => format!("the server does not announce {tag}"),
                });
            }
        }
        let account = match case.mailbox {
            Mailbox::Empty if found.count == Some(0) => self.account.clone(),
            Mailbox::Empty => match &self.empty {
                Some(account) => account.clone(),
                None => return Err("it needs an empty maildrop: --empty-user".to_owned()),
            },
            _ => self.account.clone(),
        };
        Ok(Box::new(LiveSite { server: self, account }))
    }
}

struct LiveSite<'s> {
    server: &'s LiveServer,
    account: Account,
}

impl Site for LiveSite<'_> {
    fn connect(&mut self) -> Result<Box<dyn Wire>, String> {
        let LiveServer { host, port, side, upgrade, stale, .. } = self.server;
        let patience = self.server.patience();
        let address = format!("{host}:{port}");
        let words = |error: std::io::Error| format!("{address}: {error}");
        let mut last = format!("{address}: no such host");
        for address in (host.as_str(), *port).to_socket_addrs().map_err(words)? {
            match TcpStream::connect_timeout(&address, patience.max(Duration::from_secs(1))) {
                Ok(stream) => {
                    let socket = Socket::open(stream, side.clone(), *upgrade, patience)?;
                    return Ok(Box::new(Watched { socket, stale: Arc::clone(stale) }));
                }
                Err(error) => last = format!("{address}: {error}"),
            }
        }
        Err(last)
    }

    fn account(&self) -> Account {
        self.account.clone()
    }

    fn number(&self, mail: Mail) -> Option<u32> {
        self.server.found().numbers.get(&mail).copied()
    }

    fn count(&self) -> Option<u32> {
        if self.account == self.server.account { self.server.found().count } else { Some(0) }
    }
}

/// A socket that notices when messages are deleted.
struct Watched {
    socket: Socket,
    stale: Arc<AtomicBool>,
}

impl Wire for Watched {
    fn send(&mut self, octets: &[u8]) -> Result<(), String> {
        if octets.windows(4).any(|window| window.eq_ignore_ascii_case(b"DELE")) {
            self.stale.store(true, Ordering::Relaxed);
        }
        self.socket.send(octets)
    }

    fn receive(&mut self, into: &mut Vec<u8>, wait: Duration) -> Received {
        self.socket.receive(into, wait)
    }

    fn finish(&mut self) {
        self.socket.finish();
    }

    fn handshake(&mut self) -> Result<(), String> {
        self.socket.handshake()
    }
}

/// Servers answer a failed login after a few seconds, and after more the more often that happens.
const LOGIN: Duration = Duration::from_secs(20);
