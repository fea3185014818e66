// CPUID and policy MSRs as a guest sees them now.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/cpu_policy/cpu_policy.hpp"
#include "arch/x86/machine/clock.hpp"
#include "hypervisor/abi/version.hpp"
#include "hypervisor/abi/x86/cpuid.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::hvm {
namespace {

namespace xen = abi::x86::xen_cpuid;

constinit CpuPolicy* host = nullptr;
alignas(CpuPolicy) unsigned char host_memory[sizeof(CpuPolicy)];

constexpr u32 osxsave = 1u << 27, xsavec_or_xsaves = 1u << 1 | 1u << 3;

/// Leaves 4000_0000…: who we are. [xen/public arch-x86/cpuid.h]
Leaf hypervisor_leaf(const Vcpu& vcpu, u32 index, u32 subleaf) {
    switch (index) {
    case 0: return {xen::leaf(xen::max_num_leaves), xen::signature_ebx, xen::signature_ecx, xen::signature_edx};
    case 1: return {abi::version_major << 16 | abi::version_minor, 0, 0, 0};
    case 2: return {1, xen::hypercall_page_msr, vcpu.domain.settings.hvm ? 0 : xen::feat1_mmu_pt_update_preserve_ad, 0};
    case 3: {
        const arch::TickScale scale = arch::tsc_scale();
        const u64 offset = vcpu.arch.tsc_offset;
        const DomainState& domain = vcpu.domain.arch;
        if (subleaf == 0) {
            const u32 flags = (domain.tsc_native ? 0u : 1u) | (arch::tsc_is_stable() ? 2u : 0u);
            return {flags, domain.tsc_mode, static_cast<u32>(arch::tsc_khz()), 0};
        }
        if (subleaf == 1)
            return {static_cast<u32>(offset), static_cast<u32>(offset >> 32), scale.multiplier, static_cast<u32>(i32{scale.shift})};
        if (subleaf == 2) return {static_cast<u32>(arch::tsc_khz()), 0, 0, 0};
        return {};
    }
    case 4:
        if (subleaf != 0 || !vcpu.domain.settings.hvm) return {};
        return {xen::hvm_vcpu_id_present | xen::hvm_domid_present | xen::hvm_upcall_vector, vcpu.id.raw, vcpu.domain.id.raw, 0};
    case 5:
        if (subleaf != 0 || vcpu.domain.settings.hvm) return {};
        return {0, host->get(0x80000008).eax & xen::machine_address_width_mask, 0, 0};
    default: return {};
    }
}

/// Bits of an APIC id that tell the domain's vCPUs apart: one package, one thread per core, ids of two apart.
u32 id_width(const Vcpu& vcpu) { return static_cast<u32>(std::bit_width(vcpu.domain.settings.max_vcpus * 2 - 1)); }

/// Leaf b: one thread per core, the x2APIC id is ours to give.
Leaf topology_leaf(const Vcpu& vcpu, u32 subleaf) {
    const u32 id = vcpu.arch.apic.id();
    const u32 width = id_width(vcpu);
    if (subleaf == 0) return {1, 1, 0x100, id};
    if (subleaf == 1) return {width, vcpu.domain.settings.max_vcpus, 0x201, id};
    return {0, 0, subleaf, id};
}

/// Leaf 4: the host's caches, shared as the guest's topology says: the first two levels are a core's own, the others the
/// package's. 8000_001D, the same on AMD, is beyond the leaves that guests have. [intel/sdm2 CPUID]
Leaf cache_leaf(const Vcpu& vcpu, Leaf value) {
    const u32 type = value.eax & 31, level = value.eax >> 5 & 7;
    if (type == 0) return {};
    const u32 ids = (1u << id_width(vcpu)) - 1;
    const u32 sharing = level < 3 ? 0 : std::min(ids, 0xfffu), cores = std::min(ids, 0x3fu);
    value.eax = (value.eax & 0x3fff) | sharing << 14 | cores << 26;
    return value;
}

}  // namespace

