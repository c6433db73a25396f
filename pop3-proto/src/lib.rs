//! The POP3 protocol with no I/O in it.
#![no_std]
#![forbid(unsafe_code)]
#![cfg_attr(docsrs, feature(doc_cfg))]
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

extern crate alloc;
#[cfg(test)]
#[macro_use]
extern crate std;

mod capability;
mod client;
mod command;
mod config;
mod error;
mod event;
pub mod grammar;
mod listing;
mod maildrop;
mod outstanding;
mod reply;
mod server;
mod state;
mod text;
pub mod wire;

pub use capability::{Capability, Expiry, Extension, Mechanisms, Support};
pub use client::{Client, Committed};
pub use command::{Apop, Auth, Command, Digest, MAX_COMMAND, Mechanism, Name, Other, Password};
pub use config::{Config, Peer, PerUser, Pipelining, Quirk, Quirks, Tls, Utf8};
pub use error::{Error, Misuse, Protocol, Wait};
pub use event::{Challenge, Event, Incoming, Login, Refusal};
pub use listing::{DropListing, MessageNumber, ScanListing, UniqueId, UniqueIdListing};
pub use maildrop::{Maildrop, Message, Top, Unavailable};
pub use reply::{
    Data, ErrorClass, Greeting, LanguageListing, LanguageTag, Reply, ResponseCode, Status, StatusLine, Timestamp,
};
pub use server::{Outcome, Row, Server};
pub use state::{Shape, State, Verb};
pub use text::{Secret, Text};
