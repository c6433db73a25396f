//! The session in protocol order, but for the messages: login, capabilities, listings, QUIT.

use crate::connection::{Connection, Failure, what_it_means};
use crate::credentials::{Login, Way, Words};
use crate::known::Known;
use crate::report::Report;
use crate::tls::Tls;
use pop3_proto::{
    Capability, Command, Committed, Event, Extension, Finding, MessageNumber, Method, Next, Plan, Support, Text,
    Timestamp, TooManyUniqueIds, UniqueId, Why,
};
use std::collections::BTreeMap;

/// A message as the listings show it.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) number: MessageNumber,
    /// What LIST says; for the progress bar only.
    pub(crate) octets: Option<u64>,
    pub(crate) id: Option<UniqueId<'static>>,
    /// The state file lists its unique-id.
    pub(crate) known: bool,
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

/// From the greeting to the TRANSACTION state.
///
/// The machine sees to it that nothing secret leaves before TLS where the policy wants TLS, and the plan says what comes
/// next: STLS, CAPA, and the best way to log in that we allow and the server has.
pub(crate) fn log_in(connection: &mut Connection, login: &Login, mut tls: Option<Tls>) -> Result<(), String> {
    let words = |failure: Failure| failure.to_string();
    let mut timestamp = connection.greeting().map_err(words)?;
    let mut plan = login.plan().map_err(|misuse| misuse.to_string())?;
    let mut seen = Seen::default();
    let done = loop {
        match plan.next(connection.client()) {
            Next::Capa => seen.mechanisms = capabilities(connection, &mut plan).map_err(words)?,
            Next::Stls => match (connection.ask(&Command::Stls, |_| {}), tls.take()) {
                (Ok(()), Some(tls)) => {
                    connection.begin_tls(tls).map_err(words)?;
                    timestamp = None;
                }
                (Err(failure @ Failure::Refused { .. }), _) => {
                    seen.refusals.push(failure.to_string());
                }
                (Ok(()), None) => return Err("STLS comes only once".to_owned()),
                (Err(failure), _) => return Err(failure.to_string()),
            },
            Next::Login(method) => match attempt(connection, login, method, timestamp.as_ref(), &mut seen) {
                Ok(()) => break Ok(()),
                Err(Failure::Refused { code, .. }) => plan.failed(method, code.as_ref()),
                Err(Failure::Ours(misuse)) => break Err(misuse.to_string()),
                Err(failure) => return Err(failure.to_string()),
            },
            Next::GiveUp(why) => break Err(seen.in_words(why, login)),
            _ => break Err("the plan for the login asks for what this program does not know".to_owned()),
        }
    };
    if done.is_err() {
        // Whatever the answer is, the reason is known.
        let _ = connection.ask(&Command::Quit, |_| {});
    }
    done?;
    // RFC 2449 §5: "Capabilities available in the AUTHORIZATION state MUST be announced in both states", but others may
    // come with the login, and so the machine has forgotten what it knew, PIPELINING too.
    capabilities(connection, &mut plan).map(|_| ()).map_err(words)
}

/// What is worth telling when nothing is left to try.
#[derive(Default)]
struct Seen {
    /// What the server announced last.
    mechanisms: String,
    refusals: Vec<String>,
}

impl Seen {
    fn in_words(&self, why: Why, login: &Login) -> String {
        let mut refusals = self.refusals.join("; ");
        match why {
            Why::NoTls => {
                if refusals.is_empty() {
                    "the server has no STLS".clone_into(&mut refusals);
                }
                let ways =
                    "--tls is for servers that speak TLS from the first octet; --allow-cleartext logs in without it";
                format!("{refusals}, and without TLS nothing secret is sent ({ways})")
            }
            Why::NothingInCommon => {
                let ways: Vec<_> = login.ways.iter().map(Way::to_string).collect();
                let announced = match self.mechanisms.as_str() {
                    "" => "no mechanism for AUTH".to_owned(),
                    mechanisms => format!("AUTH with {mechanisms}"),
                };
                let timestamp = match login.ways.contains(&Way::Apop) {
                    true => " (APOP needs a timestamp in the greeting, and one from before STLS does not count)",
                    false => "",
                };
                format!(
                    "the server has no login that is allowed here: {}; it announces {announced}{timestamp}",
                    ways.join(", ")
                )
            }
            // What the code of the refusal means was said with it, and where it has none, nobody knows more.
            _ => refusals,
        }
    }
}

