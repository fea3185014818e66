// The two 8259 interrupt controllers of a PC: moved out of the exceptions' way, and silenced.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/io.hpp"

namespace px {

/// Not locked: boot only, but for acknowledge() and spurious(), which only the CPU that takes the interrupt
/// calls.
template <PortIo Io>
class Pic8259 {
public:
    constexpr explicit Pic8259(Io io) : io_(io) {}

    /// Initialises both controllers so that line n raises vector `first_vector` + n, all lines masked.
    /// `first_vector` is a multiple of 16. Spurious interrupts can still come, as lines 7 and 15.
    void remap_and_mask(u8 first_vector) {
        mask_all();
        constexpr u8 edge_cascade_icw4 = 0x11, cascade_line = 2, mode_8086 = 0x01;
        io_.out8(primary_command, edge_cascade_icw4);
        io_.out8(secondary_command, edge_cascade_icw4);
        io_.out8(primary_data, first_vector);
        io_.out8(secondary_data, static_cast<u8>(first_vector + 8));
        io_.out8(primary_data, 1 << cascade_line);
        io_.out8(secondary_data, cascade_line);
        io_.out8(primary_data, mode_8086);
        io_.out8(secondary_data, mode_8086);
        mask_all();
    }

    void mask_all() {
        io_.out8(primary_data, 0xff);
        io_.out8(secondary_data, 0xff);
    }

    /// Bit n set: line n doesn't interrupt.
    void set_masks(u16 lines) {
        io_.out8(primary_data, static_cast<u8>(lines));
        io_.out8(secondary_data, static_cast<u8>(lines >> 8));
    }

    /// Whether the interrupt on line 7 or 15 is spurious: its in-service bit isn't set. A spurious line 15 is
    /// still in service as the cascade of the primary, so that one gets its end of interrupt here.
    bool spurious(unsigned line) {
        if (line != 7 && line != 15) return false;
        const u16 command = line == 7 ? primary_command : secondary_command;
        io_.out8(command, read_in_service);
        if (io_.in8(command) & 0x80) return false;
        if (line == 15) io_.out8(primary_command, end_of_interrupt);
        return true;
    }

    void acknowledge(unsigned line) {
        if (line >= 8) io_.out8(secondary_command, end_of_interrupt);
        io_.out8(primary_command, end_of_interrupt);
    }

private:
    static constexpr u16 primary_command = 0x20, primary_data = 0x21, secondary_command = 0xa0, secondary_data = 0xa1;
    static constexpr u8 end_of_interrupt = 0x20, read_in_service = 0x0b;

    [[no_unique_address]] Io io_;
};

}  // namespace px
