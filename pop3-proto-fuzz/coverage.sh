#!/usr/bin/env bash
# What the committed corpus alone covers of pop3-proto, file by file, and in all:
#
#     pop3-proto-fuzz/coverage.sh
#
# Needs the component llvm-tools (rustup component add llvm-tools), or LLVM_PROFDATA and LLVM_COV.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
profdata=${LLVM_PROFDATA:-$tools/llvm-profdata}
cov=${LLVM_COV:-$tools/llvm-cov}
for tool in "$profdata" "$cov"; do
  command -v "$tool" >/dev/null || { echo "$tool is missing: rustup component add llvm-tools" >&2; exit 1; }
done

out=${CARGO_TARGET_DIR:-target}/fuzz-coverage
mkdir -p "$out"
rm -f "$out"/*.profraw
export RUSTFLAGS="-C instrument-coverage" LLVM_PROFILE_FILE="$out/%p-%m.profraw"
test=$(cargo test --target-dir "$out/target" -p pop3-proto-fuzz --test corpus --no-run --message-format json 2>/dev/null \
  | sed -n 's/.*"name":"corpus".*"executable":"\([^"]*\)".*/\1/p' | tail -n 1)
rm -f "$out"/*.profraw
"$test" every_input >/dev/null
"$profdata" merge -sparse "$out"/*.profraw -o "$out/corpus.profdata"
report=$("$cov" report "$test" -instr-profile "$out/corpus.profdata" -sources pop3-proto/src)
echo "$report"
awk '$1 == "TOTAL" { printf "total: %s of lines, %s of regions\n", $10, $4 }' <<<"$report"
