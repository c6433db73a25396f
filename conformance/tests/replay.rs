//! The self-check passes, and it can fail: every single octet that is changed anywhere is found, in the right line.

use pop3_conformance::chunking::Chunking;
use pop3_conformance::embedded;
use pop3_conformance::octets::escape;
use pop3_conformance::replay::{self, Effort, Failure, Side, What};
use pop3_conformance::self_check::{self, Outcome};
use pop3_conformance::session::{Kind, Session};
use pop3_conformance::subject::client::OurClient;
use pop3_conformance::subject::server::{Application, OurServer, Scripted};
use pop3_conformance::subject::{ClientSubject, Seen, ServerSubject, Trouble, Words};
use pop3_conformance::transcript::Transcript;
use pop3_proto::{Command, Incoming, Misuse, Reply, Server};

/// Enough two-point splits for most turns, and quick without optimisation too.
const SOME: Effort = Effort { splits: 300 };

fn transcript(name: &str) -> Transcript {
    let (file, text) = embedded::FILES.iter().find(|(file, _)| file.strip_suffix(".txt") == Some(name)).unwrap();
    Transcript::parse(file, text).unwrap()
}

/// The number of a line of a transcript.
fn line_of(name: &str, line: &str) -> usize {
    let (_, text) = embedded::FILES.iter().find(|(file, _)| file.strip_suffix(".txt") == Some(name)).unwrap();
    text.lines().position(|one| one == line).unwrap() + 1
}

fn session(name: &str) -> Session {
    Session::all(&transcript(name)).unwrap().remove(0)
}

fn sessions() -> Vec<Session> {
    embedded::transcripts().unwrap().iter().flat_map(|transcript| Session::all(transcript).unwrap()).collect()
}

fn misuse(misuse: Misuse) -> Trouble {
    Trouble::Refused(misuse.to_string())
}

#[test]
fn every_transcript_replays_on_both_sides_but_for_what_a_client_must_not_send() {
    let mut skipped = Vec::new();
    for transcript in embedded::transcripts().unwrap() {
        for side in [Side::Server, Side::Client] {
            let entry = self_check::check(&transcript, side, SOME).unwrap();
            match entry.outcome {
                Outcome::Passed { replayed, .. } => assert!(replayed.chunkings >= 3),
                Outcome::Failed(failure) => panic!("{failure}"),
                Outcome::Skipped(_) => skipped.push((entry.name, side)),
                Outcome::Unexpected(why) => panic!("{} on the {side}: {why}", entry.name),
            }
        }
    }
    assert_eq!(skipped, [("rfc2595-04-stls-again".to_owned(), Side::Client)]);
}

#[test]
fn every_two_point_split_of_a_turn_is_replayed() {
    let session = session("rfc1939-05-noop");
    // 3, and n(n-1)/2 of "NOOP\r\n"; pipelined 2, and those of all that is said.
    let said = b"USER mrose\r\nPASS secret\r\nNOOP\r\n".len();
    let expected = 3 + 6 * 5 / 2 + 2 + said * (said - 1) / 2;
    assert_eq!(replay::our_server(&session, Effort::FULL).unwrap().chunkings, expected);
    // "+OK\r\n"
    assert_eq!(replay::our_client(&session, Effort::FULL).unwrap().chunkings, 3 + 5 * 4 / 2);
}

// --- Octets that change on the way ---------------------------------------------------------------------------------

/// A server behind a wire that changes one of the octets it sends.
struct TamperedServer<S> {
    inner: S,
    /// How many octets are still to be sent before the one that changes.
    left: usize,
}

impl<S> TamperedServer<S> {
    fn tamper(&mut self, sent: &mut [u8]) {
        if let Some(octet) = sent.get_mut(self.left) {
            *octet ^= 1;
        }
        self.left = self.left.checked_sub(sent.len()).unwrap_or(usize::MAX);
    }
}

impl<S: ServerSubject> ServerSubject for TamperedServer<S> {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
        let start = out.len();
        let result = self.inner.receive(octets, out);
        self.tamper(&mut out[start..]);
        result
    }

    fn tls_established(&mut self) -> Result<(), Trouble> {
        self.inner.tls_established()
    }

    fn words(&self) -> Words {
        self.inner.words()
    }
}

