// A vCPU's state under VT-x: what the VMCS holds, and what lives on the CPU while the vCPU is loaded.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/guest_walk.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "arch/x86/vmx/instructions.hpp"
#include "arch/x86/vmx/segments.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::vmx {
namespace {

/// Bits of CR0 and CR4 that a guest has an idea of, while the processor keeps another: NE and VMXE must be set in VMX
/// operation, MCE stays on for the machine's sake, and CD and NW would slow the machine down.
constexpr u64 cr0_shadowed = arch::cr0::ne | arch::cr0::cd | arch::cr0::nw;
constexpr u64 real_cr0(u64 guest) { return (guest & ~cr0_shadowed) | arch::cr0::ne; }
constexpr u64 cr4_forced = arch::cr4::vmxe | arch::cr4::mce;
/// Whatever the domain's CPU policy hasn't is shadowed as well, so that setting it exits.
u64 cr4_shadowed(const Vcpu& vcpu) { return ~hvm::valid_cr4(vcpu.domain.arch.policy) | cr4_forced; }
constexpr u64 real_cr4(u64 guest) { return guest | cr4_forced; }

constexpr u64 breakpoints_on = 0xff;  ///< of DR7
/// PAUSEs that are no further apart than the gap make one loop, which exits when it has lasted for the window; both in TSC
/// ticks. [intel/sdm3 26.1.3]
constexpr u32 pause_loop_gap = 128, pause_loop_window = 4096;

/// The four pointers of 32-bit PAE paging are part of the VMCS [intel/sdm3 27.3.1.6].
void load_pae_pointers(Vcpu& vcpu) {
    const hvm::ControlRegisters& control = vcpu.arch.control;
    const bool pae = (control.cr0 & arch::cr0::pg) != 0 && (control.cr4 & arch::cr4::pae) != 0 && (control.efer & arch::efer::lma) == 0;
    if (!pae) return;
    std::array<u64, 4> pointers{};
    const std::span<u8> bytes(reinterpret_cast<u8*>(pointers.data()), sizeof pointers);
    if (!hvm::copy_physical(vcpu, Gpaddr{control.cr3 & 0xffff'ffe0}, bytes, hvm::CopyDirection::from_guest)) pointers = {};
    write(Field64::guest_pdpte_0, pointers[0]);
    write(Field64::guest_pdpte_1, pointers[1]);
    write(Field64::guest_pdpte_2, pointers[2]);
    write(Field64::guest_pdpte_3, pointers[3]);
}

void write_control(Vcpu& vcpu) {
    const hvm::ControlRegisters& control = vcpu.arch.control;
    write(FieldNatural::guest_cr0, real_cr0(control.cr0));
    write(FieldNatural::cr0_shadow, control.cr0);
    write(FieldNatural::guest_cr3, control.cr3);
    write(FieldNatural::guest_cr4, real_cr4(control.cr4));
    write(FieldNatural::cr4_shadow, control.cr4);
    write(FieldNatural::cr4_mask, cr4_shadowed(vcpu));
    write(Field64::guest_efer, control.efer);
    // The processor itself keeps this control in step with EFER.LMA at exits.
    const u32 entry = read(Field32::entry_controls) & ~entry_control::long_mode;
    write(Field32::entry_controls, entry | ((control.efer & arch::efer::lma) != 0 ? entry_control::long_mode : 0));
    load_pae_pointers(vcpu);
}

void write_syscall_msrs(const hvm::VcpuState& state) {
    arch::write_msr(arch::msr::star, state.star);
    arch::write_msr(arch::msr::lstar, state.lstar);
    arch::write_msr(arch::msr::cstar, state.cstar);
    arch::write_msr(arch::msr::sfmask, state.sfmask);
    arch::write_msr(arch::msr::kernel_gs_base, state.kernel_gs_base);
}

/// What lives on the CPU, copied into VcpuState; it stays there as well.
void read_loaded_state(Vcpu& vcpu) {
    hvm::VcpuState& state = vcpu.arch;
    if (!state.vmx->state_loaded) return;
    state.star = arch::read_msr(arch::msr::star);
    state.lstar = arch::read_msr(arch::msr::lstar);
    state.cstar = arch::read_msr(arch::msr::cstar);
    state.sfmask = arch::read_msr(arch::msr::sfmask);
    state.kernel_gs_base = arch::read_msr(arch::msr::kernel_gs_base);
    state.control.cr2 = read_guest_cr2();
    if (!state.vmx->debug_registers_loaded) return;
    arch::read_debug_addresses(state.debug_address);
    state.dr6 = arch::read_debug_status();
}

void set_debug_exits(VcpuVmx& vmx, bool on) {
    vmx.primary_controls = on ? vmx.primary_controls | primary::mov_dr : vmx.primary_controls & ~primary::mov_dr;
    constexpr u32 debug = 1u << arch::exception::debug;
    vmx.exception_bitmap = on ? vmx.exception_bitmap | debug : vmx.exception_bitmap & ~debug;
    write(Field32::primary_controls, vmx.primary_controls);
    write(Field32::exception_bitmap, vmx.exception_bitmap);
}

void write_controls(Vcpu& vcpu) {
    VcpuVmx& vmx = *vcpu.arch.vmx;
    Controls controls = setup().controls;
    const bool own_ports = vcpu.domain.arch.io_bitmap != nullptr;
    if (!own_ports) controls.primary = (controls.primary & ~primary::io_bitmaps) | primary::all_io;
    if (!vcpu.domain.settings.hardware) controls.secondary |= secondary::wbinvd & setup().optional_secondary;
    vmx.primary_controls = controls.primary;
    vmx.exception_bitmap = 1u << arch::exception::machine_check | 1u << arch::exception::debug;
    write(Field32::pin_controls, vmx.pin_controls = controls.pin);
    write(Field32::primary_controls, vmx.primary_controls);
    write(Field32::secondary_controls, vmx.secondary_controls = controls.secondary);
    write(Field32::exit_controls, controls.exit);
    write(Field32::entry_controls, controls.entry);
    write(Field32::exception_bitmap, vmx.exception_bitmap);
    write(Field32::page_fault_mask, 0);
    write(Field32::page_fault_match, 0);
    write(Field32::cr3_target_count, 0);
    write(Field32::exit_msr_store_count, 0);
    write(Field32::exit_msr_load_count, 0);
    write(Field32::entry_msr_load_count, 0);
    write(Field32::entry_interruption, 0);
    if ((controls.secondary & secondary::pause_loop) != 0) {
        write(Field32::ple_gap, pause_loop_gap);
        write(Field32::ple_window, pause_loop_window);
    }
    if ((controls.secondary & secondary::xsaves) != 0) write(Field64::xss_exits, 0);
    if (own_ports) {
        const u64 ports = arch::to_physical(vcpu.domain.arch.io_bitmap).raw;
        write(Field64::io_bitmap_a, ports);
        write(Field64::io_bitmap_b, ports + page_size);
    }
    write(Field64::msr_bitmap, arch::to_physical(vmx.msr_bitmap).raw);
    write(Field64::ept_pointer, vmx.ept_pointer);
    write(FieldNatural::cr0_mask, cr0_shadowed);
}

}  // namespace

BorrowedVmcs::BorrowedVmcs(const Vcpu& vcpu) : own_(vcpu.arch.vmx->vmcs_address), former_(this_cpu().arch.current_vmcs) {
    if (former_ == own_) return;
    vmptrld(own_);
    this_cpu().arch.current_vmcs = own_;
}
BorrowedVmcs::~BorrowedVmcs() {
    if (former_ == own_) return;
    vmclear(own_);
    if (former_ != 0) vmptrld(former_);
    this_cpu().arch.current_vmcs = former_;
}

void set_up_vmcs(Vcpu& vcpu) {
    write_controls(vcpu);
    using hvm::Segment;
    const hvm::SegmentRegister data{0, 0x93, 0xffff, 0};
    hvm::Backend& self = *hvm::backend();
    for (const Segment which : {Segment::es, Segment::ss, Segment::ds, Segment::fs, Segment::gs}) self.set_segment(vcpu, which, data);
    self.set_segment(vcpu, Segment::cs, {0xf000, 0x9b, 0xffff, 0xffff0000});
    self.set_segment(vcpu, Segment::ldtr, {0, 0x82, 0xffff, 0});
    self.set_segment(vcpu, Segment::tr, {0, 0x8b, 0xffff, 0});
    self.set_gdtr(vcpu, {0, 0xffff});
    self.set_idtr(vcpu, {0, 0xffff});
    write(Field64::link_pointer, ~u64{0});
    write(Field64::guest_debug_control, 0);
    write(Field32::guest_interruptibility, 0);
    write(Field32::guest_activity, 0);
    write(FieldNatural::guest_pending_debug, 0);
    vcpu.arch.registers.rflags = 2;
    vcpu.arch.registers.rip = 0xfff0;
    VcpuVmx& vmx = *vcpu.arch.vmx;
    write(FieldNatural::guest_rip, vmx.rip = 0xfff0);
    write(FieldNatural::guest_rsp, vmx.rsp = 0);
    write(FieldNatural::guest_rflags, vmx.rflags = 2);
    self.control_changed(vcpu);
}

void load_state(Vcpu& vcpu) {
    write_syscall_msrs(vcpu.arch);
    write_guest_cr2(vcpu.arch.control.cr2);
    vcpu.arch.vmx->state_loaded = true;
    if ((vcpu.arch.dr7 & breakpoints_on) != 0) give_debug_registers(vcpu);
}

void save_state(Vcpu& vcpu) {
    VcpuVmx& vmx = *vcpu.arch.vmx;
    if (!vcpu.arch.control_is_current) hvm::backend()->read_control(vcpu);
    read_loaded_state(vcpu);
    if (vmx.debug_registers_loaded) {
        vcpu.arch.dr7 = read(FieldNatural::guest_dr7);
        set_debug_exits(vmx, true);
    }
    vmx.state_loaded = vmx.debug_registers_loaded = false;
}

void give_debug_registers(Vcpu& vcpu) {
    VcpuVmx& vmx = *vcpu.arch.vmx;
    if (vmx.debug_registers_loaded) return;
    arch::write_debug_addresses(vcpu.arch.debug_address);
    arch::write_debug_status(vcpu.arch.dr6);
    vmx.debug_registers_loaded = true;
    set_debug_exits(vmx, false);
}

hvm::SegmentRegister Vmx::segment(const Vcpu& vcpu, hvm::Segment which) const {
    const BorrowedVmcs vmcs(vcpu);
    return {read(selector_of(which)), to_attributes(read(rights_of(which))), read(limit_of(which)), read(base_of(which))};
}

void Vmx::set_segment(Vcpu& vcpu, hvm::Segment which, const hvm::SegmentRegister& value) {
    const BorrowedVmcs vmcs(vcpu);
    const hvm::SegmentRegister fitting = normalised(value);
    write(selector_of(which), fitting.selector);
    write(rights_of(which), to_rights(fitting.attributes));
    write(limit_of(which), fitting.limit);
    write(base_of(which), fitting.base);
}

hvm::TableRegister Vmx::gdtr(const Vcpu& vcpu) const {
    const BorrowedVmcs vmcs(vcpu);
    return {read(FieldNatural::guest_gdtr_base), static_cast<u16>(read(Field32::guest_gdtr_limit))};
}
hvm::TableRegister Vmx::idtr(const Vcpu& vcpu) const {
    const BorrowedVmcs vmcs(vcpu);
    return {read(FieldNatural::guest_idtr_base), static_cast<u16>(read(Field32::guest_idtr_limit))};
}
void Vmx::set_gdtr(Vcpu& vcpu, const hvm::TableRegister& value) {
    const BorrowedVmcs vmcs(vcpu);
    write(FieldNatural::guest_gdtr_base, value.base);
    write(Field32::guest_gdtr_limit, value.limit);
}
void Vmx::set_idtr(Vcpu& vcpu, const hvm::TableRegister& value) {
    const BorrowedVmcs vmcs(vcpu);
    write(FieldNatural::guest_idtr_base, value.base);
    write(Field32::guest_idtr_limit, value.limit);
}

void Vmx::control_changed(Vcpu& vcpu) {
    const BorrowedVmcs vmcs(vcpu);
    const hvm::VcpuState& state = vcpu.arch;
    VcpuVmx& vmx = *state.vmx;
    write_control(vcpu);
    write(Field64::guest_pat, state.pat);
    write(FieldNatural::guest_dr7, state.dr7);
    write(Field64::tsc_offset, state.tsc_offset);
    write(Field32::guest_sysenter_cs, static_cast<u32>(state.sysenter_cs));
    write(FieldNatural::guest_sysenter_esp, state.sysenter_esp);
    write(FieldNatural::guest_sysenter_eip, state.sysenter_eip);
    const u32 emulated_tsc = vcpu.domain.arch.tsc_native ? 0 : primary::rdtsc;
    vmx.primary_controls = (vmx.primary_controls & ~primary::rdtsc) | emulated_tsc;
    write(Field32::primary_controls, vmx.primary_controls);
    vcpu.arch.control_is_current = true;
    if (!vmx.state_loaded) return;
    write_syscall_msrs(state);
    write_guest_cr2(state.control.cr2);
    if (vmx.debug_registers_loaded) arch::write_debug_status(state.dr6);
}

void Vmx::read_control(Vcpu& vcpu) {
    const BorrowedVmcs vmcs(vcpu);
    const auto seen = [](FieldNatural real, FieldNatural shadow, u64 mask) { return (read(real) & ~mask) | (read(shadow) & mask); };
    hvm::ControlRegisters& control = vcpu.arch.control;
    control.cr0 = seen(FieldNatural::guest_cr0, FieldNatural::cr0_shadow, cr0_shadowed);
    control.cr4 = seen(FieldNatural::guest_cr4, FieldNatural::cr4_shadow, read(FieldNatural::cr4_mask));
    control.cr3 = read(FieldNatural::guest_cr3);
    control.efer = read(Field64::guest_efer);
    if (vcpu.arch.vmx->state_loaded) control.cr2 = read_guest_cr2();
    vcpu.arch.control_is_current = true;
}

void Vmx::synchronise(Vcpu& vcpu) {
    const BorrowedVmcs vmcs(vcpu);
    hvm::VcpuState& state = vcpu.arch;
    if (!state.control_is_current) read_control(vcpu);
    read_loaded_state(vcpu);
    state.pat = read(Field64::guest_pat);
    state.dr7 = read(FieldNatural::guest_dr7);
    state.sysenter_cs = read(Field32::guest_sysenter_cs);
    state.sysenter_esp = read(FieldNatural::guest_sysenter_esp);
    state.sysenter_eip = read(FieldNatural::guest_sysenter_eip);
}

unsigned Vmx::privilege(const Vcpu& vcpu) const {
    const BorrowedVmcs vmcs(vcpu);
    return read(Field32::guest_ss_rights) >> 5 & 3;  // also where SS can't be used [intel/sdm3 25.4.1]
}

bool Vmx::interrupts_open(const Vcpu& vcpu) const {
    constexpr u64 interrupt_flag = 1u << 9;
    const BorrowedVmcs vmcs(vcpu);
    return (vcpu.arch.registers.rflags & interrupt_flag) != 0 &&
           (read(Field32::guest_interruptibility) & (blocking::sti | blocking::mov_ss)) == 0;
}

void Vmx::intercept_msr(Vcpu& vcpu, u32 index, bool read, bool write) { vcpu.arch.vmx->msr_bitmap->set(index, read, write); }

}  // namespace px::vmx
