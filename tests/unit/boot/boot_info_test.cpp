// The parts that all entries share: sorting out the memory map, texts, image names.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/unit/boot/fake_memory.hpp"

namespace px::boot {
namespace {

using Map = StaticVector<MemoryRegion, max_regions>;

Map normalised(std::initializer_list<MemoryRegion> regions) {
    Map map;
    for (const MemoryRegion& region : regions) EXPECT_TRUE(map.push_back(region).ok());
    normalise(map);
    return map;
}

void expect_map(const Map& map, std::initializer_list<MemoryRegion> expected) {
    ASSERT_EQ(map.size(), expected.size());
    for (usize i = 0; i < map.size(); ++i) {
        const MemoryRegion& want = expected.begin()[i];
        EXPECT_TRUE(map[i].start == want.start && map[i].end == want.end && map[i].kind == want.kind)
            << i << std::hex << ": " << map[i].start << " … " << map[i].end << " kind " << static_cast<u32>(map[i].kind);
    }
}

constexpr auto usable = MemoryKind::usable, reserved = MemoryKind::reserved, acpi = MemoryKind::acpi, nvs = MemoryKind::nvs,
               unusable = MemoryKind::unusable;

TEST(MemoryMap, IsSortedAndJoined) {
    expect_map(normalised({{0x100000, 0x200000, usable}, {0, 0x9f000, usable}, {0x200000, 0x300000, usable}}),
               {{0, 0x9f000, usable}, {0x100000, 0x300000, usable}});
}
TEST(MemoryMap, TheStricterKindWins) {
    expect_map(normalised({{0, 0x1000, usable}, {0x400, 0x800, reserved}}),
               {{0, 0x400, usable}, {0x400, 0x800, reserved}, {0x800, 0x1000, usable}});
    expect_map(normalised({{0, 0x1000, reserved}, {0, 0x1000, usable}}), {{0, 0x1000, reserved}});
    expect_map(normalised({{0, 0x3000, acpi}, {0x1000, 0x2000, nvs}, {0x1800, 0x4000, unusable}}),
               {{0, 0x1000, acpi}, {0x1000, 0x1800, nvs}, {0x1800, 0x4000, unusable}});
}
TEST(MemoryMap, EmptyAndBackwardRegionsCountForNothing) {
    expect_map(normalised({{0x1000, 0x1000, reserved}, {0x3000, 0x2000, usable}}), {});
    expect_map(normalised({}), {});
}

TEST(MemoryMap, RandomMapsAgreeWithAPageByPageModel) {
    std::mt19937 random(1);
    for (unsigned round = 0; round < 2000; ++round) {
        constexpr u64 span = 64;
        Map map;
        std::array<int, span> strictest;
        strictest.fill(-1);
        const int rank_of[] = {-1, 0, 3, 1, 2, 4};  // by kind: usable < ACPI < NVS < reserved < unusable
        for (unsigned n = random() % 12; n > 0; --n) {
            const MemoryRegion region{random() % span, random() % span, MemoryKind{static_cast<u32>(random() % 5 + 1)}};
            ASSERT_TRUE(map.push_back(region).ok());
            for (u64 at = region.start; at < region.end; ++at) {
                strictest[at] = std::max(strictest[at], rank_of[static_cast<u32>(region.kind)]);
            }
        }
        normalise(map);
        std::array<int, span> found;
        found.fill(-1);
        for (usize i = 0; i < map.size(); ++i) {
            ASSERT_LT(map[i].start, map[i].end);
            if (i > 0) {
                ASSERT_LE(map[i - 1].end, map[i].start);
                ASSERT_FALSE(map[i - 1].end == map[i].start && map[i - 1].kind == map[i].kind) << "not joined";
            }
            for (u64 at = map[i].start; at < map[i].end; ++at) found[at] = rank_of[static_cast<u32>(map[i].kind)];
        }
        ASSERT_EQ(found, strictest);
    }
}

TEST(MemoryMap, MorePiecesThanFitLoseMemoryAndNeverGainIt) {
    // 255 holes cut one region into more pieces than the map holds.
    Map map;
    ASSERT_TRUE(map.push_back({0, 0x1000000, usable}).ok());
    for (u64 i = 0; i < max_regions - 1; ++i) ASSERT_TRUE(map.push_back({i * 0x1000 + 0x100, i * 0x1000 + 0x200, reserved}).ok());
    normalise(map);
    for (const MemoryRegion& region : map) {
        if (region.kind != usable) continue;
        for (u64 i = 0; i < max_regions - 1; ++i) { EXPECT_TRUE(region.end <= i * 0x1000 + 0x100 || region.start >= i * 0x1000 + 0x200); }
    }
}

TEST(BootText, EndsAtItsNulOrAtTheLimit) {
    FakeMemory memory;
    memory.put_text(0x1000, "console=com1");
    memory.put(0x2000, std::vector<u8>(5000, 'x'));
    memory.put(0x4000, {'e', 'n', 'd'});  // memory ends without a NUL
    EXPECT_EQ(memory.text(0x1000), "console=com1");
    EXPECT_EQ(memory.text(0x2000), std::string(4095, 'x'));
    EXPECT_EQ(memory.text(0x4000), "end");
    EXPECT_EQ(memory.text(0x9000), "");
    EXPECT_EQ(memory.text(0), "");
}

TEST(Limit, UsableMemoryAboveItIsUnusable) {
    Map map;
    for (const MemoryRegion& region :
         {MemoryRegion{0, 0x1000, usable}, {0x1000, 0x9000, usable}, {0x9000, 0xa000, acpi}, {0xa000, 0xb000, usable}}) {
        ASSERT_TRUE(map.push_back(region).ok());
    }
    limit_memory(map, 0x4000);
    normalise(map);
    expect_map(map, {{0, 0x4000, usable}, {0x4000, 0x9000, unusable}, {0x9000, 0xa000, acpi}, {0xa000, 0xb000, unusable}});
    limit_memory(map, 0x4000);
    normalise(map);
    EXPECT_EQ(map.size(), 4u) << "nothing is above it any more";
    Map full;
    for (u64 i = 0; i < max_regions; ++i) ASSERT_TRUE(full.push_back({i << 13, (i << 13) + 0x1000, usable}).ok());
    limit_memory(full, 0x800);
    EXPECT_EQ(full[0].kind, unusable) << "no place for the part below";
    EXPECT_EQ(full[255].kind, unusable);
}

TEST(ImageName, IsTakenOffForLoadersThatPassIt) {
    EXPECT_EQ(without_image_name("GRUB 2.06", "com1=115200 loglvl=all"), "com1=115200 loglvl=all");
    EXPECT_EQ(without_image_name("GRUB 2.06", "  com1=115200"), "com1=115200");
    EXPECT_EQ(without_image_name("GRUB 2.06", "placeholder com1=115200"), "com1=115200");
    EXPECT_EQ(without_image_name("GRUB 2.06", "placeholder"), "");
    EXPECT_EQ(without_image_name("GRUB 2.06", "placeholders=2"), "placeholders=2");
    EXPECT_EQ(without_image_name("GRUB 0.97", "/boot/xen.gz com1=115200"), "com1=115200");
    EXPECT_EQ(without_image_name("iPXE 1.21", "xen.gz   a b"), "a b");
    EXPECT_EQ(without_image_name("qemu", "xen"), "");
    EXPECT_EQ(without_image_name("", ""), "");
    EXPECT_EQ(without_image_name("GRUB ", "xen x"), "x");
}

}  // namespace
}  // namespace px::boot