#[test]
fn each_octet_that_a_server_sends_wrongly_is_found_where_it_stands() {
    let mut found = 0;
    for session in sessions() {
        let own_words = replay::our_server(&session, Effort::LITTLE).unwrap().own_words > 0;
        let config = OurServer::<Scripted<'_>>::config(&session.settings).unwrap();
        let mut before = 0;
        for exchange in session.exchanges() {
            let turn = &exchange.server;
            for offset in 0..turn.octets.len() {
                // Where the words are the server's own, other words are no fault.
                if own_words && turn.is_printed() {
                    continue;
                }
                let failure = replay::server(&session, Effort::LITTLE, |chunking, out| {
                    let scripted = Scripted::new(&session, chunking);
                    let inner = OurServer::new(config.clone(), &session, scripted, out)?;
                    let mut subject = TamperedServer { inner, left: before + offset };
                    subject.tamper(out);
                    Ok(subject)
                })
                .unwrap_err();
                assert_eq!((failure.line, failure.offset), (turn.line(offset), offset), "{failure}");
                assert_eq!((failure.side, &failure.what), (Side::Server, &What::Sent));
                found += 1;
            }
            before += turn.octets.len();
        }
    }
    assert!(found > 5000, "{found}");
}

/// A client behind a wire that changes one octet of what it sends or receives.
struct TamperedClient {
    inner: OurClient,
    sent: Option<usize>,
    received: Option<usize>,
}

/// Changes the octet once it comes.
fn tamper(left: &mut Option<usize>, octets: &mut [u8]) {
    if let Some(before) = *left {
        if let Some(octet) = octets.get_mut(before) {
            *octet ^= 1;
        }
        *left = before.checked_sub(octets.len());
    }
}

impl ClientSubject for TamperedClient {
    fn send(&mut self, line: &[u8], kind: Kind, out: &mut Vec<u8>) -> Result<(), Trouble> {
        let start = out.len();
        let result = self.inner.send(line, kind, out);
        tamper(&mut self.sent, &mut out[start..]);
        result
    }

    fn receive(&mut self, octets: &[u8], seen: &mut Vec<Seen>) -> Result<(), Trouble> {
        let mut octets = octets.to_vec();
        tamper(&mut self.received, &mut octets);
        self.inner.receive(&octets, seen)
    }

    fn tls_established(&mut self) -> Result<(), Trouble> {
        self.inner.tls_established()
    }
}

fn tampered_client(session: &Session, sent: Option<usize>, received: Option<usize>) -> Box<Failure> {
    let config = OurClient::config(&session.settings);
    let start = || TamperedClient { inner: OurClient::new(config.clone(), &session.settings), sent, received };
    replay::client(session, Effort::LITTLE, start).unwrap_err()
}

fn playable_by_a_client() -> impl Iterator<Item = Session> {
    sessions().into_iter().filter(|session| session.name != "rfc2595-04-stls-again")
}

#[test]
fn each_octet_that_a_client_sends_wrongly_is_found_where_it_stands() {
    let mut found = 0;
    for session in playable_by_a_client() {
        let mut before = 0;
        for turn in session.exchanges().filter_map(|exchange| exchange.client.as_ref()).map(|said| &said.turn) {
            for offset in 0..turn.octets.len() {
                let failure = tampered_client(&session, Some(before + offset), None);
                assert_eq!((failure.line, failure.offset), (turn.line(offset), offset), "{failure}");
                assert_eq!((failure.side, &failure.what), (Side::Client, &What::Sent));
                found += 1;
            }
            before += turn.octets.len();
        }
    }
    assert!(found > 1500, "{found}");
}

#[test]
fn each_octet_that_a_client_sees_otherwise_is_found_in_its_line() {
    let mut found = 0;
    for session in playable_by_a_client() {
        let mut before = 0;
        for exchange in session.exchanges() {
            let turn = &exchange.server;
            for offset in 0..turn.octets.len() {
                let failure = tampered_client(&session, None, Some(before + offset));
                assert_eq!(failure.line, turn.line(offset), "octet {offset} of {}: {failure}", escape(&turn.octets));
                assert!(matches!(failure.what, What::Seen | What::Error(_)), "{failure}");
                found += 1;
            }
            before += turn.octets.len();
        }
    }
    assert!(found > 5000, "{found}");
}

