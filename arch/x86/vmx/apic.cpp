// A virtual local APIC whose work the processor does, as far as it can.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/vmx/apic.hpp"

#include <algorithm>
#include <cstring>

#include "arch/x86/traps/trap_frame.hpp"
#include "arch/x86/vmx/instructions.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::vmx {
namespace {

namespace apic = arch::apic;

ApicMode mode_of(const hvm::VirtualLocalApic& apic) {
    return apic.is_x2() ? ApicMode::x2apic : apic.is_xapic() ? ApicMode::xapic : ApicMode::off;
}

void set_mode(VcpuVmx& vmx, u32 controls) {
    constexpr u32 all = secondary::apic_accesses | secondary::x2apic | secondary::apic_registers | secondary::virtual_interrupts;
    vmx.apic_controls = controls;
    write(Field32::pin_controls, (vmx.pin_controls & ~pin::posted_interrupts) | posting_controls(setup().abilities, controls));
    write(Field32::secondary_controls, vmx.secondary_controls = (vmx.secondary_controls & ~all) | controls);
    for (u32 offset = 0; offset < 0x400; offset += 16) {
        vmx.msr_bitmap->set(0x800 + offset / 16, !reads_x2_register(controls, offset), !writes_x2_register(controls, offset));
    }
}

/// What the processor looks at in place of the request and in-service registers, and which ends of interrupts we must see.
void pass_vectors(const hvm::VirtualLocalApic& apic, const hvm::ApicPage& page, VcpuVmx& vmx) {
    const int requested = apic.enabled_by_software() ? page.highest(apic::request) : -1;
    const int serving = page.highest(apic::in_service);
    write(Field16::guest_interrupt_status, static_cast<u16>(std::max(serving, 0) << 8 | std::max(requested, 0)));
    for (u32 i = 0; i < vmx.eoi_exits.size(); ++i) {
        const u64 levels = page.word(apic::trigger_mode, i);
        if (levels != vmx.eoi_exits[i]) write(Field64(static_cast<u32>(Field64::eoi_exit_0) + 2 * i), vmx.eoi_exits[i] = levels);
    }
}

/// The page at the local APIC's address in a domain: accesses to it are virtualized, so nobody sees what is in it but a
/// guest that uses the address in x2APIC mode, where nothing should be there. Errors: enomem.
Result<> allocate_access_page(Domain& domain) {
    if (domain.arch.apic_access_page != nullptr) return {};
    domain.arch.apic_access_page = to_virtual(TRY(allocate_frames(0)));
    std::memset(domain.arch.apic_access_page, 0xff, page_size);
    return {};
}

}  // namespace

Result<> set_up_apic(Vcpu& vcpu) {
    const Abilities& have = setup().abilities;
    if (!have.tpr_shadow) return {};
    write(Field64::virtual_apic, arch::to_physical(&vcpu.arch.apic.page()).raw);
    write(Field32::tpr_threshold, 0);
    if (have.apic_access) {
        TRY(allocate_access_page(vcpu.domain));
        write(Field64::apic_access, arch::to_physical(vcpu.domain.arch.apic_access_page).raw);
    }
    if (have.posted_interrupts) {
        write(Field16::posted_interrupt_vector, arch::vector::posted);
        write(Field64::posted_interrupt_descriptor, arch::to_physical(&vcpu.arch.apic.page().edges()).raw);
    }
    set_mode(*vcpu.arch.vmx, apic_controls(have, mode_of(vcpu.arch.apic)));
    return {};
}

OwedFlush pass_apic_state(Vcpu& vcpu) {
    VcpuVmx& vmx = *vcpu.arch.vmx;
    hvm::VirtualLocalApic& apic = vcpu.arch.apic;
    OwedFlush owed = OwedFlush::none();
    apic.collect();
    if (apic.changed()) {
        apic.changes_seen();
        const u32 controls = apic_controls(setup().abilities, mode_of(apic));
        if (controls != vmx.apic_controls) {
            set_mode(vmx, controls);
            owed = OwedFlush::physmap();  // translations know whether accesses are virtualized [intel/sdm3 29.4.3.3]
        }
    }
    if (vmx.delivers()) pass_vectors(apic, apic.page(), vmx);
    return owed;
}

void set_tpr_threshold(Vcpu& vcpu) {
    VcpuVmx& vmx = *vcpu.arch.vmx;
    if (!setup().abilities.tpr_shadow) return;
    const hvm::VirtualLocalApic& apic = vcpu.arch.apic;
    const bool waits = !vmx.delivers() && apic.requested() && !apic.has_deliverable();
    const u32 threshold = waits ? apic.task_priority() >> 4 : 0u;
    if (threshold != vmx.tpr_threshold) write(Field32::tpr_threshold, vmx.tpr_threshold = threshold);
}

bool map_apic_page(Vcpu& vcpu, Gpaddr address) {
    void* const page = vcpu.domain.arch.apic_access_page;
    if (to_gfn(address) != to_gfn(Gpaddr{hvm::VirtualLocalApic::default_base}) || page == nullptr || !vcpu.arch.apic.is_xapic())
        return false;
    return vcpu.domain.physmap.add_mmio(to_gfn(address), to_mfn(arch::to_physical(page)), 1).ok();  // else emulated
}

void handle_apic_write(Vcpu& vcpu) { vcpu.arch.apic.written(static_cast<u32>(read(FieldNatural::exit_qualification) & 0xfff)); }

void handle_virtualized_eoi(Vcpu& vcpu) { vcpu.arch.apic.ended(static_cast<u8>(read(FieldNatural::exit_qualification))); }

}  // namespace px::vmx
