// Where units run: affinity, migration, CPUs that come and go.
//
// SPDX-License-Identifier: Apache-2.0
#include "simulator.hpp"

namespace px::sched::test {
namespace {

TEST(Placement, HardAffinityHoldsAlsoWhileOtherCpusIdle) {
    FairMachine machine(4);
    Task& a = machine.sim.task(machine.sim.group(), {}, CpuMask::of(cpu(2)));
    Task& b = machine.sim.task(machine.sim.group(), {}, CpuMask::of(cpu(2)));
    machine.sim.run_for(seconds(5));
    EXPECT_NEAR(machine.sim.share(a), 0.5, 0.01);
    EXPECT_NEAR(machine.sim.share(b), 0.5, 0.01);
}

TEST(Placement, AffinityCanChangeWhileItRuns) {
    FairMachine machine(4);
    Task& task = machine.sim.task(machine.sim.group());
    for (u32 number : {3u, 0u, 2u, 1u}) {
        ASSERT_TRUE(machine.policy.set_affinity(task.unit, CpuMask::of(cpu(number)), CpuMask::all()).ok());
        machine.sim.run_for(Nanoseconds{1});
        EXPECT_TRUE(machine.sim.is_on(task, cpu(number)));
    }
    EXPECT_EQ(machine.policy.set_affinity(task.unit, CpuMask::of(cpu(9)), CpuMask::all()).error(), Errno::einval);
    EXPECT_EQ(machine.policy.set_affinity(task.unit, CpuMask{}, CpuMask::all()).error(), Errno::einval);
}

TEST(Placement, SoftAffinityIsPreferredButNeverWastesACpu) {
    FairMachine machine(2);
    Task& wishes_zero = machine.sim.task(machine.sim.group(), {}, CpuMask::all(), CpuMask::of(cpu(0)));
    machine.sim.run_for(milliseconds(100));
    EXPECT_TRUE(machine.sim.is_on(wishes_zero, cpu(0)));
    Task& pinned = machine.sim.task(machine.sim.group(), {}, CpuMask::of(cpu(0)));
    machine.sim.run_for(seconds(1));
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(2));
    EXPECT_NEAR(machine.sim.share(wishes_zero), 1.0, 0.01) << "CPU 1 would be idle";
    EXPECT_NEAR(machine.sim.share(pinned), 1.0, 0.01);
    machine.sim.freeze(pinned);
    machine.sim.run_for(milliseconds(50));
    EXPECT_TRUE(machine.sim.is_on(wishes_zero, cpu(0))) << "and back when its CPU is free";
}

TEST(Placement, MigrateMovesOnce) {
    FairMachine machine(3);
    Task& task = machine.sim.task(machine.sim.group());
    machine.sim.run_for(milliseconds(1));
    for (u32 number : {1u, 2u, 0u}) {
        ASSERT_TRUE(machine.policy.migrate(task.unit, cpu(number)).ok());
        machine.sim.run_for(milliseconds(1));
        EXPECT_TRUE(machine.sim.is_on(task, cpu(number)));
    }
    EXPECT_EQ(machine.policy.migrate(task.unit, cpu(7)).error(), Errno::einval);
    EXPECT_EQ(machine.policy.migrate(task.unit, cpu(9999)).error(), Errno::einval);
}

TEST(Placement, ABusySystemHardlyMigrates) {
    FairMachine machine(4);
    for (int i = 0; i < 8; ++i) machine.sim.task(machine.sim.group());
    machine.sim.run_for(seconds(1));
    u64 before = 0, after = 0;
    for (u32 i = 0; i < 4; ++i) before += machine.policy.statistics(cpu(i)).migrations;
    machine.sim.run_for(seconds(10));
    for (u32 i = 0; i < 4; ++i) after += machine.policy.statistics(cpu(i)).migrations;
    EXPECT_LE(after - before, 10u) << "two equal units per CPU need no moves";
}

TEST(Placement, StatisticsCount) {
    FairMachine machine(1);
    machine.sim.task(machine.sim.group());
    machine.sim.task(machine.sim.group());
    machine.sim.run_for(seconds(1));
    const Statistics statistics = machine.policy.statistics(cpu(0));
    EXPECT_NEAR(static_cast<double>(statistics.switches), 100, 5) << "one per slice of 10 ms";
    EXPECT_NEAR(static_cast<double>(statistics.preemptions), 100, 5);
}

TEST(Hotplug, ARemovedCpuIsEmptiedAndMayReturn) {
    FairMachine machine(3);
    std::vector<Task*> tasks;
    for (int i = 0; i < 6; ++i) tasks.push_back(&machine.sim.task(machine.sim.group()));
    machine.sim.run_for(milliseconds(100));
    ASSERT_TRUE(machine.policy.remove_cpu(cpu(1)).ok());
    machine.sim.run_for(Nanoseconds{1});
    EXPECT_TRUE(machine.policy.cpu_drained(cpu(1)));
    EXPECT_EQ(machine.policy.remove_cpu(cpu(1)).error(), Errno::enoent);
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(10));
    for (Task* task : tasks) EXPECT_NEAR(machine.sim.share(*task), 2.0 / 6, 0.02);
    ASSERT_TRUE(machine.policy.add_cpu(cpu(1)).ok());
    EXPECT_EQ(machine.policy.add_cpu(cpu(1)).error(), Errno::eexist);
    EXPECT_EQ(machine.policy.add_cpu(cpu(3)).error(), Errno::einval);
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(10));
    for (Task* task : tasks) EXPECT_NEAR(machine.sim.share(*task), 3.0 / 6, 0.03);
}