fn attempt(
    connection: &mut Connection,
    login: &Login,
    method: Method,
    timestamp: Option<&Timestamp<'_>>,
    seen: &mut Seen,
) -> Result<(), Failure> {
    let Some((way, Ok(words))) = login.way(method).map(|way| (way, login.words(way))) else {
        return Err(pop3_proto::Misuse::Empty.into());
    };
    let mut token = String::new();
    let done = match words {
        Words::UserPass(user, pass) => connection.ask(&user, |_| {}).and_then(|()| connection.ask(&pass, |_| {})),
        Words::Apop => {
            let digest = timestamp.map(|timestamp| login.apop_digest(timestamp)).unwrap_or_default();
            connection.ask(&Command::apop(&login.user, &digest)?, |_| {})
        }
        Words::Auth(mut exchange) => {
            let done = connection.authenticate(&mut exchange);
            // RFC 7628 §3.2.2: what is wrong with a token stands in a challenge.
            if !exchange.failure().is_empty() {
                token = format!("; of the token it says: {}", exchange.failure());
            }
            done
        }
    };
    if let Err(Failure::Refused { to, code, text }) = &done {
        let what = match way {
            Way::Userpass => to.to_string(),
            way => way.to_string(),
        };
        let meaning = what_it_means(code.as_ref());
        seen.refusals.push(format!("the server refuses {what}; it says: {text}{token}{meaning}"));
    }
    done
}

/// Asks for the capabilities, tells them to the plan, and gives the mechanisms. A server without CAPA is one without
/// extensions (RFC 2449 §5).
fn capabilities(connection: &mut Connection, plan: &mut Plan) -> Result<String, Failure> {
    let mut mechanisms = Vec::new();
    let answer = connection.ask(&Command::Capa, |event| {
        if let Event::Capability(capability) = event {
            plan.capability(&capability);
            if let Capability::Sasl(announced) = capability {
                mechanisms.extend(announced.iter().map(|name| Text::from(name).to_string()));
            }
        }
    });
    match answer {
        Err(Failure::Refused { .. }) => {}
        answer => answer?,
    }
    Ok(mechanisms.join(" "))
}

/// Which messages there are, with unique-ids and sizes as far as the server gives them.
///
/// Each unique-id is held against those of the state file as it comes.
pub(crate) fn list(
    connection: &mut Connection,
    report: &mut Report,
    mut known: Option<&mut Known>,
) -> Result<Listing, String> {
    let mut messages = BTreeMap::new();
    let mut unique_ids = UniqueIds::None;
    let mut too_many: Option<TooManyUniqueIds> = None;

    // Without a capability list the only way to know is to try.
    if connection.client().supports(Extension::Uidl) != Support::No {
        let mut odd_lines = 0_u64;
        let answer = connection.ask(&Command::Uidl(None), |event| match event {
            Event::UniqueId(row) => {
                let known = match known.as_deref_mut().map(|known| known.listed(&row)) {
                    Some(Ok(Finding::Known)) => true,
                    // Copies of one message may have one unique-id (RFC 1939 §7), and are known or not together.
                    Some(Ok(Finding::Duplicate { of })) => messages.get(&of).is_some_and(|first: &Listed| first.known),
                    Some(Ok(_)) | None => false,
                    Some(Err(more)) => {
                        too_many = Some(more);
                        false
                    }
                };
                let row = row.into_owned();
                messages.insert(row.number, Listed { number: row.number, octets: None, id: Some(row.id), known });
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
            Err(failure) => return Err(failure.to_string()),
        }
    }
    if let Some(too_many) = too_many {
        return Err(too_many.to_string());
    }

    let answer = connection.ask(&Command::List(None), |event| match event {
        Event::Scan(row) => {
            let listed = messages.entry(row.number);
            let fresh = Listed { number: row.number, octets: None, id: None, known: false };
            listed.or_insert(fresh).octets = Some(row.octets);
        }
        Event::BadRow { line, .. } => report.problem(&format!("a line of the scan listing makes no sense: {line}")),
        _ => {}
    });
    match answer {
        // The unique-id listing names the messages too, and sizes are only for show.
        Err(Failure::Refused { .. }) if unique_ids != UniqueIds::None => {}
        answer => answer.map_err(|failure| failure.to_string())?,
    }
    let messages: Vec<_> = messages.into_values().collect();
    if unique_ids == UniqueIds::All && messages.iter().any(|message| message.id.is_none()) {
        unique_ids = UniqueIds::Some;
    }
    Ok(Listing { messages, unique_ids })
}

/// Ends the session, and says whether the messages marked as deleted are gone (RFC 1939 §6).
pub(crate) fn quit(connection: &mut Connection) -> (Committed, Result<(), Failure>) {
    let answer = connection.ask(&Command::Quit, |_| {});
    // What the machine says counts: an answer that came is an answer, whatever happened to the connection behind it.
    (connection.client().committed(), answer)
}

/// Lower case, as APOP wants it.
pub(crate) fn hexadecimal(octets: &[u8]) -> String {
    octets.iter().map(|octet| format!("{octet:02x}")).collect()
}
