// The builder of PVH domains.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>

#include "boot/loader/start_of_day.hpp"
#include "toolstack/builder/acpi.hpp"
#include "toolstack/builder/cpuid_rules.hpp"
#include "toolstack/builder/files.hpp"
#include "toolstack/builder/layout.hpp"
#include "toolstack/control/domain.hpp"

namespace px::builder {

struct PvhSpec {
    control::Handle handle{};
    std::string kernel;   ///< path
    std::string ramdisk;  ///< path; empty: none
    std::string command_line;
    u64 memory_kib = 0;
    u64 max_memory_kib = 0;  ///< what it may grow to
    u64 paging_kib = 0;      ///< memory for its page tables, 0: enough
    u32 max_vcpus = 1;
    u32 max_event_port = 1023;
    i32 max_grant_frames = -1;     ///< negative: the hypervisor's default
    i32 max_maptrack_frames = -1;  ///< likewise
    u32 grant_version = 2;
    u32 tsc_mode = 0;  ///< abi::DomctlTscInfo::tsc_mode
    std::vector<CpuidRule> cpuid;
    u32 timer_mode = 1;  ///< abi::HvmTimerMode
    i64 time_offset_seconds = 0;
};

/// What the services of dom0 need to know of a new domain.
struct BuiltDomain {
    DomId id;
    EvtPort console_port, store_port;
    Gfn console = console_frame, store = store_frame;
};

/// A guest that can be built: its files are read and sound, and everything has a place. No hypervisor was needed.
class PvhPlan {
public:
    static call::Outcome<PvhPlan> prepare(PvhSpec spec);

    /// Makes the domain, paused. After an error there is no domain.
    call::Outcome<BuiltDomain> build(call::Privcmd& privcmd) const;

private:
    PvhPlan(PvhSpec spec, Kernel kernel) : spec_(std::move(spec)), kernel_(std::move(kernel)) {}
    call::Outcome<> find_places();
    loader::StartOfDayRequest start_of_day_request() const;
    call::Outcome<> check_free_memory(call::Privcmd& privcmd) const;
    u64 paging_kib() const;
    call::Outcome<> set_up(control::Domain domain) const;
    call::Outcome<> give_memory(control::Domain domain) const;
    call::Outcome<> load(control::Domain domain) const;
    call::Outcome<> connect(control::Domain domain, BuiltDomain& built) const;
    call::Outcome<> set_vcpus(control::Domain domain) const;

    PvhSpec spec_;
    Kernel kernel_;
    std::vector<u8> ramdisk_;
    std::vector<loader::StartModule> modules_;
    AcpiTables acpi_;
    Layout layout_;
    loader::StartOfDay start_of_day_{};
};

}  // namespace px::builder
