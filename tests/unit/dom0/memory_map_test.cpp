// dom0's memory map, and what of the address space is device memory to it.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/memory_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <vector>

namespace px::boot {
bool operator==(const MemoryRegion& a, const MemoryRegion& b) { return a.start == b.start && a.end == b.end && a.kind == b.kind; }
void PrintTo(const MemoryRegion& region, std::ostream* out) {
    *out << std::hex << region.start << "-" << region.end << " kind " << static_cast<u32>(region.kind);
}
}  // namespace px::boot

namespace px::dom0 {
namespace {

using testing::ElementsAre;
constexpr u64 mib = u64{1} << 20, gib = u64{1} << 30;
constexpr auto usable = MemoryKind::usable, reserved = MemoryKind::reserved, unusable = MemoryKind::unusable, acpi = MemoryKind::acpi;

/// As SeaBIOS gives it to a machine with 5 GiB.
const std::vector<MemoryRegion> pc{{0, 0x9fc00, usable},
                                   {0x9fc00, 0xa0000, reserved},
                                   {0xf0000, 0x100000, reserved},
                                   {mib, 3 * gib - 0x20000, usable},
                                   {3 * gib - 0x20000, 3 * gib, reserved},
                                   {0xfffc0000, 4 * gib, reserved},
                                   {4 * gib, 6 * gib, usable}};
const std::vector<MemoryRegion> ours{
    {0, 0x1000, reserved}, {0x8000, 0x9000, reserved}, {2 * mib, 4 * mib, reserved}, {5 * gib, 5 * gib + mib, reserved}};

std::vector<MemoryRegion> map_of(const Machine& machine) {
    MemoryMap map;
    EXPECT_TRUE(build_memory_map(machine, map).ok());
    return {map.begin(), map.end()};
}

TEST(Dom0MemoryMap, OursIsReservedAndTheRestBeyondTheLimitUnusable) {
    EXPECT_THAT(
        map_of({pc, ours, gib}),
        ElementsAre(MemoryRegion{0, 0x1000, reserved}, MemoryRegion{0x1000, 0x8000, usable}, MemoryRegion{0x8000, 0x9000, reserved},
                    MemoryRegion{0x9000, 0x9f000, usable}, MemoryRegion{0x9f000, 0xa0000, reserved}, MemoryRegion{0xf0000, mib, reserved},
                    MemoryRegion{mib, 2 * mib, usable}, MemoryRegion{2 * mib, 4 * mib, reserved}, MemoryRegion{4 * mib, gib, usable},
                    MemoryRegion{gib, 3 * gib - 0x20000, unusable}, MemoryRegion{3 * gib - 0x20000, 3 * gib, reserved},
                    MemoryRegion{0xfffc0000, 4 * gib, reserved}, MemoryRegion{4 * gib, 6 * gib, unusable}));
}

TEST(Dom0MemoryMap, ALimitInsideOursEndsThere) {
    const std::vector<MemoryRegion> machine{{mib, 8 * mib, usable}};
    EXPECT_THAT(map_of({machine, ours, 3 * mib}), ElementsAre(MemoryRegion{mib, 2 * mib, usable}, MemoryRegion{2 * mib, 3 * mib, reserved},
                                                              MemoryRegion{3 * mib, 8 * mib, unusable}));
}

TEST(Dom0MemoryMap, AllOfTheMachineWhereTheLimitIsBeyond) {
    EXPECT_THAT(map_of({std::span(pc).last(1), ours, ~u64{0}}),
                ElementsAre(MemoryRegion{4 * gib, 5 * gib, usable}, MemoryRegion{5 * gib, 5 * gib + mib, reserved},
                            MemoryRegion{5 * gib + mib, 6 * gib, usable}));
}

TEST(Dom0MemoryMap, UsableRangesAreWholePages) {
    const std::vector<MemoryRegion> machine{{0x1800, 0x5800, usable}, {0x6100, 0x6900, usable}};
    EXPECT_THAT(map_of({machine, {}, gib}), ElementsAre(MemoryRegion{0x1800, 0x2000, reserved}, MemoryRegion{0x2000, 0x5000, usable},
                                                        MemoryRegion{0x5000, 0x5800, reserved}, MemoryRegion{0x6100, 0x6900, reserved}));
}

std::vector<MemoryRegion> devices_of(std::span<const MemoryRegion> machine, std::span<const MemoryRegion> trapped, u64 top) {
    std::vector<MemoryRegion> ranges;
    EXPECT_TRUE(for_each_device_range(machine, trapped, top, [&](u64 start, u64 end) { ranges.push_back({start, end, reserved}); }).ok());
    return ranges;
}

TEST(Dom0DeviceMemory, EverythingButRamAndTraps) {
    const std::vector<MemoryRegion> trapped{{0xfee00000, 0xfee01000, reserved}, {0xfec00000, 0xfec00020, reserved}};
    EXPECT_THAT(devices_of(pc, trapped, 8 * gib),
                ElementsAre(MemoryRegion{0, 0x1000, reserved}, MemoryRegion{0x9f000, mib, reserved},
                            MemoryRegion{3 * gib - 0x20000, 0xfec00000, reserved}, MemoryRegion{0xfec01000, 0xfee00000, reserved},
                            MemoryRegion{0xfee01000, 4 * gib, reserved}, MemoryRegion{6 * gib, 8 * gib, reserved}));
}

TEST(Dom0DeviceMemory, NothingBeyondTheTop) {
    EXPECT_THAT(devices_of(pc, {}, 5 * gib), testing::Each(testing::Field(&MemoryRegion::end, testing::Le(5 * gib))));
    EXPECT_THAT(devices_of(pc, {}, 0x800), testing::Each(testing::Field(&MemoryRegion::end, testing::Le(u64{0x800}))));
}

/// No page is RAM of a guest or of ours and dom0's device memory at once, and no page of dom0's RAM is a device.
TEST(Dom0DeviceMemory, NeverOverlapsRamOnRandomMachines) {
    std::mt19937_64 random(7);
    for (int round = 0; round < 500; ++round) {
        std::vector<MemoryRegion> machine;
        u64 at = 0;
        while (at < 64 * mib) {
            const u64 start = at + random() % 0x9000, end = start + 1 + random() % (4 * mib);
            machine.push_back({start, end, random() % 3 == 0 ? reserved : usable});
            at = end;
        }
        const u64 limit = random() % (64 * mib) & page_mask;
        MemoryMap map;
        ASSERT_TRUE(build_memory_map({machine, ours, limit}, map).ok());
        for (usize i = 1; i < map.size(); ++i) ASSERT_LE(map[i - 1].end, map[i].start);
        for (const MemoryRegion& device : devices_of(machine, {}, gib)) {
            ASSERT_EQ(device.start % page_size, 0u);
            for (const MemoryRegion& region : map) {
                if (region.kind != usable && region.kind != unusable) continue;
                ASSERT_TRUE(region.end <= device.start || region.start >= device.end || device.end <= page_size);
            }
        }
    }
}

TEST(Dom0DeviceMemory, TopIsBehindAllRamWithinTheProcessorsReach) {
    EXPECT_EQ(device_memory_top(pc, 48), 1030 * gib);
    EXPECT_EQ(device_memory_top(pc, 36), 64 * gib);
    const std::vector<MemoryRegion> large{{0, 3000 * gib, usable}};
    EXPECT_EQ(device_memory_top(large, 48), 4024 * gib);
}

TEST(Dom0MemoryMap, TablesTakeTheTopOfLowMemory) {
    MemoryMap map;
    ASSERT_TRUE(build_memory_map({pc, {}, 6 * gib}, map).ok());
    const auto at = take_from_top(map, 0x3000, acpi);
    ASSERT_TRUE(at.ok());
    EXPECT_EQ(*at, 3 * gib - 0x23000);
    const std::vector<MemoryRegion> regions(map.begin(), map.end());
    EXPECT_THAT(regions, testing::Contains(MemoryRegion{*at, *at + 0x3000, acpi}));
    EXPECT_THAT(regions, testing::Contains(MemoryRegion{mib, *at, usable}));
    EXPECT_TRUE(std::is_sorted(map.begin(), map.end(), [](const auto& a, const auto& b) { return a.start < b.start; }));
}

TEST(Dom0MemoryMap, LowMemoryAloneHasNoRoomForTables) {
    MemoryMap map;
    ASSERT_TRUE(build_memory_map({std::span(pc).first(1), {}, gib}, map).ok());
    EXPECT_EQ(take_from_top(map, 0x1000, acpi).error(), Errno::enomem);
}

TEST(Dom0MemoryMap, LargestLowRegionStopsAtFourGib) {
    MemoryMap map;
    ASSERT_TRUE(build_memory_map({pc, {}, 6 * gib}, map).ok());
    EXPECT_EQ(largest_low_region(map), (MemoryRegion{mib, 3 * gib - 0x20000, usable}));
    MemoryMap none;
    EXPECT_EQ(largest_low_region(none).end, 0u);
}

}  // namespace
}  // namespace px::dom0
