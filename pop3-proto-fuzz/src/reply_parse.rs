//! Target 2: a reader of responses agrees with the naive one, and what it writes again reads the same (P18, P20, P36).
//!
//! The plan: a letter for the response (`s`tatus line, `l`isting, `u`nique-ids, `c`apabilities, `m`essage, `g`reeting,
//! s`t`at, c`h`allenge, `L`IST n, `U`IDL n, L`a`NG tag, L`A`NG; any other octet is one of them too), an octet whose
//! lowest bit makes the reader tolerant, the octets.

use crate::finding::{ensure, same};
use crate::naive::reply::{LIMIT, Production, Reading, Row, Status, response};
use crate::naive::{Parsed, is_control};
use crate::plan::{Octets, octet, rest};
use crate::{Finding, Target, Verdict};
use arbitrary::{Arbitrary, Result, Unstructured};
use pop3_proto::grammar::{self, Fault, Grammar, Response};
use pop3_proto::{
    Capability, Client, Command, Config, Data, DropListing, Event, Finding as Listed, Misuse, Quirks, Reconciliation,
    ScanListing, StatusLine, TooManyUniqueIds, UniqueIdListing,
};
use std::sync::{Arc, LazyLock};

/// See [`Target`].
pub const TARGET: Target = Target {
    name: "reply_parse",
    check: |octets, ways| {
        let plan = plan(octets);
        check(&plan, &mut Ours)?;
        if ways.takes(0, 2) {
            round_trip(&plan)?;
        }
        if ways.takes(1, 2) {
            unique_ids(&plan)?;
        }
        Ok(())
    },
    show: |octets| format!("{:#?}", plan(octets)),
};

/// A reader of responses.
pub trait ReplyReader {
    /// The response at the front of the octets.
    fn read(&mut self, octets: &[u8], production: Production, tolerant: bool) -> Parsed<Reading>;
}

/// What is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Plan<'a> {
    /// Which response.
    pub production: Production,
    /// What the RFCs do not have but servers send may pass.
    pub tolerant: bool,
    /// What is read.
    pub octets: Octets<'a>,
}

/// The letters of the productions.
pub const LETTERS: &[u8; 12] = b"slucmgthLUaA";

impl<'a> Arbitrary<'a> for Plan<'a> {
    fn arbitrary(u: &mut Unstructured<'a>) -> Result<Self> {
        let letter = octet(u);
        let place = LETTERS.iter().position(|&known| known == letter).unwrap_or(usize::from(letter) % 12);
        Ok(Self { production: Production::ALL[place], tolerant: octet(u) & 1 != 0, octets: Octets(rest(u)) })
    }
}

fn plan(octets: &[u8]) -> Plan<'_> {
    Plan::arbitrary(&mut Unstructured::new(octets)).unwrap_or(Plan {
        production: Production::StatusLine,
        tolerant: false,
        octets: Octets(&[]),
    })
}

/// Holds a reader against the naive one.
///
/// # Errors
///
/// The finding.
pub fn check(plan: &Plan<'_>, reader: &mut impl ReplyReader) -> Verdict {
    let Plan { production, tolerant, octets: Octets(octets) } = *plan;
    let expected = response(octets, production, tolerant);
    let got = reader.read(octets, production, tolerant);
    if expected != got {
        return Err(Finding::differ(
            "P18, P20, P36: a response is what the grammar says",
            &format!("{plan:?}"),
            &expected,
            &got,
        ));
    }
    Ok(())
}

/// The reader of `pop3-proto`: its grammar, or where that has no production of its own, a [`Client`].
#[derive(Clone, Copy, Debug)]
pub struct Ours;

