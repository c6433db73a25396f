#!/usr/bin/env bash
# Fuzzes each target for some seconds on the stable toolchain:
#
#     pop3-proto-fuzz/ci.sh SECONDS [TARGET...]
#
# A finding is left in pop3-proto-fuzz/artifacts/TARGET, and the script fails. What libFuzzer learns is kept in the
# target directory, not in the committed corpus. Without cargo-fuzz nothing is fuzzed, and the script says so; with
# FUZZ_REQUIRED=true it fails then. FUZZ_ARGS goes to libFuzzer.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
fuzz=pop3-proto-fuzz

seconds=${1:?say how many seconds for each target}
shift
all=$(sed -n 's#^path = "fuzz_targets/\(.*\)\.rs"#\1#p' "$fuzz/Cargo.toml")
targets=("$@")
((${#targets[@]})) || mapfile -t targets <<<"$all"

if ! cargo fuzz --version >/dev/null 2>&1; then
  echo "################################################################" >&2
  echo "#  cargo-fuzz is not on this machine: NOTHING IS FUZZED." >&2
  echo "#  The corpus is still replayed by: cargo test -p $fuzz" >&2
  echo "#  To have it: cargo install --locked cargo-fuzz" >&2
  echo "################################################################" >&2
  [[ ${FUZZ_REQUIRED:-false} != true ]] || exit 1
  exit 0
fi

learned=${CARGO_TARGET_DIR:-target}/fuzz-corpus
failed=()
for target in "${targets[@]}"; do
  grep -qx "$target" <<<"$all" || { echo "no target $target; there are:" $all >&2; exit 1; }
  mkdir -p "$learned/$target" "$fuzz/corpus/$target" "$fuzz/regressions/$target"
  echo "--- $target: $seconds s"
  # shellcheck disable=SC2086 # The arguments are words.
  if ! cargo fuzz run --fuzz-dir "$fuzz" --sanitizer none "$target" \
    "$learned/$target" "$fuzz/corpus/$target" "$fuzz/regressions/$target" -- \
    -max_total_time="$seconds" -max_len=1024 -dict="$fuzz/dict/pop3.dict" -print_final_stats=1 ${FUZZ_ARGS:-} \
    >"$learned/$target.log" 2>&1; then
    tail -n 60 "$learned/$target.log" >&2
    failed+=("$target")
    continue
  fi
  sed -n 's/^stat::\(number_of_executed_units\|average_exec_per_sec\): */    \1: /p' "$learned/$target.log"
done
# An empty folder says nothing to git, but let it not stay behind.
find "$fuzz/regressions" -mindepth 1 -type d -empty -delete

if ((${#failed[@]})); then
  echo "FINDINGS in: ${failed[*]} (see $fuzz/artifacts, and docs/fuzzing.md for what to do)" >&2
  exit 1
fi
echo "no findings in ${#targets[@]} targets, $seconds s each"
