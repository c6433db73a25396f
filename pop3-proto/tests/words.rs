//! What errors, refusals and values say to people, word for word, and what `Debug` shows of values that may be secret
//! (P31). A person at the other end of a bug report has nothing else; a message that is empty, or about another error,
//! breaks it.

use pop3_proto::grammar::{self, Fault};
use pop3_proto::wire::dot::Offence;
use pop3_proto::wire::line::{Ending, Lines};
use pop3_proto::{
    Command, Digest, Error, MessageNumber, Misuse, Protocol, Quirk, Quirks, ResponseCode, Secret, State, Status, Text,
    Timestamp, TooManyUniqueIds, Trace, Unavailable, UniqueId, Verb, Wait,
};
use std::collections::BTreeSet;
use std::fmt::Display;

fn says<T: Display>(rows: impl IntoIterator<Item = (T, &'static str)>) {
    for (value, words) in rows {
        assert_eq!(value.to_string(), words);
    }
}

#[test]
fn a_fatal_error_says_what_the_other_side_did() {
    let code = || Some(ResponseCode::new("IN-USE").unwrap());
    says([
        (
            Error::GreetingRefused { code: code(), text: Text::from("too\tmany") },
            "the server refuses the session; it says: too\\tmany",
        ),
        (
            Error::NoStatus { to: Verb::Stat, line: Text::from("3 120") },
            "the server answered STAT with neither +OK nor -ERR; it says: 3 120",
        ),
        (Error::Unsolicited, "the server sent an answer that no command had asked for"),
        (
            Error::PlaintextAfterStls,
            "octets came in the clear between STLS and the TLS handshake: somebody injected them",
        ),
        (Error::BareLf, "a line ended in a bare LF"),
        (Error::LineTooLong { limit: 8192 }, "a line was longer than 8192 octets"),
        (Error::ListingTooLong { to: Verb::Uidl, limit: 9 }, "the answer to UIDL had more than 9 lines"),
        (
            Error::AuthRejectedByClose { to: Verb::Pass },
            "the server closed the connection instead of answering PASS: the password may be wrong",
        ),
    ]);
    let not_pop3 = |looks_like| Error::NotPop3 { looks_like };
    says([
        (not_pop3(Protocol::Imap), "the other side speaks IMAP, not POP3"),
        (not_pop3(Protocol::Smtp), "the other side speaks SMTP, not POP3"),
        (not_pop3(Protocol::Http), "the other side speaks HTTP, not POP3"),
        (not_pop3(Protocol::Ssh), "the other side speaks SSH, not POP3"),
        (not_pop3(Protocol::Tls), "the other side speaks TLS from the first octet (implicit TLS)"),
        (not_pop3(Protocol::Unknown), "the other side does not greet as a POP3 server does"),
    ]);
}

#[test]
fn the_end_of_a_connection_names_what_was_waited_for() {
    let eof = |awaiting| Error::Eof { awaiting };
    says([
        (eof(Wait::Greeting), "the other side closed the connection before it greeted"),
        (eof(Wait::Tls), "the other side closed the connection before the TLS handshake was done"),
        (eof(Wait::Reply(Verb::Retr)), "the other side closed the connection while RETR was being answered"),
        (eof(Wait::Reply(Verb::Other)), "the other side closed the connection while the command was being answered"),
        (eof(Wait::Command), "the other side closed the connection between commands"),
        (eof(Wait::Answer(Verb::Auth)), "the other side closed the connection while we were answering AUTH"),
        (eof(Wait::Close), "the other side closed the connection at the end of the session"),
    ]);
}

#[test]
fn a_misuse_says_what_to_do_instead() {
    let not = |verb, state| Misuse::NotPermitted { verb, state };
    let wrong = |to| Misuse::WrongAnswer { to };
    let rows = [
        (not(Verb::Capa, State::Greeting), "CAPA may not be given in the state greeting; read the greeting first"),
        (not(Verb::Retr, State::Authorization), "RETR may not be given in the state AUTHORIZATION; log in first"),
        (
            not(Verb::User, State::Handshake),
            "USER may not be given in the state TLS handshake; do the TLS handshake first, and call tls_established",
        ),
        (
            not(Verb::Stls, State::Transaction),
            "STLS may not be given in the state TRANSACTION; it is for a session that has not logged in, so open a new connection",
        ),
        (not(Verb::Noop, State::Closed), "NOOP may not be given in the state closed; open a new connection"),
        (
            Misuse::NeedsTls,
            "the policy wants TLS before this; send STLS first (CAPA says whether it is there), or connect with TLS",
        ),
        (
            Misuse::UnverifiedPeer,
            "nobody verified the server, and the policy allows no login then; check its certificate, or allow it with Config::allow_unverified_peer",
        ),
        (Misuse::TlsIsOn, "TLS is on already; go on without STLS"),
        (Misuse::StlsBehindUtf8, "STLS may not follow UTF8; send it before UTF8, in a new connection"),
        (Misuse::NoHandshake, "no TLS handshake is due; do one, and report it once, when STLS was just answered +OK"),
        (
            Misuse::NoSecurityLayer,
            "no security layer is due; report it once, when AUTH was just answered +OK and nothing was sent since",
        ),
        (Misuse::InTheClear, "octets came in the clear behind AUTH, where a layer would begin; close the connection"),
        (Misuse::NoTimestamp, "the server gave no timestamp for APOP, or gave it before STLS; log in another way"),
        (Misuse::Timestamp, "it is no timestamp; give <local@domain> in visible ASCII, 255 octets at most"),
        (
            Misuse::ApopIsOff,
            "APOP is off because MD5 is broken; log in another way, or allow it with Config::allow_apop_md5",
        ),
        (Misuse::UserBeforePass, "PASS belongs right behind a successful USER; send nothing between them but QUIT"),
        (
            Misuse::Outstanding { awaiting: Verb::List },
            "the answer to LIST is outstanding; read it before this is sent",
        ),
        (Misuse::WindowFull, "too many commands are outstanding; read an answer first, or allow more in the Config"),
        (Misuse::Unsolicited, "the server sent octets that no command asked for; read them with next_event first"),
        (Misuse::Over, "the session is over; close the connection, and go on in a new one"),
        (
            Misuse::ForbiddenOctet { octet: 10 },
            "the octet 0x0A cannot be sent there in any form; give an argument without it",
        ),
        (Misuse::Empty, "it is empty; give one octet at least"),
        (Misuse::TooLong { limit: 255 }, "it would be longer than the 255 octets that can be sent there; shorten it"),
        (Misuse::MessageNumberZero, "there is no message 0; count from 1"),
        (
            Misuse::NeedsUtf8User,
            "octets above 0x7F need the server's capability UTF8 USER; ask CAPA first, or send ASCII",
        ),
        (Misuse::KnownKeyword { verb: Verb::Stls }, "STLS has a constructor of its own; use that"),
        (Misuse::Digest, "it is no digest; give 32 hexadecimal digits in lower case"),
        (Misuse::Base64, "it is not base64; encode it first, with its padding"),
        (
            Misuse::NoInitialResponse,
            "no capability list of the server names SASL; ask CAPA first, or send AUTH without an initial response",
        ),
        (
            Misuse::InitialResponseTooLong,
            "the initial response is too long for the line; send AUTH without it, and answer the empty challenge with it",
        ),
        (Misuse::UniqueId, "it is no unique-id; give 1 to 70 octets between 0x21 and 0x7E"),
        (Misuse::NoChallenge, "no challenge is waiting for a response; wait for Event::Challenge"),
        (Misuse::NothingOwed, "no command is waiting for an answer; call next_event until one comes"),
        (wrong(Verb::Noop), "this does not answer NOOP; reply with +OK or -ERR, without data"),
        (
            wrong(Verb::Stat),
            "this does not answer STAT; reply with Reply::drop_listing without a response code, or with -ERR",
        ),
        (
            wrong(Verb::List),
            "this does not answer LIST; with a number reply with Reply::scan_listing, without one list Row::Scan; or reply with -ERR",
        ),
        (
            wrong(Verb::Uidl),
            "this does not answer UIDL; with a number reply with Reply::unique_id, without one list Row::UniqueId; or reply with -ERR",
        ),
        (
            wrong(Verb::Lang),
            "this does not answer LANG; with a tag reply with Reply::language, without one list Row::Language; or reply with -ERR",
        ),
        (
            wrong(Verb::Capa),
            "this does not answer CAPA; use Server::capabilities, or list Row::Capability; or reply with -ERR",
        ),
        (wrong(Verb::Retr), "this does not answer RETR; send the message with begin, body and end, or reply with -ERR"),
        (wrong(Verb::Auth), "this does not answer AUTH; go on with challenge, or reply with +OK or -ERR"),
        (wrong(Verb::Stls), "this does not answer STLS; reply with +OK and do the handshake, or with -ERR"),
        (wrong(Verb::Quit), "this does not answer QUIT; remove what is marked as deleted, then reply with the outcome"),
        (wrong(Verb::Other), "this does not answer the command; reply, or begin a listing, as its Shape says"),
        (Misuse::InsideAnswer { to: Verb::Top }, "the answer to TOP was begun; end or abort it first"),
        (
            Misuse::Spoiled { to: Verb::Retr },
            "a chunk of the answer to RETR was refused; abort, so that the client sees that its end is missing",
        ),
        (Misuse::InsideLine, "the text stands in the middle of a line; send the rest of it first, or abort the answer"),
        (Misuse::BegunStuffed, "this text was begun with body_stuffed; go on with that, or abort the answer"),
        (
            Misuse::NotOffered,
            "this server would refuse what the line announces; turn it on in the Config, or leave the line out",
        ),
        (Misuse::Bracket, "a text must not begin with '['; a response code is given with Reply::with_code"),
        (Misuse::NeedsLang, "text beyond ASCII needs LANG or UTF8; write ASCII until the client has sent one of them"),
        (
            Misuse::Offence(Offence::BareLf),
            "the message holds an LF without CR before it; abort the answer, and ask Size::offence before you begin one",
        ),
        (Misuse::Terminator, "the text holds what would end the message; abort the answer"),
        (Misuse::NotUtf8, "the text is not UTF-8; convert it first"),
        (Misuse::TooShort, "RFC 1939 asks for ten minutes at least; Config::autologout_below_ten_minutes takes less"),
        (Misuse::TooManyMessages, "a maildrop holds at most 4294967295 messages; leave the others out"),
        (Misuse::TooManyOctets, "a maildrop holds at most 18446744073709551615 octets; leave messages out"),
    ];
    for (misuse, words) in &rows {
        let (wrong, instead) = words.split_once("; ").unwrap_or_else(|| panic!("{misuse:?} does not say what to do"));
        assert!(!wrong.is_empty() && !instead.is_empty());
    }
    // The enum cannot be matched whole from outside; its source says what there is.
    let of_debug =
        |misuse: &Misuse| format!("{misuse:?}").split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned();
    let shown: BTreeSet<String> = rows.iter().map(|(misuse, _)| of_debug(misuse)).collect();
    let source = include_str!("../src/error.rs");
    let body = source.split_once("pub enum Misuse {\n").unwrap().1.split_once("\n}").unwrap().0;
    let variants: BTreeSet<String> = body
        .lines()
        .filter_map(|line| line.strip_prefix("    ").filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase())))
        .map(|line| line.split(|c: char| !c.is_alphanumeric()).next().unwrap().to_owned())
        .collect();
    assert_eq!(shown, variants);
    says(rows);
    says([
        (Offence::BareLf, "the message holds an LF without CR before it"),
        (Offence::BareCr, "the message holds a CR without LF behind it"),
    ]);
    says([(TooManyUniqueIds { limit: 70 }, "the unique-ids hold more than 70 octets")]);
    says([(Unavailable::NoSuchMessage, "no such message"), (Unavailable::Deleted, "message already deleted")]);
}

