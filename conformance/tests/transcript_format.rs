//! The transcript format: every embedded file is one, and what is none is refused with its line and reason.

use pop3_conformance::embedded;
use pop3_conformance::session::{Kind, Session, Step};
use pop3_conformance::transcript::{Content, Fault, Stage, Transcript};

const HEAD: &str = "# start-state: TRANSACTION\n# end-state: TRANSACTION\n\n";

fn parse(dialogue: &str) -> Result<Transcript, (usize, Fault)> {
    Transcript::parse("t.txt", &format!("{HEAD}{dialogue}")).map_err(|error| (error.line, error.fault))
}

fn session(dialogue: &str) -> Result<Session, (usize, Fault)> {
    let mut all = Session::all(&parse(dialogue)?).map_err(|error| (error.line, error.fault))?;
    Ok(all.remove(0))
}

#[test]
fn every_file_of_the_directory_is_embedded_parses_and_makes_a_session() {
    let mut files: Vec<_> = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/transcripts"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    files.sort();
    let mut embedded: Vec<_> = embedded::FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
    embedded.sort();
    assert_eq!(files, embedded);

    for transcript in embedded::transcripts().unwrap() {
        let sessions = Session::all(&transcript).unwrap();
        assert_eq!(sessions.len(), transcript.header.start.len());
        for session in sessions {
            let printed = session.exchanges().filter(|exchange| exchange.server.is_printed()).count();
            assert!(printed > 0, "{}", transcript.name);
        }
        assert!(!transcript.header.shows.is_empty() && transcript.header.source.starts_with("RFC "));
    }
}

#[test]
fn the_example_session_of_rfc_1939_is_read_line_by_line() {
    let transcripts = embedded::transcripts().unwrap();
    let transcript = transcripts.iter().find(|transcript| transcript.name == "rfc1939-10-session").unwrap();
    assert_eq!(transcript.header.start[0].state, Stage::Connect);
    assert_eq!(transcript.header.end.unwrap().state, Stage::Closed);
    let session = Session::all(transcript).unwrap().remove(0);
    let said: Vec<_> = session
        .exchanges()
        .filter_map(|exchange| exchange.client.as_ref())
        .map(|said| String::from_utf8_lossy(said.line()).into_owned())
        .collect();
    assert_eq!(
        said,
        ["APOP mrose c4c9334bac560ecc979e58001b3e22fb", "STAT", "LIST", "RETR 1", "DELE 1", "RETR 2", "DELE 2", "QUIT"]
    );
    let messages: Vec<_> = session.exchanges().filter_map(|exchange| exchange.message.as_ref()).map(Vec::len).collect();
    assert_eq!(messages, [120, 200]);
    assert!(session.settings.apop && session.settings.cleartext_login && !session.settings.tls);
}

#[test]
fn what_leads_to_the_start_state_is_put_before_and_is_not_printed() {
    let session = session("C: NOOP\nS: +OK\n").unwrap();
    let said: Vec<_> =
        session.exchanges().map(|exchange| exchange.client.as_ref().map(|said| said.verb.clone())).collect();
    assert_eq!(said, [None, Some("USER".into()), Some("PASS".into()), Some("NOOP".into())]);
    let lines: Vec<_> = session.exchanges().map(|exchange| exchange.server.line(0)).collect();
    assert_eq!(lines, [0, 0, 0, 5]);
}

#[test]
fn a_continuation_adds_to_the_line_without_a_separator() {
    let transcript = parse("C: AB\nC| CD\nS: +O\nS| K\n").unwrap();
    assert_eq!(transcript.lines[0].content, Content::Client(b"ABCD".to_vec()));
    assert_eq!(transcript.lines[1].content, Content::Server(b"+OK".to_vec()));
    assert_eq!((transcript.lines[0].number, transcript.lines[1].number), (4, 6));
}

#[test]
fn any_octet_can_be_written_and_an_empty_line_too() {
    let transcript = parse("C:\nS: +\\x20\nC: \\x00\\xff\\\\x41\nS: +OK \n").unwrap();
    let contents: Vec<_> = transcript.lines.into_iter().map(|line| line.content).collect();
    assert_eq!(
        contents,
        [
            Content::Client(Vec::new()),
            Content::Server(b"+ ".to_vec()),
            Content::Client(b"\x00\xff\\x41".to_vec()),
            Content::Server(b"+OK ".to_vec()),
        ]
    );
}

#[test]
fn a_response_to_a_challenge_is_no_command() {
    let text =
        "# start-state: CONNECT\n# end-state: TRANSACTION\n\nS: +OK\nC: AUTH PLAIN\nS: +\\x20\nC: STAT\nS: +OK\n";
    let session = Session::all(&Transcript::parse("t.txt", text).unwrap()).unwrap().remove(0);
    let kinds: Vec<_> =
        session.exchanges().filter_map(|exchange| exchange.client.as_ref()).map(|said| said.kind).collect();
    assert_eq!(kinds, [Kind::Command, Kind::Response]);
    assert!(!session.can_be_pipelined());
}

