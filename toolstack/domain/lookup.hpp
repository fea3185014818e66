// Domains by name and by number.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/sched.hpp"
#include "toolstack/call/domain_info.hpp"
#include "toolstack/domain/system.hpp"

namespace px::domain {

using Info = abi::DomctlGetdomaininfo;

/// "/local/domain/5".
std::string home_of(DomId domain);
/// What people call it; "(null)" when it has no name (any more).
std::string name_of(System& system, DomId domain);
/// The name of a CPU pool: what the store has, else Pool-ID as the reference calls those without one.
std::string pool_name(System& system, u32 pool);
/// The domain of that name, if there is one.
call::Outcome<std::optional<DomId>> find_by_name(System& system, std::string_view name);
/// From what a user wrote: a number or a name. Error: there is no such domain.
call::Outcome<DomId> find_domain(System& system, const std::string& text);
/// The same, with what the hypervisor says of it.
call::Outcome<Info> find_info(System& system, const std::string& text);

/// Why it stopped; nothing while it runs.
std::optional<abi::ShutdownReason> shutdown_reason(const Info& info);

}  // namespace px::domain
