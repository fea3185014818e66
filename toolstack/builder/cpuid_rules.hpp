// What a configuration changes of a guest's CPUID: cpuid=.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/abi/x86/cpuid_features.hpp"
#include "toolstack/control/cpu_policy.hpp"

namespace px::builder {

/// For one register of a leaf: bits to set and bits to clear; a bit is in one of them at most.
struct CpuidRule {
    abi::x86::CpuidRegister where;  ///< without a sub-leaf: of all that the leaf has
    u32 set = 0, clear = 0;
};

/// Error: a bit is to be set in a leaf that the guest's CPU doesn't have.
call::Outcome<> apply_cpuid_rules(control::CpuPolicy& policy, std::span<const CpuidRule> rules);

}  // namespace px::builder
