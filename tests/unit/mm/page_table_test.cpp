// The page-table walker, against a map of what should be mapped.
//
// SPDX-License-Identifier: Apache-2.0
#include <random>

#include "tests/unit/domain/world.hpp"

namespace px {
namespace {

class PageTableTest : public World {
protected:
    using Table = PageTable<arch::PhysmapPolicy>;
    PageTableTest() { EXPECT_TRUE(table.create().ok()); }
    ~PageTableTest() override { table.destroy(); }
    Table table;
};

constexpr arch::PhysmapPolicy::Attributes ram{.type = GfnType::ram};
constexpr arch::PhysmapPolicy::Attributes rom{.type = GfnType::ram_read_only};

TEST_F(PageTableTest, RandomChangesAgreeWithAModel) {
    std::mt19937 random(7);
    std::map<u64, std::pair<u64, GfnType>> model;
    constexpr u64 base = 512 * 512 - 1024, span = 4096;  // across a boundary of 1 GiB
    for (unsigned i = 0; i < 2000; ++i) {
        const unsigned order = random() % 8 == 0 ? 9 : 0;
        const u64 page = align_down<u64>(base + random() % span, u64{1} << order);
        const bool expect_change = [&] {
            for (u64 p = page; p < page + (u64{1} << order); ++p)
                if (model.contains(p)) return true;
            return false;
        }();
        Result<Changed> changed = Changed::nothing;
        if (random() % 3 == 0) {
            changed = table.unmap(page, order);
            for (u64 p = page; p < page + (u64{1} << order); ++p) model.erase(p);
        } else {
            const u64 mfn = (random() % 1000) << 9;
            const auto attributes = random() % 2 == 0 ? ram : rom;
            changed = table.map(page, Mfn{mfn}, order, attributes);
            for (u64 p = 0; p < (u64{1} << order); ++p) model[page + p] = {mfn + p, attributes.type};
        }
        ASSERT_TRUE(changed.ok());
        // Whatever was there may be cached somewhere: a change of it without an owed flush would be a hole.
        if (!expect_change) { ASSERT_TRUE(*changed == Changed::nothing || order == 9); }
        for (unsigned look = 0; look < 50; ++look) {
            const u64 p = base + random() % span;
            const auto found = table.lookup(p);
            const auto expected = model.find(p);
            ASSERT_EQ(found.ok(), expected != model.end()) << std::hex << p;
            if (!found) continue;
            ASSERT_EQ(found->mfn.raw, expected->second.first);
            ASSERT_EQ(found->attributes.type, expected->second.second);
        }
    }
}

TEST_F(PageTableTest, AnyChangeOfAPresentEntryOwesAFlush) {
    ASSERT_EQ(*table.map(5, Mfn{100}, 0, ram), Changed::nothing);
    EXPECT_EQ(*table.map(5, Mfn{100}, 0, ram), Changed::nothing) << "the same again";
    EXPECT_EQ(*table.map(5, Mfn{100}, 0, rom), Changed::must_flush);
    EXPECT_EQ(*table.map(5, Mfn{101}, 0, rom), Changed::must_flush);
    EXPECT_EQ(*table.unmap(5, 0), Changed::must_flush);
    EXPECT_EQ(*table.unmap(5, 0), Changed::nothing);
    ASSERT_TRUE(table.map(512, Mfn{512}, 9, ram).ok());
    EXPECT_EQ(*table.unmap(700, 0), Changed::must_flush) << "out of a large leaf";
    EXPECT_EQ(table.lookup(701)->mfn.raw, 701u);
    EXPECT_EQ(table.lookup(700).error(), Errno::enoent);
}

TEST_F(PageTableTest, RangesUseTheLargestLeaves) {
    ASSERT_TRUE(table.map_range(512 * 512 - 1, Mfn{512 * 512 - 1}, 512 * 512 + 512 + 2, ram).ok());
    EXPECT_EQ(table.lookup(512 * 512 - 1)->order, 0u);
    EXPECT_EQ(table.lookup(512 * 512)->order, 18u);
    EXPECT_EQ(table.lookup(2 * 512 * 512)->order, 9u);
    EXPECT_EQ(table.lookup(2 * 512 * 512 + 512)->order, 0u);
    EXPECT_FALSE(table.lookup(2 * 512 * 512 + 513).ok());
    // Twice 512 leaves replace a leaf of 1 GiB and one of 2 MiB; every other translation stays.
    ASSERT_TRUE(table.unmap(512 * 512 + 77, 0).ok());
    EXPECT_EQ(table.lookup(512 * 512 + 78)->mfn.raw, 512u * 512 + 78);
    EXPECT_EQ(table.lookup(512 * 512 + 512)->order, 9u);
}

TEST_F(PageTableTest, ALargeLeafFreesTheTablesBelow) {
    const u64 tables = table.policy().frames();
    for (u64 i = 0; i < 512; ++i) ASSERT_TRUE(table.map(i, Mfn{i}, 0, ram).ok());
    const u64 with = table.policy().frames();
    EXPECT_GT(with, tables);
    EXPECT_EQ(*table.map(0, Mfn{1024}, 9, ram), Changed::must_flush);
    EXPECT_EQ(table.policy().frames(), with) << "the hardware may be walking it";
    table.flushed();
    EXPECT_EQ(table.policy().frames(), tables + 2);
    EXPECT_EQ(table.lookup(5)->mfn.raw, 1029u);
}

TEST_F(PageTableTest, WhatALeafReplacesKeepsItsEntriesUntilTheFlush) {
    for (u64 page : {u64{0}, u64{5}, u64{512}, u64{512 * 511}}) ASSERT_TRUE(table.map(page, Mfn{page % 1024 + 1}, 0, ram).ok());
    const u64 with = table.policy().frames();
    // A second walker that reached the tables before they were replaced, as the hardware's caches do.
    const Mfn old = arch::PhysmapPolicy::frame(arch::PhysmapPolicy::entries(table.root())[0], 3);
    PageTable<arch::PhysmapPolicy> stale;
    ASSERT_TRUE(stale.create().ok());
    arch::PhysmapPolicy::entries(stale.root())[0] = arch::PhysmapPolicy::table(old);
    const u64 gib_table = arch::PhysmapPolicy::entries(old)[0];
    EXPECT_EQ(*table.map(0, Mfn{0}, 18, ram), Changed::must_flush);
    arch::PhysmapPolicy::entries(old)[1] = gib_table;
    EXPECT_EQ(stale.lookup((1 << 18) + 5)->mfn.raw, 6u);
    EXPECT_EQ(stale.lookup((1 << 18) + 512 * 511)->mfn.raw, 512u + 1);
    arch::PhysmapPolicy::entries(old)[1] = 0;
    arch::PhysmapPolicy::entries(stale.root())[0] = 0;
    stale.destroy();
    EXPECT_EQ(table.policy().frames(), with);
    table.flushed();
    EXPECT_EQ(table.policy().frames(), with - 4) << "three of 4 KiB leaves, one of 2 MiB leaves";
}

TEST_F(PageTableTest, StripCanBeInterruptedInEmptyTables) {
    // A million pages were there once: 2048 tables without a leaf.
    for (u64 i = 0; i < 2048; ++i) {
        ASSERT_TRUE(table.map(i * 512, Mfn{1}, 0, ram).ok());
        ASSERT_TRUE(table.unmap(i * 512, 0).ok());
    }
    u64 cursor = 0, before = 0;
    unsigned parts = 1;
    const auto no_leaf = [](u64, unsigned, Mfn, const auto&) {
        ADD_FAILURE() << "a leaf";
        return true;
    };
    while (!table.strip(&cursor, no_leaf, [] { return false; })) {
        EXPECT_GT(cursor, before) << "progress each time";
        before = cursor;
        ASSERT_LT(++parts, 10'000u);
    }
    EXPECT_GT(parts, 1000u);
}

TEST_F(PageTableTest, StripVisitsEveryLeafOnceAndCanBeInterrupted) {
    std::map<u64, unsigned> mapped;
    for (u64 page : {u64{0}, u64{1}, u64{511}, u64{512 * 7}, u64{1} << 30, (u64{1} << 36) - 1}) {
        ASSERT_TRUE(table.map(page, Mfn{page % 1024}, 0, ram).ok());
        mapped[page] = 0;
    }
    ASSERT_TRUE(table.map(512 * 1024, Mfn{512}, 9, ram).ok());
    mapped[512 * 1024] = 9;
    u64 cursor = 0;
    std::map<u64, unsigned> seen;
    unsigned calls = 1;
    while (!table.strip(
        &cursor,
        [&](u64 page, unsigned order, Mfn, const auto&) {
            seen[page] = order;
            return false;
        },
        [] { return true; })) {
        ASSERT_LT(++calls, 20u);
    }
    EXPECT_EQ(seen, mapped);
    EXPECT_EQ(table.lookup(511).error(), Errno::enoent);
}

TEST_F(PageTableTest, WithoutMemoryNothingChanges) {
    ASSERT_TRUE(table.map(0, Mfn{512}, 9, ram).ok());
    std::vector<Mfn> taken;
    while (const auto frame = allocate_frames(0)) taken.push_back(*frame);
    EXPECT_EQ(table.map(5, Mfn{7}, 0, rom).error(), Errno::enomem);
    EXPECT_EQ(table.unmap(5, 0).error(), Errno::enomem);
    EXPECT_EQ(table.map(u64{1} << 30, Mfn{7}, 0, rom).error(), Errno::enomem);
    EXPECT_EQ(table.lookup(5)->mfn.raw, 517u);
    for (Mfn frame : taken) free_frames(frame, 0);
}

}  // namespace
}  // namespace px
