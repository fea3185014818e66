// What a configuration changes of a guest's CPUID.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/cpuid_rules.hpp"

#include <cstdio>

namespace px::builder {

using abi::x86::CpuidLeaf;
using call::Error;
using call::Outcome;

namespace {

u32& word_of(CpuidLeaf& leaf, abi::x86::CpuidRegister::Name which) {
    u32* const words[] = {&leaf.a, &leaf.b, &leaf.c, &leaf.d};
    return *words[which];
}

}  // namespace

Outcome<> apply_cpuid_rules(control::CpuPolicy& policy, std::span<const CpuidRule> rules) {
    constexpr u32 no_subleaf = abi::x86::cpuid_no_subleaf;
    for (const CpuidRule& rule : rules) {
        bool found = false;
        for (CpuidLeaf& leaf : policy.leaves) {
            if (leaf.leaf != rule.where.leaf ||
                (leaf.subleaf != rule.where.subleaf && rule.where.subleaf != no_subleaf && leaf.subleaf != no_subleaf))
                continue;
            found = true;
            u32& word = word_of(leaf, rule.where.name);
            word = (word | rule.set) & ~rule.clear;
        }
        if (found || rule.set == 0) continue;  // what isn't there reads as 0
        char text[64];
        std::snprintf(text, sizeof text, "cpuid: the guest's CPU has no leaf %#x", rule.where.leaf);
        return Err{Error{EINVAL, text}};
    }
    return {};
}

}  // namespace px::builder
