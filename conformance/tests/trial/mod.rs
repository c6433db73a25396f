//! Tests that need programs which may not be there.

use libtest_mimic::{Arguments, Failed, Trial};

/// A test that needs something; `missing` says what of that is not there. Then it says `SKIPPED` on stderr and counts as
/// ignored, never as passed. With `CI` in the environment it fails: there, what is not tested would stay so unseen.
pub(crate) fn trial(arguments: &Arguments, name: &str, missing: Option<&str>, run: fn()) -> Trial {
    let Some(missing) = missing else {
        return Trial::test(name, move || {
            run();
            Ok(())
        });
    };
    let reason = format!("{missing}; conformance/peers/install.sh installs it");
    let ignored = !std::env::var("CI").is_ok_and(|value| !["", "0", "false"].contains(&value.as_str()));
    if ignored && !arguments.list {
        eprintln!("############ SKIPPED: {name}: {reason} ############");
    }
    // Whoever insists on running an ignored one is told why it cannot be.
    Trial::test(name, move || Err(Failed::from(reason))).with_ignored_flag(ignored)
}
