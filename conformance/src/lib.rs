//! Checks POP3 servers and clients against RFC 1939 and its extensions.
//!
//! **Cases** are dialogues beside the sections of the RFCs. They run on our own machines in memory, on the same over
//! sockets and TLS, on any live server, and, the other way round, on any live client.
//!
//! * [`catalogue`]: what the RFCs demand, sentence by sentence
//! * [`case`]: what a case is, and what it can say; [`server_cases`] and [`client_cases`] are the lists
//! * [`peer`]: who is checked; your own server in process is an [`InProcess`](peer::in_process::InProcess), with an example
//! * [`run`] and [`suite`]: running cases; [`output`]: the reports; [`expectations`]: known deviations
//! * [`mailbox`]: the messages that cases want, [`mailbox_files`]: the same as files
//!
//! ```
//! use pop3_conformance::output::Run;
//! use pop3_conformance::suite::{self, Case, Ours};
//!
//! let results = suite::run(&Case::selected("rfc1939/5/stat"), &Ours::in_memory(), 1, &|| {});
//! let run = Run { subject: "pop3-proto", command: "pop3-conformance", strict: true, results: &results };
//! assert!(run.totals().conforms());
//! ```
//!
//! **Transcripts** are the exchanges that the RFCs print, replayed on a server or a client in process: every octet is
//! compared, and the octets come in whole turns, line by line, octet by octet, and cut at every pair of places.
//!
//! * [`transcript`]: the file format, for exchanges of your own
//! * [`session`]: a transcript with what leads to it, as exchanges
//! * [`subject`]: who is checked; the machines of `pop3-proto`, or a codec of your own
//! * [`replay`]: the replay itself
//! * [`self_check`]: all that is [`embedded`], on both machines
//!
//! **Splits** are for any codec, a foreign one too: [`split_invariance`] gives it the same octets in every cutting.
//!
//! What judges is a [naive reader](octets), never `pop3-proto`.
//!
//! ```
//! use pop3_conformance::replay::{Effort, Side};
//! use pop3_conformance::self_check::{Outcome, check, selected};
//!
//! for transcript in selected("rfc1939-05-stat")? {
//!     let entry = check(&transcript, Side::Server, Effort::FULL)?;
//!     assert!(matches!(entry.outcome, Outcome::Passed { .. }));
//! }
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

#[doc(hidden)] // the program's: a transcript on a live server
pub mod against;
pub mod case;
pub mod catalogue;
pub mod chunking;
pub mod client_cases;
mod digest;
pub mod embedded;
pub mod expectations;
mod fault_matrix;
pub mod fixture;
pub mod mailbox;
pub mod mailbox_files;
pub mod octets;
pub mod output;
pub mod peer;
#[cfg(test)]
mod planted;
pub mod replay;
pub mod run;
pub mod self_check;
pub mod server_cases;
pub mod session;
mod split_invariance;
pub mod subject;
pub mod suite;
pub mod transcript;

pub use split_invariance::{Variance, split_invariance};
