# shellcheck shell=bash
# What ci.sh and campaign.sh have in common; they read this file. The folder is the root of the repository.

fuzz=pop3-proto-fuzz
work=${CARGO_TARGET_DIR:-$PWD/target}/fuzz
# What libFuzzer learns; the committed corpus is only read.
learned=$work/corpus

# The targets that are named, or all.
targets() {
  local all name
  all=$(sed -n 's#^path = "fuzz_targets/\(.*\)\.rs"#\1#p' "$fuzz/Cargo.toml")
  for name in "$@"; do
    grep -qx -- "$name" <<<"$all" || { echo "no target $name; there are:" $all >&2; return 1; }
  done
  if (($#)); then printf '%s\n' "$@"; else echo "$all"; fi
}

# Runs a target once, with further options for libFuzzer. The log goes to the file named first. What libFuzzer does by
# default to weigh inputs and to keep them short takes longer than the targets do; a merge makes up for it.
run_target() {
  local log=$1 target=$2
  shift 2
  local folders=("$learned/$target" "$fuzz/corpus/$target")
  [[ ! -d $fuzz/regressions/$target ]] || folders+=("$fuzz/regressions/$target")
  mkdir -p "$learned/$target" "$fuzz/artifacts/$target"
  RUST_BACKTRACE=0 "$built/$target" "${folders[@]}" -max_len="$(sed -n 's/^max_len = //p' "$fuzz/fuzz_targets/$target.options")" \
    -dict="$fuzz/dict/pop3.dict" -artifact_prefix="$fuzz/artifacts/$target/" -timeout=60 -entropic=0 -reduce_inputs=0 -print_final_stats=1 "$@" \
    >"$log" 2>&1
}

# The end of the log, and each input that broke a promise, in base64: a log may be all that is left of a machine.
show_finding() {
  local log=$1 target=$2 artifact
  echo "=== $target: a promise is broken"
  grep -v '^#\|^INFO\|NEW_FUNC' "$log" | tail -n 60
  for artifact in "$fuzz/artifacts/$target"/*; do
    [[ -f $artifact ]] || continue
    echo "=== $artifact, in base64:"
    base64 -w 0 "$artifact"
    echo
  done
}

# Calls a function for each of the targets, as many at a time as there are cores (or FUZZ_JOBS).
side_by_side() {
  local call=$1 target jobs=${FUZZ_JOBS:-$(nproc)}
  shift
  for target in "$@"; do
    while (($(jobs -pr | wc -l) >= jobs)); do wait -n || true; done
    "$call" "$target" &
  done
  wait
}