impl ReplyReader for Ours {
    fn read(&mut self, octets: &[u8], production: Production, tolerant: bool) -> Parsed<Reading> {
        // The functions of the module are the strict grammar.
        let with = grammar(tolerant);
        match production {
            Production::StatusLine => {
                let status = if tolerant { with.status_line(octets) } else { grammar::status_line(octets) };
                parsed(octets, status, |status| reading(&status, vec![], None))
            }
            Production::ScanListing => {
                let listing = if tolerant { with.scan_listing(octets) } else { grammar::scan_listing(octets) };
                parsed(octets, listing, |response| {
                    reading(&response.status, rows(response.content, |row| scan(&row)), None)
                })
            }
            Production::UniqueIdListing => {
                let listing =
                    if tolerant { with.unique_id_listing(octets) } else { grammar::unique_id_listing(octets) };
                parsed(octets, listing, |response| {
                    reading(&response.status, rows(response.content, |row| unique_id(&row)), None)
                })
            }
            Production::CapabilityList => {
                let list = if tolerant { with.capability_list(octets) } else { grammar::capability_list(octets) };
                parsed(octets, list, |response| {
                    reading(&response.status, rows(response.content, |row| capability(&row)), None)
                })
            }
            Production::Message => {
                let message = if tolerant { with.message(octets) } else { grammar::message(octets) };
                parsed(octets, message, |Response { status, content, .. }| {
                    let ok = status.status == pop3_proto::Status::Ok;
                    reading(&status, vec![], ok.then(|| content.into_owned()))
                })
            }
            _ => at_client(octets, production, tolerant),
        }
    }
}

fn grammar(tolerant: bool) -> Grammar {
    Grammar::new(if tolerant { Quirks::TOLERANT } else { Quirks::STRICT })
}

fn parsed<'i, T>(
    octets: &'i [u8],
    result: grammar::IResult<'i, T>,
    reading: impl FnOnce(T) -> Reading,
) -> Parsed<Reading> {
    match result {
        Ok((behind, value)) => Parsed::Taken(reading(value), octets.len() - behind.len()),
        Err(error) if error.is_incomplete() => Parsed::Incomplete,
        Err(error) => {
            assert!(!error.to_string().is_empty(), "a fault has words");
            Parsed::Refused
        }
    }
}

fn reading(line: &StatusLine<'_>, rows: Vec<Row>, message: Option<Vec<u8>>) -> Reading {
    let status = match line.status {
        pop3_proto::Status::Ok => Status::Ok,
        pop3_proto::Status::Err => Status::Err,
    };
    let code = line.code.as_ref().map(|code| code.as_bytes().to_vec());
    Reading { status, code, text: line.text.as_bytes().to_vec(), rows, message }
}

fn rows<T>(content: Vec<std::result::Result<T, Fault>>, row: impl Fn(T) -> Row) -> Vec<Row> {
    let bad = |fault: Fault| {
        assert!(!fault.to_string().is_empty(), "a fault has words");
        Row::Bad
    };
    content.into_iter().map(|value| value.map_or_else(bad, &row)).collect()
}

fn scan(row: &ScanListing) -> Row {
    Row::Scan(row.number.get(), row.octets)
}

fn unique_id(row: &UniqueIdListing<'_>) -> Row {
    Row::UniqueId(row.number.get(), row.id.as_bytes().to_vec())
}

/// As the row is written in a list.
fn capability(row: &Capability<'_>) -> Row {
    let status = StatusLine { status: pop3_proto::Status::Ok, code: None, text: "".into() };
    let mut list = Vec::with_capacity(64);
    grammar::encode_capability_list(&status, std::slice::from_ref(row), &mut list);
    let whole = list.starts_with(b"+OK\r\n") && list.ends_with(b"\r\n.\r\n");
    let front = b"+OK\r\n".len() + usize::from(list.get(5) == Some(&b'.'));
    list.truncate(if whole { list.len() - 5 } else { front });
    list.drain(..front);
    Row::Capability(list)
}

/// The row of a listing as an event has it; `None` for an event that is no row.
pub(crate) fn event_row(event: &Event<'_>) -> Option<Row> {
    Some(match event {
        Event::Scan(row) => scan(row),
        Event::UniqueId(row) => unique_id(row),
        Event::Capability(row) => capability(row),
        Event::Language(row) => Row::Language(row.tag.as_bytes().to_vec(), row.description.as_bytes().to_vec()),
        Event::BadRow { .. } => Row::Bad,
        _ => return None,
    })
}

