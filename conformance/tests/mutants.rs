//! The cases catch what they are for: a toy with one mistake fails a case that the same toy passes without it.

mod toys;

use pop3_conformance::case::{Mailbox, ServerCase};
use pop3_conformance::mailbox::Mail;
use pop3_conformance::peer::house::{self, House, Our};
use pop3_conformance::peer::wire::{Endpoint, MemoryWire, Wire};
use pop3_conformance::peer::{Account, Peer, ServerPeer, Site, Upgrade};
use pop3_conformance::run::{self, Outcome, Result};
use pop3_conformance::{client_cases, server_cases};
use std::time::Duration;
use toys::Mistake;
use toys::client::ToyClient;
use toys::server::ToyServer;

fn server(mistake: Option<Mistake>) -> Vec<Result> {
    let run = |upgrade| {
        server_cases::all()
            .filter(|case| is_for_toys(case.id))
            .map(move |case| run::server(case, &ToyServer { mistake, upgrade }))
    };
    run(Upgrade::None).chain(run(Upgrade::Stls)).collect()
}

fn client(mistake: Option<Mistake>) -> Vec<Result> {
    let run = |upgrade| {
        client_cases::all()
            .filter(|case| is_for_toys(case.id))
            .map(move |case| run::client(case, &ToyClient { mistake, upgrade }))
    };
    run(Upgrade::None).chain(run(Upgrade::Stls)).collect()
}

/// The fault matrix would take the toys longer than all the rest.
fn is_for_toys(id: &str) -> bool {
    !id.starts_with("fault/")
}

/// The cases that the mistake alone fails.
fn caught(sound: &[Result], mutant: &[Result]) -> Vec<&'static str> {
    let failed = |result: &Result| matches!(result.outcome, Outcome::Fail(_) | Outcome::Warn(_));
    sound.iter().zip(mutant).filter(|(sound, mutant)| !failed(sound) && failed(mutant)).map(|(_, m)| m.id).collect()
}

#[test]
fn each_mistake_of_a_server_is_caught() {
    let sound = server(None);
    for (mistake, group) in Mistake::ALL.into_iter().zip(1..) {
        let caught = caught(&sound, &server(Some(mistake)));
        println!("{mistake:?}: {caught:?}");
        let own = format!("group/{group}/");
        assert!(caught.iter().any(|id| id.starts_with(&own)), "no case of {own} catches {mistake:?}: {caught:?}");
    }
}

#[test]
fn each_mistake_of_a_client_is_caught() {
    let sound = client(None);
    for (mistake, group) in Mistake::ALL.into_iter().zip(1..) {
        let caught = caught(&sound, &client(Some(mistake)));
        println!("{mistake:?}: {caught:?}");
        let own = format!("group/{group}/");
        assert!(caught.iter().any(|id| id.starts_with(&own)), "no case of {own} catches {mistake:?}: {caught:?}");
    }
}

/// What our own server says, with one bug planted behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Bug {
    /// A message's first dot is not stuffed.
    Stuffing,
    /// The termination octet comes without the CRLF in front of it.
    LastLineEnd,
    /// A command that comes in two pieces is answered after the first.
    Split,
    /// `-ERR` comes twice.
    Twice,
    /// QUIT is not answered.
    Quit,
}

/// Our own server with a bug.
struct Flawed {
    bug: Option<Bug>,
}

impl Peer for Flawed {
    fn name(&self) -> String {
        "memory (flawed)".to_owned()
    }

    fn is_ours(&self) -> bool {
        true
    }

    fn upgrade(&self) -> Upgrade {
        Upgrade::None
    }
}

impl ServerPeer for Flawed {
    fn may_delete(&self) -> bool {
        true
    }

