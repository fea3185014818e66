// Physmaps: types, references, flushes.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/host/tlb.hpp"
#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class PhysmapTest : public World {
protected:
    /// A reference to a page of `owner`'s.
    static FrameRef borrow(Domain& owner, Gfn gfn) { return owner.physmap.get_frame(gfn, false).value(); }
    static u32 references(Domain& domain, Gfn gfn) { return frame_of(domain.physmap.lookup(gfn).mfn).references; }
};

TEST_F(PhysmapTest, FramesAreFoundByWhatTheyAre) {
    Domain& a = make_domain(1);
    EXPECT_TRUE(a.physmap.get_frame(Gfn{3}, true).ok());
    EXPECT_EQ(a.physmap.get_frame(Gfn{3000}, false).error(), Errno::efault);
    ASSERT_TRUE(a.physmap.change_type(Gfn{3}, GfnType::ram_read_only).ok());
    EXPECT_EQ(a.physmap.get_frame(Gfn{3}, true).error(), Errno::efault);
    GfnType type{};
    EXPECT_TRUE(a.physmap.get_frame(Gfn{3}, false, &type).ok());
    EXPECT_EQ(type, GfnType::ram_read_only);
    ASSERT_TRUE(a.physmap.add_mmio(Gfn{0x1000}, Mfn{0xfee00}, 2).ok());
    EXPECT_EQ(a.physmap.get_frame(Gfn{0x1001}, false).error(), Errno::efault) << "not RAM";
    EXPECT_EQ(a.physmap.lookup(Gfn{0x1001}).mfn.raw, 0xfee01u);
    EXPECT_EQ(a.physmap.change_type(Gfn{3000}, GfnType::ram).error(), Errno::enoent);
    EXPECT_EQ(a.physmap.add_ram(Gfn{3}, Mfn{5}, 0).error(), Errno::eexist);
}

TEST_F(PhysmapTest, AForeignEntryOwnsAReference) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    ASSERT_TRUE(b.physmap.add_foreign(Gfn{100}, borrow(a, Gfn{3}), GfnType::foreign).ok());
    EXPECT_EQ(references(a, Gfn{3}), 2u);
    // Replaced by another: the first reference goes.
    ASSERT_TRUE(b.physmap.add_foreign(Gfn{100}, borrow(a, Gfn{4}), GfnType::foreign).ok());
    EXPECT_EQ(references(a, Gfn{3}), 1u);
    EXPECT_EQ(references(a, Gfn{4}), 2u);
    EXPECT_EQ(b.physmap.remove(Gfn{100})->type, GfnType::foreign);
    EXPECT_EQ(references(a, Gfn{4}), 1u);
    EXPECT_EQ(b.physmap.remove(Gfn{100})->type, GfnType::invalid);
}

TEST_F(PhysmapTest, ChangesAreFlushedFromEveryCpu) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    ASSERT_TRUE(b.physmap.add_foreign(Gfn{100}, borrow(a, Gfn{3}), GfnType::foreign).ok());
    const auto everywhere = [&](Gfn gfn) {
        for (u32 cpu = 0; cpu < 4; ++cpu) {
            arch::host_become_cpu(CpuId{cpu});
            (void)arch::host_translate(b, gfn);
        }
        arch::host_become_cpu(CpuId{0});
    };
    everywhere(Gfn{100});
    EXPECT_EQ(arch::host_tlb_entries(b), 4u);
    ASSERT_TRUE(b.physmap.add_foreign(Gfn{100}, borrow(a, Gfn{4}), GfnType::foreign).ok());
    everywhere(Gfn{100});  // panics on a stale one
    ASSERT_TRUE(b.physmap.change_type(Gfn{5}, GfnType::log_dirty).ok());
    everywhere(Gfn{5});
    ASSERT_TRUE(b.physmap.change_type(Gfn{5}, GfnType::ram).ok());
    everywhere(Gfn{5});
    ASSERT_TRUE(b.physmap.add_emulated(Gfn{5}, 1).ok());
    everywhere(Gfn{5});
    ASSERT_TRUE(b.physmap.remove(Gfn{100}).ok());
    everywhere(Gfn{100});
}

TEST_F(PhysmapTest, ABatchFlushesOnceAndKeepsWhatWasRemoved) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    for (u64 i = 0; i < 8; ++i) ASSERT_TRUE(b.physmap.add_foreign(Gfn{100 + i}, borrow(a, Gfn{i}), GfnType::foreign).ok());
    const u64 flushes = b.arch.flushes;
    {
        FlushBatch batch(b.physmap);
        for (u64 i = 0; i < 4; ++i) ASSERT_EQ(b.physmap.remove(Gfn{100 + i}, batch)->type, GfnType::foreign);
        // One frame number shows another frame: the old one is kept as well.
        ASSERT_TRUE(b.physmap.add_foreign(Gfn{104}, borrow(a, Gfn{20}), GfnType::foreign, batch).ok());
        EXPECT_EQ(b.arch.flushes, flushes);
        for (u64 i = 0; i < 5; ++i) EXPECT_EQ(references(a, Gfn{i}), 2u) << "a stale translation may lead here";
        batch.finish();
        EXPECT_EQ(b.arch.flushes, flushes + 1);
        for (u64 i = 0; i < 5; ++i) EXPECT_EQ(references(a, Gfn{i}), 1u);
        ASSERT_TRUE(b.physmap.remove(Gfn{105}, batch).ok());
        ASSERT_EQ(b.physmap.remove(Gfn{3000}, batch)->type, GfnType::invalid);
    }
    EXPECT_EQ(b.arch.flushes, flushes + 2);
    { const FlushBatch unused(b.physmap); }
    EXPECT_EQ(b.arch.flushes, flushes + 2) << "nothing was owed";
}

