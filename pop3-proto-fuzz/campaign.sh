#!/usr/bin/env bash
# The campaign for a release: fuzzes every target until it has been executed so many times, as many targets side by side
# as there are cores, and records executions, speed, coverage, date and commit in docs/fuzzing.md:
#
#     pop3-proto-fuzz/campaign.sh [--runs N] [--seconds S] [TARGET...]
#
# Without --runs it is 20 million executions for the targets that parse, build, stuff or unstuff, and 5 million for those
# that run machines. With --seconds a target stops after that many seconds at the latest.
#
# It can be stopped at any time, and goes on where it was when it is started again on the same commit. minimise.sh takes
# what was learned into the committed corpus. Coverage needs what coverage.sh needs; without that the table says "not
# measured".

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=run.sh
source pop3-proto-fuzz/run.sh
page=docs/fuzzing.md
slice=60

runs='' seconds=''
while (($#)); do
  case $1 in
    --runs) runs=${2:?how many} && shift 2 ;;
    --seconds) seconds=${2:?how many} && shift 2 ;;
    *) break ;;
  esac
done
mapfile -t targets < <(targets "$@")
((${#targets[@]}))
grep -q '^<!-- campaigns -->$' "$page" || { echo "$page has no line <!-- campaigns -->" >&2; exit 1; }

commit=$(git rev-parse --short=12 HEAD)
git diff --quiet HEAD -- pop3-proto "$fuzz" || commit+=-changed
state=$work/campaign/$commit
mkdir -p "$state"
built=$("$fuzz/build.sh")

# How often a target has to be executed.
goal() {
  case $1 in
    command_parse | reply_parse | command_build | body_decode | body_encode | greeting_apop) echo "${runs:-20000000}" ;;
    *) echo "${runs:-5000000}" ;;
  esac
}

# The sum of a column of what has been done: executions, seconds of the clock, seconds of a core.
done_so_far() {
  awk -v column="$2" '{ sum += $column } END { printf "%.0f\n", sum }' "$state/$1.done" 2>/dev/null || echo 0
}

# Runs a target in slices, and after each writes down what was done.
fuzz_one() {
  local target=$1 left time log=$state/$1.log began status TIMEFORMAT='%U %S'
  while left=$(($(goal "$target") - $(done_so_far "$target" 1))) && ((left > 0)); do
    time=$slice
    if [[ -n $seconds ]]; then
      time=$((seconds - $(done_so_far "$target" 2)))
      ((time > 0)) || break
      ((time < slice)) || time=$slice
    fi
    began=$SECONDS status=0
    { time run_target "$log" "$target" -runs="$left" -max_total_time="$time"; } 2>"$state/$target.time" || status=$?
    awk -v executed="$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")" -v clock=$((SECONDS - began)) \
      'executed > 0 { print executed, clock, $1 + $2 }' "$state/$target.time" >>"$state/$target.done"
    if ((status)); then
      grep -q 'libFuzzer: run interrupted' "$log" || show_finding "$log" "$target" >&2
      touch "$state/$target.failed"
      return
    fi
    echo "$target: $(done_so_far "$target" 1) of $(goal "$target")"
  done
}
rm -f "$state"/*.failed
side_by_side fuzz_one "${targets[@]}"

for target in "${targets[@]}"; do
  [[ ! -e $state/$target.failed ]] || { echo "$target was stopped, or has a finding: see docs/fuzzing.md" >&2; exit 1; }
done

coverage=$("$fuzz/coverage.sh" --record | sed -n 's/^total: //p') || coverage=
rows=
for target in "${targets[@]}"; do
  speed=$(awk '{ executed += $1; cpu += $3 } END { printf "%.0f", executed / cpu }' "$state/$target.done")
  edges=$(sed -n 's/^#.* cov: \([0-9]*\) .*/\1/p' "$state/$target.log" | tail -n 1)
  rows+="| $(date -u +%F) | \`$commit\` | \`$target\` | $(done_so_far "$target" 1) | $speed | $edges | ${coverage:-not measured} |"$'\n'
done
ROWS=$rows perl -0pi -e 's/(\n<!-- campaigns -->\n)/\n$ENV{ROWS}<!-- campaigns -->\n/' "$page"
echo "recorded in $page"