#[test]
fn the_handshake_is_a_step_of_its_own_unless_tls_is_on_already() {
    let steps = |name: &str| {
        let (file, text) = embedded::FILES.iter().find(|(file, _)| file.starts_with(name)).unwrap();
        Session::all(&Transcript::parse(file, text).unwrap()).unwrap().remove(0).steps
    };
    assert!(steps("rfc2595-04-stls.txt").contains(&Step::Tls));
    assert!(!steps("rfc5034-06-plain-empty-challenge").contains(&Step::Tls));
}

#[test]
fn what_is_wrong_with_the_header_is_said_with_its_line() {
    for (text, line, fault) in [
        ("", 0, Fault::NoEmptyLine),
        ("C: NOOP\n", 1, Fault::NoEmptyLine),
        ("# start-state: CONNECT\n", 0, Fault::NoEmptyLine),
        ("#start-state: CONNECT\n\n", 1, Fault::HeaderSyntax),
        ("# start-state CONNECT\n\n", 1, Fault::HeaderSyntax),
        ("# colour: red\n\n", 1, Fault::UnknownKey("colour".into())),
        ("# needs: a\n# needs: b\n\n", 2, Fault::RepeatedKey("needs".into())),
        ("# start-state: ASLEEP\n\n", 1, Fault::UnknownState("ASLEEP".into())),
        ("# start-state: CLOSED\n\n", 1, Fault::UnknownState("CLOSED".into())),
        (
            "# start-state: AUTHORIZATION and TRANSACTION\n\n",
            1,
            Fault::UnknownState("AUTHORIZATION and TRANSACTION".into()),
        ),
        ("# end-state: CLOSED\n\nC: QUIT\n", 0, Fault::MissingKey("start-state")),
        ("# start-state: CONNECT\n\nS: +OK\n", 0, Fault::MissingKey("end-state")),
        (HEAD, 0, Fault::NoDialogue),
    ] {
        let error = Transcript::parse("t.txt", text).unwrap_err();
        assert_eq!((error.line, &error.fault), (line, &fault), "{text:?}");
        assert!(error.to_string().starts_with("t.txt:"), "{error}");
    }
}

#[test]
fn what_is_wrong_with_a_line_is_said_with_its_number() {
    for (dialogue, line, fault) in [
        ("C: NOOP\nX: +OK\n", 5, Fault::UnknownLine),
        ("C: NOOP\n\nS: +OK\n", 5, Fault::UnknownLine),
        ("c: NOOP\n", 4, Fault::UnknownLine),
        ("é: NOOP\n", 4, Fault::UnknownLine),
        ("!tlsnow\n", 4, Fault::UnknownLine),
        ("C:NOOP\n", 4, Fault::MissingSpace),
        ("C| NOOP\n", 4, Fault::NothingToContinue),
        ("C: NOOP\nS| x\n", 5, Fault::NothingToContinue),
        ("C: a\\n\n", 4, Fault::Escape),
        ("C: a\\x4\n", 4, Fault::Escape),
        ("C: a\\x+4\n", 4, Fault::Escape),
        ("C: a\\\n", 4, Fault::Escape),
        ("C: a\tb\n", 4, Fault::Character('\t')),
        ("C: \u{e9}\n", 4, Fault::Character('\u{e9}')),
    ] {
        assert_eq!(parse(dialogue).unwrap_err(), (line, fault), "{dialogue:?}");
    }
}

#[test]
fn a_dialogue_that_makes_no_session_is_refused() {
    for (dialogue, line, fault) in [
        ("S: +OK\n", 4, Fault::Unasked),
        ("C: NOOP\nC: NOOP\nS: +OK\n", 4, Fault::Unanswered),
        ("C: NOOP\nS: +OK\nC: STAT\n", 6, Fault::Unanswered),
        ("C: LIST\nS: +OK\nS: 1 120\n", 6, Fault::NoTermination),
        ("C: LIST\nS: +OK\nS: 1 120\nC: STAT\nS: +OK 1 120\n", 6, Fault::NoTermination),
        ("C: LIST\nS: +OK\nS: .\nS: 1 120\n", 7, Fault::BehindTermination),
        ("S~ <octets>\n", 4, Fault::Unasked),
        ("C: LIST\nS: +OK\nS~ <octets>\nS: .\n", 6, Fault::NoMessageHere),
        ("C: RETR 0\nS: +OK\nS~ <octets>\nS: .\n", 6, Fault::NoSuchFixture),
        ("C: RETR x\nS: +OK\nS~ <octets>\nS: .\n", 6, Fault::NoSuchFixture),
    ] {
        assert_eq!(session(dialogue).unwrap_err(), (line, fault), "{dialogue:?}");
    }
    let with =
        |entry: &str| Transcript::parse("t.txt", &format!("# {entry}\n{HEAD}C: RETR 1\nS: +OK\nS~\nS: .\n")).unwrap();
    let fault = |entry: &str| Session::all(&with(entry)).unwrap_err().fault;
    assert_eq!(fault("maildrop: #1 = 1 octet"), Fault::FixtureSize(1));
    assert!(matches!(fault("setup: STAT"), Fault::Setup(_)));
    assert!(Session::all(&with("maildrop: #1 = 5000 octets")).is_ok());
}
