//! A session that goes on allocates nothing on either side while lines arrive whole, and at most once for a read that cuts a
//! line whose words are handed out. An idle machine is 128 octets and no heap: 8 million of them fit in a GiB. A maildrop
//! costs 24 octets a message beside the unique-ids.
//!
//! Broken by a `String` in an answer, by a carry that is dropped for each line, or by a machine that keeps what CAPA said.
//! The allocator of this test binary counts, each thread for itself; what the driver's own buffers cost comes before.

#[path = "support/machines.rs"]
mod machines;

use allocation_counter::measure;
use machines::{Site, feed, greeted, open};
use pop3_proto::{
    Client, Command, Config, Event, Extension, Finding, Incoming, Maildrop, MessageNumber, Peer, Reconciliation, Reply,
    Server, State, Support, UniqueIdListing,
};
use std::sync::Arc;

const COMMANDS: usize = 10_000;
const MESSAGE: &[u8] = b"Subject: hi\r\n\r\n.one\r\ntwo\r\n";

/// What one round of a session says, and what a server answers to it.
const ROUND: [(&str, &str); 12] = [
    ("NOOP", "+OK\r\n"),
    ("STAT", "+OK 3 78\r\n"),
    ("LIST", "+OK scan listing follows\r\n1 26\r\n2 26\r\n3 26\r\n.\r\n"),
    ("LIST 2", "+OK 2 26\r\n"),
    ("UIDL", "+OK unique-id listing follows\r\n1 id-0\r\n2 id-1\r\n3 id-2\r\n.\r\n"),
    ("UIDL 3", "+OK 3 id-2\r\n"),
    ("RETR 1", "+OK message follows\r\nSubject: hi\r\n\r\n..one\r\ntwo\r\n.\r\n"),
    ("TOP 1 1", "+OK top of message follows\r\nSubject: hi\r\n\r\n..one\r\n.\r\n"),
    ("DELE 3", "+OK message deleted\r\n"),
    ("RETR 3", "-ERR message already deleted\r\n"),
    ("RSET", "+OK\r\n"),
    ("RETR 4", "-ERR no such message\r\n"),
];

fn command(line: &str) -> Command<'static> {
    let mut words = line.split(' ').skip(1).map(|word| word.parse::<u32>().unwrap());
    let number = words.next();
    let command = match (&line[..4], number) {
        ("NOOP", _) => Ok(Command::Noop),
        ("STAT", _) => Ok(Command::Stat),
        ("RSET", _) => Ok(Command::Rset),
        ("CAPA", _) => Ok(Command::Capa),
        ("LIST", None) => Ok(Command::List(None)),
        ("UIDL", None) => Ok(Command::Uidl(None)),
        ("LIST", Some(number)) => Command::list(number),
        ("UIDL", Some(number)) => Command::uidl(number),
        ("RETR", Some(number)) => Command::retr(number),
        ("DELE", Some(number)) => Command::dele(number),
        ("TOP ", Some(number)) => Command::top(number, words.next().unwrap().into()),
        _ => panic!("{line}"),
    };
    command.unwrap()
}

/// A site with three messages, and a server that a client has logged in to.
fn served(config: Config) -> (Site, Server) {
    let mut site = Site::new(&[MESSAGE; 3]);
    let server = open(config, &mut site);
    (site, server)
}

/// A client that logged in over TLS, and was told what the server can do.
fn logged_in(config: Arc<Config>, out: &mut Vec<u8>) -> Client {
    let mut client = Client::over_tls(config, Peer::Verified);
    feed(&mut client, b"+OK ready\r\n");
    for (command, answer) in [
        (Command::user("mrose").unwrap(), &b"+OK\r\n"[..]),
        (Command::pass("tanstaaf").unwrap(), b"+OK\r\n"),
        (Command::Capa, b"+OK\r\nTOP\r\nUIDL\r\nPIPELINING\r\nSASL PLAIN\r\nIMPLEMENTATION x\r\n.\r\n"),
    ] {
        out.clear();
        client.send(&command, out).unwrap();
        feed(&mut client, answer);
    }
    client
}

/// Gives the server a line in pieces, and answers what comes of it. The answer is appended to `out`.
fn tell(site: &mut Site, server: &mut Server, pieces: &[&[u8]], out: &mut Vec<u8>) {
    for piece in pieces {
        let mut input = *piece;
        while let Some(incoming) = server.next_event(&mut input, out).unwrap() {
            site.answer(&incoming, server, out);
        }
    }
}

