// NUMA nodes of the machine, by ACPI's SRAT and SLIT.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

/// Describes nodes() and gives each node its RAM. Once, after the ACPI tables were read and before other CPUs and guests. There is one
/// node unless `several` are wanted and described; tables that contradict themselves are complained of.
void find_nodes(bool several);
/// The node of a CPU; 0 where nobody says.
u8 node_of_apic(u32 apic_id);

}  // namespace px::arch
