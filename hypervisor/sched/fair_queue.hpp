// One CPU's run queue of the fair policy: virtual time, order, caps. No placement, no other CPU: see fair.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/sched/policy.hpp"

namespace px::sched {

/// Times that the fair policy works with; all of service (real time), whatever the weight.
struct FairTunables {
    Nanoseconds slice = milliseconds(10);     ///< longest run before the order is looked at again
    Nanoseconds ratelimit = milliseconds(1);  ///< shortest run before a preemption; 0: none [xen/public sysctl.h]
};

/// Virtual time: nanoseconds of service × 256 / weight. Compare as a signed difference only: it may wrap.
using VirtualTime = u64;
constexpr bool before(VirtualTime a, VirtualTime b) { return static_cast<i64>(a - b) < 0; }

/// Everything here is under the queue's lock.
class FairQueue {
public:
    struct ByVirtualTime {
        bool operator()(const Unit& a, const Unit& b) const { return before(a.policy.virtual_time, b.policy.virtual_time); }
    };
    struct ByRelease {
        bool operator()(const Unit& a, const Unit& b) const { return a.policy.release < b.policy.release; }
    };

    /// Virtual time of `service` at the unit's weight.
    static VirtualTime at_weight_of(const Unit& unit, Nanoseconds service);

    /// Starts anew with no unit; the statistics stay.
    void reset(const FairTunables& tunables);

    // Order.
    /// How a unit arrives: its position on the pool's clock is limited by what it may claim here.
    enum class Arrival : u8 { woken, moved };
    /// Puts the unit, which is in no queue, among the waiting. `position` is on the pool's clock.
    void join(Unit& unit, VirtualTime position, Arrival arrival);
    /// Takes a waiting or parked unit out.
    void leave(Unit& unit);
    /// The waiting unit that is furthest behind and whose group isn't over its cap, or null. Parks those that are.
    Unit* first_eligible(Nanoseconds now);
    /// Parked units whose time has come wait again.
    void release_parked(Nanoseconds now);
    void start(Unit& unit, Nanoseconds now);
    /// The running unit goes off the CPU; it stays `leaving` until finish_leaving().
    void stop_running();
    void finish_leaving();

    // Accounting.
    /// Charges the running unit for its time until now, and advances the clock.
    void charge(Nanoseconds now);
    /// The virtual time that the running unit would have if it were charged now.
    VirtualTime running_position(Nanoseconds now) const;

    // The pool's clock.
    VirtualTime to_pool(VirtualTime local) const { return local + base_; }
    VirtualTime clock() const { return floor_ + base_; }
    VirtualTime local_clock() const { return floor_; }
    /// Catches up with a clock that is ahead by more than CPUs may owe each other (twice the carry limit, at the average
    /// weight here).
    void forgive_lag(VirtualTime leader);

    OrderedTree<Unit, ByVirtualTime, Unit> waiting;
    OrderedTree<Unit, ByRelease, Unit> parked;
    Unit* running = nullptr;
    Unit* leaving = nullptr;
    Nanoseconds balance_at;
    Statistics statistics;

    bool competing() const { return running != nullptr || !waiting.empty(); }
    u64 load() const { return load_; }
    const FairTunables& tunables() const { return tunables_; }
    void set_tunables(const FairTunables& tunables) { tunables_ = tunables; }

    /// How far behind the floor a unit may wake: what sleep can earn. Twice the slice: as far as one gets by chance.
    Nanoseconds sleep_credit() const { return tunables_.slice * 2; }
    /// How far from the floor a unit may otherwise be when it joins. It has to cover what pulls level out in the long run.
    Nanoseconds carry_limit() const { return tunables_.slice * 8; }

private:
    void advance_floor();

    FairTunables tunables_;
    VirtualTime floor_ = 0;  ///< never falls; no unit that joins is further behind than carry_limit()
    VirtualTime base_ = 0;   ///< the pool's clock minus ours
    u64 load_ = 0;           ///< weights of waiting, running and leaving units
};

}  // namespace px::sched
