#!/usr/bin/env bash
# A campaign for a release: fuzzes each target for some seconds, measures what the committed corpus covers, and records
# both, with date and commit, in docs/fuzzing.md:
#
#     pop3-proto-fuzz/campaign.sh SECONDS [TARGET...]
#
# With MERGE=true, what was learned is minimised and merged into the committed corpus (256 octets an input at most, so
# that the corpus stays small). Coverage needs the component llvm-tools, or llvm-profdata and llvm-cov of a version that
# reads what rustc writes, named by LLVM_PROFDATA and LLVM_COV.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
fuzz=pop3-proto-fuzz
page=docs/fuzzing.md

seconds=${1:?say how many seconds for each target}
shift
FUZZ_REQUIRED=true "$fuzz/ci.sh" "$seconds" "$@"

learned=${CARGO_TARGET_DIR:-target}/fuzz-corpus
all=$(sed -n 's#^path = "fuzz_targets/\(.*\)\.rs"#\1#p' "$fuzz/Cargo.toml")
targets=("$@")
((${#targets[@]})) || mapfile -t targets <<<"$all"

if [[ ${MERGE:-false} == true ]]; then
  for target in "${targets[@]}"; do
    cargo fuzz run --fuzz-dir "$fuzz" --sanitizer none "$target" "$fuzz/corpus/$target" "$learned/$target" -- \
      -merge=1 -max_len=256 -use_counters=0 >/dev/null 2>&1
    echo "$target: $(find "$fuzz/corpus/$target" -type f | wc -l) inputs"
  done
fi

coverage=$("$fuzz/coverage.sh" | sed -n 's/^total: //p') || coverage=
commit=$(git rev-parse --short=12 HEAD)
git diff --quiet HEAD -- pop3-proto "$fuzz" || commit+=' with changes'
rows=
for target in "${targets[@]}"; do
  stat() { sed -n "s/^stat::$1: *//p" "$learned/$target.log"; }
  rows+="| $(date -u +%F) | \`$commit\` | \`$target\` | $(stat number_of_executed_units) | $(stat average_exec_per_sec) | ${coverage:-not measured} |"$'\n'
done
grep -q '^<!-- campaigns -->$' "$page" || { echo "$page has no line <!-- campaigns -->" >&2; exit 1; }
ROWS=$rows perl -0pi -e 's/(\n<!-- campaigns -->\n)/\n$ENV{ROWS}<!-- campaigns -->\n/' "$page"
echo "recorded in $page"
