// AArch64: hypercalls name guest memory by virtual addresses of the current vCPU, at EL1's view (AT S12E1R, S12E1W).
// Contract: see arch/x86/include/arch/guest_memory.hpp. [xen/public arch-arm.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px::arch {

Result<> copy_from_guest(void* to, u64 address, usize bytes);
Result<> copy_to_guest(u64 address, const void* from, usize bytes);

}  // namespace px::arch
