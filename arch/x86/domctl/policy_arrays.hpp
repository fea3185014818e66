// CPU policies as toolstacks see them: arrays of leaves and of MSRs, and the older feature sets. [xen/public domctl.h, sysctl.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>

#include "arch/x86/cpu_policy/cpu_policy.hpp"
#include "hypervisor/abi/x86/domain.hpp"

namespace px::hvm {

/// Room that toolstacks must provide: they write every leaf that *they* know of, so it is as much as the reference asks for.
inline constexpr u32 most_policy_leaves = 128, most_policy_msrs = 2;

using PolicyLeaves = StaticVector<abi::x86::CpuidLeaf, most_policy_leaves>;
using PolicyMsrs = std::array<abi::x86::MsrEntry, most_policy_msrs>;

PolicyLeaves to_leaves(const CpuPolicy& policy);
PolicyMsrs to_msrs(const CpuPolicy& policy);

/// Why an array was refused: the number of a leaf or MSR, or ~0.
struct PolicyRefusal {
    u32 leaf = ~u32{0}, subleaf = ~u32{0}, msr = ~u32{0};
};

/// `policy` with the leaves and MSRs changed that the arrays name. Errors: erange (no such leaf or MSR), einval (a flag),
/// enospc; `refusal` names the culprit.
Result<CpuPolicy> with_changes(const CpuPolicy& policy, std::span<const abi::x86::CpuidLeaf> leaves,
                               std::span<const abi::x86::MsrEntry> msrs, PolicyRefusal& refusal);

/// Errors: einval where `policy` promises more leaves than `maximum` has.
Result<> check_compatible(const CpuPolicy& policy, const CpuPolicy& maximum, PolicyRefusal& refusal);

/// Takes away the features that `maximum` lacks, and makes what depends on others fit again.
void clamp(CpuPolicy& policy, const CpuPolicy& maximum);

/// Feature words in the order of the ABI: 1d, 1c, e1d, e1c, Da1, 7b0, 7c0, e7d, e8b, 7d0, 7a1, e21a, 7b1, 7d2, 7c1, 7d1 and
/// the two halves of the architectural capabilities.
using FeatureSet = std::array<u32, 18>;
FeatureSet to_feature_set(const CpuPolicy& policy);

}  // namespace px::hvm
