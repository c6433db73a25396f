#!/bin/bash -eu
# Builds each target with its seeds and the dictionary beside it, as OSS-Fuzz and ClusterFuzzLite want them in $OUT.

cd "$SRC/pop3-proto"
fuzz=pop3-proto-fuzz
cargo fuzz build --fuzz-dir "$fuzz" -O --debug-assertions --target-dir "$WORK/fuzz"
built=$WORK/fuzz/$(rustc -vV | sed -n 's/^host: //p')/release

for source in "$fuzz"/fuzz_targets/*.rs; do
  target=$(basename "$source" .rs)
  cp "$built/$target" "$OUT/"
  cp "$fuzz/dict/pop3.dict" "$OUT/$target.dict"
  cp "$fuzz/fuzz_targets/$target.options" "$OUT/"
  folders=("$fuzz/corpus/$target")
  [[ ! -d $fuzz/regressions/$target ]] || folders+=("$fuzz/regressions/$target")
  rm -f "$OUT/${target}_seed_corpus.zip"
  find "${folders[@]}" -type f -print0 | xargs -0 zip -q -j "$OUT/${target}_seed_corpus.zip"
done
