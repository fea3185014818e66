// Segment descriptors, task state segment, interrupt descriptors: layouts only. [intel/sdm3 3.4.5, 6.14, 7.7]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/types.hpp"

namespace px::arch {

/// Selectors of the hypervisor's own GDT. The PV ABI reserves the entries from 0xe000 on; ours lie there too, so that
/// one table serves PV guests and the hypervisor [xen/public arch-x86/xen.h FIRST_RESERVED_GDT_ENTRY].
namespace selector {
inline constexpr u16 code = 0x08;
inline constexpr u16 data = 0x10;
inline constexpr u16 tss = 0x18;
}  // namespace selector

struct Gdt {
    std::array<u64, 5> entry{0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0};

    void set_tss(u64 base, u32 limit) {
        entry[3] = (limit & 0xffff) | (base & 0xffffff) << 16 | u64{0x89} << 40 | (base >> 24 & 0xff) << 56;
        entry[4] = base >> 32;
    }
};

struct [[gnu::packed]] Tss {
    u32 reserved0 = 0;
    u64 rsp0 = 0, rsp1 = 0, rsp2 = 0;
    u64 reserved1 = 0;
    std::array<u64, 7> ist{};
    u64 reserved2 = 0;
    u16 reserved3 = 0;
    u16 io_bitmap = 104;  ///< beyond the limit: no bitmap
};
static_assert(sizeof(Tss) == 104);

/// Stacks of the interrupts that may come at any moment (1-based as in the IDT; 0 keeps the current stack).
enum class Ist : u8 { none = 0, double_fault = 1, nmi = 2, machine_check = 3, debug = 4 };

struct IdtEntry {
    u64 low = 0, high = 0;
    static constexpr IdtEntry interrupt_gate(u64 handler, Ist ist) {
        return {(handler & 0xffff) | u64{selector::code} << 16 | u64{static_cast<u8>(ist)} << 32 | u64{0x8e} << 40 |
                    (handler >> 16 & 0xffff) << 48,
                handler >> 32};
    }
};

struct [[gnu::packed]] TablePointer {
    u16 limit;
    u64 base;
};

}  // namespace px::arch
