// What a builder is asked for, and what the services of dom0 need to know of the result.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "toolstack/builder/cpuid_rules.hpp"
#include "toolstack/control/domain.hpp"

namespace px::builder {

struct GuestSpec {
    control::Handle handle{};
    std::string kernel;   ///< path
    std::string ramdisk;  ///< path; empty: none
    std::string command_line;
    u64 memory_kib = 0;
    u64 max_memory_kib = 0;  ///< what it may grow to
    u64 paging_kib = 0;      ///< memory for its nested page tables, 0: enough
    u32 max_vcpus = 1;
    u32 max_event_port = 1023;
    i32 max_grant_frames = -1;     ///< negative: the hypervisor's default
    i32 max_maptrack_frames = -1;  ///< likewise
    u32 grant_version = 2;
    u32 tsc_mode = 0;  ///< abi::DomctlTscInfo::tsc_mode
    std::vector<CpuidRule> cpuid;
    u32 timer_mode = 1;  ///< abi::HvmTimerMode; not of PV
    i64 time_offset_seconds = 0;
};

/// Frames as the guest names them: of a PV one, machine frames.
struct BuiltDomain {
    DomId id;
    EvtPort console_port, store_port;
    Gfn console, store;
};

// What every builder does.
inline constexpr DomId dom0{0};
inline constexpr u64 limit_slack_kib = 1024;  ///< rings and tables, which the guest doesn't count as its memory

/// `kind`: abi::physcap::pv or hvm; `capabilities`: what the hypervisor has of them. Errors: it hasn't that one.
call::Outcome<> check_kind(u32 kind, u32 capabilities);
/// Errors: as of check_kind(); the machine hasn't as much free memory as `needed_kib` and what the hypervisor itself takes for a domain.
call::Outcome<> check_machine(call::Privcmd& privcmd, u32 kind, u64 needed_kib);
/// Says which CPUs its vCPUs may use: called once they exist and before it has memory, which then comes from those CPUs' nodes.
using Placement = std::function<call::Outcome<>(control::Domain)>;
/// vCPUs, limits, clock and CPUID of an empty domain.
call::Outcome<> set_common(control::Domain domain, const GuestSpec& spec, const Placement& place);
/// flags: abi::cdf; emulation: abi::x86::emu.
call::Outcome<DomId> create_empty(call::Privcmd& privcmd, const GuestSpec& spec, u32 flags, u32 emulation);

}  // namespace px::builder
