// CPU policies as arrays.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/domctl/policy_arrays.hpp"

#include <algorithm>

#include "arch/x86/cpu/registers.hpp"

namespace px::hvm {
namespace {

constexpr u32 last_basic = 0xd, extended_base = 0x80000000, last_extended = 0x80000021;
constexpr u32 hypervisor_leaf = 0x40000000, second_hypervisor_leaf = 0x40000100;
constexpr u32 known_components = 10;  ///< of leaf 0xd: as many as the raw policy reads
constexpr u32 msr_platform_info = 0xce, msr_arch_capabilities = 0x10a;

/// How many sub-leaves a leaf has; 0: it has none.
constexpr u32 subleaves(u32 leaf) {
    switch (leaf) {
    case 4: return 6;
    case 7: return 3;
    case 0xb: return 2;
    case 0xd: return 63;
    default: return 0;
    }
}

bool in_range(const abi::x86::CpuidLeaf& leaf) {
    const bool alone = leaf.subleaf == abi::x86::cpuid_no_subleaf;
    if (leaf.leaf <= last_basic) return subleaves(leaf.leaf) == 0 ? alone : leaf.subleaf < subleaves(leaf.leaf);
    if (leaf.leaf == hypervisor_leaf || leaf.leaf == second_hypervisor_leaf) return alone;
    return leaf.leaf >= extended_base && leaf.leaf <= last_extended && alone;
}

/// Leaves that we answer ourselves whatever a toolstack says.
bool is_dynamic(u32 leaf) { return leaf == 0xb || leaf == hypervisor_leaf || leaf == second_hypervisor_leaf; }

Result<> set_leaf(CpuPolicy& policy, const abi::x86::CpuidLeaf& leaf) {
    REQUIRE(in_range(leaf), erange);
    if (is_dynamic(leaf.leaf)) return {};
    const u32 subleaf = leaf.subleaf == abi::x86::cpuid_no_subleaf ? CpuPolicy::no_subleaf : leaf.subleaf;
    const bool zero = (leaf.a | leaf.b | leaf.c | leaf.d) == 0;
    if (zero && policy.find(leaf.leaf, leaf.subleaf) == nullptr) return {};  // what isn't there reads as zero
    return policy.set(leaf.leaf, subleaf, {leaf.a, leaf.b, leaf.c, leaf.d});
}

Result<> set_msr(CpuPolicy& policy, const abi::x86::MsrEntry& entry) {
    REQUIRE(entry.flags == 0, einval);
    switch (entry.idx) {
    case msr_platform_info: policy.platform_info = entry.val; return {};
    case msr_arch_capabilities: policy.arch_capabilities = entry.val; return {};
    default: return Err{Errno::erange};
    }
}

/// Which registers of which leaves are sets of features: elsewhere there are numbers.
struct FeatureWord {
    u32 leaf, subleaf;
    u32 Leaf::*reg;
};
constexpr FeatureWord feature_words[] = {
    {1, 0, &Leaf::edx},          {1, 0, &Leaf::ecx}, {0x80000001, 0, &Leaf::edx}, {0x80000001, 0, &Leaf::ecx},
    {0xd, 1, &Leaf::eax},        {7, 0, &Leaf::ebx}, {7, 0, &Leaf::ecx},          {0x80000007, 0, &Leaf::edx},
    {0x80000008, 0, &Leaf::ebx}, {7, 0, &Leaf::edx}, {7, 1, &Leaf::eax},          {0x80000021, 0, &Leaf::eax},
    {7, 1, &Leaf::ebx},          {7, 2, &Leaf::edx}, {7, 1, &Leaf::ecx},          {7, 1, &Leaf::edx},
};

}  // namespace

PolicyLeaves to_leaves(const CpuPolicy& policy) {
    PolicyLeaves leaves;
    const auto add = [&](u32 leaf, u32 subleaf) {
        const Leaf value = policy.get(leaf, subleaf == abi::x86::cpuid_no_subleaf ? 0 : subleaf);
        (void)leaves.push_back({leaf, subleaf, value.eax, value.ebx, value.ecx, value.edx}).ok();
    };
    // A toolstack has room for as many leaves as it got, and gives back every one that it knows of: none may be left out.
    for (u32 leaf = 0; leaf <= std::min(policy.max_basic(), last_basic); ++leaf) {
        if (subleaves(leaf) == 0) add(leaf, abi::x86::cpuid_no_subleaf);
        for (u32 i = 0; i < (leaf == 0xd ? known_components : subleaves(leaf)); ++i) add(leaf, i);
    }
    add(hypervisor_leaf, abi::x86::cpuid_no_subleaf);
    add(second_hypervisor_leaf, abi::x86::cpuid_no_subleaf);
    for (u32 leaf = extended_base; leaf <= std::min(policy.max_extended(), last_extended); ++leaf) {
        add(leaf, abi::x86::cpuid_no_subleaf);
    }
    return leaves;
}

PolicyMsrs to_msrs(const CpuPolicy& policy) {
    return {{{msr_platform_info, 0, policy.platform_info}, {msr_arch_capabilities, 0, policy.arch_capabilities}}};
}

Result<CpuPolicy> with_changes(const CpuPolicy& policy, std::span<const abi::x86::CpuidLeaf> leaves,
                               std::span<const abi::x86::MsrEntry> msrs, PolicyRefusal& refusal) {
    CpuPolicy changed = policy;
    for (const auto& leaf : leaves) {
        if (const auto set = set_leaf(changed, leaf); !set) {
            refusal = {.leaf = leaf.leaf, .subleaf = leaf.subleaf};
            return Err{set.error()};
        }
    }
    for (const auto& entry : msrs) {
        if (const auto set = set_msr(changed, entry); !set) {
            refusal = {.msr = entry.idx};
            return Err{set.error()};
        }
    }
    return changed;
}

Result<> check_compatible(const CpuPolicy& policy, const CpuPolicy& maximum, PolicyRefusal& refusal) {
    const auto refuse = [&](u32 leaf, u32 subleaf) -> Result<> {
        refusal = {.leaf = leaf, .subleaf = subleaf};
        return Err{Errno::einval};
    };
    if (policy.max_basic() > maximum.max_basic()) return refuse(0, ~u32{0});
    if (policy.get(7, 0).eax > maximum.get(7, 0).eax) return refuse(7, 0);
    if (policy.max_extended() > maximum.max_extended()) return refuse(extended_base, ~u32{0});
    if ((policy.platform_info & ~maximum.platform_info) != 0) {
        refusal = {.msr = msr_platform_info};
        return Err{Errno::einval};
    }
    return {};
}

void clamp(CpuPolicy& policy, const CpuPolicy& maximum) {
    for (const FeatureWord& word : feature_words) {
        if (Leaf* const leaf = policy.find(word.leaf, word.subleaf)) leaf->*word.reg &= maximum.get(word.leaf, word.subleaf).*word.reg;
    }
    policy.arch_capabilities &= maximum.arch_capabilities;
    constexpr u32 feature_xsave = 1u << 26, feature_avx = 1u << 28;
    Leaf* const features = policy.find(1);
    Leaf* const xsave = policy.find(0xd, 0);
    if (features != nullptr && (features->ecx & feature_xsave) == 0) {
        features->ecx &= ~feature_avx;
        if (xsave != nullptr) *xsave = {};
    }
    if (xsave == nullptr || xsave->eax == 0) return;
    const Leaf most = maximum.get(0xd, 0);
    xsave->eax &= most.eax;
    xsave->edx &= most.edx;
    xsave->ecx = xsave_size(u64{xsave->edx} << 32 | xsave->eax, maximum);
    for (u32 component = 2; component < 63; ++component) {
        // Where a component lies is the processor's business.
        if (Leaf* const place = policy.find(0xd, component)) *place = maximum.get(0xd, component);
    }
}

FeatureSet to_feature_set(const CpuPolicy& policy) {
    FeatureSet words{};
    for (usize i = 0; i < std::size(feature_words); ++i)
        words[i] = policy.get(feature_words[i].leaf, feature_words[i].subleaf).*feature_words[i].reg;
    words[16] = static_cast<u32>(policy.arch_capabilities);
    words[17] = static_cast<u32>(policy.arch_capabilities >> 32);
    return words;
}

}  // namespace px::hvm
