// Counted references.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/intrusive_ref.hpp"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

namespace px {
namespace {

struct Object : IntrusiveRefCount<Object> {
    void last_reference_dropped() { ++ends; }
    std::atomic<unsigned> ends{0};
};

TEST(IntrusiveRef, TheLastReferenceEndsIt) {
    Object object;
    auto first = Ref<Object>::adopt(object);
    {
        const Ref<Object> second(object), third = second;
        EXPECT_EQ(object.reference_count(), 3u);
    }
    EXPECT_EQ(object.ends, 0u);
    first = {};
    EXPECT_EQ(object.ends, 1u);
    EXPECT_FALSE(object.try_get()) << "an object on its way out can't be revived";
    EXPECT_EQ(object.reference_count(), 0u);
}
TEST(IntrusiveRef, MovingHandsTheReferenceOver) {
    Object object;
    auto first = Ref<Object>::adopt(object);
    Ref<Object> second = std::move(first);
    EXPECT_FALSE(first);
    EXPECT_EQ(object.reference_count(), 1u);
    second = *&second;
    EXPECT_EQ(object.reference_count(), 1u);
    Object* const raw = second.release();
    EXPECT_EQ(object.reference_count(), 1u);
    EXPECT_EQ(object.ends, 0u);
    raw->put();
    EXPECT_EQ(object.ends, 1u);
}
TEST(IntrusiveRef, ManyThreadsDropItOnce) {
    for (unsigned round = 0; round < 200; ++round) {
        Object object;
        std::vector<std::jthread> threads;
        for (unsigned i = 0; i < 4; ++i) {
            object.get();
            threads.emplace_back([&object] {
                for (unsigned turn = 0; turn < 50; ++turn)
                    if (object.try_get()) object.put();
                object.put();
            });
        }
        object.put();
        threads.clear();
        ASSERT_EQ(object.ends, 1u);
    }
}

}  // namespace
}  // namespace px
