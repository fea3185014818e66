// AMD-V exits: from exit codes to their neutral meaning.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/hvm/exits.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/svm/svm.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::svm {
namespace {

/// What the neutral code reads of the guest's control registers is refreshed before it needs them.
void refresh_control(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    vcpu.arch.control = {vmcb.cr0, vmcb.cr2, vmcb.cr3, vmcb.cr4, vmcb.efer & ~arch::efer::svme};
}

void move_to(Vcpu& vcpu, u64 next) {
    constexpr u64 single_step = 1u << 8;
    vcpu.arch.registers.rip = next;
    vcpu.arch.svm->vmcb->interrupt_shadow &= ~u64{1};
    if ((vcpu.arch.registers.rflags & single_step) != 0) hvm::inject_exception(vcpu, arch::exception::debug);
}

void handle_msr(Vcpu& vcpu) {
    hvm::GuestRegisters& regs = vcpu.arch.registers;
    const u32 index = static_cast<u32>(regs.rcx);
    if (vcpu.arch.svm->vmcb->exit_info1 != 0) {
        const u64 value = (regs.rax & 0xffffffff) | regs.rdx << 32;
        if (!hvm::write_msr(vcpu, index, value)) return hvm::inject_exception(vcpu, arch::exception::general_protection, 0);
    } else {
        const auto value = hvm::read_msr(vcpu, index);
        if (!value) return hvm::inject_exception(vcpu, arch::exception::general_protection, 0);
        regs.rax = *value & 0xffffffff;
        regs.rdx = *value >> 32;
    }
    skip_instruction(vcpu);
}

/// EXITINFO1 of an I/O exit [amd/apm2 15.10.2]; EXITINFO2 is the next RIP.
void handle_io(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    const u64 info = vmcb.exit_info1;
    const bool in = (info & 1) != 0, string = (info & 4) != 0;
    if (string) return hvm::emulate_instruction(vcpu);
    const unsigned size = static_cast<unsigned>(info >> 4 & 7);
    const u16 port = static_cast<u16>(info >> 16);
    u64& rax = vcpu.arch.registers.rax;
    if (!in) {
        hvm::port_out(vcpu, port, size, static_cast<u32>(size == 4 ? rax : rax & ((1u << size * 8) - 1)));
    } else {
        const u32 value = hvm::port_in(vcpu, port, size);
        if (size == 4) rax = value;
        else rax = (rax & ~((u64{1} << size * 8) - 1)) | (value & ((u64{1} << size * 8) - 1));
    }
    move_to(vcpu, vmcb.exit_info2);
}

void handle_nested_fault(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    constexpr u64 present = 1, write = 2, fetch = 16;
    const u64 code = vmcb.exit_info1;
    const auto kind = (code & write) != 0   ? hvm::AccessKind::write
                      : (code & fetch) != 0 ? hvm::AccessKind::fetch
                                            : hvm::AccessKind::read;
    hvm::handle_physmap_fault(vcpu, Gpaddr{vmcb.exit_info2}, kind, (code & present) != 0);
}

/// First use of a debug register: from now on until the next switch they are the guest's.
void give_debug_registers(Vcpu& vcpu) {
    Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    arch::write_debug_addresses(vcpu.arch.debug_address);
    vcpu.arch.svm->debug_registers_loaded = true;
    vmcb.dr_read = vmcb.dr_write = 0;
    vmcb.clean_bits &= ~clean::intercepts;
}

void handle_hypercall(Vcpu& vcpu) {
    if (vcpu.arch.svm->vmcb->cpl != 0) {
        vcpu.arch.registers.rax = static_cast<u64>(-static_cast<i64>(Errno::eperm));
        skip_instruction(vcpu);
        return;
    }
    if (hvm::handle_hypercall(vcpu)) skip_instruction(vcpu);
}

void undefined(Vcpu& vcpu) { hvm::inject_exception(vcpu, arch::exception::invalid_opcode); }

void report_unknown(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    guest_log(LogLevel::error, "dom{} vcpu{}: unexpected AMD-V exit {:#x} ({:#x}, {:#x}) at rip {:#x}", vcpu.domain.id, vcpu.id,
              vmcb.exit_code, vmcb.exit_info1, vmcb.exit_info2, vcpu.arch.registers.rip);
    vcpu.domain.crash(vmcb.exit_code == static_cast<u64>(Exit::invalid) ? "invalid guest state" : "unexpected exit");
}

}  // namespace

