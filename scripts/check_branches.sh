#!/bin/sh
# check_branches.sh OBJECT…: every indirect call and jump goes through the thunks of arch/x86/cpu/indirect_branches.S.
# SPDX-License-Identifier: Apache-2.0
found=$(objdump -d --no-show-raw-insn "$@" | awk '
    / file format / { object = $1 }
    /(call|jmp) +\*/ && object !~ /indirect_branches|boot\/head|trampoline/ { print object, $0 }')
[ -z "$found" ] && exit 0
echo "indirect branches that no retpoline covers:"
echo "$found"
exit 1
