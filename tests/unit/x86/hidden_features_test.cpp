// cpuid= of the command line: what it takes from every CPUID leaf.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/hidden_features.hpp"

#include <gtest/gtest.h>

#include "tests/unit/x86/corpus.hpp"

namespace px::arch {
namespace {

HiddenFeatures without(std::initializer_list<std::string_view> names) {
    HiddenFeatures hidden;
    for (const std::string_view name : names) EXPECT_EQ(hidden.say(name, false), nullptr) << name;
    hidden.close();
    return hidden;
}

constexpr CpuidLeaf full{~0u, ~0u, ~0u, ~0u};

TEST(HiddenFeatures, NothingByDefault) {
    const HiddenFeatures none;
    for (const u32 leaf : {0u, 1u, 7u, 0xdu, 0x80000001u}) {
        const CpuidLeaf left = none.filter(leaf, 0, full);
        EXPECT_EQ(left.eax & left.ebx & left.ecx & left.edx, ~0u);
    }
}

TEST(HiddenFeatures, OneBitOfOneRegister) {
    const HiddenFeatures hidden = without({"rdrand"});
    const CpuidLeaf left = hidden.filter(1, 0, full);
    EXPECT_EQ(left.ecx, ~(1u << 30));
    EXPECT_EQ(left.eax & left.ebx & left.edx, ~0u);
    EXPECT_EQ(hidden.filter(7, 0, full).ecx, ~0u);
}

TEST(HiddenFeatures, OfOneSubleaf) {
    const HiddenFeatures hidden = without({"smep", "avx_vnni"});
    EXPECT_EQ(hidden.filter(7, 0, full).ebx, ~(1u << 7));
    EXPECT_EQ(hidden.filter(7, 1, full).ebx, ~0u);
    EXPECT_EQ(hidden.filter(7, 1, full).eax, ~(1u << 4));
    EXPECT_EQ(hidden.filter(7, 0, full).eax, ~0u);
}

TEST(HiddenFeatures, TakeAlongWhatDependsOnThem) {
    const HiddenFeatures hidden = without({"avx"});
    EXPECT_EQ(hidden.filter(1, 0, full).ecx & (1u << 12 | 1u << 26 | 1u << 28 | 1u << 29), 1u << 26) << "FMA, AVX, F16C; not XSAVE";
    EXPECT_EQ(hidden.filter(7, 0, full).ebx & (1u << 5 | 1u << 16 | 1u << 31), 0u) << "AVX2, AVX512F, AVX512VL";
    EXPECT_EQ(hidden.filter(0xd, 0, full).eax & 0xe7, 3u) << "XCR0 keeps x87 and SSE";
    EXPECT_EQ(without({"xsave"}).filter(1, 0, full).ecx & (1u << 26 | 1u << 28), 0u);
    EXPECT_EQ(without({"avx512f"}).filter(0xd, 0, full).eax & 0xe7, 7u);
}

TEST(HiddenFeatures, UnderEachOfTheirNames) {
    EXPECT_EQ(without({"invtsc"}).filter(0x80000007, 0, full).edx, ~(1u << 8));
    HiddenFeatures hidden;
    EXPECT_EQ(hidden.say("itsc", false), nullptr);
    EXPECT_EQ(hidden.say("invtsc", true), nullptr);
    hidden.close();
    EXPECT_EQ(hidden.filter(0x80000007, 0, full).edx, ~0u) << "the last word counts";
}

TEST(HiddenFeatures, InAmdsCopyOfLeaf1) {
    EXPECT_EQ(without({"mmx"}).filter(0x80000001, 0, full).edx, ~(1u << 23));
    EXPECT_EQ(without({"sep"}).filter(0x80000001, 0, full).edx, ~0u) << "bit 11 is SYSCALL there";
}

TEST(HiddenFeatures, Refusals) {
    HiddenFeatures hidden;
    EXPECT_STREQ(hidden.say("avocado", false), "is no CPU feature that is known");
    EXPECT_STREQ(hidden.say("", false), "is no CPU feature that is known");
    EXPECT_STREQ(hidden.say("sse2", false), "can't be hidden: the hypervisor itself needs it");
    EXPECT_EQ(hidden.say("sse2", true), nullptr);
    hidden.close();
    EXPECT_EQ(hidden.filter(1, 0, full).edx, ~0u);
}

TEST(HiddenFeatures, APolicyWithoutAvxIsConsistent) {
    const HiddenFeatures hidden = without({"avx"});
    for (const hvm::Machine& machine : hvm::corpus()) {
        const hvm::CpuPolicy policy = hvm::hvm_maximum(hvm::read_raw_policy([&](u32 leaf, u32 subleaf) {
            const hvm::Leaf raw = machine.query(leaf, subleaf);
            const CpuidLeaf left = hidden.filter(leaf, subleaf, {raw.eax, raw.ebx, raw.ecx, raw.edx});
            return hvm::Leaf{left.eax, left.ebx, left.ecx, left.edx};
        }));
        EXPECT_FALSE(policy.has(1, 0, &hvm::Leaf::ecx, 28)) << machine.name;
        EXPECT_FALSE(policy.has(7, 0, &hvm::Leaf::ebx, 5)) << machine.name;
        EXPECT_FALSE(hvm::valid_xcr0(7, policy)) << machine.name;
        EXPECT_EQ(policy.get(0xd, 0).ecx, policy.get(0xd, 0).eax != 0 ? 576u : 0u) << machine.name;
    }
}

}  // namespace
}  // namespace px::arch
