//! [`Error`] is the peer's fault and ends the session; [`Misuse`] is the caller's and changes nothing.
//!
//! A `-ERR` is neither: it is an answer, and comes as an event.

use crate::reply::{ErrorClass, ResponseCode};
use crate::state::{State, Verb};
use crate::text::Text;
use crate::wire::dot::Offence;
use core::fmt;

/// What the peer did that a session cannot survive.
///
/// It is fatal and sticks: every later call on the machine gives the same error, and the connection is to be closed.
/// `Display` is for the person at the end.
///
/// ```
/// use pop3_proto::{Client, Error, Wait};
///
/// assert_eq!(Client::new().handle_eof(), Err(Error::Eof { awaiting: Wait::Greeting }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// The server greeted with `-ERR` instead of `+OK`.
    GreetingRefused {
        /// Its response code, if it gave one.
        code: Option<ResponseCode<'static>>,
        /// Its words.
        text: Text<'static>,
    },
    /// The first line is not a POP3 greeting.
    NotPop3 {
        /// What it looks like.
        looks_like: Protocol,
    },
    /// A response did not begin with a status indicator (`+OK` or `-ERR`, RFC 1939 §3).
    NoStatus {
        /// The command that was waiting for its answer.
        to: Verb,
        /// The line that came instead.
        line: Text<'static>,
    },
    /// Octets came that no command had asked for.
    Unsolicited,
    /// Octets came in the clear between the `+OK` to STLS (or, to a server, the STLS command) and the TLS handshake:
    /// somebody on the way injected them (RFC 2595 §4).
    PlaintextAfterStls,
    /// A line ended in a bare LF, and the configuration does not tolerate it.
    BareLf,
    /// A line was longer than the limit.
    LineTooLong {
        /// The limit in octets, with the line's ending.
        limit: usize,
    },
    /// A listing had more lines than the limit.
    ListingTooLong {
        /// The command it answered.
        to: Verb,
        /// The limit in lines.
        limit: u64,
    },
    /// The peer closed the connection.
    Eof {
        /// What we were waiting for.
        awaiting: Wait,
    },
    /// The server closed the connection instead of answering a login: some do so when a password is wrong.
    AuthRejectedByClose {
        /// The login command that got no answer.
        to: Verb,
    },
}

impl Error {
    /// What kind of failure this is, if it came with words of the server; else `None`.
    #[must_use]
    pub fn class(&self) -> Option<ErrorClass> {
        match self {
            Self::GreetingRefused { code, .. } => {
                Some(code.as_ref().map_or(ErrorClass::Unknown, ResponseCode::error_class))
            }
            Self::AuthRejectedByClose { .. } => Some(ErrorClass::Credentials),
            _ => None,
        }
    }
}

/// What a first line looks like that is not POP3's.
///
/// ```
/// use pop3_proto::{Client, Error, Protocol};
///
/// let error = Client::new().next_event(&mut &b"* OK IMAP4rev1 ready\r\n"[..]).unwrap_err();
/// assert_eq!(error, Error::NotPop3 { looks_like: Protocol::Imap });
/// assert_eq!(error.to_string(), "the other side speaks IMAP, not POP3");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Protocol {
    /// `* OK`
    Imap,
    /// `220 `
    Smtp,
    /// `HTTP/`
    Http,
    /// `SSH-`
    Ssh,
    /// A TLS record: the port speaks TLS from the first octet (implicit TLS, RFC 8314 §3).
    Tls,
    /// None of these.
    Unknown,
}

