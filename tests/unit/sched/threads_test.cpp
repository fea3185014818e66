// Real threads: each is a CPU in its loop or somebody who wakes, puts to sleep and moves units. The property is the one that
// a guest's registers depend on: a unit is never on two CPUs, and what its CPU saved is seen by the next.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <random>
#include <thread>
#include <vector>

#include "hypervisor/sched/fair.hpp"

namespace px::sched {
namespace {

constexpr u32 cpu_count = 4;

struct Wall : Environment {
    Nanoseconds now() const override { return Nanoseconds{std::chrono::steady_clock::now().time_since_epoch().count()}; }
    void kick(CpuId cpu) override { kicked[cpu.raw].store(true); }
    std::atomic<bool> kicked[cpu_count]{};
};

struct Guest {
    explicit Guest(Group& group) : unit(group, VcpuId{0}) {}
    Unit unit;
    std::atomic<int> holders{0};
    u64 registers = 0;  ///< not atomic: the protocol alone orders the accesses (ThreadSanitizer sees it if not)
};

void cpu_loop(FairPolicy& policy, Wall& wall, CpuId id, std::vector<std::unique_ptr<Guest>>& guests, std::atomic<bool>& stop) {
    Guest* current = nullptr;
    auto switch_to = [&](Unit* unit) {
        Guest* next = nullptr;
        for (auto& guest : guests) {
            if (&guest->unit == unit) next = guest.get();
        }
        if (next == current) return;
        if (current != nullptr) {
            current->holders.fetch_sub(1);
            policy.context_saved(current->unit);
        }
        current = next;
        if (current != nullptr) { EXPECT_EQ(current->holders.fetch_add(1), 0); }
    };
    while (!stop.load()) {
        const Decision decision = policy.pick_next(id, wall.now());
        switch_to(decision.unit);
        for (int spin = 0; spin < 20 && !wall.kicked[id.raw].exchange(false); ++spin) {
            if (current != nullptr) ++current->registers;
            std::this_thread::yield();
        }
    }
    EXPECT_EQ(current, nullptr);
}

TEST(Threads, AUnitIsOnOneCpuOnly) {
    Wall wall;
    std::vector<FairCpu> storage(cpu_count);
    FairPolicy policy(wall, storage, {.slice = milliseconds(1), .ratelimit = Nanoseconds{0}});
    for (u32 cpu = 0; cpu < cpu_count; ++cpu) ASSERT_TRUE(policy.add_cpu(CpuId{cpu}).ok());
    Group group(DomId{1});
    std::vector<std::unique_ptr<Guest>> guests;
    for (int i = 0; i < 9; ++i) {
        guests.push_back(std::make_unique<Guest>(group));
        ASSERT_TRUE(policy.add_unit(guests.back()->unit).ok());
    }
    std::atomic<bool> stop_waking{false}, stop_cpus{false};
    std::vector<std::thread> cpus, wakers;
    for (u32 cpu = 0; cpu < cpu_count; ++cpu) {
        cpus.emplace_back([&, cpu] { cpu_loop(policy, wall, CpuId{cpu}, guests, stop_cpus); });
    }
    for (unsigned seed = 0; seed < 2; ++seed) {
        wakers.emplace_back([&, seed] {
            std::mt19937 random(seed);
            while (!stop_waking.load()) {
                Unit& unit = guests[random() % guests.size()]->unit;
                const u32 choice = static_cast<u32>(random() % 8);
                if (choice < 4) policy.wake(unit);
                else if (choice < 7) policy.sleep(unit);
                else (void)policy.migrate(unit, CpuId{static_cast<u32>(random() % cpu_count)});
                if (random() % 16 == 0) std::this_thread::yield();
            }
        });
    }
    std::this_thread::sleep_for(std::chrono::seconds(2));
    stop_waking.store(true);
    for (std::thread& thread : wakers) thread.join();
    for (auto& guest : guests) policy.sleep(guest->unit);
    for (auto& guest : guests) {
        while (guest->unit.on_cpu()) std::this_thread::yield();
        guest->registers += 1;  // on_cpu() is false: what the CPU wrote is ours to read
        policy.remove_unit(guest->unit);
    }
    stop_cpus.store(true);
    for (std::thread& thread : cpus) thread.join();
    u64 moves = 0, progress = 0;
    for (u32 cpu = 0; cpu < cpu_count; ++cpu) moves += policy.statistics(CpuId{cpu}).migrations;
    for (auto& guest : guests) progress += guest->registers;
    EXPECT_GT(moves, 100u);
    EXPECT_GT(progress, 1000u);
}

}  // namespace
}  // namespace px::sched
