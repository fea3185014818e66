// The build host as an architecture: a guest's linear address is a pointer into a registered buffer of the test.
// Contract: see arch/x86/include/arch/guest_memory.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px::arch {

Result<> copy_from_guest(void* to, u64 address, usize bytes);
Result<> copy_to_guest(u64 address, const void* from, usize bytes);

/// Memory that the guest may name from now on; everything else is efault. Tests only.
void host_guest_memory(void* base, usize bytes, bool writable = true);
void host_guest_memory_clear();

}  // namespace px::arch
