// Registers of a local APIC: real and virtual ones. [intel/sdm3 11.4]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

namespace apic {
/// Register offsets in the xAPIC page; the x2APIC MSR is 0x800 + offset / 16.
enum Register : u16 {
    id = 0x20,
    version = 0x30,
    task_priority = 0x80,
    processor_priority = 0xa0,
    eoi = 0xb0,
    logical_destination = 0xd0,
    destination_format = 0xe0,
    spurious = 0xf0,
    in_service = 0x100,
    trigger_mode = 0x180,
    request = 0x200,
    error = 0x280,
    command_low = 0x300,
    command_high = 0x310,
    lvt_timer = 0x320,
    lvt_thermal = 0x330,
    lvt_performance = 0x340,
    lvt_lint0 = 0x350,
    lvt_lint1 = 0x360,
    lvt_error = 0x370,
    timer_initial = 0x380,
    timer_current = 0x390,
    timer_divide = 0x3e0,
    self_ipi = 0x3f0,
};
/// Registers that RDMSR gives in x2APIC mode; the command register besides, whose 64 bits aren't one of the page's.
constexpr bool x2_readable(u32 offset) {
    if (offset % 16 != 0) return false;
    if (offset >= in_service && offset < request + 0x80u) return true;
    if (offset >= lvt_timer && offset <= timer_current) return true;
    return offset == id || offset == version || offset == task_priority || offset == processor_priority || offset == logical_destination ||
           offset == spurious || offset == error || offset == timer_divide;
}
inline constexpr u32 masked = 1u << 16;
inline constexpr u32 timer_tsc_deadline = 2u << 17;
inline constexpr u32 delivery_nmi = 4u << 8, delivery_init = 5u << 8, delivery_startup = 6u << 8;
inline constexpr u32 level_assert = 1u << 14, all_but_self = 3u << 18;
}  // namespace apic

}  // namespace px::arch
