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
    Server, Shape, State, Support, UniqueIdListing,
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
    // Message text and scan listings have no words; nor has a bare "+OK".
    let more =
        [("RETR 1", "+OK\r\nx\r\n..\r\n.\r\n", 0), ("LIST", "+OK\r\n1 27\r\n2 27\r\n.\r\n", 0), ("NOOP", "+OK\r\n", 0)];
    let dialogues = ROUND.iter().map(|(line, answer)| (*line, *answer, 1)).chain(more);
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

/// What one cut of a line costs, for every place where it can be cut; `say` is given the pieces.
fn each_cut(line: &[u8], mut say: impl FnMut(&[&[u8]])) -> Vec<u64> {
    let ends = (1..line.len()).map(|cut| line.split_at(cut));
    ends.map(|(front, back)| measure(|| say(&[front, back])).count_total).collect()
}

#[test]
fn the_texts_of_an_answer_that_is_cut_share_one_buffer() {
    let other = |line| Command::other(line, Shape::MultiLine).unwrap();
    let answers = [
        (Command::Noop, "+OK [X-CODE/A] and some words\r\n"),
        (Command::Noop, "-ERR [X-CODE/A] and some words\r\n"),
        (Command::Noop, &format!("-ERR [X-CODE/A] {}\r\n", "word ".repeat(60))),
        (Command::Noop, "-ERR [IN-USE] a code that is known\r\n"),
        (Command::uidl(3).unwrap(), "+OK 3 id-2\r\n"),
        (Command::uidl(3).unwrap(), "+OK [X-CODE] 3 id-2\r\n"),
        (Command::uidl(3).unwrap(), "+OK no unique-id at all\r\n"),
        (Command::list(2).unwrap(), "+OK [X-CODE] 2 26 octets\r\n"),
        (Command::retr(1).unwrap(), "+OK [X-CODE] 5 octets\r\nx\r\n.\r\n"),
        (Command::lang("en").unwrap(), "+OK [X-CODE] en the language is English\r\n"),
        (Command::Lang(None), "+OK\r\nen English, and some words\r\n.\r\n"),
        (Command::Capa, "+OK\r\nX-TAG and some arguments\r\n.\r\n"),
        (Command::Capa, "+OK\r\nSASL PLAIN X-TWO\r\n.\r\n"),
        (Command::Capa, "+OK\r\nIMPLEMENTATION some words\r\n.\r\n"),
        (Command::Uidl(None), "+OK\r\n1 id-0\r\n.\r\n"),
        (Command::Uidl(None), "+OK\r\nno row at all\r\n.\r\n"),
        (other("XTND X"), "+OK\r\n..some words\r\n.\r\n"),
    ];
    let mut out = Vec::with_capacity(4096);
    let mut client = logged_in(Arc::new(Config::new()), &mut out);
    for (command, answer) in answers {
        let mut say = |pieces: &[&[u8]]| {
            out.clear();
            client.send(&command, &mut out).unwrap();
            for mut input in pieces.iter().copied() {
                while client.next_event(&mut input).unwrap().is_some() {}
            }
            assert_eq!(client.outstanding(), 0);
        };
        // The carry is as large as it has to be when nearly all of the answer lay in it once.
        for cut in [1, answer.len() - 1] {
            let (front, back) = answer.as_bytes().split_at(cut);
            say(&[front, back]);
        }
        let costs = each_cut(answer.as_bytes(), &mut say);
        assert!(costs.iter().all(|cost| *cost <= 1) && costs.contains(&1), "{command:?}: {answer:?}: {costs:?}");
    }
}

#[test]
fn a_challenge_a_greeting_and_a_farewell_that_are_cut_cost_one_allocation() {
    let mut out = Vec::with_capacity(4096);
    let mut client = Client::over_tls(Config::new(), Peer::Verified);
    feed(&mut client, b"+OK ready\r\n");
    let mut say = |pieces: &[&[u8]]| {
        out.clear();
        client.send(&Command::auth("X-TWO").unwrap(), &mut out).unwrap();
        assert_eq!(heard(&mut client, pieces), 1);
        client.cancel(&mut out).unwrap();
        assert_eq!(heard(&mut client, &[b"-ERR\r\n"]), 1);
    };
    say(&[b"+ ", b"UGFzc3dvcmQ6\r\n"]);
    let costs = each_cut(b"+ UGFzc3dvcmQ6\r\n", say);
    assert!(costs.iter().all(|cost| *cost == 1), "{costs:?}");

    // A greeting has nothing before it that would have left a carry: the front costs one as well.
    let greeting = format!("+OK POP3 server ready {}\r\n", machines::TIMESTAMP);
    for cut in 1..greeting.len() {
        let (mut front, mut back) = greeting.as_bytes().split_at(cut);
        let mut client = Client::new();
        assert!(measure(|| assert_eq!(client.next_event(&mut front), Ok(None))).count_total <= 1);
        let heap = measure(|| {
            let event = client.next_event(&mut back);
            assert!(matches!(event, Ok(Some(Event::Greeting { timestamp: Some(_), .. }))), "{event:?}");
        });
        assert!(heap.count_total <= 1, "cut at {cut}: {heap:?}");
    }

    let farewell = b"-ERR [X-CODE] closing, and some words\r\n";
    for cut in 1..farewell.len() {
        let mut client = logged_in(Arc::new(Config::new()), &mut out);
        client.send(&Command::Noop, &mut out).unwrap();
        heard(&mut client, &[b"+OK some words", b"\r\n"]);
        let (mut front, mut back) = farewell.split_at(cut);
        let heap = measure(|| {
            assert_eq!(client.next_event(&mut front), Ok(None));
            assert!(matches!(client.next_event(&mut back), Ok(Some(Event::Closing { code: Some(_), .. }))));
        });
        assert_eq!(heap.count_total, 1, "cut at {cut}: {heap:?}");
    }
}

