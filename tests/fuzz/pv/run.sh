#!/bin/sh
# Builds the fuzzer of PV memory and runs it: run.sh [SECONDS [BUILD_DIRECTORY]]. Needs clang with libFuzzer, GoogleTest and ccache.
# SPDX-License-Identifier: Apache-2.0
set -eu
root=$(cd "$(dirname "$0")/../../.." && pwd)
seconds=${1:-60}
build=${2:-/tmp/fuzz-pv}
mkdir -p "$build/corpus" "$build/objects"
cd "$root"
for source in $(find hypervisor arch/host boot/entry -name '*.cpp') $(ls arch/x86/pv/*.cpp | grep -v cpuid_policy) tests/unit/pv/pv_machine.cpp tests/unit/pv/model.cpp \
    tests/fuzz/pv/pv_fuzz.cpp; do
    ccache clang++ -std=gnu++20 -O1 -g -Wall -Wextra -Werror -DPX_DEBUG_LOCKS -fsanitize=fuzzer-no-link,address,undefined \
        -fno-sanitize-recover=all -I. -Iarch/host/include -Iarch/include -c "$source" -o "$build/objects/$(echo "$source" | tr / _).o"
done
clang++ -fsanitize=fuzzer,address,undefined "$build"/objects/*.o -lgtest -lgmock -lpthread -o "$build/pv_fuzz"
exec "$build/pv_fuzz" -max_total_time="$seconds" -timeout=20 -rss_limit_mb=2048 -max_len=4096 -len_control=0 -artifact_prefix="$build/" "$build/corpus"
