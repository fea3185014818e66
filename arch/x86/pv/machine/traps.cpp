// What interrupts a PV guest in ring 3.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/machine/control.hpp"
#include "arch/x86/pv/machine/deliver.hpp"
#include "arch/x86/pv/machine/page_fault.hpp"
#include "arch/x86/pv/machine/privileged.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::pv {
namespace {

namespace exception = arch::exception;
using arch::TrapFrame;

bool has_error_code(u8 vector) {
    return vector == exception::double_fault || (vector >= exception::invalid_tss && vector <= exception::page_fault) ||
           vector == exception::alignment;
}

/// The FPU is the vCPU's for as long as it runs: the fault is its kernel's wish.
void device_not_available(Vcpu& vcpu) {
    vcpu.arch.control.cr0 &= ~arch::cr0::ts;
    load_task_switched(false);
    deliver_exception(vcpu, exception::device_not_available);
}

void debug(Vcpu& vcpu) {
    vcpu.arch.dr6 = arch::read_debug_status() & 0xffffffff;
    arch::write_debug_status(dr6_fixed);
    deliver_exception(vcpu, exception::debug);
}

/// INT n by a gate that isn't ring 3's comes as a fault that names the gate.
bool software_interrupt(Vcpu& vcpu, TrapFrame& frame) {
    constexpr u64 in_idt = 2, external = 1, instruction_length = 2;
    if ((frame.error_code & (in_idt | external)) != in_idt) return false;
    const u8 vector = static_cast<u8>(frame.error_code >> 3);
    if (!state_of(vcpu).traps.gate(vector).may_be_raised(state_of(vcpu).in_kernel)) return false;
    frame.rip += instruction_length;
    deliver_exception(vcpu, vector);
    return true;
}

/// INT 80 has a gate of its own: the old system call.
void int80(Vcpu& vcpu, TrapFrame& frame) {
    constexpr u64 instruction_length = 2;
    constexpr u32 error_code = arch::vector::int80 << 3 | 2;
    if (state_of(vcpu).traps.gate(arch::vector::int80).may_be_raised(state_of(vcpu).in_kernel))
        return deliver_exception(vcpu, arch::vector::int80);
    frame.rip -= instruction_length;
    deliver_exception(vcpu, exception::general_protection, error_code);
}

void general_protection(Vcpu& vcpu, TrapFrame& frame) {
    if (software_interrupt(vcpu, frame)) return;
    if (frame.error_code == 0 && emulate_privileged(vcpu)) return;
    deliver_exception(vcpu, exception::general_protection, static_cast<u32>(frame.error_code));
}

void exception_of_guest(Vcpu& vcpu, TrapFrame& frame) {
    const u8 vector = static_cast<u8>(frame.vector);
    switch (vector) {
    case exception::debug: return debug(vcpu);
    case exception::invalid_opcode:
        if (emulate_forced(vcpu)) return;
        break;
    case exception::device_not_available: return device_not_available(vcpu);
    case exception::general_protection: return general_protection(vcpu, frame);
    default: break;
    }
    if (has_error_code(vector)) return deliver_exception(vcpu, vector, static_cast<u32>(frame.error_code));
    deliver_exception(vcpu, vector);
}

}  // namespace

/// Interrupts off.
extern "C" void pv_handle_trap(TrapFrame* frame) {
    Vcpu& vcpu = *this_cpu().current;
    state_of(vcpu).by_sysret = false;
    const u8 vector = static_cast<u8>(frame->vector);
    if (vector == arch::vector::int80) return int80(vcpu, *frame);
    if (vector >= 32) return arch::dispatch_interrupt(vector);
    if (vector == exception::page_fault) {
        const u64 address = arch::read_cr<2>();
        arch::irq_enable();
        return page_fault(vcpu, address, static_cast<u32>(frame->error_code));
    }
    arch::irq_enable();
    exception_of_guest(vcpu, *frame);
}

}  // namespace px::pv
