//! Tests that need programs which may not be there.

use std::env;

use libtest_mimic::{Arguments, Failed, Trial};

use super::peers::{self, Peer};

/// A test that needs these peers. Where one is missing, the test says `SKIPPED` on stderr and counts as ignored, never as
/// passed. With `CI` in the environment it fails: there, what is not tested would stay so unseen.
pub(crate) fn trial(arguments: &Arguments, name: &str, needs: &[Peer], run: fn()) -> Trial {
    let missing: Vec<_> = needs.iter().filter_map(|&peer| peers::missing(peer)).collect();
    if missing.is_empty() {
        return Trial::test(name, move || {
            run();
            Ok(())
        });
    }
    let reason = missing.join("; ");
    let ignored = !is_ci();
    if ignored && !arguments.list {
        eprintln!("SKIPPED: {name}: {reason}");
    }
    // Whoever insists on running an ignored one is told why it cannot be.
    Trial::test(name, move || Err(Failed::from(reason))).with_ignored_flag(ignored)
}

fn is_ci() -> bool {
    env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()))
}