/// A server that hears one octet of the client wrongly.
struct HardOfHearing<S> {
    inner: S,
    left: Option<usize>,
}

impl<S: ServerSubject> ServerSubject for HardOfHearing<S> {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
        let mut octets = octets.to_vec();
        tamper(&mut self.left, &mut octets);
        self.inner.receive(&octets, out)
    }

    fn tls_established(&mut self) -> Result<(), Trouble> {
        self.inner.tls_established()
    }

    fn words(&self) -> Words {
        self.inner.words()
    }
}

#[test]
fn each_octet_that_a_server_hears_wrongly_is_found_or_answered_in_its_own_words() {
    for session in sessions() {
        let usual = replay::our_server(&session, Effort::LITTLE).unwrap().own_words;
        let config = OurServer::<Scripted<'_>>::config(&session.settings).unwrap();
        let mut before = 0;
        for said in session.exchanges().filter_map(|exchange| exchange.client.as_ref()) {
            for offset in 0..said.turn.octets.len() {
                let result = replay::server(&session, Effort::LITTLE, |chunking, out| {
                    let scripted = Scripted::new(&session, chunking);
                    let inner = OurServer::new(config.clone(), &session, scripted, out)?;
                    Ok(HardOfHearing { inner, left: Some(before + offset) })
                });
                match result {
                    Err(_) => {}
                    // The self-check allows that for the transcripts that are refused by the server itself alone.
                    Ok(done) => assert!(
                        done.own_words > usual || usual > 0,
                        "{}: octet {offset} of {} was changed",
                        session.name,
                        escape(&said.turn.octets)
                    ),
                }
            }
            before += said.turn.octets.len();
        }
    }
}

// --- Transcripts that were edited ----------------------------------------------------------------------------------

/// Replays the transcript with one line edited; the server's application has the original.
fn edited(name: &str, line: &str, by: &str) -> (usize, Box<Failure>) {
    let (file, text) = embedded::FILES.iter().find(|(file, _)| file.strip_suffix(".txt") == Some(name)).unwrap();
    let number = line_of(name, line);
    let edited = text.replacen(&format!("\n{line}\n"), &format!("\n{by}\n"), 1);
    assert_ne!(*text, edited);
    let edited = Session::all(&Transcript::parse(file, &edited).unwrap()).unwrap().remove(0);
    let original = session(name);
    let config = OurServer::<Scripted<'_>>::config(&original.settings).unwrap();
    let failure = replay::server(&edited, SOME, |chunking, out| {
        OurServer::new(config.clone(), &original, Scripted::new(&original, chunking), out)
    })
    .unwrap_err();
    (number, failure)
}

#[test]
fn a_transcript_edited_by_one_octet_fails_there() {
    for (name, line, by, offset) in [
        ("rfc1939-10-session", "C: RETR 1", "C: RETR 2", 5),
        ("rfc1939-05-stat", "S: +OK 2 320", "S: +0K 2 320", 1),
        ("rfc1939-05-stat", "S: +OK 2 320", "S: +OK 2 321", 8),
        ("rfc1939-05-list-all", "S: 2 200", "S: 2 201", "+OK 2 messages (320 octets)\r\n1 120\r\n2 20".len()),
        ("rfc1939-07-uidl-all", "S: 2 QhdPYR:00WBw1Ph7x7", "S: 2 QhdPYR:00WBw1Ph7x8", 52),
        ("rfc6856-3.3-lang-list", "S: de Deutsch", "S: de Deutsch.", 89),
        ("rfc5034-06-plain-empty-challenge", "S: +\\x20", "S: +", 1),
    ] {
        let (number, failure) = edited(name, line, by);
        assert_eq!((failure.line, failure.offset), (number, offset), "{failure}");
    }
}

