// MADT: CPUs and interrupt controllers.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/table.hpp"
#include "drivers/acpi/topology.hpp"

namespace px::acpi {

inline constexpr Signature madt_signature = "APIC"_sig;

/// Adds what the MADT says to an empty `topology`. Unknown entries are skipped, a CPU or IO-APIC listed twice
/// counts once, CPUs beyond the capacity are counted in cpus_dropped. After an error `topology` holds what
/// stood before it.
TableResult<> parse_madt(const Table& table, Topology& topology);

}  // namespace px::acpi
