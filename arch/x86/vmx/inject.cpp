// Event injection. [intel/sdm3 27.6, 28.2.4]
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "arch/x86/vmx/instructions.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::vmx {
namespace {

using hvm::Event;

u32 type_of(Event::Kind kind) {
    switch (kind) {
    case Event::Kind::external_interrupt: return interruption::external;
    case Event::Kind::nmi: return interruption::nmi;
    case Event::Kind::software_interrupt: return interruption::software_interrupt;
    default: return interruption::hardware_exception;
    }
}

void inject(const Event& event) {
    u32 info = event.vector | type_of(event.kind) | interruption::valid;
    // In real mode exceptions push no error code, and the entry would be refused.
    if (event.has_error_code && (read(FieldNatural::guest_cr0) & arch::cr0::pe) != 0) {
        info |= interruption::has_error;
        write(Field32::entry_error_code, event.error_code);
    }
    if (event.kind == Event::Kind::software_interrupt) write(Field32::entry_instruction_length, 2);
    if (event.kind == Event::Kind::exception && event.vector == arch::exception::page_fault) write_guest_cr2(event.cr2);
    write(Field32::entry_interruption, info);
}

/// Asks for an exit as soon as the guest could take an interrupt, or an NMI; none: neither.
void set_window(VcpuVmx& vmx, Event::Kind kind, bool after_sti) {
    u32 wanted = 0;
    if (kind == Event::Kind::external_interrupt) wanted = primary::interrupt_window;
    // An NMI window would open at once behind STI, where an NMI can't be injected on every CPU.
    if (kind == Event::Kind::nmi) wanted = after_sti ? primary::interrupt_window : primary::nmi_window;
    const u32 controls = (vmx.primary_controls & ~(primary::interrupt_window | primary::nmi_window)) | wanted;
    if (controls != vmx.primary_controls) write(Field32::primary_controls, vmx.primary_controls = controls);
}

bool can_take(Event::Kind kind, u64 rflags, u32 blocked) {
    constexpr u64 interrupt_flag = 1u << 9;
    if ((blocked & (blocking::sti | blocking::mov_ss)) != 0) return false;
    return kind == Event::Kind::nmi ? (blocked & blocking::nmi) == 0 : (rflags & interrupt_flag) != 0;
}

/// What is ours to inject: where the processor delivers the local APIC's interrupts, the others.
Event next_event(Vcpu& vcpu) { return vcpu.arch.vmx->delivers() ? hvm::next_direct_interrupt(vcpu) : hvm::next_interrupt(vcpu); }

}  // namespace

void choose_event(Vcpu& vcpu) {
    VcpuVmx& vmx = *vcpu.arch.vmx;
    hvm::VcpuState& state = vcpu.arch;
    const Event event = next_event(vcpu);
    const u32 blocked = read(Field32::guest_interruptibility);
    const bool after_sti = (blocked & blocking::sti) != 0;
    if (state.pending.kind != Event::Kind::none) {
        inject(state.pending);
        state.pending = {};
        set_window(vmx, event.kind, after_sti);
    } else if (event.kind != Event::Kind::none && can_take(event.kind, state.registers.rflags, blocked)) {
        inject(event);
        hvm::interrupt_taken(vcpu, event);
        set_window(vmx, next_event(vcpu).kind, false);
    } else {
        set_window(vmx, event.kind, after_sti);
    }
}

void repeat_event(Vcpu& vcpu, u32 info) {
    hvm::VcpuState& state = vcpu.arch;
    const u8 vector = static_cast<u8>(info & interruption::vector_mask);
    switch (info & interruption::type_mask) {
    case interruption::external: state.pending = {.kind = Event::Kind::external_interrupt, .vector = vector}; break;
    case interruption::nmi:
        state.pending = {.kind = Event::Kind::nmi, .vector = arch::exception::nmi};
        // Its delivery began, so NMIs count as blocked; the repeated one must get through.
        write(Field32::guest_interruptibility, read(Field32::guest_interruptibility) & ~blocking::nmi);
        break;
    case interruption::hardware_exception:
        state.pending = {Event::Kind::exception, vector, (info & interruption::has_error) != 0, read(Field32::idt_vectoring_error_code),
                         read_guest_cr2()};
        break;
    default: break;  // INT n, INT3, INTO, ICEBP: RIP stands on the instruction, which runs again
    }
}

}  // namespace px::vmx
