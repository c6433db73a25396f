//! What the tests share that leave the process: a corpus of messages, a Maildir to put them in, a naive POP3 reader, and the
//! programs at the other end of the line.
//!
//! Nothing here uses the crate under test, so that one mistake cannot be made on both sides and cancel out.

// Each test binary compiles this tree for itself and uses a part of it.
#![allow(dead_code, reason = "each test program uses its own part of this")]

pub(crate) mod compare;
pub(crate) mod corpus;
pub(crate) mod maildir;
pub(crate) mod naive;
pub(crate) mod peers;
pub(crate) mod tls;
pub(crate) mod trial;
