// The hypercall table of PV guests, and the calls on their virtual CPU. [xen/public arch-x86/xen.h, xen.h, callback.h, nmi.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/hypercall/hypercall.hpp"

namespace px::pv {

/// What such guests may call.
extern const HypercallTable hypercalls;

/// Fills a guest's hypercall page: 32 bytes per call, by SYSCALL.
void write_hypercall_page(void* page);

// arch/x86/pv/machine/cpu_calls.cpp. Errors: einval, efault, eperm, enosys (unknown operation).
Result<Reply> set_trap_table(Vcpu& caller, HypercallArgs& args);
Result<Reply> stack_switch(Vcpu& caller, HypercallArgs& args);
Result<Reply> set_callbacks(Vcpu& caller, HypercallArgs& args);
Result<Reply> callback_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> nmi_op(Vcpu& caller, HypercallArgs& args);
Result<Reply> fpu_taskswitch(Vcpu& caller, HypercallArgs& args);
Result<Reply> set_debugreg(Vcpu& caller, HypercallArgs& args);
Result<Reply> get_debugreg(Vcpu& caller, HypercallArgs& args);
Result<Reply> set_segment_base(Vcpu& caller, HypercallArgs& args);

/// Back to what the frame on the kernel's stack says, all registers included: so it has no result, and no place in a multicall.
void iret(Vcpu& caller);

}  // namespace px::pv
