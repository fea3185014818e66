// The buddy allocator.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstring>
#include <random>

#include "arch/hypercalls.hpp"
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

TEST_F(FrameAllocatorTest, WhatTheBootLoaderLeftIsZeroed) {
    const auto block = take_block(3, 0, {});
    ASSERT_TRUE(block.ok());
    std::memset(to_virtual(*block), 0xaa, page_size << 3);
    add_free_range(*block, 8);
    std::vector<Mfn> frames;
    while (const auto frame = allocate_frames(0)) {
        const auto* const bytes = static_cast<const u8*>(to_virtual(*frame));
        for (u64 at = 0; at < page_size; at += 512) EXPECT_EQ(bytes[at], 0);
        frames.push_back(*frame);
    }
    for (const Mfn frame : frames) free_frames(frame, 0);
}

TEST_F(FrameAllocatorTest, BelowALimit) {
    const auto low = allocate_frames(3, {.below = 1024});
    ASSERT_TRUE(low.ok());
    EXPECT_LE(low->raw + 8, 1024u);
    free_frames(*low, 3);
    NodeMask node_5;
    node_5.set(5);
    EXPECT_EQ(allocate_frames(0, {.nodes = node_5, .exact_nodes = true}).error(), Errno::enomem);
}

TEST_F(FrameAllocatorTest, OneFrameByItsNumber) {
    std::mt19937 random(3);
    const u64 before = memory_totals().free_frames;
    std::vector<Mfn> taken;
    for (unsigned i = 0; i < 500; ++i) {
        const Mfn frame{random() % 65536};
        const bool again = std::ranges::find(taken, frame) != taken.end();
        const bool ok = take_frame(frame, 0).ok();
        if (again || frame.raw == 0) {
            ASSERT_FALSE(ok) << frame.raw;
        } else if (ok) {
            taken.push_back(frame);
        }
        ASSERT_EQ(memory_totals().free_frames, before - taken.size());
    }
    EXPECT_GT(taken.size(), 400u);
    EXPECT_FALSE(take_frame(Mfn{arch::frame_count()}, 0).ok());
    EXPECT_FALSE(take_frame(invalid_mfn, 0).ok());
    for (Mfn frame : taken) return_block(frame, 0, 0);
    const auto half = allocate_frames(15);
    ASSERT_TRUE(half.ok()) << "all has joined again";
    free_frames(*half, 15);
}

TEST_F(FrameAllocatorTest, NodesHaveMemoryOfTheirOwn) {
    ASSERT_EQ(*nodes().number(70), 0);
    ASSERT_EQ(*nodes().number(3), 1);
    const Mfn border{20001};
    const u64 count = arch::frame_count() - border.raw;
    const auto held = allocate_frames(0, {.below = 100});  // not free while it changes its node, as one below
    const Mfn taken{30000};
    ASSERT_TRUE(take_frame(taken, 0).ok());
    const u64 before = memory_totals().free_frames;
    EXPECT_EQ(set_node(border, count, 1), count);
    EXPECT_EQ(memory_totals().free_frames, before);
    EXPECT_EQ(memory_totals(1).free_frames, count - 1);
    EXPECT_EQ(memory_totals(0).free_frames, before - (count - 1));
    return_block(taken, 0, 0);
    EXPECT_EQ(memory_totals(1).free_frames, count) << "what was not free came back to its node";
    free_frames(*held, 0);

    NodeMask here, there, both;
    here.set(0);
    there.set(1);
    both.set(0), both.set(1);
    const Mfn a = *allocate_frames(4, {.nodes = here}), b = *allocate_frames(4, {.nodes = there});
    EXPECT_LT(a, border);
    EXPECT_GE(b, border);
    const Mfn c = *allocate_frames(0, {.nodes = both}), d = *allocate_frames(0, {.nodes = both});
    EXPECT_NE(c < border, d < border) << "by turns";
    free_frames(a, 4), free_frames(b, 4), free_frames(c, 0), free_frames(d, 0);

    std::vector<Mfn> all;
    while (const auto frame = allocate_frames(0, {.nodes = there, .exact_nodes = true})) {
        ASSERT_GE(*frame, border);
        all.push_back(*frame);
    }
    EXPECT_EQ(all.size(), count);
    const auto elsewhere = allocate_frames(0, {.nodes = there});
    ASSERT_TRUE(elsewhere.ok()) << "a wish, not a must";
    EXPECT_LT(*elsewhere, border);
    free_frames(*elsewhere, 0);
    for (const Mfn frame : all) free_frames(frame, 0);

    EXPECT_EQ(set_node(border, count, 0), count);
    const u64 frames = nodes().frames(0);
    nodes() = {};
    nodes().add_frames(0, frames);
    const auto half = allocate_frames(15);
    ASSERT_TRUE(half.ok()) << "one node again, and all has joined";
    free_frames(*half, 15);
}

TEST(Nodes, AreNumberedAsTheyAreNamed) {
    Nodes machine;
    EXPECT_EQ(machine.count(), 1u);
    EXPECT_EQ(machine.distance(0, 0), Nodes::local_distance);
    ASSERT_TRUE(machine.add_memory(Mfn{0}, 100, 9).ok());
    ASSERT_TRUE(machine.add_memory(Mfn{200}, 100, 4).ok());
    ASSERT_TRUE(machine.add_memory(Mfn{100}, 100, 9).ok());
    EXPECT_EQ(machine.count(), 2u);
    EXPECT_EQ(machine.proximity(1), 4u);
    EXPECT_EQ(machine.ranges()[2].node, 0);
    EXPECT_EQ(machine.add_memory(Mfn{150}, 51, 4).error(), Errno::eexist);
    EXPECT_TRUE(machine.add_memory(Mfn{150}, 50, 9).ok()) << "said twice";
    EXPECT_EQ(machine.distance(0, 1), Nodes::remote_distance);
    machine.set_distance(0, 1, 31);
    EXPECT_EQ(machine.distance(0, 1), 31);
    EXPECT_EQ(machine.distance(1, 0), Nodes::remote_distance);
    for (u32 more = 100; more < 98 + max_nodes; ++more) ASSERT_TRUE(machine.number(more).ok());
    EXPECT_EQ(machine.number(1000).error(), Errno::enospc);
    EXPECT_EQ(machine.all().count(), max_nodes);
}

TEST_F(FrameAllocatorTest, RamOfUnknownContentsIsZeroed) {
    const Mfn block = *allocate_frames(1);
    std::memset(to_virtual(block), 0x77, 2 * page_size);
    for (u64 i = 0; i < 2; ++i) frame_of(block + i).references.store(0);
    frame_of(block).state = frame_of(block + 1).state = 0;
    add_free_range(block, 2);  // as boot memory
    const auto again = allocate_frames(1);
    ASSERT_TRUE(again.ok());
    ASSERT_EQ(*again, block);
    EXPECT_EQ(*static_cast<u8*>(to_virtual(block)), 0);
    EXPECT_EQ(*static_cast<u8*>(to_virtual(block + 1)), 0);
    free_frames(*again, 1);
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
