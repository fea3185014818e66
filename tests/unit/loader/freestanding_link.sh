#!/bin/sh
# Links the loader for the hypervisor with Debian's static libraries and fails on any symbol that the hypervisor doesn't have,
# and on constructors and thread-local variables, which it doesn't set up.
# SPDX-License-Identifier: Apache-2.0
set -eu
source=$1 compiler=${2:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

for file in "$source"/boot/loader/*.cpp; do
    "$compiler" -std=gnu++20 -O2 -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector -fPIE -mno-red-zone \
        -mgeneral-regs-only -I"$source" -c "$file" -o "$work/$(basename "$file" .cpp).o"
done
"$compiler" -r -nostdlib -o "$work/loader" "$work"/*.o -l:libz.a -l:liblzma.a -l:libzstd.a -l:liblz4.a

# memcpy and its kin are the base library's; the offset table is the linker's; weak references may stay open.
nm "$work/loader" | awk '$1 == "U" {print $2}' | sort >"$work/undefined"
printf '%s\n' _GLOBAL_OFFSET_TABLE_ memcmp memcpy memmove memset strlen | sort >"$work/allowed"
missing=$(comm -23 "$work/undefined" "$work/allowed")
if [ -n "$missing" ]; then
    echo "the hypervisor would lack:" $missing
    exit 1
fi
if objdump -h "$work/loader" | grep -E '\.(init_array|ctors|tdata|tbss)'; then
    echo "the hypervisor runs no constructors and has no thread-local variables"
    exit 1
fi
