#!/bin/sh
# The loader as the hypervisor links it, with Debian's static libraries: fails on any symbol that the hypervisor
# doesn't have, on constructors and thread-local variables, which it doesn't set up, and if one codec doesn't
# unpack when nothing but libc_shim.cpp stands below it.
# SPDX-License-Identifier: Apache-2.0
set -eu
source=$1 compiler=${2:-g++}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-std=gnu++20 -O2 -ffreestanding -fno-exceptions -fno-rtti -fno-stack-protector -fPIE -mno-red-zone -mgeneral-regs-only"
libraries="-l:libz.a -l:liblzma.a -l:libzstd.a -l:liblz4.a"

compile() { "$compiler" $flags -I"$source" -c "$1" -o "$work/$(basename "$1" .cpp).o"; }
for file in "$source"/boot/loader/*.cpp; do compile "$file"; done
"$compiler" -r -nostdlib -o "$work/loader" "$work"/*.o $libraries

# memcpy and its kin are the base library's; the offset table is the linker's; weak references may stay open.
nm "$work/loader" | awk '$1 == "U" {print $2}' | sort >"$work/undefined"
printf '%s\n' _GLOBAL_OFFSET_TABLE_ memchr memcmp memcpy memmove memset strlen | sort >"$work/allowed"
missing=$(comm -23 "$work/undefined" "$work/allowed")
if [ -n "$missing" ]; then
    echo "the hypervisor would lack:" $missing
    exit 1
fi
if objdump -h "$work/loader" | grep -E '\.(init_array|ctors|tdata|tbss)'; then
    echo "the hypervisor runs no constructors and has no thread-local variables"
    exit 1
fi

compile "$source/tests/unit/loader/freestanding_program.cpp"
"$compiler" -static -nostdlib -o "$work/program" "$work"/*.o $libraries
sample=$(readlink -f /bin/sh)
for codec in "gzip -9" "xz --check=crc32 --x86 --lzma2=dict=128MiB" "xz --check=crc64" "xz --check=sha256" "xz --format=lzma" \
    "zstd -19" "lz4 -l"; do
    $codec -c <"$sample" >"$work/packed"
    # On a stack of 64 KiB, as decompress.hpp promises; the environment would lie on it.
    (ulimit -s 64 && exec env -i "$work/program") <"$work/packed" >"$work/unpacked" || { echo "$codec: status $?"; exit 1; }
    cmp "$sample" "$work/unpacked" || { echo "$codec: the content differs"; exit 1; }
done
