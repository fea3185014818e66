// Caps: a domain gets no more than it may, whatever else is idle.
//
// SPDX-License-Identifier: Apache-2.0
#include "simulator.hpp"

namespace px::sched::test {
namespace {

double total_share(unsigned cpus, u16 cap, int units, int rivals) {
    FairMachine machine(cpus);
    machine.sim.check_work_conservation = false;  // that is what a cap is for
    Group& group = machine.sim.group({.cap = cap});
    std::vector<Task*> tasks;
    for (int i = 0; i < units; ++i) tasks.push_back(&machine.sim.task(group));
    for (int i = 0; i < rivals; ++i) machine.sim.task(machine.sim.group());
    machine.sim.run_for(seconds(1));
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(20));
    double total = 0;
    for (Task* task : tasks) total += machine.sim.share(*task);
    return total;
}

TEST(Cap, LimitsADomainOnAnIdleMachine) {
    for (const u16 cap : {5, 25, 50, 90}) EXPECT_NEAR(total_share(1, cap, 1, 0), cap / 100.0, cap / 100.0 * 0.02) << cap;
}
TEST(Cap, IsSharedByAllUnits) {
    EXPECT_NEAR(total_share(4, 150, 4, 0), 1.5, 0.03);
    EXPECT_NEAR(total_share(4, 30, 4, 0), 0.3, 0.01);
}
TEST(Cap, MoreThanItCanUseIsNoLimit) { EXPECT_NEAR(total_share(2, 400, 2, 0), 2.0, 0.01); }
TEST(Cap, BindsUnderContentionToo) { EXPECT_NEAR(total_share(1, 20, 1, 1), 0.2, 0.01); }
TEST(Cap, OtherUnitsUseWhatIsLeft) {
    FairMachine machine(1);
    machine.sim.check_work_conservation = false;
    machine.sim.task(machine.sim.group({.cap = 20}));
    Task& rival = machine.sim.task(machine.sim.group());
    machine.sim.run_for(seconds(20));
    EXPECT_NEAR(machine.sim.share(rival), 0.8, 0.01);
}
TEST(Cap, LiftedAtOnce) {
    FairMachine machine(1);
    machine.sim.check_work_conservation = false;
    Group& group = machine.sim.group({.cap = 1});
    Task& task = machine.sim.task(group);
    machine.sim.run_for(seconds(2));
    ASSERT_TRUE(machine.policy.set_parameters(group, {.cap = 0}).ok());
    machine.sim.run_for(seconds(1));  // its current park ends
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(1));
    EXPECT_DOUBLE_EQ(machine.sim.share(task), 1.0);
}

}  // namespace
}  // namespace px::sched::test
