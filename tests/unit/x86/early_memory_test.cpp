// Memory before the frame allocator: gaps between ranges, the largest of them, taking from its top.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/mm/early_memory.hpp"

#include <cstring>
#include <random>

#include "tests/unit/x86/fake_machine.hpp"

namespace px::arch {
namespace {

using boot::MemoryKind;
using boot::MemoryRegion;
using Map = StaticVector<MemoryRegion, boot::max_regions>;
using Taken = StaticVector<MemoryRegion, 64>;

constexpr u64 mib = 1u << 20, gib = 1u << 30;

template <class Vector>
Vector list(std::initializer_list<MemoryRegion> regions) {
    Vector vector;
    for (const MemoryRegion& region : regions) EXPECT_TRUE(vector.push_back(region).ok());
    return vector;
}

TEST(Gaps, RandomHolesAgreeWithAModel) {
    std::mt19937 random(4);
    for (unsigned round = 0; round < 3000; ++round) {
        constexpr u64 span = 64;
        const u64 first = random() % span, last = first + random() % (span - first + 1);
        std::array<bool, span> covered{};
        std::vector<MemoryRegion> holes;
        for (unsigned n = random() % 6; n > 0; --n) {
            const u64 start = random() % span;
            holes.push_back({start, start + random() % (span - start + 1), MemoryKind::reserved});
        }
        std::ranges::sort(holes, {}, &MemoryRegion::start);
        Taken taken;
        for (const MemoryRegion& hole : holes) {
            ASSERT_TRUE(taken.push_back(hole).ok());
            for (u64 at = hole.start; at < hole.end; ++at) covered[at] = true;
        }
        std::array<int, span> visited{};
        u64 before = 0;
        for_each_gap({first, last, MemoryKind::usable}, taken, [&](u64 start, u64 end) {
            ASSERT_LT(start, end);
            ASSERT_GE(start, before);
            before = end;
            for (u64 at = start; at < end; ++at) ++visited[at];
        });
        for (u64 at = 0; at < span; ++at) ASSERT_EQ(visited[at], at >= first && at < last && !covered[at]) << at;
    }
}

TEST(Freed, EachPageOfTheOldPlacesOnceUnlessItIsKept) {
    std::mt19937 random(5);
    for (unsigned round = 0; round < 3000; ++round) {
        constexpr u64 span = 64;
        const u64 first = random() % span, last = first + random() % (span - first + 1);
        Taken lists[2];
        std::array<bool, span> covered[2]{};
        for (unsigned which = 0; which < 2; ++which) {
            std::vector<MemoryRegion> regions;
            for (unsigned n = random() % 6; n > 0; --n) {
                const u64 start = random() % span;
                regions.push_back({start, start + random() % (span - start + 1), MemoryKind::reserved});
            }
            std::ranges::sort(regions, {}, &MemoryRegion::start);
            for (const MemoryRegion& region : regions) {
                ASSERT_TRUE(lists[which].push_back(region).ok());
                for (u64 at = region.start; at < region.end; ++at) covered[which][at] = true;
            }
        }
        std::array<int, span> visited{};
        for_each_freed({first, last, MemoryKind::usable}, lists[0], lists[1], [&](u64 start, u64 end) {
            ASSERT_LT(start, end);
            for (u64 at = start; at < end; ++at) ++visited[at];
        });
        for (u64 at = 0; at < span; ++at) { ASSERT_EQ(visited[at], at >= first && at < last && covered[0][at] && !covered[1][at]) << at; }
    }
}

class EarlyMemoryTest : public hvm::X86World {
protected:
    EarlyMemory memory;
};

TEST_F(EarlyMemoryTest, ChoosesTheLargestRangeBelow4GiB) {
    const auto machine = list<Map>({{0, 640 * 1024, MemoryKind::usable},
                                    {1 * mib, 64 * mib, MemoryKind::usable},
                                    {64 * mib, 200 * mib, MemoryKind::reserved},
                                    {200 * mib, 230 * mib, MemoryKind::usable},
                                    {4 * gib, 64 * gib, MemoryKind::usable}});
    ASSERT_TRUE(memory.choose(machine, list<Taken>({{16 * mib, 48 * mib, MemoryKind::reserved}})).ok());
    const Paddr top = memory.take(1);
    EXPECT_EQ(top.raw, 230 * mib - page_size);
    EXPECT_EQ(memory.take(2).raw, 230 * mib - 3 * page_size);
    EXPECT_EQ(memory.take(1, 2 * mib).raw % (2 * mib), 0u);
    const MemoryRegion used = memory.close();
    EXPECT_EQ(used.end, 230 * mib);
    EXPECT_EQ(used.start, 228 * mib);
    EXPECT_FALSE(memory.is_open());
}

TEST_F(EarlyMemoryTest, MemoryIsZeroedAndWhole) {
    char* const dirty = static_cast<char*>(to_virtual(Paddr{64 * mib - page_size}));
    // A frame of the host's arena that belongs to its allocator: given back as it was.
    const std::string before(dirty, page_size);
    std::memset(dirty, 0x5a, page_size);
    ASSERT_TRUE(memory.choose(list<Map>({{63 * mib + 1, 64 * mib, MemoryKind::usable}}), {}).ok());
    EXPECT_EQ(memory.take(1).raw, 64 * mib - page_size);
    for (usize i = 0; i < page_size; ++i) ASSERT_EQ(dirty[i], 0);
    std::memcpy(dirty, before.data(), page_size);
}

TEST_F(EarlyMemoryTest, NoneIsAnError) {
    EXPECT_EQ(memory.choose({}, {}).error(), Errno::enomem);
    EXPECT_EQ(memory.choose(list<Map>({{0, mib, MemoryKind::usable}}), {}).error(), Errno::enomem) << "the first MiB is the firmware's";
    EXPECT_EQ(memory.choose(list<Map>({{4 * gib, 8 * gib, MemoryKind::usable}}), {}).error(), Errno::enomem);
    EXPECT_EQ(memory.choose(list<Map>({{mib, 2 * mib, MemoryKind::acpi}}), {}).error(), Errno::enomem);
    EXPECT_EQ(memory.choose(list<Map>({{mib + 1, mib + page_size + 1, MemoryKind::usable}}), {}).error(), Errno::enomem)
        << "no whole frame";
    EXPECT_EQ(memory.choose(list<Map>({{mib, 2 * mib, MemoryKind::usable}}), list<Taken>({{0, gib, MemoryKind::reserved}})).error(),
              Errno::enomem);
}

using EarlyMemoryDeathTest = EarlyMemoryTest;
TEST_F(EarlyMemoryDeathTest, TakingMoreThanThereIsStopsTheBoot) {
    ASSERT_TRUE(memory.choose(list<Map>({{63 * mib, 64 * mib, MemoryKind::usable}}), {}).ok());
    EXPECT_DEATH((void)memory.take(257), "not enough memory");
    EXPECT_DEATH((void)memory.take(1, 4 * mib), "not enough memory");
}

}  // namespace
}  // namespace px::arch
