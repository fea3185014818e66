// The state in which a vCPU begins, as VCPUOP_initialise gives it. [xen/public hvm/hvm_vcpu.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/hvm/registers.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"
#include "hypervisor/base/result.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

struct InitialContext {
    GuestRegisters registers{};
    ControlRegisters control{};
    SegmentRegister cs, ds, ss, es, tr;
};

/// Errors: einval for a state that no processor could be in, or bits beyond `valid_efer` and `valid_cr4`.
Result<InitialContext> check_initial_context(const abi::x86::VcpuHvmContext& context, u64 valid_efer, u64 valid_cr4);

/// The vCPU, which doesn't run, has this state and may be brought up.
void apply(Vcpu& vcpu, const InitialContext& context);

}  // namespace px::hvm
