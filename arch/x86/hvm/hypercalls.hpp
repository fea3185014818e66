// The hypercall table of HVM-style guests, and the calls that only x86 has.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/hypercall/hypercall.hpp"

namespace px::hvm {

Result<Reply> hypercall_hvm_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_physdev_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> hypercall_platform_op(Vcpu& caller, HypercallArgs& args);

/// What such guests may call.
extern const HypercallTable hypercalls;

/// Fills a guest's hypercall page: 32 bytes per call [xen/public arch-x86/cpuid.h, MSR 0x40000000].
void write_hypercall_page(void* page);

}  // namespace px::hvm
