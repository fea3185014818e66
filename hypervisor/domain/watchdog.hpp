// Watchdogs of a domain: it is shut down when it doesn't set them again in time. [xen/public sched.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/result.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/time/timer.hpp"

namespace px {

class Domain;

class Watchdogs {
public:
    static constexpr u32 count = 2;

    explicit Watchdogs(Domain& domain);
    /// `id` 0: a new one, its id (≥ 1) is the result; else that one is set, or ended by `seconds` 0, with result 0.
    /// Errors: einval (no such one; a new one without a time; dying), enospc.
    Result<u32> set(u32 id, u32 seconds);
    /// Ends all, for a dying domain.
    void stop();

private:
    static void expired(void* context, Nanoseconds now);

    Domain& domain_;
    Locked<u32, LockRank::domain> in_use_;  ///< bit per watchdog
    std::array<Timer, count> timers_;
};

}  // namespace px
