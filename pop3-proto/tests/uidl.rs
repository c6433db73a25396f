//! A client that leaves mail on the server compares the unique-id listing with what it remembers (RFC 1939 §7: a unique-id
//! "uniquely identifies a message within a maildrop and which persists across sessions"). Taking an old message for a
//! new one fetches it twice; taking a new one for an old one loses it.

use pop3_proto::{Finding, MessageNumber, Reconciliation, TooManyUniqueIds, UniqueId, UniqueIdListing};

fn row(number: u32, id: &str) -> UniqueIdListing<'_> {
    UniqueIdListing { number: MessageNumber::new(number).unwrap(), id: UniqueId::new(id).unwrap() }
}

#[test]
fn each_row_is_new_known_reused_or_a_duplicate() {
    let mut known = Reconciliation::new(1000);
    known.remember(b"kept").unwrap();
    known.remember_deleted(b"deleted").unwrap();
    known.remember(b"gone").unwrap();
    known.remember_deleted(b"gone-and-deleted").unwrap();
    // What was kept and deleted later is deleted.
    known.remember(b"kept-first").unwrap();
    known.remember_deleted(b"kept-first").unwrap();
    let mut listed = |number, id| known.listed(&row(number, id)).unwrap();
    assert_eq!(listed(1, "kept"), Finding::Known);
    assert_eq!(listed(2, "new"), Finding::New);
    assert_eq!(listed(3, "deleted"), Finding::Reused);
    assert_eq!(listed(4, "new"), Finding::Duplicate { of: MessageNumber::new(2).unwrap() });
    assert_eq!(listed(5, "kept"), Finding::Duplicate { of: MessageNumber::FIRST });
    assert_eq!(listed(6, "kept-first"), Finding::Reused);
    assert_eq!(known.gone().collect::<Vec<_>>(), [b"gone"]);
    let there: Vec<_> = known.there().map(|(number, id)| (number.get(), id)).collect();
    assert_eq!(there, [(3, &b"deleted"[..]), (1, b"kept"), (6, b"kept-first"), (2, b"new")]);
}

#[test]
fn unique_ids_are_kept_up_to_a_limit_of_octets_and_each_counts_once() {
    let mut known = Reconciliation::new(6);
    known.remember(b"abc").unwrap();
    known.remember(b"abc").unwrap();
    assert_eq!(known.listed(&row(1, "def")), Ok(Finding::New), "six octets in all");
    assert_eq!(known.listed(&row(2, "g")), Err(TooManyUniqueIds { limit: 6 }));
    assert_eq!(known.remember(b"g"), Err(TooManyUniqueIds { limit: 6 }));
    assert_eq!(known.remember_deleted(b"g"), Err(TooManyUniqueIds { limit: 6 }));
    // What is there already needs no room, and what was refused is not there.
    assert_eq!(known.listed(&row(3, "abc")), Ok(Finding::Known));
    assert_eq!(known.there().count(), 2);
}
