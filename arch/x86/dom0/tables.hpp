// The ACPI tables that the hardware domain sees: root, list and MADT anew, the others where the firmware put them.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/writer.hpp"

namespace px::dom0 {

/// A table as the firmware's list names it.
struct ListedTable {
    acpi::Signature signature;
    u64 address = 0;
};

/// False for tables about what the hypervisor keeps to itself or about CPUs and nodes that dom0 doesn't see.
bool passes_to_dom0(acpi::Signature signature);

struct TablesSpec {
    std::span<const ListedTable> tables;  ///< the machine's, MADT included
    const acpi::Topology& topology;
    u32 vcpus = 1;  ///< uid = number, APIC id = twice the number
};

/// Bytes that are always enough for `spec`.
usize tables_size(const TablesSpec& spec);
/// Writes them and returns where the RSDP is. Errors: enospc.
Result<Gpaddr> write_tables(acpi::TableWriter& writer, const TablesSpec& spec);

}  // namespace px::dom0
