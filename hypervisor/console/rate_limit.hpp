// A token bucket for log lines: a burst, then a steady rate.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/types.hpp"

namespace px {

class RateLimit {
public:
    static constexpr u64 interval = 500'000'000;  ///< one line per half second …
    static constexpr u64 burst = 10;              ///< … after this many at once

    /// True where a line may be printed at time `now` (nanoseconds). Any context, any CPU.
    bool allow(u64 now) {
        // `used_until_` is when the bucket will be full again; each line pushes it one interval further.
        u64 until = used_until_.load(std::memory_order_relaxed);
        for (;;) {
            const u64 base = until > now ? until : now;
            if (base + interval - now > burst * interval) return false;
            if (used_until_.compare_exchange_weak(until, base + interval, std::memory_order_relaxed)) return true;
        }
    }

private:
    std::atomic<u64> used_until_{0};
};

}  // namespace px