#[test]
fn states_and_verbs_have_the_words_of_the_rfcs() {
    says([
        (State::Greeting, "greeting"),
        (State::Authorization, "AUTHORIZATION"),
        (State::Handshake, "TLS handshake"),
        (State::Transaction, "TRANSACTION"),
        (State::Update, "UPDATE"),
        (State::Closed, "closed"),
    ]);
    for verb in Verb::ALL {
        let words = if verb == Verb::Other { "the command" } else { verb.keyword() };
        assert_eq!(verb.to_string(), words);
    }
}

#[test]
fn a_fault_of_the_grammar_says_what_is_wrong_with_the_line() {
    says([
        (Fault::Empty, "there is nothing"),
        (Fault::Keyword, "the keyword is not known"),
        (Fault::MissingArgument, "an argument is missing"),
        (Fault::ExtraArgument, "there is an argument too many"),
        (Fault::Number, "there is no number"),
        (Fault::NumberZero, "message-numbers begin at 1"),
        (Fault::OtherNumber, "it is about another message"),
        (Fault::NumberTooBig, "the number is too big"),
        (Fault::Octet(0), "the octet 0x00 must not stand there"),
        (Fault::Space, "there must be a single space"),
        (Fault::Digest, "the digest is not 32 hexadecimal digits in lower case"),
        (Fault::NoUniqueId, "the unique-id is missing"),
        (Fault::UniqueId, "the unique-id is not 1 to 70 octets between 0x21 and 0x7E"),
        (Fault::Utf8, "it is not UTF-8"),
        (Fault::Base64, "it is not base64"),
        (Fault::TooLong, "the line is too long"),
        (Fault::NoStatus, "there is neither +OK nor -ERR"),
        (Fault::LooksLikeErr, "it reads like an answer of -ERR"),
        (Fault::Other(nom::error::ErrorKind::Tag), "Tag"),
    ]);
}

