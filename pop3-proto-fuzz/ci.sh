#!/usr/bin/env bash
# Fuzzes each target for some seconds on the stable toolchain, as many side by side as there are cores:
#
#     pop3-proto-fuzz/ci.sh SECONDS [TARGET...]
#
# A finding is left in pop3-proto-fuzz/artifacts/TARGET and, in base64, in the output, and the script fails. What
# libFuzzer learns is kept in the target directory, not in the committed corpus.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=run.sh
source pop3-proto-fuzz/run.sh

seconds=${1:?say how many seconds for each target}
shift
mapfile -t targets < <(targets "$@")
((${#targets[@]}))
built=$("$fuzz/build.sh")
logs=$work/ci
rm -rf "$logs"
mkdir -p "$logs"

fuzz_one() {
  run_target "$logs/$1.log" "$1" -max_total_time="$seconds" || touch "$logs/$1.failed"
}
side_by_side fuzz_one "${targets[@]}"

failed=0
for target in "${targets[@]}"; do
  stat() { sed -n "s/^stat::$1: *//p" "$logs/$target.log"; }
  if [[ -e $logs/$target.failed ]]; then
    show_finding "$logs/$target.log" "$target" >&2
    failed=$((failed + 1))
  else
    printf '%-24s %9d executions, %7d a second\n' "$target" "$(stat number_of_executed_units)" "$(stat average_exec_per_sec)"
  fi
done
if ((failed)); then
  echo "FINDINGS in $failed targets: docs/fuzzing.md says what to do" >&2
  exit 1
fi
echo "no findings in ${#targets[@]} targets, $seconds s each"
