// What a PV guest may put into registers that it can't write by itself, and what becomes of it there.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

inline constexpr u64 dr6_fixed = 0xffff0ff0, dr7_fixed = 0x400;

/// Types of vm_assist that PV guests may turn on; those of 32-bit guests are accepted and do nothing, as in 4.17.
inline constexpr u64 valid_assists = 0x3f | u64{1} << static_cast<u32>(abi::VmassistType::m2p_strict);

inline bool assisted(const Vcpu& vcpu, abi::VmassistType type) {
    return (__atomic_load_n(&vcpu.domain.vm_assist, __ATOMIC_RELAXED) >> static_cast<u32>(type) & 1) != 0;
}

/// RFLAGS as the processor may have them in ring 3 of a guest: interrupts open, no I/O privilege.
constexpr u64 safe_flags(u64 wanted) {
    constexpr u64 writable = 0x254dd5;  // CF PF AF ZF SF TF DF OF NT RF AC ID
    return (wanted & writable) | flags::interrupts | flags::fixed;
}

/// CR4 as the guest sees it after it wrote `wanted`: what it can't change stays.
u64 guest_cr4(const Vcpu& vcpu, u64 wanted);
/// The processor's while the vCPU runs.
u64 real_cr4(const Vcpu& vcpu);
/// Writes the processor's CR0.TS by what the guest wants.
void load_task_switched(bool on);

/// DR0 … DR7 by number. Errors: enodev (no such register), einval (bits), eperm (an address of the hypervisor's, general detect).
Result<> set_debug_register(Vcpu& vcpu, unsigned number, u64 value);
Result<u64> debug_register(const Vcpu& vcpu, unsigned number);

}  // namespace px::pv