/// What a `+OK` carries.
pub(crate) fn carried(data: &Data<'_>) -> Option<Row> {
    Some(match data {
        Data::Drop(DropListing { messages, octets }) => Row::Drop(*messages, *octets),
        Data::Scan(row) => scan(row),
        Data::UniqueId(row) => unique_id(row),
        Data::Language(tag) => Row::Tag(tag.as_bytes().to_vec()),
        Data::Malformed(_) => Row::Bad,
        _ => return None,
    })
}

fn config(tolerant: bool) -> Arc<Config> {
    static CONFIGS: LazyLock<[Arc<Config>; 2]> = LazyLock::new(|| {
        let config = Config::new().allow_cleartext_login();
        [Arc::new(config.clone().strict()), Arc::new(config)]
    });
    Arc::clone(&CONFIGS[usize::from(tolerant)])
}

/// A client that waits for the answer.
fn waiting(production: Production, tolerant: bool) -> std::result::Result<Client, Misuse> {
    let (mut client, mut out) = (Client::with_config(config(tolerant)), vec![]);
    let hear = |client: &mut Client| {
        let heard = client.next_event(&mut &b"+OK\r\n"[..]);
        assert!(heard.is_ok(), "the way to the answer is well known: {heard:?}");
    };
    if production == Production::Greeting {
        return Ok(client);
    }
    hear(&mut client);
    let asked = match production {
        Production::Challenge => Command::auth("PLAIN")?,
        Production::Language => Command::lang("en")?,
        Production::LanguageListing => Command::Lang(None),
        _ => {
            for command in [Command::user("u")?, Command::pass("p")?] {
                client.send(&command, &mut out)?;
                hear(&mut client);
            }
            match production {
                Production::OneScanListing => Command::list(1)?,
                Production::OneUniqueIdListing => Command::uidl(1)?,
                _ => Command::Stat,
            }
        }
    };
    client.send(&asked, &mut out)?;
    Ok(client)
}

fn at_client(octets: &[u8], production: Production, tolerant: bool) -> Parsed<Reading> {
    let mut client = match waiting(production, tolerant) {
        Ok(client) => client,
        Err(misuse) => panic!("the way to the answer is well known: {misuse}"),
    };
    let mut input = octets;
    let mut found: Option<Reading> = None;
    loop {
        let event = match client.next_event(&mut input) {
            Ok(Some(event)) => event,
            Ok(None) => return Parsed::Incomplete,
            Err(_) => return Parsed::Refused,
        };
        let took = octets.len() - input.len();
        let line = |status, code: &Option<pop3_proto::ResponseCode<'_>>, text: &pop3_proto::Text<'_>| Reading {
            status,
            code: code.as_ref().map(|code| code.as_bytes().to_vec()),
            text: text.as_bytes().to_vec(),
            rows: vec![],
            message: None,
        };
        match &event {
            Event::Greeting { text, timestamp } => {
                let mut reading = line(Status::Ok, &None, text);
                reading.rows.extend(timestamp.as_ref().map(|found| Row::Timestamp(found.as_bytes().to_vec())));
                return Parsed::Taken(reading, took);
            }
            Event::Ok { code, text, data, .. } => {
                let mut reading = line(Status::Ok, code, text);
                reading.rows.extend(carried(data));
                if !production.has_rows() {
                    return Parsed::Taken(reading, took);
                }
                found = Some(reading);
            }
            Event::Err { code, text, .. } => return Parsed::Taken(line(Status::Err, code, text), took),
            Event::Challenge(challenge) => {
                return Parsed::Taken(line(Status::Challenge, &None, challenge.line()), took);
            }
            Event::End { .. } => return found.map_or(Parsed::Refused, |reading| Parsed::Taken(reading, took)),
            other => match (&mut found, event_row(other)) {
                (Some(reading), Some(row)) => reading.rows.push(row),
                _ => panic!("P35: {other:?} answers {production:?}"),
            },
        }
    }
}

