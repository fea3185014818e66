// INIT and startup IPIs, and the start states of vCPUs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

/// INIT: the vCPU stops and waits for a startup IPI. Not the current vCPU.
void init_vcpu(Vcpu& target);
/// SIPI: a vCPU that waits begins at page `page` in real mode.
void startup_vcpu(Vcpu& target, u8 page);
/// The state in which PVH enters: 32-bit protected mode without paging. [xen/docs pvh]
void set_pvh_entry(Vcpu& vcpu, u32 entry, u32 start_info);

}  // namespace px::hvm
