// What the hardware domain has of the machine's devices, and what stands between it and them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "arch/x86/dom0/memory_map.hpp"
#include "arch/x86/machine/irq.hpp"
#include "drivers/acpi/topology.hpp"

namespace px {
class Domain;
}

namespace px::dom0 {

/// device_memory_top() of this machine.
u64 machine_top();

/// Device memory whose accesses exit: interrupt controllers, PCI configuration space, the hypervisor's clock. Errors: enospc.
Result<> list_trapped(TrappedRanges& out);

/// The ports that the hardware domain uses directly, and those that we answer for it. Panics where it can't be done.
void give_ports(Domain& domain);

/// The serial console's line, as the firmware describes it. Nothing: the console has none.
struct ConsoleConnection {
    u32 gsi;
    acpi::IntiFlags flags;
    arch::InterruptTarget& target;
};
std::optional<ConsoleConnection> console_connection();

/// Ports, virtual I/O APICs, PCI: before the first vCPU exists. Panics where it can't be done.
void give_devices(Domain& domain);

}  // namespace px::dom0
