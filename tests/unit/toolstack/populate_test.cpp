// Filling guest memory: block sizes, and what happens when the machine has no large ones.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/populate.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace px::builder {
namespace {

constexpr u64 mib = 1 << 20, gib = 1 << 30;

/// A hypervisor's memory: which frames were given, in blocks of which order.
struct Machine {
    std::map<unsigned, u64> left{{0, ~u64{0}}, {9, ~u64{0}}, {18, ~u64{0}}};  ///< blocks by order
    std::map<unsigned, u64> given;
    std::set<u64> frames;

    call::Outcome<usize> operator()(std::span<const u64> starts, unsigned order) {
        usize done = 0;
        for (u64 start : starts) {
            if (left[order] == 0) break;
            --left[order];
            EXPECT_EQ(start % (u64{1} << order), 0u);
            for (u64 frame = start; frame < start + (u64{1} << order); ++frame) EXPECT_TRUE(frames.insert(frame).second) << frame;
            ++given[order];
            ++done;
        }
        return done;
    }
};

void expect_filled(const Machine& machine, loader::Extent range) {
    EXPECT_EQ(machine.frames.size(), range.size() >> page_shift);
    EXPECT_EQ(*machine.frames.begin(), range.start >> page_shift);
    EXPECT_EQ(*machine.frames.rbegin(), (range.end >> page_shift) - 1);
}

TEST(Populate, LargestBlocksThatFit) {
    Machine machine;
    const loader::Extent range{4 * gib, 4 * gib + gib + 6 * mib + 3 * page_size};
    ASSERT_TRUE(populate_range(range, std::ref(machine)).ok());
    EXPECT_EQ(machine.given, (std::map<unsigned, u64>{{18, 1}, {9, 3}, {0, 3}}));
    expect_filled(machine, range);
}

TEST(Populate, UnalignedStart) {
    Machine machine;
    const loader::Extent range{2 * mib - page_size, 4 * mib};
    ASSERT_TRUE(populate_range(range, std::ref(machine)).ok());
    EXPECT_EQ(machine.given, (std::map<unsigned, u64>{{9, 1}, {0, 1}}));
    expect_filled(machine, range);
}

TEST(Populate, SmallerBlocksTakeThePlaceOfMissingOnes) {
    Machine machine;
    machine.left[18] = 0;
    machine.left[9] = 511;
    const loader::Extent range{0, gib};
    ASSERT_TRUE(populate_range(range, std::ref(machine)).ok());
    EXPECT_EQ(machine.given[9], 511u);
    EXPECT_EQ(machine.given[0], 512u);
    expect_filled(machine, range);
}

TEST(Populate, TriesLargeBlocksAgainBehindAGap) {
    Machine machine;
    usize calls = 0;
    const Populate once_without_large = [&](std::span<const u64> starts, unsigned order) -> call::Outcome<usize> {
        if (calls++ == 0) return usize{0};
        return machine(starts, order);
    };
    ASSERT_TRUE(populate_range({0, 8 * mib}, once_without_large).ok());
    EXPECT_EQ(machine.given, (std::map<unsigned, u64>{{9, 3}, {0, 512}}));
}

TEST(Populate, SaysWhenMemoryRunsOut) {
    Machine machine;
    machine.left = {{0, 5}, {9, 0}, {18, 0}};
    const auto done = populate_range({0, 4 * mib}, std::ref(machine));
    ASSERT_FALSE(done.ok());
    EXPECT_EQ(done.error().code, ENOMEM);
    EXPECT_EQ(machine.frames.size(), 5u);
}

}  // namespace
}  // namespace px::builder
