//! What the machines tell their callers: [`Event`] to a client, [`Incoming`] to a server.

use crate::capability::Capability;
use crate::command::{Auth, Command, Digest, Name, Password};
use crate::grammar::Fault;
use crate::listing::{ScanListing, UniqueIdListing};
use crate::reply::{Data, ErrorClass, LanguageListing, ResponseCode, Timestamp};
use crate::state::Verb;
use crate::text::{Carried, Secret, Text};

/// What the server said, to the client's application.
///
/// The grammar is the same for every command:
///
/// ```text
/// session  = Greeting *( answer )
/// answer   = *Challenge ( Ok [ *( item / BadRow / Body ) End ] / Err )
/// item     = Scan / UniqueId / Capability / Language / Line
/// ```
///
/// Answers come in the order in which the commands were sent. `End` follows exactly where the command's response has
/// more than one line (RETR, TOP, CAPA, and LIST, UIDL and LANG without an argument).
///
/// ```
/// use pop3_proto::{Client, Event};
///
/// let mut client = Client::new();
/// let mut input: &[u8] = b"+OK POP3 server ready\r\n";
/// let Some(Event::Greeting { text, timestamp: None }) = client.next_event(&mut input)? else { panic!() };
/// assert_eq!(text.as_str(), Some("POP3 server ready"));
/// # Ok::<(), pop3_proto::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event<'i> {
    /// The server is ready (RFC 1939 §4).
    Greeting {
        /// Its words, the timestamp included.
        text: Text<'i>,
        /// The timestamp for APOP, if there is exactly one.
        timestamp: Option<Timestamp<'i>>,
    },
    /// `+OK`
    Ok {
        /// The command it answers.
        to: Verb,
        /// Its response code.
        code: Option<ResponseCode<'i>>,
        /// Its words; for people.
        text: Text<'i>,
        /// What it carries for programs.
        data: Data<'i>,
    },
    /// `-ERR`
    Err {
        /// The command it answers.
        to: Verb,
        /// Its response code.
        code: Option<ResponseCode<'i>>,
        /// Its words; for people.
        text: Text<'i>,
    },
    /// The server goes on in a SASL exchange: answer with `respond`, or `cancel` (RFC 5034 §4).
    Challenge(Challenge<'i>),
    /// A line of a scan listing.
    Scan(ScanListing),
    /// A line of a unique-id listing.
    UniqueId(UniqueIdListing<'i>),
    /// A line of a capability list.
    Capability(Capability<'i>),
    /// A line of a language listing.
    Language(LanguageListing<'i>),
    /// A line of a response to [`Command::Other`], stuffing removed.
    Line(Text<'i>),
    /// A line of a listing that makes no sense. The session goes on behind it.
    BadRow {
        /// The command that is being answered.
        of: Verb,
        /// The line, stuffing removed.
        line: Text<'i>,
        /// What is wrong with it.
        fault: Fault,
    },
    /// Octets of the message, stuffing removed: a slice of the caller's input. Adjacent ones belong together.
    Body(&'i [u8]),
    /// The multi-line response is complete.
    End {
        /// The command it answered.
        of: Verb,
    },
    /// The server says why it is about to close the connection: a `-ERR` that answers no command.
    Closing {
        /// Its response code.
        code: Option<ResponseCode<'i>>,
        /// Its words; for people.
        text: Text<'i>,
    },
}

impl Event<'_> {
    /// The same event without the borrow, for a line that was carried. Message text never is: [`Event::Body`] comes
    /// from the input alone.
    pub(crate) fn out_of(self, carried: &mut Carried<'_>) -> Event<'static> {
        match self {
            Self::Greeting { text, timestamp } => {
                let timestamp = timestamp.map(|timestamp| timestamp.out_of(carried));
                Event::Greeting { text: text.out_of(carried), timestamp }
            }
            Self::Ok { to, code, text, data } => Event::Ok {
                to,
                code: code.map(|code| code.out_of(carried)),
                text: text.out_of(carried),
                data: data.out_of(carried),
            },
            Self::Err { to, code, text } => {
                Event::Err { to, code: code.map(|code| code.out_of(carried)), text: text.out_of(carried) }
            }
            Self::Challenge(Challenge(line)) => Event::Challenge(Challenge(line.out_of(carried))),
            Self::Scan(listing) => Event::Scan(listing),
            Self::UniqueId(listing) => Event::UniqueId(listing.out_of(carried)),
            Self::Capability(capability) => Event::Capability(capability.out_of(carried)),
            Self::Language(listing) => Event::Language(listing.out_of(carried)),
            Self::Line(line) => Event::Line(line.out_of(carried)),
            Self::BadRow { of, line, fault } => Event::BadRow { of, line: line.out_of(carried), fault },
            Self::Body(_) => Event::Body(&[]),
            Self::End { of } => Event::End { of },
            Self::Closing { code, text } => {
                Event::Closing { code: code.map(|code| code.out_of(carried)), text: text.out_of(carried) }
            }
        }
    }

    /// What a refusal means for a program; `None` if the event is none.
    #[must_use]
    pub fn error_class(&self) -> Option<ErrorClass> {
        match self {
            Self::Err { code, .. } | Self::Closing { code, .. } => {
                Some(code.as_ref().map_or(ErrorClass::Unknown, ResponseCode::error_class))
            }
            _ => None,
        }
    }
}

/// A server challenge of a SASL exchange (RFC 5034 §4).
///
/// ```
/// use pop3_proto::{Client, Command, Config, Event, Peer};
///
/// let mut client = Client::over_tls(Config::new(), Peer::Verified);
/// client.next_event(&mut &b"+OK ready\r\n"[..])?;
/// client.send(&Command::auth("LOGIN")?, &mut Vec::new())?;
/// let Some(Event::Challenge(challenge)) = client.next_event(&mut &b"+ VXNlcm5hbWU6\r\n"[..])? else { panic!() };
/// assert_eq!(challenge.line(), "VXNlcm5hbWU6");
/// # #[cfg(feature = "sasl")]
/// assert_eq!(challenge.decode().unwrap(), b"Username:");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'i>(pub(crate) Text<'i>);

impl Challenge<'_> {
    /// The same challenge without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Challenge<'static> {
        Challenge(self.0.into_owned())
    }

    /// The challenge as it came, in base64; empty for an empty challenge.
    #[must_use]
    pub fn line(&self) -> &Text<'_> {
        &self.0
    }

    /// The challenge decoded.
    ///
    /// # Errors
    ///
    /// [`Fault::Base64`] for what is no canonical base64: cancel the exchange, or ignore the text where the mechanism
    /// has none to send ([`Quirk::TextChallenge`](crate::Quirk::TextChallenge)).
    #[cfg(feature = "sasl")]
    pub fn decode(&self) -> Result<alloc::vec::Vec<u8>, Fault> {
        let mut octets = alloc::vec::Vec::new();
        crate::sasl::decode(self.0.as_bytes(), &mut octets).map(|()| octets)
    }
}

/// What the client said, to the server's application.
///
/// ```
/// use pop3_proto::{Command, Config, Greeting, Incoming, Server};
///
/// let mut out = Vec::new();
/// let mut server = Server::new(Config::new(), Greeting::text("ready")?, &mut out);
/// assert_eq!(server.next_event(&mut &b"capa\r\n"[..], &mut out)?, Some(Incoming::Command(Command::Capa)));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Incoming<'i> {
    /// A command that the state permits. It waits for its answer, and nothing is read before it has it.
    ///
    /// PASS and APOP come as [`Incoming::Login`], AUTH as [`Incoming::Auth`], and QUIT in the TRANSACTION state as
    /// [`Incoming::Update`].
    Command(Command<'i>),
    /// Credentials. `+OK` opens the maildrop.
    Login(Login<'i>),
    /// A SASL exchange begins (RFC 5034 §4): go on with `challenge`, or end it with `reply`.
    Auth(Auth<'i>),
    /// The client's response to a challenge, as it came, in base64.
    Response(Secret<'i>),
    /// The client cancelled the exchange with `*`; `-ERR` is written already.
    Cancelled,
    /// QUIT in the TRANSACTION state: remove what is marked as deleted, then answer with the outcome (RFC 1939 §6).
    Update,
    /// A line that no application could act on. It is answered already: with `-ERR`, or, under
    /// [`Quirk::BareAuth`](crate::Quirk::BareAuth), with the list of mechanisms.
    Refused {
        /// The command, as far as it was one.
        verb: Verb,
        /// What is wrong with it.
        refusal: Refusal,
    },
}

impl Incoming<'_> {
    /// The same without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Incoming<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    pub(crate) fn out_of(self, line: &mut Carried<'_>) -> Incoming<'static> {
        match self {
            Self::Command(command) => Incoming::Command(command.out_of(line)),
            Self::Login(login) => Incoming::Login(login.out_of(line)),
            Self::Auth(Auth { mechanism, initial }) => {
                Incoming::Auth(Auth { mechanism, initial: initial.map(Secret::into_owned) })
            }
            Self::Response(response) => Incoming::Response(response.into_owned()),
            Self::Cancelled => Incoming::Cancelled,
            Self::Update => Incoming::Update,
            Self::Refused { verb, refusal } => Incoming::Refused { verb, refusal },
        }
    }
}

/// Credentials, complete.
///
/// ```
/// use pop3_proto::{Config, Greeting, Incoming, Login, Reply, Server};
///
/// let mut out = Vec::new();
/// let mut server = Server::over_tls(Config::new(), Greeting::text("ready")?, &mut out);
/// server.next_event(&mut &b"USER mrose\r\n"[..], &mut out)?;
/// server.reply(&Reply::ok("send PASS")?, &mut out)?;
/// let incoming = server.next_event(&mut &b"PASS tanstaaf\r\n"[..], &mut out)?;
/// let Some(Incoming::Login(Login::Pass { name, password })) = incoming else { panic!() };
/// assert_eq!((name.as_str(), password.reveal()), ("mrose", &b"tanstaaf"[..]));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Login<'i> {
    /// USER and PASS (RFC 1939 §7).
    Pass {
        /// Whose maildrop.
        name: Name<'i>,
        /// The password.
        password: Password<'i>,
    },
    /// APOP (RFC 1939 §7): compare with the digest of the greeting's timestamp and the shared secret.
    Apop {
        /// Whose maildrop.
        name: Name<'i>,
        /// The client's digest.
        digest: Digest,
    },
    /// SASL PLAIN with an authorization identity of its own (RFC 4616): `name` wants to act as somebody else. Refuse it
    /// unless you have a rule that allows it.
    ActAs {
        /// Whose maildrop is wanted.
        authorization: Name<'i>,
        /// Whose password it is.
        name: Name<'i>,
        /// The password.
        password: Password<'i>,
    },
    /// SASL EXTERNAL (RFC 4422): whoever the certificate of the TLS layer stands for.
    External {
        /// Whose maildrop is wanted, if the client says so.
        authorization: Option<Name<'i>>,
    },
    /// SASL ANONYMOUS (RFC 4505).
    Anonymous {
        /// What the client says about itself; it proves nothing.
        trace: Text<'i>,
    },
    /// SASL XOAUTH2 or OAUTHBEARER (RFC 7628). Answer a token that is not accepted with
    /// [`Server::reject_token`](crate::Server::reject_token).
    Bearer {
        /// Whose maildrop, if the client says so.
        name: Option<Name<'i>>,
        /// The access token.
        token: Secret<'i>,
    },
}

impl<'i> Login<'i> {
    /// Whose maildrop is wanted, if the client says so.
    #[must_use]
    pub const fn name(&self) -> Option<&Name<'i>> {
        match self {
            Self::Pass { name, .. } | Self::Apop { name, .. } => Some(name),
            Self::ActAs { authorization, .. } => Some(authorization),
            Self::External { authorization } => authorization.as_ref(),
            Self::Bearer { name, .. } => name.as_ref(),
            Self::Anonymous { .. } => None,
        }
    }

    /// The same without the borrow.
    #[must_use]
    pub fn into_owned(self) -> Login<'static> {
        self.out_of(&mut Carried::new(&[]))
    }

    fn out_of(self, line: &mut Carried<'_>) -> Login<'static> {
        match self {
            Self::Pass { name, password } => Login::Pass { name: name.out_of(line), password: password.into_owned() },
            Self::Apop { name, digest } => Login::Apop { name: name.out_of(line), digest },
            Self::ActAs { authorization, name, password } => Login::ActAs {
                authorization: authorization.out_of(line),
                name: name.out_of(line),
                password: password.into_owned(),
            },
            Self::External { authorization } => {
                Login::External { authorization: authorization.map(|name| name.out_of(line)) }
            }
            Self::Anonymous { trace } => Login::Anonymous { trace: trace.out_of(line) },
            Self::Bearer { name, token } => {
                Login::Bearer { name: name.map(|name| name.out_of(line)), token: token.into_owned() }
            }
        }
    }
}

/// Why a server refused a line by itself.
///
/// ```
/// use pop3_proto::{Config, Greeting, Incoming, Refusal, Server, Verb};
///
/// let mut out = Vec::new();
/// let mut server = Server::new(Config::new(), Greeting::text("ready")?, &mut out);
/// let incoming = server.next_event(&mut &b"RETR 1\r\n"[..], &mut out)?;
/// assert_eq!(incoming, Some(Incoming::Refused { verb: Verb::Retr, refusal: Refusal::State }));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refusal {
    /// It is no command, or its arguments are not what the command takes.
    Syntax(Fault),
    /// It is longer than the limit. Nothing of it was acted on.
    TooLong,
    /// The command is known, and this server does not have it.
    NotImplemented,
    /// The state does not permit it (RFC 1939 §3).
    State,
    /// The policy wants TLS first.
    NeedsTls,
    /// PASS without a successful USER immediately before it (RFC 1939 §7).
    NoUser,
}
