// What every builder does.
//
// SPDX-License-Identifier: Apache-2.0
#include "toolstack/builder/guest_spec.hpp"

#include <algorithm>

#include "toolstack/builder/topology.hpp"
#include "toolstack/control/cpu_policy.hpp"
#include "toolstack/control/machine.hpp"

namespace px::builder {

using call::Error;
using call::Outcome;

namespace {
constexpr u64 hypervisor_kib = 4 * 1024;  ///< what the hypervisor itself needs for a domain, roughly
}

Outcome<> check_kind(u32 kind, u32 capabilities) {
    if ((capabilities & kind) != 0) return {};
    if (kind == abi::physcap::pv) {
        return Err{Error{ENODEV, "this hypervisor has no PV guests: PV was turned off (pv=0) or left out when it was built"}};
    }
    return Err{Error{
        ENODEV,
        "this machine has no hardware virtualization that can be used ('xl dmesg' says why): only guests with type = \"pv\" can run"}};
}

Outcome<> check_machine(call::Privcmd& privcmd, u32 kind, u64 needed_kib) {
    const auto machine = TRY(control::physical_info(privcmd));
    TRY(check_kind(kind, machine.capabilities));
    const u64 free_kib = machine.free_pages * (page_size / 1024);
    needed_kib += limit_slack_kib + hypervisor_kib;
    if (needed_kib <= free_kib) return {};
    return Err{Error{ENOMEM, "not enough memory: the guest needs " + std::to_string((needed_kib + 1023) / 1024) + " MiB, and " +
                                 std::to_string(free_kib / 1024) + " MiB are free"}};
}

Outcome<DomId> create_empty(call::Privcmd& privcmd, const GuestSpec& spec, u32 flags, u32 emulation) {
    return control::create_domain(privcmd, {
                                               .handle = spec.handle,
                                               .flags = flags,
                                               .emulation = emulation,
                                               .max_vcpus = spec.max_vcpus,
                                               .max_event_port = spec.max_event_port,
                                               .max_grant_frames = spec.max_grant_frames,
                                               .max_maptrack_frames = spec.max_maptrack_frames,
                                               .grant_version = spec.grant_version,
                                           });
}

Outcome<> set_common(control::Domain domain, const GuestSpec& spec, const Placement& place) {
    TRY(domain.set_max_vcpus(spec.max_vcpus));
    TRY(place(domain));
    TRY(domain.set_max_memory(std::max(spec.memory_kib, spec.max_memory_kib) + limit_slack_kib));
    TRY(domain.set_tsc_mode(spec.tsc_mode));
    if (spec.time_offset_seconds) TRY(domain.set_time_offset(spec.time_offset_seconds));
    control::CpuPolicy policy = TRY(control::cpu_policy(domain));
    fit_topology(policy);
    TRY(apply_cpuid_rules(policy, spec.cpuid));
    return control::set_cpu_policy(domain, policy);
}

}  // namespace px::builder
