//! The cases themselves: named as they should be, and passed by our own machines in memory.

use pop3_conformance::case::Role;
use pop3_conformance::peer::Upgrade;
use pop3_conformance::peer::memory::Memory;
use pop3_conformance::run::{self, Outcome};
use pop3_conformance::suite::{Case, Ours};
use pop3_conformance::{catalogue, client_cases, server_cases, suite};
use std::collections::BTreeSet;
use std::time::Duration;

const MEMORY: [Upgrade; 3] = [Upgrade::None, Upgrade::Stls, Upgrade::Implicit];

/// What to print of a result that is none we want.
fn shown(result: &run::Result) -> String {
    format!("{} on {}: {:?}\n    {}", result.id, result.peer, result.outcome, result.dialogue.lines().join("\n    "))
}

fn assert_passed(results: &[run::Result]) {
    let bad = |result: &&run::Result| matches!(result.outcome, Outcome::Fail(_) | Outcome::Warn(_));
    let bad: Vec<_> = results.iter().filter(bad).map(shown).collect();
    assert!(bad.is_empty(), "{} of {}:\n{}", bad.len(), results.len(), bad.join("\n"));
}

#[test]
fn our_server_passes_every_case_in_memory() {
    for upgrade in MEMORY {
        let results: Vec<_> = server_cases::all().map(|case| run::server(case, &Memory::new(upgrade))).collect();
        assert_passed(&results);
    }
}

#[test]
fn our_client_passes_every_case_in_memory() {
    for upgrade in MEMORY {
        let results: Vec<_> = client_cases::all().map(|case| run::client(case, &Memory::new(upgrade))).collect();
        assert_passed(&results);
    }
}

#[test]
fn every_case_runs_on_our_machines_in_one_of_the_three_ways() {
    let skipped = |run: &dyn Fn(Upgrade) -> run::Result| {
        let results = MEMORY.map(run);
        let all = results.iter().all(|result| matches!(result.outcome, Outcome::Skipped(_)));
        all.then(|| shown(&results[0]))
    };
    for case in server_cases::all() {
        assert_eq!(skipped(&|upgrade| run::server(case, &Memory::new(upgrade))), None);
    }
    for case in client_cases::all() {
        assert_eq!(skipped(&|upgrade| run::client(case, &Memory::new(upgrade))), None);
    }
}

#[test]
fn every_id_stands_once_and_begins_with_an_rfc_and_a_section_or_a_group() {
    let server = server_cases::all().map(|case| (Role::Server, case.id, case.title, case.requirements));
    let client = client_cases::all().map(|case| (Role::Client, case.id, case.title, case.requirements));
    let mut seen = BTreeSet::new();
    for (role, id, title, requirements) in server.chain(client) {
        assert!(seen.insert(id), "{id} stands twice");
        let parts: Vec<_> = id.split('/').collect();
        let [place, section, name] = parts[..] else { panic!("{id} is not rfcNNNN/section/name") };
        let known = place.strip_prefix("rfc").is_some_and(|rfc| rfc.bytes().all(|digit| digit.is_ascii_digit()));
        assert!(known || matches!(place, "group" | "fault"), "{id}");
        assert!(!section.is_empty() && !name.is_empty() && !title.is_empty() && !title.ends_with('.'), "{id}");
        for requirement in requirements {
            let found = catalogue::requirement(requirement).unwrap_or_else(|| panic!("{id}: no {requirement}"));
            assert_ne!(found.testable, "policy", "{id}: {requirement} cannot be checked");
            let fits = found.role == role.word() || found.role == "both" || found.testable == "library";
            assert!(fits || found.testable.ends_with(role.word()), "{id}: {requirement} is about the {}", found.role);
        }
    }
}

#[test]
fn our_server_and_our_client_pass_every_case_over_tcp_and_tls() {
    let peers = Ours::over_sockets(Duration::from_secs(10));
    assert_passed(&suite::run(&Case::selected(""), &peers, 8, &|| {}));
}
