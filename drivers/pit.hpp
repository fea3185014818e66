// 8254 PIT: channel 2, whose gate we own, as a clock of the last resort; and silencing of channel 0.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>

#include "drivers/io.hpp"

namespace px {

namespace pit {

enum : u16 { channel0 = 0x40, channel2 = 0x42, command = 0x43, gate = 0x61 };

struct Command {
    u8 bcd : 1 = 0;
    u8 mode : 3 = 0;    ///< 0 counts once, 2 divides the rate
    u8 access : 2 = 0;  ///< 0 latches the count, 3 is low byte then high byte
    u8 channel : 2 = 0;
};

/// System control port B.
struct Gate {
    u8 enable : 1;   ///< channel 2 counts
    u8 speaker : 1;  ///< its output is heard
    u8 : 3;
    u8 output : 1;
    u8 : 2;
};

}  // namespace pit

/// Channel 2 counting down over its whole 16 bits; wraps every 54.9 ms. Not locked: a read is three port
/// accesses.
template <PortIo Io>
class Pit {
public:
    static constexpr u64 frequency_hz = 1'193'182;

    constexpr explicit Pit(Io io) : io_(io) {}

    /// Opens the gate with the speaker off and starts to count. Before the first read().
    void start() {
        set_gate(false);
        io_.out8(pit::command, std::bit_cast<u8>(pit::Command{.mode = 2, .access = 3, .channel = 2}));
        io_.out8(pit::channel2, 0);
        io_.out8(pit::channel2, 0);
        set_gate(true);
    }

    /// Closes the gate.
    void stop() { set_gate(false); }

    /// Ticks since start(), modulo 65536. Mode 2 counts N, N-1, … 1, so 0 (65536) and down: negated, it
    /// counts up.
    u64 read() {
        io_.out8(pit::command, std::bit_cast<u8>(pit::Command{.channel = 2}));
        const u8 low = io_.in8(pit::channel2);
        const u8 high = io_.in8(pit::channel2);
        return (0x10000 - (u64{high} << 8 | low)) & mask();
    }
    u64 mask() const { return 0xffff; }
    u64 period_fs() const { return (1'000'000'000'000'000 + frequency_hz / 2) / frequency_hz; }

    /// Stops the periodic interrupt that firmware left running: mode 0 without a count never ends.
    void silence_channel0() { io_.out8(pit::command, std::bit_cast<u8>(pit::Command{.mode = 0, .access = 3, .channel = 0})); }

private:
    void set_gate(bool open) {
        auto gate = std::bit_cast<pit::Gate>(io_.in8(pit::gate));
        gate.enable = open;
        gate.speaker = 0;
        io_.out8(pit::gate, std::bit_cast<u8>(gate));
    }

    [[no_unique_address]] Io io_;
};

}  // namespace px
