//! The server's side: it stores no password, but two keys that were derived from it, with salt and iteration count.

use crate::{LONG_NAME, NAME, TlsExporter};
use base64ct::{Base64, Encoding};
use pop3_proto::{Command, Config, Greeting, Incoming, Maildrop, Misuse, Reply, Secret, Server};
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::scram::properties::ScramStoredPassword;
use rsasl::mechanisms::scram::tools::{derive_keys, hash_password};
use rsasl::prelude::{Mechname, SASLConfig, SASLServer, Session, SessionError, Validation};
use rsasl::property::{AuthId, AuthzId};
use rsasl::validate::{Validate, ValidationError};
use sha2_for_rsasl::{Digest, Sha256};
use std::error::Error;
use std::sync::Arc;

/// Whether the server is the one it claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Manner {
    Honest,
    /// It does not have the key to sign with.
    WrongSignature,
    /// It hopes that the client does not ask.
    NoSignature,
}

pub(crate) struct ScramServer {
    server: Server,
    sasl: Arc<SASLConfig>,
    exporter: TlsExporter,
    manner: Manner,
    maildrop: Maildrop,
    exchange: Option<Exchange>,
}

enum Exchange {
    Running(Session<WhoIsIt, TlsExporter>),
    /// The signature is sent, and the client has to agree to it.
    Signed {
        name: String,
    },
}

/// What rsasl tells us at the end: whose name it is that was proven.
struct WhoIsIt;

impl Validation for WhoIsIt {
    type Value = String;
}

impl ScramServer {
    pub(crate) fn new(manner: Manner, exporter: TlsExporter, out: &mut Vec<u8>) -> Result<Self, Box<dyn Error>> {
        let accounts = Accounts::new(manner);
        let sasl = SASLConfig::builder().with_registry(crate::mechanisms(exporter)).with_callback(accounts)?;
        let names: &[&str] = match exporter.0 {
            Some(_) => &["SCRAM-SHA-256-PLUS", "SCRAM-SHA-256"],
            None => &["SCRAM-SHA-256"],
        };
        let config = Config::new().without_user().without_top().sasl_mechanisms(names.iter().copied())?;
        let server = Server::over_tls(config, Greeting::text("POP3 server ready")?, out);
        Ok(Self { server, sasl, exporter, manner, maildrop: Maildrop::default(), exchange: None })
    }

    /// Octets of the client.
    pub(crate) fn hear(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
        while let Some(incoming) = self.server.next_event(&mut input, out)? {
            match incoming {
                Incoming::Auth(auth) => {
                    let mechanism = Mechname::parse(auth.mechanism.as_str().as_bytes())?;
                    let sasl = SASLServer::<WhoIsIt, TlsExporter>::with_cb(Arc::clone(&self.sasl), self.exporter);
                    self.exchange = Some(Exchange::Running(sasl.start_suggested(mechanism)?));
                    match auth.initial_line().map(Secret::reveal) {
                        // The client has the first word in SCRAM, and an empty challenge gives it the word.
                        None => self.server.challenge(b"", out)?,
                        // RFC 5034 section 4: "=" stands for an initial response of no octets.
                        Some(b"=") => self.step(b"", out)?,
                        Some(line) => self.step(line, out)?,
                    }
                }
                Incoming::Response(line) => self.step(line.reveal(), out)?,
                Incoming::Cancelled => self.exchange = None,
                Incoming::Update => self.server.reply(&Reply::ok("signing off")?, out)?,
                Incoming::Command(Command::Retr(_)) => self.server.reply(&Reply::err("no such message")?, out)?,
                other => self.maildrop.answer(&other, &mut self.server, out)?,
            }
        }
        Ok(())
    }

