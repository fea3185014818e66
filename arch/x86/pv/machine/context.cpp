// The whole state of a PV vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/context.hpp"

#include <cstring>

#include "arch/x86/cpu/extended_state.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/descriptor_tables.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "arch/x86/pv/use.hpp"

namespace px::pv {
namespace {

namespace vgcf = abi::x86::vgcf;
using abi::x86::VcpuGuestContext;

constexpr usize mxcsr_at = 24;  ///< of an FXSAVE image

/// Everything that can be refused without an effect.
Result<> check(const VcpuGuestContext& context) {
    for (const u64 address : {context.user_regs.rip, context.event_callback_eip, context.failsafe_callback_eip,
                              context.syscall_callback_eip, context.fs_base, context.gs_base_kernel, context.gs_base_user}) {
        REQUIRE(is_canonical(address), einval);
    }
    for (const abi::x86::TrapInfo& trap : context.trap_ctxt) REQUIRE(is_canonical(trap.address), einval);
    u32 mxcsr;
    std::memcpy(&mxcsr, context.fpu_ctxt.x + mxcsr_at, sizeof mxcsr);
    REQUIRE(mxcsr >> 16 == 0, einval);
    REQUIRE(context.gdt_ents <= abi::x86::first_reserved_gdt_entry && context.ldt_ents <= most_ldt_entries, einval);
    return {};
}

void take_registers(VcpuState& state, const abi::x86::CpuUserRegs& from) {
    arch::TrapFrame& to = state.area.frame;
    to = {.r15 = from.r15,
          .r14 = from.r14,
          .r13 = from.r13,
          .r12 = from.r12,
          .r11 = from.r11,
          .r10 = from.r10,
          .r9 = from.r9,
          .r8 = from.r8,
          .rdi = from.rdi,
          .rsi = from.rsi,
          .rbp = from.rbp,
          .rbx = from.rbx,
          .rdx = from.rdx,
          .rcx = from.rcx,
          .rax = from.rax,
          .vector = 0,
          .error_code = 0,
          .rip = from.rip,
          .cs = guest_selector(from.cs),
          .rflags = safe_flags(from.rflags),
          .rsp = from.rsp,
          .ss = guest_selector(from.ss)};
    state.iopl = (from.rflags & flags::privilege) >> 12;
    state.segments.ds = from.ds;
    state.segments.es = from.es;
    state.segments.fs = from.fs;
    state.segments.gs = from.gs;
}

void take_entrances(VcpuState& state, const VcpuGuestContext& context) {
    state.kernel_ss = guest_selector(context.kernel_ss);
    state.kernel_sp = context.kernel_sp;
    state.event = {context.event_callback_eip, false};
    state.failsafe = {context.failsafe_callback_eip, (context.flags & vgcf::failsafe_disables_events) != 0};
    state.syscall = {context.syscall_callback_eip, (context.flags & vgcf::syscall_disables_events) != 0};
    // By place, whatever the entry calls itself.
    for (unsigned vector = 0; vector < std::size(context.trap_ctxt); ++vector) {
        abi::x86::TrapInfo trap = context.trap_ctxt[vector];
        trap.vector = static_cast<u8>(vector);
        state.traps.set(trap);
    }
}

void take_debug_registers(Vcpu& vcpu, const VcpuGuestContext& context) {
    vcpu.arch.debug_address = {};
    vcpu.arch.dr6 = dr6_fixed;
    vcpu.arch.dr7 = dr7_fixed;
    // What can't be set is left out, as 4.17 does.
    for (unsigned i = 0; i < 8; ++i) (void)set_debug_register(vcpu, i, context.debugreg[i]).ok();
}

}  // namespace

Result<Progress> set_context(Vcpu& vcpu, const VcpuGuestContext& context) {
    TRY(check(context));
    VcpuState& state = state_of(vcpu);
    VcpuMemory& memory = state.memory;
    if (finish(memory) == Progress::more) return Progress::more;
    if (TRY(set_root(memory, to_mfn(Paddr{context.ctrlreg[3]}), Root::kernel)) == Progress::more) return Progress::more;
    if (finish(memory) == Progress::more) return Progress::more;
    if (TRY(set_root(memory, to_mfn(Paddr{context.ctrlreg[1]}), Root::user)) == Progress::more) return Progress::more;
    TRY(set_gdt(memory, context.gdt_frames, static_cast<u32>(context.gdt_ents)));
    TRY(set_ldt(memory, context.ldt_base, static_cast<u32>(context.ldt_ents)));

    take_registers(state, context.user_regs);
    take_entrances(state, context);
    state.in_kernel = (context.flags & vgcf::in_kernel) != 0;
    state.by_sysret = false;
    state.segments.fs_base = context.fs_base;
    state.segments.gs_base = state.in_kernel ? context.gs_base_kernel : context.gs_base_user;
    state.segments.other_gs_base = state.in_kernel ? context.gs_base_user : context.gs_base_kernel;
    vcpu.arch.control.cr0 = context.ctrlreg[0] | arch::cr0::pg | arch::cr0::pe | arch::cr0::ne | arch::cr0::et | arch::cr0::wp;
    vcpu.arch.control.cr4 = guest_cr4(vcpu, context.ctrlreg[4]);
    take_debug_registers(vcpu, context);
    vcpu.domain.vm_assist |= context.vm_assist & valid_assists;
    if ((context.flags & vgcf::i387_valid) != 0) arch::set_legacy_state(vcpu.arch.xsave_area, context.fpu_ctxt.x);
    vcpu.arch.waits_for_startup = false;
    return Progress::done;
}

}  // namespace px::pv
