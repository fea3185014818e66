// Writes of a PV domain to device memory that it may only read: the hypervisor's handlers get them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// Executes the current vCPU's instruction, which faulted at `address`, where read-only device memory is mapped there. What no handler
/// takes is dropped. False: the fault is the guest's.
bool write_device(Vcpu& vcpu, u64 address);

}  // namespace px::pv
