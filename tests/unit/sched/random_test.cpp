// Random sequences of everything at once; the simulator checks its invariants at every instant.
//
// SPDX-License-Identifier: Apache-2.0
#include "simulator.hpp"

namespace px::sched::test {
namespace {

CpuMask random_mask(std::mt19937& random, unsigned cpus) {
    CpuMask mask;
    for (u32 number = 0; number < cpus; ++number) {
        if (random() % 2) mask.add(cpu(number));
    }
    return mask;
}

void random_operation(FairMachine& machine, unsigned cpus) {
    auto& tasks = machine.sim.tasks;
    auto& random = machine.sim.random;
    if (tasks.empty() || random() % 8 == 0) {
        if (tasks.size() >= 20) return machine.sim.destroy(*tasks[random() % tasks.size()]);
        const Behaviour behaviours[] = {{},
                                        {milliseconds(2), milliseconds(3), true},
                                        {microseconds(50), microseconds(80), true},
                                        {microseconds(1), Nanoseconds{1}, true}};
        machine.sim.task(machine.sim.group({.weight = static_cast<u16>(1 + random() % 2000)}), behaviours[random() % 4]);
        return;
    }
    Task& task = *tasks[random() % tasks.size()];
    const CpuId target = cpu(static_cast<u32>(random() % cpus));
    switch (random() % 9) {
    case 0: {
        const CpuMask hard = random_mask(random, cpus);
        const bool possible = hard.intersects(machine.policy.cpus());
        EXPECT_EQ(machine.policy.set_affinity(task.unit, hard, random_mask(random, cpus)).ok(), possible);
        break;
    }
    case 1: (void)machine.policy.migrate(task.unit, target); break;
    case 2: machine.sim.freeze(task); break;
    case 3: machine.sim.thaw(task); break;
    case 4: (void)machine.policy.add_cpu(target); break;
    case 5: (void)machine.policy.remove_cpu(target); break;
    case 6: {
        const u16 cap = machine.sim.check_work_conservation ? 0 : static_cast<u16>(random() % 2 * 30);
        EXPECT_TRUE(machine.policy.set_parameters(task.unit.group, {.weight = static_cast<u16>(1 + random() % 5000), .cap = cap}).ok());
        break;
    }
    case 7: machine.sim.kick(target); break;
    case 8: machine.policy.sleep(task.unit), task.frozen ? void() : machine.policy.wake(task.unit); break;
    }
}

void play(unsigned seed, unsigned cpus, Nanoseconds save_cost, bool caps) {
    FairMachine machine(cpus, seed, save_cost);
    machine.sim.check_work_conservation = !caps;
    machine.sim.random_yields = true;
    for (int step = 0; step < 1500; ++step) {
        random_operation(machine, cpus);
        machine.sim.run_for(Nanoseconds{static_cast<i64>(machine.sim.random() % 400'000)});
        if (testing::Test::HasFailure()) {
            ADD_FAILURE() << "seed " << seed << " step " << step;
            return;
        }
    }
}

TEST(Random, InstantSwitches) {
    for (unsigned seed = 0; seed < 8; ++seed) play(seed, 1 + seed % 5, Nanoseconds{0}, false);
}
TEST(Random, SlowSwitches) {
    for (unsigned seed = 100; seed < 108; ++seed) play(seed, 2 + seed % 4, microseconds(7), false);
}
TEST(Random, WithCaps) {
    for (unsigned seed = 200; seed < 206; ++seed) play(seed, 1 + seed % 4, microseconds(2), true);
}

}  // namespace
}  // namespace px::sched::test
