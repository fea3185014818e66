// FADT: the fixed hardware, as one description whatever the table's revision.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/acpi/table.hpp"

namespace px::acpi {

inline constexpr Signature fadt_signature = "FACP"_sig;

/// Bits of the FADT's `flags` [acpi/6.4 table 5.10].
struct FixedFlags {
    u32 wbinvd : 1 = 0;
    u32 wbinvd_flush : 1 = 0;
    u32 c1_supported : 1 = 0;
    u32 c2_multiprocessor : 1 = 0;
    u32 control_method_power_button : 1 = 0;
    u32 control_method_sleep_button : 1 = 0;
    u32 rtc_not_fixed : 1 = 0;
    u32 rtc_s4 : 1 = 0;
    u32 timer_32_bit : 1 = 0;
    u32 docking : 1 = 0;
    u32 reset_register : 1 = 0;
    u32 sealed_case : 1 = 0;
    u32 headless : 1 = 0;
    u32 software_sleep : 1 = 0;
    u32 pcie_wake : 1 = 0;
    u32 use_platform_clock : 1 = 0;
    u32 s4_rtc_valid : 1 = 0;
    u32 remote_power_on : 1 = 0;
    u32 force_apic_cluster : 1 = 0;
    u32 force_apic_physical : 1 = 0;
    u32 hardware_reduced : 1 = 0;
    u32 low_power_s0 : 1 = 0;
    u32 : 10;
};
static_assert(sizeof(FixedFlags) == 4);

/// Bits of `IAPC_BOOT_ARCH` [acpi/6.4 table 5.11].
struct PcBootFlags {
    u16 legacy_devices : 1 = 0;
    u16 keyboard_controller : 1 = 0;
    u16 no_vga : 1 = 0;
    u16 no_msi : 1 = 0;
    u16 no_aspm : 1 = 0;
    u16 no_cmos_rtc : 1 = 0;
    u16 : 10;
};
static_assert(sizeof(PcBootFlags) == 2);

/// Absent registers have address 0.
struct FixedHardware {
    u8 revision = 0;
    Paddr dsdt;
    u32 sci = 0;  ///< as an ISA interrupt, subject to the MADT's overrides
    u16 smi_command = 0;
    u8 acpi_enable = 0;  ///< written to smi_command to take the fixed hardware over; 0: nothing to do
    GenericAddress pm1a_event, pm1b_event;
    GenericAddress pm1a_control, pm1b_control;
    GenericAddress pm_timer;
    GenericAddress reset_register;  ///< present only where its flag says it may be used
    u8 reset_value = 0;
    GenericAddress sleep_control, sleep_status;  ///< hardware-reduced ACPI
    u8 century = 0;                              ///< CMOS index of the century, 0: none
    FixedFlags flags;
    PcBootFlags pc;
};

/// The 64-bit fields are preferred where the table has them, else the first revision's.
TableResult<FixedHardware> parse_fadt(const Table& table);

}  // namespace px::acpi
