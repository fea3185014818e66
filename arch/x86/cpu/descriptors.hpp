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
inline constexpr u16 first = 0xe000;
inline constexpr u16 code = first + 0x08;
inline constexpr u16 data = first + 0x10;
inline constexpr u16 user_code32 = first + 0x23;  ///< these three are flat segments for PV guests, the only ones that SYSRET knows
inline constexpr u16 user_data = first + 0x2b;
inline constexpr u16 user_code = first + 0x33;
inline constexpr u16 tss = first + 0x40;
inline constexpr u16 ldt = first + 0x50;
}  // namespace selector

/// The reserved part of a CPU's GDT: the page at `selector::first`. What lies before it is the current PV guest's, or empty.
struct Gdt {
    static constexpr u32 limit = 0xffff;
    std::array<u64, 12> entry{0, 0x00af9b000000ffff, 0x00cf93000000ffff, 0, 0x00cffb000000ffff, 0x00cff3000000ffff, 0x00affb000000ffff};

    void set_tss(u64 base, u32 size) { set_system(selector::tss, 0x89, base, size); }
    void set_ldt(u64 base, u32 size) { set_system(selector::ldt, 0x82, base, size); }

private:
    /// A descriptor of 16 bytes. [intel/sdm3 figure 7-4]
    void set_system(u16 at, u64 type, u64 base, u32 size) {
        const unsigned index = (at - selector::first) / sizeof(u64);
        entry[index] = (size & 0xffff) | (base & 0xffffff) << 16 | type << 40 | (base >> 24 & 0xff) << 56;
        entry[index + 1] = base >> 32;
    }
};
static_assert(sizeof(Gdt) <= page_size);

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
    /// `ring`: the outermost one that may raise it by an instruction.
    static constexpr IdtEntry interrupt_gate(u64 handler, Ist ist, u64 ring = 0) {
        return {(handler & 0xffff) | u64{selector::code} << 16 | u64{static_cast<u8>(ist)} << 32 | (u64{0x8e} | ring << 5) << 40 |
                    (handler >> 16 & 0xffff) << 48,
                handler >> 32};
    }
};

struct [[gnu::packed]] TablePointer {
    u16 limit;
    u64 base;
};

}  // namespace px::arch
