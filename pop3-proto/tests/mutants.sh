#!/usr/bin/env bash
# Plants small bugs in pop3-proto/src, one at a time, and says which of them no test notices:
#
#     pop3-proto/tests/mutants.sh                        # all: many hours
#     pop3-proto/tests/mutants.sh --file '**/state.rs'   # those of a file; any option of cargo-mutants goes
#
# Needs cargo-mutants (cargo install --locked cargo-mutants). All features; the unit tests and the tests of in-process.sh.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

mapfile -t tests < <(pop3-proto/tests/in-process.sh)
(($#)) || set -- --file 'pop3-proto/src/**'
# Nothing that fails need be made small.
export PROPTEST_MAX_SHRINK_ITERS=0
exec cargo mutants --package pop3-proto --all-features --output "${CARGO_TARGET_DIR:-target}" "$@" \
  -- --lib "${tests[@]/#/--test=}"
