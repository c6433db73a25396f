//! Fuzz targets for POP3, each with an oracle: what it checks is a promise, never a bare "does not crash".
//!
//! A target reads a *plan* from the fuzzer's octets (what is said, where it is cut, what the application does), lets a
//! *subject* carry it out, and holds the outcome against naive code that reads an octet at a time and is obviously
//! right. That code ([`naive`]) shares nothing with `pop3-proto`, so that one bug cannot hide another.
//!
//! The subject is behind a trait in every target, so that the plans, the oracles and the corpus serve other
//! implementations as well: implement [`body_decode::Decoder`], say, and call [`body_decode::check`]. The example
//! `toy_parser` does so with a parser that is full of the usual mistakes.
//!
//! | target | subject | what holds |
//! |---|---|---|
//! | [`command_parse`] | a parser of commands | agrees with the naive parser; what it writes again parses to the same |
//! | [`reply_parse`] | a parser of responses | the same for status lines, greetings, listings, capability lists, challenges |
//! | [`command_build`] | constructors of lines | hostile values are refused, or give one line that says just that |
//! | [`body_decode`] | removes byte-stuffing | same text and same end at every cut; at most four octets held back |
//! | [`body_encode`] | byte-stuffs | every kind of reader finds the end at the last octet; exact size; round trip |
//! | [`client_hostile_server`] | a client | each answer to its command at every cut; no credential in the clear; errors stick |
//! | [`server_hostile_client`] | a server | the one right answer to each line; deletions at QUIT only |
//! | [`conversation`] | both | never out of step, whatever the cuts, pipelining, STLS in the middle |
//! | [`stls_injection`] | either | octets before TLS are fatal, or make no difference behind it |
//! | [`sasl`] | either | checked identities; `*` gets one `-ERR`; nothing is left behind |
//! | [`secrets`] | whatever prints | a secret is in no output, plain or in base64 or hexadecimal |
//! | [`greeting_apop`] | finds the timestamp | exactly one, of the RFC's form, or none |
//!
//! [`TARGETS`] has them all, for programs that run them by name.

#![forbid(unsafe_code)]

pub mod naive;
pub mod plan;

mod finding;
mod target;
mod ways;

pub mod body_decode;
pub mod body_encode;
pub mod client_hostile_server;
pub mod command_build;
pub mod command_parse;
pub mod conversation;
pub mod greeting_apop;
pub mod reply_parse;
pub mod sasl;
pub mod secrets;
pub mod server_hostile_client;
pub mod stls_injection;

pub use finding::{Finding, Verdict};
pub use target::{TARGETS, Target};
pub use ways::Ways;
