// AArch64: what it keeps for a domain. Contract: see arch/x86/include/arch/domain.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px {
class Domain;
struct DomainSettings;
}  // namespace px

namespace px::arch {

struct DomainSettings {
    u8 gic_version = 0;  ///< of the virtual interrupt controller; 0: the machine's
    u32 shared_interrupts = 0;
};

struct DomainState {
    u16 vmid = 0;                            ///< names its translations in the TLBs [arm/ddi0487 D8.14.3]
    std::atomic<u64> physmap_generation{0};  ///< counts what flush_physmap() made stale
};

/// Errors: einval (no such interrupt controller), eopnotsupp.
Result<> check_settings(const px::DomainSettings& settings);
Result<> create_domain(Domain& domain);
void hardware_domain_shutdown(u8 reason);
Progress relinquish_domain(Domain& domain);
void destroy_domain(Domain& domain);
void flush_physmap(Domain& domain);

}  // namespace px::arch