#[test]
fn a_message_of_another_size_fails_within_the_message() {
    let (file, text) = embedded::FILES.iter().find(|(file, _)| *file == "rfc1939-05-retr.txt").unwrap();
    let edited = text.replace("#1 = 120 octets", "#1 = 121 octets");
    let edited = Session::all(&Transcript::parse(file, &edited).unwrap()).unwrap().remove(0);
    let original = session("rfc1939-05-retr");
    let config = OurServer::<Scripted<'_>>::config(&original.settings).unwrap();
    let failure = replay::server(&edited, SOME, |chunking, out| {
        OurServer::new(config.clone(), &original, Scripted::new(&original, chunking), out)
    })
    .unwrap_err();
    let elided = text.lines().position(|line| line.starts_with("S~")).unwrap() + 1;
    assert_eq!((failure.line, &failure.what), (elided, &What::Sent), "{failure}");
}

#[test]
fn a_number_that_is_none_fails_on_both_sides() {
    let text = "# start-state: TRANSACTION\n# end-state: TRANSACTION\n\nC: STAT\nS: +OK 2 32O\n";
    let session = Session::all(&Transcript::parse("t.txt", text).unwrap()).unwrap().remove(0);
    let failure = replay::our_server(&session, SOME).unwrap_err();
    assert!(matches!(failure.what, What::Refused(_)), "{failure}");
    assert_eq!(failure.line, 5);
    let failure = replay::our_client(&session, SOME).unwrap_err();
    assert_eq!((failure.line, failure.what), (5, What::Seen));
}

#[test]
fn a_wrong_end_state_is_found() {
    let text = "# start-state: TRANSACTION\n# end-state: CLOSED\n\nC: NOOP\nS: +OK\n";
    let session = Session::all(&Transcript::parse("t.txt", text).unwrap()).unwrap().remove(0);
    assert_eq!(replay::our_server(&session, SOME).unwrap_err().what, What::Place);
    assert_eq!(replay::our_client(&session, SOME).unwrap_err().what, What::Place);
}

// --- Subjects that are wrong ---------------------------------------------------------------------------------------

/// Answers one kind of command wrongly, and the others by the script.
struct Wrong<'s, F> {
    scripted: Scripted<'s>,
    wrong: F,
}

