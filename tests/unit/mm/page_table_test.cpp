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
            for (u64 p = page; p < page + (u64{1} << order); ++p) if (model.contains(p)) return true;
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
        if (!expect_change) {
            ASSERT_TRUE(*changed == Changed::nothing || order == 9);
        }
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
    EXPECT_GT(table.policy().frames(), tables);
    ASSERT_TRUE(table.map(0, Mfn{1024}, 9, ram).ok());
    EXPECT_EQ(table.policy().frames(), tables + 2);
    EXPECT_EQ(table.lookup(5)->mfn.raw, 1029u);
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
    while (!table.strip(&cursor, [&](u64 page, unsigned order, Mfn, const auto&) {
        seen[page] = order;
        return false;
    })) {
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
