#!/usr/bin/env bash
# Compares the public interface of pop3-proto, all features on, with api.txt beside this file:
#
#     pop3-proto/api.sh            shows what differs, and fails if anything does
#     pop3-proto/api.sh --bless    writes api.txt anew
#
# Needs a nightly toolchain and cargo-public-api (`cargo install --locked cargo-public-api`), which takes minutes to build: so
# this is no step of .ci/run. docs/versions.md says what may change when.
set -euo pipefail
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
now=$(cargo +nightly public-api --target-dir ../target/api --all-features -sss)
if [[ ${1:-} == --bless ]]; then
  printf '%s\n' "$now" >api.txt
fi
diff -u api.txt - <<<"$now"
echo "the interface is that of api.txt: $(wc -l <api.txt) lines"
