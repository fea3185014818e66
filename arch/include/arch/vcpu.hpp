// Contract: what the architecture keeps for a vCPU, and how it is run.
//
// create(vcpu)       at the vCPU's creation; the domain's arch part exists. Errors: enomem
// destroy(vcpu)      it doesn't run and never will
// switch_in(vcpu)    on the CPU that is to run it, interrupts off: loads what isn't switched at each entry
// switch_out(vcpu)   its counterpart; after it any CPU may switch it in
// run(vcpu)          enters the guest and returns after the exit was dealt with; interrupts on before and after. Returns
//                    at once, without entering, if a softirq is pending or the vCPU is no longer runnable
// kick(vcpu)         it is on a CPU, perhaps in the guest: make it look at its interrupts before it goes on; any context
// set_upcall(vcpu)   event channel upcall has become pending (vcpu_info says so already): arrange its delivery; any CPU
// deliverable(vcpu)  true where an interrupt would end a halt (SCHEDOP_block, HLT) at once
// VcpuState          of arch/vcpu_state.hpp: constructed with its vCPU, as its last member
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/vcpu_state.hpp"
#include "hypervisor/base/result.hpp"

namespace px {
class Vcpu;
}

namespace px::arch {

Result<> create_vcpu(Vcpu& vcpu);
void destroy_vcpu(Vcpu& vcpu);
void switch_in(Vcpu& vcpu);
void switch_out(Vcpu& vcpu);
void run(Vcpu& vcpu);
void kick(Vcpu& vcpu);
void set_upcall(Vcpu& vcpu);
bool deliverable(Vcpu& vcpu);

}  // namespace px::arch
