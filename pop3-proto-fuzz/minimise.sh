#!/usr/bin/env bash
# Makes the committed corpus as small as it can be: the named seeds stay, and of the other inputs, those that were
# learned since included, only what reaches something that the seeds do not:
#
#     pop3-proto-fuzz/minimise.sh [TARGET...]
#
# No such input is longer than MAX_LEN (96) octets, so that the corpus stays below its 512 KiB.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
# shellcheck source=run.sh
source pop3-proto-fuzz/run.sh

mapfile -t targets < <(targets "$@")
((${#targets[@]}))
built=$("$fuzz/build.sh")
hash='[0-9a-f]{40}'

minimise_one() {
  local corpus=$fuzz/corpus/$1 kept
  kept=$(mktemp -d)
  mkdir -p "$learned/$1"
  find "$corpus" -type f -regextype posix-extended ! -regex ".*/$hash" -exec cp -t "$kept" {} +
  "$built/$1" -merge=1 -max_len="${MAX_LEN:-96}" "$kept" "$corpus" "$learned/$1" >/dev/null 2>&1
  find "$corpus" -type f -regextype posix-extended -regex ".*/$hash" -delete
  find "$kept" -type f -regextype posix-extended -regex ".*/$hash" -exec mv -t "$corpus" {} +
  rm -r "$kept"
  echo "$1: $(find "$corpus" -type f | wc -l) inputs, $(cat "$corpus"/* | wc -c) octets"
}
side_by_side minimise_one "${targets[@]}"
