// Which kind of dom0 boots where.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/dom0/kind.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace px::dom0 {
namespace {

using cmdline::Dom0Kind;
using testing::HasSubstr;

constexpr bool yes[] = {false, true};
constexpr PvState pv_states[] = {PvState::usable, PvState::turned_off, PvState::left_out};

/// Where the command line says nothing.
KindChoice by_default(PvState pv, bool hvm, bool iommu) { return choose_kind({{}, pv, hvm, iommu}); }

TEST(KindOfDom0, IsPvByDefaultWhereAnythingIsMissing) {
    EXPECT_EQ(by_default(PvState::usable, true, true).kind, Dom0Kind::pvh);
    EXPECT_EQ(by_default(PvState::usable, true, false).kind, Dom0Kind::pv);
    EXPECT_THAT(std::string(by_default(PvState::usable, true, false).reason), HasSubstr("IOMMU"));
    for (const bool iommu : yes) {
        EXPECT_EQ(by_default(PvState::usable, false, iommu).kind, Dom0Kind::pv);
        EXPECT_THAT(std::string(by_default(PvState::usable, false, iommu).reason), HasSubstr("virtualization"));
    }
}

TEST(KindOfDom0, IsPvhWherePvCantBe) {
    for (const bool iommu : yes) {
        EXPECT_EQ(by_default(PvState::turned_off, true, iommu), (KindChoice{Dom0Kind::pvh, "pv=0 turns PV off"}));
        EXPECT_EQ(by_default(PvState::left_out, true, iommu).kind, Dom0Kind::pvh);
        for (const PvState pv : {PvState::turned_off, PvState::left_out}) {
            const KindChoice none = by_default(pv, false, iommu);
            EXPECT_EQ(none.kind, std::nullopt);
            EXPECT_THAT(std::string(none.reason), HasSubstr("there can be no dom0"));
        }
    }
}

TEST(KindOfDom0, IsWhatTheCommandLineSaysOrNothing) {
    for (const bool iommu : yes) {
        for (const bool hvm : yes) {
            for (const PvState pv : pv_states) {
                const KindChoice pvh = choose_kind({Dom0Kind::pvh, pv, hvm, iommu}), as_pv = choose_kind({Dom0Kind::pv, pv, hvm, iommu});
                EXPECT_EQ(pvh.kind, hvm ? std::optional(Dom0Kind::pvh) : std::nullopt);
                EXPECT_EQ(as_pv.kind, pv == PvState::usable ? std::optional(Dom0Kind::pv) : std::nullopt);
            }
        }
    }
    EXPECT_THAT(std::string(choose_kind({Dom0Kind::pvh, PvState::usable, false, false}).reason),
                HasSubstr("a PVH dom0 needs hardware virtualization"));
    EXPECT_THAT(std::string(choose_kind({Dom0Kind::pv, PvState::turned_off, true, false}).reason), HasSubstr("pv=0"));
    EXPECT_THAT(std::string(choose_kind({Dom0Kind::pv, PvState::left_out, true, false}).reason), HasSubstr("left out"));
}

}  // namespace
}  // namespace px::dom0
