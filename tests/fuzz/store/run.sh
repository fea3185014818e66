#!/bin/sh
# Builds a fuzzer of the store and runs it: run.sh wire|journal [SECONDS [BUILD_DIRECTORY]]. Needs clang with libFuzzer, and ccache.
# SPDX-License-Identifier: Apache-2.0
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
which=${1:-journal}
seconds=${2:-60}
build=${3:-/tmp/fuzz-store-$which}
mkdir -p "$build/corpus"
for source in "$root"/toolstack/store/*.cpp "$root"/toolstack/xenstored/state.cpp "$root"/toolstack/xenstored/journal.cpp \
    "$root"/toolstack/xenstored/ledger.cpp "$here/${which}_fuzz.cpp"; do
    case $source in */client.cpp | */tool.cpp) continue ;; esac
    ccache clang++ -std=gnu++20 -O1 -g -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -I"$root" \
        -I"$root/arch/host/include" -I"$root/arch/include" -c "$source" -o "$build/$(basename "$source" .cpp).o"
done
clang++ -fsanitize=fuzzer,address,undefined "$build"/*.o -lz -o "$build/fuzz"
exec "$build/fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=4096 -artifact_prefix="$build/" "$build/corpus"
