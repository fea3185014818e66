// What `cpuid=` on the command line hides of the CPU, from ourselves as from guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/hidden_features.hpp"

#include <algorithm>

namespace px::arch {
namespace {

using abi::x86::cpuid_features;
using abi::x86::CpuidFeature;
using abi::x86::CpuidRegister;
using abi::x86::same_feature_name;

/// What this hypervisor executes or relies on without asking.
constexpr std::string_view needed[] = {"fpu", "tsc",  "msr",  "pae", "mce",  "cx8",     "apic", "pge",
                                       "pat", "cmov", "fxsr", "sse", "sse2", "syscall", "nx",   "lm"};

/// A feature, and one that means nothing without it. [intel/sdm2 CPUID] [amd/apm3 E.3]
struct Dependency {
    std::string_view on, feature;
};
constexpr Dependency dependencies[] = {
    {"xsave", "avx"},
    {"xsave", "xsaveopt"},
    {"xsave", "xsavec"},
    {"xsave", "xgetbv1"},
    {"xsave", "xsaves"},
    {"xsave", "mpx"},
    {"xsave", "pku"},
    {"xsave", "lwp"},
    {"avx", "fma"},
    {"avx", "f16c"},
    {"avx", "avx2"},
    {"avx", "xop"},
    {"avx", "fma4"},
    {"avx", "vaes"},
    {"avx", "vpclmulqdq"},
    {"avx2", "avx-vnni"},
    {"avx2", "avx512f"},
    {"aesni", "vaes"},
    {"pclmulqdq", "vpclmulqdq"},
    {"avx512f", "avx512dq"},
    {"avx512f", "avx512-ifma"},
    {"avx512f", "avx512pf"},
    {"avx512f", "avx512er"},
    {"avx512f", "avx512cd"},
    {"avx512f", "avx512bw"},
    {"avx512f", "avx512vl"},
    {"avx512f", "avx512-vbmi"},
    {"avx512f", "avx512-vnni"},
    {"avx512f", "avx512-vpopcntdq"},
    {"avx512f", "avx512-4vnniw"},
    {"avx512f", "avx512-4fmaps"},
    {"avx512f", "avx512-vp2intersect"},
    {"avx512bw", "avx512-vbmi2"},
    {"avx512bw", "avx512-bitalg"},
    {"avx512bw", "avx512-bf16"},
    {"avx512bw", "avx512-fp16"},
    {"sse3", "ssse3"},
    {"ssse3", "sse4-1"},
    {"sse4-1", "sse4-2"},
    {"sse3", "sse4a"},
    {"pcid", "invpcid"},
    {"svm", "svm-npt"},
    {"svm", "svm-nrips"},
    {"svm", "svm-decode"},
    {"svm", "svm-vmcbclean"},
    {"svm", "svm-pausefilt"},
    {"3dnow", "3dnowext"},
    {"hle", "rtm"},
};

/// Components of XCR0 by the feature that they are the state of. [intel/sdm1 13.1]
struct Component {
    std::string_view feature;
    u32 mask;
};
constexpr Component components[] = {{"avx", 1u << 2}, {"mpx", 3u << 3}, {"avx512f", 7u << 5}, {"pku", 1u << 9}};

/// AMD repeats these bits of leaf 1's EDX in 8000_0001. [amd/apm3 E.4.2]
constexpr u32 repeated_edx = 0x0183f3ff;

constexpr bool known(std::string_view name) {
    return std::ranges::any_of(cpuid_features, [&](const CpuidFeature& feature) { return feature.name == name; });
}
static_assert(std::ranges::all_of(needed, known));
static_assert(std::ranges::all_of(dependencies, [](const Dependency& row) { return known(row.on) && known(row.feature); }));
static_assert(std::ranges::all_of(components, [](const Component& row) { return known(row.feature); }));

u32& word(CpuidLeaf& leaf, CpuidRegister::Name name) {
    switch (name) {
    case CpuidRegister::eax: return leaf.eax;
    case CpuidRegister::ebx: return leaf.ebx;
    case CpuidRegister::ecx: return leaf.ecx;
    case CpuidRegister::edx: break;
    }
    return leaf.edx;
}

bool same_bit(const CpuidFeature& a, const CpuidFeature& b) { return a.where == b.where && a.bit == b.bit; }

}  // namespace

const char* HiddenFeatures::say(std::string_view name, bool enabled) {
    const CpuidFeature* const feature = abi::x86::find_cpuid_feature(name);
    if (feature == nullptr) return "is no CPU feature that is known";
    for (const std::string_view other : needed) {
        if (!enabled && same_bit(*abi::x86::find_cpuid_feature(other), *feature)) return "can't be hidden: the hypervisor itself needs it";
    }
    for (usize at = 0; at < count; ++at) {
        if (same_bit(cpuid_features[at], *feature)) hidden_[at] = !enabled;  // under all of its names
    }
    return nullptr;
}

bool HiddenFeatures::hidden(std::string_view name) const {
    return hidden_[static_cast<usize>(abi::x86::find_cpuid_feature(name) - std::begin(cpuid_features))];
}

void HiddenFeatures::close() {
    for (bool changed = true; changed;) {
        changed = false;
        for (const Dependency& dependency : dependencies) {
            if (!hidden(dependency.on) || hidden(dependency.feature)) continue;
            changed |= say(dependency.feature, false) == nullptr;
        }
    }
    any_ = std::ranges::find(hidden_, true) != hidden_.end();
}

CpuidLeaf HiddenFeatures::filter(u32 leaf, u32 subleaf, CpuidLeaf raw) const {
    if (!any_) return raw;
    for (usize at = 0; at < count; ++at) {
        const CpuidFeature& feature = cpuid_features[at];
        if (!hidden_[at]) continue;
        if (feature.where.leaf == leaf && (feature.where.subleaf == subleaf || feature.where.subleaf == abi::x86::cpuid_no_subleaf))
            word(raw, feature.where.name) &= ~(1u << feature.bit);
        if (leaf == 0x80000001 && feature.where == CpuidRegister{1, abi::x86::cpuid_no_subleaf, CpuidRegister::edx})
            raw.edx &= ~((1u << feature.bit) & repeated_edx);
    }
    if (leaf == 0xd && subleaf == 0) {
        for (const Component& component : components) {
            if (hidden(component.feature)) raw.eax &= ~component.mask;
        }
    }
    return raw;
}

namespace {
constinit HiddenFeatures host_hidden{};
}

void hide_host_features(const HiddenFeatures& hidden) { host_hidden = hidden; }
void hide_host_feature(std::string_view name) {
    host_hidden.say(name, false);
    host_hidden.close();
}
CpuidLeaf host_cpuid(u32 leaf, u32 subleaf) { return host_hidden.filter(leaf, subleaf, cpuid(leaf, subleaf)); }

}  // namespace px::arch
