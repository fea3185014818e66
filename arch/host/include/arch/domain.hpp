// The build host as an architecture: what it keeps for a domain. Contract: see arch/x86/include/arch/domain.hpp.
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
    u32 emulation_flags = 1;
    u32 misc_flags = 0;
};

struct DomainState {
    std::atomic<u64> flushes{0};  ///< calls of flush_physmap()
    u64 tag = 0;                  ///< names its translations in the TLBs; never used twice
    // What these functions of the contract do, where a test says so:
    Progress (*relinquish)(Domain&) = nullptr;
    u32 (*freed_stamp)(const Domain&) = nullptr;
};

/// Errors: einval for unknown emulation flags.
Result<> check_settings(const px::DomainSettings& settings);
Result<> create_domain(Domain& domain);
Progress relinquish_domain(Domain& domain);
void destroy_domain(Domain& domain);
/// Also drops the domain's entries from every HostTlb.
void flush_physmap(Domain& domain);
/// What flush_stale() does; nullptr at the start of every test: nothing.
void host_set_flush_stale(void (*flush)(u32 stamp));
/// Only noted; a real machine would go down.
void hardware_domain_shutdown(u8 reason);

}  // namespace px::arch