/// What the side is waiting for, and so which of the configured times applies (see [`Config`](crate::Config)).
///
/// ```
/// use pop3_proto::{Client, Wait};
///
/// let client = Client::new();
/// assert_eq!(client.awaiting(), Wait::Greeting);
/// assert_eq!(client.patience(), Some(std::time::Duration::from_secs(300)));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Wait {
    /// The client: for the greeting.
    Greeting,
    /// Both: for the TLS handshake, which is the driver's.
    Tls,
    /// The client: for the answer to this command, or the rest of it.
    Reply(Verb),
    /// The server: for a command or a SASL response. The client: for nothing; the next word is its own.
    Command,
    /// The server's application: to answer this command.
    Answer(Verb),
    /// For nothing: the session is over, and the server closes the connection.
    Close,
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Greeting => f.write_str("before it greeted"),
            Self::Tls => f.write_str("before the TLS handshake was done"),
            Self::Reply(verb) => write!(f, "while {verb} was being answered"),
            Self::Command => f.write_str("between commands"),
            Self::Answer(verb) => write!(f, "while we were answering {verb}"),
            Self::Close => f.write_str("at the end of the session"),
        }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GreetingRefused { text, .. } => write!(f, "the server refuses the session; it says: {text}"),
            Self::NotPop3 { looks_like } => match looks_like {
                Protocol::Imap => f.write_str("the other side speaks IMAP, not POP3"),
                Protocol::Smtp => f.write_str("the other side speaks SMTP, not POP3"),
                Protocol::Http => f.write_str("the other side speaks HTTP, not POP3"),
                Protocol::Ssh => f.write_str("the other side speaks SSH, not POP3"),
                Protocol::Tls => f.write_str("the other side speaks TLS from the first octet (implicit TLS)"),
                Protocol::Unknown => f.write_str("the other side does not greet as a POP3 server does"),
            },
            Self::NoStatus { to, line } => {
                write!(f, "the server answered {to} with neither +OK nor -ERR; it says: {line}")
            }
            Self::Unsolicited => f.write_str("the server sent an answer that no command had asked for"),
            Self::PlaintextAfterStls => {
                f.write_str("octets came in the clear between STLS and the TLS handshake: somebody injected them")
            }
            Self::BareLf => f.write_str("a line ended in a bare LF"),
            Self::LineTooLong { limit } => write!(f, "a line was longer than {limit} octets"),
            Self::ListingTooLong { to, limit } => write!(f, "the answer to {to} had more than {limit} lines"),
            Self::Eof { awaiting } => write!(f, "the other side closed the connection {awaiting}"),
            Self::AuthRejectedByClose { to } => {
                write!(f, "the server closed the connection instead of answering {to}: the password may be wrong")
            }
        }
    }
}

impl core::error::Error for Error {}

/// A call that the protocol does not allow now, or a value that it never allows. Nothing was written and nothing
/// changed.
///
/// ```
/// use pop3_proto::{Command, Misuse};
///
/// assert_eq!(Command::user("mrose\r\nDELE 1").unwrap_err(), Misuse::ForbiddenOctet { octet: b'\r' });
/// assert_eq!(Command::retr(0).unwrap_err(), Misuse::MessageNumberZero);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Misuse {
    /// The state does not permit the command.
    NotPermitted {
        /// The command.
        verb: Verb,
        /// The state the session is in.
        state: State,
    },
    /// The policy wants TLS before this command: STLS first.
    NeedsTls,
    /// The policy wants TLS to a server that was verified, and the driver said that nobody did (RFC 8314 §5).
    UnverifiedPeer,
    /// TLS is on already (RFC 2595 §4).
    TlsIsOn,
    /// UTF8 was given, and STLS may not follow it (RFC 6856 §2.1).
    StlsBehindUtf8,
    /// No TLS handshake is due: STLS was not just answered `+OK`.
    NoHandshake,
    /// No security layer can begin: AUTH was not just answered `+OK` (RFC 5034 §4).
    NoSecurityLayer,
    /// No security layer can begin: octets came in the clear behind AUTH (RFC 5034 §4).
    InTheClear,
    /// APOP needs a timestamp in the greeting, and there is none that RFC 1939 §7 allows, or it was forgotten at STLS.
    NoTimestamp,
    /// A timestamp is `<` local `@` domain `>` in visible ASCII, of at most 255 octets (RFC 1939 §7).
    Timestamp,
    /// APOP stands on MD5 and is off; [`Config::allow_apop_md5`](crate::Config::allow_apop_md5) turns it on.
    ApopIsOff,
    /// PASS must come immediately behind a successful USER, and nothing but PASS or QUIT may come there.
    UserBeforePass,
    /// An answer is outstanding, and this command may not be sent before it came.
    Outstanding {
        /// The command whose answer is outstanding.
        awaiting: Verb,
    },
    /// As many commands are outstanding as the limits of the configuration allow.
    WindowFull,
    /// Octets of the server wait that no command asked for: read them with `next_event` first.
    Unsolicited,
    /// The session is over.
    Over,
    /// The argument holds an octet that cannot be sent there.
    ForbiddenOctet {
        /// The octet.
        octet: u8,
    },
    /// The argument is empty.
    Empty,
    /// It would be longer than the protocol allows.
    TooLong {
        /// The limit in octets; that of a line is with CRLF.
        limit: usize,
    },
    /// Message-numbers begin at 1.
    MessageNumberZero,
    /// Octets above 0x7F in a user name or password need the capability `UTF8 USER` (RFC 6856 §2.2).
    NeedsUtf8User,
    /// The keyword has a constructor of its own, with checks of its own.
    KnownKeyword {
        /// The command.
        verb: Verb,
    },
    /// A digest is 32 hexadecimal digits in lower case (RFC 1939 §7).
    Digest,
    /// It is not base64: quartets, padded at the end (RFC 4648 §4).
    Base64,
    /// An initial response goes with AUTH only if the server's current capability list names SASL (RFC 5034 §4).
    NoInitialResponse,
    /// The line of AUTH would be longer than 255 octets with the initial response in it (RFC 5034 §4).
    InitialResponseTooLong,
    /// A unique-id is 1 to 70 octets in the range 0x21 to 0x7E (RFC 1939 §7).
    UniqueId,
    /// No server challenge is waiting for a response.
    NoChallenge,
    /// No command is waiting for an answer.
    NothingOwed,
    /// This is not what answers the command.
    WrongAnswer {
        /// The command that waits for its answer.
        to: Verb,
    },
    /// An answer was begun, and only its lines or octets may follow until it is ended.
    InsideAnswer {
        /// The command that is being answered.
        to: Verb,
    },
    /// A chunk of this message was refused ([`Misuse::Offence`], [`Misuse::Terminator`]): what was sent of it has a hole, and
    /// its end must not be sent.
    Spoiled {
        /// The command that is being answered.
        to: Verb,
    },
    /// A chunk ended in the middle of a line, and this needs the beginning of one.
    InsideLine,
    /// The text of this answer was begun with [`Server::body_stuffed`](crate::Server::body_stuffed).
    BegunStuffed,
    /// This server would refuse what the line of a capability list announces: the settings do not have it, or not now.
    NotOffered,
    /// A text must not begin with `[` unless a response code follows (RFC 2449 §8).
    Bracket,
    /// Text beyond ASCII needs LANG or UTF8 (RFC 6856 §3).
    NeedsLang,
    /// The message holds what the newline policy refuses; the answer can only be aborted.
    Offence(Offence),
    /// The stuffed text holds what a reader would take for its end.
    Terminator,
    /// The text is not UTF-8.
    NotUtf8,
    /// A wait of that kind must not be shorter than ten minutes (RFC 1939 §3) unless the setting says so.
    TooShort,
    /// More messages than numbers.
    TooManyMessages,
    /// More octets in all than STAT can say.
    TooManyOctets,
}

