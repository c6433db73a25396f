//! Runs cases, and says what became of each.

use crate::case::{ClientCase, Dialogue, Judged, Level, Mailbox, Play, Role, ServerCase, Stop, Talk, Who, skip};
use crate::peer::{ClientPeer, ServerPeer};
use std::time::{Duration, Instant};

/// What became of a case.
///
/// ```
/// use pop3_conformance::run::{Difference, Outcome};
///
/// let difference = Difference { expected: "-ERR".into(), got: "+OK".into(), sent: "RETR 12\\r\\n".into() };
/// let outcome = Outcome::Fail(difference);
/// assert_eq!(outcome.word(), "FAIL");
/// assert_eq!(outcome.difference().map(|difference| difference.got.as_str()), Some("+OK"));
/// assert_eq!(Outcome::Skipped("the server does not announce UIDL".into()).difference(), None);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// As the RFC says.
    Pass,
    /// As the RFC says, with something to report.
    Note(String),
    /// Not as the RFC says.
    Fail(Difference),
    /// Not as the RFC recommends.
    Warn(Difference),
    /// Not run, and why.
    Skipped(String),
}

/// What was expected and what came.
///
/// ```
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("rfc1939/5/"), &Ours::in_memory()[..1], 1, &|| {});
/// for result in &results {
///     if let Some(difference) = result.outcome.difference() {
///         println!("{}: {} sent, {} expected, {} came", result.id, difference.sent, difference.expected, difference.got);
///     }
/// }
/// # assert!(results.iter().all(|result| result.outcome.difference().is_none()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// What was expected.
    pub expected: String,
    /// What came.
    pub got: String,
    /// What the runner sent last, visible.
    pub sent: String,
}

impl Outcome {
    /// `pass`, `note`, `FAIL`, `warn` or `skip`.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Note(_) => "note",
            Self::Fail(_) => "FAIL",
            Self::Warn(_) => "warn",
            Self::Skipped(_) => "skip",
        }
    }

    /// What was different, if anything was.
    #[must_use]
    pub const fn difference(&self) -> Option<&Difference> {
        match self {
            Self::Fail(difference) | Self::Warn(difference) => Some(difference),
            _ => None,
        }
    }
}

/// A case that was run.
///
/// ```
/// use pop3_conformance::suite::{self, Case, Ours};
///
/// let results = suite::run(&Case::selected("rfc1939/5/stat"), &Ours::in_memory()[..1], 1, &|| {});
/// let result = &results[0];
/// assert!(result.id.starts_with("rfc1939/5/stat") && !result.fails(true));
/// assert!(result.dialogue.lines().iter().any(|line| line.starts_with("S: +OK ")));
/// println!("{} ({}): {} in {:?}", result.title, result.peer, result.outcome.word(), result.took);
/// ```
#[derive(Clone, Debug)]
pub struct Result {
    /// The case's id.
    pub id: &'static str,
    /// Its sentence.
    pub title: &'static str,
    /// The requirements that it covers.
    pub requirements: &'static [&'static str],
    /// Its weight.
    pub level: Level,
    /// Who was checked.
    pub role: Role,
    /// Which server or client that was.
    pub peer: String,
    /// What became of it.
    pub outcome: Outcome,
    /// The reason why it is known to fail, from the expectations.
    pub expected: Option<String>,
    /// All that was said.
    pub dialogue: Dialogue,
    /// How long it took.
    pub took: Duration,
}

/// Runs a case on a server. Where somebody else's server has not noticed yet that the session before has ended, and
/// answers a login with `[IN-USE]`, it is tried again.
#[must_use]
pub fn server(case: &ServerCase, peer: &dyn ServerPeer) -> Result {
    let mut result = server_once(case, peer);
    let in_use = |result: &Result| {
        let got = result.outcome.difference().map(|difference| difference.got.as_str());
        got.is_some_and(|got| got.starts_with("-ERR [IN-USE]"))
    };
    for pause in [300, 1500] {
        if peer.is_ours() || peer.patience().is_zero() || !in_use(&result) {
            break;
        }
        std::thread::sleep(Duration::from_millis(pause));
        result = server_once(case, peer);
    }
    result
}

