//! `docs/states.md` is written by this test from the table in `pop3-proto/src/state.rs`; with BLESS=1 it writes it anew.

use pop3_proto::{State, Verb};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

const STATES: [State; 6] =
    [State::Greeting, State::Authorization, State::Handshake, State::Transaction, State::Update, State::Closed];

#[test]
fn the_page_shows_the_table_as_it_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("states.md");
    let page = page();
    if std::env::var_os("BLESS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    let there = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(there == page, "docs/states.md is stale; BLESS=1 cargo test -p guide --test states writes it anew");
}

fn page() -> String {
    let mut page = String::from(INTRODUCTION);
    page.push_str("```mermaid\nstateDiagram-v2\n    direction LR\n");
    for state in STATES {
        writeln!(page, "    {state:?}: {state}").unwrap();
    }
    page.push_str("    [*] --> Greeting: connected\n    Greeting --> Authorization: greeting\n");
    for ((from, to), label) in edges() {
        writeln!(page, "    {:?} --> {:?}: {label}", STATES[from], STATES[to]).unwrap();
    }
    page.push_str("    Handshake --> Authorization: TLS established\n    Closed --> [*]\n```\n\n");
    page.push_str(TABLE);
    for verb in Verb::ALL {
        let keyword = if verb == Verb::Other { "any other keyword" } else { verb.keyword() };
        write!(page, "| {keyword} |").unwrap();
        for state in [State::Authorization, State::Transaction] {
            page.push_str(if state.permits(verb) { " yes |" } else { "  |" });
        }
        let leads = STATES.iter().filter(|state| state.permits(verb)).filter_map(|&state| {
            let given = state.after_command(verb);
            let (ok, err) = (given.after_ok(verb), given.after_err(verb));
            let what = match (ok == state, ok == err) {
                (true, _) => return None,
                (false, true) => format!("{ok}, also when refused"),
                (false, false) => ok.to_string(),
            };
            Some(if given == state { what } else { format!("{given}, then {what}") })
        });
        writeln!(page, " {} |", leads.collect::<Vec<_>>().join("; ")).unwrap();
    }
    page.push_str(REST);
    page
}

/// Which commands lead from one state to another, and by which answer.
fn edges() -> BTreeMap<(usize, usize), String> {
    let mut edges = BTreeMap::<(usize, usize), Vec<String>>::new();
    let place = |state| STATES.iter().position(|other| *other == state).unwrap();
    for state in STATES {
        for verb in Verb::ALL {
            // A command that the state permits, or, in UPDATE, the one that led there.
            if !state.permits(verb) && (state != State::Update || verb != Verb::Quit) {
                continue;
            }
            let given = state.after_command(verb);
            if given != state {
                edges.entry((place(state), place(given))).or_default().push(format!("{verb} sent"));
                continue;
            }
            let (ok, err) = (given.after_ok(verb), given.after_err(verb));
            let mut lead = |to: State, why: &str| {
                if to != state {
                    edges.entry((place(state), place(to))).or_default().push(format!("{verb} {why}"));
                }
            };
            if ok == err {
                lead(ok, "answered");
            } else {
                lead(ok, "+OK");
                lead(err, "-ERR");
            }
        }
    }
    edges.into_iter().map(|(edge, labels)| (edge, labels.join(", "))).collect()
}

const INTRODUCTION: &str = "\
# The states of a session

One table, [`state.rs`](../pop3-proto/src/state.rs), decides who may say what when. Both machines ask it, and so does the
test that writes this page (`docs/tests/states.rs`). `State::permits`, `after_command`, `after_ok` and `after_err` are public:
a program can ask it, too.

";

const TABLE: &str = "\
A lost connection, an autologout and a fatal error end the session from any state, and remove nothing.

| command | AUTHORIZATION | TRANSACTION | leads to |
|---|---|---|---|
";

const REST: &str = "
In all other states no command is permitted. What the table cannot say is in the machines: PASS wants a USER that was accepted
just before, a login wants TLS unless a setting allows it, STLS wants TLS to be off, UTF8 bars STLS, and no command is sent while
a challenge of AUTH is open.
";
