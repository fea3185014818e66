// Guest registers in neutral form: neither VMCB nor VMCS.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::hvm {

/// In the order of their numbers in instructions. The world switch of a back end loads and stores them by offset.
struct GuestRegisters {
    u64 rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15;
    u64 rip, rflags;

    u64& operator[](unsigned number) { return (&rax)[number]; }
    u64 operator[](unsigned number) const { return (&rax)[number]; }
};

/// As the guest sees them.
struct ControlRegisters {
    u64 cr0 = 0x10, cr2 = 0, cr3 = 0, cr4 = 0, efer = 0;
};

enum class Segment : u8 { es, cs, ss, ds, fs, gs, ldtr, tr };

/// `attributes` are bits 8…15 and 20…23 of a descriptor's upper word joined to 12 bits, as in a VMCB [amd/apm2 15.5.1].
struct SegmentRegister {
    u16 selector = 0;
    u16 attributes = 0;
    u32 limit = 0;
    u64 base = 0;

    static constexpr u16 present = 1u << 7, code_or_data = 1u << 4, long_mode = 1u << 9, big = 1u << 10, granular = 1u << 11;
    unsigned dpl() const { return attributes >> 5 & 3u; }
};

/// GDTR and IDTR.
struct TableRegister {
    u64 base = 0;
    u16 limit = 0;
};

}  // namespace px::hvm
