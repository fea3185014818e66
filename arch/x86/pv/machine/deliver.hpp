// What enters the kernel of the current PV guest: exceptions, events, system calls.
//
// Each writes to the kernel's stack, and crashes the domain where that can't be done.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/machine/address_space.hpp"

namespace px::pv {

/// What a bounce or a return changes of the vCPU, as it is and as it is to be. The mode is changed with it.
[[gnu::always_inline]] inline CpuFrame frame_of_vcpu(Vcpu& vcpu) {
    const VcpuState& state = state_of(vcpu);
    const arch::TrapFrame& from = state.area.frame;
    return {.rip = from.rip,
            .rflags = from.rflags,
            .rsp = from.rsp,
            .cs = static_cast<u16>(from.cs),
            .ss = static_cast<u16>(from.ss),
            .rax = from.rax,
            .rcx = from.rcx,
            .r11 = from.r11,
            .in_kernel = state.in_kernel,
            .events_masked = vcpu.info().evtchn_upcall_mask != 0,
            .iopl = state.iopl};
}

[[gnu::always_inline]] inline void take_frame(Vcpu& vcpu, const CpuFrame& frame) {
    VcpuState& state = state_of(vcpu);
    if (frame.in_kernel != state.in_kernel) change_mode(state);
    arch::TrapFrame& to = state.area.frame;
    to.rip = frame.rip;
    to.cs = frame.cs;
    to.rflags = frame.rflags;
    to.rsp = frame.rsp;
    to.ss = frame.ss;
    to.rax = frame.rax;
    to.rcx = frame.rcx;
    to.r11 = frame.r11;
    state.by_sysret = false;
    state.iopl = frame.iopl;
    vcpu.info().evtchn_upcall_mask = frame.events_masked;
}

/// By the trap table. #PF has cr2 set before.
void deliver_exception(Vcpu& vcpu, u8 vector, std::optional<u32> error_code = {});
/// `error_code` as the processor gave it: whether it was a user is put right.
void deliver_page_fault(Vcpu& vcpu, u64 address, u32 error_code);
void deliver_syscall(Vcpu& vcpu, const Callback& callback);
/// The failsafe callback: the return to the guest's frame failed.
void deliver_failsafe(Vcpu& vcpu);
/// An NMI or an event, where one is pending and not masked.
void deliver_pending(Vcpu& vcpu);

}  // namespace px::pv
