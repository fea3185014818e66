// Nested page tables of AMD-V. [amd/apm2 15.25]
//
// The bits are those of ordinary long-mode tables with the user bit set (bit 58 and above are left alone: IOMMUs may share
// these tables one day).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/physmap_policy.hpp"

namespace px::svm {

namespace nested_bits {
inline constexpr u64 present = 1u << 0, writable = 1u << 1, user = 1u << 2, accessed = 1u << 5, dirty = 1u << 6, no_execute = u64{1} << 63;
}

inline constexpr hvm::SecondLevelFormat nested_paging{
    .table = nested_bits::present | nested_bits::writable | nested_bits::user | nested_bits::accessed,
    .memory = nested_bits::present | nested_bits::user | nested_bits::accessed | nested_bits::dirty,
    .device = nested_bits::present | nested_bits::user | nested_bits::accessed | nested_bits::dirty | nested_bits::no_execute,
    .write = nested_bits::writable};

}  // namespace px::svm
