// What CPUID tells a guest about its CPUs' topology [amd/apm3 E.3, intel/sdm2 CPUID].
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/topology.hpp"

namespace px::builder {

namespace {

using abi::x86::CpuidLeaf;

constexpr u32 hyper_threading = 1u << 28;                    // leaf 1 edx: the count of ids is valid
constexpr u32 legacy_multi_core = 1u << 1;                   // leaf 0x80000001 ecx: … but there are no threads, only cores
constexpr u32 amd_ebx = 0x68747541, hygon_ebx = 0x6f677948;  // "Auth", "Hygo"

constexpr u32 field(u32 word, unsigned shift, u32 mask) { return word >> shift & mask; }
constexpr u32 with_field(u32 word, unsigned shift, u32 mask, u32 value) { return (word & ~(mask << shift)) | value << shift; }

/// Cores per package, less one, and the width of their ids: 0 where the count itself tells it.
void double_amd_cores(CpuidLeaf& leaf) {
    const u32 cores = field(leaf.c, 0, 0xff), width = field(leaf.c, 12, 0xf);
    if (cores >= 0x7f) return;
    leaf.c = with_field(leaf.c, 0, 0xff, cores * 2 + 1);
    if (width != 0 && width != 0xf) leaf.c = with_field(leaf.c, 12, 0xf, width + 1);
}

/// Each cache is shared by the threads of one core: the guest sees cores only.
void double_intel_cores(control::CpuPolicy& policy) {
    for (CpuidLeaf& leaf : policy.leaves) {
        if (leaf.leaf != 4 || field(leaf.a, 0, 0x1f) == 0) continue;
        const u32 cores = field(leaf.a, 26, 0x3f);
        leaf.a = with_field(leaf.a, 26, 0x3f, (cores * 2 + 1) & 0x3f);
        leaf.a = with_field(leaf.a, 14, 0xfff, 0);
    }
}

}  // namespace

void fit_topology(control::CpuPolicy& policy) {
    if (CpuidLeaf* basic = policy.find(1)) {
        const u32 ids = field(basic->b, 16, 0xff);
        if (ids < 0x80) basic->b = with_field(basic->b, 16, 0xff, ids * 2);
        basic->d |= hyper_threading;
    }
    if (CpuidLeaf* extended = policy.find(0x80000001)) extended->c &= ~legacy_multi_core;
    const CpuidLeaf* vendor = policy.find(0);
    const bool amd = vendor && (vendor->b == amd_ebx || vendor->b == hygon_ebx);
    if (!amd) return double_intel_cores(policy);
    if (CpuidLeaf* cores = policy.find(0x80000008)) double_amd_cores(*cores);
}

}  // namespace px::builder
