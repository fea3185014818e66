// The null policy: a unit has a CPU to itself, and there is nothing to decide. For static partitioning.
//
// A unit gets the first free CPU that its hard affinity allows (soft affinity first) and keeps it, also while it sleeps.
// Units without a CPU queue up, first come, first served, and don't run until a CPU becomes free. Weights are ignored.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/sched/policy.hpp"

namespace px::sched {

class NullPolicy final : public Policy {
public:
    explicit NullPolicy(Environment& environment) : environment_(environment) {}

    std::string_view name() const override { return "null"; }
    u32 abi_id() const override { return 9; }

    Result<> add_cpu(CpuId cpu) override;
    Result<> remove_cpu(CpuId cpu) override;
    bool cpu_drained(CpuId cpu) override;
    CpuMask cpus() const override { return online_.snapshot(); }
    Result<> add_unit(Unit& unit) override;
    void remove_unit(Unit& unit) override;
    void wake(Unit& unit) override;
    void sleep(Unit& unit) override;
    void yield(Unit&) override {}
    Decision pick_next(CpuId cpu, Nanoseconds now) override;
    void context_saved(Unit& unit) override;
    Result<> set_affinity(Unit& unit, const CpuMask& hard, const CpuMask& soft) override;
    Result<> migrate(Unit& unit, CpuId cpu) override;
    Nanoseconds run_time(Unit& unit) override;
    Statistics statistics(CpuId cpu) override;
    void dump() override;

private:
    struct Slot {
        Unit* owner = nullptr;    ///< who has the CPU
        Unit* running = nullptr;  ///< who is on it; the owner, or nobody
        Unit* leaving = nullptr;
        Statistics statistics;
    };
    struct State {
        std::array<Slot, CpuMask::capacity> slots;
        IntrusiveList<Unit, Unit> without_cpu;
        u32 units = 0;
    };

    CpuMask allowed(const Unit& unit) const;
    Slot* slot_of(State& state, const Unit& unit);
    void assign(State& state, Unit& unit, CpuId cpu);
    void release(State& state, Unit& unit);
    bool find_cpu(State& state, Unit& unit);
    void serve_the_queue(State& state);

    Environment& environment_;
    AtomicCpuMask online_;
    Locked<State, LockRank::run_queue> state_;
};

}  // namespace px::sched
