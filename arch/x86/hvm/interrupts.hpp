// What interrupts a vCPU: event channel upcalls, the virtual local APIC, NMI.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/vcpu_state.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

/// The most urgent thing that could be injected, whether or not the guest has interrupts open. Kind::none: nothing.
/// An upcall by the domain's callback vector goes before the APIC's requests and is acknowledged by nobody.
Event next_interrupt(Vcpu& vcpu);
/// The event was put into the control block.
void interrupt_taken(Vcpu& vcpu, const Event& event);
/// True where something arrived since next_interrupt() was asked for this entry; interrupts off.
bool events_changed(const Vcpu& vcpu);

/// Queues an exception for the next entry; a contributory pair becomes #DF, a third fault a shutdown.
void inject_exception(Vcpu& vcpu, u8 vector);
void inject_exception(Vcpu& vcpu, u8 vector, u32 error_code);
void inject_page_fault(Vcpu& vcpu, u64 linear, u32 error_code);

}  // namespace px::hvm
