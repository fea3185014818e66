#!/bin/sh
# symbols.sh NM IMAGE OUT.S: a table of function addresses and names for stack traces, sorted by address.
# SPDX-License-Identifier: Apache-2.0
set -eu
"$1" -n -C "$2" | awk -v base=ffff8280 '
    BEGIN { print "    .section .symbol_table, \"a\", @progbits" }
    $2 ~ /^[tTwW]$/ && index($1, base) == 1 {
        name = $3; for (i = 4; i <= NF; i++) name = name " " $i
        gsub(/\(anonymous namespace\)::/, "", name); sub(/\(.*$/, "", name); gsub(/[\\"]/, "", name)
        if (name == "" || $1 == last) next
        last = $1
        printf "    .quad 0x%s\n    .byte %d\n    .ascii \"%s\"\n", $1, length(substr(name, 1, 120)), substr(name, 1, 120)
    }
    END { print "    .section .note.GNU-stack, \"\", @progbits" }' > "$3"
