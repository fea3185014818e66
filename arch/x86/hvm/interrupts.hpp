// What interrupts a vCPU: event channel upcalls, the virtual local APIC, NMI.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/domain/vcpu.hpp"

namespace px::hvm {

/// The most urgent thing that could be injected, whether or not the guest has interrupts open. Kind::none: nothing.
/// An upcall by the domain's callback vector goes before the APIC's requests and is acknowledged by nobody.
Event next_interrupt(Vcpu& vcpu);
/// The same without the local APIC's requests, for processors that deliver those.
Event next_direct_interrupt(Vcpu& vcpu);
/// Whether anything but `taken`, which was taken just now, could be injected. An upcall stays pending until its handler says otherwise: it
/// doesn't wait behind itself.
bool another_waits(Vcpu& vcpu, const Event& taken);
/// False where there is surely nothing to inject: the common case, decided without a search. The first leaves out the local
/// APIC's requests.
inline bool may_have_direct_event(Vcpu& vcpu) {
    const VcpuState& state = vcpu.arch;
    return state.pending.kind != Event::Kind::none || state.nmi_pending ||
           (state.upcall_vector == 0 && vcpu.info().evtchn_upcall_pending != 0);
}
inline bool may_have_event(Vcpu& vcpu) { return may_have_direct_event(vcpu) || vcpu.arch.apic.requested(); }
/// The event was put into the control block.
void interrupt_taken(Vcpu& vcpu, const Event& event);

// A kind's part of the contract (arch/vcpu.hpp).
void kick(Vcpu& vcpu);
void set_upcall(Vcpu& vcpu);
bool deliverable(Vcpu& vcpu);

/// Queues an exception for the next entry; a contributory pair becomes #DF, a third fault a shutdown.
void inject_exception(Vcpu& vcpu, u8 vector);
void inject_exception(Vcpu& vcpu, u8 vector, u32 error_code);
void inject_page_fault(Vcpu& vcpu, u64 linear, u32 error_code);

}  // namespace px::hvm
