// The VT-x back end: per-CPU set-up, a vCPU's VMCS, switches.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/vmx/vmx.hpp"

#include <cstring>

#include "arch/smp.hpp"
#include "arch/x86/cpu/hidden_features.hpp"
#include "arch/x86/cpu/host_features.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/mm/mappings.hpp"
#include "arch/x86/vmx/apic.hpp"
#include "arch/x86/vmx/errata.hpp"
#include "arch/x86/vmx/extended_paging.hpp"
#include "arch/x86/vmx/instructions.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::vmx {
namespace {

constinit Setup chosen{};
constexpr u32 vpids = 0x10000;  ///< 0 is the hypervisor's own

extern "C" const u8 vmx_exit[];

/// MSRs that the guest owns while it runs: in the VMCS, or switched by load_state() and save_state().
constexpr u32 guest_owned_msrs[] = {arch::msr::fs_base,      arch::msr::gs_base,     arch::msr::kernel_gs_base, arch::msr::star,
                                    arch::msr::lstar,        arch::msr::cstar,       arch::msr::sfmask,         arch::msr::sysenter_cs,
                                    arch::msr::sysenter_esp, arch::msr::sysenter_eip};

CapabilityMsrs read_capabilities() {
    return CapabilityMsrs::read([](u32 index) { return arch::read_msr(index); });
}

u64 read_arch_capabilities() {
    const bool there = arch::cpuid(0).eax >= 7 && (arch::cpuid(7).edx >> 29 & 1) != 0;
    return there ? arch::read_msr(arch::msr::arch_capabilities) : 0;
}

/// What an exit loads: ours on this CPU, whatever a PV guest that runs here now has in control registers. PAT and EFER are the same on all CPUs.
void write_host_state(const arch::PerCpuState& cpu) {
    arch::TablePointer idt;
    asm volatile("sidt %0" : "=m"(idt));
    for (const Field16 unused : {Field16::host_es, Field16::host_ds, Field16::host_fs, Field16::host_gs}) write(unused, 0);
    write(Field16::host_cs, arch::selector::code);
    write(Field16::host_ss, arch::selector::data);
    write(Field16::host_tr, arch::selector::tss);
    write(FieldNatural::host_cr0, arch::read_cr<0>() & ~arch::cr0::ts);
    write(FieldNatural::host_cr3, to_paddr(arch::address_space_root()).raw);
    write(FieldNatural::host_cr4, arch::host_cr4());
    write(FieldNatural::host_fs_base, 0);
    write(FieldNatural::host_gs_base, 0);
    write(FieldNatural::host_tr_base, reinterpret_cast<u64>(&cpu.tss));
    write(FieldNatural::host_gdtr_base, cpu.descriptors.base);
    write(FieldNatural::host_idtr_base, idt.base);
    write(Field32::host_sysenter_cs, 0);
    write(FieldNatural::host_sysenter_esp, 0);
    write(FieldNatural::host_sysenter_eip, 0);
    write(Field64::host_pat, arch::read_msr(arch::msr::pat));
    write(Field64::host_efer, arch::read_msr(arch::msr::efer));
    write(FieldNatural::host_rip, reinterpret_cast<u64>(vmx_exit));
}

/// A page that begins with the revision, as VMXON and VMPTRLD want it. Errors: enomem.
Result<Mfn> allocate_region() {
    const Mfn region = TRY(allocate_frames(0));
    const u32 revision = chosen.revision;
    std::memcpy(to_virtual(region), &revision, sizeof revision);
    return region;
}

bool feature_control_allows() {
    const u64 value = arch::read_msr(arch::msr::feature_control);
    switch (read_feature_control(value)) {
    case FeatureControl::enabled: return true;
    case FeatureControl::locked_off: return false;
    case FeatureControl::unlocked: break;
    }
    arch::write_msr(arch::msr::feature_control, value | feature_control_vmx | feature_control_lock);
    return true;
}

}  // namespace

const Setup& setup() { return chosen; }

