//! The JSON report has the form that its schema says, and the fault matrix in it is whole.

#[expect(dead_code, reason = "the other mistakes are for the mutants")]
mod toys;

use pop3_conformance::output::json::{self, SCHEMA};
use pop3_conformance::output::{Run, matrix};
use pop3_conformance::peer::Upgrade;
use pop3_conformance::peer::memory::Memory;
use pop3_conformance::run::{self, Outcome, Result as RunResult};
use pop3_conformance::{client_cases, server_cases};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use toys::Mistake;
use toys::client::ToyClient;
use toys::server::ToyServer;

/// Where a value is not as the schema says. Knows the keywords that the schema uses, and no others.
fn faults(schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut faults = Vec::new();
    let mut fault = |words: String| faults.push(format!("{at}: {words}"));
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$schema" | "title" | "description" => {}
            "const" if rule != value => fault(format!("{value} is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => fault(format!("{value} is none of {rule}")),
            "minimum" if value.as_i64().is_none_or(|number| number < rule.as_i64().unwrap()) => {
                fault(format!("{value} is less than {rule}"));
            }
            "type" => {
                let is = |name: &Value| match name.as_str().unwrap() {
                    "object" => value.is_object(),
                    "array" => value.is_array(),
                    "string" => value.is_string(),
                    "integer" => value.is_u64() || value.is_i64(),
                    "boolean" => value.is_boolean(),
                    "null" => value.is_null(),
                    other => panic!("the test does not know the type {other}"),
                };
                let names = rule.as_array().map_or(std::slice::from_ref(rule), Vec::as_slice);
                if !names.iter().any(is) {
                    fault(format!("{value} is no {rule}"));
                }
            }
            "required" => {
                for name in rule.as_array().unwrap() {
                    if value.get(name.as_str().unwrap()).is_none() {
                        fault(format!("{name} is missing"));
                    }
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, false);
                for name in value.as_object().into_iter().flatten().map(|(name, _)| name) {
                    if schema["properties"].get(name).is_none() {
                        fault(format!("{name} has no place here"));
                    }
                }
            }
            "const" | "enum" | "minimum" | "properties" | "items" => {}
            other => panic!("the test does not know the keyword {other}"),
        }
    }
    for (name, schema) in schema["properties"].as_object().into_iter().flatten() {
        if let Some(value) = value.get(name) {
            faults.extend(self::faults(schema, value, &format!("{at}/{name}")));
        }
    }
    if let (Some(schema), Some(values)) = (schema.get("items"), value.as_array()) {
        let each = values.iter().enumerate();
        faults.extend(each.flat_map(|(index, value)| self::faults(schema, value, &format!("{at}/{index}"))));
    }
    faults
}

/// All cases on our machines, and on toys that make mistakes: each outcome occurs.
fn results() -> Vec<RunResult> {
    let memory = Memory::new(Upgrade::None);
    let ours = server_cases::all().map(|case| run::server(case, &memory));
    let ours = ours.chain(client_cases::all().map(|case| run::client(case, &memory)));
    let is_short = |id: &str| id.starts_with("group/") || id.starts_with("rfc1939/");
    let (upgrade, mistake) = (Upgrade::None, Some(Mistake::Stuffing));
    let (server, client) = (ToyServer { mistake, upgrade }, ToyClient { mistake, upgrade });
    let toys = server_cases::all().filter(|case| is_short(case.id)).map(|case| run::server(case, &server));
    let toys = toys.chain(client_cases::all().filter(|case| is_short(case.id)).map(|case| run::client(case, &client)));
    ours.chain(toys).collect()
}

fn run(results: &[RunResult]) -> Run<'_> {
    Run { subject: "all", command: "pop3-conformance", strict: false, results }
}

#[test]
fn the_report_has_the_form_that_the_schema_says() {
    let schema: Value = serde_json::from_str(SCHEMA).unwrap();
    let mut results = results();
    let failed = results.iter_mut().find(|result| matches!(result.outcome, Outcome::Fail(_))).unwrap();
    failed.expected = Some("issue 7".to_owned());
    let report: Value = serde_json::from_str(&json::report(&run(&results))).unwrap();
    let wrong = faults(&schema, &report, "");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let outcomes: BTreeSet<_> =
        report["results"].as_array().unwrap().iter().map(|one| one["outcome"].as_str()).collect();
    assert_eq!(outcomes, ["fail", "note", "pass", "skip", "warn"].map(Some).into());

    // The test can fail: each of these is found.
    for (path, value) in [
        ("/version", json!(2)),
        ("/conforms", json!("yes")),
        ("/totals/passed", json!(-1)),
        ("/results/0/outcome", json!("fine")),
        ("/results/0/sent", json!(7)),
        ("/results/0/more", json!(1)),
        ("/results/0/dialogue", Value::Null),
        ("/fault_matrix/0/verdict", json!("skip")),
    ] {
        let mut edited = report.clone();
        let (parent, name) = path.rsplit_once('/').unwrap();
        edited.pointer_mut(parent).unwrap()[name] = value;
        assert_eq!(faults(&schema, &edited, "").len(), 1, "{path}: {:?}", faults(&schema, &edited, ""));
    }
    let mut edited = report.clone();
    edited["results"][0].as_object_mut().unwrap().remove("id");
    assert_eq!(faults(&schema, &edited, "").len(), 1);
}

#[test]
fn each_cell_of_the_fault_matrix_is_pass_fail_or_not_applicable_with_a_reason() {
    let results = results();
    let run = run(&results);
    let cells = matrix::cells(&run);
    for cell in &cells {
        assert!(cell.verdict == matrix::Verdict::Pass || cell.reason.is_some(), "{cell:?}");
        assert!(cell.peer.is_some() || cell.verdict == matrix::Verdict::NotApplicable, "{cell:?}");
    }
    for role in ["server", "client"] {
        let of_role: Vec<_> = cells.iter().filter(|cell| cell.role.word() == role).collect();
        let points: BTreeSet<_> = of_role.iter().map(|cell| cell.point).collect();
        let faults: BTreeSet<_> = of_role.iter().map(|cell| cell.fault).collect();
        assert_eq!(of_role.len(), points.len() * faults.len(), "{role}: {points:?} {faults:?}");
        assert!(points.len() >= 15 && faults.len() >= 19, "{role}");
    }
    let part = &results[..3];
    assert!(matrix::cells(&Run { results: part, ..run }).is_empty());
}
