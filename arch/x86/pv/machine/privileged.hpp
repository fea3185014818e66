// Instructions that a PV guest can't execute in ring 3, and those whose answer isn't the machine's.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// The current vCPU's instruction raised #GP(0): done for it where its mode may do that. False: the fault is the guest's.
bool emulate_privileged(Vcpu& vcpu);
/// It raised #UD: CPUID after the prefix that asks us, `ud2; .ascii "xen"` [xen/public arch-x86/xen.h XEN_CPUID].
bool emulate_forced(Vcpu& vcpu);

/// MSRs as such guests see them. Errors: efault → #GP.
Result<u64> read_msr(Vcpu& vcpu, u32 index);
Result<> write_msr(Vcpu& vcpu, u32 index, u64 value);

}  // namespace px::pv