fn server_once(case: &ServerCase, peer: &dyn ServerPeer) -> Result {
    let began = Instant::now();
    let (judged, dialogue, notes) = match hindrance(case, peer) {
        Some(why) => (Err(Stop::Skip(why)), Dialogue::default(), Vec::new()),
        None => match peer.site(case) {
            Err(why) => (Err(Stop::Skip(why)), Dialogue::default(), Vec::new()),
            Ok(site) => {
                let mut talk = Talk::new(peer, site);
                let mut judged =
                    missing(case, &talk).and_then(|()| talk.begin(case.start)).and_then(|()| (case.script)(&mut talk));
                if matches!(judged, Err(Stop::Fail { .. })) && !peer.is_ours() {
                    talk.is_closed();
                    judged = forgive(judged, &talk.dialogue());
                }
                let secrets = talk.secrets();
                let (mut dialogue, mut notes) = talk.into_parts();
                let masked = |text: &mut String| {
                    for secret in &secrets {
                        *text = text.replace(secret.as_str(), "<secret>");
                    }
                };
                if !secrets.is_empty() {
                    dialogue.mask(&secrets);
                    notes.iter_mut().for_each(masked);
                    match &mut judged {
                        Err(Stop::Fail { expected, got }) => {
                            masked(expected);
                            masked(got);
                        }
                        Err(Stop::Skip(why)) => masked(why),
                        Ok(()) => {}
                    }
                }
                (judged, dialogue, notes)
            }
        },
    };
    Result {
        id: case.id,
        title: case.title,
        requirements: case.requirements,
        level: case.level,
        role: Role::Server,
        peer: peer.name(),
        outcome: outcome(case.level, judged, notes, &dialogue, Who::Client),
        expected: None,
        dialogue,
        took: began.elapsed(),
    }
}

/// Runs a case on a client.
#[must_use]
pub fn client(case: &ClientCase, peer: &dyn ClientPeer) -> Result {
    let began = Instant::now();
    let in_memory = peer.name().starts_with("memory");
    let mut level = case.level;
    let (judged, dialogue, notes) = if !case.memory_only.is_empty() && !in_memory {
        (Err(Stop::Skip(format!("it runs in memory alone: {}", case.memory_only))), Dialogue::default(), Vec::new())
    } else {
        match peer.start(case) {
            Err(why) => (Err(Stop::Skip(why)), Dialogue::default(), Vec::new()),
            Ok(started) => {
                let mut play = Play::new(peer, case, started);
                let judged = (case.script)(&mut play);
                if matches!(judged, Err(Stop::Fail { .. })) {
                    level = play.level();
                }
                let (dialogue, notes) = play.into_parts();
                (judged, dialogue, notes)
            }
        }
    };
    Result {
        id: case.id,
        title: case.title,
        requirements: case.requirements,
        level,
        role: Role::Client,
        peer: peer.name(),
        outcome: outcome(level, judged, notes, &dialogue, Who::Server),
        expected: None,
        dialogue,
        took: began.elapsed(),
    }
}

/// No RFC foresees that a server closes the connection after some refused commands, and all of them do.
fn forgive(judged: Judged, dialogue: &Dialogue) -> Judged {
    match dialogue.refused_and_closed() {
        0..3 => judged,
        refused => skip(format!("the server closed the connection after {refused} refused commands")),
    }
}

fn hindrance(case: &ServerCase, peer: &dyn ServerPeer) -> Option<String> {
    if !case.memory_only.is_empty() && !peer.name().starts_with("memory") {
        return Some(format!("it runs in memory alone: {}", case.memory_only));
    }
    if case.certificate && !peer.is_ours() {
        let why = "it needs a certificate that stands for the user: --client-cert and --client-key";
        return (!peer.has_certificate()).then(|| why.to_owned());
    }
    if case.house.is_some() && !peer.is_ours() {
        return Some("it needs a server that is set up for it".to_owned());
    }
    None
}

fn missing(case: &ServerCase, talk: &Talk<'_>) -> std::result::Result<(), Stop> {
    match case.mailbox {
        Mailbox::With(mail) if case.house.is_none() => mail.iter().try_for_each(|mail| talk.number(*mail).map(drop)),
        _ => Ok(()),
    }
}

fn outcome(
    level: Level,
    judged: std::result::Result<(), Stop>,
    notes: Vec<String>,
    dialogue: &Dialogue,
    runner: Who,
) -> Outcome {
    match judged {
        Ok(()) if notes.is_empty() => Outcome::Pass,
        Ok(()) => Outcome::Note(notes.join("; ")),
        Err(Stop::Skip(why)) => Outcome::Skipped(why),
        Err(Stop::Fail { expected, got }) => {
            let last = dialogue.last(runner);
            let sent = crate::octets::escape(&last[..last.len().min(300)]);
            match level {
                Level::Must => Outcome::Fail(Difference { expected, got, sent }),
                Level::Should => Outcome::Warn(Difference { expected, got, sent }),
                Level::Quirk => Outcome::Note(format!("expected {expected}, got {got}")),
            }
        }
    }
}