impl From<core::convert::Infallible> for Misuse {
    fn from(never: core::convert::Infallible) -> Self {
        match never {}
    }
}

impl From<Offence> for Misuse {
    fn from(offence: Offence) -> Self {
        Self::Offence(offence)
    }
}

impl fmt::Display for Misuse {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self {
            Self::NotPermitted { verb, state } => {
                return write!(f, "{verb} may not be given in the state {state}; {}", way_on(*state));
            }
            Self::NeedsTls => {
                "the policy wants TLS before this; send STLS first (CAPA says whether it is there), or connect with TLS"
            }
            Self::UnverifiedPeer => {
                "nobody verified the server, and the policy allows no login then; check its certificate, or allow it with Config::allow_unverified_peer"
            }
            Self::TlsIsOn => "TLS is on already; go on without STLS",
            Self::StlsBehindUtf8 => "STLS may not follow UTF8; send it before UTF8, in a new connection",
            Self::NoHandshake => "no TLS handshake is due; do one, and report it once, when STLS was just answered +OK",
            Self::NoSecurityLayer => {
                "no security layer is due; report it once, when AUTH was just answered +OK and nothing was sent since"
            }
            Self::InTheClear => "octets came in the clear behind AUTH, where a layer would begin; close the connection",
            Self::NoTimestamp => "the server gave no timestamp for APOP, or gave it before STLS; log in another way",
            Self::Timestamp => "it is no timestamp; give <local@domain> in visible ASCII, 255 octets at most",
            Self::ApopIsOff => {
                "APOP is off because MD5 is broken; log in another way, or allow it with Config::allow_apop_md5"
            }
            Self::UserBeforePass => "PASS belongs right behind a successful USER; send nothing between them but QUIT",
            Self::Outstanding { awaiting } => {
                return write!(f, "the answer to {awaiting} is outstanding; read it before this is sent");
            }
            Self::WindowFull => "too many commands are outstanding; read an answer first, or allow more in the Config",
            Self::Unsolicited => "the server sent octets that no command asked for; read them with next_event first",
            Self::Over => "the session is over; close the connection, and go on in a new one",
            Self::ForbiddenOctet { octet } => {
                return write!(
                    f,
                    "the octet 0x{octet:02X} cannot be sent there in any form; give an argument without it"
                );
            }
            Self::Empty => "it is empty; give one octet at least",
            Self::TooLong { limit } => {
                return write!(f, "it would be longer than the {limit} octets that can be sent there; shorten it");
            }
            Self::MessageNumberZero => "there is no message 0; count from 1",
            Self::NeedsUtf8User => {
                "octets above 0x7F need the server's capability UTF8 USER; ask CAPA first, or send ASCII"
            }
            Self::KnownKeyword { verb } => return write!(f, "{verb} has a constructor of its own; use that"),
            Self::Digest => "it is no digest; give 32 hexadecimal digits in lower case",
            Self::Base64 => "it is not base64; encode it first, with its padding",
            Self::NoInitialResponse => {
                "no capability list of the server names SASL; ask CAPA first, or send AUTH without an initial response"
            }
            Self::InitialResponseTooLong => {
                "the initial response is too long for the line; send AUTH without it, and answer the empty challenge with it"
            }
            Self::UniqueId => "it is no unique-id; give 1 to 70 octets between 0x21 and 0x7E",
            Self::NoChallenge => "no challenge is waiting for a response; wait for Event::Challenge",
            Self::NothingOwed => "no command is waiting for an answer; call next_event until one comes",
            Self::WrongAnswer { to } => return write!(f, "this does not answer {to}; {}", answer_to(*to)),
            Self::Spoiled { to } => {
                return write!(
                    f,
                    "a chunk of the answer to {to} was refused; abort, so that the client sees that its end is missing"
                );
            }
            Self::InsideAnswer { to } => return write!(f, "the answer to {to} was begun; end or abort it first"),
            Self::InsideLine => {
                "the text stands in the middle of a line; send the rest of it first, or abort the answer"
            }
            Self::BegunStuffed => "this text was begun with body_stuffed; go on with that, or abort the answer",
            Self::NotOffered => {
                "this server would refuse what the line announces; turn it on in the Config, or leave the line out"
            }
            Self::Bracket => "a text must not begin with '['; a response code is given with Reply::with_code",
            Self::NeedsLang => {
                "text beyond ASCII needs LANG or UTF8; write ASCII until the client has sent one of them"
            }
            Self::Offence(offence) => {
                return write!(f, "{offence}; abort the answer, and ask Size::offence before you begin one");
            }
            Self::Terminator => "the text holds what would end the message; abort the answer",
            Self::NotUtf8 => "the text is not UTF-8; convert it first",
            Self::TooShort => "RFC 1939 asks for ten minutes at least; Config::autologout_below_ten_minutes takes less",
            Self::TooManyMessages => "a maildrop holds at most 4294967295 messages; leave the others out",
            Self::TooManyOctets => "a maildrop holds at most 18446744073709551615 octets; leave messages out",
        };
        f.write_str(words)
    }
}

