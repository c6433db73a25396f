//! The session in protocol order, but for the messages: login, capabilities, listings, QUIT.

use crate::connection::{Connection, Failure, Stream};
use crate::report::Report;
use md5::{Digest, Md5};
use pop3_proto::{Command, Committed, Event, Extension, MessageNumber, Misuse, Secret, Support, UniqueId};
use std::collections::BTreeMap;

/// Who logs in, and how.
#[derive(Debug)]
pub(crate) struct Login {
    pub(crate) user: String,
    pub(crate) password: Secret<'static>,
    pub(crate) way: Way,
}

/// The commands that log in. There is no falling back from one to the other: whoever is on the way could cause it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Way {
    /// USER and PASS.
    Pass,
    /// APOP.
    Apop,
}

/// A message as the listings show it.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) number: MessageNumber,
    /// What LIST says; for the progress bar only.
    pub(crate) octets: Option<u64>,
    pub(crate) id: Option<UniqueId<'static>>,
}

/// The maildrop's listings.
#[derive(Debug)]
pub(crate) struct Listing {
    pub(crate) messages: Vec<Listed>,
    pub(crate) unique_ids: UniqueIds,
}

/// What UIDL gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum UniqueIds {
    /// An id for every message.
    All,
    /// Lines that make no sense were among them.
    Some,
    /// The server has no UIDL.
    None,
}

impl Login {
    /// Whether POP3 can carry the name and the password at all.
    pub(crate) fn check(&self) -> Result<(), String> {
        Command::user(&self.user).map_err(|misuse| format!("this is no user name for POP3: {misuse}"))?;
        match self.way {
            Way::Pass => Command::pass(self.password.reveal())
                .map(|_| ())
                .map_err(|misuse| format!("this is no password for POP3: {misuse}")),
            Way::Apop => Ok(()),
        }
    }
}

/// From the greeting to the TRANSACTION state.
pub(crate) fn log_in<S: Stream>(connection: &mut Connection<S>, login: &Login) -> Result<(), Failure> {
    let timestamp = connection.greeting()?;
    capabilities(connection)?;
    let done = match login.way {
        Way::Pass => user_and_pass(connection, login),
        Way::Apop => match timestamp {
            Some(timestamp) => apop(connection, login, timestamp.as_bytes()),
            None => Err(Misuse::NoTimestamp.into()),
        },
    };
    if let Err(Failure::Refused { .. } | Failure::Ours(_)) = done {
        // Whatever the answer is, the reason is known.
        let _ = connection.ask(&Command::Quit, |_| {});
    }
    done?;
    // RFC 2449 §5: "Capabilities available in the AUTHORIZATION state MUST be announced in both states", but others may
    // come with the login, and so the machine has forgotten what it knew, PIPELINING too.
    capabilities(connection)
}

/// A server without CAPA is one without extensions (RFC 2449 §5).
fn capabilities<S: Stream>(connection: &mut Connection<S>) -> Result<(), Failure> {
    match connection.ask(&Command::Capa, |_| {}) {
        Err(Failure::Refused { .. }) => Ok(()),
        done => done,
    }
}

fn user_and_pass<S: Stream>(connection: &mut Connection<S>, login: &Login) -> Result<(), Failure> {
    connection.ask(&Command::user(&login.user)?, |_| {})?;
    connection.ask(&Command::pass(login.password.reveal())?, |_| {})
}

/// RFC 1939 §7: the digest is "calculated by applying the MD5 algorithm to a string consisting of the timestamp (including
/// angle-brackets) followed by a shared secret".
fn apop<S: Stream>(connection: &mut Connection<S>, login: &Login, timestamp: &[u8]) -> Result<(), Failure> {
    let digest = Md5::new().chain_update(timestamp).chain_update(login.password.reveal()).finalize();
    connection.ask(&Command::apop(&login.user, &hexadecimal(&digest))?, |_| {})
}

/// Which messages there are, with unique-ids and sizes as far as the server gives them.
pub(crate) fn list<S: Stream>(connection: &mut Connection<S>, report: &mut Report) -> Result<Listing, Failure> {
    let mut messages = BTreeMap::new();
    let mut unique_ids = UniqueIds::None;

    // Without a capability list the only way to know is to try.
    if connection.client().supports(Extension::Uidl) != Support::No {
        let mut odd_lines = 0_u64;
        let answer = connection.ask(&Command::Uidl(None), |event| match event {
            Event::UniqueId(row) => {
                let row = row.into_owned();
                messages.insert(row.number, Listed { number: row.number, octets: None, id: Some(row.id) });
            }
            Event::BadRow { line, .. } => {
                odd_lines += 1;
                report.note(&format!("a line of the unique-id listing makes no sense: {line}"));
            }
            _ => {}
        });
        match answer {
            Ok(()) => unique_ids = if odd_lines == 0 { UniqueIds::All } else { UniqueIds::Some },
            Err(Failure::Refused { .. }) => {}
            Err(failure) => return Err(failure),
        }
    }

    let answer = connection.ask(&Command::List(None), |event| match event {
        Event::Scan(row) => {
            let listed = messages.entry(row.number);
            listed.or_insert(Listed { number: row.number, octets: None, id: None }).octets = Some(row.octets);
        }
        Event::BadRow { line, .. } => report.problem(&format!("a line of the scan listing makes no sense: {line}")),
        _ => {}
    });
    match answer {
        // The unique-id listing names the messages too, and sizes are only for show.
        Err(Failure::Refused { .. }) if unique_ids != UniqueIds::None => {}
        answer => answer?,
    }
    let messages: Vec<_> = messages.into_values().collect();
    if unique_ids == UniqueIds::All && messages.iter().any(|message| message.id.is_none()) {
        unique_ids = UniqueIds::Some;
    }
    Ok(Listing { messages, unique_ids })
}

/// Ends the session, and says whether the messages marked as deleted are gone (RFC 1939 §6).
pub(crate) fn quit<S: Stream>(connection: &mut Connection<S>) -> (Committed, Result<(), Failure>) {
    let answer = connection.ask(&Command::Quit, |_| {});
    // What the machine says counts: an answer that came is an answer, whatever happened to the connection behind it.
    (connection.client().committed(), answer)
}

/// Lower case, as APOP wants it.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
