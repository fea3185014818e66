// The whole state of a PV vCPU, as its toolstack reads it. [xen/public arch-x86/xen.h vcpu_guest_context]
//
// SPDX-License-Identifier: Apache-2.0
#include <cstring>

#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/pv/machine/context.hpp"
#include "arch/x86/pv/machine/control.hpp"

namespace px::pv {
namespace {

namespace vgcf = abi::x86::vgcf;
using abi::x86::VcpuGuestContext;

u64 frame_of_root(const Frame* root) { return root != nullptr ? to_paddr(mfn_of(*root)).raw : 0; }

void give_registers(Vcpu& vcpu, abi::x86::CpuUserRegs& to) {
    const VcpuState& state = state_of(vcpu);
    const arch::TrapFrame& from = state.area.frame;
    to.r15 = from.r15, to.r14 = from.r14, to.r13 = from.r13, to.r12 = from.r12, to.rbp = from.rbp, to.rbx = from.rbx;
    to.r11 = from.r11, to.r10 = from.r10, to.r9 = from.r9, to.r8 = from.r8, to.rax = from.rax, to.rcx = from.rcx;
    to.rdx = from.rdx, to.rsi = from.rsi, to.rdi = from.rdi, to.rip = from.rip, to.rsp = from.rsp;
    to.cs = static_cast<u16>(from.cs);
    to.ss = static_cast<u16>(from.ss);
    to.ds = state.segments.ds, to.es = state.segments.es, to.fs = state.segments.fs, to.gs = state.segments.gs;
    to.saved_upcall_mask = vcpu.info().evtchn_upcall_mask;
    to.rflags = (from.rflags & ~flags::interrupts) | state.iopl << 12 | (to.saved_upcall_mask == 0 ? flags::interrupts : 0);
}

void give_entrances(const VcpuState& state, VcpuGuestContext& context) {
    context.kernel_ss = state.kernel_ss;
    context.kernel_sp = state.kernel_sp;
    context.event_callback_eip = state.event.address;
    context.failsafe_callback_eip = state.failsafe.address;
    context.syscall_callback_eip = state.syscall.address;
    if (state.failsafe.masks_events) context.flags |= vgcf::failsafe_disables_events;
    if (state.syscall.masks_events) context.flags |= vgcf::syscall_disables_events;
    for (unsigned vector = 0; vector < std::size(context.trap_ctxt); ++vector) {
        const TrapGate& gate = state.traps.gate(static_cast<u8>(vector));
        const u8 masks = gate.masks_events ? 4 : 0;
        context.trap_ctxt[vector] = {static_cast<u8>(vector), static_cast<u8>(gate.privilege | masks), gate.cs, gate.address};
    }
}

}  // namespace

void get_context(Vcpu& vcpu, VcpuGuestContext& context) {
    const VcpuState& state = state_of(vcpu);
    const VcpuMemory& memory = state.memory;
    std::memset(&context, 0, sizeof context);
    context.flags = vgcf::i387_valid | (state.in_kernel ? vgcf::in_kernel : 0) | (vcpu.is_halted(Vcpu::down) ? 0 : vgcf::online);
    std::memcpy(context.fpu_ctxt.x, vcpu.arch.xsave_area, sizeof context.fpu_ctxt.x);
    give_registers(vcpu, context.user_regs);
    give_entrances(state, context);
    for (unsigned i = 0; i < memory.gdt.size(); ++i) context.gdt_frames[i] = memory.gdt[i] != nullptr ? mfn_of(*memory.gdt[i]).raw : 0;
    context.gdt_ents = memory.gdt_entries;
    {
        auto ldt = state.memory.ldt.lock();
        context.ldt_base = ldt->base;
        context.ldt_ents = ldt->entries;
    }
    context.ctrlreg[0] = vcpu.arch.control.cr0;
    context.ctrlreg[1] = frame_of_root(memory.user_root);
    context.ctrlreg[3] = frame_of_root(memory.kernel_root);
    context.ctrlreg[4] = vcpu.arch.control.cr4;
    for (unsigned i = 0; i < 8; ++i) context.debugreg[i] = debug_register(vcpu, i).value_or(0);
    context.vm_assist = vcpu.domain.vm_assist;
    context.fs_base = state.segments.fs_base;
    context.gs_base_kernel = state.in_kernel ? state.segments.gs_base : state.segments.other_gs_base;
    context.gs_base_user = state.in_kernel ? state.segments.other_gs_base : state.segments.gs_base;
}

}  // namespace px::pv
