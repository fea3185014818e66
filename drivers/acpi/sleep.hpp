// Power-off and reset through ACPI's fixed hardware.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "drivers/acpi/fadt.hpp"
#include "drivers/acpi/root.hpp"
#include "drivers/io.hpp"

namespace px::acpi {

/// What SLP_TYP of the two PM1 control registers must be to enter a sleep state.
struct SleepType {
    u8 a = 0;
    u8 b = 0;
    friend constexpr bool operator==(const SleepType&, const SleepType&) = default;
};

/// The \_S5 package of a DSDT or SSDT, found by its bytecode pattern: Name (_S5_, Package () {constant,
/// constant, …}). That covers the tables of the field without an AML interpreter; a \_S5 that is computed is
/// not found.
std::optional<SleepType> find_s5(std::span<const u8> aml);

/// The same over all of a machine's AML: the DSDT, then the SSDTs; damaged SSDTs are passed over. The error
/// is that of the DSDT, or that none has a \_S5 (not_found).
TableResult<SleepType> find_s5(PhysicalMemory& memory, const TableList& list, const FixedHardware& hardware);

/// Whether we can write `address`: a port that fits, or nothing. Memory registers need a mapping and are the
/// caller's.
constexpr bool is_port(const GenericAddress& address) {
    return address.present() && address.space == AddressSpace::io && address.address <= 0xffff;
}

/// Enters S5. Interrupts off, all CPUs stopped. Returns only if the machine did not go: enodev without PM1
/// control ports, eio when it is still here after the write.
template <PortIo Io>
Result<> power_off(Io io, const FixedHardware& hardware, SleepType type) {
    constexpr u16 sleep_enable = 1 << 13;
    constexpr u16 keep = 0x03ff & ~u16{1 << 2};  // SCI_EN and bus-master bits stay; GBL_RLS is write-only
    REQUIRE(is_port(hardware.pm1a_control), enodev);
    const auto program = [&](const GenericAddress& control, u8 sleep_type, u16 enable) {
        if (!is_port(control)) return;
        const u16 port = static_cast<u16>(control.address);
        io.out16(port, static_cast<u16>((io.in16(port) & keep) | (sleep_type & 7) << 10 | enable));
    };
    // Both registers get the type before either is told to go [acpi/6.4 4.8.3.2.1].
    program(hardware.pm1a_control, type.a, 0);
    program(hardware.pm1b_control, type.b, 0);
    program(hardware.pm1a_control, type.a, sleep_enable);
    program(hardware.pm1b_control, type.b, sleep_enable);
    return Err{Errno::eio};
}

/// Writes the reset register. enodev: there is none among the ports; eio: the machine is still here.
template <PortIo Io>
Result<> reset(Io io, const FixedHardware& hardware) {
    REQUIRE(is_port(hardware.reset_register), enodev);
    io.out8(static_cast<u16>(hardware.reset_register.address), hardware.reset_value);
    return Err{Errno::eio};
}

}  // namespace px::acpi
