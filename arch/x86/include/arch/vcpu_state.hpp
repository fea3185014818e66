// Contract: what the architecture keeps for a vCPU (see arch/vcpu.hpp).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/vcpu_state.hpp"

namespace px::arch {

using VcpuState = hvm::VcpuState;

}  // namespace px::arch
