//! POP3 with no I/O in it: a [`Client`] and a [`Server`] that take octets in and give events and octets out.
//!
//! Sockets, TLS, clocks, runtimes and storage stay with the caller, who is a library or program on any runtime, blocking
//! or not. What is here is the protocol as it is deployed: RFC 1939 with CAPA and PIPELINING (RFC 2449), STLS (RFC 2595),
//! implicit TLS (RFC 8314), SASL (RFC 5034), response codes (RFC 3206), UTF8 and LANG (RFC 6856).
//!
//! ```text
//!                 octets                                       octets
//!   socket -----> read  -----> next_event() --> Event          read  -----> next_event() --> Incoming
//!                              Client             |                         Server               |
//!   socket <----- write <----- send()    <--------+            write <----- reply(), begin(),  <-+
//!                 out                       application        out          body(), end()
//! ```
//!
//! # A client
//!
//! One loop: read, ask for events until there are none, write what was appended. Events borrow from the caller's
//! buffer; a message body is handed out as slices of it, dots removed, and is never collected. So memory is constant,
//! whatever the size of the message.
//!
//! ```
//! use pop3_proto::{Client, Command, Config, Event, Verb};
//! use std::io::{Read, Write};
//!
//! fn first_message(
//!     mut socket: impl Read + Write,
//!     mut sink: impl Write,
//! ) -> Result<(), Box<dyn std::error::Error>> {
//!     // The default refuses a login without TLS.
//!     let mut client = Client::with_config(Config::new().allow_cleartext_login());
//!     let (mut buffer, mut out) = ([0; 16 * 1024], Vec::new());
//!     loop {
//!         let n = socket.read(&mut buffer)?;
//!         if n == 0 {
//!             return Ok(client.handle_eof()?);
//!         }
//!         let mut input = &buffer[..n];
//!         while let Some(event) = client.next_event(&mut input)? {
//!             match event {
//!                 Event::Greeting { .. } => client.send(&Command::user("mrose")?, &mut out)?,
//!                 Event::Ok { to: Verb::User, .. } => client.send(&Command::pass("tanstaaf")?, &mut out)?,
//!                 Event::Ok { to: Verb::Pass, .. } => client.send(&Command::retr(1)?, &mut out)?,
//!                 Event::Body(octets) => sink.write_all(octets)?,
//!                 Event::End { of: Verb::Retr } => client.send(&Command::Quit, &mut out)?,
//!                 Event::Err { to, text, .. } => return Err(format!("{to}: {text}").into()),
//!                 _ => {}
//!             }
//!         }
//!         socket.write_all(&out)?;
//!         out.clear();
//!         if client.is_over() {
//!             return Ok(()); // QUIT is answered
//!         }
//!     }
//! }
//! # // The same loop, run against a scripted server: one turn a read.
//! # struct Script(std::vec::IntoIter<&'static [u8]>, std::rc::Rc<std::cell::RefCell<Vec<u8>>>);
//! # impl Read for Script {
//! #     fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
//! #         let turn = self.0.next().unwrap_or_default();
//! #         buffer[..turn.len()].copy_from_slice(turn);
//! #         Ok(turn.len())
//! #     }
//! # }
//! # impl Write for Script {
//! #     fn write(&mut self, octets: &[u8]) -> std::io::Result<usize> {
//! #         self.1.borrow_mut().extend_from_slice(octets);
//! #         Ok(octets.len())
//! #     }
//! #     fn flush(&mut self) -> std::io::Result<()> { Ok(()) }
//! # }
//! # let sent = std::rc::Rc::default();
//! # let turns: Vec<&'static [u8]> =
//! #     vec![b"+OK\r\n", b"+OK\r\n", b"+OK\r\n", b"+OK\r\nSubject: hi\r\n\r\n..\r\n.\r\n", b"+OK\r\n"];
//! # let mut text = Vec::new();
//! # first_message(Script(turns.into_iter(), std::rc::Rc::clone(&sent)), &mut text).unwrap();
//! # assert_eq!(text, b"Subject: hi\r\n\r\n.\r\n");
//! # assert_eq!(&*sent.borrow(), b"USER mrose\r\nPASS tanstaaf\r\nRETR 1\r\nQUIT\r\n");
//! ```
//!
//! # A server
//!
//! The same loop the other way round. Each command is answered before the next is read: while an answer is owed,
//! `next_event` gives `None`, and what is left of the input waits with the caller. [`Maildrop`] knows the mailbox's
//! rules; what is left to the application is to check a password, to hand over a message's octets and to carry out the
//! deletions.
//!
//! ```
//! use pop3_proto::wire::dot::{Newlines, Size};
//! use pop3_proto::{Command, Config, Greeting, Incoming, Login, Maildrop, Reply, Server};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let messages = [("id-1", "Subject: one\n\nfirst\n"), ("id-2", "Subject: two\n\n.hidden\n")];
//! let mut out = Vec::new();
//! let config = Config::new().allow_cleartext_login().without_top(); // what is announced has to be answered
//! let mut server = Server::new(config, Greeting::text("POP3 server ready")?, &mut out);
//! let mut maildrop = Maildrop::default();
//!
//! // What a client sends in one go; a driver reads it from a socket.
//! let mut input: &[u8] = b"USER mrose\r\nPASS tanstaaf\r\nSTAT\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n";
//! while let Some(incoming) = server.next_event(&mut input, &mut out)? {
//!     match incoming {
//!         Incoming::Login(Login::Pass { name, password })
//!             if name.as_str() == "mrose" && password.reveal() == b"tanstaaf" =>
//!         {
//!             // Sizes are those that RETR will send, with CRLF.
//!             let sizes = messages.map(|(id, text)| (Size::of(text.as_bytes(), Newlines::Canonical), id));
//!             maildrop = Maildrop::new(sizes)?;
//!             server.reply(&Reply::ok("mrose's maildrop is open")?, &mut out)?;
//!         }
//!         Incoming::Command(Command::Retr(number)) => match maildrop.get(number) {
//!             Ok(message) => {
//!                 server.begin("message follows", &mut out)?;
//!                 server.body(messages[message.index].1.as_bytes(), &mut out)?;
//!                 server.end(&mut out)?;
//!             }
//!             Err(why) => server.reply(&why.into(), &mut out)?,
//!         },
//!         Incoming::Update => {
//!             assert_eq!(maildrop.deleted().collect::<Vec<_>>(), [1]);
//!             server.reply(&Reply::ok("signing off")?, &mut out)?;
//!         }
//!         other => maildrop.answer(&other, &mut server, &mut out)?,
//!     }
//!     // Here a driver writes `out` to its socket once it holds 64 KiB or so, and clears it.
//! }
//! assert!(server.is_over());
//! assert_eq!(
//!     String::from_utf8(out)?,
//!     "+OK POP3 server ready\r\n\
//!      +OK send PASS\r\n\
//!      +OK mrose's maildrop is open\r\n\
//!      +OK 2 48\r\n\
//!      +OK message follows\r\nSubject: two\r\n\r\n..hidden\r\n.\r\n\
//!      +OK message deleted\r\n\
//!      +OK signing off\r\n"
//! );
//! # Ok(())
//! # }
//! ```
//!
//! # The session of RFC 1939 §10, every octet
//!
//! Both machines, back to back, with the texts that the RFC prints.
//!
//! ```
//! use pop3_proto::{
//!     Client, Command, Config, Data, DropListing, Event, Greeting, Incoming, Login, Maildrop, MessageNumber, Reply,
//!     ScanListing, Server,
//! };
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let (first, second) = ("x".repeat(118) + "\r\n", "y".repeat(198) + "\r\n");
//! let texts = [first.as_bytes(), second.as_bytes()];
//!
//! // APOP stands on MD5, and neither side is on TLS: both settings say so.
//! let config = Config::new().allow_cleartext_login().allow_apop_md5();
//! let mut wire = Vec::new();
//! let greeting = Greeting::text("POP3 server ready")?.with_timestamp("<1896.697170952@dbc.mtview.ca.us>")?;
//! let mut server = Server::new(config.clone(), greeting, &mut wire);
//! let mut client = Client::with_config(config);
//! let mut maildrop = Maildrop::new([(120, "whqtswO00WBw418f9t5JxYwZ"), (200, "QhdPYR:00WBw1Ph7x7")])?;
//!
//! let server_says = |wire: &mut Vec<u8>, octets: &[u8]| {
//!     assert_eq!(wire, octets, "{}", octets.escape_ascii());
//!     std::mem::take(wire)
//! };
//!
//! let octets = server_says(&mut wire, b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n");
//! let Some(Event::Greeting { timestamp: Some(timestamp), .. }) = client.next_event(&mut &octets[..])? else {
//!     panic!("no timestamp");
//! };
//! assert_eq!(timestamp.as_bytes(), b"<1896.697170952@dbc.mtview.ca.us>");
//!
//! client.send(&Command::apop("mrose", "c4c9334bac560ecc979e58001b3e22fb")?, &mut wire)?;
//! let octets = server_says(&mut wire, b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\n");
//! let Some(Incoming::Login(Login::Apop { name, digest })) = server.next_event(&mut &octets[..], &mut wire)? else {
//!     panic!("no login");
//! };
//! assert_eq!((name.as_str(), digest.as_bytes()), ("mrose", &b"c4c9334bac560ecc979e58001b3e22fb"[..]));
//! server.reply(&Reply::ok("mrose's maildrop has 2 messages (320 octets)")?, &mut wire)?;
//! let octets = server_says(&mut wire, b"+OK mrose's maildrop has 2 messages (320 octets)\r\n");
//! assert!(matches!(client.next_event(&mut &octets[..])?, Some(Event::Ok { .. })));
//!
//! client.send(&Command::Stat, &mut wire)?;
//! let octets = server_says(&mut wire, b"STAT\r\n");
//! let stat = server.next_event(&mut &octets[..], &mut wire)?.expect("STAT");
//! maildrop.answer(&stat, &mut server, &mut wire)?;
//! let octets = server_says(&mut wire, b"+OK 2 320\r\n");
//! let Some(Event::Ok { data, .. }) = client.next_event(&mut &octets[..])? else { panic!("no answer") };
//! assert_eq!(data, Data::Drop(DropListing { messages: 2, octets: Some(320) }));
//!
//! client.send(&Command::List(None), &mut wire)?;
//! let octets = server_says(&mut wire, b"LIST\r\n");
//! server.next_event(&mut &octets[..], &mut wire)?.expect("LIST");
//! server.begin("2 messages (320 octets)", &mut wire)?;
//! for row in maildrop.scan_listings() {
//!     server.listing(row, &mut wire)?;
//! }
//! server.end(&mut wire)?;
//! let octets = server_says(&mut wire, b"+OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.\r\n");
//! let mut input = &octets[..];
//! assert!(matches!(client.next_event(&mut input)?, Some(Event::Ok { .. })));
//! for (number, octets) in [(1, 120), (2, 200)] {
//!     let row = ScanListing { number: MessageNumber::new(number).unwrap(), octets };
//!     assert_eq!(client.next_event(&mut input)?, Some(Event::Scan(row)));
//! }
//! assert!(matches!(client.next_event(&mut input)?, Some(Event::End { .. })));
//!
//! for (index, (text, size)) in texts.into_iter().zip(["120", "200"]).enumerate() {
//!     let number = index as u32 + 1;
//!     client.send(&Command::retr(number)?, &mut wire)?;
//!     let octets = server_says(&mut wire, format!("RETR {number}\r\n").as_bytes());
//!     server.next_event(&mut &octets[..], &mut wire)?.expect("RETR");
//!     server.begin(&format!("{size} octets"), &mut wire)?;
//!     server.body(text, &mut wire)?;
//!     server.end(&mut wire)?;
//!     let expected = [format!("+OK {size} octets\r\n").as_bytes(), text, b".\r\n"].concat();
//!     let octets = server_says(&mut wire, &expected);
//!     let mut input = &octets[..];
//!     assert!(matches!(client.next_event(&mut input)?, Some(Event::Ok { .. })));
//!     assert_eq!(client.next_event(&mut input)?, Some(Event::Body(text)));
//!     assert!(matches!(client.next_event(&mut input)?, Some(Event::End { .. })));
//!
//!     client.send(&Command::dele(number)?, &mut wire)?;
//!     let octets = server_says(&mut wire, format!("DELE {number}\r\n").as_bytes());
//!     server.next_event(&mut &octets[..], &mut wire)?.expect("DELE");
//!     maildrop.dele(MessageNumber::new(number).unwrap())?;
//!     server.reply(&Reply::ok(&format!("message {number} deleted"))?, &mut wire)?;
//!     let octets = server_says(&mut wire, format!("+OK message {number} deleted\r\n").as_bytes());
//!     assert!(matches!(client.next_event(&mut &octets[..])?, Some(Event::Ok { .. })));
//! }
//!
//! client.send(&Command::Quit, &mut wire)?;
//! let octets = server_says(&mut wire, b"QUIT\r\n");
//! assert_eq!(server.next_event(&mut &octets[..], &mut wire)?, Some(Incoming::Update));
//! assert_eq!(maildrop.deleted().count(), 2); // what the application removes before it answers
//! server.reply(&Reply::ok("dewey POP3 server signing off (maildrop empty)")?, &mut wire)?;
//! let octets = server_says(&mut wire, b"+OK dewey POP3 server signing off (maildrop empty)\r\n");
//! assert!(matches!(client.next_event(&mut &octets[..])?, Some(Event::Ok { .. })));
//! assert!(server.is_over() && client.is_over());
//! assert_eq!(client.committed(), pop3_proto::Committed::Yes);
//! # Ok(())
//! # }
//! ```
//!
//! # What to know
//!
//! * **Errors.** [`Error`] is the peer's fault: fatal, and the machine says the same ever after. [`Misuse`] is the
//!   caller's: nothing was written and nothing changed, except that a message of which a chunk was refused can only be
//!   aborted. `-ERR` is neither; it comes as an event.
//! * **TLS.** A default client and a default server refuse logins in the clear. For implicit TLS begin with
//!   [`Client::over_tls`] or [`Server::over_tls`]; for STLS do the handshake once the state is
//!   [`State::Handshake`] and call `tls_established`. Octets in the clear in between are fatal on both sides.
//! * **Pipelining.** Send as long as [`Client::may_send`] allows it: it knows PIPELINING, the window and what must
//!   stand alone. Answers come in the order of the commands.
//! * **Tolerance.** [`Config`] names what a client takes although the RFCs forbid it ([`Quirk`]);
//!   [`Client::quirks_seen`] tells what was needed. [`Config::strict`] takes nothing.
//! * **Deletions.** Only a QUIT in the TRANSACTION state removes messages: [`Incoming::Update`] on the server,
//!   [`Client::committed`] on the client. A lost connection removes nothing.
//! * **Time.** The driver owns the clock; `awaiting` and `patience` say what is waited for and how long that may take.
//! * **Writing.** A status line and the first octets of its body go to one `out`. Write whole answers and set
//!   TCP_NODELAY, or Nagle's algorithm and delayed acknowledgements cost 40 ms an answer. A server writes whenever `out`
//!   has grown to some 64 KiB, between two commands too and within a long answer: a read of 4 KiB can hold 600 commands,
//!   and each may ask for a message.
//! * **Below the machines.** [`grammar`] has nom parsers for those with framing of their own, [`wire`] the framing and
//!   the byte-stuffing.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `std` | yes | memchr finds the machine's vector instructions at run time |
//! | `sasl` | yes | base64, and the SASL mechanisms that need no cryptography |
//! | `md5` | no | the digests of APOP and CRAM-MD5 |
//! | `zeroize` | no | secrets and half lines are wiped when they are dropped |
//! | `serde` | no | capabilities, listings and unique-ids can be stored |
//! | `arbitrary` | no | the public values for fuzzing (needs `std`) |
//!
//! Without any feature the crate stands on memchr and nom alone, and on `alloc`.
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
// `arbitrary` has no form without std, and its derive names the crate.
#[cfg(any(test, feature = "arbitrary"))]
#[cfg_attr(test, macro_use)]
extern crate std;