bool Vmx::probe() {
    if ((arch::host_cpuid(1).ecx >> 5 & 1) == 0) return false;
    if (read_feature_control(arch::read_msr(arch::msr::feature_control)) == FeatureControl::locked_off) {
        log_warning("VT-x is locked off by the firmware (IA32_FEATURE_CONTROL)");
        return false;
    }
    const auto setup = choose_setup(read_capabilities());
    if (!setup) {
        log_warning("VT-x {} can't be used", setup.error());
        return false;
    }
    chosen = *setup;
    const Abilities& have = chosen.abilities;
    if (!have.xsaves) arch::hide_host_feature("xsaves");
    hvm::SecondLevelFormat format = extended_paging;
    const bool small_code = large_code_is_unsafe(arch::cpuid(1).eax, read_arch_capabilities());
    if (small_code) format.small_only = ept_bits::execute;
    hvm::PhysmapPolicy::choose(format, have.ept_1g ? 18 : have.ept_2m ? 9 : 0);
    log_info("VT-x: EPT with {} leaves{}, unrestricted guest{}{}{}{}{}{}{}{}",
             have.ept_1g   ? "1 GiB"
             : have.ept_2m ? "2 MiB"
                           : "4 KiB",
             small_code ? " (code in small ones: CVE-2018-12207)" : "", have.vpid ? ", VPID" : "", have.tpr_shadow ? ", TPR shadow" : "",
             have.apic_registers ? ", APIC registers" : "", have.virtual_interrupts ? ", virtual interrupts" : "",
             have.posted_interrupts ? ", posted interrupts" : "", have.pause_loop ? ", PAUSE-loop exits" : "",
             have.xsaves ? ", XSAVES" : "", have.ept_accessed_dirty ? ", accessed and dirty bits" : "");
    return true;
}

Result<> Vmx::enable_cpu() {
    PerCpu& cpu = this_cpu();
    if (!feature_control_allows()) {
        log_error("CPU {}: VT-x is locked off by the firmware, unlike on the boot CPU", cpu.id);
        return Err{Errno::enodev};
    }
    const auto own = choose_setup(read_capabilities());
    if (!own || own->controls != chosen.controls || own->abilities != chosen.abilities) {
        log_error("CPU {}: VT-x differs from the boot CPU's", cpu.id);
        return Err{Errno::enodev};
    }
    cpu.arch.host_save = TRY(allocate_region());
    arch::add_to_host_cr4(arch::cr4::vmxe);
    REQUIRE(vmxon(to_paddr(cpu.arch.host_save).raw), enodev);
    cpu.arch.tlb_tags.begin(vpids);
    return {};  // stale translations of others: the first VPID and the first entry of each domain flush them
}

Result<> Vmx::create(Vcpu& vcpu) {
    vcpu.arch.vmx = TRY(make<VcpuVmx>());
    VcpuVmx& vmx = *vcpu.arch.vmx;
    vmx.msr_bitmap = static_cast<MsrBitmap*>(to_virtual(TRY(allocate_frames(0))));
    vmx.vmcs_address = to_paddr(TRY(allocate_region())).raw;
    vmx.ept_pointer = ept_pointer(vcpu.domain.physmap.root(), chosen.abilities.ept_accessed_dirty);
    std::memset(vmx.msr_bitmap, 0xff, sizeof(MsrBitmap));
    for (const u32 index : guest_owned_msrs) vmx.msr_bitmap->set(index, false, false);
    vmclear(vmx.vmcs_address);
    const BorrowedVmcs vmcs(vcpu);
    set_up_vmcs(vcpu);
    return set_up_apic(vcpu);
}

void Vmx::destroy(Vcpu& vcpu) {
    if (!vcpu.arch.vmx) return;
    VcpuVmx& vmx = *vcpu.arch.vmx;
    const auto free_page = [](void* page) {
        if (page != nullptr) free_frames(to_mfn(arch::to_physical(page)), 0);
    };
    free_page(vmx.msr_bitmap);
    if (vmx.vmcs_address != 0) free_frames(to_mfn(Paddr{vmx.vmcs_address}), 0);
    vcpu.arch.vmx.reset();
}

void Vmx::load(Vcpu& vcpu) {
    PerCpu& cpu = this_cpu();
    VcpuVmx& vmx = *vcpu.arch.vmx;
    vmptrld(vmx.vmcs_address);
    cpu.arch.current_vmcs = vmx.vmcs_address;
    vmx.launched = false;
    if (vmx.host_cpu != cpu.id.raw) {
        write_host_state(cpu.arch);
        vmx.host_cpu = cpu.id.raw;
    }
    load_state(vcpu);
}

void Vmx::save(Vcpu& vcpu) {
    save_state(vcpu);
    vmclear(vcpu.arch.vmx->vmcs_address);
    this_cpu().arch.current_vmcs = 0;
}

void Vmx::flush_physmap(Domain& domain) {
    // Whoever enters from now on flushes first; whoever is inside leaves before the call returns.
    domain.arch.physmap_known_to.clear();
    arch::call_on(
        domain.arch.running_on.snapshot(), [](void*) {}, nullptr);
}

}  // namespace px::vmx
