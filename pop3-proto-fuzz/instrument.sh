#!/usr/bin/env bash
# What build.sh gives to cargo as RUSTC_WRAPPER: pop3-proto is compiled with the instrumentation that libFuzzer reads,
# and everything else as it is. The oracles are most of what runs, and libFuzzer should not look for new paths in them:
# without this a target is two to three times slower. Of the flags of cargo-fuzz those are left out that trace every
# comparison and every indirect call: that costs a third of the time, and the dictionary and the seeds have what they would
# find.

set -euo pipefail
if [[ " $* " == *" --crate-name pop3_proto "* ]]; then
  set -- "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=3 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table
fi
exec "$@"
