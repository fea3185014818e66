// How long a unit waits: after a wake, and at worst.
//
// SPDX-License-Identifier: Apache-2.0
#include "simulator.hpp"

namespace px::sched::test {
namespace {

constexpr Behaviour interactive{.burst = microseconds(200), .pause = milliseconds(10), .random = true};

TEST(Latency, AWakerPreemptsBusyUnitsWithinTheRatelimit) {
    FairMachine machine(1);
    for (int i = 0; i < 6; ++i) machine.sim.task(machine.sim.group());
    Task& waker = machine.sim.task(machine.sim.group(), interactive);
    machine.sim.run_for(seconds(2));
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(20));
    EXPECT_GT(waker.wakes, 1000u);
    EXPECT_LE(waker.worst_latency, milliseconds(1));
}

TEST(Latency, SeveralWakersWaitForEachOtherOnly) {
    FairMachine machine(2, 3);
    for (int i = 0; i < 8; ++i) machine.sim.task(machine.sim.group());
    std::vector<Task*> wakers;
    for (int i = 0; i < 8; ++i) wakers.push_back(&machine.sim.task(machine.sim.group(), interactive));
    machine.sim.run_for(seconds(2));
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(20));
    for (Task* waker : wakers) EXPECT_LE(waker->worst_latency, milliseconds(8));
}

TEST(Latency, AnIdleCpuIsUsedAtOnce) {
    FairMachine machine(2);
    machine.sim.task(machine.sim.group());
    Task& waker = machine.sim.task(machine.sim.group(), interactive);
    machine.sim.run_for(seconds(5));
    EXPECT_EQ(waker.worst_latency, Nanoseconds{0});
}

TEST(Latency, RatelimitProtectsTheRunningUnit) {
    for (const Nanoseconds ratelimit : {Nanoseconds{0}, milliseconds(1), milliseconds(5)}) {
        FairMachine machine(1, 1, {}, {.slice = milliseconds(10), .ratelimit = ratelimit});
        machine.sim.task(machine.sim.group());
        Task& waker = machine.sim.task(machine.sim.group(), {.burst = microseconds(10), .pause = microseconds(130)});
        machine.sim.run_for(seconds(1));
        machine.sim.start_measuring();
        machine.sim.run_for(seconds(5));
        EXPECT_LE(waker.worst_latency, ratelimit);
        EXPECT_GE(waker.worst_latency + microseconds(200), ratelimit) << "it did come early, but had to wait";
    }
}

TEST(Latency, TunablesAreChecked) {
    FairMachine machine(1);
    EXPECT_EQ(machine.policy.set_tunables({.slice = microseconds(999)}).error(), Errno::einval);
    EXPECT_EQ(machine.policy.set_tunables({.slice = milliseconds(1001)}).error(), Errno::einval);
    EXPECT_EQ(machine.policy.set_tunables({.ratelimit = microseconds(99)}).error(), Errno::einval);
    EXPECT_EQ(machine.policy.set_tunables({.ratelimit = milliseconds(501)}).error(), Errno::einval);
    ASSERT_TRUE(machine.policy.set_tunables({.slice = milliseconds(2), .ratelimit = Nanoseconds{0}}).ok());
    Task& a = machine.sim.task(machine.sim.group());
    machine.sim.task(machine.sim.group());
    machine.sim.run_for(seconds(1));
    EXPECT_LE(a.longest_wait, milliseconds(3)) << "the new slice is in force";
}

TEST(Latency, NobodyStarves) {
    FairMachine machine(2, 9, microseconds(1));
    std::vector<Task*> tasks;
    for (int i = 0; i < 10; ++i) tasks.push_back(&machine.sim.task(machine.sim.group()));
    for (int i = 0; i < 10; ++i) {
        machine.sim.task(machine.sim.group(), {.burst = milliseconds(3), .pause = milliseconds(7), .random = true});
    }
    machine.sim.run_for(seconds(2));
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(30));
    // Ten spinners and ten that want 30 % each on two CPUs: a fair turn comes every 100 … 200 ms.
    for (Task* task : tasks) EXPECT_LE(task->longest_wait, milliseconds(600));
}

TEST(Latency, YieldLetsTheNextOneGoFirst) {
    FairMachine machine(1);
    Task& a = machine.sim.task(machine.sim.group());
    Task& b = machine.sim.task(machine.sim.group());
    machine.sim.run_for(milliseconds(105));
    Task& running = machine.sim.is_on(a, cpu(0)) ? a : b;
    Task& other = &running == &a ? b : a;
    machine.policy.yield(running.unit);
    machine.sim.kick(cpu(0));
    machine.sim.run_for(Nanoseconds{1});
    EXPECT_TRUE(machine.sim.is_on(other, cpu(0)));
}

}  // namespace
}  // namespace px::sched::test
