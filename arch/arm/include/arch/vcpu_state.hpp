// AArch64: what it keeps for a vCPU (see arch/vcpu.hpp).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/types.hpp"

namespace px {
class Vcpu;
}

namespace px::arch {

struct VcpuState {
    explicit VcpuState(Vcpu&) {}

    std::array<u64, 31> x{};  ///< general registers
    u64 pc = 0;               ///< ELR_EL2
    u64 pstate = 0;           ///< SPSR_EL2
};

}  // namespace px::arch
