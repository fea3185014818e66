// ACPI power management timer: 3.579545 MHz, 24 or 32 bits.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/io.hpp"

namespace px {

/// [acpi/6.4 4.8.3.3]
template <PortIo Io>
class PmTimer {
public:
    static constexpr u64 frequency_hz = 3'579'545;

    /// `port` from the FADT's PM timer block, `wide` from its flags (timer_32_bit).
    constexpr PmTimer(Io io, u16 port, bool wide) : io_(io), port_(port), wide_(wide) {}

    /// Ticks. Some chipsets latch the count badly while it ripples: a value is taken once two reads in a row
    /// agree to a few ticks, which costs nothing where they always do.
    u64 read() {
        u32 last = io_.in32(port_) & mask32();
        for (unsigned attempt = 0; attempt < 3; ++attempt) {
            const u32 next = io_.in32(port_) & mask32();
            if (((next - last) & mask32()) < plausible_step) return next;
            last = next;
        }
        return last;
    }
    u64 mask() const { return mask32(); }
    u64 period_fs() const { return (1'000'000'000'000'000 + frequency_hz / 2) / frequency_hz; }

private:
    /// 70 ms: longer than any interruption of two reads, far less than what a flipped upper bit makes.
    static constexpr u32 plausible_step = 0x40000;

    u32 mask32() const { return wide_ ? ~u32{0} : 0x00ff'ffff; }

    [[no_unique_address]] Io io_;
    u16 port_;
    bool wide_;
};

}  // namespace px
