// The local APIC of the CPU that asks, in either of its modes.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/guests/common/cpu.hpp"

namespace px::guest {

/// Registers by their xAPIC offset [intel/sdm3 11.4.1]; x2APIC's MSR is 0x800 + offset / 16.
enum class ApicReg : u32 {
    id = 0x20,
    version = 0x30,
    tpr = 0x80,
    ppr = 0xa0,
    eoi = 0xb0,
    ldr = 0xd0,
    dfr = 0xe0,
    spurious = 0xf0,
    isr = 0x100,
    irr = 0x200,
    esr = 0x280,
    icr = 0x300,
    icr_high = 0x310,
    lvt_timer = 0x320,
    lvt_thermal = 0x330,
    lvt_perf = 0x340,
    lvt_lint0 = 0x350,
    lvt_lint1 = 0x360,
    lvt_error = 0x370,
    timer_initial = 0x380,
    timer_current = 0x390,
    timer_divide = 0x3e0,
    self_ipi = 0x3f0,
};

inline constexpr u32 apic_base_msr = 0x1b;
inline constexpr u64 apic_base_x2 = 1 << 10, apic_base_enable = 1 << 11, apic_base_bsp = 1 << 8;
inline constexpr u64 apic_mmio = 0xfee0'0000;
inline constexpr u32 ipi_init = 0x500, ipi_startup = 0x600, ipi_assert = 1 << 14;
inline constexpr u32 apic_software_enable = 1 << 8, lvt_masked = 1 << 16, lvt_periodic = 1 << 17;

inline constexpr u32 x2apic_msr(ApicReg reg) { return 0x800 + static_cast<u32>(reg) / 16; }

bool apic_is_x2();
u32 apic_read(ApicReg reg);
void apic_write(ApicReg reg, u32 value);
inline void apic_eoi() { apic_write(ApicReg::eoi, 0); }

/// Software-enables it (it may still be off), spurious vector 0xff.
void apic_enable();

/// Changes this CPU's local APIC to x2APIC mode; there is no way back but through "disabled".
void apic_enter_x2();

/// APIC id of a vCPU of this domain: twice its number, as the reference and libxl's MADT have it.
constexpr u32 apic_id_of(unsigned vcpu) { return vcpu * 2; }

/// `command` is the low word of the ICR; waits until it has been delivered.
void send_ipi(u32 apic_id, u32 command);

}  // namespace px::guest
