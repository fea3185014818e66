// AArch64: TPIDR_EL2 points to this CPU's block. Contract: see arch/x86/include/arch/per_cpu.hpp. [arm/ddi0487 D17.2.150]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {
struct PerCpu;
}

namespace px::arch {

struct PerCpuState {
    u64 affinity = 0;  ///< MPIDR_EL1's fields: whom PSCI and the interrupt controller mean
};

inline PerCpu* this_cpu_pointer() {
    u64 block;
    asm("mrs %0, tpidr_el2" : "=r"(block));
    return reinterpret_cast<PerCpu*>(block);
}

}  // namespace px::arch
