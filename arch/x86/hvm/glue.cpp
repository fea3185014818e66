// HVM-style guests as a kind, on top of the back end.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/mitigations.hpp"
#include "arch/x86/domctl/context_ops.hpp"
#include "arch/x86/domctl/hvm_context.hpp"
#include "arch/x86/glue/guest_kind.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/guest_walk.hpp"
#include "arch/x86/hvm/hypercalls.hpp"
#include "arch/x86/hvm/initial_context.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/hvm/vmmio.hpp"
#include "arch/x86/machine/crash.hpp"
#include "arch/x86/svm/svm.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "hypervisor/abi/features.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/hypercall/guest_ptr.hpp"

namespace px::hvm {
namespace {

svm::Svm amd_v;
vmx::Vmx vt_x;
constinit Backend* chosen = nullptr;

/// The one place that knows which back ends there are.
Backend* probe() {
    if (svm::Svm::probe()) return &amd_v;
    if (vmx::Vmx::probe()) return &vt_x;
    return nullptr;
}

class Hvm final : public GuestKind {
public:
    Result<> check_settings(const DomainSettings& settings) const override {
        REQUIRE(backend() != nullptr, enodev);
        REQUIRE(settings.hap, eopnotsupp);  // shadow paging: not yet
        return {};
    }

    Result<> create_domain(Domain& domain) const override {
        domain.arch.set_policy(default_policy());
        if (domain.settings.control && pv_kind() != nullptr) TRY(pv_kind()->create_builder(domain));
        return add_local_apic_region(domain);
    }
    Progress relinquish_domain(Domain& domain) const override {
        for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
            if (Vcpu* const vcpu = domain.vcpu(VcpuId{i})) vcpu->arch.apic.stop_timer();
        }
        return Progress::done;
    }
    void destroy_domain(Domain& domain) const override {
        if (domain.arch.io_bitmap != nullptr) free_frames(to_mfn(arch::to_physical(domain.arch.io_bitmap)), 2);
        if (domain.arch.apic_access_page != nullptr) free_frames(to_mfn(arch::to_physical(domain.arch.apic_access_page)), 0);
        domain.arch.io_bitmap = nullptr;
        domain.arch.apic_access_page = nullptr;
    }
    void flush_physmap(Domain& domain) const override { backend()->flush_physmap(domain); }

    Result<> create_vcpu(Vcpu& vcpu) const override {
        if (vcpu.domain.settings.control && pv_kind() != nullptr) TRY(pv_kind()->create_builder_vcpu(vcpu));
        TRY(vcpu.arch.apic.create());
        vcpu.arch.xsave_area = TRY(arch::allocate_extended_state());
        // All vCPUs of a domain count the TSC from the same moment: its first vCPU's creation.
        const Vcpu* const first = vcpu.domain.vcpu(VcpuId{0});
        vcpu.arch.tsc_offset = first != nullptr ? first->arch.tsc_offset : 0 - arch::read_tsc();
        if (vcpu.domain.settings.hardware) vcpu.arch.tsc_offset = 0;
        return backend()->create(vcpu);
    }
    void destroy_vcpu(Vcpu& vcpu) const override {
        backend()->destroy(vcpu);
        arch::free_extended_state(std::exchange(vcpu.arch.xsave_area, nullptr));
    }

