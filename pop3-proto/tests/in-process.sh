#!/usr/bin/env bash
# The names of the tests in this folder that run in one process, one a line: no program is started, no socket is opened,
# and no instruction or octet of memory counted. coverage.sh and mutants.sh use them.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")"
for file in *.rs; do
  case $file in
    allocations.rs | constant_memory.rs | instructions*.rs) ;;
    *) grep -Eq 'std::(net|process)|^mod (support|built|program|scripted);' "$file" || echo "${file%.rs}" ;;
  esac
done