#[test]
fn ten_thousand_commands_cost_a_server_no_allocation() {
    let config = Config::new().sasl_mechanisms(["X-TWO"]).unwrap().implementation("x").unwrap();
    let (mut site, mut server) = served(config);
    let mut out = Vec::with_capacity(4096);
    let lines: Vec<String> =
        ROUND.iter().map(|(line, _)| line).chain([&"CAPA"]).map(|line| format!("{line}\r\n")).collect();
    let mut said = 0;
    let mut session = |rounds: usize| {
        for (line, at) in lines.iter().cycle().zip(0..rounds * lines.len()) {
            out.clear();
            tell(&mut site, &mut server, &[line.as_bytes()], &mut out);
            match ROUND.get(at % lines.len()) {
                Some((_, answer)) => assert_eq!(out, answer.as_bytes()),
                None => assert!(out.starts_with(b"+OK")),
            }
            said += 1;
        }
    };
    session(10);
    let heap = measure(|| session(COMMANDS / ROUND.len()));
    assert_eq!(heap.count_total, 0, "{heap:?}");
    assert!(said > COMMANDS);
}

#[test]
fn lines_that_a_server_refuses_cost_no_allocation() {
    let (mut site, mut server) = served(Config::new());
    let mut out = Vec::with_capacity(4096);
    let long = [b'x'; 600];
    let mut refused = || {
        for line in
            [&b"RETR 0\r\n"[..], b"RETR x\r\n", b"XTND\r\n", b"NO\0OP\r\n", b"USER a\r\n", b"STLS\r\n", &long, b"\r\n"]
        {
            out.clear();
            tell(&mut site, &mut server, &[line], &mut out);
        }
    };
    refused();
    assert_eq!(measure(|| (0..1000).for_each(|_| refused())).count_total, 0);
    assert_eq!(server.refused(), 7 * 1001);
}

#[test]
fn ten_thousand_commands_cost_a_client_no_allocation() {
    for batch in [1, 12] {
        let mut out = Vec::with_capacity(4096);
        let mut client = logged_in(Arc::new(Config::new()), &mut out);
        // DELE is never sent behind a RETR that is not read yet.
        let round: Vec<_> = ROUND.iter().filter(|(line, _)| batch == 1 || *line != "DELE 3").collect();
        let commands: Vec<_> = round.iter().map(|(line, _)| command(line)).collect();
        let answers: Vec<_> = round.iter().map(|(_, answer)| *answer).collect();
        let (together, mut events) = (answers.concat(), 0);
        let mut session = |rounds: usize| {
            for _ in 0..rounds {
                out.clear();
                for (command, answer) in commands.iter().zip(&answers) {
                    client.send(command, &mut out).unwrap();
                    if batch == 1 {
                        events += heard(&mut client, &[answer.as_bytes()]);
                    }
                }
                if batch > 1 {
                    events += heard(&mut client, &[together.as_bytes()]);
                }
                assert_eq!(client.outstanding(), 0);
            }
        };
        session(10);
        let rounds = COMMANDS / commands.len() + 1;
        let heap = measure(|| session(rounds));
        assert_eq!(heap.count_total, 0, "{heap:?}");
        assert!(events > (rounds + 10) * commands.len());
    }
}

fn heard(client: &mut Client, pieces: &[&[u8]]) -> usize {
    let mut events = 0;
    for piece in pieces {
        let mut input = *piece;
        while let Some(event) = client.next_event(&mut input).unwrap() {
            assert!(!matches!(event, Event::BadRow { .. }), "{event:?}");
            events += 1;
        }
    }
    events
}

#[test]
fn a_read_that_cuts_a_line_costs_a_server_one_allocation_at_most() {
    let (mut site, mut server) = served(Config::new().with_other_commands());
    let mut out = Vec::with_capacity(4096);
    // What is told apart from its words has none to keep.
    let lines = ROUND.iter().map(|(line, _)| (*line, 0)).chain([("XTND", 1)]);
    for (line, allowed) in lines {
        let line = format!("{line}\r\n");
        for cut in 1..line.len() {
            let (front, back) = line.as_bytes().split_at(cut);
            let mut session = || {
                out.clear();
                tell(&mut site, &mut server, &[front, back], &mut out);
            };
            session();
            let heap = measure(session);
            assert!(heap.count_total <= allowed, "{line:?} cut at {cut}: {heap:?}");
        }
    }
}