/// What to do in a state that does not permit the command.
const fn way_on(state: State) -> &'static str {
    match state {
        State::Greeting => "read the greeting first",
        State::Authorization => "log in first",
        State::Handshake => "do the TLS handshake first, and call tls_established",
        State::Transaction => "it is for a session that has not logged in, so open a new connection",
        State::Update | State::Closed => "open a new connection",
    }
}

/// What a server answers the command with.
const fn answer_to(verb: Verb) -> &'static str {
    match verb {
        Verb::Stat => "reply with Reply::drop_listing without a response code, or with -ERR",
        Verb::List => "with a number reply with Reply::scan_listing, without one list Row::Scan; or reply with -ERR",
        Verb::Uidl => "with a number reply with Reply::unique_id, without one list Row::UniqueId; or reply with -ERR",
        Verb::Lang => "with a tag reply with Reply::language, without one list Row::Language; or reply with -ERR",
        Verb::Capa => "use Server::capabilities, or list Row::Capability; or reply with -ERR",
        Verb::Retr | Verb::Top => "send the message with begin, body and end, or reply with -ERR",
        Verb::Auth => "go on with challenge, or reply with +OK or -ERR",
        Verb::Stls => "reply with +OK and do the handshake, or with -ERR",
        Verb::Quit => "remove what is marked as deleted, then reply with the outcome",
        Verb::Other => "reply, or begin a listing, as its Shape says",
        _ => "reply with +OK or -ERR, without data",
    }
}

impl core::error::Error for Misuse {}
