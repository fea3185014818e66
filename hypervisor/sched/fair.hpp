// The default policy: preemptive, weighted fair, work-conserving, with a run queue per CPU.
//
// Order. Each unit has a virtual time: its service × 256 / weight of its domain. A CPU runs the unit that is furthest
// behind; a unit that wakes behind the running one preempts it, once that has had `ratelimit`. This was preferred to
// deadlines (EEVDF): what guests need here is that a domain which uses little (dom0, a network backend) runs at once when
// it wakes, and for that "who has had least goes first" needs no per-domain request length that nobody would set.
// As in credit2, the weight of a domain counts for each of its vCPUs: on a shared CPU a domain with two busy vCPUs gets
// twice what a domain of the same weight with one gets.
//
// Invariants (floor: lowest virtual time of a queue, made monotonic; limits are service at the unit's weight):
//   1. Who joins a queue with competitors joins within [floor − credit, floor + carry], where credit is 2 slices for who
//      wakes and carry 8. So sleep is not saved up: over any interval a unit gets no more than its share plus credit plus
//      a slice, however it sleeps and wakes. And nobody starves: the others' head start is bounded, and so is one's debt.
//   2. Only the lowest eligible unit is picked, so the floor rises while anything runs.
//   3. A position survives a move: it is carried over on the pool's clock (local time + the queue's base).
//
// Across CPUs. The clocks of all queues are one clock, in step as long as every CPU gives its units the same service per
// weight. Every slice a CPU compares: if a unit that waits elsewhere is more than a slice behind the units here, it is
// pulled. Three equal units on two CPUs so get 2/3 each; no load averages are involved. What moving can't level (pins;
// a weight worth more than a CPU) is forgiven beyond a window, or an old debt would distort later decisions. That has
// a price: beside a pinned queue that is always far ahead, the others are levelled by rotation only roughly.
//
// No idle CPU while an allowed unit waits: a CPU that finds nothing says so in idle_ and then looks at all counts of
// waiting units; who makes a unit wait publishes the count and then looks at idle_. Both are sequentially consistent, so
// one of the two sees the other. A group's cap is the exception. Soft affinity is not: it yields to work conservation.
//
// Locks: one per queue. Two at once: lower CPU first. Decisions about other CPUs are made on published hints without a
// lock, and verified under it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/sched/fair_queue.hpp"

namespace px::sched {

/// A CPU of the fair policy: the queue, and what others may read of it without its lock. Storage is the caller's, by
/// CpuId; several policies may share the array, because a CPU belongs to one pool at a time.
struct alignas(64) FairCpu {
    Locked<FairQueue, LockRank::run_queue> queue;
    struct Hints {
        std::atomic<u32> waiting{0};  ///< how many; sequentially consistent, see above
        std::atomic<u64> load{0};
        std::atomic<VirtualTime> clock{0};    ///< the pool's
        std::atomic<VirtualTime> laggard{0};  ///< the first waiting unit's position on it
    } hints;
};

class FairPolicy final : public Policy {
public:
    FairPolicy(Environment& environment, std::span<FairCpu> cpus, FairTunables tunables = {})
        : environment_(environment), cpus_(cpus), tunables_(tunables) {}

    std::string_view name() const override { return "credit2"; }
    u32 abi_id() const override { return 6; }

    /// Calls that add and remove CPUs are serialised by the caller; likewise set_tunables().
    Result<> add_cpu(CpuId cpu) override;
    Result<> remove_cpu(CpuId cpu) override;
    bool cpu_drained(CpuId cpu) override;
    CpuMask cpus() const override { return online_.snapshot(); }

    Result<> add_unit(Unit& unit) override;
    void remove_unit(Unit& unit) override;
    void wake(Unit& unit) override;
    void sleep(Unit& unit) override;
    void yield(Unit& unit) override;
    Decision pick_next(CpuId cpu, Nanoseconds now) override;
    void context_saved(Unit& unit) override;
    Result<> set_affinity(Unit& unit, const CpuMask& hard, const CpuMask& soft) override;
    Result<> migrate(Unit& unit, CpuId cpu) override;
    Nanoseconds run_time(Unit& unit) override;
    Statistics statistics(CpuId cpu) override;
    void dump() override;

    FairTunables tunables() const { return tunables_; }
    /// EINVAL unless slice is 1 ms … 1 s and ratelimit 0 or 100 µs … 500 ms.
    Result<> set_tunables(FairTunables tunables);

private:
    using Arrival = FairQueue::Arrival;

    /// A locked queue; its hints are published when it is let go.
    class Held {
    public:
        Held(FairCpu& cpu, bool second = false) : cpu_(cpu), queue_(second ? cpu.queue.lock_same_rank() : cpu.queue.lock()) {}
        Held(const Held&) = delete;
        ~Held();
        FairQueue* operator->() const { return &*queue_; }
        FairQueue& operator*() const { return *queue_; }

    private:
        FairCpu& cpu_;
        Locked<FairQueue, LockRank::run_queue>::Guard queue_;
    };
    /// Two different queues, locked in the order of their CPUs.
    class HeldPair {
    public:
        HeldPair(FairPolicy& policy, CpuId a, CpuId b)
            : a_is_outer_(a < b), outer_(policy.at(a_is_outer_ ? a : b)), inner_(policy.at(a_is_outer_ ? b : a), true) {}
        FairQueue& a() { return a_is_outer_ ? *outer_ : *inner_; }
        FairQueue& b() { return a_is_outer_ ? *inner_ : *outer_; }

    private:
        bool a_is_outer_;
        Held outer_;
        Held inner_;
    };
    struct Target {
        CpuId cpu;
        bool claimed;  ///< it was idle, and we took it out of idle_: it has to be kicked
    };

    FairCpu& at(CpuId cpu) { return cpus_[cpu.raw]; }
    /// Calls body(queue) with the queue of the unit's home locked.
    template <class Body>
    auto with_home(Unit& unit, Body body);

    // Placement: which CPU, and how a unit in transit gets there.
    CpuMask allowed(const Unit& unit) const;
    CpuMask preferred(const Unit& unit) const;
    Target choose_cpu(Unit& unit);
    Target claim(CpuId cpu) { return {cpu, idle_.remove(cpu)}; }
    void place(Unit& unit, Arrival arrival);
    void arrive(Unit& unit, FairQueue& queue, VirtualTime position, Arrival arrival, Target target);
    void offer_to_idle(const CpuMask& candidates);
    void evict_strangers(CpuId cpu);

    // The choice of one CPU.
    bool goes_on(CpuId cpu, const Unit& unit, const FairQueue& queue, const Unit* rival, Nanoseconds now) const;
    Unit* choose_unit(CpuId cpu, FairQueue& queue, Nanoseconds now);
    static Nanoseconds slice_of(const FairQueue& queue, const Unit& unit, Nanoseconds now);

    // Between CPUs.
    void take(Unit& unit, FairQueue& from, FairQueue& to, CpuId cpu);
    bool steal(CpuId cpu, Nanoseconds now);
    bool steal_from(CpuId victim, CpuId cpu, bool anyone, Nanoseconds now);
    void pull_laggard(CpuId cpu, Nanoseconds now);

    Environment& environment_;
    const std::span<FairCpu> cpus_;
    FairTunables tunables_;
    AtomicCpuMask online_;  ///< members; changes under the CPU's queue lock
    AtomicCpuMask idle_;    ///< found nothing to run and have not been kicked since
    std::atomic<u32> units_{0};
    std::atomic<u32> last_home_{0};
};

}  // namespace px::sched
