// What a domain's CPUs claim to be: CPUID leaves and MSRs in one type.
//
// raw → host → HVM maximum → HVM default → a domain's own. Everything about CPUID, MSRs and XSAVE of a guest reads the
// domain's policy; nothing else executes CPUID for a guest. Layouts and rules are plain data: tested on any machine.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "hypervisor/base/result.hpp"
#include "hypervisor/base/static_vector.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

struct Leaf {
    u32 eax = 0, ebx = 0, ecx = 0, edx = 0;
};

class CpuPolicy {
public:
    static constexpr u32 no_subleaf = ~u32{0};
    struct Entry {
        u32 leaf, subleaf;  ///< subleaf: no_subleaf where ECX doesn't matter
        Leaf value;
    };

    /// The leaf as the policy has it (dynamic parts not filled in); zeros for unknown ones in range.
    Leaf get(u32 leaf, u32 subleaf = 0) const;
    Leaf* find(u32 leaf, u32 subleaf = 0);
    const Leaf* find(u32 leaf, u32 subleaf = 0) const;
    /// Errors: enospc.
    Result<> set(u32 leaf, u32 subleaf, const Leaf& value);
    const StaticVector<Entry, 64>& entries() const { return entries_; }

    u32 max_basic() const { return get(0).eax; }
    u32 max_extended() const { return get(0x80000000).eax; }
    bool has(u32 leaf, u32 subleaf, u32 Leaf::*reg, unsigned bit) const { return (get(leaf, subleaf).*reg >> bit & 1) != 0; }

    u64 platform_info = 0;      ///< MSR 0xce: bit 31 CPUID faulting
    u64 arch_capabilities = 0;  ///< MSR 0x10a

private:
    StaticVector<Entry, 64> entries_;
};

/// Executes CPUID over every leaf of interest: the raw policy. `query` stands for the instruction.
template <class Query>
CpuPolicy read_raw_policy(Query query) {
    CpuPolicy policy;
    const auto add = [&](u32 leaf, u32 subleaf) {
        (void)policy.set(leaf, subleaf, query(leaf, subleaf == CpuPolicy::no_subleaf ? 0 : subleaf)).ok();
    };
    const u32 basic = query(0, 0).eax;
    for (u32 leaf = 0; leaf <= basic && leaf <= 0x16; ++leaf) {
        switch (leaf) {
        case 2:
        case 3:
        case 9:
        case 0xa:
        case 0xb:
        case 0xf:
        case 0x10:
        case 0x12:
        case 0x14:
        case 0x15:
        case 0x16: continue;
        case 4:
            for (u32 i = 0; i < 4; ++i) add(leaf, i);
            continue;
        case 7:
            add(leaf, 0);
            add(leaf, 1);
            continue;
        case 0xd:
            for (u32 i = 0; i < 10; ++i) add(leaf, i);
            continue;
        default: add(leaf, CpuPolicy::no_subleaf);
        }
    }
    const u32 extended = query(0x80000000, 0).eax;
    for (u32 leaf = 0x80000000; leaf <= extended && leaf <= 0x80000008; ++leaf) add(leaf, CpuPolicy::no_subleaf);
    return policy;
}

/// What an HVM guest may be offered at most on a host with policy `host`.
CpuPolicy hvm_maximum(const CpuPolicy& host);
/// What it is offered where nobody asked for anything else.
CpuPolicy hvm_default(const CpuPolicy& host);
/// This machine's; filled at boot.
const CpuPolicy& host_policy();
void init_host_policy();

u64 valid_cr4(const CpuPolicy& policy);
u64 valid_efer(const CpuPolicy& policy);
bool valid_xcr0(u64 value, const CpuPolicy& policy);
/// What of the shape of page-table entries depends on the processor.
struct PagingLimits {
    u8 physical_bits = 36;  ///< of an address; those above are reserved [intel/sdm3 4.1.4]
    bool gigabyte_pages = false;
};
PagingLimits paging_limits(const CpuPolicy& policy);
/// Bytes of an uncompacted XSAVE area for the components of `xcr0`.
u32 xsave_size(u64 xcr0, const CpuPolicy& policy);
/// The same of an area as XSAVEC and XSAVES write it. [intel/sdm1 13.4.3]
u32 compacted_xsave_size(u64 components, const CpuPolicy& policy);
/// XSAVES, XRSTORS and IA32_XSS, which is always 0: guests have no supervisor state that wants it.
bool has_xsaves(const CpuPolicy& policy);

/// CPUID as the vCPU's guest sees it now: policy, dynamic bits, topology, and the hypervisor's own leaves.
Leaf guest_cpuid(const Vcpu& vcpu, u32 leaf, u32 subleaf);
/// MSRs that the policy holds. Errors: efault → #GP.
Result<u64> policy_msr(const Vcpu& vcpu, u32 index);
Result<> set_policy_msr(Vcpu& vcpu, u32 index, u64 value);

}  // namespace px::hvm
