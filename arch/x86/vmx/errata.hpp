// Errors of processors that software must live with.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <iterator>

#include "hypervisor/base/types.hpp"

namespace px::vmx {

/// CVE-2018-12207: code fetched through a large leaf, whose size another CPU changes meanwhile, stops the machine with a
/// machine check. `signature`: CPUID 1's EAX; `arch_capabilities`: IA32_ARCH_CAPABILITIES, 0 where there is none.
/// The small cores of family 6 are free of it, and whoever says so (IF_PSCHANGE_MC_NO).
constexpr bool large_code_is_unsafe(u32 signature, u64 arch_capabilities) {
    constexpr u64 if_pschange_mc_no = u64{1} << 6;
    if ((arch_capabilities & if_pschange_mc_no) != 0) return false;
    constexpr u8 free_of_it[] = {0x1c, 0x26, 0x27, 0x35, 0x36, 0x37, 0x4a, 0x4c, 0x4d, 0x57,
                                 0x5a, 0x5c, 0x5d, 0x5f, 0x75, 0x7a, 0x85, 0x86, 0x96, 0x9c};
    const u32 family = signature >> 8 & 15, model = (signature >> 4 & 15) | (signature >> 12 & 0xf0);
    return family == 6 && std::find(std::begin(free_of_it), std::end(free_of_it), model) == std::end(free_of_it);
}

}  // namespace px::vmx
