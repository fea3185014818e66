// What a configuration changes of a guest's CPUID: cpuid=.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>

#include "toolstack/control/cpu_policy.hpp"

namespace px::builder {

/// For one register of a leaf: bits to set and bits to clear; a bit is in one of them at most.
struct CpuidRule {
    u32 leaf = 0;
    std::optional<u32> subleaf;  ///< absent: all that the leaf has
    u8 which = 0;                ///< 0…3: eax, ebx, ecx, edx
    u32 set = 0, clear = 0;
};

/// Error: a bit is to be set in a leaf that the guest's CPU doesn't have.
call::Outcome<> apply_cpuid_rules(control::CpuPolicy& policy, std::span<const CpuidRule> rules);

}  // namespace px::builder