bool skip_instruction(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    if (features().next_rip && vmcb.next_rip != 0) {
        move_to(vcpu, vmcb.next_rip);
        return true;
    }
    const unsigned length = hvm::instruction_length(vcpu);
    if (length == 0) return false;  // another vCPU changed the bytes: the guest meets what stands there now
    const bool wide = (vmcb.cs.attributes & hvm::SegmentRegister::long_mode) != 0 && (vmcb.efer & arch::efer::lma) != 0;
    const u64 next = vcpu.arch.registers.rip + length;
    move_to(vcpu, wide ? next : next & 0xffffffff);
    return true;
}

void handle_exit(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    refresh_control(vcpu);
    switch (Exit{vmcb.exit_code}) {
    case Exit::intr: case Exit::nmi: case Exit::smi: case Exit::init: return;  // taken when interrupts came back on
    case Exit::vintr: return;  // the window is open: prepare_events() uses it
    case Exit::vmmcall: return handle_hypercall(vcpu);
    case Exit::nested_page_fault: return handle_nested_fault(vcpu);
    case Exit::cpuid: hvm::handle_cpuid(vcpu); skip_instruction(vcpu); return;
    case Exit::msr: return handle_msr(vcpu);
    case Exit::io: return handle_io(vcpu);
    case Exit::hlt: skip_instruction(vcpu); return hvm::handle_halt(vcpu);
    case Exit::xsetbv:
        if (!hvm::set_xcr(vcpu, static_cast<u32>(vcpu.arch.registers.rcx), (vcpu.arch.registers.rax & 0xffffffff) | vcpu.arch.registers.rdx << 32)) {
            return hvm::inject_exception(vcpu, arch::exception::general_protection, 0);
        }
        skip_instruction(vcpu);
        return;
    case Exit::iret:
        vcpu.arch.svm->vmcb->intercepts3 &= ~intercept3::iret;
        vcpu.arch.svm->vmcb->clean_bits &= ~clean::intercepts;
        return;
    case Exit::wbinvd: case Exit::invd: skip_instruction(vcpu); return;  // no uncached device: caches stay coherent
    case Exit::cr4_write: return hvm::emulate_instruction(vcpu);
    case Exit::rdtsc: case Exit::rdtscp: {
        const u64 tsc = arch::read_tsc() + vcpu.arch.tsc_offset;
        vcpu.arch.registers.rax = tsc & 0xffffffff;
        vcpu.arch.registers.rdx = tsc >> 32;
        if (Exit{vmcb.exit_code} == Exit::rdtscp) vcpu.arch.registers.rcx = vcpu.arch.tsc_aux;
        skip_instruction(vcpu);
        return;
    }
    case Exit::shutdown: return hvm::handle_shutdown(vcpu);
    case Exit::rdpmc: return hvm::inject_exception(vcpu, arch::exception::general_protection, 0);
    case Exit::vmrun: case Exit::vmload: case Exit::vmsave: case Exit::stgi: case Exit::clgi: case Exit::skinit:
    case Exit::invlpga: case Exit::monitor: case Exit::mwait: case Exit::rdpru:
        return undefined(vcpu);
    default: break;
    }
    if (vmcb.exit_code >= static_cast<u64>(Exit::dr0_read) && vmcb.exit_code < static_cast<u64>(Exit::exception)) {
        return give_debug_registers(vcpu);
    }
    report_unknown(vcpu);
}

}  // namespace px::svm
