//! Our own server: `pop3-proto`'s machines with a maildrop in memory around them, and no socket.

use super::wire::Endpoint;
use super::{Account, Login as How};
use crate::mailbox::Mail;
use base64ct::{Base64, Encoding as _};
use pop3_proto::wire::dot::{Newlines, Size};
use pop3_proto::{
    Builtin, Command, Config, Digest, Expiry, Greeting, Incoming, LanguageListing, LanguageTag, Login, Maildrop,
    MessageNumber, Misuse, PerUser, Reply, ResponseCode, Server, State, Text, Top, Utf8,
};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How our server is set up. The default has everything that POP3 has.
#[derive(Clone, Debug)]
pub struct House {
    /// The messages as they are stored, with their unique-ids.
    pub messages: Vec<(String, Vec<u8>)>,
    /// Whether users may log in without TLS.
    pub cleartext_login: bool,
    /// Whether STLS is there.
    pub stls: bool,
    /// Whether greetings carry a timestamp.
    pub apop: bool,
    /// Whether the UPDATE state fails to remove messages.
    pub removal_fails: bool,
    /// The user logs in too often: `[LOGIN-DELAY]`.
    pub login_too_soon: bool,
    /// The login fails with a system error: `[SYS/TEMP]`.
    pub system_fails: bool,
    /// Whether there is a mechanism `GSSAPI`, which takes any response and begins a security layer.
    pub layer: bool,
    /// Whether TLS stands for the user, by a certificate of the client's: AUTH EXTERNAL.
    pub certificate: bool,
    /// Whether a message with 8-bit octets in its header is refused (`[UTF8]`) unless UTF8 was given.
    pub utf8_mail_refused: bool,
    /// What else is to be changed on the machine's settings.
    pub config: fn(Config) -> Config,
}

impl Default for House {
    fn default() -> Self {
        Self {
            messages: Mail::ALL.into_iter().map(|mail| (mail.unique_id(), mail.stored())).collect(),
            cleartext_login: true,
            stls: true,
            apop: true,
            removal_fails: false,
            login_too_soon: false,
            system_fails: false,
            layer: false,
            certificate: false,
            utf8_mail_refused: false,
            config: |config| config,
        }
    }
}

/// The user of our server; the name and the secret are those of RFC 1939's examples.
#[must_use]
pub fn account() -> Account {
    Account { user: "mrose".to_owned(), password: "tanstaaf".to_owned(), login: How::User }
}

impl House {
    fn settings(&self, tls: bool) -> Result<Config, Misuse> {
        let mut config = Config::new()
            .strict()
            .builtin_mechanisms([Builtin::Plain])
            .with_lang()
            .utf8(Utf8::WithUser)
            .login_delay(0, PerUser::Same)
            .expire(Expiry::Never, PerUser::Same)
            .implementation("pop3-conformance")?;
        if self.cleartext_login {
            config = config.allow_cleartext_login();
        }
        if self.apop {
            config = config.allow_apop_md5();
        }
        let md5 = self.apop.then_some("CRAM-MD5");
        config = config.sasl_mechanisms(md5.into_iter().chain(self.layer.then_some("GSSAPI")))?;
        if self.stls && !tls {
            config = config.with_stls();
        }
        Ok((self.config)(config))
    }
}

/// The server's maildrop, and who has it open.
#[derive(Debug)]
struct Store {
    messages: Vec<(String, Vec<u8>)>,
    locked: bool,
}

/// Our server: it opens any number of sessions on one maildrop.
#[derive(Clone, Debug)]
pub struct Our {
    house: Arc<House>,
    store: Arc<Mutex<Store>>,
}

impl Our {
    /// A server that is set up like that.
    #[must_use]
    pub fn new(house: House) -> Self {
        let store = Store { messages: house.messages.clone(), locked: false };
        Self { house: Arc::new(house), store: Arc::new(Mutex::new(store)) }
    }

    /// A fresh session, whose greeting goes to `out`.
    ///
    /// # Panics
    ///
    /// If a case sets the server up as no server can be.
    #[must_use]
    pub fn session(&self, tls: bool, out: &mut Vec<u8>) -> Session {
        let config = self.house.settings(tls).expect("settings that the server takes");
        let timestamp = self.house.apop.then(unique);
        let mut greeting = Greeting::text("POP3 server ready").expect("a text");
        if let Some(timestamp) = &timestamp {
            greeting = greeting.with_timestamp(timestamp).expect("a timestamp");
        }
        let server = if tls { Server::over_tls(config, greeting, out) } else { Server::new(config, greeting, out) };
        Session {
            house: Arc::clone(&self.house),
            store: Arc::clone(&self.store),
            server,
            maildrop: Maildrop::default(),
            messages: Vec::new(),
            timestamp,
            input: Vec::new(),
            holds_lock: false,
            idle: Duration::ZERO,
            broken: false,
            mechanism: None,
            challenge: String::new(),
            layer_due: false,
            utf8: false,
        }
    }