    /// A response, in base64. The server puts `[AUTH]` before every `-ERR` to it by itself (RFC 3206 section 6).
    fn step(&mut self, line: &[u8], out: &mut Vec<u8>) -> Result<(), Misuse> {
        let decoded = std::str::from_utf8(line).ok().and_then(|line| Base64::decode_vec(line).ok());
        let Some(response) = decoded else { return self.refuse("the response is not base64", out) };
        match self.exchange.take() {
            Some(Exchange::Signed { name }) if response.is_empty() => {
                let text = format!("{name}'s maildrop is open");
                self.server.reply(&Reply::ok(&text)?, out)
            }
            Some(Exchange::Running(mut session)) => {
                let mut challenge = Vec::new();
                match session.step(Some(&response), &mut challenge) {
                    Ok(state) if state.is_running() => {
                        self.exchange = Some(Exchange::Running(session));
                        self.server.challenge(&challenge, out)
                    }
                    // Finished does not mean proven: to a wrong proof rsasl writes "e=invalid-proof" and has finished too.
                    // Only the name that `validate` gave says that the proof is right.
                    Ok(_) => match session.validation() {
                        Some(_) if self.manner == Manner::NoSignature => self.server.reply(&Reply::ok("welcome")?, out),
                        Some(name) => {
                            self.exchange = Some(Exchange::Signed { name });
                            self.server.challenge(&challenge, out)
                        }
                        None => self.refuse("wrong name or password", out),
                    },
                    Err(_) => self.refuse("the exchange failed", out),
                }
            }
            Some(Exchange::Signed { .. }) | None => self.refuse("nothing was to be said here", out),
        }
    }

    fn refuse(&mut self, why: &'static str, out: &mut Vec<u8>) -> Result<(), Misuse> {
        self.exchange = None;
        self.server.reply(&Reply::err(why)?, out)
    }
}

const ITERATIONS: u32 = 4096;

/// What is on the disk: no password can be had from it, but whoever has `server_key` can play the server.
struct Accounts {
    stored_key: [u8; 32],
    server_key: [u8; 32],
    /// In a program: made anew, at random, whenever a password is set.
    salt: [u8; 16],
    /// Makes salts for names that do not exist.
    pepper: [u8; 16],
}

impl Accounts {
    /// What is done when the user chooses a password, and not at login.
    fn new(manner: Manner) -> Self {
        let salt = *b"16 octets, fixed";
        let mut salted_password = Default::default();
        hash_password::<Sha256>(b"pencil", ITERATIONS, &salt, &mut salted_password);
        let (client_key, server_key) = derive_keys::<Sha256>(&salted_password);
        let stored_key = Sha256::digest(client_key).into();
        let server_key = if manner == Manner::WrongSignature { [0; 32] } else { server_key.into() };
        Self { stored_key, server_key, salt, pepper: *b"as secret a salt" }
    }
}

impl SessionCallback for Accounts {
    fn callback(
        &self,
        _session: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        let Some(name) = context.get_ref::<AuthId>() else { return Ok(()) };
        if [NAME, LONG_NAME].contains(&name) {
            request.satisfy::<ScramStoredPassword<'_>>(&ScramStoredPassword::new(
                ITERATIONS,
                &self.salt,
                &self.stored_key,
                &self.server_key,
            ))?;
        } else {
            // Nobody should learn from the salt whether a name exists: it is the same each time, and no key fits.
            let salt = Sha256::new().chain_update(self.pepper).chain_update(name).finalize();
            let nobody = [0xFF; 32];
            let nothing_fits = ScramStoredPassword::new(ITERATIONS, &salt[..16], &nobody, &nobody);
            request.satisfy::<ScramStoredPassword<'_>>(&nothing_fits)?;
        }
        Ok(())
    }

    /// The proof is right. Whether this name may act as another is a question of its own, and here it may not.
    fn validate(
        &self,
        _session: &SessionData,
        context: &Context<'_>,
        validate: &mut Validate<'_>,
    ) -> Result<(), ValidationError> {
        let (name, acts_as) = (context.get_ref::<AuthId>(), context.get_ref::<AuthzId>());
        if let Some(name) = name.filter(|name| acts_as.is_none_or(|other| other == *name)) {
            validate.with::<WhoIsIt, _>(|| Ok(name.to_owned()))?;
        }
        Ok(())
    }
}
