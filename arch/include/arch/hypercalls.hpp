// Contract: the architecture's part of the generic hypercalls.
//
// hypervisor_virtual_start        XENVER_platform_parameters: the lowest address that is the hypervisor's
// capabilities()                  XENVER_capabilities: the kinds of guests, each followed by a space
// features(domain)                XENVER_get_features: the bits that are the architecture's
// initialise_vcpu(vcpu, argument) VCPUOP_initialise: `argument` points to the architecture's structure in the caller's memory;
//                                 the vCPU is down and was never initialised. Progress::more: again. Errors: efault, einval, enomem
// is_initialised(vcpu)            it has a state in which it can begin: VCPUOP_up may bring it up
// send_nmi(vcpu)                  any CPU
// frame_count()                   one more than the largest frame number of RAM
// set_frame_number(mfn, number)   a domain without a physmap calls the frame so: what the table says that guests read
// vm_assists(domain)              bits by abi::VmassistType: what the domain may turn on
// memory_op(caller, op, argument) memory_map, machine_memory_map, set_memory_map
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/abi/memory.hpp"
#include "hypervisor/hypercall/hypercall.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px {
class Domain;
}

namespace px::arch {

extern const u64 hypervisor_virtual_start;

std::string_view capabilities();
u32 features(const Domain& domain);
u64 vm_assists(const Domain& domain);
Result<Progress> initialise_vcpu(Vcpu& vcpu, u64 argument);
bool is_initialised(const Vcpu& vcpu);
void send_nmi(Vcpu& vcpu);
u64 frame_count();
void set_frame_number(Mfn mfn, u64 number);
Result<Reply> memory_op(Vcpu& caller, abi::MemoryOp operation, u64 argument);

}  // namespace px::arch
