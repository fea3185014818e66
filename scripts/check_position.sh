#!/bin/sh
# check_position.sh OBJECT…: code that runs where EFI put the image may hold no address that the linker makes absolute.
# SPDX-License-Identifier: Apache-2.0
status=0
for object in "$@"; do
    found=$(readelf -rW "$object" | awk '
        /^Relocation section/ { section = $3 }
        /R_X86_64_(64|32|32S) / && section !~ /debug/ { print section, $0 }')
    [ -z "$found" ] && continue
    echo "$object holds absolute addresses, though it runs before paging is ours (boot/efi/firmware.hpp):"
    echo "$found"
    status=1
done
exit $status
