#!/usr/bin/env bash
# What the tests cover of pop3-proto/src: file by file, the lines that no test reaches, and in all:
#
#     pop3-proto/tests/coverage.sh
#
# All features; the unit tests, the tests in this folder that run in one process, and the replay of the fuzz corpus. The
# tests that drive whole programs are left out: what only they reach is not covered.
#
# Needs the component llvm-tools (rustup component add llvm-tools), or a distribution's llvm-profdata-N and llvm-cov-N of
# the version that rustc has (LLVM_PROFDATA and LLVM_COV name others).

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/../.."

# shellcheck source=llvm-tools.sh
source pop3-proto/tests/llvm-tools.sh
mapfile -t tests < <(pop3-proto/tests/in-process.sh)
out=$(realpath -m "${CARGO_TARGET_DIR:-target}")/coverage
mkdir -p "$out/raw"
export RUSTFLAGS="${RUSTFLAGS:-} -C instrument-coverage" LLVM_PROFILE_FILE="$out/raw/%p-%m.profraw"
# (Not the fuzz targets themselves, which the corpus test brings with it.)
executables() { sed -n '/"test":true/s/.*"executable":"\([^"]*\)".*/\1/p'; }
build=(cargo test --locked --target-dir "$out/target" --no-run --message-format json)
{
  "${build[@]}" -p pop3-proto --all-features --lib "${tests[@]/#/--test=}" | executables
  "${build[@]}" -p pop3-proto-fuzz --test corpus | executables
} >"$out/executables"
mapfile -t programs <"$out/executables"

rm -f "$out"/raw/*.profraw
for program in "${programs[@]}"; do
  package=pop3-proto
  [[ $program != */corpus-* ]] || package=pop3-proto-fuzz
  (cd "$package" && "$program" --quiet >"$out/log" 2>&1) || { cat "$out/log" >&2; exit 1; }
done

"$profdata" merge -sparse "$out"/raw/*.profraw -o "$out/tests.profdata"
what=("${programs[@]/#/--object=}" --instr-profile "$out/tests.profdata" --sources pop3-proto/src)
"$cov" report "${what[@]}" | tee "$out/report"
echo "lines that no test reaches:"
"$cov" show "${what[@]}" --show-instantiations=false \
  | sed -En 's#^.*(pop3-proto/src/.*):$#\1#; t file; /^ *[0-9]+\| *0\|/ { G; s/^ *([0-9]+)\| *0\|(.*)\n(.*)$/  \3:\1:\2/p; }; b; :file; h'
awk '$1 == "TOTAL" { printf "total: %s of lines, %s of regions\n", $10, $4 }' "$out/report"
