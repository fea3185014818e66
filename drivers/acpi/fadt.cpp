// FADT parser [acpi/6.4 5.2.9].
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/acpi/fadt.hpp"

#include <bit>

namespace px::acpi {
namespace {

/// One register block: the extended address where given, otherwise the port of revision 1 with its byte
/// length.
GenericAddress block(const GenericAddress& extended, u32 port, u8 length) {
    if (extended.present()) return extended;
    if (port == 0 || length == 0) return {};
    return {AddressSpace::io, static_cast<u8>(length * 8), 0, 0, port};
}

}  // namespace

TableResult<FixedHardware> parse_fadt(const Table& table) {
    const auto fadt = TRY(table.read_growing<FadtLayout>(fadt_v1_length));
    FixedHardware out;
    out.revision = table.revision();
    out.flags = std::bit_cast<FixedFlags>(fadt.flags);
    // Revision 1 left these bytes reserved; there the PC's classic devices are taken for granted.
    out.pc =
        out.revision < 2 ? PcBootFlags{.legacy_devices = 1, .keyboard_controller = 1} : std::bit_cast<PcBootFlags>(fadt.boot_architecture);
    out.dsdt = Paddr{fadt.x_dsdt != 0 ? fadt.x_dsdt : fadt.dsdt};
    out.sci = fadt.sci_interrupt;
    out.smi_command = static_cast<u16>(fadt.smi_command);
    out.acpi_enable = fadt.acpi_enable;
    out.century = fadt.century;
    if (out.flags.reset_register && fadt.reset_register.present()) {
        out.reset_register = fadt.reset_register;
        out.reset_value = fadt.reset_value;
    }
    out.sleep_control = fadt.sleep_control;
    out.sleep_status = fadt.sleep_status;
    if (out.flags.hardware_reduced) return out;

    // Lengths below the architected ones would make the driver touch a neighbour's ports.
    if (fadt.pm1_event_length < 4 || fadt.pm1_control_length < 2) {
        return Err{table.error(Defect::bad_entry, offsetof(FadtLayout, pm1_event_length))};
    }
    out.pm1a_event = block(fadt.x_pm1a_event, fadt.pm1a_event, fadt.pm1_event_length);
    out.pm1b_event = block(fadt.x_pm1b_event, fadt.pm1b_event, fadt.pm1_event_length);
    out.pm1a_control = block(fadt.x_pm1a_control, fadt.pm1a_control, fadt.pm1_control_length);
    out.pm1b_control = block(fadt.x_pm1b_control, fadt.pm1b_control, fadt.pm1_control_length);
    if (fadt.pm_timer_length == 4) out.pm_timer = block(fadt.x_pm_timer, fadt.pm_timer, fadt.pm_timer_length);
    return out;
}

}  // namespace px::acpi