TEST_F(PhysmapTest, ATableIsFreedAfterTheFlushThatItsEndOwes) {
    Domain& a = make_domain(1);
    // Pages of one table come and go: the table stays, and is in the way of a leaf of 2 MiB.
    for (u64 i = 0; i < 4; ++i) ASSERT_TRUE(a.physmap.add_mmio(Gfn{0x10000 + i}, Mfn{0xf0000 + i}, 1).ok());
    for (u64 i = 0; i < 4; ++i) ASSERT_TRUE(a.physmap.remove(Gfn{0x10000 + i}).ok());
    const u64 tables = a.physmap.table_frames(), flushes = a.arch.flushes;
    ASSERT_TRUE(a.physmap.add_mmio(Gfn{0x10000}, Mfn{0xf0000}, 512).ok());
    EXPECT_EQ(a.physmap.lookup(Gfn{0x10000}).order, 9);
    EXPECT_EQ(a.arch.flushes, flushes + 1);
    EXPECT_EQ(a.physmap.table_frames(), tables - 1);
}

TEST_F(PhysmapTest, LeavesAreNoLargerThanTheProcessorKnows) {
    Domain& a = make_domain(1);
    constexpr u64 gib = 1 << 18;
    ASSERT_TRUE(a.physmap.add_mmio(Gfn{4 * gib}, Mfn{4 * gib}, gib).ok());
    EXPECT_EQ(a.physmap.lookup(Gfn{4 * gib}).order, 18);
    arch::host_set_largest_physmap_order(9);
    ASSERT_TRUE(a.physmap.add_mmio(Gfn{5 * gib}, Mfn{5 * gib}, gib).ok());
    EXPECT_EQ(a.physmap.lookup(Gfn{5 * gib}).order, 9);
}

using PhysmapDeathTest = PhysmapTest;
TEST_F(PhysmapDeathTest, TheModelCatchesAForgottenFlush) {
    // The policy's table is changed behind the physmap's back, as code that forgets the flush would.
    Domain& a = make_domain(1);
    (void)arch::host_translate(a, Gfn{5});
    PageTable<arch::PhysmapPolicy> table;
    table.adopt(a.physmap.root());
    const auto old = *table.lookup(5);
    ASSERT_TRUE(table.map(5, Mfn{77}, 0, old.attributes).ok());
    EXPECT_DEATH((void)arch::host_translate(a, Gfn{5}), "stale translation used");
    ASSERT_TRUE(table.map(5, old.mfn, 0, old.attributes).ok());
}

TEST_F(PhysmapTest, ADyingDomainDropsWhatItBorrowed) {
    Domain& a = make_domain(1);
    Domain& b = make_domain(2);
    for (u64 i = 0; i < 32; ++i) { ASSERT_TRUE(b.physmap.add_foreign(Gfn{100 + i * 700}, borrow(a, Gfn{i}), GfnType::foreign).ok()); }
    kill(2);
    for (u64 i = 0; i < 32; ++i) EXPECT_EQ(references(a, Gfn{i}), 1u);
}

TEST_F(PhysmapTest, NothingLiesBeyondTheTablesReach) {
    // A walk that ignored the high bits would find low frames there.
    Domain& domain = make_domain(1);
    for (const u64 gfn : {Physmap::frame_numbers, Physmap::frame_numbers + 3, Physmap::frame_numbers << 9 | 3, ~u64{0}}) {
        EXPECT_EQ(domain.physmap.lookup(Gfn{gfn}).type, GfnType::invalid) << std::hex << gfn;
        EXPECT_EQ(domain.physmap.get_frame(Gfn{gfn}, false).error(), Errno::efault);
        EXPECT_EQ(domain.physmap.add_ram(Gfn{gfn}, Mfn{0}, 0).error(), Errno::einval);
        EXPECT_EQ(domain.physmap.add_mmio(Gfn{gfn}, Mfn{0}, 1).error(), Errno::einval);
        EXPECT_EQ(domain.physmap.add_emulated(Gfn{gfn}, 1).error(), Errno::einval);
        EXPECT_EQ(domain.physmap.change_type(Gfn{gfn}, GfnType::ram_read_only).error(), Errno::enoent);
        EXPECT_EQ(domain.physmap.remove(Gfn{gfn})->type, GfnType::invalid);
    }
    EXPECT_EQ(domain.physmap.add_mmio(Gfn{Physmap::frame_numbers - 1}, Mfn{0}, 2).error(), Errno::einval);
    EXPECT_EQ(domain.physmap.lookup(Gfn{3}).type, GfnType::ram) << "the low ones are as they were";
}

}  // namespace
}  // namespace px