#[test]
fn a_read_that_cuts_a_line_costs_a_client_one_allocation_at_most() {
    let mut out = Vec::with_capacity(4096);
    let mut client = logged_in(Arc::new(Config::new()), &mut out);
    // Message text and scan listings have no words; nor has a bare "+OK". (A single unique-id is handed out twice, as it
    // stands in the text of the "+OK" too.)
    let more =
        [("RETR 1", "+OK\r\nx\r\n..\r\n.\r\n", 0), ("LIST", "+OK\r\n1 27\r\n2 27\r\n.\r\n", 0), ("NOOP", "+OK\r\n", 0)];
    let dialogues =
        ROUND.iter().map(|(line, answer)| (*line, *answer, if *line == "UIDL 3" { 2 } else { 1 })).chain(more);
    for (line, answer, allowed) in dialogues {
        let command = command(line);
        for cut in 1..answer.len() {
            let (front, back) = answer.as_bytes().split_at(cut);
            let mut session = || {
                out.clear();
                client.send(&command, &mut out).unwrap();
                heard(&mut client, &[front, back]);
            };
            session();
            let heap = measure(session);
            assert!(heap.count_total <= allowed, "{line:?}: {answer:?} cut at {cut}: {heap:?}");
        }
    }
}

#[test]
fn an_idle_machine_is_128_octets_and_no_heap() {
    assert!((1_usize << 30) / size_of::<Client>() >= 8 << 20, "{} octets", size_of::<Client>());
    assert!((1_usize << 30) / size_of::<Server>() >= 8 << 20, "{} octets", size_of::<Server>());

    let (settings, mut out, mut kept) = (Arc::new(Config::new()), Vec::with_capacity(4096), None);
    let heap = measure(|| kept = Some(logged_in(Arc::clone(&settings), &mut out)));
    let client = kept.as_ref().unwrap();
    assert_eq!((client.state(), client.supports(Extension::Pipelining)), (State::Transaction, Support::Yes));
    assert_eq!((heap.count_current, heap.bytes_current), (0, 0), "a client: {heap:?}");

    let (settings, mut kept) = (Arc::new(Config::new().allow_cleartext_login()), None);
    let heap = measure(|| {
        let mut server = Server::new(Arc::clone(&settings), pop3_proto::Greeting::text("ready").unwrap(), &mut out);
        for mut line in [&b"CAPA\r\n"[..], b"USER mrose\r\n", b"PASS tanstaaf\r\n", b"CAPA\r\n"] {
            out.clear();
            match server.next_event(&mut line, &mut out).unwrap() {
                Some(Incoming::Command(Command::Capa)) => server.capabilities(&mut out).unwrap(),
                Some(_) => server.reply(&Reply::ok("").unwrap(), &mut out).unwrap(),
                None => panic!("a whole line is an event"),
            }
        }
        kept = Some(server);
    });
    assert_eq!(kept.as_ref().map(Server::state), Some(State::Transaction));
    assert_eq!((heap.count_current, heap.bytes_current), (0, 0), "a server: {heap:?}");
}

#[test]
fn what_a_cut_line_and_a_batch_leave_behind_can_be_given_back() {
    let (settings, mut out, mut kept) = (Arc::new(Config::new()), Vec::with_capacity(4096), None);
    let heap = measure(|| {
        let mut client = logged_in(Arc::clone(&settings), &mut out);
        (0..64).for_each(|_| client.send(&Command::Noop, &mut out).unwrap());
        let events: usize = (0..64).map(|_| heard(&mut client, &[b"+OK so", b"me words\r\n"])).sum();
        assert_eq!(events, 64);
        client.shrink_to_fit();
        kept = Some(client);
    });
    assert_eq!((heap.count_current, kept.map(|client| client.outstanding())), (0, Some(0)), "{heap:?}");

    let mut server = open(Config::new(), &mut Site::new(&[]));
    out.clear();
    let heap = measure(|| {
        for mut piece in [&b"NO"[..], b"OP\r\n"] {
            server.next_event(&mut piece, &mut out).unwrap();
        }
        server.reply(&Reply::ok("").unwrap(), &mut out).unwrap();
        server.shrink_to_fit();
    });
    assert_eq!(heap.bytes_current, 0, "{heap:?}");
}

