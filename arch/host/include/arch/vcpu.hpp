// The build host as an architecture: a vCPU that runs no guest, and notes what it was asked.
// Contract: see arch/x86/include/arch/vcpu.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/result.hpp"

namespace px {
class Vcpu;
}

namespace px::arch {

struct VcpuState {
    explicit VcpuState(Vcpu&) {}

    std::atomic<u32> kicks{0};
    std::atomic<u32> upcalls{0};
    std::atomic<u32> nmis{0};
    bool initialised = false;     ///< by VCPUOP_initialise
    u64 context = 0;              ///< what it was given then
    bool interrupts_open = true;  ///< deliverable() looks at the pending upcall only then
};

Result<> create_vcpu(Vcpu& vcpu);
void destroy_vcpu(Vcpu& vcpu);
void switch_in(Vcpu& vcpu);
void switch_out(Vcpu& vcpu);
void run(Vcpu& vcpu);
void kick(Vcpu& vcpu);
void set_upcall(Vcpu& vcpu);
bool deliverable(Vcpu& vcpu);

}  // namespace px::arch
