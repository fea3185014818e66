// A domain as the scheduler sees it: the weight and the cap that its units share.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <atomic>

#include "hypervisor/base/nanoseconds.hpp"
#include "hypervisor/base/result.hpp"

namespace px::sched {

/// What `xl sched-credit2` sets.
struct Parameters {
    static constexpr u16 default_weight = 256;

    u16 weight = default_weight;  ///< 1 … 65535; each unit of the domain has it in full, as in credit2
    u16 cap = 0;                  ///< percent of one CPU that all units together may use; 0: no limit

    friend constexpr bool operator==(const Parameters&, const Parameters&) = default;
};

/// Lock-free: weight and cap are hints that each queue reads when it next charges a unit. Both are atomic in one word.
class Group {
public:
    /// How far a group may run ahead of its cap, and so the grain at which a cap is enforced.
    static constexpr Nanoseconds cap_burst = milliseconds(10);

    explicit Group(DomId domain) : domain_(domain) {}

    DomId domain() const { return domain_; }
    Parameters parameters() const {
        const u32 packed = packed_.load(std::memory_order_relaxed);
        return {.weight = static_cast<u16>(packed), .cap = static_cast<u16>(packed >> 16)};
    }
    /// EINVAL for weight 0.
    Result<> set_parameters(Parameters parameters) {
        REQUIRE(parameters.weight != 0, einval);
        packed_.store(pack(parameters), std::memory_order_relaxed);
        if (parameters.cap == 0) paid_until_.store(0, std::memory_order_relaxed);
        return {};
    }

    /// A unit ran for `delta` until `now`. The cap is a leaky bucket in one number, the instant up to which the time used
    /// so far is paid for: using d moves it by d × 100 / cap, and idle time is not saved up. What several CPUs overrun
    /// is carried as debt, so the average is exact.
    void charge(Nanoseconds delta, Nanoseconds now) {
        const u16 cap = parameters().cap;
        if (cap == 0) return;
        i64 old = paid_until_.load(std::memory_order_relaxed);
        while (
            !paid_until_.compare_exchange_weak(old, std::max(old, (now - delta).raw) + delta.raw * 100 / cap, std::memory_order_relaxed)) {}
    }
    /// When the group is over its cap: the instant from which it may run again; otherwise 0.
    Nanoseconds barred_until(Nanoseconds now) const {
        const u16 cap = parameters().cap;
        const Nanoseconds paid{paid_until_.load(std::memory_order_relaxed)};
        return cap != 0 && paid >= now + cap_burst ? paid : Nanoseconds{0};
    }
    /// How long one unit may run at least before the cap could bar it; never() without a cap.
    Nanoseconds headroom(Nanoseconds now) const {
        const u16 cap = parameters().cap;
        if (cap == 0) return Nanoseconds::never();
        const Nanoseconds paid{std::max(paid_until_.load(std::memory_order_relaxed), now.raw)};
        return (now + cap_burst - paid) * cap / 100;
    }

private:
    static constexpr u32 pack(Parameters p) { return u32{p.weight} | u32{p.cap} << 16; }

    const DomId domain_;
    std::atomic<u32> packed_{pack({})};
    std::atomic<i64> paid_until_{0};
};

}  // namespace px::sched
