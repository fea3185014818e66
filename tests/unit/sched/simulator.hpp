// A deterministic discrete-event machine around a scheduling policy: CPUs that run tasks, tasks that compute and sleep.
//
// It plays the loop of policy.hpp and checks at every instant what must always hold: a unit is on one CPU at most and only
// where its hard affinity allows; slices are obeyed; and no CPU idles for longer than `idle_bound` while a unit waits that
// may run there. A violation is a test failure.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <random>
#include <vector>

#include "hypervisor/sched/fair.hpp"

namespace px::sched::test {

/// What a vCPU does: compute for `burst`, then sleep for `pause`. Without a burst it computes for ever.
struct Behaviour {
    Nanoseconds burst = Nanoseconds::never();
    Nanoseconds pause;
    bool random = false;  ///< vary both between 0 and twice the value
};

struct Task {
    Task(Group& group, u32 id, Behaviour behaviour) : unit(group, VcpuId{id}), behaviour(behaviour) {}
    Unit unit;
    Behaviour behaviour;
    bool awake = false;
    bool frozen = false;    ///< the test put it to sleep: no wake of its own
    Nanoseconds remaining;  ///< of this burst
    Nanoseconds wake_at = Nanoseconds::never();
    Nanoseconds woken_at = Nanoseconds::never();  ///< set while it waits for its first instruction after a wake
    Nanoseconds worst_latency;
    u64 wakes = 0;
    Nanoseconds waiting_since = Nanoseconds::never();
    Nanoseconds longest_wait;
    Nanoseconds measured_from;
};

class Simulator : public Environment {
public:
    /// `save_cost`: time between pick_next() and context_saved().
    explicit Simulator(unsigned seed = 1, Nanoseconds save_cost = {}) : random(seed), save_cost_(save_cost) {}
    ~Simulator();

    Nanoseconds now() const override { return now_; }
    void kick(CpuId cpu) override { cpus_[cpu.raw].kicked = true; }

    void use(Policy& policy, unsigned cpus);
    Group& group(Parameters parameters = {});
    /// The task starts at once.
    Task& task(Group& group, Behaviour behaviour = {}, const CpuMask& hard = CpuMask::all(), const CpuMask& soft = CpuMask::all());
    /// As a toolstack does: sleep, wait until it is off the CPU, remove.
    void destroy(Task& task);
    void freeze(Task& task);
    void thaw(Task& task);

    void run_for(Nanoseconds span);
    /// Forget what was measured so far.
    void start_measuring();
    /// CPU time since then, in CPUs: 1.0 is a whole one.
    double share(Task& task);
    bool is_on(const Task& task, CpuId cpu) const { return cpus_[cpu.raw].current == &task; }

    std::vector<std::unique_ptr<Task>> tasks;
    std::mt19937 random;
    Nanoseconds idle_bound = microseconds(100);
    bool check_work_conservation = true;
    bool random_yields = false;

private:
    struct Cpu {
        bool present = false;
        bool kicked = false;
        Task* current = nullptr;  ///< whose registers are loaded
        Task* next = nullptr;     ///< while saving
        bool saving = false;
        Nanoseconds save_until;
        Nanoseconds running_since;
        Nanoseconds slice_end = Nanoseconds::never();
        Nanoseconds idle_wrongly_since = Nanoseconds::never();
    };

    Nanoseconds vary(Nanoseconds value, bool random_value);
    void wake(Task& task);
    void advance(Cpu& cpu);
    void pick(Cpu& cpu, CpuId id);
    void finish_switch(Cpu& cpu);
    void settle();
    Nanoseconds next_event() const;
    void check();
    Task* owner(Unit* unit);

    Policy* policy_ = nullptr;
    Nanoseconds now_;
    Nanoseconds save_cost_;
    Nanoseconds measured_from_;
    std::vector<Cpu> cpus_;
    std::vector<std::unique_ptr<Group>> groups_;
};

/// A simulator with the fair policy.
struct FairMachine {
    explicit FairMachine(unsigned cpus, unsigned seed = 1, Nanoseconds save_cost = {}, FairTunables tunables = {})
        : storage(cpus), sim(seed, save_cost), policy(sim, storage, tunables) {
        sim.use(policy, cpus);
    }
    ~FairMachine() {
        while (!sim.tasks.empty()) sim.destroy(*sim.tasks.back());
    }
    std::vector<FairCpu> storage;
    Simulator sim;
    FairPolicy policy;
};

constexpr CpuId cpu(u32 number) { return CpuId{number}; }

}  // namespace px::sched::test
