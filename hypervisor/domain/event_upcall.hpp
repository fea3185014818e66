// The last step of event delivery, common to both ABIs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/domain/vcpu.hpp"

namespace px {

/// Tells `vcpu` that it has events, unless it has been told and hasn't looked yet. The caller has set what the guest
/// will look at by a sequentially consistent operation: the guest clears this flag before it looks, so either we see it
/// cleared, or the guest sees ours.
inline void raise_upcall(Vcpu& vcpu) {
    u8& pending = vcpu.info().evtchn_upcall_pending;
    if (__atomic_load_n(&pending, __ATOMIC_SEQ_CST) != 0 || __atomic_exchange_n(&pending, u8{1}, __ATOMIC_SEQ_CST) != 0) return;
    arch::set_upcall(vcpu);
    vcpu.kick();
}

}  // namespace px
