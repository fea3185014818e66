// Watching over a guest: what happens when it stops.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>

#include "libxlcfg/config.hpp"
#include "toolstack/domain/lookup.hpp"

namespace px::domain {

/// What its configuration wants done when it stops for `reason`. Nothing for a suspended guest.
std::optional<xlcfg::ShutdownAction> action_for(const xlcfg::Actions& actions, abi::ShutdownReason reason);

/// Stays until the guest is gone for good; restarts it as its configuration says. `log` gets a line for each thing that
/// happens. Opens its own System, so that it may be called in a new process.
call::Outcome<> watch_over(DomId domain, const xlcfg::DomainConfig& config, const std::function<void(const std::string&)>& log);

/// The same in a process of its own that outlives its parent and logs to /var/log/xen/xl-NAME.log. The caller must have no
/// System open.
call::Outcome<> watch_over_in_background(DomId domain, const xlcfg::DomainConfig& config);

}  // namespace px::domain
