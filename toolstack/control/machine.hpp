// The machine and its hypervisor: what `xl info` and `xl dmesg` tell.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "hypervisor/abi/version.hpp"
#include "toolstack/call/privcmd.hpp"

namespace px::control {

call::Outcome<abi::SysctlPhysinfo> physical_info(call::Privcmd& privcmd);
/// abi::SchedulerId of cpupool 0.
call::Outcome<u32> scheduler_id(call::Privcmd& privcmd);

/// "credit2".
const char* scheduler_name(u32 id);

struct CpuPool {
    u32 id, scheduler, domains;
    std::vector<bool> cpus;  ///< one element per physical CPU
};
/// The pool with the lowest id from `first` up; nothing when there is none.
call::Outcome<std::optional<CpuPool>> next_cpu_pool(call::Privcmd& privcmd, u32 first);

struct Version {
    unsigned major = 0, minor = 0;
    std::string extra;         ///< ".7" of 4.17.7
    std::string capabilities;  ///< "xen-3.0-x86_64 hvm-3.0-x86_32 …"
    std::string changeset, command_line, compiler, compiled_by, compile_domain, compile_date, build_id;
    u64 page_size = 0, virtual_start = 0;
};
call::Outcome<Version> version(call::Privcmd& privcmd);

/// What the hypervisor logged; `clear` empties the log.
call::Outcome<std::string> read_log(call::Privcmd& privcmd, bool clear);
/// As if `keys` were pressed on the hypervisor's console.
call::Outcome<> send_debug_keys(call::Privcmd& privcmd, std::string_view keys);

/// Where each physical CPU is: one element per number, with abi::invalid_core_id and the like for those that aren't there.
call::Outcome<std::vector<abi::SysctlCputopo>> cpu_topology(call::Privcmd& privcmd);
struct NumaNode {
    u64 memory, free;            ///< bytes
    std::vector<u32> distances;  ///< to each node; 10 is local
};
call::Outcome<std::vector<NumaNode>> numa_nodes(call::Privcmd& privcmd);
/// The NUMA node of each physical CPU; abi::invalid_node_id for those that aren't there.
call::Outcome<std::vector<u32>> nodes_of_cpus(call::Privcmd& privcmd);

/// Microseconds that a vCPU runs at least, in cpupool 0.
call::Outcome<u32> credit2_ratelimit(call::Privcmd& privcmd);
call::Outcome<> set_credit2_ratelimit(call::Privcmd& privcmd, u32 microseconds);

}  // namespace px::control
