// What the firmware's ACPI tables tell: parsed once at boot.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "drivers/acpi/fadt.hpp"
#include "drivers/acpi/platform_tables.hpp"
#include "drivers/acpi/root.hpp"
#include "drivers/acpi/sleep.hpp"
#include "drivers/acpi/topology.hpp"

namespace px::arch {

struct AcpiTables {
    std::optional<acpi::TableList> list;
    acpi::RootPointer root;
    acpi::Topology topology;
    acpi::Affinity affinity;
    std::optional<acpi::Distances> distances;
    acpi::EcamWindows ecam;
    std::optional<acpi::FixedHardware> fixed;
    std::optional<acpi::SleepType> s5;
    std::optional<acpi::HpetInfo> hpet;
};

/// Machine memory for the table parsers; also for what rebuilds tables for the hardware domain.
acpi::PhysicalMemory& acpi_memory();
/// Finds and parses the tables; what is missing or broken is said in the log. `rsdp` 0: search the BIOS areas.
void read_acpi_tables(u64 rsdp);
AcpiTables& acpi_tables();

/// Return only where the tables name no way or it did not work.
void acpi_power_off();
void acpi_reset();

}  // namespace px::arch
