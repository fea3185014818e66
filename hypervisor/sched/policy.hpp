// The contract of a scheduling policy. One instance serves one cpupool: the CPUs that were added to it.
//
// The loop of a CPU:
//
//     Decision next = policy.pick_next(cpu, now);       // the previous unit is charged and, if it isn't next, leaving
//     if (next.unit != previous) {
//         save the registers of previous;               // on_cpu() still true: nobody else can load it
//         if (previous) policy.context_saved(*previous);  // release: now others may run it
//         load the registers of next.unit, or idle;
//     }
//     enter the guest, at most for next.slice, or until a kick
//
// context_saved() must precede the CPU's next pick_next(). A CPU may save early, but no later.
//
// Locks: policies lock for themselves (LockRank::run_queue, interrupt-safe); the caller holds no run queue lock. wake()
// may come from an interrupt handler. Calls about one unit may race with each other, except that add_unit(),
// remove_unit() and set_affinity() of one unit are serialised by its owner.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>

#include "hypervisor/sched/environment.hpp"
#include "hypervisor/sched/unit.hpp"

namespace px::sched {

struct Decision {
    Unit* unit;         ///< null: idle
    Nanoseconds slice;  ///< call pick_next() again after this; never(): only when kicked
};

/// Counters of one CPU; exact only while it stands still.
struct Statistics {
    u64 switches = 0;     ///< pick_next() chose another unit than before
    u64 preemptions = 0;  ///< … although the one before could have gone on
    u64 migrations = 0;   ///< units that came from another CPU's queue, for any reason
    u64 steals = 0;       ///< … taken because this CPU was idle
    u64 pulls = 0;        ///< … taken because they lagged behind the units here
};

class Policy {
public:
    /// As `sched=` on the command line spells it, and its number [xen/public sysctl.h, XEN_SCHEDULER_*].
    virtual std::string_view name() const = 0;
    virtual u32 abi_id() const = 0;

    /// EEXIST when it is a member already, EBUSY when it was removed and isn't drained yet.
    virtual Result<> add_cpu(CpuId cpu) = 0;
    /// EBUSY when units would be left without any CPU, ENOENT when it isn't a member. Afterwards nothing new is placed
    /// there; its current unit leaves at the pick_next() that follows the kick. The CPU is free when cpu_drained().
    virtual Result<> remove_cpu(CpuId cpu) = 0;
    virtual bool cpu_drained(CpuId cpu) = 0;
    virtual CpuMask cpus() const = 0;

    /// The unit arrives asleep. ENODEV when there is no CPU.
    virtual Result<> add_unit(Unit& unit) = 0;
    /// The unit must be asleep and off the CPU: sleep(), then wait until !on_cpu().
    virtual void remove_unit(Unit& unit) = 0;

    /// Both may be repeated; the last one counts.
    virtual void wake(Unit& unit) = 0;
    virtual void sleep(Unit& unit) = 0;
    /// The unit, running on the calling CPU, lets another one go first at the pick_next() that follows.
    virtual void yield(Unit& unit) = 0;

    virtual Decision pick_next(CpuId cpu, Nanoseconds now) = 0;
    virtual void context_saved(Unit& unit) = 0;

    /// Hard: where it may run; soft: where it would rather run, as long as this leaves no CPU idle. EINVAL when `hard` has
    /// no CPU of this policy. Where later removals of CPUs leave none, the unit runs anywhere until one comes back.
    virtual Result<> set_affinity(Unit& unit, const CpuMask& hard, const CpuMask& soft) = 0;
    /// Moves the unit once, as soon as it can; EINVAL where it may not run.
    virtual Result<> migrate(Unit& unit, CpuId cpu) = 0;
    virtual Result<> set_parameters(Group& group, Parameters parameters) { return group.set_parameters(parameters); }

    /// Time on a CPU since creation, exact up to now, also while it runs.
    virtual Nanoseconds run_time(Unit& unit) = 0;
    virtual Statistics statistics(CpuId cpu) = 0;
    /// Prints queues and units to the log (debug key `r`).
    virtual void dump() = 0;

protected:
    ~Policy() = default;
};

}  // namespace px::sched
