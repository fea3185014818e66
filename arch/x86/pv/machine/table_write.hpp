// Writes to page tables that a PV guest makes as if they were its own memory. [xen/public xen.h VMASST_TYPE_writable_pagetables]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// Executes the current vCPU's instruction, which faulted at `address`, where that is an entry of an L1 table of its domain's and the new
/// entry is one that the domain may have. False: the fault is the guest's.
bool write_table(Vcpu& vcpu, u64 address);

}  // namespace px::pv
