// Page faults of PV guests.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// Of the current vCPU: its LDT's pages are mapped, writes to its page tables are done for it; all else is its kernel's.
void page_fault(Vcpu& vcpu, u64 address, u32 error_code);

}  // namespace px::pv
