// Making a guest from its configuration, and unmaking it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <variant>

#include "toolstack/builder/pv.hpp"
#include "toolstack/builder/pvh.hpp"
#include "toolstack/domain/kept_config.hpp"
#include "toolstack/domain/spec.hpp"
#include "toolstack/domain/system.hpp"

namespace px::domain {

/// Fixes what a configuration leaves to chance, so that the guest has it again when it starts again: its UUID, and numbers
/// and MAC addresses of its network cards.
void settle(xlcfg::DomainConfig& config);

/// A guest whose files are read and sound. No hypervisor was needed.
class GuestPlan {
public:
    static call::Outcome<GuestPlan> prepare(const xlcfg::DomainConfig& config);

    /// Makes the domain, paused, known to the store, its console and devices served. After an error nothing of it is left.
    call::Outcome<DomId> create(System& system) const;
    const control::Handle& uuid() const { return uuid_; }

private:
    using Plan = std::variant<builder::PvhPlan, builder::PvPlan>;
    GuestPlan(const xlcfg::DomainConfig& config, const control::Handle& uuid, Plan plan)
        : config_(config), uuid_(uuid), plan_(std::move(plan)) {}
    call::Outcome<> place(System& system, control::Domain domain) const;
    call::Outcome<> announce(System& system, const builder::BuiltDomain& built) const;
    call::Outcome<> plug_devices(System& system, DomId guest) const;

    xlcfg::DomainConfig config_;
    control::Handle uuid_;
    Plan plan_;
};

/// Ends the domain and forgets it; waits a few seconds until the hypervisor has no more of it.
call::Outcome<> remove_guest(System& system, DomId domain);

/// Gives a domain another name; error when another one has it.
call::Outcome<> rename_guest(System& system, DomId domain, const std::string& name);

}  // namespace px::domain
