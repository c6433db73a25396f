#!/usr/bin/env bash
# Builds the fuzz targets with libFuzzer on the stable toolchain, without cargo-fuzz, and prints the folder that has them:
#
#     pop3-proto-fuzz/build.sh
#
# Needs a C++ compiler. They lie apart from everything else that is built: other flags, other files.

set -euo pipefail
unset CDPATH
cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.."
built=${CARGO_TARGET_DIR:-$PWD/target}/fuzz

RUSTC_WRAPPER=$PWD/pop3-proto-fuzz/instrument.sh RUSTFLAGS="--cfg fuzzing" \
  cargo build --locked --profile fuzz --target-dir "$built" -p pop3-proto-fuzz --bins >&2
echo "$built/fuzz"
