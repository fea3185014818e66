// cpuid=: what a guest's CPUID instruction answers, by feature name ("host,avx2=0") or by register bits
// ("7,0:ebx=…"). Both forms become the same rules.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "libxlcfg/row.hpp"

namespace px::xlcfg {

struct CpuidRegister {
    enum Name : std::uint8_t { eax, ebx, ecx, edx };

    std::uint32_t leaf = 0;
    std::optional<std::uint32_t> subleaf;  ///< absent: the leaf has none, or any
    Name name = eax;

    bool operator==(const CpuidRegister&) const = default;
};

/// A feature bit by name.
struct CpuidFeature {
    std::string_view name;
    CpuidRegister where;
    std::uint8_t bit;
};

std::span<const CpuidFeature> cpuid_features();
/// By name; '_' and '-' are the same. Null when unknown.
const CpuidFeature* find_cpuid_feature(std::string_view name);

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
