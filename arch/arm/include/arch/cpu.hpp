// AArch64 at EL2: CPU primitives. Contract: see arch/x86/include/arch/cpu.hpp. [arm/ddi0487 C5.2.2]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

using IrqState = u64;  ///< PSTATE.DAIF

inline void cpu_relax() { asm volatile("yield" ::: "memory"); }

inline void irq_enable() { asm volatile("msr daifclr, #2" ::: "memory"); }
inline void irq_disable() { asm volatile("msr daifset, #2" ::: "memory"); }

inline IrqState irq_save() {
    u64 flags;
    asm volatile("mrs %0, daif" : "=r"(flags)::"memory");
    irq_disable();
    return flags;
}
inline void irq_restore(IrqState flags) { asm volatile("msr daif, %0" ::"r"(flags) : "memory"); }

inline bool irq_enabled() {
    constexpr u64 irq_masked = 1u << 7;
    u64 flags;
    asm volatile("mrs %0, daif" : "=r"(flags));
    return (flags & irq_masked) == 0;
}

}  // namespace px::arch
