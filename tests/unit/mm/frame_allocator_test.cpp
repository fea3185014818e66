// The buddy allocator.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <random>

#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class FrameAllocatorTest : public World {};

TEST_F(FrameAllocatorTest, BlocksAreAlignedZeroedAndDisjoint) {
    std::mt19937 random(1);
    std::map<u64, std::pair<u64, unsigned>> blocks;  // first frame → end, order
    const u64 before = memory_totals().free_frames;
    u64 held = 0;
    for (unsigned i = 0; i < 3000; ++i) {
        if (random() % 3 != 0 || blocks.empty()) {
            const unsigned order = random() % 7;
            const auto block = allocate_frames(order);
            if (!block) continue;
            ASSERT_EQ(block->raw % (u64{1} << order), 0u);
            const u64 end = block->raw + (u64{1} << order);
            const auto next = blocks.lower_bound(block->raw);
            ASSERT_TRUE(next == blocks.end() || next->first >= end);
            ASSERT_TRUE(next == blocks.begin() || std::prev(next)->second.first <= block->raw);
            auto* const bytes = static_cast<u8*>(to_virtual(*block));
            for (u64 at = 0; at < (page_size << order); at += 512) ASSERT_EQ(bytes[at], 0);
            std::memset(bytes, 0xaa, page_size << order);
            blocks[block->raw] = {end, order};
            held += u64{1} << order;
        } else {
            auto victim = blocks.begin();
            std::advance(victim, random() % blocks.size());
            free_frames(Mfn{victim->first}, victim->second.second);
            held -= u64{1} << victim->second.second;
            blocks.erase(victim);
        }
        ASSERT_EQ(memory_totals().free_frames, before - held);
    }
    for (const auto& [first, block] : blocks) free_frames(Mfn{first}, block.second);
}

TEST_F(FrameAllocatorTest, EverythingMergesAgain) {
    std::vector<Mfn> frames;
    while (const auto frame = allocate_frames(0)) frames.push_back(*frame);
    EXPECT_EQ(memory_totals().free_frames, 0u);
    EXPECT_EQ(allocate_frames(0).error(), Errno::enomem);
    std::shuffle(frames.begin(), frames.end(), std::mt19937(2));
    for (Mfn frame : frames) free_frames(frame, 0);
    // 65535 frames from 1 on hold one aligned block of half of all.
    const auto half = allocate_frames(15);
    ASSERT_TRUE(half.ok());
    free_frames(*half, 15);
    EXPECT_EQ(allocate_frames(max_order + 1).error(), Errno::enomem);
}

TEST_F(FrameAllocatorTest, BelowALimit) {
    const auto low = allocate_frames(3, {.below = 1024});
    ASSERT_TRUE(low.ok());
    EXPECT_LE(low->raw + 8, 1024u);
    free_frames(*low, 3);
    EXPECT_EQ(allocate_frames(0, {.node = 5, .exact_node = true}).error(), Errno::enomem);
}

TEST_F(FrameAllocatorTest, ADomainsDataReachesNobodyElse) {
    Domain& a = make_domain(1);
    for (u64 gfn = 0; gfn < 64; ++gfn) std::memset(page(a, Gfn{gfn}), 0x5a, page_size);
    kill(1);
    Domain& b = make_domain(2);
    for (u64 gfn = 0; gfn < 64; ++gfn) {
        for (usize i = 0; i < page_size; ++i) ASSERT_EQ(page(b, Gfn{gfn})[i], 0);
    }
}

}  // namespace
}  // namespace px
