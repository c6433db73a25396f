//! P9: "A machine serves one connection: not Clone, no reset; it tells whether TLS is on, whether the peer was verified,
//! and its login generation, so that a pool can compare". A copy of a machine, or a machine that counts no login, breaks
//! it.

#[path = "support/machines.rs"]
mod machines;

use machines::{feed, logged_in};
use pop3_proto::{Client, Command, Config, Greeting, Peer, Server, State};
use std::marker::PhantomData;

/// Says whether a type is `Clone`: the inherent method wins where it exists.
struct Probe<T>(PhantomData<T>);

trait NotClone {
    fn is_clone(&self) -> bool {
        false
    }
}

impl<T> NotClone for Probe<T> {}

impl<T: Clone> Probe<T> {
    fn is_clone(&self) -> bool {
        true
    }
}

#[test]
fn neither_machine_can_be_copied() {
    assert!(Probe(PhantomData::<Config>).is_clone(), "the probe sees what is Clone");
    assert!(!Probe(PhantomData::<Client>).is_clone());
    assert!(!Probe(PhantomData::<Server>).is_clone());
}

#[test]
fn machines_can_move_between_threads() {
    fn moves<T: Send + 'static>() {}
    moves::<Client>();
    moves::<Server>();
}

#[test]
fn a_client_tells_what_tls_showed() {
    assert_eq!(Client::new().tls(), None);
    for peer in [Peer::Verified, Peer::Unverified] {
        assert_eq!(Client::over_tls(Config::new(), peer).tls(), Some(peer));
    }
    let mut out = vec![];
    assert!(!Server::new(Config::new(), Greeting::text("").unwrap(), &mut out).tls());
    assert!(Server::over_tls(Config::new(), Greeting::text("").unwrap(), &mut out).tls());
}

#[test]
fn the_login_generation_counts_accepted_logins() {
    let mut client = Client::with_config(Config::new().allow_cleartext_login());
    let mut out = vec![];
    feed(&mut client, b"+OK\r\n");
    for (answer, generation, state) in [("-ERR", 0, State::Authorization), ("+OK", 1, State::Transaction)] {
        client.send(&Command::user("mrose").unwrap(), &mut out).unwrap();
        feed(&mut client, b"+OK\r\n");
        client.send(&Command::pass("tanstaaf").unwrap(), &mut out).unwrap();
        feed(&mut client, format!("{answer}\r\n").as_bytes());
        assert_eq!((client.login_generation(), client.state()), (generation, state));
    }
    client.send(&Command::Quit, &mut out).unwrap();
    feed(&mut client, b"+OK\r\n");
    assert_eq!(client.login_generation(), 1);
    assert!(client.send(&Command::user("mrose").unwrap(), &mut out).is_err(), "there is no way back");
    assert_eq!(logged_in(Config::new(), "").login_generation(), 1);
}
