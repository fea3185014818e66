// The ACPI tables of a PVH guest: RSDP, XSDT, MADT, hardware-reduced FADT, empty DSDT.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "hypervisor/base/types.hpp"

namespace px::builder {

struct AcpiTables {
    std::vector<u8> bytes;  ///< for guest memory from acpi_start on
    Gpaddr rsdp;
};

/// vCPU v has the local APIC id 2 × v, as CPUID tells it. All vCPUs that may ever run are listed as enabled: which of
/// them the guest uses, it reads in xenstore.
AcpiTables write_acpi_tables(u32 max_vcpus);

}  // namespace px::builder
