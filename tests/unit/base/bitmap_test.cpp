// Bitmap and CpuMask.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <random>
#include <set>

#include "hypervisor/base/cpu_mask.hpp"

namespace px {
namespace {

static_assert(Bitmap<70>::all().count() == 70);
static_assert(!Bitmap<64>::all().find_first_clear());
static_assert(CpuMask::first_n(256) == CpuMask::all());

template <usize N>
void compare_with_set() {
    std::mt19937 random(N);
    Bitmap<N> bitmap;
    std::set<usize> model;
    for (int step = 0; step < 2000; ++step) {
        const usize bit = random() % N;
        if (random() % 2) bitmap.set(bit), model.insert(bit);
        else bitmap.clear(bit), model.erase(bit);
        const usize from = random() % (N + 2);
        const auto next = model.lower_bound(from);
        ASSERT_EQ(bitmap.find_next(from), next == model.end() ? std::nullopt : std::optional(*next));
        std::optional<usize> hole;
        for (usize i = from; i < N && !hole; ++i) {
            if (!model.contains(i)) hole = i;
        }
        ASSERT_EQ(bitmap.find_next_clear(from), hole);
        ASSERT_EQ(bitmap.test(from % N), model.contains(from % N));
    }
    ASSERT_EQ(bitmap.count(), model.size());
    std::set<usize> members;
    for (usize bit : bitmap) members.insert(bit);
    EXPECT_EQ(members, model);
    EXPECT_EQ((~bitmap).count(), N - model.size());
    EXPECT_FALSE(bitmap.intersects(~bitmap));
    EXPECT_EQ(bitmap | ~bitmap, Bitmap<N>::all());
}

TEST(Bitmap, AgreesWithASet) {
    compare_with_set<1>();
    compare_with_set<63>();
    compare_with_set<64>();
    compare_with_set<65>();
    compare_with_set<256>();
    compare_with_set<300>();
}

TEST(Bitmap, FullAndEmpty) {
    EXPECT_TRUE(Bitmap<65>{}.empty());
    EXPECT_EQ(Bitmap<65>{}.find_first(), std::nullopt);
    EXPECT_EQ(Bitmap<65>::all().find_first_clear(), std::nullopt);
    EXPECT_EQ(Bitmap<65>::all().find_next_clear(64), std::nullopt);
}

TEST(Bitmap, WordsBeyondTheSizeAreDropped) {
    const u64 words[] = {1, ~u64{0}, 7};
    const auto bitmap = Bitmap<66>::from_words(words);
    EXPECT_EQ(bitmap.count(), 3u);
    EXPECT_EQ(bitmap.words()[1], 3u);
    EXPECT_EQ(Bitmap<200>::from_words(std::span(words, 1)).count(), 1u);
}

TEST(CpuMask, GoesRound) {
    CpuMask mask = CpuMask::of(CpuId{3});
    EXPECT_EQ(mask.next_after(CpuId{3}), CpuId{3});
    mask.add(CpuId{255});
    EXPECT_EQ(mask.next_after(CpuId{3}), CpuId{255});
    EXPECT_EQ(mask.next_after(CpuId{255}), CpuId{3});
    EXPECT_EQ(CpuMask{}.next_after(CpuId{255}), std::nullopt);
    EXPECT_TRUE(mask.is_subset_of(CpuMask::all()));
    EXPECT_FALSE(CpuMask::all().is_subset_of(mask));
}

TEST(AtomicCpuMask, TellsWhoWasFirst) {
    AtomicCpuMask mask;
    EXPECT_FALSE(mask.add(CpuId{200}));
    EXPECT_TRUE(mask.add(CpuId{200}));
    EXPECT_EQ(mask.snapshot(), CpuMask::of(CpuId{200}));
    EXPECT_TRUE(mask.remove(CpuId{200}));
    EXPECT_FALSE(mask.remove(CpuId{200}));
    EXPECT_FALSE(mask.has(CpuId{200}));
}
TEST(AtomicCpuMask, ClearLeavesNobody) {
    AtomicCpuMask mask;
    for (const u32 cpu : {0u, 63u, 64u, 255u}) (void)mask.add(CpuId{cpu});
    mask.clear();
    EXPECT_TRUE(mask.snapshot().empty());
    EXPECT_FALSE(mask.add(CpuId{255}));
}

}  // namespace
}  // namespace px
