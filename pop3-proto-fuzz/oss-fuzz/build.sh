#!/bin/bash -eu
# Builds each target with its seeds and the dictionary beside it, as OSS-Fuzz and ClusterFuzzLite want them in $OUT.

cd "$SRC/pop3-proto"
fuzz=pop3-proto-fuzz
cargo fuzz build --fuzz-dir "$fuzz" -O --debug-assertions

for source in "$fuzz"/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  built=$(find target "$fuzz/target" -path "*/release/$target" -type f -perm -u+x 2>/dev/null | head -n 1)
  cp "$built" "$OUT/$target"
  cp "$fuzz/dict/pop3.dict" "$OUT/$target.dict"
  folders=("$fuzz/corpus/$target")
  [[ ! -d $fuzz/regressions/$target ]] || folders+=("$fuzz/regressions/$target")
  zip -q -j "$OUT/${target}_seed_corpus.zip" $(find "${folders[@]}" -type f)
  cp "$fuzz/fuzz_targets/$target.options" "$OUT/"
done
