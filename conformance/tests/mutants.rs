//! The cases catch what they are for: a toy with one mistake fails a case that the same toy passes without it.

mod toys;

use pop3_conformance::peer::Upgrade;
use pop3_conformance::run::{self, Outcome, Result};
use pop3_conformance::{client_cases, server_cases};
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
    for mistake in Mistake::ALL {
        let caught = caught(&sound, &server(Some(mistake)));
        println!("{mistake:?}: {caught:?}");
        assert!(!caught.is_empty(), "no case catches {mistake:?}");
    }
}

#[test]
fn each_mistake_of_a_client_is_caught() {
    let sound = client(None);
    // A client does not count lines for TOP.
    for mistake in Mistake::ALL.into_iter().filter(|mistake| *mistake != Mistake::Top) {
        let caught = caught(&sound, &client(Some(mistake)));
        println!("{mistake:?}: {caught:?}");
        assert!(!caught.is_empty(), "no case catches {mistake:?}");
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