    /// A message's number.
    #[must_use]
    pub fn number(&self, mail: Mail) -> Option<u32> {
        let store = locked(&self.store);
        let index = store.messages.iter().position(|(_, octets)| Mail::find(octets) == Some(mail))?;
        u32::try_from(index + 1).ok()
    }

    /// How many messages the maildrop holds.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(locked(&self.store).messages.len()).unwrap_or(u32::MAX)
    }
}

/// One session with our server.
#[derive(Debug)]
pub struct Session {
    house: Arc<House>,
    store: Arc<Mutex<Store>>,
    server: Server,
    maildrop: Maildrop,
    messages: Vec<(String, Vec<u8>)>,
    timestamp: Option<String>,
    /// What waits for its turn: it came behind something that is not done yet.
    input: Vec<u8>,
    holds_lock: bool,
    idle: Duration,
    /// The connection is to be closed at once.
    broken: bool,
    /// The mechanism of the exchange that is under way.
    mechanism: Option<&'static str>,
    /// The last challenge of CRAM-MD5.
    challenge: String,
    /// The next octets belong to a security layer.
    layer_due: bool,
    /// UTF8 was given.
    utf8: bool,
}

impl Endpoint for Session {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        self.idle = Duration::ZERO;
        self.input.extend_from_slice(octets);
        let taken = std::mem::take(&mut self.input);
        let mut input = &taken[..];
        if self.layer_due {
            // They are not protected as they should be.
            self.broken = true;
        }
        while !self.is_over() {
            if self.layer_due && !input.is_empty() {
                self.broken = true;
                break;
            }
            match self.server.next_event(&mut input, out) {
                Ok(Some(incoming)) => {
                    let incoming = incoming.into_owned();
                    if self.answer(&incoming, out).is_err() {
                        self.broken = true;
                    }
                }
                Ok(None) => break,
                Err(_) => self.broken = true,
            }
        }
        self.input = input.to_vec();
        if self.is_over() {
            self.release();
        }
    }

    fn handle_eof(&mut self) {
        let _ = self.server.handle_eof();
        self.broken = true;
        self.release();
    }

    fn wants_tls(&self) -> bool {
        self.layer_due || self.server.state() == State::Handshake
    }

    fn tls_established(&mut self, _out: &mut Vec<u8>) {
        if std::mem::take(&mut self.layer_due) {
            self.broken |= self.server.security_layer_established().is_err();
            return;
        }
        if self.server.tls_established().is_err() {
            self.broken = true;
        }
        self.timestamp = None;
    }

    fn is_over(&self) -> bool {
        self.broken || self.server.is_over()
    }

    fn elapse(&mut self, time: Duration) {
        self.idle += time;
        if self.server.patience().is_some_and(|patience| self.idle >= patience) {
            self.server.handle_autologout();
            self.broken = true;
            self.release();
        }
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.release();
    }
}

impl Session {
    fn release(&mut self) {
        if std::mem::take(&mut self.holds_lock) {
            locked(&self.store).locked = false;
        }
    }

    fn answer(&mut self, incoming: &Incoming<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        match incoming {
            Incoming::Login(login) => self.login(login, out),
            Incoming::Update => self.update(out),
            Incoming::Auth(auth) if auth.mechanism.as_str() == "CRAM-MD5" && auth.initial_line().is_none() => {
                self.mechanism = Some("CRAM-MD5");
                self.challenge = unique();
                self.server.challenge(self.challenge.as_bytes(), out)
            }
            Incoming::Auth(auth) if auth.mechanism.as_str() == "GSSAPI" && auth.initial_line().is_none() => {
                self.mechanism = Some("GSSAPI");
                self.server.challenge(b"toy", out)
            }
            Incoming::Response(response) => match self.mechanism.take() {
                Some("CRAM-MD5") => {
                    let account = account();
                    let own = crate::digest::cram_md5(self.challenge.as_bytes(), &account.password);
                    let right = Base64::encode_string(format!("{} {own}", account.user).as_bytes());
                    self.open(response.reveal() == right.as_bytes(), out)
                }
                Some(_) => {
                    self.open(true, out)?;
                    self.layer_due = self.server.state() == State::Transaction;
                    Ok(())
                }
                None => self.open(false, out),
            },
            Incoming::Command(Command::Retr(number) | Command::Top { number, .. }) if self.is_refused(*number) => {
                let reply = Reply::err("the message needs UTF8")?.with_code(ResponseCode::Utf8);
                self.server.reply(&reply, out)
            }
            Incoming::Command(Command::Utf8) => {
                self.utf8 = true;
                self.maildrop.answer(incoming, &mut self.server, out)
            }
            Incoming::Command(Command::Retr(number)) => match self.maildrop.get(*number) {
                Ok(message) => {
                    self.server.begin("message follows", out)?;
                    self.server.body(&self.messages[message.index].1, out)?;
                    self.server.end(out)
                }
                Err(why) => self.server.reply(&why.into(), out),
            },
            Incoming::Command(Command::Top { number, lines }) => match self.maildrop.get(*number) {
                Ok(message) => {
                    self.server.begin("top of message follows", out)?;
                    self.server.body(Top::new(*lines).take(&self.messages[message.index].1), out)?;
                    self.server.end(out)
                }
                Err(why) => self.server.reply(&why.into(), out),
            },
            Incoming::Command(Command::Stls) => self.server.reply(&Reply::ok("begin TLS negotiation")?, out),
            Incoming::Command(Command::Lang(None)) => {
                self.server.begin("language listing follows", out)?;
                for (tag, description) in LANGUAGES {
                    let row = LanguageListing { tag: LanguageTag::new(tag)?, description: Text::from(*description) };
                    self.server.listing(row, out)?;
                }
                self.server.end(out)
            }
            Incoming::Command(Command::Lang(Some(tag))) => {
                let asked = tag.as_bytes().to_ascii_lowercase();
                let known = LANGUAGES.iter().find(|(tag, _)| asked == tag.as_bytes() || asked == b"*" && *tag == "en");
                let reply = match known {
                    Some((tag, description)) => Reply::language(LanguageTag::new(tag)?, description)?,
                    None => Reply::err("no such language")?,
                };
                self.server.reply(&reply, out)
            }
            other => self.maildrop.answer(other, &mut self.server, out),
        }
    }

