// Extended page tables of VT-x. [intel/sdm3 29.3]
//
// A leaf names the memory type as an MTRR would: the guest's PAT has its say as on a real machine.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/physmap_policy.hpp"

namespace px::vmx {

namespace ept_bits {
inline constexpr u64 read = 1u << 0, write = 1u << 1, execute = 1u << 2, uncached = 0u << 3, write_back = 6u << 3;
}

inline constexpr hvm::SecondLevelFormat extended_paging{.table = ept_bits::read | ept_bits::write | ept_bits::execute,
                                                        .memory = ept_bits::read | ept_bits::execute | ept_bits::write_back,
                                                        .device = ept_bits::read | ept_bits::uncached,
                                                        .write = ept_bits::write};

/// The EPT pointer: write-back tables of four levels; with or without accessed and dirty bits, which the processor keeps where software has
/// nothing [intel/sdm3 25.6.11, 29.3.5].
constexpr u64 ept_pointer(Mfn root, bool accessed_dirty) { return to_paddr(root).raw | (accessed_dirty ? 1u << 6 : 0) | (4 - 1) << 3 | 6; }

}  // namespace px::vmx
