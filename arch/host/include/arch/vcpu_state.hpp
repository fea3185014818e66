// The build host as an architecture: a vCPU that runs no guest, and notes what it was asked.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/types.hpp"

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

}  // namespace px::arch
