// A PVH guest's memory map.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/layout.hpp"

#include <gtest/gtest.h>

namespace px::builder {
namespace {

constexpr u64 mib = 1 << 20, gib = 1 << 30;

u64 ram_of(const Layout& layout) {
    u64 sum = 0;
    for (const Extent& range : layout.ram) sum += range.size();
    return sum;
}

TEST(Layout, SmallGuestIsBelowTheHole) {
    const Layout layout = plan_layout(8 * mib, 100);
    ASSERT_EQ(layout.ram.size(), 1u);
    EXPECT_EQ(layout.ram[0], (Extent{0, 8 * mib}));
}

TEST(Layout, TheRestIsAbove4GiB) {
    const Layout layout = plan_layout(5 * gib, 100);
    ASSERT_EQ(layout.ram.size(), 2u);
    EXPECT_EQ(layout.ram[0], (Extent{0, low_memory_end}));
    EXPECT_EQ(layout.ram[1].start, high_memory_start);
    EXPECT_EQ(ram_of(layout), 5 * gib);
}

TEST(Layout, ExactlyUpToTheHole) {
    EXPECT_EQ(plan_layout(low_memory_end, 100).ram.size(), 1u);
    EXPECT_EQ(plan_layout(low_memory_end + page_size, 100).ram.back(), (Extent{high_memory_start, high_memory_start + page_size}));
}

TEST(Layout, MapIsAscendingWithoutOverlapsAndHidesTheScratchFrame) {
    const Layout layout = plan_layout(6 * gib, acpi_max);
    u64 end = 0;
    for (const auto& entry : layout.map) {
        EXPECT_GE(entry.addr, end);
        EXPECT_EQ(entry.addr % page_size, 0u);
        end = entry.addr + entry.size;
        const u64 scratch = to_gpaddr(scratch_frame).raw;
        EXPECT_FALSE(entry.addr <= scratch && scratch < end);
    }
    EXPECT_EQ(layout.map.size(), 4u);
}

TEST(Layout, RingsAreReserved) {
    const Layout layout = plan_layout(64 * mib, 100);
    const auto& special = layout.map.back();
    EXPECT_EQ(static_cast<abi::HvmMemmapType>(special.type), abi::HvmMemmapType::reserved);
    for (const Gfn frame : {store_frame, console_frame, identity_map_frame}) {
        EXPECT_TRUE((Extent{special.addr, special.addr + special.size}).contains(to_gpaddr(frame).raw));
    }
}

}  // namespace
}  // namespace px::builder
