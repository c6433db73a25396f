//! The self-check: every embedded transcript, on both machines of `pop3-proto`.

use crate::embedded;
use crate::replay::{self, Effort, Failure, Replayed, Side, What};
use crate::session::Session;
use crate::transcript::{ParseError, Transcript};

/// What became of a transcript on one side.
///
/// ```
/// use pop3_conformance::replay::{Effort, Side};
/// use pop3_conformance::self_check;
///
/// for transcript in self_check::selected("rfc1939-05-list")? {
///     let entry = self_check::check(&transcript, Side::Client, Effort::LITTLE)?;
///     println!("{} on our {}: {:?}", entry.name, entry.side, entry.outcome);
/// #     assert!(matches!(entry.outcome, self_check::Outcome::Passed { .. }));
/// }
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The transcript's name.
    pub name: String,
    /// Who was under test.
    pub side: Side,
    /// How it went.
    pub outcome: Outcome,
}

/// How a replay went.
///
/// ```
/// use pop3_conformance::replay::{Effort, Side};
/// use pop3_conformance::self_check::{self, Outcome};
///
/// // The RFC prints a second STLS. A client that is right never sends it.
/// let again = &self_check::selected("rfc2595-04-stls-again")?[0];
/// let Outcome::Skipped(why) = self_check::check(again, Side::Client, Effort::LITTLE)?.outcome else { panic!() };
/// assert!(why.contains("RFC 2595 section 4"));
/// let Outcome::Passed { replayed, notes } = self_check::check(again, Side::Server, Effort::LITTLE)?.outcome else { panic!() };
/// assert!(replayed.chunkings >= 3 && notes[0].contains("own words"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// No difference.
    Passed {
        /// What was replayed.
        replayed: Replayed,
        /// What there is to say about it.
        notes: Vec<String>,
    },
    /// A difference.
    Failed(Box<Failure>),
    /// It cannot be replayed, and this is why.
    Skipped(String),
    /// No difference, and yet something that should not have been.
    Unexpected(String),
}

/// What a machine is known not to do, because it must not. Whatever else it does not do is a failure.
const NOT_DONE: &[(&str, Side, &str)] =
    &[("rfc2595-04-stls-again", Side::Client, "the client does not send STLS when TLS is on (RFC 2595 section 4)")];

/// Where the server answers by itself, before its application is asked, and so in its own words. Anywhere else it must
/// not.
const OWN_WORDS: &[&str] = &["rfc1734-02-unknown-mechanism", "rfc2595-04-stls-again"];

/// The embedded transcripts whose names begin with `prefix`, in order.
///
/// # Errors
///
/// [`ParseError`], see [`embedded::transcripts`].
pub fn selected(prefix: &str) -> Result<Vec<Transcript>, ParseError> {
    let mut transcripts = embedded::transcripts()?;
    transcripts.retain(|transcript| transcript.name.starts_with(prefix));
    Ok(transcripts)
}

/// Replays a transcript on one side, from each state that it may begin in.
///
/// # Errors
///
/// [`ParseError`] for a dialogue that makes no session.
pub fn check(transcript: &Transcript, side: Side, effort: Effort) -> Result<Entry, ParseError> {
    let mut replayed = Replayed::default();
    let mut notes = Vec::new();
    let not_done = NOT_DONE.iter().find(|(name, of, _)| *name == transcript.name && *of == side);
    let entry = |outcome| Ok(Entry { name: transcript.name.clone(), side, outcome });
    for session in Session::all(transcript)? {
        let result = match side {
            Side::Server => replay::our_server(&session, effort),
            Side::Client => replay::our_client(&session, effort),
        };
        match (result, not_done) {
            (Ok(_), Some((_, _, why))) => {
                return entry(Outcome::Unexpected(format!("it was replayed, but {why}")));
            }
            (Err(failure), Some((_, _, why))) if matches!(failure.what, What::Refused(_)) => {
                return entry(Outcome::Skipped((*why).to_owned()));
            }
            (Err(failure), _) => return entry(Outcome::Failed(failure)),
            (Ok(done), None) => replayed.add(&done),
        }
        notes.extend(session.notes);
    }
    if replayed.own_words > 0 {
        if !OWN_WORDS.contains(&transcript.name.as_str()) {
            return entry(Outcome::Unexpected("the server refused a command by itself".to_owned()));
        }
        notes.push("the server's own words: status indicator compared (RFC 1939 section 9)".to_owned());
    }
    if replayed.thinned {
        notes.push("not every two-point split".to_owned());
    }
    entry(Outcome::Passed { replayed, notes })
}