    void switch_in(Vcpu& vcpu) const override {
        vcpu.domain.arch.running_on.add(this_cpu().id);
        arch::load_extended_state(vcpu.arch.xsave_area);
        if (arch::has_xsave()) arch::load_xcr0(vcpu.arch.xcr0);
        (void)arch::write_msr_safe(arch::msr::tsc_aux, vcpu.arch.tsc_aux).ok();
        arch::before_guest(u64{vcpu.domain.id.raw} << 32 | (vcpu.id.raw + 1));
        this_cpu().arch.syscall_entry_loaded = false;
        backend()->load(vcpu);
    }
    void switch_out(Vcpu& vcpu) const override {
        backend()->save(vcpu);
        // Read back, for QEMU's AMD-V lets the guest execute XSETBV without an exit.
        if (arch::has_xsave()) vcpu.arch.xcr0 = arch::read_xcr0();
        if (arch::has_xsave()) arch::load_xcr0(arch::host_xcr0());
        arch::save_extended_state(vcpu.arch.xsave_area);
        vcpu.domain.arch.running_on.remove(this_cpu().id);
    }
    void run(Vcpu& vcpu) const override { backend()->run(vcpu); }
    void kick(Vcpu& vcpu) const override { hvm::kick(vcpu); }
    void set_upcall(Vcpu& vcpu) const override { hvm::set_upcall(vcpu); }
    bool deliverable(Vcpu& vcpu) const override { return hvm::deliverable(vcpu); }
    Result<Progress> initialise_vcpu(Vcpu& vcpu, u64 argument) const override {
        const auto context = TRY(guest_ptr<abi::x86::VcpuHvmContext>(argument).read());
        const CpuPolicy& policy = vcpu.domain.arch.policy;
        apply(vcpu, TRY(check_initial_context(context, valid_efer(policy), valid_cr4(policy))));
        return Progress::done;
    }

    Result<> copy_from_guest(Vcpu& vcpu, void* to, u64 address, usize bytes) const override {
        const auto copied = copy_linear(vcpu, address, {static_cast<u8*>(to), bytes}, CopyDirection::from_guest, 0);
        REQUIRE(copied.ok(), efault);
        return {};
    }
    Result<> copy_to_guest(Vcpu& vcpu, u64 address, const void* from, usize bytes) const override {
        const auto copied =
            copy_linear(vcpu, address, {static_cast<u8*>(const_cast<void*>(from)), bytes}, CopyDirection::to_guest, fault_code::write);
        REQUIRE(copied.ok(), efault);
        return {};
    }

    Result<> get_context(Vcpu& vcpu, abi::x86::VcpuGuestContext& context) const override {
        context = to_guest_context(capture(vcpu), !vcpu.is_halted(Vcpu::down));
        return {};
    }
    /// Of such a domain only whether the vCPU is online can be set this way: its registers come by set_hvm_context().
    Result<Progress> set_context(Vcpu& vcpu, const abi::x86::VcpuGuestContext& context) const override {
        REQUIRE((context.flags & abi::x86::vgcf::online) == 0 || !vcpu.arch.waits_for_startup, einval);
        return Progress::done;
    }
    /// All that there is at a guest frame number is plain memory.
    u32 frame_info(Domain& domain, Gfn gfn) const override {
        return is_own_ram(domain.physmap.lookup(gfn).type) ? abi::pfinfo::notab : abi::pfinfo::xtab;
    }
    CpuPolicy maximum_policy() const override { return hvm_maximum(host_policy()); }
    CpuPolicy default_policy() const override { return hvm_default(host_policy()); }

    u32 features(const Domain&) const override {
        const auto bit = [](abi::Feature feature) { return 1u << static_cast<u32>(feature); };
        return bit(abi::Feature::hvm_callback_vector) | bit(abi::Feature::hvm_safe_pvclock);
    }
    u64 vm_assists() const override { return u64{1} << static_cast<u32>(abi::VmassistType::runstate_update_flag); }
    const HypercallTable& hypercalls() const override { return hvm::hypercalls; }
    void write_hypercall_page(void* page) const override { hvm::write_hypercall_page(page); }
};

constinit const Hvm kind;

}  // namespace

Backend* backend() { return chosen; }

}  // namespace px::hvm

namespace px {

const GuestKind& hvm_kind() { return hvm::kind; }

namespace arch {

void enable_virtualization() {
    if (hvm::chosen == nullptr && this_cpu().id.raw == 0) hvm::chosen = hvm::probe();
    if (hvm::chosen == nullptr) {
        if (this_cpu().id.raw == 0) log_warning("no hardware virtualization: PVH and HVM domains can't be created");
        return;
    }
    if (!hvm::chosen->enable_cpu()) panic("CPU {} can't turn virtualization on", this_cpu().id);
}

unsigned largest_physmap_order() { return PhysmapPolicy::largest_order(); }

}  // namespace arch
}  // namespace px
