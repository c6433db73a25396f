//! The client's side: what the server says goes to rsasl, and what rsasl says goes to the server.

use crate::TlsExporter;
use base64ct::{Base64, Encoding};
use pop3_proto::{Capability, Challenge, Client, Command, Config, ErrorClass, Event, Misuse, Peer, Verb};
use rsasl::callback::{Context, Request, SessionCallback, SessionData};
use rsasl::mechanisms::scram::properties::Iterations;
use rsasl::prelude::{Mechname, SASLClient, SASLConfig, Session, SessionError};
use rsasl::property::{AuthId, Password};
use rsasl::validate::NoValidation;
use std::error::Error;
use std::fmt;

/// Who logs in.
#[derive(Clone, Copy)]
pub(crate) struct Credentials {
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
}

/// How the login ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// Each side has shown the other that it knows the secret.
    LoggedIn,
    /// The server refused.
    Refused { credentials: bool, text: String },
    /// The server could not, or would not, show that it knows the secret: it is not the one we have an account with.
    ServerNotProven(String),
    /// It did not come to that.
    Unfinished,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LoggedIn => f.write_str("logged in, and the server's signature is right"),
            Self::Refused { credentials: true, text } => write!(f, "refused, because of the credentials: {text}"),
            Self::Refused { credentials: false, text } => write!(f, "refused: {text}"),
            Self::ServerNotProven(why) => write!(f, "refused by the client: {why}"),
            Self::Unfinished => f.write_str("the dialogue broke off"),
        }
    }
}

pub(crate) struct ScramClient {
    client: Client,
    credentials: Credentials,
    exporter: TlsExporter,
    offered: Vec<String>,
    exchange: Option<Exchange>,
    outcome: Outcome,
}

struct Exchange {
    session: Session<NoValidation, TlsExporter>,
    /// The first message, as long as it did not go with AUTH.
    first: Option<Vec<u8>>,
    /// Whether the server's signature was there and right.
    server_proven: bool,
}

impl ScramClient {
    pub(crate) fn new(credentials: Credentials, exporter: TlsExporter) -> Self {
        Self {
            client: Client::over_tls(Config::new(), Peer::Verified),
            credentials,
            exporter,
            offered: Vec::new(),
            exchange: None,
            outcome: Outcome::Unfinished,
        }
    }

    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome.clone()
    }

    /// Octets of the server.
    pub(crate) fn hear(&mut self, mut input: &[u8], out: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
        while let Some(event) = self.client.next_event(&mut input)? {
            match event {
                Event::Greeting { .. } => self.client.send(&Command::Capa, out)?,
                Event::Capability(Capability::Sasl(mechanisms)) => {
                    let names = mechanisms.iter().map(|name| String::from_utf8_lossy(name).to_ascii_uppercase());
                    self.offered.extend(names);
                }
                Event::End { of: Verb::Capa } => self.begin(out)?,
                Event::Challenge(challenge) => self.answer(&challenge, out)?,
                // RFC 5802 section 3: the client that takes +OK for an answer has proven itself to anybody who asks.
                Event::Ok { to: Verb::Auth, .. } => {
                    if self.exchange.take().is_some_and(|exchange| exchange.server_proven) {
                        self.outcome = Outcome::LoggedIn;
                        self.client.send(&Command::Quit, out)?;
                    } else {
                        // A driver closes the connection here, without another word.
                        self.outcome = Outcome::ServerNotProven("the server did not sign the exchange".to_owned());
                        return Ok(());
                    }
                }
                Event::Err { to: Verb::Auth, ref text, .. } => {
                    if self.outcome == Outcome::Unfinished {
                        let credentials = event.error_class() == Some(ErrorClass::Credentials);
                        self.outcome = Outcome::Refused { credentials, text: text.to_string() };
                    }
                    self.exchange = None;
                    self.client.send(&Command::Quit, out)?;
                }
                Event::Err { to, text, .. } => return Err(format!("{to}: {text}").into()),
                _ => {}
            }
        }
        Ok(())
    }

    /// Lets rsasl choose from what the server offers, and begins.
    fn begin(&mut self, out: &mut Vec<u8>) -> Result<(), Box<dyn Error>> {
        let asked = Asked { credentials: self.credentials, binding: self.exporter.0.is_some() };
        let config = SASLConfig::builder().with_registry(crate::mechanisms(self.exporter)).with_callback(asked)?;
        let offered = self.offered.iter().filter_map(|name| Mechname::parse(name.as_bytes()).ok());
        let mut session = SASLClient::with_cb(config, self.exporter).start_suggested_iter(offered)?;
        let mut first = Vec::new();
        session.step(None, &mut first)?;

        // RFC 5034 section 4: the initial response goes with AUTH if the server announced SASL and the line stays within
        // 255 octets; the machine knows both. If it may not, it waits for the empty challenge.
        let mechanism = session.get_mechname().as_str();
        let line = Base64::encode_string(&first);
        let sent = Command::auth_with_initial(mechanism, &line).and_then(|command| self.client.send(&command, out));
        let first = match sent {
            Ok(()) => None,
            Err(Misuse::InitialResponseTooLong | Misuse::NoInitialResponse) => {
                self.client.send(&Command::auth(mechanism)?, out)?;
                Some(first)
            }
            Err(misuse) => return Err(misuse.into()),
        };
        self.exchange = Some(Exchange { session, first, server_proven: false });
        Ok(())
    }

    fn answer(&mut self, challenge: &Challenge<'_>, out: &mut Vec<u8>) -> Result<(), Misuse> {
        let Some(exchange) = &mut self.exchange else { return self.client.cancel(out) };
        match exchange.answer(challenge) {
            Ok(response) => self.client.respond(&response, out),
            Err(why) => {
                // The server answers `*` with -ERR, whatever it thought of our proof.
                self.outcome = Outcome::ServerNotProven(why);
                self.client.cancel(out)
            }
        }
    }
}

impl Exchange {
    fn answer(&mut self, challenge: &Challenge<'_>) -> Result<Vec<u8>, String> {
        let challenge = challenge.decode().map_err(|_| "the server's challenge is not base64".to_owned())?;
        if let Some(first) = self.first.take() {
            return if challenge.is_empty() { Ok(first) } else { Err("the server spoke first".to_owned()) };
        }
        if self.server_proven {
            return Err("the server goes on behind its signature".to_owned());
        }
        let mut response = Vec::new();
        // With the server's last message this is where a signature that is not right becomes an error.
        let state = self.session.step(Some(&challenge), &mut response).map_err(|error| error.to_string())?;
        self.server_proven = state.is_finished();
        // To the signature rsasl says nothing, and that is the empty line that RFC 5034 asks for.
        Ok(response)
    }
}

/// What rsasl asks of the program.
struct Asked {
    credentials: Credentials,
    binding: bool,
}

/// RFC 7677 section 4 wants at least 4096; a server that asks for a billion wants to keep us busy.
const ITERATIONS: std::ops::RangeInclusive<u32> = 4096..=1_000_000;

impl SessionCallback for Asked {
    fn callback(
        &self,
        _session: &SessionData,
        context: &Context<'_>,
        request: &mut Request<'_>,
    ) -> Result<(), SessionError> {
        if let Some(iterations) = context.get_ref::<Iterations>().filter(|count| !ITERATIONS.contains(count)) {
            return Err(SessionError::Boxed(format!("{iterations} iterations are out of range").into()));
        }
        request.satisfy::<AuthId>(self.credentials.name)?.satisfy::<Password>(self.credentials.password.as_bytes())?;
        Ok(())
    }

    fn enable_channel_binding(&self) -> bool {
        self.binding
    }
}
