// The null policy, in the same machine: the interface fits a policy that has nothing to decide.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/sched/null.hpp"

#include "simulator.hpp"

namespace px::sched::test {
namespace {

struct Null : testing::Test {
    explicit Null() : policy(std::make_unique<NullPolicy>(sim)) {
        sim.check_work_conservation = false;  // a unit keeps its CPU while it sleeps
        sim.use(*policy, 3);
    }
    ~Null() override {
        while (!sim.tasks.empty()) sim.destroy(*sim.tasks.back());
    }
    Simulator sim{1, microseconds(1)};
    std::unique_ptr<NullPolicy> policy;
};

TEST_F(Null, AUnitHasACpuToItselfAndLatecomersWait) {
    Group& group = sim.group();
    for (int i = 0; i < 4; ++i) sim.task(group);
    sim.run_for(seconds(1));
    sim.start_measuring();
    sim.run_for(seconds(1));
    for (usize i = 0; i < 3; ++i) EXPECT_DOUBLE_EQ(sim.share(*sim.tasks[i]), 1.0);
    EXPECT_EQ(sim.share(*sim.tasks[3]), 0.0);
    sim.destroy(*sim.tasks[1]);
    sim.start_measuring();
    sim.run_for(seconds(1));
    EXPECT_GT(sim.share(*sim.tasks[2]), 0.99) << "the one in the queue has the CPU that became free";
}

TEST_F(Null, AffinityAndRemovalMoveUnits) {
    Task& task = sim.task(sim.group(), {.burst = milliseconds(1), .pause = milliseconds(1)}, CpuMask::of(cpu(1)));
    sim.run_for(milliseconds(10));
    EXPECT_EQ(task.unit.cpu(), cpu(1));
    ASSERT_TRUE(policy->set_affinity(task.unit, CpuMask::of(cpu(2)), CpuMask::all()).ok());
    sim.run_for(milliseconds(10));
    EXPECT_EQ(task.unit.cpu(), cpu(2));
    ASSERT_TRUE(policy->remove_cpu(cpu(2)).ok());
    sim.run_for(milliseconds(10));
    EXPECT_TRUE(policy->cpu_drained(cpu(2)));
    EXPECT_NE(task.unit.cpu(), cpu(2));
    EXPECT_EQ(policy->set_affinity(task.unit, CpuMask::of(cpu(2)), CpuMask::all()).error(), Errno::einval);
    sim.start_measuring();
    sim.run_for(seconds(1));
    EXPECT_NEAR(sim.share(task), 0.5, 0.01);
}

TEST_F(Null, MigrateNeedsAFreeCpu) {
    Group& group = sim.group();
    Task& a = sim.task(group);
    Task& b = sim.task(group);
    sim.freeze(a);
    sim.run_for(milliseconds(1));
    EXPECT_EQ(policy->migrate(a.unit, b.unit.cpu()).error(), Errno::ebusy);
    ASSERT_TRUE(policy->migrate(a.unit, cpu(2)).ok());
    EXPECT_EQ(a.unit.cpu(), cpu(2));
    sim.thaw(a);
    sim.run_for(milliseconds(1));
    EXPECT_TRUE(sim.is_on(a, cpu(2)));
}

}  // namespace
}  // namespace px::sched::test
