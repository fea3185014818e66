// The builder of PVH domains.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/loader/start_of_day.hpp"
#include "toolstack/builder/acpi.hpp"
#include "toolstack/builder/files.hpp"
#include "toolstack/builder/guest_spec.hpp"
#include "toolstack/builder/layout.hpp"

namespace px::builder {

/// A guest that can be built: its files are read and sound, and everything has a place. No hypervisor was needed.
class PvhPlan {
public:
    static call::Outcome<PvhPlan> prepare(GuestSpec spec);

    /// Makes the domain, paused. After an error there is no domain.
    call::Outcome<BuiltDomain> build(call::Privcmd& privcmd, const Placement& place) const;

private:
    PvhPlan(GuestSpec spec, Kernel kernel) : spec_(std::move(spec)), kernel_(std::move(kernel)) {}
    call::Outcome<> find_places();
    loader::StartOfDayRequest start_of_day_request() const;
    u64 paging_kib() const;
    call::Outcome<> set_up(control::Domain domain, const Placement& place) const;
    call::Outcome<> give_memory(control::Domain domain) const;
    call::Outcome<> load(control::Domain domain) const;
    call::Outcome<> connect(control::Domain domain, BuiltDomain& built) const;
    call::Outcome<> set_vcpus(control::Domain domain) const;

    GuestSpec spec_;
    Kernel kernel_;
    std::vector<u8> ramdisk_;
    std::vector<loader::StartModule> modules_;
    AcpiTables acpi_;
    Layout layout_;
    loader::StartOfDay start_of_day_{};
};

}  // namespace px::builder
