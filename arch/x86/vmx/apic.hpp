// A virtual local APIC whose work the processor does, as far as it can. [intel/sdm3 30]
//
// The registers are one state, hvm::VirtualLocalApic's page, whoever works on them. What exits are left, and what a VMCS
// repeats of the state, is here.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/vmx/owed_flush.hpp"
#include "arch/x86/vmx/vcpu_vmx.hpp"
#include "hypervisor/domain/vcpu.hpp"

namespace px::vmx {

/// The APIC's part of a new VMCS, which is current. Errors: enomem.
Result<> set_up_apic(Vcpu& vcpu);

/// Whether pass_apic_state() has something to do.
inline bool apic_needs_work(const Vcpu& vcpu, const VcpuVmx& vmx) {
    const hvm::VirtualLocalApic& apic = vcpu.arch.apic;
    return apic.posted() || apic.changed() || (!vmx.delivers() && (apic.requested() || vmx.tpr_threshold != 0));
}
/// Before an entry: the VMCS follows the APIC's mode and, where the processor delivers, learns what is requested and in
/// service. The result is owed where the mode changed.
OwedFlush pass_apic_state(Vcpu& vcpu);
/// Where we deliver: lowering the task priority exits if a request waits for that. Behind choose_event().
void set_tpr_threshold(Vcpu& vcpu);

/// A guest's access faulted at this address: true where it was the local APIC's page, which is mapped from now on.
bool map_apic_page(Vcpu& vcpu, Gpaddr address);

// Exits: the guest wrote a register, or ended an interrupt, and its effects are to follow. [intel/sdm3 30.4.3.3, 30.1.4]
void handle_apic_write(Vcpu& vcpu);
void handle_virtualized_eoi(Vcpu& vcpu);

}  // namespace px::vmx
