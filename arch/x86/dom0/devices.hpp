// What the hardware domain has of the machine's devices, and what stands between it and them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/dom0/memory_map.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

/// device_memory_top() of this machine.
u64 machine_top();

/// Device memory whose accesses exit: interrupt controllers, PCI configuration space, the hypervisor's clock. Errors: enospc.
Result<> list_trapped(TrappedRanges& out);

/// Ports, virtual I/O APICs, PCI: before the first vCPU exists. Panics where it can't be done.
void give_devices(Domain& domain);

}  // namespace px::dom0
