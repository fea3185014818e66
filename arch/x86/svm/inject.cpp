// Event injection. [amd/apm2 15.20, 15.21]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/svm/svm.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::svm {
namespace {

u64 injection_of(const hvm::Event& event) {
    u64 type = injection::type_exception;
    if (event.kind == hvm::Event::Kind::external_interrupt) type = injection::type_interrupt;
    if (event.kind == hvm::Event::Kind::nmi) type = injection::type_nmi;
    if (event.kind == hvm::Event::Kind::software_interrupt) type = injection::type_software;
    return event.vector | type << 8 | (event.has_error_code ? injection::has_error : 0) | injection::valid | u64{event.error_code} << 32;
}

/// The inverse. `cr2` is what a page fault told.
hvm::Event event_of(u64 info, u64 cr2) {
    hvm::Event event{.kind = hvm::Event::Kind::exception, .vector = static_cast<u8>(info)};
    switch (injection::type_of(info)) {
    case injection::type_interrupt: event.kind = hvm::Event::Kind::external_interrupt; break;
    case injection::type_nmi: event.kind = hvm::Event::Kind::nmi; break;
    case injection::type_software: event.kind = hvm::Event::Kind::software_interrupt; break;
    default: break;
    }
    event.has_error_code = (info & injection::has_error) != 0;
    event.error_code = event.has_error_code ? static_cast<u32>(info >> 32) : 0;
    event.cr2 = cr2;
    return event;
}

/// Asks for an exit as soon as the guest opens interrupts: a virtual interrupt that is intercepted before its delivery.
void open_window(Vmcb& vmcb) {
    vmcb.intercepts3 |= intercept3::vintr;
    vmcb.interrupt_control |= virtual_interrupt::pending | virtual_interrupt::ignore_tpr;
    vmcb.clean_bits &= ~(clean::intercepts | clean::tpr);
}

void close_window(Vmcb& vmcb) {
    if ((vmcb.intercepts3 & intercept3::vintr) == 0) return;
    vmcb.intercepts3 &= ~intercept3::vintr;
    vmcb.interrupt_control &= ~(virtual_interrupt::pending | virtual_interrupt::ignore_tpr);
    vmcb.clean_bits &= ~(clean::intercepts | clean::tpr);
}

/// The event comes before the guest's next instruction. Under QEMU an interrupt with nothing behind it goes as a virtual one, which is
/// delivered once; elsewhere the virtual interrupt is the window's alone. (Bochs 2.7 notices a virtual interrupt only when the flag changes.)
void deliver(Vmcb& vmcb, const hvm::Event& event, bool another_waits) {
    if (another_waits) open_window(vmcb);
    else close_window(vmcb);
    if (!features().injects_twice || another_waits || event.kind != hvm::Event::Kind::external_interrupt) {
        vmcb.event_injection = injection_of(event);
        return;
    }
    vmcb.interrupt_control = (vmcb.interrupt_control & ~virtual_interrupt::vector_mask) | virtual_interrupt::pending |
                             virtual_interrupt::ignore_tpr | u64{event.vector} << virtual_interrupt::vector_shift;
    vmcb.clean_bits &= ~clean::tpr;
}

/// The end of an NMI handler: until its IRET the next NMI waits.
void watch_iret(Vmcb& vmcb, bool on) {
    vmcb.intercepts3 = on ? vmcb.intercepts3 | intercept3::iret : vmcb.intercepts3 & ~intercept3::iret;
    vmcb.clean_bits &= ~clean::intercepts;
}

/// While a request waits for the task priority to fall, the guest's writes of it exit. (A virtual interrupt of that priority would
/// cost no exit before the last write, but QEMU 7.2 delivers it where priorities are equal, again and again.)
void watch_task_priority(Vmcb& vmcb, bool on) {
    constexpr u16 cr8 = 1u << 8;
    if (((vmcb.cr_write & cr8) != 0) == on) return;
    vmcb.cr_write ^= cr8;
    vmcb.clean_bits &= ~clean::intercepts;
}

}  // namespace

void choose_event(Vcpu& vcpu) {
    Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    watch_task_priority(vmcb, vcpu.arch.apic.waits_for_task_priority());
    hvm::VcpuState& state = vcpu.arch;
    state.apic.collect();
    const hvm::Event event = hvm::next_interrupt(vcpu);
    if (state.pending.kind != hvm::Event::Kind::none) {
        deliver(vmcb, state.pending, hvm::another_waits(vcpu, state.pending));
        if (state.pending.kind == hvm::Event::Kind::exception && state.pending.vector == 14) {
            vmcb.cr2 = state.pending.cr2;
            vmcb.clean_bits &= ~clean::cr2;
        }
        state.pending = {};
        return;
    }
    if (event.kind == hvm::Event::Kind::none) return close_window(vmcb);
    const bool nmi = event.kind == hvm::Event::Kind::nmi;
    const bool nmi_blocked = (vmcb.intercepts3 & intercept3::iret) != 0;
    const bool shadow = (vmcb.interrupt_shadow & 1) != 0;
    constexpr u64 interrupt_flag = 1u << 9;
    if (nmi ? (nmi_blocked || shadow) : ((state.registers.rflags & interrupt_flag) == 0 || shadow)) return open_window(vmcb);
    hvm::interrupt_taken(vcpu, event);
    if (nmi) watch_iret(vmcb, true);
    deliver(vmcb, event, hvm::another_waits(vcpu, event));
}

void withdraw_interrupt(Vcpu& vcpu) {
    Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    vcpu.arch.pending = {.kind = hvm::Event::Kind::external_interrupt,
                         .vector = static_cast<u8>(vmcb.interrupt_control >> virtual_interrupt::vector_shift)};
    vmcb.interrupt_control &= ~(virtual_interrupt::pending | virtual_interrupt::ignore_tpr);
    vmcb.clean_bits &= ~clean::tpr;
}

void repeat_event(Vcpu& vcpu, u64 info) {
    const hvm::Event event = event_of(info, vcpu.arch.svm->vmcb->cr2);
    // INT n, INT3 and INTO run again as instructions; others are delivered again.
    const bool by_instruction = event.kind == hvm::Event::Kind::software_interrupt ||
                                (event.kind == hvm::Event::Kind::exception && (event.vector == 3 || event.vector == 4));
    if (!by_instruction) vcpu.arch.pending = event;
}

}  // namespace px::svm
