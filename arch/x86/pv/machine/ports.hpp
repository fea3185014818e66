// The I/O ports behind a PV domain's port instructions.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/domain/domain.hpp"

namespace px::pv {

/// Of a vCPU whose mode may use them: the machine's where the domain has them, else those that are handled for it; others float.
u32 port_in(Vcpu& vcpu, u16 port, unsigned size);
void port_out(Vcpu& vcpu, u16 port, unsigned size, u32 value);

}  // namespace px::pv
