// What PV guests are offered of several CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "arch/x86/pv/cpuid_policy.hpp"
#include "tests/unit/x86/corpus.hpp"

namespace px::hvm {
namespace {

struct Feature {
    const char* name;
    u32 leaf, subleaf;
    u32 Leaf::*reg;
    unsigned bit;
    bool in(const CpuPolicy& policy) const { return policy.has(leaf, subleaf, reg, bit); }
};

TEST(PvCpuPolicy, NoPagingAndNoPrivilegesOfItsOwn) {
    constexpr Feature hidden[] = {
        {"VME", 1, 0, &Leaf::edx, 1},          {"PSE", 1, 0, &Leaf::edx, 3},
        {"MTRR", 1, 0, &Leaf::edx, 12},        {"PGE", 1, 0, &Leaf::edx, 13},
        {"PSE36", 1, 0, &Leaf::edx, 17},       {"PCID", 1, 0, &Leaf::ecx, 17},
        {"x2APIC", 1, 0, &Leaf::ecx, 21},      {"deadline", 1, 0, &Leaf::ecx, 24},
        {"VMX", 1, 0, &Leaf::ecx, 5},          {"SMEP", 7, 0, &Leaf::ebx, 7},
        {"INVPCID", 7, 0, &Leaf::ebx, 10},     {"SMAP", 7, 0, &Leaf::ebx, 20},
        {"UMIP", 7, 0, &Leaf::ecx, 2},         {"PKU", 7, 0, &Leaf::ecx, 3},
        {"SVM", 0x80000001, 0, &Leaf::ecx, 2}, {"1 GiB", 0x80000001, 0, &Leaf::edx, 26},
        {"PSE", 0x80000001, 0, &Leaf::edx, 3},
    };
    for (const Machine& machine : corpus()) {
        const CpuPolicy policy = pv::maximum_policy(machine.policy());
        for (const Feature& feature : hidden) EXPECT_FALSE(feature.in(policy)) << feature.name << " on " << machine.name;
    }
}

TEST(PvCpuPolicy, WhatARing3KernelNeedsStays) {
    constexpr Feature kept[] = {
        {"FPU", 1, 0, &Leaf::edx, 0},          {"TSC", 1, 0, &Leaf::edx, 4},
        {"PAE", 1, 0, &Leaf::edx, 6},          {"CX8", 1, 0, &Leaf::edx, 8},
        {"APIC", 1, 0, &Leaf::edx, 9},         {"SSE2", 1, 0, &Leaf::edx, 26},
        {"hypervisor", 1, 0, &Leaf::ecx, 31},  {"SYSCALL", 0x80000001, 0, &Leaf::edx, 11},
        {"NX", 0x80000001, 0, &Leaf::edx, 20}, {"LM", 0x80000001, 0, &Leaf::edx, 29},
    };
    for (const Machine& machine : corpus()) {
        const CpuPolicy most = hvm_maximum(machine.policy()), policy = pv::maximum_policy(machine.policy());
        for (const Feature& feature : kept) { EXPECT_EQ(feature.in(policy), feature.in(most)) << feature.name << " on " << machine.name; }
        EXPECT_TRUE(kept[6].in(policy));
        for (const auto& entry : policy.entries()) {
            const Leaf limit = most.get(entry.leaf, entry.subleaf == CpuPolicy::no_subleaf ? 0 : entry.subleaf);
            EXPECT_EQ(entry.value.edx & ~limit.edx, 0u) << machine.name << ": nothing is added, leaf " << entry.leaf;
            EXPECT_EQ(entry.value.ecx & ~limit.ecx, 0u);
            EXPECT_EQ(entry.value.ebx & ~limit.ebx, 0u);
        }
    }
}

}  // namespace
}  // namespace px::hvm
