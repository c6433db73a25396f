#!/usr/bin/env bash
# What the committed corpus alone covers of pop3-proto, file by file and in groups of files, and in all:
#
#     pop3-proto-fuzz/coverage.sh [--record]
#
# Needs the component llvm-tools (rustup component add llvm-tools), or a distribution's llvm-profdata-N and llvm-cov-N of
# the version that rustc has (LLVM_PROFDATA and LLVM_COV name others). With --record the table goes into docs/fuzzing.md.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."

# shellcheck source=../pop3-proto/tests/llvm-tools.sh
source pop3-proto/tests/llvm-tools.sh

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
table=$(awk '
  function add(group) {
    regions[group] += $2; regions_missed[group] += $3; lines[group] += $8; lines_missed[group] += $9
  }
  function row(name, group) {
    printf "| %s | %d | %.1f %% | %.1f %% |\n", name, lines[group], 100 - 100 * lines_missed[group] / lines[group],
      100 - 100 * regions_missed[group] / regions[group]
  }
  $1 ~ /\.rs$/ {
    group = $1 ~ /^wire\// ? "wire" : $1 ~ /^grammar\// ? "grammar" : $1 ~ /^client/ ? "client" : $1 ~ /^server/ ? "server" : "rest"
    add(group); add("all")
  }
  END {
    row("`wire/`", "wire"); row("`grammar/`", "grammar"); row("`client.rs`, `client/`", "client")
    row("`server.rs`, `server/`", "server"); row("the values, the settings, what else there is", "rest"); row("all", "all")
  }' <<<"$report")
printf '\n| files | lines | covered | regions covered |\n|---|---|---|---|\n%s\n' "$table"
if [[ ${1:-} == --record ]]; then
  ROWS=$table perl -0pi -e 's/(<!-- coverage -->\n).*?(<!-- end of coverage -->\n)/$1| files | lines | covered | regions covered |\n|---|---|---|---|\n$ENV{ROWS}\n$2/s' \
    docs/fuzzing.md
fi
sed -n 's/^| all | [0-9]* | \([0-9.]* %\) | \([0-9.]* %\) |$/total: \1 of lines, \2 of regions/p' <<<"$table"
