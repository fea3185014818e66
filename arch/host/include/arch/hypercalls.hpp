// The build host as an architecture: its part of the generic hypercalls.
// Contract: see arch/x86/include/arch/hypercalls.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/abi/memory.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {
class Domain;
}

namespace px::arch {

inline constexpr u64 hypervisor_virtual_start = 0xffff'8000'0000'0000;

std::string_view capabilities();
u32 features(const Domain& domain);
Result<> initialise_vcpu(Vcpu& vcpu, u64 argument);
bool is_initialised(const Vcpu& vcpu);
void send_nmi(Vcpu& vcpu);
u64 frame_count();
Result<Reply> memory_op(Vcpu& caller, abi::MemoryOp operation, u64 argument);

}  // namespace px::arch
