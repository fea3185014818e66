// The builder of PV domains.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "boot/loader/pv_start_info.hpp"
#include "toolstack/builder/files.hpp"
#include "toolstack/builder/guest_memory.hpp"
#include "toolstack/builder/guest_spec.hpp"

namespace px::builder {

/// A guest that can be built: its files are read and sound, and everything has a place. No hypervisor was needed.
class PvPlan {
public:
    static call::Outcome<PvPlan> prepare(GuestSpec spec);

    /// Makes the domain, paused. After an error there is no domain.
    call::Outcome<BuiltDomain> build(call::Privcmd& privcmd, const Placement& place) const;

private:
    using Frames = std::vector<u64>;  ///< machine frames by pseudo-physical numbers

    PvPlan(GuestSpec spec, Kernel kernel) : spec_(std::move(spec)), kernel_(std::move(kernel)) {}
    u64 pages() const { return spec_.memory_kib / (page_size / 1024); }
    call::Outcome<> fill(control::Domain domain, BuiltDomain& built, const Placement& place) const;
    call::Outcome<Frames> give_memory(control::Domain domain) const;
    call::Outcome<> load(control::Domain domain, const Frames& frames) const;
    call::Outcome<> write_tables(GuestMemory& memory, const Frames& frames) const;
    call::Outcome<> connect(control::Domain domain, const Frames& frames, BuiltDomain& built) const;
    call::Outcome<> write_start_info(control::Domain domain, GuestMemory& memory, const BuiltDomain& built) const;
    call::Outcome<> start(control::Domain domain, const Frames& frames) const;

    GuestSpec spec_;
    Kernel kernel_;
    std::vector<u8> ramdisk_;
    loader::PvStart start_{};
};

}  // namespace px::builder
