//! What a connection costs before it does anything. A field too many, or a buffer inside a machine, breaks it.

use pop3_proto::{Client, Event, Incoming, Server, Text};

/// The goal of the design for a machine.
const OCTETS: usize = 128;

#[test]
fn a_machine_is_small() {
    let sizes = [("Client", size_of::<Client>()), ("Server", size_of::<Server>())];
    println!("{sizes:?}");
    for (machine, octets) in sizes {
        assert!(octets <= OCTETS, "{machine}: {octets} octets");
    }
}

#[test]
fn what_a_machine_says_is_small() {
    assert!(size_of::<Option<Text<'_>>>() <= 24, "a text, and whether there is one");
    let sizes = [("Event", size_of::<Event<'_>>()), ("Incoming", size_of::<Incoming<'_>>())];
    println!("{sizes:?}");
    for (what, octets) in sizes {
        assert!(octets <= OCTETS, "{what}: {octets} octets");
    }
}
