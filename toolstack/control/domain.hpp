// One domain: its life, its limits, its parameters.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <span>
#include <vector>

#include "hypervisor/abi/hvm_params.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"
#include "toolstack/call/domain_info.hpp"

namespace px::control {

using Handle = std::array<u8, 16>;  ///< the domain's UUID

struct NewDomain {
    Handle handle{};
    u32 flags = 0;      ///< abi::cdf
    u32 emulation = 0;  ///< abi::x86::emu
    u32 max_vcpus = 1;
    u32 max_event_port = 1023;
    i32 max_grant_frames = -1;     ///< negative: the hypervisor's default
    i32 max_maptrack_frames = -1;  ///< likewise
    u32 grant_version = 2;         ///< the highest that the guest may choose
};

/// Makes an empty, paused domain. The number is the hypervisor's choice.
call::Outcome<DomId> create_domain(call::Privcmd& privcmd, const NewDomain& wanted);

/// Calls on one domain. An Error's code is the hypervisor's errno: ESRCH when there is no such domain.
class Domain {
public:
    Domain(call::Privcmd& privcmd, DomId id) : privcmd_(&privcmd), id_(id) {}

    DomId id() const { return id_; }
    call::Privcmd& privcmd() const { return *privcmd_; }

    call::Outcome<> pause();
    call::Outcome<> unpause();
    /// Returns once all of its memory is given back or held by other domains only.
    call::Outcome<> destroy();
    /// Ends all its vCPUs as if the domain had asked for it.
    call::Outcome<> shut_down(abi::ShutdownReason reason);

    call::Outcome<> set_max_vcpus(u32 count);
    call::Outcome<> set_max_memory(u64 kib);
    /// Memory for its nested page tables, bytes. A hypervisor without this pool says EOPNOTSUPP.
    call::Outcome<> set_paging_pool(u64 bytes);
    call::Outcome<> set_tsc_mode(u32 mode);
    call::Outcome<> set_time_offset(i64 seconds);
    call::Outcome<> trigger(abi::SendTrigger trigger, u32 vcpu);

    call::Outcome<> set_param(abi::HvmParam param, u64 value);
    call::Outcome<u64> param(abi::HvmParam param);
    /// A port of this domain that `remote` may bind.
    call::Outcome<EvtPort> allocate_port(DomId remote);

    /// The saved state of all its vCPUs and devices: records [xen/public hvm/save.h].
    call::Outcome<std::vector<u8>> hvm_context();
    call::Outcome<> set_hvm_context(std::span<const u8> records);

    // Of a domain without a physmap (PV).
    /// Fills a page of the guest's with the code of its hypercalls.
    call::Outcome<> write_hypercall_page(u64 mfn);
    /// The whole state of a vCPU, which may run from then on.
    call::Outcome<> set_vcpu_context(u32 vcpu, const abi::x86::VcpuGuestContext& context);

    call::Outcome<abi::DomctlSchedCredit2> credit2();
    call::Outcome<> set_credit2(abi::DomctlSchedCredit2 parameters);

private:
    call::Outcome<> simple(abi::DomctlCmd command, const char* what);
    std::string sentence(const char* what) const;

    call::Privcmd* privcmd_;
    DomId id_;
};

}  // namespace px::control