    fn site(&self, case: &ServerCase) -> std::result::Result<Box<dyn Site + '_>, String> {
        let mut house = House::default();
        if let Some(set_up) = case.house {
            set_up(&mut house);
        }
        if case.mailbox == Mailbox::Empty {
            house.messages.clear();
        }
        Ok(Box::new(FlawedSite { our: Our::new(house), bug: self.bug }))
    }
}

struct FlawedSite {
    our: Our,
    bug: Option<Bug>,
}

impl Site for FlawedSite {
    fn connect(&mut self) -> std::result::Result<Box<dyn Wire>, String> {
        let mut out = Vec::new();
        let session = self.our.session(false, &mut out);
        Ok(Box::new(MemoryWire::new(FlawedSession { session, bug: self.bug }, out)))
    }

    fn account(&self) -> Account {
        house::account()
    }

    fn number(&self, mail: Mail) -> Option<u32> {
        self.our.number(mail)
    }

    fn count(&self) -> Option<u32> {
        Some(self.our.count())
    }
}

struct FlawedSession {
    session: house::Session,
    bug: Option<Bug>,
}

impl Endpoint for FlawedSession {
    fn take(&mut self, octets: &[u8], out: &mut Vec<u8>) {
        let mut said = Vec::new();
        match self.bug {
            Some(Bug::Split) if !octets.ends_with(b"\n") && !octets.starts_with(b"*") => {
                self.session.take(&[octets, b"\r\n"].concat(), &mut said);
            }
            _ => self.session.take(octets, &mut said),
        }
        let find = |part: &[u8]| said.windows(part.len()).position(|window| window == part);
        match self.bug {
            Some(Bug::Stuffing) => {
                if let Some(at) = find(b"\r\n..") {
                    said.remove(at + 2);
                }
            }
            Some(Bug::LastLineEnd) => {
                if let Some(at) = find(b"\r\n.\r\n").filter(|&at| at > 0) {
                    said.drain(at..at + 2);
                }
            }
            Some(Bug::Twice) if said.starts_with(b"-ERR") => said = said.repeat(2),
            Some(Bug::Quit) if octets.starts_with(b"QUIT") => said.clear(),
            _ => {}
        }
        out.append(&mut said);
    }

    fn handle_eof(&mut self) {
        self.session.handle_eof();
    }

    fn wants_tls(&self) -> bool {
        self.session.wants_tls()
    }

    fn tls_established(&mut self, out: &mut Vec<u8>) {
        self.session.tls_established(out);
    }

    fn is_over(&self) -> bool {
        self.session.is_over()
    }

    fn elapse(&mut self, time: Duration) {
        self.session.elapse(time);
    }
}

/// The reverse, bugs in the reader that our own machines catch, stands with the reader: `src/planted.rs`.
#[test]
fn each_bug_of_our_own_server_is_caught_by_the_naive_reader() {
    let run = |bug| -> Vec<Result> {
        let cases = server_cases::all().filter(|case| is_for_toys(case.id));
        cases.map(|case| run::server(case, &Flawed { bug })).collect()
    };
    let sound = run(None);
    assert!(!sound.iter().any(|result| matches!(result.outcome, Outcome::Fail(_))));
    for bug in [Bug::Stuffing, Bug::LastLineEnd, Bug::Split, Bug::Twice, Bug::Quit] {
        let caught = caught(&sound, &run(Some(bug)));
        println!("{bug:?}: {caught:?}");
        assert!(!caught.is_empty(), "no case catches {bug:?}");
    }
}

#[test]
fn a_toy_without_a_mistake_passes_most_cases() {
    let passed = |results: &[Result]| {
        let passed = |result: &&Result| matches!(result.outcome, Outcome::Pass | Outcome::Note(_));
        let run = results.iter().filter(|result| !matches!(result.outcome, Outcome::Skipped(_))).count();
        (results.iter().filter(passed).count(), run)
    };
    for (passed, run) in [passed(&server(None)), passed(&client(None))] {
        assert!(passed * 2 > run, "{passed} of {run}");
    }
}
