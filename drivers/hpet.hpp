// HPET: the main counter, as a clock to measure others by.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>

#include "drivers/io.hpp"
#include "hypervisor/base/result.hpp"

namespace px {

namespace hpet {

inline constexpr usize window = 1024;  ///< bytes of the register block
enum : usize { capabilities = 0x00, configuration = 0x10, interrupt_status = 0x20, main_counter = 0xf0 };

struct Capabilities {
    u64 revision : 8;
    u64 last_timer : 5;
    u64 counter_64_bit : 1;
    u64 : 1;
    u64 legacy_route : 1;
    u64 vendor : 16;
    u64 period_fs : 32;  ///< femtoseconds per tick
};

struct Configuration {
    u64 enable : 1;
    u64 legacy_route : 1;
    u64 : 62;
};

}  // namespace hpet

/// [ia-pc hpet 1.0a 2.3]
template <MmioIo Io>
class Hpet {
public:
    /// Checks the block and starts its counter; legacy routing is turned off so that the PIT's and RTC's
    /// interrupts are theirs. enodev: not an HPET, or a period the specification forbids (0 or above 100 ns).
    static Result<Hpet> open(Io io) {
        const auto found = std::bit_cast<hpet::Capabilities>(io.read64(hpet::capabilities));
        REQUIRE(found.revision != 0 && found.period_fs != 0 && found.period_fs <= max_period_fs, enodev);
        auto configuration = std::bit_cast<hpet::Configuration>(io.read64(hpet::configuration));
        configuration.enable = 1;
        configuration.legacy_route = 0;
        io.write64(hpet::configuration, std::bit_cast<u64>(configuration));
        return Hpet{io, found};
    }

    /// Ticks, of which mask() says how many bits count.
    u64 read() { return wide_ ? io_.read64(hpet::main_counter) : io_.read32(hpet::main_counter); }
    u64 mask() const { return wide_ ? ~u64{0} : ~u32{0}; }
    u64 period_fs() const { return period_fs_; }

private:
    static constexpr u64 max_period_fs = 100'000'000;

    Hpet(Io io, hpet::Capabilities found) : io_(io), period_fs_(found.period_fs), wide_(found.counter_64_bit) {}

    [[no_unique_address]] Io io_;
    u64 period_fs_;
    bool wide_;
};

}  // namespace px
