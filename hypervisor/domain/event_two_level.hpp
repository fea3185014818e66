// Two-level event channels: a bit per port in shared_info, and a word of words in each vcpu_info. [xen/public xen.h]
//
// Ports from 4096 on don't exist here; they may be left over from FIFO times, and are ignored.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/shared_info.hpp"

namespace px {
class Vcpu;
}

namespace px::two_level {

/// `vcpu` is who is told; nullptr: nobody yet. True where it wasn't pending before.
bool set_pending(abi::SharedInfo& shared, Vcpu* vcpu, EvtPort port);
void clear_pending(abi::SharedInfo& shared, EvtPort port);
void unmask(abi::SharedInfo& shared, Vcpu* vcpu, EvtPort port);
bool is_pending(const abi::SharedInfo& shared, EvtPort port);

}  // namespace px::two_level
