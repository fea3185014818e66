// Timers: order, re-arming, the hardware's programming, moves between CPUs, and cancel_sync() under real threads.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/time/timer.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <vector>

namespace px {
namespace {

constexpr Nanoseconds at(i64 value) { return Nanoseconds{value}; }

/// Two CPUs with timer hardware that remembers what it was set to.
struct Machine {
    std::map<u32, Nanoseconds> programmed;
    TimerHardware hardware{[](void* self, CpuId cpu, Nanoseconds deadline) { static_cast<Machine*>(self)->programmed[cpu.raw] = deadline; },
                           this};
    TimerQueue zero{CpuId{0}, hardware};
    TimerQueue one{CpuId{1}, hardware};
};

/// A timer that runs a closure.
struct TestTimer {
    explicit TestTimer(TimerQueue& home, std::function<void(Nanoseconds)> body = {})
        : body(std::move(body)),
          timer(
              home,
              [](void* self, Nanoseconds now) {
                  auto& test = *static_cast<TestTimer*>(self);
                  ++test.fired;
                  if (test.body) test.body(now);
              },
              this) {}
    std::function<void(Nanoseconds)> body;
    int fired = 0;
    Timer timer;
};

TEST(Timer, FiresOnceAtItsDeadlineInOrder) {
    Machine machine;
    std::vector<int> order;
    TestTimer late(machine.zero, [&](Nanoseconds) { order.push_back(2); });
    TestTimer early(machine.zero, [&](Nanoseconds) { order.push_back(1); });
    late.timer.arm(at(200));
    early.timer.arm(at(100));
    EXPECT_EQ(machine.zero.next_deadline(), at(100));
    machine.zero.run_expired(at(99));
    EXPECT_TRUE(order.empty());
    machine.zero.run_expired(at(1000));
    EXPECT_EQ(order, (std::vector{1, 2}));
    machine.zero.run_expired(at(2000));
    EXPECT_EQ(order.size(), 2u);
    EXPECT_EQ(machine.zero.next_deadline(), Nanoseconds::never());
}

TEST(Timer, HardwareIsSetToTheEarliest) {
    Machine machine;
    TestTimer a(machine.zero), b(machine.zero);
    a.timer.arm(at(500));
    EXPECT_EQ(machine.programmed[0], at(500));
    b.timer.arm(at(300));
    EXPECT_EQ(machine.programmed[0], at(300));
    b.timer.arm(at(700));  // a spurious interrupt at 300 is cheaper than to program again
    EXPECT_EQ(machine.programmed[0], at(300));
    machine.zero.run_expired(at(300));
    EXPECT_EQ(machine.programmed[0], at(500));
    machine.zero.run_expired(at(700));
    EXPECT_EQ(machine.programmed[0], Nanoseconds::never());
    EXPECT_EQ(a.fired + b.fired, 2);
}

TEST(Timer, CallbackMayArmItselfAndCancelOthers) {
    Machine machine;
    TestTimer victim(machine.zero);
    TestTimer periodic(machine.zero);
    periodic.body = [&](Nanoseconds now) {
        periodic.timer.arm(now + at(10));
        EXPECT_TRUE(victim.timer.cancel());
        victim.timer.arm(at(1'000'000));
    };
    periodic.timer.arm(at(10));
    victim.timer.arm(at(10));  // the same deadline, later: is cancelled before its turn
    for (i64 now = 0; now <= 100; now += 5) machine.zero.run_expired(at(now));
    EXPECT_EQ(periodic.fired, 10);
    EXPECT_EQ(victim.fired, 0);
    periodic.timer.cancel_sync();
    victim.timer.cancel_sync();
}

TEST(Timer, StormIsBounded) {
    Machine machine;
    TestTimer storm(machine.zero);
    storm.body = [&](Nanoseconds now) { storm.timer.arm(now); };
    storm.timer.arm(at(1));
    machine.zero.run_expired(at(5));
    EXPECT_EQ(storm.fired, static_cast<int>(TimerQueue::batch));
    EXPECT_EQ(machine.programmed[0], at(5)) << "what is left over must be asked for at once";
    storm.timer.cancel();
}

TEST(Timer, MovesKeepDeadlines) {
    Machine machine;
    TestTimer moved(machine.zero), stays(machine.zero), unarmed(machine.zero);
    moved.timer.arm(at(50));
    stays.timer.arm(at(60));
    moved.timer.move_to(machine.one);
    unarmed.timer.move_to(machine.one);
    EXPECT_EQ(machine.zero.next_deadline(), at(60));
    EXPECT_EQ(machine.one.next_deadline(), at(50));
    EXPECT_EQ(machine.programmed[1], at(50));
    machine.one.evacuate(machine.zero);
    EXPECT_EQ(machine.one.next_deadline(), Nanoseconds::never());
    machine.zero.run_expired(at(60));
    EXPECT_EQ(moved.fired + stays.fired, 2);
    unarmed.timer.arm(at(70));
    EXPECT_EQ(machine.one.next_deadline(), at(70)) << "what wasn't armed kept its new home";
    unarmed.timer.cancel();
}

TEST(Timer, RandomOperationsAgreeWithAModel) {
    Machine machine;
    TimerQueue* queues[] = {&machine.zero, &machine.one};
    struct Model {
        bool armed = false;
        i64 deadline = 0;
        int home = 0;
        int fired = 0;
    };
    std::vector<std::unique_ptr<TestTimer>> timers;
    std::vector<Model> models(50);
    for (usize i = 0; i < models.size(); ++i) timers.push_back(std::make_unique<TestTimer>(machine.zero));
    std::mt19937 random(4);
    i64 now = 0;
    for (int step = 0; step < 20000; ++step) {
        const usize which = random() % models.size();
        Model& model = models[which];
        Timer& timer = timers[which]->timer;
        switch (random() % 5) {
        case 0:
        case 1:
            model.armed = true;
            model.deadline = now + static_cast<i64>(random() % 200) - 20;
            timer.arm(at(model.deadline));
            break;
        case 2:
            ASSERT_EQ(timer.cancel(), model.armed);
            model.armed = false;
            break;
        case 3:
            model.home ^= 1;
            timer.move_to(*queues[model.home]);
            break;
        case 4: {
            now += static_cast<i64>(random() % 30);
            const int cpu = static_cast<int>(random() % 2);
            queues[cpu]->run_expired(at(now));
            for (Model& each : models) {
                if (each.armed && each.home == cpu && each.deadline <= now) each.armed = false, ++each.fired;
            }
            break;
        }
        }
        for (int cpu = 0; cpu < 2; ++cpu) {
            Nanoseconds earliest = Nanoseconds::never();
            for (const Model& each : models) {
                if (each.armed && each.home == cpu) earliest = std::min(earliest, at(each.deadline));
            }
            ASSERT_EQ(queues[cpu]->next_deadline(), earliest);
            const auto set = machine.programmed.find(static_cast<u32>(cpu));
            if (earliest != Nanoseconds::never()) { ASSERT_LE(set->second, earliest) << "the hardware would be late"; }
        }
    }
    for (usize i = 0; i < models.size(); ++i) {
        EXPECT_EQ(timers[i]->fired, models[i].fired);
        timers[i]->timer.cancel();
    }
}

/// A real thread per CPU runs callbacks; this thread arms, moves, cancels and destroys timers under their feet.
TEST(Timer, CancelSyncWaitsForTheCallback) {
    TimerHardware hardware{[](void*, CpuId, Nanoseconds) {}, nullptr};
    TimerQueue queues[] = {{CpuId{0}, hardware}, {CpuId{1}, hardware}};
    std::atomic<bool> stop{false};
    std::atomic<int> total{0};
    std::vector<std::thread> cpus;
    for (TimerQueue& queue : queues) {
        cpus.emplace_back([&] {
            while (!stop.load()) {
                queue.run_expired(at(1));
                std::this_thread::yield();
            }
        });
    }
    struct Victim {
        explicit Victim(TimerQueue& home, std::atomic<int>& total)
            : total(total),
              timer(
                  home, [](void* self, Nanoseconds) { static_cast<Victim*>(self)->run(); }, this) {}
        void run() {
            EXPECT_EQ(inside.fetch_add(1), 0) << "a callback ran twice at once";
            total.fetch_add(1);
            std::this_thread::yield();
            if (++runs < 3) timer.arm(at(0));
            inside.fetch_sub(1);
        }
        std::atomic<int> inside{0};
        std::atomic<int>& total;
        int runs = 0;
        Timer timer;
    };
    std::mt19937 random(5);
    for (int round = 0; round < 3000; ++round) {
        auto victim = std::make_unique<Victim>(queues[random() % 2], total);
        victim->timer.arm(at(0));
        if (random() % 2) std::this_thread::yield();
        if (random() % 2) victim->timer.move_to(queues[random() % 2]);
        if (random() % 2) victim->timer.arm(at(1));
        if (random() % 2) std::this_thread::yield();
        victim->timer.cancel_sync();
        ASSERT_EQ(victim->inside.load(), 0);
        ASSERT_FALSE(victim->timer.armed());
    }
    EXPECT_GT(total.load(), 0);
    stop.store(true);
    for (std::thread& cpu : cpus) cpu.join();
}

}  // namespace
}  // namespace px
