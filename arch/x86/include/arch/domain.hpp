// Contract: what the architecture keeps for a domain.
//
// DomainSettings              what a domctl may choose; checked by check_settings()
// create_domain(domain)       after the generic parts (physmap not yet); Errors: enomem, einval, eopnotsupp
// relinquish_domain(domain)   preemptible; the domain is dying, no vCPU runs
// destroy_domain(domain)      the last reference is gone
// hardware_domain_shutdown(r) the domain that owns the machine ended with code r: power off, reboot or panic
// flush_physmap(domain)       after a change of a present entry: no CPU uses the old translation afterwards; waits; the
//                             caller holds the physmap's lock and nothing that ranks above it
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/domain_state.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px {
class Domain;
struct DomainSettings;
}  // namespace px

namespace px::arch {

struct DomainSettings {
    u32 emulation_flags = 1;  ///< XEN_X86_EMU_*: PVH has LAPIC; the hardware domain IOAPIC as well
    u32 misc_flags = 0;
};

using DomainState = hvm::DomainState;

/// Errors: enodev without hardware virtualization, eopnotsupp.
Result<> check_settings(const px::DomainSettings& settings);
Result<> create_domain(Domain& domain);
void hardware_domain_shutdown(u8 reason);
Progress relinquish_domain(Domain& domain);
void destroy_domain(Domain& domain);
void flush_physmap(Domain& domain);

}  // namespace px::arch
