// The bits of page-table entries: the CPU's own, AMD-V's nested and VT-x's extended ones.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/mm/native_paging.hpp"

#include <gtest/gtest.h>

#include "arch/x86/svm/nested_paging.hpp"
#include "arch/x86/vmx/extended_paging.hpp"

namespace px {
namespace {

using arch::Cache;
using arch::NativePaging;
using hvm::PhysmapPolicy;

constexpr Mfn some_frame{0x7'6543'2000 & ~u64{0x3ffff}};  // aligned for every level

TEST(NativePaging, EntriesSayWhatWasAsked) {
    for (unsigned level = 0; level <= NativePaging::max_leaf_level; ++level) {
        for (unsigned bits = 0; bits < 64; ++bits) {
            const NativePaging::Attributes asked{(bits & 1) != 0, (bits & 2) != 0, Cache(bits >> 2 & 7), (bits & 32) != 0};
            const u64 entry = NativePaging::leaf(some_frame, level, asked);
            EXPECT_EQ(NativePaging::attributes(entry, level), asked);
            EXPECT_EQ(NativePaging::frame(entry, level), some_frame);
            EXPECT_TRUE(NativePaging::present(entry));
            EXPECT_EQ(entry >> 1 & 1, asked.writable) << "R/W";
            EXPECT_EQ(entry >> 63, !asked.executable) << "NX";
            const bool pat = asked.cache >= Cache::write_combining;
            EXPECT_EQ(entry >> 7 & 1, level > 0 || pat) << "PS; PAT in a small page";
            if (level > 0) { EXPECT_EQ(entry >> 12 & 1, pat); }
            EXPECT_EQ(entry >> 2 & 1, 0u) << "never the user's";
        }
    }
    EXPECT_FALSE(NativePaging::is_leaf(NativePaging::table(some_frame), 1));
}

TEST(NativePaging, ThePatHasTheTypesThatTheNamesSay) {
    constexpr u8 uncached = 0, write_combining = 1, write_through = 4, write_protected = 5, write_back = 6,
                 uncached_minus = 7;  // [intel/sdm3 11.12.2]
    const auto type = [](Cache cache) { return arch::pat_value >> (8 * static_cast<u8>(cache)) & 0xff; };
    EXPECT_EQ(type(Cache::write_back), write_back);
    EXPECT_EQ(type(Cache::write_through), write_through);
    EXPECT_EQ(type(Cache::uncached_minus), uncached_minus);
    EXPECT_EQ(type(Cache::uncached), uncached);
    EXPECT_EQ(type(Cache::write_combining), write_combining);
    EXPECT_EQ(type(Cache::write_protected), write_protected);
}

const hvm::SecondLevelFormat* const formats[] = {&svm::nested_paging, &vmx::extended_paging};

TEST(SecondLevel, SoftwareReadsBackWhatItWroteInEachFormat) {
    for (const auto* format : formats) {
        for (unsigned raw = 0; raw < 16; ++raw) {
            for (const bool read_only : {false, true}) {
                for (unsigned level = 0; level <= PhysmapPolicy::max_leaf_level; ++level) {
                    const hvm::PhysmapAttributes asked{GfnType(raw), read_only};
                    const u64 entry = format->leaf(some_frame, level, asked);
                    EXPECT_EQ(PhysmapPolicy::attributes(entry, level), asked);
                    EXPECT_EQ(PhysmapPolicy::frame(entry, level), some_frame);
                    EXPECT_TRUE(PhysmapPolicy::present(entry)) << "software sees every entry";
                    EXPECT_TRUE(PhysmapPolicy::is_leaf(entry, level));
                    EXPECT_EQ(entry >> 58 & 0x1f, 0u) << "an IOMMU's bits";
                }
            }
        }
        const u64 table = format->table_entry(some_frame);
        EXPECT_TRUE(PhysmapPolicy::present(table));
        for (unsigned level = 1; level < PhysmapPolicy::levels; ++level) {
            EXPECT_FALSE(PhysmapPolicy::is_leaf(table, level));
            EXPECT_EQ(PhysmapPolicy::frame(table, level), some_frame);
        }
        EXPECT_EQ(table & 7, 7u) << "tables restrict nothing";
        EXPECT_EQ(table >> 52, 0u);
    }
    EXPECT_FALSE(PhysmapPolicy::present(0));
}

/// What a hardware format grants; nothing where the entry isn't present to it.
struct Rights {
    bool read, write, execute;
    bool operator==(const Rights&) const = default;
};
Rights nested_rights(u64 entry) {
    if ((entry & 1) == 0) return {};
    EXPECT_EQ(entry >> 2 & 1, 1u) << "nested walks are user accesses [amd/apm2 15.25.5]";
    return {true, (entry & 2) != 0, entry >> 63 == 0};
}
Rights extended_rights(u64 entry) { return {(entry & 1) != 0, (entry & 2) != 0, (entry & 4) != 0}; }

TEST(SecondLevel, HardwareGetsNoMoreThanTheTypeAllows) {
    for (unsigned raw = 0; raw < 16; ++raw) {
        const auto type = GfnType(raw);
        for (const bool read_only : {false, true}) {
            for (unsigned level = 0; level <= PhysmapPolicy::max_leaf_level; ++level) {
                const bool device = type == GfnType::mmio_direct;
                const bool memory = is_readable_ram(type);
                const bool write = device ? !read_only : memory && is_writable_ram(type) && type != GfnType::log_dirty;
                const Rights expected{memory || device, write, memory};
                EXPECT_EQ(nested_rights(svm::nested_paging.leaf(some_frame, level, {type, read_only})), expected) << raw;
                const u64 extended = vmx::extended_paging.leaf(some_frame, level, {type, read_only});
                EXPECT_EQ(extended_rights(extended), expected) << raw;
                // Memory type in bits 3…5, and the guest's PAT isn't ignored (bit 6) [intel/sdm3 29.3.7].
                EXPECT_EQ(extended >> 3 & 15, memory ? 6u : 0u) << raw;
            }
        }
    }
}

TEST(SecondLevel, LargeLeavesCanBeWithoutCode) {
    hvm::SecondLevelFormat format = vmx::extended_paging;
    format.small_only = vmx::ept_bits::execute;
    for (unsigned level = 0; level <= PhysmapPolicy::max_leaf_level; ++level) {
        EXPECT_EQ(extended_rights(format.leaf(some_frame, level, {GfnType::ram, false})), (Rights{true, true, level == 0}));
        EXPECT_EQ(extended_rights(format.leaf(some_frame, level, {GfnType::mmio_direct, false})), (Rights{true, true, false}));
    }
}

TEST(SecondLevel, EptPointer) {
    EXPECT_EQ(vmx::ept_pointer(Mfn{0x12345}, false), 0x1234501eu);
    EXPECT_EQ(vmx::ept_pointer(Mfn{0x12345}, true), 0x1234505eu);
}
/// Bits 8 and 9 of entries, which the processor sets by itself, tell software nothing else.
TEST(SecondLevel, AccessedAndDirtyChangeNoMeaning) {
    hvm::PhysmapPolicy::choose(vmx::extended_paging, 18);
    for (unsigned level = 0; level < 3; ++level) {
        const u64 entry = hvm::PhysmapPolicy::leaf(Mfn{0x40000}, level, {GfnType::ram, false}), used = entry | 3u << 8;
        EXPECT_EQ(entry & 3u << 8, 0u);
        EXPECT_EQ(hvm::PhysmapPolicy::present(used), hvm::PhysmapPolicy::present(entry));
        EXPECT_EQ(hvm::PhysmapPolicy::is_leaf(used, level), hvm::PhysmapPolicy::is_leaf(entry, level));
        EXPECT_EQ(hvm::PhysmapPolicy::frame(used, level), hvm::PhysmapPolicy::frame(entry, level));
        EXPECT_EQ(hvm::PhysmapPolicy::attributes(used, level), hvm::PhysmapPolicy::attributes(entry, level));
    }
}

}  // namespace
}  // namespace px
