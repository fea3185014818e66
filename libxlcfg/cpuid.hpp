// cpuid=: what a guest's CPUID instruction answers, by feature name ("host,avx2=0") or by register bits
// ("7,0:ebx=…"). Both forms become the same rules.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "hypervisor/abi/x86/cpuid_features.hpp"
#include "libxlcfg/row.hpp"

namespace px::xlcfg {

using abi::x86::CpuidFeature;
using abi::x86::CpuidRegister;

/// What each bit of one register shall be: '0', '1', 'x' (the default policy), 'k' (the host's); bits[31] is bit 0, as
/// the notation has it.
struct CpuidRule {
    CpuidRegister where;
    std::array<char, 32> bits;

    char bit(unsigned number) const { return bits[31 - number]; }
};

/// At most one rule per register.
struct CpuidPolicy {
    std::vector<CpuidRule> rules;
};

/// A string in libxl's form or a list of strings in xend's.
bool read(CpuidPolicy& policy, const Value& value, Diagnostics& out);
/// A list in xend's form.
Json show(const CpuidPolicy& policy);

}  // namespace px::xlcfg
