//! "Message bodies are never buffered [...] in constant memory, whatever the message's size", and a listing of 100,000
//! messages needs no 100,000-line buffer. An allocation that grows with the message, or with the maildrop, breaks it.
//!
//! The allocator of this test binary counts, each thread for itself; the caller's own buffers are not counted.

#[path = "support/machines.rs"]
mod machines;

use allocation_counter::{AllocationInfo, measure};
use machines::{Site, feed, logged_in, open};
use pop3_proto::{Client, Command, Config, Event, Incoming, Maildrop, Server};

const GIB: usize = 1 << 30;
const CHUNK: usize = 64 * 1024;
const LIMIT: u64 = 64 * 1024;

/// The most heap that `work` needed at a time, beyond what was there before.
fn heap_of(work: impl FnOnce()) -> u64 {
    measure(work).bytes_max
}

/// A chunk of lines; its length is no multiple of theirs, so that the chunks cut lines, CRLF and dots anywhere.
fn chunk() -> Vec<u8> {
    let line = [&[b'x'; 700][..], b" A sentence. And another.\r\n..\r\n.stuffed\r\n"].concat();
    line.into_iter().cycle().take(CHUNK).collect()
}

fn retrieving(client: &mut Client) {
    client.send(&Command::retr(1).unwrap(), &mut vec![]).unwrap();
    feed(client, b"+OK\r\n");
}

#[test]
fn the_count_sees_what_is_allocated() {
    let AllocationInfo { bytes_max, count_total, .. } = measure(|| drop(std::hint::black_box(vec![1_u8; 10 * CHUNK])));
    assert_eq!((bytes_max, count_total), (10 * CHUNK as u64, 1));
}

#[test]
fn a_message_of_one_gib_streams_through_a_client() {
    let mut client = logged_in(Config::new(), "");
    retrieving(&mut client);
    let wire = chunk();
    let (mut sent, mut octets) = (0, 0);
    let heap = measure(|| {
        while sent < GIB {
            let mut input = &wire[..];
            while let Some(event) = client.next_event(&mut input).unwrap() {
                let Event::Body(body) = event else { panic!("{event:?}") };
                octets += body.len();
            }
            sent += wire.len();
            assert!(client.held() <= 4);
        }
    });
    assert_eq!(sent, GIB);
    assert!(octets < GIB && octets > GIB / 100 * 99, "{octets}");
    assert_eq!(heap.count_total, 0, "{heap:?}");
    // The session is still in step.
    feed(&mut client, b"\r\n.\r\n");
    assert_eq!(client.outstanding(), 0);
}

#[test]
fn a_message_of_one_gib_streams_through_a_server() {
    let mut site = Site::new(&[b"x\r\n"]);
    let mut server = open(Config::new(), &mut site);
    let stored = chunk();
    let mut out = Vec::with_capacity(2 * CHUNK);
    server.next_event(&mut &b"RETR 1\r\n"[..], &mut out).unwrap().unwrap();
    server.begin("", &mut out).unwrap();
    out.clear();
    let (mut read, mut written) = (0, 0);
    let heap = measure(|| {
        while read < GIB {
            server.body(&stored, &mut out).unwrap();
            read += stored.len();
            written += out.len();
            out.clear(); // the driver wrote it
        }
    });
    assert!(written > GIB, "dots are stuffed: {written}");
    assert_eq!(heap.count_total, 0, "{heap:?}");
    server.end(&mut out).unwrap();
    assert!(out.ends_with(b"\r\n.\r\n"));
}

#[test]
fn segments_of_a_message_cost_no_heap() {
    let mut server = open(Config::new(), &mut Site::new(&[b"x\r\n"]));
    let stored = chunk();
    let mut out = vec![];
    server.next_event(&mut &b"RETR 1\r\n"[..], &mut out).unwrap().unwrap();
    server.begin("", &mut out).unwrap();
    let mut written = 0;
    let heap = measure(|| {
        for _ in 0..100 {
            written += server.body_segments(&stored).unwrap().map(<[u8]>::len).sum::<usize>();
        }
    });
    assert!(written > 100 * CHUNK);
    assert_eq!(heap.count_total, 0, "{heap:?}");
}

/// Streams a listing from a server to a client, in pieces of some 16 KiB.
fn stream(command: &Command<'_>, messages: usize) -> (usize, u64) {
    let mut server = open(Config::new(), &mut Site::new(&[]));
    let mut client = logged_in(Config::new(), "");
    let maildrop = Maildrop::new((0..messages).map(|at| (at as u64, format!("unique-id-of-{at}")))).unwrap();
    let mut out = Vec::with_capacity(20 * 1024);
    client.send(command, &mut out).unwrap();
    let mut rows = 0;
    let heap = heap_of(|| {
        let incoming = server.next_event(&mut &out.clone()[..], &mut out).unwrap().map(Incoming::into_owned);
        out.clear();
        server.begin("", &mut out).unwrap();
        let list = incoming == Some(Incoming::Command(Command::List(None)));
        for (scan, id) in maildrop.scan_listings().zip(maildrop.unique_id_listings()) {
            if list {
                server.listing(scan, &mut out).unwrap();
            } else {
                server.listing(id, &mut out).unwrap();
            }
            if out.len() >= 16 * 1024 {
                rows += take_rows(&mut client, &out);
                out.clear();
            }
        }
        server.end(&mut out).unwrap();
        rows += take_rows(&mut client, &out);
    });
    assert_eq!((client.outstanding(), server.owes()), (0, None));
    (rows, heap)
}

fn take_rows(client: &mut Client, octets: &[u8]) -> usize {
    let mut rows = 0;
    // Cut in two, so that a line straddles the reads.
    for piece in [&octets[..octets.len() / 2], &octets[octets.len() / 2..]] {
        let mut input = piece;
        while let Some(event) = client.next_event(&mut input).unwrap() {
            rows += usize::from(matches!(event, Event::Scan(_) | Event::UniqueId(_)));
        }
    }
    rows
}

#[test]
fn a_listing_of_a_hundred_thousand_messages_streams_through_both() {
    for command in [Command::List(None), Command::Uidl(None)] {
        let (rows, heap) = stream(&command, 100_000);
        assert_eq!(rows, 100_000);
        assert!(heap < LIMIT, "{heap} octets of heap for {command:?}");
        let (_, of_few) = stream(&command, 1000);
        assert!(heap <= of_few + 1024, "{of_few} octets for a thousand, {heap} for a hundred thousand");
    }
}

#[test]
fn a_peer_that_never_ends_a_line_fills_no_memory() {
    let flood = vec![b'x'; CHUNK];
    let mut server: Server = machines::greeted(Config::new().discarded(usize::MAX));
    let mut client = logged_in(Config::new(), "");
    client.send(&Command::List(None), &mut vec![]).unwrap();
    let mut out = Vec::with_capacity(1024);
    let heap = heap_of(|| {
        for _ in 0..100 {
            assert_eq!(server.next_event(&mut &flood[..], &mut out), Ok(None));
        }
        for piece in flood.chunks(100) {
            if client.next_event(&mut &piece[..]).is_err() {
                break;
            }
        }
    });
    assert!(heap < LIMIT, "{heap} octets of heap");
    assert!(client.is_over());
}