/// Gives the server a line in pieces, and answers it: a challenge to AUTH, or `reply`.
fn answer(server: &mut Server, pieces: &[&[u8]], reply: &Reply<'_>, out: &mut Vec<u8>) {
    let mut events = 0;
    for mut input in pieces.iter().copied() {
        out.clear();
        while let Some(incoming) = server.next_event(&mut input, out).unwrap() {
            match incoming {
                Incoming::Auth(auth) if auth.initial_line().is_none() => server.challenge_line(b"", out).unwrap(),
                Incoming::Command(_) | Incoming::Login(_) | Incoming::Auth(_) | Incoming::Response(_) => {
                    server.reply(reply, out).unwrap();
                }
                refused => panic!("{refused:?}"),
            }
            events += 1;
        }
    }
    assert_eq!(events, 1);
}

#[test]
fn the_texts_of_a_command_that_is_cut_share_one_buffer() {
    let apop = format!("APOP mrose {}\r\n", machines::DIGEST);
    let lines = [
        ("", "XTND with some arguments\r\n"),
        ("", "LANG en\r\n"),
        // (The machine keeps the name for PASS, and has it from the same buffer.)
        ("", "USER mrose\r\n"),
        ("USER mrose", "PASS tanstaaf\r\n"),
        ("", &apop),
        ("", "AUTH X-TWO UGFzc3dvcmQ6\r\n"),
        ("AUTH X-TWO", "UGFzc3dvcmQ6\r\n"),
    ];
    let (ok, err) = (Reply::ok("").unwrap(), Reply::err("").unwrap());
    let (mut server, mut out) = (greeted(machines::everything()), Vec::with_capacity(4096));
    answer(&mut server, &[b"XTND and a line that is longer than ", b"any other\r\n"], &err, &mut out);
    for (before, line) in lines {
        for cut in 1..line.len() {
            if !before.is_empty() {
                answer(&mut server, &[before.as_bytes(), b"\r\n"], &ok, &mut out);
            }
            let (front, back) = line.as_bytes().split_at(cut);
            let heap = measure(|| answer(&mut server, &[front, back], &err, &mut out));
            assert_eq!(heap.count_total, 1, "{line:?} cut at {cut}: {heap:?}");
        }
    }
}

#[test]
#[cfg(feature = "sasl")]
fn credentials_in_base64_cost_the_same_whole_and_cut() {
    use pop3_proto::Builtin;

    let config = machines::everything().builtin_mechanisms([Builtin::Plain, Builtin::Xoauth2, Builtin::Anonymous]);
    let (mut server, mut out) = (greeted(config), Vec::with_capacity(4096));
    let err = Reply::err("").unwrap();
    let plain = "AUTH PLAIN AG1yb3NlAHRhbnN0YWFm\r\n";
    let xoauth2 = "AUTH XOAUTH2 dXNlcj1tcm9zZQFhdXRoPUJlYXJlciB0b2tlbgEB\r\n";
    answer(
        &mut server,
        &[b"XTND and a line that is as long as AUTH XOAUTH2 and what comes behind it", b"\r\n"],
        &err,
        &mut out,
    );
    for line in [plain, xoauth2, "AUTH ANONYMOUS c2lyaGM=\r\n"] {
        let whole = measure(|| answer(&mut server, &[line.as_bytes()], &err, &mut out)).count_total;
        let costs = each_cut(line.as_bytes(), |pieces| answer(&mut server, pieces, &err, &mut out));
        assert!(whole > 0 && costs.iter().all(|cost| *cost == whole), "{line:?}: {whole} and {costs:?}");
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

/// P23: what a program keeps is as large as what it counts, and not as a server likes.
#[test]
fn a_text_that_is_kept_does_not_keep_its_whole_line() {
    let mut out = Vec::with_capacity(4096);
    let mut client = logged_in(Arc::new(Config::new()), &mut out);
    client.send(&Command::Uidl(None), &mut out).unwrap();
    client.next_event(&mut &b"+OK\r\n"[..]).unwrap();
    let (row, mut ids) = ([b"1".to_vec(), vec![b' '; 8000], b"id\r\n".to_vec()].concat(), Vec::new());
    let heap = measure(|| {
        for mut part in [&row[..5], &row[5..]].repeat(1000) {
            if let Some(Event::UniqueId(row)) = client.next_event(&mut part).unwrap() {
                ids.push(row.id.into_owned());
            }
        }
    });
    assert!(ids.len() == 1000 && heap.bytes_current < 300_000, "1000 ids of 2 octets hold {heap:?}");
}
