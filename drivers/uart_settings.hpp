// What `com1=` and `com2=` say: line settings and place of a UART, and their parser.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/base/result.hpp"

namespace px {

/// As in bits 3 to 5 of the line control register.
enum class Parity : u8 { none = 0, odd = 1, even = 3, mark = 5, space = 7 };

struct UartSettings {
    u32 baud = 0;            ///< 0 is `auto`: keep the divisor and line format that the firmware set
    u32 clock_hz = 1843200;  ///< input clock: 16 times the highest baud rate
    u8 data_bits = 8;
    Parity parity = Parity::none;
    u8 stop_bits = 1;
    u64 io_base = 0;   ///< a port when below 64 KiB, otherwise a machine address
    u32 irq = 0;       ///< 0: polled only
    u8 reg_shift = 0;  ///< registers stand 1 << reg_shift bytes apart
    u8 reg_width = 1;  ///< bytes per register access, 1 or 4

    constexpr bool memory_mapped() const { return io_base > 0xffff; }
    friend constexpr bool operator==(const UartSettings&, const UartSettings&) = default;
};

/// The PC's two serial ports, left as the firmware set them.
inline constexpr UartSettings default_com1{.io_base = 0x3f8, .irq = 4};
inline constexpr UartSettings default_com2{.io_base = 0x2f8, .irq = 3};

/// Parses the forms of the reference:
///   BAUD|auto[/BASE-BAUD][,DPS[,IO-BASE[,IRQ]]]   each position may be empty, and
///   NAME=VALUE items (baud, clock-hz, data-bits, parity, stop-bits, io-base, irq, reg-shift, reg-width) at
///   any place.
/// What `text` leaves out keeps its value of `defaults`. The error is a phrase that says what is wrong. UARTs
/// behind PCI (`pci`, `amt`, `dev=`, `msi` and bridges) are refused by name.
Result<UartSettings, const char*> parse_uart_settings(std::string_view text, const UartSettings& defaults);

}  // namespace px
