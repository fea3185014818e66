// What PV keeps of a domain's and a vCPU's memory: root tables, descriptor tables, and what an interrupted operation has left.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/type_machine.hpp"
#include "hypervisor/abi/x86/vcpu_context.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::pv {

/// Pages that a GDT of a guest may have; those after them are ours.
inline constexpr unsigned gdt_pages = abi::x86::first_reserved_gdt_page;
inline constexpr unsigned ldt_pages = 16;
inline constexpr u32 most_ldt_entries = 8192;

/// The local descriptor table: linear memory of the guest, whose pages are mapped when they are first used.
struct Ldt {
    u64 base = 0;
    u32 entries = 0;
    std::array<Frame*, ldt_pages> pages{};  ///< each with a use as descriptors and a reference
};

/// Changed by its own vCPU, or where that doesn't run; but the pages of the LDT by any.
struct VcpuMemory {
    explicit VcpuMemory(Vcpu& of) : vcpu(of) {}

    Vcpu& vcpu;
    FrameRef unfinished;           ///< a partial table that this vCPU has to dissolve before its next operation
    Frame* kernel_root = nullptr;  ///< with a use as L4 and a reference
    Frame* user_root = nullptr;
    std::array<Frame*, gdt_pages> gdt{};
    u32 gdt_entries = 0;
    Locked<Ldt, LockRank::ldt> ldt;
};

class Guest {
public:
    explicit Guest(Domain& domain) : domain_(domain) {}
    /// Errors: enomem.
    Result<> create_vcpu(Vcpu& vcpu) {
        vcpus_[vcpu.id.raw] = TRY(make<VcpuMemory>(vcpu));
        return {};
    }
    VcpuMemory& of(const Vcpu& vcpu) { return *vcpus_[vcpu.id.raw]; }

    /// The pages of all LDTs are mapped anew at their next use, from what their linear addresses mean then.
    void forget_ldts();
    /// For a dying domain, preemptible: gives back every use and every reference that this class and the domain's page tables hold.
    Progress relinquish();

private:
    Progress drop_pins();

    Domain& domain_;
    FrameRef visited_;  ///< by drop_pins(), and not done with
    std::array<Box<VcpuMemory>, max_vcpus_per_domain> vcpus_;
};

/// Of the vCPU that makes a hypercall. Errors: enosys where its domain has no part in PV.
inline Result<VcpuMemory*> memory_of(const Vcpu& vcpu) {
    Guest* const guest = machine::guest_of(vcpu.domain);
    REQUIRE(guest != nullptr, enosys);
    return &guest->of(vcpu);
}

}  // namespace px::pv
