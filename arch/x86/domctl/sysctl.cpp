// x86's part of sysctl. [xen/public sysctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>

#include "arch/domctl.hpp"
#include "arch/x86/domctl/context_ops.hpp"
#include "arch/x86/domctl/policy_arrays.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/machine/clock.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::hvm {
namespace {

using abi::SysctlCmd;

/// Errors: eopnotsupp.
Result<const GuestKind*> present_pv() {
    REQUIRE(pv_kind() != nullptr, eopnotsupp);
    return pv_kind();
}

/// Errors: eopnotsupp (policies of PV guests where there are none), einval.
Result<CpuPolicy> feature_policy(u32 index) {
    switch (abi::CpuFeaturesetIndex{index}) {
    case abi::CpuFeaturesetIndex::raw:
    case abi::CpuFeaturesetIndex::host: return host_policy();
    case abi::CpuFeaturesetIndex::hvm: return hvm_default(host_policy());
    case abi::CpuFeaturesetIndex::hvm_max: return hvm_maximum(host_policy());
    case abi::CpuFeaturesetIndex::pv: return TRY(present_pv())->default_policy();
    case abi::CpuFeaturesetIndex::pv_max: return TRY(present_pv())->maximum_policy();
    }
    return Err{Errno::einval};
}
Result<CpuPolicy> system_policy(u32 index) {
    switch (abi::CpuPolicyIndex{index}) {
    case abi::CpuPolicyIndex::raw:
    case abi::CpuPolicyIndex::host: return host_policy();
    case abi::CpuPolicyIndex::hvm_max: return hvm_maximum(host_policy());
    case abi::CpuPolicyIndex::hvm_default: return hvm_default(host_policy());
    case abi::CpuPolicyIndex::pv_max: return TRY(present_pv())->maximum_policy();
    case abi::CpuPolicyIndex::pv_default: return TRY(present_pv())->default_policy();
    }
    return Err{Errno::einval};
}

Result<Reply> get_cpu_featureset(abi::Sysctl& op) {
    auto& request = op.u.cpu_featureset;
    const FeatureSet words = to_feature_set(TRY(feature_policy(request.index)));
    if (request.features.is_null()) {
        request.nr_features = words.size();
        return Reply{};
    }
    // A short buffer gets what fits, and the error after it.
    const bool fits = request.nr_features >= words.size();
    request.nr_features = std::min<u32>(request.nr_features, words.size());
    TRY(GuestPtr<u32>(request.features).write_many(words.data(), request.nr_features));
    REQUIRE(fits, enobufs);
    return Reply{};
}

Result<Reply> get_cpu_policy(abi::Sysctl& op) {
    auto& request = op.u.cpu_policy;
    REQUIRE(request.rsvd == 0, einval);
    return write_policy(TRY(system_policy(request.index)), request.leaves, request.nr_leaves, request.msrs, request.nr_msrs);
}

Result<Reply> get_levelling_caps(abi::Sysctl& op) {
    op.u.cpu_levelling_caps.caps = 0;  // masks for PV guests
    return Reply{};
}

/// Logical processors of a package, as leaf 1 tells.
u32 package_size() {
    const Leaf leaf = host_policy().get(1);
    constexpr u32 multi_threaded = 1u << 28;
    return (leaf.edx & multi_threaded) != 0 ? std::max<u32>(leaf.ebx >> 16 & 0xff, 1) : 1;
}

}  // namespace
}  // namespace px::hvm

namespace px::arch {

void describe(abi::SysctlPhysinfo& info) {
    info.threads_per_core = 1;
    info.cores_per_socket = std::min(hvm::package_size(), online_cpus());
    info.cpu_khz = static_cast<u32>(tsc_khz());
    info.total_pages = memory_layout().ram_frames;
    if (hvm::backend() != nullptr) info.capabilities |= abi::physcap::hvm | abi::physcap::hap;
    if (pv_kind() != nullptr) info.capabilities |= abi::physcap::pv;
    const hvm::FeatureSet words = hvm::to_feature_set(hvm::host_policy());
    std::copy_n(words.begin(), std::size(info.hw_cap), info.hw_cap);
}

abi::SysctlCputopo topology(CpuId cpu) {
    const u32 apic_id = per_cpu(cpu)->arch.apic_id, width = static_cast<u32>(std::bit_width(hvm::package_size() - 1));
    return {.core = apic_id & ((1u << width) - 1), .socket = apic_id >> width, .node = per_cpu(cpu)->node};
}

Result<Reply> sysctl(Vcpu&, abi::Sysctl& op) {
    switch (abi::SysctlCmd{op.cmd}) {
    case abi::SysctlCmd::get_cpu_featureset: return hvm::get_cpu_featureset(op);
    case abi::SysctlCmd::get_cpu_policy: return hvm::get_cpu_policy(op);
    case abi::SysctlCmd::get_cpu_levelling_caps: return hvm::get_levelling_caps(op);
    case abi::SysctlCmd::psr_cmt_op:
    case abi::SysctlCmd::psr_alloc: return Err{Errno::enodev};
    default: return Err{Errno::enosys};
    }
}

}  // namespace px::arch
