//! "splits: any cutting of the input gives the same events (adjacent bodies joined) and the same output bytes"
//! (the design's first promise). A machine that looks at where a read ends, and not at what the octets say, breaks it.

#[path = "support/machines.rs"]
mod machines;

use machines::{DIGEST, Heard, Site, Trace, Turn, every_cut, octet_by_octet, pieces, run};
use pop3_proto::{Client, Command, Config, Error, Greeting, Incoming, Quirk, Refusal, Server, Shape, State};

/// RFC 1939 §10, from the client's side.
fn rfc_1939_client() -> Vec<Turn<'static>> {
    vec![
        Turn::Server(b"+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n"),
        Turn::Send(Command::apop("mrose", DIGEST).unwrap()),
        Turn::Server(b"+OK mrose's maildrop has 2 messages (320 octets)\r\n"),
        Turn::Send(Command::Stat),
        Turn::Server(b"+OK 2 320\r\n"),
        Turn::Send(Command::List(None)),
        Turn::Server(b"+OK 2 messages (320 octets)\r\n1 120\r\n2 200\r\n.\r\n"),
        Turn::Send(Command::retr(1).unwrap()),
        Turn::Server(b"+OK 120 octets\r\nSubject: one\r\n\r\n..dot\r\n.\r\n"),
        Turn::Send(Command::dele(1).unwrap()),
        Turn::Server(b"+OK message 1 deleted\r\n"),
        Turn::Send(Command::retr(2).unwrap()),
        Turn::Server(b"+OK 200 octets\r\nSubject: two\r\n\r\nbody\r\n.\r\n"),
        Turn::Send(Command::dele(2).unwrap()),
        Turn::Server(b"+OK message 2 deleted\r\n"),
        Turn::Send(Command::Quit),
        Turn::Server(b"+OK dewey POP3 server signing off (maildrop empty)\r\n"),
        Turn::Eof,
    ]
}

/// Everything that an answer can look like, and much that it should not.
fn mixed_client() -> Vec<Turn<'static>> {
    let mut script = vec![
        Turn::Server(b"+OK\thello <not a timestamp>\r\n"),
        Turn::Send(Command::Capa),
        Turn::Server(b"+OK\r\nTOP\r\nuidl\r\nSASL X-TWO\r\n..X dotted\r\nPIPELINING\r\n\r\n.\r\n"),
        Turn::Send(Command::user("nobody").unwrap()),
        Turn::Server(b"-ERR [AUTH] sorry\r\n"),
        Turn::Send(Command::auth("X-TWO").unwrap()),
        Turn::Server(b"+\r\n"),
        Turn::Respond(b"bXJvc2U="),
        Turn::Server(b"+ who goes there?\r\n"),
        Turn::Cancel,
        Turn::Server(b"-ERR [SYS/TEMP] cancelled\r\n"),
        Turn::Send(Command::user("mrose").unwrap()),
        Turn::Server(b"+OK\r\n"),
        Turn::Send(Command::pass("tan staaf").unwrap()),
        Turn::Server(b"+OK in\r\n"),
        Turn::Send(Command::Capa),
        Turn::Server(b"+OK\nPIPELINING\r\nEXPIRE NEVER\n.\n"),
    ];
    // Commands in a batch, and their answers in one read.
    script.extend(
        [
            Command::Stat,
            Command::List(None),
            Command::Uidl(None),
            Command::Noop,
            Command::retr(1).unwrap(),
            Command::top(2, 0).unwrap(),
            Command::retr(3).unwrap(),
            Command::retr(4).unwrap(),
            Command::uidl(7).unwrap(),
            Command::list(7).unwrap(),
            Command::Rset,
        ]
        .map(Turn::Send),
    );
    script.push(Turn::Server(
        b"+OK 4 -96 x\r\n\
          +OK\r\n1 5\r\n-ERR odd\r\n3\r\n4  9 more\r\n.\r\n\
          +OK\r\n1 a\r\n2 \r\n3 b c\r\n.\r\n\
          -ERR\r\n\
          +OK 9 octets\r\n..\r\n\r..\n.\n.x\r\n.\rx\r\n.\r.\r\n\r\r\n\0\xFF\r\n.\r\n\
          +OK\r\n.\r\n\
          -ERR no such message\r\n\
          +OK\n..LF\n.\r\n\
          +OK 7 an-id\r\n\
          +OK 7 x\r\n\
          +OK done\r\n",
    ));
    script.extend([
        Turn::Send(Command::other("XTND XLST", Shape::MultiLine).unwrap()),
        Turn::Server(b"+OK\r\n..\r\nanything\r\n\r\n.\r\n"),
        Turn::Send(Command::Quit),
        Turn::Server(b"-ERR some deleted messages not removed\r\n"),
        Turn::Eof,
    ]);
    script
}

