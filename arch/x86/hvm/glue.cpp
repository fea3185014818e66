// The architecture's contract for domains and vCPUs, on top of the HVM back end.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "arch/guest_time.hpp"
#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/mitigations.hpp"
#include "arch/x86/hvm/backend.hpp"
#include "arch/x86/hvm/vmmio.hpp"
#include "arch/x86/machine/clock.hpp"
#include "arch/x86/machine/crash.hpp"
#include "arch/x86/svm/svm.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "hypervisor/abi/sched.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

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

/// Order of the block that holds an extended state area.
unsigned state_order() {
    unsigned order = 0;
    while ((page_size << order) < arch::extended_state_size()) ++order;
    return order;
}

}  // namespace

Backend* backend() { return chosen; }

VcpuState::VcpuState(Vcpu& vcpu) : apic(vcpu) {}
VcpuState::~VcpuState() = default;

}  // namespace px::hvm

namespace px::arch {

using hvm::backend;

void enable_virtualization() {
    if (hvm::chosen == nullptr && this_cpu().id.raw == 0) hvm::chosen = hvm::probe();
    if (hvm::chosen == nullptr) {
        if (this_cpu().id.raw == 0) log_warning("no hardware virtualization: PVH and HVM domains can't be created");
        return;
    }
    if (!hvm::chosen->enable_cpu()) panic("CPU {} can't turn virtualization on", this_cpu().id);
}

Result<> check_settings(const px::DomainSettings& settings) {
    REQUIRE(backend() != nullptr, enodev);
    REQUIRE(settings.hvm && settings.hap, eopnotsupp);  // PV and shadow paging: not yet
    return {};
}

Result<> create_domain(Domain& domain) {
    domain.arch.set_policy(hvm::hvm_default(hvm::host_policy()));
    domain.arch.tsc_khz = tsc_khz();
    TRY(hvm::add_local_apic_region(domain));
    return {};
}

Progress relinquish_domain(Domain& domain) {
    for (u32 i = 0; i < domain.settings.max_vcpus; ++i) {
        if (Vcpu* const vcpu = domain.vcpu(VcpuId{i})) vcpu->arch.apic.stop_timer();
    }
    return Progress::done;
}

void destroy_domain(Domain& domain) {
    if (domain.arch.io_bitmap != nullptr) free_frames(to_mfn(to_physical(domain.arch.io_bitmap)), 2);
    if (domain.arch.apic_access_page != nullptr) free_frames(to_mfn(to_physical(domain.arch.apic_access_page)), 0);
    domain.arch.io_bitmap = nullptr;
    domain.arch.apic_access_page = nullptr;
}

void hardware_domain_shutdown(u8 reason) {
    switch (abi::ShutdownReason{reason}) {
    case abi::ShutdownReason::poweroff: log_info("dom0 has shut down: powering off"); return power_off_machine();
    case abi::ShutdownReason::reboot: log_info("dom0 has shut down: rebooting"); return reboot_machine();
    default: panic("dom0 has crashed (shutdown code {})", reason);
    }
}

unsigned largest_physmap_order() { return PhysmapPolicy::largest_order(); }

void flush_physmap(Domain& domain) { backend()->flush_physmap(domain); }
// The translations of a physmap are flushed when its entries end.
u32 freed_stamp(const Domain&) { return 0; }
void flush_stale(u32) {}

Result<> create_vcpu(Vcpu& vcpu) {
    TRY(vcpu.arch.apic.create());
    const Mfn area = TRY(allocate_frames(hvm::state_order()));
    vcpu.arch.xsave_area = to_virtual(area);
    init_extended_state(vcpu.arch.xsave_area);
    // All vCPUs of a domain count the TSC from the same moment: its first vCPU's creation.
    const Vcpu* const first = vcpu.domain.vcpu(VcpuId{0});
    vcpu.arch.tsc_offset = first != nullptr ? first->arch.tsc_offset : 0 - read_tsc();
    if (vcpu.domain.settings.hardware) vcpu.arch.tsc_offset = 0;
    return backend()->create(vcpu);
}

void destroy_vcpu(Vcpu& vcpu) {
    backend()->destroy(vcpu);
    if (vcpu.arch.xsave_area != nullptr) free_frames(to_mfn(to_physical(vcpu.arch.xsave_area)), hvm::state_order());
    vcpu.arch.xsave_area = nullptr;
}

void switch_in(Vcpu& vcpu) {
    vcpu.domain.arch.running_on.add(this_cpu().id);
    load_extended_state(vcpu.arch.xsave_area);
    if (has_xsave()) load_xcr0(vcpu.arch.xcr0);
    (void)write_msr_safe(msr::tsc_aux, vcpu.arch.tsc_aux).ok();
    before_guest(u64{vcpu.domain.id.raw} << 32 | (vcpu.id.raw + 1));
    backend()->load(vcpu);
}

void switch_out(Vcpu& vcpu) {
    backend()->save(vcpu);
    // Read back, for QEMU's AMD-V lets the guest execute XSETBV without an exit.
    if (has_xsave()) vcpu.arch.xcr0 = read_xcr0();
    if (has_xsave()) load_xcr0(host_xcr0());
    save_extended_state(vcpu.arch.xsave_area);
    vcpu.domain.arch.running_on.remove(this_cpu().id);
}

void run(Vcpu& vcpu) { backend()->run(vcpu); }

abi::VcpuTimeInfo vcpu_time(const Vcpu& vcpu) {
    abi::VcpuTimeInfo info{};
    const TickScale scale = tsc_scale();
    const u64 tsc = vcpu_time_is_constant(vcpu) ? boot_tsc_value() : read_tsc_ordered();
    info.tsc_timestamp = tsc + vcpu.arch.tsc_offset;
    info.system_time = static_cast<u64>(time_at(tsc).raw);
    info.tsc_to_system_mul = scale.multiplier;
    info.tsc_shift = scale.shift;
    info.flags = tsc_is_stable() ? abi::pvclock::tsc_stable : 0;
    return info;
}

bool vcpu_time_is_constant(const Vcpu&) { return tsc_is_stable(); }

}  // namespace px::arch
