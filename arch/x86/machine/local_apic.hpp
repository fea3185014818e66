// The host's local APIC, in xAPIC or x2APIC mode. [intel/sdm3 11] [amd/apm2 16]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/machine/apic_registers.hpp"
#include "hypervisor/base/result.hpp"

namespace px::arch {

/// Decides the mode and maps the registers, where the processor says that they are; boot CPU, once. Without `may_use_x2` x2APIC mode is
/// used only where the firmware has turned it on: there is no way back from it. Errors: enomem.
Result<> init_local_apic(bool may_use_x2);
/// Enables this CPU's local APIC, masks its sources; NMI on LINT1.
void enable_local_apic();
bool local_apic_is_x2();
u32 local_apic_id();
u32 local_apic_read(apic::Register which);
void local_apic_write(apic::Register which, u32 value);
void local_apic_eoi();
/// One interrupt command to one CPU: fixed delivery of `vector`.
void local_apic_send(u32 apic_id, u8 vector);
void local_apic_send_init(u32 apic_id);
void local_apic_send_startup(u32 apic_id, u8 page);
void local_apic_nmi_all_others();

}  // namespace px::arch
