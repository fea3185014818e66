// The bits of page-table entries: the CPU's own and AMD-V's nested ones.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/mm/native_paging.hpp"

#include <gtest/gtest.h>

#include "arch/x86/svm/nested_paging.hpp"

namespace px {
namespace {

using arch::Cache;
using arch::NativePaging;
using svm::NestedPaging;

constexpr Mfn some_frame{0x7'6543'2000 & ~u64{0x3ffff}};  // aligned for every level

TEST(NativePaging, EntriesSayWhatWasAsked) {
    for (unsigned level = 0; level <= NativePaging::max_leaf_level; ++level) {
        for (unsigned bits = 0; bits < 32; ++bits) {
            const NativePaging::Attributes asked{(bits & 1) != 0, (bits & 2) != 0, Cache(bits >> 2 & 3), (bits & 16) != 0};
            const u64 entry = NativePaging::leaf(some_frame, level, asked);
            EXPECT_EQ(NativePaging::attributes(entry, level), asked);
            EXPECT_EQ(NativePaging::frame(entry, level), some_frame);
            EXPECT_TRUE(NativePaging::present(entry));
            EXPECT_EQ(entry >> 1 & 1, asked.writable) << "R/W";
            EXPECT_EQ(entry >> 63, !asked.executable) << "NX";
            EXPECT_EQ(entry >> 7 & 1, level > 0) << "PS; PAT stays 0 in a small page";
            EXPECT_EQ(entry >> 2 & 1, 0u) << "never the user's";
        }
    }
    EXPECT_FALSE(NativePaging::is_leaf(NativePaging::table(some_frame), 1));
}

TEST(NestedPaging, HardwareGetsNoMoreThanTheTypeAllows) {
    for (unsigned raw = 0; raw < 16; ++raw) {
        const auto type = GfnType(raw);
        for (const bool read_only : {false, true}) {
            for (unsigned level = 0; level <= NestedPaging::max_leaf_level; ++level) {
                const u64 entry = NestedPaging::leaf(some_frame, level, {type, read_only});
                EXPECT_EQ(NestedPaging::attributes(entry, level), (NestedPaging::Attributes{type, read_only}));
                EXPECT_EQ(NestedPaging::frame(entry, level), some_frame);
                EXPECT_TRUE(NestedPaging::present(entry)) << "software sees every entry";
                EXPECT_TRUE(NestedPaging::is_leaf(entry, level));
                EXPECT_EQ(entry >> 58 & 0x1f, 0u) << "an IOMMU's bits";
                const bool hardware_sees = (entry & 1) != 0;
                const bool device = type == GfnType::mmio_direct;
                EXPECT_EQ(hardware_sees, is_readable_ram(type) || device) << raw;
                if (!hardware_sees) continue;
                EXPECT_EQ(entry >> 2 & 1, 1u) << "nested walks are user accesses [amd/apm2 15.25.5]";
                const bool may_write = device ? !read_only : is_writable_ram(type) && type != GfnType::log_dirty;
                EXPECT_EQ((entry >> 1 & 1) != 0, may_write) << raw;
                EXPECT_EQ(entry >> 63 != 0, device) << "no code in device memory";
            }
        }
    }
}

TEST(NestedPaging, TablesAreNoLeaves) {
    const u64 table = NestedPaging::table(some_frame);
    for (unsigned level = 1; level < NestedPaging::levels; ++level) {
        EXPECT_FALSE(NestedPaging::is_leaf(table, level));
        EXPECT_EQ(NestedPaging::frame(table, level), some_frame);
    }
    EXPECT_EQ(table & 7, 7u);
    EXPECT_EQ(table >> 63, 0u);
    EXPECT_FALSE(NestedPaging::present(0));
}

}  // namespace
}  // namespace px
