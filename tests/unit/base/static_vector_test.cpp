// StaticVector.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/static_vector.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

namespace px {
namespace {

TEST(StaticVector, RefusesWhatDoesNotFit) {
    StaticVector<std::string, 2> vector;
    EXPECT_TRUE(vector.push_back("a string too long to be stored in place").ok());
    EXPECT_TRUE(vector.emplace_back(3u, 'x').ok());
    EXPECT_TRUE(vector.full());
    const auto third = vector.push_back("c");
    ASSERT_FALSE(third.ok());
    EXPECT_EQ(third.error(), Errno::enospc);
    EXPECT_EQ(vector.size(), 2u);
    EXPECT_EQ(vector.back(), "xxx");
}

TEST(StaticVector, EraseKeepsTheOrder) {
    StaticVector<std::string, 4> vector;
    for (const char* text : {"a", "b", "c", "d"}) ASSERT_TRUE(vector.push_back(text).ok());
    vector.erase(1);
    EXPECT_EQ(std::vector<std::string>(vector.begin(), vector.end()), (std::vector<std::string>{"a", "c", "d"}));
    vector.erase(2);
    vector.erase(0);
    EXPECT_EQ(vector[0], "c");
    EXPECT_DEATH(vector[1], "assertion");
}

TEST(StaticVector, LivesOfItemsAreBalanced) {
    auto counted = std::make_shared<int>(7);
    {
        StaticVector<std::shared_ptr<int>, 4> vector;
        ASSERT_TRUE(vector.push_back(counted).ok());
        ASSERT_TRUE(vector.push_back(counted).ok());
        StaticVector<std::shared_ptr<int>, 4> copy = vector;
        EXPECT_EQ(counted.use_count(), 5);
        StaticVector<std::shared_ptr<int>, 4> moved = std::move(copy);
        EXPECT_EQ(counted.use_count(), 5);
        vector = moved;
        vector.pop_back();
        EXPECT_EQ(counted.use_count(), 4);
    }
    EXPECT_EQ(counted.use_count(), 1);
}

TEST(StaticVector, HoldsWhatOnlyMoves) {
    StaticVector<std::unique_ptr<int>, 2> vector;
    ASSERT_TRUE(vector.push_back(std::make_unique<int>(1)).ok());
    auto other = std::move(vector);
    EXPECT_EQ(*other[0], 1);
}

}  // namespace
}  // namespace px
