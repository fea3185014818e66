// A bound on how often a guest may wake us: so many events per period, the rest wait for the next one.
//
// One event brings at most a ring's 2 KiB, so this bounds what a flooding guest costs in time and in log as well.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::console {

class Throttle {
public:
    static constexpr unsigned events_per_period = 30;
    static constexpr u64 period_ms = 200;

    /// An event at `now_ms`: true if the next one is welcome at once, false if only from resume_ms() on.
    bool count(u64 now_ms) {
        if (now_ms >= resume_ms_) {
            resume_ms_ = now_ms + period_ms;
            left_ = events_per_period;
        }
        return --left_ != 0;
    }
    /// When the current period ends.
    u64 resume_ms() const { return resume_ms_; }

private:
    u64 resume_ms_ = 0;
    unsigned left_ = 0;
};

}  // namespace px::console
