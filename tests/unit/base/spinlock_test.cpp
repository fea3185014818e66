// Locks that own their data.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/spinlock.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace px {
namespace {

TEST(Spinlock, OneAtATime) {
    Locked<u64, LockRank::domain> counter;
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i) {
        threads.emplace_back([&counter] {
            for (unsigned turn = 0; turn < 5000; ++turn) {
                auto guard = counter.lock();
                const u64 before = *guard;
                std::atomic_signal_fence(std::memory_order_seq_cst);
                *guard = before + 1;
            }
        });
    }
    threads.clear();
    EXPECT_EQ(counter.unlocked(), 20000u);
}
TEST(Spinlock, InterruptsAreOffForLocksThatHandlersTake) {
    Locked<int, LockRank::domain> outer;
    Locked<int, LockRank::run_queue> first;
    Locked<int, LockRank::console> second;
    ASSERT_TRUE(arch::irq_enabled());
    {
        const auto a = outer.lock();
        EXPECT_TRUE(arch::irq_enabled());
        {
            const auto b = first.lock();
            EXPECT_FALSE(arch::irq_enabled());
            { const auto c = second.lock(); }
            EXPECT_FALSE(arch::irq_enabled()) << "as before the inner lock";
        }
        EXPECT_TRUE(arch::irq_enabled());
    }
    auto early = first.lock();
    early.unlock();
    EXPECT_TRUE(arch::irq_enabled());
}
TEST(Spinlock, TryingNeverWaits) {
    TicketLock lock;
    EXPECT_TRUE(lock.try_acquire());
    EXPECT_TRUE(lock.is_held());
    EXPECT_FALSE(lock.try_acquire());
    lock.release();
    EXPECT_FALSE(lock.is_held());
    EXPECT_TRUE(lock.try_acquire());
    lock.release();
}

TEST(LockRanks, InwardsOnly) {
    Locked<int, LockRank::domain> outer;
    Locked<int, LockRank::heap> inner;
    Locked<int, LockRank::heap> other;
    {
        const auto a = outer.lock();
        const auto b = inner.lock();
        const auto c = other.lock_same_rank();
        EXPECT_EQ(arch::held_locks()->depth, 3u);
    }
    EXPECT_EQ(arch::held_locks()->depth, 0u);
    // Taken inwards, given back in any order.
    auto a = outer.lock();
    const auto b = inner.lock();
    a.unlock();
    EXPECT_EQ(arch::held_locks()->depth, 1u);
    EXPECT_EQ(arch::held_locks()->ranks[0], LockRank::heap);
}
TEST(LockRanksDeathTest, OutwardsIsAPanic) {
    Locked<int, LockRank::domain> outer;
    Locked<int, LockRank::heap> inner;
    Locked<int, LockRank::heap> other;
    const auto held = inner.lock();
    EXPECT_DEATH((void)outer.lock(), "lock of rank .* taken under one of rank");
    EXPECT_DEATH((void)other.lock(), "lock of rank .* taken under one of rank");
    EXPECT_DEATH(lock_rank_release(LockRank::console), "released, but not held");
}

}  // namespace
}  // namespace px
