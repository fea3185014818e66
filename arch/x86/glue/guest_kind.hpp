// The two kinds of guests: those that hardware virtualization runs, and those whose kernel runs in ring 3.
//
// The functions of the architecture's contract for domains and vCPUs are members of a kind; arch/x86/glue/glue.cpp hands each call to
// that of the domain. Contracts: arch/vcpu.hpp, arch/domain.hpp, arch/guest_memory.hpp, arch/hypercalls.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu_policy/cpu_policy.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"
#include "hypervisor/domain/domain.hpp"
#include "hypervisor/hypercall/hypercall.hpp"

namespace px {

class GuestKind {
public:
    virtual Result<> check_settings(const DomainSettings& settings) const = 0;
    virtual Result<> create_domain(Domain& domain) const = 0;
    virtual Progress relinquish_domain(Domain& domain) const = 0;
    virtual void destroy_domain(Domain& domain) const = 0;
    virtual void flush_physmap(Domain& domain) const = 0;

    virtual Result<> create_vcpu(Vcpu& vcpu) const = 0;
    virtual void destroy_vcpu(Vcpu& vcpu) const = 0;
    virtual void switch_in(Vcpu& vcpu) const = 0;
    virtual void switch_out(Vcpu& vcpu) const = 0;
    virtual void run(Vcpu& vcpu) const = 0;
    virtual void kick(Vcpu& vcpu) const = 0;
    virtual void set_upcall(Vcpu& vcpu) const = 0;
    virtual bool deliverable(Vcpu& vcpu) const = 0;
    virtual Result<Progress> initialise_vcpu(Vcpu& vcpu, u64 argument) const = 0;

    virtual Result<> copy_from_guest(Vcpu& vcpu, void* to, u64 address, usize bytes) const = 0;
    virtual Result<> copy_to_guest(Vcpu& vcpu, u64 address, const void* from, usize bytes) const = 0;

    /// A toolstack's whole state of a vCPU that doesn't run (set: that is down). Errors: einval, eopnotsupp;
    /// Progress::more: call again with the same context.
    virtual Result<> get_context(Vcpu& vcpu, abi::x86::VcpuGuestContext& context) const = 0;
    virtual Result<Progress> set_context(Vcpu& vcpu, const abi::x86::VcpuGuestContext& context) const = 0;
    /// What a frame of the domain is used as, in the numbers of abi::pfinfo.
    virtual u32 frame_info(Domain& domain, Gfn gfn) const = 0;
    /// What such a guest may have at most of this host, and what it gets where nobody chooses.
    virtual hvm::CpuPolicy maximum_policy() const = 0;
    virtual hvm::CpuPolicy default_policy() const = 0;
    /// A domain of another kind, and its vCPU, may build domains of this one. Errors: enomem.
    virtual Result<> create_builder(Domain&) const { return {}; }
    virtual Result<> create_builder_vcpu(Vcpu&) const { return {}; }

    virtual u32 features(const Domain& domain) const = 0;
    virtual u64 vm_assists() const = 0;
    virtual const HypercallTable& hypercalls() const = 0;
    /// Code of a page by which the kind's guests make hypercalls.
    virtual void write_hypercall_page(void* page) const = 0;

protected:
    ~GuestKind() = default;
};

const GuestKind& hvm_kind();
/// nullptr where PV was left out at build time, or turned off at boot (`pv=0`).
const GuestKind* pv_kind();
bool pv_is_built();
/// Before there is a domain.
void turn_pv_off();

inline const GuestKind& kind_of(const Domain& domain) { return domain.settings.hvm ? hvm_kind() : *pv_kind(); }

}  // namespace px
