// CPU policies as arrays of leaves and MSRs, feature sets.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/domctl/policy_arrays.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace px::hvm {
namespace {

using abi::x86::CpuidLeaf;
using abi::x86::MsrEntry;
constexpr u32 alone = abi::x86::cpuid_no_subleaf;

/// A processor as wide as a modern one, all features on.
CpuPolicy host() {
    return read_raw_policy([](u32 leaf, u32 subleaf) -> Leaf {
        switch (leaf) {
        case 0: return {0x16, 1, 2, 3};
        case 0x80000000: return {0x8000001f, 0, 0, 0};
        case 0x80000008: return {0x3030, ~0u, 0, 0};
        case 7: return subleaf == 0 ? Leaf{1, ~0u, ~0u, ~0u} : Leaf{~0u, 0, 0, 0};
        case 0xd:
            if (subleaf == 0) return {0xe7, 0, 2696, 0};
            if (subleaf == 1) return {0xf, 0, 0, 0};
            if (subleaf == 2) return {256, 576, 0, 0};
            return subleaf >= 5 && subleaf <= 7 ? Leaf{512, 512 + subleaf * 128, 0, 0} : Leaf{};
        default: return {~0u, ~0u, ~0u, ~0u};
        }
    });
}

TEST(PolicyArrays, RoundTrip) {
    const CpuPolicy policy = hvm_default(host());
    const PolicyLeaves leaves = to_leaves(policy);
    PolicyRefusal refusal;
    const auto back = with_changes(CpuPolicy{}, leaves, to_msrs(policy), refusal);
    ASSERT_TRUE(back.ok());
    for (const auto& entry : policy.entries()) {
        if (entry.leaf > 0xd && entry.leaf < 0x80000000) continue;  // toolstacks know no such leaf
        const Leaf value = back->get(entry.leaf, entry.subleaf == CpuPolicy::no_subleaf ? 0 : entry.subleaf);
        EXPECT_EQ(value.eax, entry.value.eax) << std::hex << entry.leaf;
        EXPECT_EQ(value.edx, entry.value.edx) << std::hex << entry.leaf;
    }
    for (const CpuidLeaf& leaf : leaves) {
        const bool of_hypervisors = leaf.leaf == 0x40000000 || leaf.leaf == 0x40000100;
        EXPECT_TRUE(leaf.leaf <= 0xd || of_hypervisors || leaf.leaf >= 0x80000000) << std::hex << leaf.leaf;
    }
}

TEST(PolicyArrays, ThereIsRoomForWhatToolstacksGiveBack) {
    // libxc gives back, in the room of what it got, every leaf up to the limits, those that it knows sub-leaves of with
    // all of them, and the two of hypervisors. On Intel's, whose leaves 2, 3, 9 and 0xa aren't in our policies, it found none.
    const PolicyLeaves leaves = to_leaves(hvm_default(host()));
    const auto has = [&](u32 leaf, u32 subleaf) {
        return std::count_if(leaves.begin(), leaves.end(),
                             [&](const CpuidLeaf& one) { return one.leaf == leaf && one.subleaf == subleaf; }) == 1;
    };
    for (u32 leaf = 0; leaf <= 0xd; ++leaf) {
        const u32 count = leaf == 4 ? 6 : leaf == 7 ? 2 : leaf == 0xb ? 2 : leaf == 0xd ? 8 : 0;
        EXPECT_TRUE(count != 0 || has(leaf, alone)) << std::hex << leaf;
        for (u32 i = 0; i < count; ++i) EXPECT_TRUE(has(leaf, i)) << std::hex << leaf << '.' << i;
    }
    EXPECT_TRUE(has(0x40000000, alone) && has(0x40000100, alone));
    for (u32 leaf = 0x80000000; leaf <= 0x80000008; ++leaf) EXPECT_TRUE(has(leaf, alone)) << std::hex << leaf;
}

TEST(PolicyArrays, UnknownLeavesAndMsrsAreNamed) {
    const auto refused = [](const CpuidLeaf& leaf) {
        PolicyRefusal refusal;
        const auto result = with_changes(CpuPolicy{}, {&leaf, 1}, {}, refusal);
        return !result.ok() && result.error() == Errno::erange && refusal.leaf == leaf.leaf && refusal.subleaf == leaf.subleaf;
    };
    EXPECT_TRUE(refused({0xe, alone, 0, 0, 0, 0}));
    EXPECT_TRUE(refused({1, 0, 0, 0, 0, 0}));      // has no sub-leaves
    EXPECT_TRUE(refused({7, alone, 0, 0, 0, 0}));  // has some
    EXPECT_TRUE(refused({0xd, 63, 0, 0, 0, 0}));
    EXPECT_TRUE(refused({0x40000001, alone, 0, 0, 0, 0}));
    EXPECT_TRUE(refused({0x80000022, alone, 0, 0, 0, 0}));
    EXPECT_FALSE(refused({0x40000000, alone, 5, 0, 0, 0}));
    EXPECT_FALSE(refused({0xb, 1, 5, 0, 0, 0}));
    PolicyRefusal refusal;
    const MsrEntry unknown{0x10, 0, 1}, flagged{0xce, 1, 0};
    EXPECT_EQ(with_changes(CpuPolicy{}, {}, {&unknown, 1}, refusal).error(), Errno::erange);
    EXPECT_EQ(refusal.msr, 0x10u);
    EXPECT_EQ(with_changes(CpuPolicy{}, {}, {&flagged, 1}, refusal).error(), Errno::einval);
    EXPECT_EQ(refusal.msr, 0xceu);
}

TEST(PolicyArrays, NoMoreThanTheHostHas) {
    const CpuPolicy maximum = hvm_maximum(host());
    CpuPolicy wanted = maximum;
    PolicyRefusal refusal;
    EXPECT_TRUE(check_compatible(wanted, maximum, refusal).ok());
    wanted.find(0)->eax = 0x20;
    EXPECT_EQ(check_compatible(wanted, maximum, refusal).error(), Errno::einval);
    EXPECT_EQ(refusal.leaf, 0u);
    wanted = maximum;
    wanted.find(1)->ecx = ~0u;
    wanted.find(0x80000001)->ecx = ~0u;
    wanted.find(0xd, 0)->eax = ~0u;
    wanted.find(0xd, 2)->ebx = 4;  // AVX state elsewhere
    clamp(wanted, maximum);
    EXPECT_EQ(wanted.get(1).ecx, maximum.get(1).ecx);
    EXPECT_EQ(wanted.get(0x80000001).ecx & 4, 0u);  // SVM
    EXPECT_EQ(wanted.get(0xd, 0).eax, maximum.get(0xd, 0).eax);
    EXPECT_EQ(wanted.get(0xd, 2).ebx, 576u);
}

TEST(PolicyArrays, WithoutXsaveThereIsNoAvx) {
    const CpuPolicy maximum = hvm_maximum(host());
    CpuPolicy wanted = maximum;
    wanted.find(1)->ecx &= ~(1u << 26);
    clamp(wanted, maximum);
    EXPECT_EQ(wanted.get(1).ecx >> 28 & 1, 0u);
    EXPECT_EQ(wanted.get(0xd, 0).eax, 0u);
}

TEST(PolicyArrays, FeatureSetIsInTheOrderOfTheAbi) {
    CpuPolicy policy;
    ASSERT_TRUE(policy.set(1, CpuPolicy::no_subleaf, {0, 0, 0x1c, 0x1d}).ok());
    ASSERT_TRUE(policy.set(0x80000001, CpuPolicy::no_subleaf, {0, 0, 0xe1c, 0xe1d}).ok());
    ASSERT_TRUE(policy.set(0xd, 1, {0xda1, 0, 0, 0}).ok());
    ASSERT_TRUE(policy.set(7, 0, {0, 0x7b0, 0x7c0, 0x7d0}).ok());
    ASSERT_TRUE(policy.set(0x80000007, CpuPolicy::no_subleaf, {0, 0, 0, 0xe7d}).ok());
    ASSERT_TRUE(policy.set(0x80000008, CpuPolicy::no_subleaf, {0, 0xe8b, 0, 0}).ok());
    const FeatureSet words = to_feature_set(policy);
    const u32 wanted[] = {0x1d, 0x1c, 0xe1d, 0xe1c, 0xda1, 0x7b0, 0x7c0, 0xe7d, 0xe8b, 0x7d0};
    for (usize i = 0; i < std::size(wanted); ++i) EXPECT_EQ(words[i], wanted[i]) << i;
}

}  // namespace
}  // namespace px::hvm