/// What is parsed and written again parses to the same value.
fn round_trip(plan: &Plan<'_>) -> Verdict {
    let Plan { production, tolerant, octets: Octets(octets) } = *plan;
    let (grammar, limit) = (grammar(tolerant), LIMIT[usize::from(tolerant)]);
    let mut out = vec![];
    match production {
        Production::StatusLine => {
            if let Ok((_, status)) = grammar.status_line(octets) {
                status.encode(&mut out);
                let lines = out.iter().filter(|octet| matches!(octet, b'\r' | b'\n' | 0)).count();
                ensure!(lines == 2 && out.ends_with(b"\r\n"), "P11", "a status line is written as {:?}", Octets(&out));
                if out.len() <= limit {
                    compare(&status, &status, grammar.status_line(&out), &out)?;
                }
            }
        }
        Production::ScanListing => {
            if let Ok((_, response)) = grammar.scan_listing(octets) {
                if let Some(rows) = whole(&response) {
                    grammar::encode_scan_listing(&response.status, &rows, &mut out);
                    if fits(&out, limit) {
                        compare(&response.status, &response, grammar.scan_listing(&out), &out)?;
                    }
                }
            }
        }
        Production::UniqueIdListing => {
            if let Ok((_, response)) = grammar.unique_id_listing(octets) {
                if let Some(rows) = whole(&response) {
                    grammar::encode_unique_id_listing(&response.status, &rows, &mut out);
                    if fits(&out, limit) {
                        compare(&response.status, &response, grammar.unique_id_listing(&out), &out)?;
                    }
                }
            }
        }
        Production::CapabilityList => {
            if let Ok((_, response)) = grammar.capability_list(octets) {
                if let Some(rows) = whole(&response) {
                    grammar::encode_capability_list(&response.status, &rows, &mut out);
                    if fits(&out, limit) {
                        compare(&response.status, &response, grammar.capability_list(&out), &out)?;
                    }
                }
            }
        }
        Production::Message => {
            if let Ok((_, response)) = grammar.message(octets) {
                if response.status.status == pop3_proto::Status::Ok {
                    grammar::encode_message(&response.status, &response.content, &mut out);
                    let canonical =
                        crate::naive::dot::canonical(&response.content, crate::naive::dot::Policy::Canonical);
                    if fits(&out[..out.iter().position(|&octet| octet == b'\n').unwrap_or(0)], limit) {
                        let again = grammar.message(&out).map(|(_, again)| again.content.into_owned());
                        same!(canonical, again.ok(), "P17", "a message that is written again");
                    }
                }
            }
        }
        _ => {}
    }
    Ok(())
}

fn compare<T: std::fmt::Debug + PartialEq>(
    status: &StatusLine<'_>,
    value: &T,
    again: grammar::IResult<'_, T>,
    out: &[u8],
) -> Verdict {
    let promise = "parse, encode, parse is identity";
    // What would not stay on its line is not written as it came.
    if status.text.as_bytes().iter().any(|&octet| is_control(octet)) {
        return Ok(());
    }
    match again {
        Ok((behind, again)) => {
            ensure!(behind.is_empty(), promise, "{} octets are left of {:?}", behind.len(), Octets(out));
            same!(*value, again, promise, format!("written again as {:?}", Octets(out)));
            Ok(())
        }
        Err(error) => Err(Finding { promise, what: format!("{value:?} is written as {:?}: {error:?}", Octets(out)) }),
    }
}

/// The rows, if each makes sense and the answer is `+OK`.
fn whole<T: Clone>(response: &Response<'_, Vec<std::result::Result<T, Fault>>>) -> Option<Vec<T>> {
    let ok = response.status.status == pop3_proto::Status::Ok;
    if ok { response.content.iter().cloned().map(std::result::Result::ok).collect() } else { None }
}

/// A line that is written again may be a little longer than it came: a space behind a response code, a dot.
fn fits(octets: &[u8], limit: usize) -> bool {
    octets.split(|&octet| octet == b'\n').all(|line| line.len() < limit)
}

