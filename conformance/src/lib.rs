//! Checks POP3 servers and clients against RFC 1939 and its extensions.
//!
//! Today it replays the exchanges that the RFCs print, on a server or a client in process: every octet is compared, and
//! the octets come in whole turns, line by line, octet by octet, and cut at every pair of places.
//!
//! * [`transcript`]: the file format, for exchanges of your own
//! * [`session`]: a transcript with what leads to it, as exchanges
//! * [`subject`]: who is checked; the machines of `pop3-proto`, or a codec of your own
//! * [`replay`]: the replay itself
//! * [`self_check`]: all that is [`embedded`], on both machines
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

pub mod chunking;
pub mod embedded;
pub mod fixture;
pub mod octets;
pub mod replay;
pub mod self_check;
pub mod session;
pub mod subject;
pub mod transcript;