TEST(Hotplug, APinIsSuspendedWhileItsCpuIsAway) {
    FairMachine machine(2);
    Task& pinned = machine.sim.task(machine.sim.group(), {}, CpuMask::of(cpu(1)));
    ASSERT_TRUE(machine.policy.remove_cpu(cpu(1)).ok());
    machine.sim.run_for(milliseconds(50));
    EXPECT_TRUE(machine.sim.is_on(pinned, cpu(0)));
    ASSERT_TRUE(machine.policy.add_cpu(cpu(1)).ok());
    machine.sim.run_for(milliseconds(50));
    EXPECT_TRUE(machine.sim.is_on(pinned, cpu(1)));
}

TEST(Hotplug, TheLastCpuOfAUsedPoolStays) {
    FairMachine machine(1);
    Task& task = machine.sim.task(machine.sim.group());
    EXPECT_EQ(machine.policy.remove_cpu(cpu(0)).error(), Errno::ebusy);
    machine.sim.destroy(task);
    EXPECT_TRUE(machine.policy.remove_cpu(cpu(0)).ok());
    machine.sim.run_for(Nanoseconds{1});
    Group group(DomId{1});
    Unit unit(group, VcpuId{0});
    EXPECT_EQ(machine.policy.add_unit(unit).error(), Errno::enodev);
}

TEST(Lives, TenThousandUnitsComeAndGo) {
    FairMachine machine(4, 2, microseconds(1));
    Group& group = machine.sim.group();
    for (int i = 0; i < 10000; ++i) {
        if (machine.sim.tasks.size() >= 12) { machine.sim.destroy(*machine.sim.tasks[machine.sim.random() % machine.sim.tasks.size()]); }
        machine.sim.task(group, {.burst = microseconds(20), .pause = microseconds(30), .random = true});
        machine.sim.run_for(microseconds(10));
        if (HasFatalFailure()) return;
    }
    while (!machine.sim.tasks.empty()) machine.sim.destroy(*machine.sim.tasks.back());
    for (FairCpu& each : machine.storage) {
        EXPECT_EQ(each.queue.unlocked().load(), 0u);
        EXPECT_FALSE(each.queue.unlocked().competing());
    }
}

}  // namespace
}  // namespace px::sched::test