impl<F> Application for Wrong<'_, F>
where
    F: FnMut(&Incoming<'_>, &mut Server, &mut Vec<u8>) -> Option<Result<(), Misuse>>,
{
    fn answer(&mut self, incoming: &Incoming<'_>, server: &mut Server, out: &mut Vec<u8>) -> Result<(), Trouble> {
        match (self.wrong)(incoming, server, out) {
            Some(result) => result.map_err(misuse),
            None => self.scripted.answer(incoming, server, out),
        }
    }
}

fn with_wrong_application(
    name: &str,
    wrong: impl Fn(&Incoming<'_>, &mut Server, &mut Vec<u8>) -> Option<Result<(), Misuse>> + Copy,
) -> Box<Failure> {
    let session = session(name);
    let config = OurServer::<Scripted<'_>>::config(&session.settings).unwrap();
    replay::server(&session, SOME, |chunking, out| {
        let application = Wrong { scripted: Scripted::new(&session, chunking), wrong };
        OurServer::new(config.clone(), &session, application, out)
    })
    .unwrap_err()
}

#[test]
fn an_application_that_answers_wrongly_is_caught() {
    let other_number = with_wrong_application("rfc1939-05-stat", |incoming, server, out| match incoming {
        Incoming::Command(Command::Stat) => Some(server.reply(&Reply::drop_listing(2, 319), out)),
        _ => None,
    });
    assert_eq!((other_number.line, other_number.offset), (line_of("rfc1939-05-stat", "S: +OK 2 320"), "+OK 2 3".len()));

    let another_status = with_wrong_application("rfc1939-05-list-missing", |incoming, server, out| match incoming {
        Incoming::Command(Command::List(Some(number))) => Some(server.reply(&Reply::scan_listing(*number, 1), out)),
        _ => None,
    });
    assert_eq!(
        (another_status.line, another_status.offset),
        (line_of("rfc1939-05-list-missing", "S: -ERR no such message, only 2 messages in maildrop"), 0)
    );

    let a_row_less = with_wrong_application("rfc1939-05-list-all", |incoming, server, out| match incoming {
        Incoming::Command(Command::List(None)) => {
            Some(server.begin("2 messages (320 octets)", out).and_then(|()| server.end(out)))
        }
        _ => None,
    });
    assert_eq!((a_row_less.line, a_row_less.what), (line_of("rfc1939-05-list-all", "S: 1 120"), What::Sent));

    let no_message = with_wrong_application("rfc1939-10-session", |incoming, server, out| match incoming {
        Incoming::Command(Command::Retr(_)) => Some(server.begin("120 octets", out).and_then(|()| server.end(out))),
        _ => None,
    });
    assert_eq!(
        (no_message.line, no_message.offset),
        (line_of("rfc1939-10-session", "S~ <the POP3 server sends message 1>"), "+OK 120 octets\r\n".len())
    );
    assert!(no_message.to_string().contains("Subject: dots\\r\\n"), "{no_message}");
}

#[test]
fn an_application_that_does_not_answer_is_caught() {
    let silent = with_wrong_application("rfc1939-05-noop", |incoming, _, _| match incoming {
        Incoming::Command(Command::Noop) => Some(Ok(())),
        _ => None,
    });
    assert_eq!((silent.line, silent.offset, silent.got), (line_of("rfc1939-05-noop", "S: +OK"), 0, Vec::new()));

    let unfinished = with_wrong_application("rfc1939-07-uidl-all", |incoming, server, out| match incoming {
        Incoming::Command(Command::Uidl(None)) => Some(server.begin("", out)),
        _ => None,
    });
    assert_eq!(
        (unfinished.line, unfinished.what),
        (line_of("rfc1939-07-uidl-all", "S: 1 whqtswO00WBw418f9t5JxYwZ"), What::Sent)
    );
}

/// A client that takes the end of a message for its last line, if a read begins there.
struct LosesTheEndAtACut(OurClient);

impl ClientSubject for LosesTheEndAtACut {
    fn send(&mut self, line: &[u8], kind: Kind, out: &mut Vec<u8>) -> Result<(), Trouble> {
        self.0.send(line, kind, out)
    }

    fn receive(&mut self, octets: &[u8], seen: &mut Vec<Seen>) -> Result<(), Trouble> {
        if octets == b"\n.\r\n" {
            seen.push(Seen::Body(octets.to_vec()));
            return Ok(());
        }
        self.0.receive(octets, seen)
    }

    fn tls_established(&mut self) -> Result<(), Trouble> {
        self.0.tls_established()
    }
}

#[test]
fn a_fault_that_shows_at_a_single_cut_is_found_by_the_two_point_splits() {
    let session = session("rfc1939-05-retr");
    let config = OurClient::config(&session.settings);
    let start = || LosesTheEndAtACut(OurClient::new(config.clone(), &session.settings));
    assert!(replay::client(&session, Effort::LITTLE, start).is_ok(), "turns, lines and single octets do not show it");
    let failure = replay::client(&session, Effort::FULL, start).unwrap_err();
    let Chunking::Split { at: (_, second), .. } = failure.chunking else { panic!("{failure}") };
    let answer = &session.exchanges().last().unwrap().server.octets;
    assert_eq!(&answer[second..], b"\n.\r\n");
}

/// A server that takes CR for the end of a command, where a read ends there.
struct Hasty<'s> {
    inner: OurServer<'s, Scripted<'s>>,
    took_cr: bool,
}

impl ServerSubject for Hasty<'_> {
    fn receive(&mut self, octets: &[u8], out: &mut Vec<u8>) -> Result<(), Trouble> {
        let octets = if self.took_cr { octets.strip_prefix(b"\n").unwrap_or(octets) } else { octets };
        self.took_cr = octets.len() > 1 && octets.ends_with(b"\r");
        self.inner.receive(octets, out)?;
        if self.took_cr { self.inner.receive(b"\n", out) } else { Ok(()) }
    }

    fn tls_established(&mut self) -> Result<(), Trouble> {
        self.inner.tls_established()
    }
}

#[test]
fn an_answer_to_half_a_line_is_early() {
    let session = session("rfc1939-05-stat");
    let config = OurServer::<Scripted<'_>>::config(&session.settings).unwrap();
    let failure = replay::server(&session, Effort::FULL, |chunking, out| {
        let inner = OurServer::new(config.clone(), &session, Scripted::new(&session, chunking), out)?;
        Ok(Hasty { inner, took_cr: false })
    })
    .unwrap_err();
    assert_eq!((failure.line, failure.what), (line_of("rfc1939-05-stat", "C: STAT"), What::Early));
}
