// What CPUID and the feature MSRs tell a domain.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <vector>

#include "toolstack/control/domain.hpp"

namespace px::control {

/// Sorted by leaf and subleaf, as the hypervisor gives it.
struct CpuPolicy {
    std::vector<abi::x86::CpuidLeaf> leaves;
    std::vector<abi::x86::MsrEntry> msrs;

    /// Null when the policy has no such leaf.
    abi::x86::CpuidLeaf* find(u32 leaf, u32 subleaf = abi::x86::cpuid_no_subleaf);
};

call::Outcome<CpuPolicy> cpu_policy(Domain domain);
/// Before the domain runs. The error names the leaf or MSR that the hypervisor refuses.
call::Outcome<> set_cpu_policy(Domain domain, const CpuPolicy& policy);

}  // namespace px::control
