// What a domain's CPUs claim to be: the rules.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu_policy/cpu_policy.hpp"

#include <algorithm>

#include "arch/x86/cpu/registers.hpp"

namespace px::hvm {
namespace {

constexpr u32 bits(std::initializer_list<unsigned> list) {
    u32 value = 0;
    for (const unsigned bit : list) value |= 1u << bit;
    return value;
}

/// Features that a guest may have: what only changes registers which we switch, or nothing at all. The rest stays hidden:
/// monitor/mwait, VMX, SVM, performance counters, machine check banks, PKU, SGX, PT, RDT, 5-level paging.
constexpr u32 allowed_1_ecx = bits({0, 1, 9, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 28, 29, 30});
constexpr u32 allowed_1_edx = bits({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 19, 23, 24, 25, 26, 28});
constexpr u32 allowed_7_ebx = bits({0, 3, 5, 7, 8, 9, 10, 16, 17, 18, 19, 20, 21, 23, 24, 26, 27, 28, 29, 30, 31});
constexpr u32 allowed_7_ecx = bits({1, 2, 6, 8, 9, 10, 11, 12, 14, 22});
constexpr u32 allowed_7_edx = bits({2, 3, 4, 8});
constexpr u32 allowed_7_1_eax = bits({4, 5});
constexpr u32 allowed_d_1_eax = bits({0, 1, 2, 3});
constexpr u32 allowed_81_ecx = bits({0, 4, 5, 6, 7, 8, 11, 16, 21});
constexpr u32 allowed_81_edx = bits({0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 13, 14, 15, 16, 17, 20, 22, 23, 24, 25, 26, 27, 29, 30, 31});
constexpr u32 allowed_87_edx = bits({8});
constexpr u32 allowed_88_ebx = bits({0, 2, 9});
constexpr u32 aligned_component = 1u << 1;  ///< in a compacted area
constexpr u64 known_xcr0 = 0xe7;            ///< x87, SSE, AVX, AVX-512

constexpr u32 feature_x2apic = 1u << 21, feature_tsc_deadline = 1u << 24, feature_hypervisor = 1u << 31, feature_osxsave = 1u << 27;

void mask(CpuPolicy& policy, u32 leaf, u32 subleaf, const Leaf& allowed) {
    Leaf* const value = policy.find(leaf, subleaf);
    if (value == nullptr) return;
    value->eax &= allowed.eax;
    value->ebx &= allowed.ebx;
    value->ecx &= allowed.ecx;
    value->edx &= allowed.edx;
}

constexpr u32 all = ~u32{0};

void clear_leaf(CpuPolicy& policy, u32 leaf, u32 subleaf) {
    if (Leaf* const value = policy.find(leaf, subleaf)) *value = {};
}

}  // namespace

const Leaf* CpuPolicy::find(u32 leaf, u32 subleaf) const {
    for (const Entry& entry : entries_) {
        if (entry.leaf == leaf && (entry.subleaf == no_subleaf || entry.subleaf == subleaf)) return &entry.value;
    }
    return nullptr;
}
Leaf* CpuPolicy::find(u32 leaf, u32 subleaf) { return const_cast<Leaf*>(std::as_const(*this).find(leaf, subleaf)); }

Leaf CpuPolicy::get(u32 leaf, u32 subleaf) const {
    const Leaf* const found = find(leaf, subleaf);
    return found != nullptr ? *found : Leaf{};
}

Result<> CpuPolicy::set(u32 leaf, u32 subleaf, const Leaf& value) {
    for (Entry& entry : entries_) {
        if (entry.leaf == leaf && entry.subleaf == subleaf) {
            entry.value = value;
            return {};
        }
    }
    return entries_.push_back({leaf, subleaf, value});
}

CpuPolicy hvm_maximum(const CpuPolicy& host) {
    CpuPolicy policy = host;
    if (Leaf* const base = policy.find(0)) base->eax = std::min<u32>(base->eax, 0xd);
    if (Leaf* const features = policy.find(1)) {
        features->ecx = (features->ecx & allowed_1_ecx) | feature_x2apic | feature_hypervisor | feature_tsc_deadline;
        features->edx = (features->edx & allowed_1_edx) | bits({9, 12, 16});  // APIC, MTRR, PAT are ours
        features->ebx &= 0x0000ff00;                                          // CLFLUSH size; ids are dynamic
    }
    clear_leaf(policy, 5, 0);
    clear_leaf(policy, 6, 0);
    mask(policy, 7, 0, {1, allowed_7_ebx, allowed_7_ecx, allowed_7_edx});
    mask(policy, 7, 1, {allowed_7_1_eax, 0, 0, 0});
    if (Leaf* const xsave = policy.find(0xd, 0)) {
        xsave->eax &= static_cast<u32>(known_xcr0);
        xsave->edx = 0;
        xsave->ecx = xsave_size(xsave->eax, policy);
    }
    mask(policy, 0xd, 1, {allowed_d_1_eax, 0, 0, 0});
    const u32 components = policy.get(0xd, 0).eax;
    for (u32 component = 2; component < 10; ++component) {
        if ((components >> component & 1) == 0) clear_leaf(policy, 0xd, component);
        else mask(policy, 0xd, component, {all, all, aligned_component, 0});
    }
    if (Leaf* const base = policy.find(0x80000000)) base->eax = std::min<u32>(base->eax, 0x80000008);
    mask(policy, 0x80000001, 0, {all, 0, allowed_81_ecx, allowed_81_edx});
    mask(policy, 0x80000007, 0, {0, 0, 0, allowed_87_edx});
    mask(policy, 0x80000008, 0, {0xffff, allowed_88_ebx, 0, 0});
    return policy;
}

CpuPolicy hvm_default(const CpuPolicy& host) { return hvm_maximum(host); }

u64 valid_cr4(const CpuPolicy& policy) {
    using namespace arch::cr4;
    u64 valid = vme | pvi | tsd | de | pse | pae | mce | pge | pce | osfxsr | osxmmexcpt;
    const Leaf one = policy.get(1), seven = policy.get(7, 0);
    if ((one.ecx >> 26 & 1) != 0) valid |= osxsave;
    if ((one.ecx >> 17 & 1) != 0) valid |= pcide;
    if ((seven.ebx >> 0 & 1) != 0) valid |= fsgsbase;
    if ((seven.ebx >> 7 & 1) != 0) valid |= smep;
    if ((seven.ebx >> 20 & 1) != 0) valid |= smap;
    if ((seven.ecx >> 2 & 1) != 0) valid |= umip;
    return valid;
}

u64 valid_efer(const CpuPolicy& policy) {
    const u32 edx = policy.get(0x80000001).edx;
    u64 valid = 0;
    if ((edx >> 11 & 1) != 0) valid |= arch::efer::sce;
    if ((edx >> 29 & 1) != 0) valid |= arch::efer::lme;
    if ((edx >> 20 & 1) != 0) valid |= arch::efer::nxe;
    if ((edx >> 25 & 1) != 0) valid |= arch::efer::ffxsr;
    return valid;
}

PagingLimits paging_limits(const CpuPolicy& policy) {
    const u32 bits = policy.get(0x80000008).eax & 0xff;
    constexpr u32 most = 52;
    return {static_cast<u8>(bits == 0 ? 36 : std::min(bits, most)), policy.has(0x80000001, 0, &Leaf::edx, 26)};
}

bool valid_xcr0(u64 value, const CpuPolicy& policy) {
    constexpr u64 x87 = 1, sse = 2, avx = 4, avx512 = 0xe0;
    const Leaf d = policy.get(0xd, 0);
    const u64 supported = u64{d.edx} << 32 | d.eax;
    if ((value & ~supported) != 0 || (value & x87) == 0) return false;
    if ((value & avx) != 0 && (value & sse) == 0) return false;
    const u64 wide = value & avx512;
    return wide == 0 || (wide == avx512 && (value & avx) != 0);
}

u32 xsave_size(u64 xcr0, const CpuPolicy& policy) {
    u32 size = 576;  // legacy area and header
    for (u32 component = 2; component < 10; ++component) {
        if ((xcr0 >> component & 1) == 0) continue;
        const Leaf leaf = policy.get(0xd, component);
        size = std::max(size, leaf.eax + leaf.ebx);
    }
    return size;
}

u32 compacted_xsave_size(u64 components, const CpuPolicy& policy) {
    u32 size = 576;
    for (u32 component = 2; component < 10; ++component) {
        if ((components >> component & 1) == 0) continue;
        const Leaf leaf = policy.get(0xd, component);
        if ((leaf.ecx & aligned_component) != 0) size = (size + 63) & ~63u;
        size += leaf.eax;
    }
    return size;
}

bool has_xsaves(const CpuPolicy& policy) { return policy.has(0xd, 1, &Leaf::eax, 3); }

}  // namespace px::hvm