#[cfg(feature = "arbitrary")]
mod arbitrary;
mod capability;
mod client;
mod command;
mod config;
mod error;
mod event;
pub mod grammar;
mod listing;
mod maildrop;
#[cfg(feature = "md5")]
mod md5;
mod outstanding;
mod plan;
mod quirk;
mod reply;
#[cfg(feature = "sasl")]
mod sasl;
#[cfg(feature = "serde")]
mod serde;
mod server;
mod state;
mod text;
mod trace;
mod uidl;
pub mod wire;

pub use capability::{Capability, Expiry, Extension, Mechanisms, Support};
#[cfg(feature = "sasl")]
pub use client::InitialSent;
pub use client::{Client, Committed};
pub use command::{Apop, Auth, Command, Digest, MAX_COMMAND, Mechanism, Name, Other, Password};
pub use config::{Config, Peer, PerUser, Pipelining, Tls, Utf8};
pub use error::{Error, Misuse, Protocol, Wait};
pub use event::{Challenge, Event, Incoming, Login, Refusal};
pub use listing::{DropListing, MessageNumber, ScanListing, UniqueId, UniqueIdListing};
pub use maildrop::{Maildrop, Message, Top, Unavailable};
#[cfg(feature = "md5")]
pub use md5::CramMd5;
pub use plan::{Method, Next, Plan, Why};
pub use quirk::{Quirk, Quirks};
pub use reply::{
    Data, ErrorClass, Greeting, LanguageListing, LanguageTag, Reply, ResponseCode, Status, StatusLine, Timestamp,
};
#[cfg(feature = "sasl")]
pub use sasl::{Builtin, Exchange, InitialResponse, Step};
pub use server::{Outcome, Row, Server};
pub use state::{Shape, State, Verb};
pub use text::{Secret, Text};
pub use trace::Trace;
pub use uidl::{Finding, Reconciliation, TooManyUniqueIds};
