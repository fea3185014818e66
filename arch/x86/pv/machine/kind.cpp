// PV guests as a kind.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/smp.hpp"
#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/pv/cpuid_policy.hpp"
#include "arch/x86/pv/machine/calls.hpp"
#include "arch/x86/pv/machine/context.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "arch/x86/pv/machine/guest_memory.hpp"
#include "arch/x86/pv/machine/switch.hpp"
#include "hypervisor/abi/features.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::pv {
namespace {

constinit std::atomic<bool> existed{false};

class Pv final : public GuestKind {
public:
    Result<> check_settings(const DomainSettings& settings) const override {
        REQUIRE(!settings.hap, einval);
        return {};
    }

    Result<> create_domain(Domain& domain) const override {
        existed.store(true, std::memory_order_seq_cst);
        domain.arch.pv = TRY(make<DomainState>(domain));
        domain.arch.set_policy(default_policy());
        return {};
    }
    Progress relinquish_domain(Domain& domain) const override { return domain.arch.pv->guest.relinquish(); }
    void destroy_domain(Domain& domain) const override { domain.arch.pv.reset(); }
    void flush_physmap(Domain&) const override {}  // it has none

    Result<> create_vcpu(Vcpu& vcpu) const override {
        Guest& guest = vcpu.domain.arch.pv->guest;
        TRY(guest.create_vcpu(vcpu));
        vcpu.arch.pv = TRY(make<VcpuState>(guest.of(vcpu)));
        vcpu.arch.xsave_area = TRY(arch::allocate_extended_state());
        if (vcpu.has_info()) vcpu.info().evtchn_upcall_mask = 1;  // until its kernel is ready
        return {};
    }
    void destroy_vcpu(Vcpu& vcpu) const override {
        vcpu.arch.pv.reset();
        arch::free_extended_state(std::exchange(vcpu.arch.xsave_area, nullptr));
    }

    void switch_in(Vcpu& vcpu) const override { pv::switch_in(vcpu); }
    void switch_out(Vcpu& vcpu) const override { pv::switch_out(vcpu); }
    void run(Vcpu& vcpu) const override { pv::run(vcpu); }

    void kick(Vcpu& vcpu) const override {
        const CpuId cpu = vcpu.unit.cpu();
        if (cpu != this_cpu().id) arch::interrupt_cpu(cpu);
    }
    void set_upcall(Vcpu& vcpu) const override { vcpu.kick(); }
    bool deliverable(Vcpu& vcpu) const override {
        const abi::VcpuInfo& info = vcpu.info();
        return (info.evtchn_upcall_pending != 0 && info.evtchn_upcall_mask == 0) || vcpu.arch.nmi_pending;
    }
    Result<Progress> initialise_vcpu(Vcpu& vcpu, u64 argument) const override {
        auto context = TRY(make<abi::x86::VcpuGuestContext>());  // too large for a stack
        TRY(GuestPtr<abi::x86::VcpuGuestContext>(argument).read_many(context.get(), 1));
        return set_context(vcpu, *context);
    }

    Result<> copy_from_guest(Vcpu& vcpu, void* to, u64 address, usize bytes) const override {
        return pv::copy_from_guest(state_of(vcpu), to, address, bytes);
    }
    Result<> copy_to_guest(Vcpu& vcpu, u64 address, const void* from, usize bytes) const override {
        return pv::copy_to_guest(state_of(vcpu), address, from, bytes);
    }

    Result<> get_context(Vcpu& vcpu, abi::x86::VcpuGuestContext& context) const override {
        pv::get_context(vcpu, context);
        return {};
    }
    Result<Progress> set_context(Vcpu& vcpu, const abi::x86::VcpuGuestContext& context) const override {
        return pv::set_context(vcpu, context);
    }
    u32 frame_info(Domain& domain, Gfn gfn) const override {
        const auto frame = domain.physmap.get_frame(gfn, false);
        if (!frame) return abi::pfinfo::xtab;
        const FrameUse use = use_of(**frame);
        const bool is_table = use.count != 0 && is_page_table(use.type);
        return (is_table ? u32{static_cast<u8>(use.type)} << abi::pfinfo::ltab_shift : abi::pfinfo::notab) |
               (use.pinned ? abi::pfinfo::lpintab : 0);
    }
    hvm::CpuPolicy maximum_policy() const override { return pv::maximum_policy(hvm::host_policy()); }
    hvm::CpuPolicy default_policy() const override { return maximum_policy(); }
    Result<> create_builder(Domain& domain) const override {
        domain.arch.pv = TRY(make<DomainState>(domain));
        return {};
    }
    Result<> create_builder_vcpu(Vcpu& vcpu) const override { return vcpu.domain.arch.pv->guest.create_vcpu(vcpu); }

    u32 features(const Domain&) const override {
        const auto bit = [](abi::Feature feature) { return 1u << static_cast<u32>(feature); };
        return bit(abi::Feature::mmu_pt_update_preserve_ad) | bit(abi::Feature::highmem_assist) | bit(abi::Feature::gnttab_map_avail_bits);
    }
    u64 vm_assists() const override { return valid_assists; }
    const HypercallTable& hypercalls() const override { return pv::hypercalls; }
    void write_hypercall_page(void* page) const override { pv::write_hypercall_page(page); }
};

constinit const Pv kind;
constinit const GuestKind* present = &kind;

}  // namespace

bool any_domain_existed() { return existed.load(std::memory_order_seq_cst); }

}  // namespace px::pv

namespace px {

const GuestKind* pv_kind() { return pv::present; }
bool pv_is_built() { return true; }
void turn_pv_off() { pv::present = nullptr; }

}  // namespace px