/// What a client does with the rows of a listing of unique-ids.
fn unique_ids(plan: &Plan<'_>) -> Verdict {
    if plan.production != Production::UniqueIdListing {
        return Ok(());
    }
    let Ok((_, response)) = grammar(true).unique_id_listing(plan.octets.0) else { return Ok(()) };
    let rows: Vec<UniqueIdListing<'_>> = response.content.into_iter().flatten().collect();
    reconciled(&rows)?;
    file_names(&rows)
}

/// What is new, known, listed twice, listed although it was deleted, and gone. The client remembers what begins with an even
/// octet, and has deleted what begins with one that is a multiple of three.
fn reconciled(rows: &[UniqueIdListing<'_>]) -> Verdict {
    const GONE: &[u8] = b"gone!";
    let promise = "a client that leaves mail on the server takes each message once";
    let first = |id: &[u8]| id.first().copied().unwrap_or(0);
    let octets = rows.iter().map(|row| row.id.as_bytes().len()).sum::<usize>() + GONE.len();
    let mut mail = Reconciliation::new(octets);
    let refused = |error: TooManyUniqueIds| Finding { promise, what: format!("{error}, and there are {octets}") };
    mail.remember(GONE).map_err(refused)?;
    for row in rows {
        match first(row.id.as_bytes()) {
            octet if octet % 3 == 0 => mail.remember_deleted(row.id.as_bytes()).map_err(refused)?,
            octet if octet % 2 == 0 => mail.remember(row.id.as_bytes()).map_err(refused)?,
            _ => {}
        }
    }
    for (at, row) in rows.iter().enumerate() {
        let expected = match rows[..at].iter().find(|before| before.id == row.id) {
            Some(before) => Listed::Duplicate { of: before.number },
            None if first(row.id.as_bytes()) % 3 == 0 => Listed::Reused,
            None if first(row.id.as_bytes()) % 2 == 0 || row.id.as_bytes() == GONE => Listed::Known,
            None => Listed::New,
        };
        same!(expected, mail.listed(row).map_err(refused)?, promise, format!("what {row:?} is"));
    }
    let gone: Vec<&[u8]> = if rows.iter().any(|row| row.id.as_bytes() == GONE) { vec![] } else { vec![GONE] };
    same!(gone, mail.gone().collect::<Vec<_>>(), promise, "what is gone");
    let distinct =
        rows.iter().enumerate().filter(|(at, row)| rows[..*at].iter().all(|before| before.id != row.id)).count();
    same!(distinct, mail.there().count(), promise, "how many are there");
    let fits = Reconciliation::new(GONE.len() - 1).remember(GONE);
    same!(Err(TooManyUniqueIds { limit: GONE.len() - 1 }), fits, "P22", "whether there is room for an octet too many");
    Ok(())
}

/// The file name of a unique-id is safe, and no other unique-id has it: it can be read back (P21).
fn file_names(rows: &[UniqueIdListing<'_>]) -> Verdict {
    for row in rows {
        let id = row.id.as_bytes();
        let Some(name) = row.id.file_name() else {
            ensure!(id.is_empty() || id.len() > 70, "P21", "{:?} has no file name", Octets(id));
            continue;
        };
        let sound = |octet: u8| octet.is_ascii_lowercase() || octet.is_ascii_digit() || b"-_%".contains(&octet);
        ensure!(id.len() <= 70 && name.len() <= 255, "P21", "{} octets for {:?}", name.len(), Octets(id));
        ensure!(name.bytes().all(sound), "P21", "{name:?} for {:?}", Octets(id));
        let mut back = vec![];
        let mut left = name.strip_prefix("uid-").unwrap_or_default();
        while let Some(octet) = left.bytes().next() {
            let escaped = left.strip_prefix('%').and_then(|rest| u8::from_str_radix(rest.get(..2)?, 16).ok());
            back.push(escaped.unwrap_or(octet));
            left = left.get(if escaped.is_some() { 3 } else { 1 }..).unwrap_or_default();
        }
        same!(Octets(id), Octets(&back), "P21", format!("the unique-id of {name:?}"));
    }
    Ok(())
}
