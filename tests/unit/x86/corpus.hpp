// CPUs of several makes as CPUID tables.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "arch/x86/cpu_policy/cpu_policy.hpp"

namespace px::hvm {

/// What CPUID answers on one machine. Leaves and subleaves that aren't listed answer zeros.
struct Machine {
    std::string_view name;
    std::vector<CpuPolicy::Entry> leaves;

    Leaf query(u32 leaf, u32 subleaf) const;
    CpuPolicy policy() const;
};

const std::vector<Machine>& corpus();

}  // namespace px::hvm
