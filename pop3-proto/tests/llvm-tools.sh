# shellcheck shell=bash
# What this folder's coverage.sh and that of pop3-proto-fuzz have in common; they read this file. Sets `profdata` and `cov`,
# LLVM's programs of the version that rustc has: those of the toolchain, those of a distribution, or what LLVM_PROFDATA and
# LLVM_COV name.

tools=$(rustc --print sysroot)/lib/rustlib/$(rustc -vV | sed -n 's/^host: //p')/bin
major=$(rustc -vV | sed -n 's/^LLVM version: \([0-9]*\).*/\1/p')
[[ -x $tools/llvm-cov ]] && tools+=/llvm suffix='' || tools=llvm suffix=-$major
profdata=${LLVM_PROFDATA:-$tools-profdata$suffix}
cov=${LLVM_COV:-$tools-cov$suffix}
for tool in "$profdata" "$cov"; do
  command -v "$tool" >/dev/null \
    || { echo "$tool is missing: rustup component add llvm-tools, or apt-get install llvm-$major" >&2; exit 1; }
done
