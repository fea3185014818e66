#!/bin/sh
# Builds the fuzzer of libxlcfg and runs it: run.sh [SECONDS [BUILD_DIRECTORY]]. Needs clang with libFuzzer, and ccache.
# SPDX-License-Identifier: Apache-2.0
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
seconds=${1:-60}
build=${2:-/tmp/fuzz-xlcfg}
mkdir -p "$build/corpus"
for source in "$root"/libxlcfg/*.cpp "$here/xlcfg_fuzz.cpp"; do
    ccache clang++ -std=gnu++20 -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -I"$root" \
        -c "$source" -o "$build/$(basename "$source" .cpp).o"
done
clang++ -fsanitize=fuzzer,address,undefined "$build"/*.o -o "$build/xlcfg_fuzz"
exec "$build/xlcfg_fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=8192 -dict="$here/xlcfg.dict" \
    -artifact_prefix="$build/" "$build/corpus" "$here/corpus" "$root/tests/unit/xlcfg/samples"