    /// Whether the message has 8-bit octets in its header, and nobody has asked for such.
    fn is_refused(&self, number: MessageNumber) -> bool {
        if self.utf8 || !self.house.utf8_mail_refused {
            return false;
        }
        let Ok(message) = self.maildrop.get(number) else { return false };
        let octets = &self.messages[message.index].1;
        let header = octets.windows(2).position(|pair| pair == b"\n\n").unwrap_or(octets.len());
        !octets[..header].is_ascii()
    }

    fn login(&mut self, login: &Login<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.open(self.admits(login), out)
    }

    /// Answers a login, and opens the maildrop.
    fn open(&mut self, admitted: bool, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let reply = if !admitted {
            Reply::err("wrong name or password")?
        } else if self.house.login_too_soon {
            Reply::err("minimum time between logins")?.with_code(ResponseCode::LoginDelay)
        } else if self.house.system_fails {
            Reply::err("maildrop not available")?.with_code(ResponseCode::SysTemp)
        } else {
            let mut store = locked(&self.store);
            if store.locked {
                drop(store);
                return self.server.reply(&Reply::err("maildrop already locked")?.with_code(ResponseCode::InUse), out);
            }
            let sized = store.messages.iter().map(|(id, octets)| {
                let mut size = Size::new(Newlines::Canonical);
                size.add(octets);
                (size.octets(), id.clone())
            });
            self.maildrop = Maildrop::new(sized)?;
            self.messages.clone_from(&store.messages);
            store.locked = true;
            self.holds_lock = true;
            Reply::ok("maildrop locked and ready")?
        };
        self.server.reply(&reply, out)
    }

    fn admits(&self, login: &Login<'_>) -> bool {
        let account = account();
        match login {
            Login::Pass { name, password } => {
                name.as_str() == account.user && password.reveal() == account.password.as_bytes()
            }
            Login::Apop { name, digest } => {
                let Some(timestamp) = &self.timestamp else { return false };
                let digits = crate::digest::apop(timestamp, &account.password);
                name.as_str() == account.user && Digest::new(digits.as_bytes()).is_ok_and(|own| own == *digest)
            }
            Login::External { authorization } => {
                let user = authorization.as_ref().is_none_or(|name| name.as_str() == account.user);
                self.house.certificate && self.server.tls() && user
            }
            _ => false,
        }
    }

    /// RFC 1939 §6: remove, release the lock, and then say how it went.
    fn update(&mut self, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let removed = if self.house.removal_fails && self.maildrop.deleted().next().is_some() {
            Err(())
        } else {
            let gone: Vec<&String> = self.maildrop.deleted().map(|index| &self.messages[index].0).collect();
            locked(&self.store).messages.retain(|(id, _)| !gone.contains(&id));
            Ok(())
        };
        self.release();
        self.server.reply(&Reply::from(removed), out)
    }
}

fn locked(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is in no other greeting and no other challenge.
fn unique() -> String {
    static USED: AtomicU64 = AtomicU64::new(1);
    format!("<{}.{}@pop3-conformance.invalid>", std::process::id(), USED.fetch_add(1, Ordering::Relaxed))
}

/// The languages that our server knows.
const LANGUAGES: &[(&str, &str)] = &[("en", "English"), ("es", "Espa\u{f1}ol"), ("i-default", "Default")];
