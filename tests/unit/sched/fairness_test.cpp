// Who gets how much: every share within 5 % of what the weights say.
//
// SPDX-License-Identifier: Apache-2.0
#include <numeric>

#include "simulator.hpp"

namespace px::sched::test {
namespace {

/// Shares of `cpus` by weight, where nobody can use more than one CPU: who would is given one, the rest is shared again.
std::vector<double> ideal_shares(const std::vector<u16>& weights, double cpus) {
    std::vector<double> shares(weights.size(), 0.0);
    while (true) {
        double sum = 0, left = cpus;
        for (usize i = 0; i < weights.size(); ++i) shares[i] == 1.0 ? left -= 1.0 : sum += weights[i];
        bool again = false;
        for (usize i = 0; i < weights.size(); ++i) {
            if (shares[i] != 1.0 && weights[i] * left / sum >= 1.0) shares[i] = 1.0, again = true;
        }
        if (again) continue;
        for (usize i = 0; i < weights.size(); ++i) {
            if (shares[i] != 1.0) shares[i] = weights[i] * left / sum;
        }
        return shares;
    }
}

void expect_ideal(unsigned cpus, const std::vector<u16>& weights, Nanoseconds span, Nanoseconds save_cost = {}) {
    FairMachine machine(cpus, 1, save_cost);
    std::vector<Task*> tasks;
    for (u16 weight : weights) tasks.push_back(&machine.sim.task(machine.sim.group({.weight = weight})));
    machine.sim.run_for(seconds(1));
    machine.sim.start_measuring();
    machine.sim.run_for(span);
    const auto ideal = ideal_shares(weights, cpus);
    for (usize i = 0; i < weights.size(); ++i) {
        EXPECT_NEAR(machine.sim.share(*tasks[i]) / ideal[i], 1.0, 0.05)
            << "unit " << i << " of weight " << weights[i] << " among " << weights.size() << " on " << cpus << " CPUs";
    }
}

TEST(Fairness, WeightsOneToTwo) {
    FairMachine machine(1);
    Task& light = machine.sim.task(machine.sim.group({.weight = 256}));
    Task& heavy = machine.sim.task(machine.sim.group({.weight = 512}));
    machine.sim.run_for(seconds(30));
    EXPECT_NEAR(machine.sim.share(heavy) / machine.sim.share(light), 2.0, 0.01);
    EXPECT_NEAR(machine.sim.share(heavy) + machine.sim.share(light), 1.0, 1e-9) << "every nanosecond is charged";
}

TEST(Fairness, OneCpuManyWeights) {
    std::mt19937 random(7);
    for (int round = 0; round < 30; ++round) {
        std::vector<u16> weights(2 + random() % 7);
        for (u16& weight : weights) weight = static_cast<u16>(64 + random() % 961);
        expect_ideal(1, weights, seconds(60));
    }
}

TEST(Fairness, ExtremeWeights) { expect_ideal(1, {65535, 1024}, seconds(120)); }

TEST(Fairness, UnitsThatDoNotDivideAmongCpus) {
    for (const unsigned cpus : {2u, 3u, 4u}) {
        for (const usize units : {cpus + 1, cpus + 2, 2 * cpus + 1}) { expect_ideal(cpus, std::vector<u16>(units, 256), seconds(20)); }
    }
}

TEST(Fairness, WeightsAcrossCpus) {
    expect_ideal(2, {256, 512, 512}, seconds(20));
    expect_ideal(2, {256, 256, 512}, seconds(20));
    expect_ideal(4, {100, 200, 300, 400, 500, 600, 700, 800}, seconds(20));
}

TEST(Fairness, AWeightWorthMoreThanACpu) {
    expect_ideal(2, {65535, 256, 256, 256}, seconds(20));
    expect_ideal(3, {8192, 4096, 256, 512, 256}, seconds(20));
}

TEST(Fairness, RandomWeightsAcrossCpus) {
    std::mt19937 random(11);
    for (int round = 0; round < 30; ++round) {
        const unsigned cpus = 2 + static_cast<unsigned>(random() % 4);
        std::vector<u16> weights(cpus + 1 + random() % 8);
        for (u16& weight : weights) weight = static_cast<u16>(128 + random() % 897);
        expect_ideal(cpus, weights, seconds(40), microseconds(2));
    }
}

/// As documented: the domain's weight counts for each of its vCPUs, as in credit2.
TEST(Fairness, EachVcpuHasTheWeightOfItsDomain) {
    FairMachine machine(1);
    Group& two = machine.sim.group();
    Group& one = machine.sim.group();
    Task& a = machine.sim.task(two);
    Task& b = machine.sim.task(two);
    Task& c = machine.sim.task(one);
    machine.sim.run_for(seconds(20));
    for (Task* task : {&a, &b, &c}) EXPECT_NEAR(machine.sim.share(*task), 1.0 / 3, 0.01);
}

TEST(Fairness, SleepingDoesNotPay) {
    for (const auto pause : {microseconds(50), milliseconds(1), milliseconds(15)}) {
        FairMachine machine(1);
        Task& spinner = machine.sim.task(machine.sim.group());
        Task& sleeper = machine.sim.task(machine.sim.group(), {.burst = milliseconds(30), .pause = pause});
        machine.sim.run_for(seconds(30));
        EXPECT_LE(machine.sim.share(sleeper), 0.525) << pause.raw;
        EXPECT_GE(machine.sim.share(spinner), 0.475) << pause.raw;
    }
}

TEST(Fairness, ALongSleepIsNotSavedUp) {
    FairMachine machine(1);
    Task& spinner = machine.sim.task(machine.sim.group());
    Task& sleeper = machine.sim.task(machine.sim.group());
    machine.sim.freeze(sleeper);
    machine.sim.run_for(seconds(60));
    machine.sim.start_measuring();
    machine.sim.thaw(sleeper);
    machine.sim.run_for(seconds(1));
    EXPECT_LE(spinner.longest_wait, milliseconds(40)) << "credit of two slices, and one slice to end";
    EXPECT_NEAR(machine.sim.share(spinner), 0.5, 0.02);
}

/// However finely it is charged: what the division by the weight leaves over is kept.
TEST(Fairness, VirtualTimeDoesNotDrift) {
    Group group(DomId{1});
    ASSERT_TRUE(group.set_parameters({.weight = 300}).ok());
    Unit unit(group, VcpuId{0});
    FairQueue queue;
    queue.reset({});
    queue.join(unit, 0, FairQueue::Arrival::woken);
    queue.start(unit, Nanoseconds{0});
    for (i64 now = 1; now <= 30'000; ++now) queue.charge(Nanoseconds{now});
    EXPECT_EQ(unit.policy.virtual_time, 30'000u * 256 / 300);
    EXPECT_EQ(unit.policy.run_time, Nanoseconds{30'000});
    queue.stop_running();
    queue.finish_leaving();
    unit.policy.state = UnitState::detached;
}

TEST(Fairness, AChangeOfWeightTakesEffect) {
    FairMachine machine(1);
    Group& changing = machine.sim.group();
    Task& a = machine.sim.task(changing);
    Task& b = machine.sim.task(machine.sim.group());
    machine.sim.run_for(seconds(2));
    EXPECT_EQ(machine.policy.set_parameters(changing, {.weight = 0}).error(), Errno::einval);
    ASSERT_TRUE(machine.policy.set_parameters(changing, {.weight = 1024}).ok());
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(20));
    EXPECT_NEAR(machine.sim.share(a) / machine.sim.share(b), 4.0, 0.1);
}

TEST(Fairness, AnOldImbalanceIsForgotten) {
    // Hours of one weight that is worth more than a CPU must not distort what follows when weights become equal.
    FairMachine machine(2);
    Group& heavy = machine.sim.group({.weight = 65535});
    Task& a = machine.sim.task(heavy);
    Task& b = machine.sim.task(machine.sim.group());
    Task& c = machine.sim.task(machine.sim.group());
    machine.sim.run_for(seconds(600));
    ASSERT_TRUE(machine.policy.set_parameters(heavy, {}).ok());
    machine.sim.run_for(seconds(1));
    machine.sim.start_measuring();
    machine.sim.run_for(seconds(10));
    for (Task* task : {&a, &b, &c}) EXPECT_NEAR(machine.sim.share(*task), 2.0 / 3, 0.05);
}

}  // namespace
}  // namespace px::sched::test
