// Local APIC access; see apic.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/common/apic.hpp"

namespace px::guest {

namespace {

volatile u32& mmio(ApicReg reg) { return *reinterpret_cast<volatile u32*>(apic_mmio + static_cast<u32>(reg)); }
constexpr u32 delivery_pending = 1 << 12;

}  // namespace

bool apic_is_x2() { return rdmsr(apic_base_msr) & apic_base_x2; }

u32 apic_read(ApicReg reg) { return apic_is_x2() ? static_cast<u32>(rdmsr(x2apic_msr(reg))) : mmio(reg); }

void apic_write(ApicReg reg, u32 value) {
    if (apic_is_x2()) wrmsr(x2apic_msr(reg), value);
    else mmio(reg) = value;
}

void apic_enable() {
    wrmsr(apic_base_msr, rdmsr(apic_base_msr) | apic_base_enable);
    apic_write(ApicReg::spurious, apic_software_enable | 0xff);
    apic_write(ApicReg::tpr, 0);
}

void apic_enter_x2() { wrmsr(apic_base_msr, rdmsr(apic_base_msr) | apic_base_enable | apic_base_x2); }

void send_ipi(u32 apic_id, u32 command) {
    if (apic_is_x2()) return wrmsr(x2apic_msr(ApicReg::icr), u64{apic_id} << 32 | command);
    mmio(ApicReg::icr_high) = apic_id << 24;
    mmio(ApicReg::icr) = command;
    while (mmio(ApicReg::icr) & delivery_pending) relax();
}

}  // namespace px::guest
