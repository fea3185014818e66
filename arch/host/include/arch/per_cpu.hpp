// The build host as an architecture: a thread of a test says which CPU it is.
// Contract: see arch/x86/include/arch/per_cpu.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/nanoseconds.hpp"
#include "hypervisor/base/types.hpp"

namespace px {
struct PerCpu;
class Vcpu;
}  // namespace px

namespace px::arch {

struct PerCpuState {
    Nanoseconds programmed = Nanoseconds::never();  ///< of the CPU's timer
    std::atomic<u32> interrupts{0};                 ///< from interrupt_cpu()
};

PerCpu* this_cpu_pointer();

/// The calling thread is `cpu` from now on; CPU 0 where nothing was said.
void host_become_cpu(CpuId cpu);
/// The calling CPU holds this vCPU's registers, as far as current_vcpu() is concerned; nullptr: none.
void host_become_vcpu(Vcpu* vcpu);

}  // namespace px::arch
