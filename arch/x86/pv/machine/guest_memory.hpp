// Memory of the current PV vCPU by its linear addresses: read and written where it lies, by its own page tables.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// By the tables of the guest's kernel, in whichever mode the vCPU is. Errors: efault (not the guest's addresses, or what the processor
/// refuses there); a part may have been copied.
Result<> copy_from_guest(VcpuState& state, void* to, u64 address, usize bytes);
Result<> copy_to_guest(VcpuState& state, u64 address, const void* from, usize bytes);

/// As copy_from_guest(), by the tables that are loaded: an instruction's bytes, or a user's memory.
Result<> read_mapped(void* to, u64 address, usize bytes);
Result<> write_mapped(u64 address, const void* from, usize bytes);

}  // namespace px::pv