void init_host_policy() {
    host = new (host_memory) CpuPolicy(read_raw_policy([](u32 leaf, u32 subleaf) {
        const auto raw = arch::host_cpuid(leaf, subleaf);
        return Leaf{raw.eax, raw.ebx, raw.ecx, raw.edx};
    }));
}

const CpuPolicy& host_policy() { return *host; }

Leaf guest_cpuid(const Vcpu& vcpu, u32 leaf, u32 subleaf) {
    const CpuPolicy& policy = vcpu.domain.arch.policy;
    if (leaf >= xen::first_leaf && leaf < xen::first_leaf + 0x100) {
        return leaf <= xen::leaf(xen::max_num_leaves) ? hypervisor_leaf(vcpu, leaf - xen::first_leaf, subleaf) : Leaf{};
    }
    const u32 limit = leaf < 0x80000000 ? policy.max_basic() : policy.max_extended();
    if (leaf > limit || (leaf >= 0x40000000 && leaf < 0x80000000)) return {};
    Leaf value = policy.get(leaf, subleaf);
    const u32 id = vcpu.arch.apic.id();
    switch (leaf) {
    case 1:
        value.ebx = (value.ebx & 0x0000ffff) | id << 24 | std::min<u32>(vcpu.domain.settings.max_vcpus * 2, 0xff) << 16;
        if ((vcpu.arch.control.cr4 & arch::cr4::osxsave) != 0) value.ecx |= osxsave;
        else value.ecx &= ~osxsave;
        if (vcpu.domain.settings.hvm && (vcpu.arch.apic.base() & VirtualLocalApic::base_enable) == 0) value.edx &= ~(1u << 9);
        break;
    case 4: return cache_leaf(vcpu, value);
    case 0xb: return topology_leaf(vcpu, subleaf);
    case 0xd:
        if (subleaf == 0) value.ebx = xsave_size(vcpu.arch.xcr0, policy);
        if (subleaf == 1 && (value.eax & xsavec_or_xsaves) != 0) value.ebx = compacted_xsave_size(vcpu.arch.xcr0, policy);
        break;
    default: break;
    }
    return value;
}

namespace {
enum : u32 {
    platform_info = 0xce,
    arch_capabilities = 0x10a,
    mcg_cap = 0x179,
    mcg_status = 0x17a,
    misc_enable = 0x1a0,
    debug_control = 0x1d9,
    misc_features = 0x140,
    amd_patch_level = 0x8b,
    syscfg = 0xc0010010,
    hwcr = 0xc0010015,
    nb_cfg = 0xc001001f,
    patch_loader = 0xc0010020,
    osvw_length = 0xc0010140,
    osvw_status = 0xc0010141,
    de_cfg = 0xc0011029,
    smi_count = 0x34,
    bios_sign = 0x8b
};
}

Result<u64> policy_msr(const Vcpu& vcpu, u32 index) {
    const CpuPolicy& policy = vcpu.domain.arch.policy;
    switch (index) {
    case platform_info: REQUIRE(policy.platform_info != 0, efault); return policy.platform_info;
    case arch_capabilities: REQUIRE((policy.get(7, 0).edx >> 29 & 1) != 0, efault); return policy.arch_capabilities;
    case mcg_cap:
    case mcg_status:
    case debug_control:
    case amd_patch_level:
    case syscfg:
    case osvw_length:
    case osvw_status: return u64{0};
    case misc_enable: return u64{1} << 0 | u64{1} << 11 | u64{1} << 12;  // fast strings, no branch trace, no PEBS
    case hwcr: return u64{1} << 24;                                      // the TSC counts at its nominal rate
    case nb_cfg: return u64{1} << 46;                                    // CF8 reaches extended configuration space
    case de_cfg: return u64{2};                                          // LFENCE serialises
    default: return Err{Errno::efault};
    }
}

Result<> set_policy_msr(Vcpu&, u32 index, u64) {
    switch (index) {
    // Kernels write these without looking; they have no effect on a virtual CPU.
    case bios_sign:
    case mcg_status:
    case debug_control:
    case hwcr:
    case nb_cfg:
    case patch_loader:
    case de_cfg:
    case misc_enable: return {};
    default: return Err{Errno::efault};
    }
}

}  // namespace px::hvm
