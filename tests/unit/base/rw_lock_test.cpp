// The readers-writer lock.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/rw_lock.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace px {
namespace {

TEST(RwLock, ReadersShare) {
    RwLocked<int, LockRank::p2m> value{7};
    std::atomic<unsigned> inside{0};
    std::vector<std::jthread> readers;
    for (unsigned i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            const auto guard = value.lock_shared();
            EXPECT_EQ(*guard, 7);
            // Ends only if all are inside at once.
            for (++inside; inside != 3;) std::this_thread::yield();
        });
    }
}

TEST(RwLock, WritersExcludeEverybody) {
    struct Pair {
        u64 left = 0, right = 0;
    };
    RwLocked<Pair, LockRank::p2m> pair;
    std::vector<std::jthread> threads;
    for (unsigned i = 0; i < 4; ++i) {
        threads.emplace_back([&, writes = i % 2 == 0] {
            for (unsigned turn = 0; turn < 2000; ++turn) {
                if (writes) {
                    auto guard = pair.lock();
                    ++guard->left;
                    std::atomic_signal_fence(std::memory_order_seq_cst);
                    ++guard->right;
                } else {
                    const auto guard = pair.lock_shared();
                    ASSERT_EQ(guard->left, guard->right);
                }
            }
        });
    }
    threads.clear();
    EXPECT_EQ(pair.unlocked().left, 4000u);
    EXPECT_EQ(pair.unlocked().right, 4000u);
}

}  // namespace
}  // namespace px