fn mixed() -> Client {
    Client::with_config(Config::new().allow_cleartext_login())
}

fn apop() -> Client {
    Client::with_config(Config::new().allow_cleartext_login().allow_apop_md5())
}

/// Whole turns, octet by octet, and every two points of every turn. (Nothing is held back between turns, so that two
/// cuts in two turns are two tests of one cut.)
fn holds_for_every_cut(client: fn() -> Client, script: &[Turn<'_>]) -> Trace {
    let whole = run(client(), script, |_, _| vec![]);
    assert_eq!(run(client(), script, |_, octets| octet_by_octet(octets)), whole, "octet by octet");
    let turns = script.iter().filter_map(|turn| match turn {
        Turn::Server(octets) => Some(octets.len()),
        _ => None,
    });
    for (turn, length) in turns.enumerate() {
        for cuts in every_cut(length) {
            let cut = run(client(), script, |at, _| if at == turn { cuts.clone() } else { vec![] });
            assert_eq!(cut, whole, "turn {turn} cut at {cuts:?}");
        }
    }
    whole
}

#[test]
fn a_client_hears_the_session_of_rfc_1939_alike_at_every_cut() {
    let trace = holds_for_every_cut(apop, &rfc_1939_client());
    assert_eq!(trace.heard.last(), Some(&Heard::Eof));
    assert_eq!(trace.state, State::Closed);
    assert!(trace.heard.contains(&Heard::Body(b"Subject: one\r\n\r\n.dot\r\n".to_vec())));
    assert_eq!(
        trace.out,
        b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\nSTAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n"
    );
}

#[test]
fn a_client_hears_a_mixed_session_alike_at_every_cut() {
    let whole = holds_for_every_cut(mixed, &mixed_client());
    assert!(!whole.heard.iter().any(|heard| matches!(heard, Heard::Error(_) | Heard::Misuse(_))), "{whole:#?}");
    assert_eq!(whole.heard.last(), Some(&Heard::Eof));
    let body = b".\r\n\r..\n.\n.x\r\n\rx\r\n\r.\r\n\r\r\n\0\xFF\r\n";
    assert!(whole.heard.contains(&Heard::Body(body.to_vec())), "{whole:#?}");
    assert!(whole.heard.contains(&Heard::Body(b".LF\n".to_vec())));
    for quirk in [Quirk::StatusTab, Quirk::BareLf, Quirk::BarePlus, Quirk::TextChallenge, Quirk::MissingStuffing] {
        assert!(whole.quirks.contains(quirk), "{quirk:?}");
    }
}

#[test]
fn octets_behind_a_session_give_the_same_error_at_every_cut() {
    for trailing in [&b"+OK"[..], b"x", b"-ERR bye\r\n", b"\r\n"] {
        let last = [b"+OK bye\r\n", trailing].concat();
        let mut script = rfc_1939_client();
        script.truncate(script.len() - 2);
        script.push(Turn::Server(&last));
        let trace = holds_for_every_cut_of_the_last(&script, &last);
        assert_eq!(trace.heard.last(), Some(&Heard::Error(Error::Unsolicited)));
    }
    // Between commands there is one thing that a server may say unasked.
    for (trailing, ends_in_error) in
        [(&b"-ERR idle too long\r\n"[..], false), (b"-ERR idle\r\nx", true), (b"+OK\r\n", true)]
    {
        let last = [b"+OK 2 320\r\n", trailing].concat();
        let mut script = rfc_1939_client();
        script.truncate(4);
        script.push(Turn::Server(&last));
        let trace = holds_for_every_cut_of_the_last(&script, &last);
        let error = trace.heard.last() == Some(&Heard::Error(Error::Unsolicited));
        assert_eq!(error, ends_in_error, "{:?}", trace.heard);
    }
}

fn holds_for_every_cut_of_the_last(script: &[Turn<'_>], last: &[u8]) -> Trace {
    let turns = script.iter().filter(|turn| matches!(turn, Turn::Server(_))).count();
    let whole = run(apop(), script, |_, _| vec![]);
    for cuts in every_cut(last.len()) {
        let cut = run(apop(), script, |at, _| if at + 1 == turns { cuts.clone() } else { vec![] });
        assert_eq!(cut, whole, "cut at {cuts:?}");
    }
    whole
}

const MESSAGES: [&[u8]; 2] = [b"Subject: one\r\n\r\n.dot\r\n..\r\n", b".first\r\n\r\nbody\r\nmore\r\n"];

/// What a server made of octets: what the application saw, what was written, and the error if there was one.
fn serve(octets: &[u8], cuts: &[usize]) -> (Vec<Incoming<'static>>, Vec<u8>, Option<Error>, Option<Vec<usize>>) {
    let mut site = Site::new(&MESSAGES);
    let (mut seen, mut out) = (vec![], vec![]);
    let greeting = Greeting::text("POP3 server ready").unwrap().with_timestamp(machines::TIMESTAMP).unwrap();
    let mut server = Server::new(machines::everything().command_line(60), greeting, &mut out);
    let error =
        pieces(octets, cuts).into_iter().find_map(|piece| site.serve(&mut server, piece, &mut seen, &mut out).err());
    (seen, out, error, site.removed)
}

fn serves_alike(octets: &[u8]) -> (Vec<Incoming<'static>>, Vec<u8>, Option<Error>, Option<Vec<usize>>) {
    let whole = serve(octets, &[]);
    for cuts in every_cut(octets.len()) {
        assert_eq!(serve(octets, &cuts), whole, "cut at {cuts:?}");
    }
    whole
}

#[test]
fn a_server_serves_the_session_of_rfc_1939_alike_at_every_cut() {
    let commands = b"APOP mrose c4c9334bac560ecc979e58001b3e22fb\r\nSTAT\r\nLIST\r\nRETR 1\r\nDELE 1\r\nRETR 2\r\nDELE 2\r\nQUIT\r\n";
    let (seen, out, error, removed) = serves_alike(commands);
    assert_eq!((seen.len(), error, removed), (8, None, Some(vec![0, 1])));
    assert_eq!(
        String::from_utf8(out).unwrap(),
        "+OK POP3 server ready <1896.697170952@dbc.mtview.ca.us>\r\n\
         +OK mrose's maildrop is open\r\n\
         +OK 2 48\r\n\
         +OK scan listing follows\r\n1 26\r\n2 22\r\n.\r\n\
         +OK message follows\r\nSubject: one\r\n\r\n..dot\r\n...\r\n.\r\n\
         +OK message deleted\r\n\
         +OK message follows\r\n..first\r\n\r\nbody\r\nmore\r\n.\r\n\
         +OK message deleted\r\n\
         +OK POP3 server signing off\r\n"
    );
}

#[test]
fn a_server_serves_a_mixed_session_alike_at_every_cut() {
    let commands = b"CAPA\r\nPASS x\r\nAUTH X-TWO\r\nbXJvc2U=\r\n*\r\nUSER mrose\r\nPASS tanstaaf\r\n\
        RETR\r\nNO\0OP\r\nxyzzy\r\nTOP 1 0\r\nLIST 3\r\n\nNOOP\r\n\r\nDELE 2\r\nRSET\r\nLANG\r\nUIDL 1\r\n";
    let (seen, _, error, removed) = serves_alike(commands);
    assert_eq!((seen.len(), error, removed), (18, None, None), "{seen:#?}");
    assert!(seen.contains(&Incoming::Cancelled));
}

#[test]
fn a_server_refuses_what_is_too_long_alike_at_every_cut() {
    let commands = [b"NOOP ", &[b'x'; 60][..], b"\nQUIT\rQUIT\r\nCAPA\r\nQUIT\r\nSTAT\r\n"].concat();
    let (seen, _, error, removed) = serves_alike(&commands);
    assert_eq!((seen.len(), error, removed), (3, None, None), "{seen:#?}");
    assert!(matches!(seen[0], Incoming::Refused { refusal: Refusal::TooLong, .. }));
}

#[test]
fn octets_behind_quit_are_left_alone_at_every_cut() {
    let session = b"USER mrose\r\nPASS tanstaaf\r\nDELE 1\r\nQUIT\r\n";
    let (seen, said, ..) = serve(session, &[]);
    for trailing in [&b"RSET\r\nDELE 2\r\nQUIT\r\n"[..], b"x", b"\r\n", b"xyzzy\r\n"] {
        let all = serves_alike(&[&session[..], trailing].concat());
        assert_eq!(all, (seen.clone(), said.clone(), None, Some(vec![0])));
    }
}
