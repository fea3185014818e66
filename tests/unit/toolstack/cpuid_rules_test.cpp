// cpuid= applied to a guest's CPU policy.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/cpuid_rules.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace px::builder {
namespace {

constexpr u32 none = abi::x86::cpuid_no_subleaf;

using enum abi::x86::CpuidRegister::Name;

control::CpuPolicy policy() { return {{{1, none, 1, 2, 0xff, 8}, {7, 0, 1, 0, 0, 0}, {7, 1, 0, 0, 0, 0}}, {}}; }

TEST(CpuidRules, SetAndClearOnlyTheirBits) {
    auto changed = policy();
    const CpuidRule rules[] = {{{1, none, ecx}, 1u << 25, 0x0f}, {{7, 0, ebx}, 1u << 5, 0}};
    ASSERT_TRUE(apply_cpuid_rules(changed, rules).ok());
    EXPECT_EQ(changed.find(1)->c, (1u << 25) | 0xf0);
    EXPECT_EQ(changed.find(1)->d, 8u);
    EXPECT_EQ(changed.find(7, 0)->b, 1u << 5);
    EXPECT_EQ(changed.find(7, 1)->b, 0u);
}

TEST(CpuidRules, WithoutASubleafAllOfThem) {
    auto changed = policy();
    const CpuidRule rules[] = {{{7, none, eax}, 0x10, 0}};
    ASSERT_TRUE(apply_cpuid_rules(changed, rules).ok());
    EXPECT_EQ(changed.find(7, 0)->a, 0x11u);
    EXPECT_EQ(changed.find(7, 1)->a, 0x10u);
}

TEST(CpuidRules, OfALeafThatIsntThere) {
    auto changed = policy();
    const CpuidRule clears[] = {{{0x14, 0, ebx}, 0, 1}}, sets[] = {{{0x14, 0, ebx}, 1, 0}};
    EXPECT_TRUE(apply_cpuid_rules(changed, clears).ok());
    EXPECT_THAT(apply_cpuid_rules(changed, sets).error().text, ::testing::HasSubstr("leaf 0x14"));
}

}  // namespace
}  // namespace px::builder
