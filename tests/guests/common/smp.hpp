// More CPUs for a tiny kernel: started through VCPUOP_initialise or by INIT-SIPI, each runs one function.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/guests/common/cpu.hpp"

namespace px::guest {

/// Number of the vCPU that runs this, from the hypervisor's CPUID leaves.
unsigned cpu_number();

/// `vcpu` runs `function` with interrupts off, by VCPUOP_initialise and VCPUOP_up. One at a time: returns when it
/// has begun, 0 or the first error (-ETIMEDOUT when it never did).
i64 start_by_vcpu_op(unsigned vcpu, void (*function)());

/// The same through the INIT and startup IPIs of this CPU's local APIC, which must be enabled.
i64 start_by_sipi(unsigned vcpu, void (*function)());

/// Spins until `condition()` holds; false when it did not within `tsc_ticks` (several seconds by default).
template <class Condition>
bool wait_for(Condition condition, u64 tsc_ticks = 10'000'000'000) {
    for (const u64 start = rdtsc(); !condition(); relax()) {
        if (rdtsc() - start > tsc_ticks) return false;
    }
    return true;
}

}  // namespace px::guest
