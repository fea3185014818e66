// Contract: CPU primitives of an architecture.
//
// cpu_relax()          in every spin loop; any context
// irq_save()           disables interrupts, returns what irq_restore() needs; nests
// irq_restore(state)   puts the interrupt flag back as it was at the matching irq_save()
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

using IrqState = u64;

inline void cpu_relax() { asm volatile("pause" ::: "memory"); }

inline IrqState irq_save() {
    u64 flags;
    asm volatile("pushfq; popq %0; cli" : "=r"(flags)::"memory");
    return flags;
}

inline void irq_restore(IrqState flags) {
    constexpr u64 interrupt_flag = 1u << 9;
    if ((flags & interrupt_flag) != 0) asm volatile("sti" ::: "memory");
}

inline void irq_enable() { asm volatile("sti" ::: "memory"); }
inline void irq_disable() { asm volatile("cli" ::: "memory"); }
inline bool irq_enabled() {
    u64 flags;
    asm volatile("pushfq; popq %0" : "=r"(flags));
    return (flags & (1u << 9)) != 0;
}

}  // namespace px::arch