#[test]
fn a_parse_error_shows_how_much_was_left_and_not_what() {
    let Err(nom::Err::Error(error) | nom::Err::Failure(error)) = grammar::command(b"PASS \x07hunter2hunter2\r\n")
    else {
        panic!("BEL is no part of a password");
    };
    assert_eq!(error.to_string(), "the octet 0x07 must not stand there");
    let shown = format!("{error:?}");
    assert_eq!(shown, format!("Error {{ octets_left: {}, fault: Octet(7) }}", error.input.len()));
}

#[test]
fn productions_compose_with_those_of_nom() {
    use nom::{Parser as _, branch::alt, bytes::complete::tag, error::ErrorKind};
    let mut word = alt((tag::<_, _, grammar::Error<'_>>("ONE"), tag("TWO")));
    assert_eq!(word.parse(b"TWO!"), Ok((&b"!"[..], &b"TWO"[..])));
    let Err(nom::Err::Error(error)) = word.parse(b"SIX") else { panic!("neither") };
    assert_eq!((error.input, error.fault), (&b"SIX"[..], Fault::Other(ErrorKind::Tag)));
}

#[test]
fn values_print_as_they_are_sent_and_escaped_for_a_terminal() {
    says([(Status::Ok, "+OK"), (Status::Err, "-ERR")]);
    assert_eq!(ResponseCode::new("SYS/TEMP").unwrap().to_string(), "[SYS/TEMP]");
    assert_eq!(Timestamp::find(b"POP3 <1896.697170952@host>").unwrap().to_string(), "<1896.697170952@host>");
    assert_eq!(UniqueId::new("whqtswO00").unwrap().to_string(), "whqtswO00");
    assert_eq!(MessageNumber::new(4_294_967_295).unwrap().to_string(), "4294967295");
    assert_eq!(Text::from("h\u{e9}\x1b[2J\r\n").to_string(), "h\u{e9}\\u{1b}[2J\\r\\n");
    assert_eq!(Text::from(&b"a\xFFb"[..]).to_string(), "a\u{FFFD}b");
    assert_eq!(format!("{:?}", Text::from(&b"a\xFF\r"[..])), "\"a\\xff\\r\"");
    let Command::User(name) = Command::user("mrose").unwrap() else { panic!("USER") };
    assert_eq!(name.to_string(), "mrose");
    let Command::Auth(auth) = Command::auth("x-mine").unwrap() else { panic!("AUTH") };
    assert_eq!((auth.mechanism.to_string(), format!("{:?}", auth.mechanism)), ("X-MINE".into(), "X-MINE".into()));
}

#[test]
fn secrets_show_that_they_are_there_and_nothing_else() {
    let secret = Secret::from(&b"tanstaaf"[..]);
    assert_eq!((format!("{secret}"), format!("{secret:?}")), ("<secret>".into(), "<secret>".into()));
    let pass = Command::pass("tanstaaf").unwrap();
    assert_eq!(format!("{pass:?}"), "Pass(<secret>)");
    let digest = Digest::new(b"c4c9334bac560ecc979e58001b3e22fb").unwrap();
    assert_eq!(format!("{digest:?}"), "<secret>");
    let auth = Command::auth_with_initial("PLAIN", "AHRlc3QAdGVzdA==").unwrap();
    assert_eq!(format!("{auth:?}"), "Auth(Auth { mechanism: PLAIN, initial: Some(<secret>) })");
    let mut lines = Lines::default();
    assert!(matches!(lines.find(&mut &b"PASS tanst"[..], Ending::Crlf, 100), Ok(None)));
    assert_eq!(format!("{lines:?}"), "Lines { held: 10 }");
    let mut trace = Trace::new();
    trace.client(b"PASS tanst", |line| panic!("{line:?} is no whole line"));
    let shown = format!("{trace:?}");
    assert!(shown.contains("Half { held: 10 }") && !shown.contains("tanst"), "{shown}");
}

#[cfg(feature = "sasl")]
#[test]
fn an_exchange_shows_its_mechanism_and_how_far_it_is() {
    let exchange = pop3_proto::Exchange::login("tim", "tanstaaf").unwrap();
    assert_eq!(format!("{exchange:?}"), "Exchange { mechanism: \"LOGIN\", sent: 0 }");
}

#[test]
fn a_set_of_quirks_lists_them() {
    let none = Quirks::STRICT;
    assert_eq!(format!("{none:?}"), "{}");
    assert!(none.is_empty());
    let two = none.with(Quirk::BareLf).with(Quirk::OkAsContinue);
    assert_eq!(format!("{two:?}"), "{BareLf, OkAsContinue}");
    assert!(!two.is_empty());
    assert_eq!(two.without(Quirk::BareLf), none.with(Quirk::OkAsContinue));
    assert_eq!(two.without(Quirk::StatusTab), two);
}