#[test]
fn a_long_line_costs_no_memory_for_the_rest_of_the_session() {
    let mut server = greeted(Config::new().allow_cleartext_login().sasl_mechanisms(["X-TWO"]).unwrap());
    let (mut out, response) = (Vec::with_capacity(4096), [b'A'; 60_000]);
    let heap = measure(|| {
        server.next_event(&mut &b"AUTH X-TWO\r\n"[..], &mut out).unwrap();
        server.challenge_line(b"", &mut out).unwrap();
        assert_eq!(server.next_event(&mut &response[..], &mut out), Ok(None));
        assert!(matches!(server.next_event(&mut &b"\r\n"[..], &mut out), Ok(Some(Incoming::Response(_)))));
    });
    assert!(heap.bytes_max > 60_000 && heap.bytes_current < 2048, "{heap:?}");
}

/// Built without optimisation, a million takes a minute.
const MESSAGES: u32 = if cfg!(debug_assertions) { 50_000 } else { 1_000_000 };

#[test]
fn a_maildrop_of_a_million_messages_is_logged_into_listed_and_reconciled() {
    let id = |number: u32| format!("whqtswO00WBw418f9t5J{number:08}");
    let mut kept = None;
    let heap = measure(|| {
        kept = Some(Maildrop::new((1..=MESSAGES).map(|number| (u64::from(number % 50_000), id(number)))).unwrap());
    });
    let (mut maildrop, ids) = (kept.unwrap(), i64::from(MESSAGES) * 28);
    assert!(heap.bytes_current <= 24 * i64::from(MESSAGES) + ids, "{heap:?}");

    // The client knows every second message, and one that is gone.
    let mut mail = Reconciliation::new(64 << 20);
    (2..=MESSAGES).step_by(2).for_each(|number| mail.remember(id(number).as_bytes()).unwrap());
    mail.remember(b"gone").unwrap();

    let mut server = open(Config::new(), &mut Site::new(&[]));
    let mut out = Vec::with_capacity(32 * 1024);
    let mut client = logged_in(Arc::new(Config::new()), &mut out);
    let (mut octets, mut known, mut new) = (0, 0, 0);
    let mut take = |out: &mut Vec<u8>, client: &mut Client| {
        let mut input = &out[..];
        while let Some(event) = client.next_event(&mut input).unwrap() {
            match event {
                Event::Scan(row) => octets += row.octets,
                Event::UniqueId(UniqueIdListing { number, id }) => {
                    let (row, mut finding) = (UniqueIdListing { number, id }, None);
                    // What the client remembers is its own.
                    allocation_counter::opt_out(|| finding = Some(mail.listed(&row)));
                    match finding.unwrap() {
                        Ok(Finding::Known) => known += 1,
                        Ok(Finding::New) => new += 1,
                        other => panic!("{other:?}"),
                    }
                }
                Event::Ok { .. } | Event::End { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        out.clear();
    };
    for command in [Command::List(None), Command::Uidl(None)] {
        out.clear();
        client.send(&command, &mut out).unwrap();
        let line = out.clone();
        out.clear();
        let heap = measure(|| {
            assert!(server.next_event(&mut &line[..], &mut out).unwrap().is_some());
            server.begin("", &mut out).unwrap();
            let rows = maildrop.scan_listings().zip(maildrop.unique_id_listings());
            for (scan, unique_id) in rows {
                if command == Command::List(None) {
                    server.listing(scan, &mut out).unwrap();
                } else {
                    server.listing(unique_id, &mut out).unwrap();
                }
                if out.len() > 16 * 1024 {
                    take(&mut out, &mut client);
                }
            }
            server.end(&mut out).unwrap();
            take(&mut out, &mut client);
        });
        assert_eq!(heap.count_total, 0, "{command:?}: {heap:?}");
    }
    assert_eq!(Some(octets), maildrop.stat().octets);
    assert_eq!((known, new), (MESSAGES / 2, MESSAGES - MESSAGES / 2));
    assert_eq!(mail.gone().collect::<Vec<_>>(), [b"gone"]);

    maildrop.dele(MessageNumber::new(MESSAGES).unwrap()).unwrap();
    assert_eq!(maildrop.stat().messages, MESSAGES - 1);
}
