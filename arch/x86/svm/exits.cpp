// AMD-V exits: from exit codes to their neutral meaning.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/common_exits.hpp"
#include "arch/x86/svm/svm.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::svm {
namespace {

void move_to(Vcpu& vcpu, u64 next) {
    constexpr u64 single_step = 1u << 8;
    vcpu.arch.registers.rip = next;
    vcpu.arch.svm->vmcb->interrupt_shadow &= ~u64{1};
    if ((vcpu.arch.registers.rflags & single_step) != 0) [[unlikely]]
        hvm::inject_exception(vcpu, arch::exception::debug);
}

/// Where the CPU doesn't tell the next RIP, it is found by decoding.
[[gnu::noinline]] void skip_by_decoding(Vcpu& vcpu) {
    const unsigned length = hvm::instruction_length(vcpu);
    if (length == 0) return;  // another vCPU changed the bytes: the guest meets what stands there now
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    const bool wide = (vmcb.cs.attributes & hvm::SegmentRegister::long_mode) != 0 && (vmcb.efer & arch::efer::lma) != 0;
    const u64 next = vcpu.arch.registers.rip + length;
    move_to(vcpu, wide ? next : next & 0xffffffff);
}

/// Puts the guest behind the intercepted instruction. A CPU without NRIP save leaves the field 0.
void skip_instruction(Vcpu& vcpu) {
    const u64 next = vcpu.arch.svm->vmcb->next_rip;
    if (next == 0) [[unlikely]]
        return skip_by_decoding(vcpu);
    move_to(vcpu, next);
}

using Common = hvm::CommonExits<skip_instruction>;

void handle_msr(Vcpu& vcpu) { return vcpu.arch.svm->vmcb->exit_info1 != 0 ? Common::wrmsr(vcpu) : Common::rdmsr(vcpu); }

/// EXITINFO1 of an I/O exit [amd/apm2 15.10.2]; EXITINFO2 is the next RIP.
void handle_io(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    const u64 info = vmcb.exit_info1;
    const bool in = (info & 1) != 0, string = (info & 4) != 0;
    if (string) return hvm::emulate_instruction(vcpu);
    hvm::access_port(vcpu, static_cast<u16>(info >> 16), static_cast<unsigned>(info >> 4 & 7), in);
    move_to(vcpu, vmcb.exit_info2);
}

/// MOV to CR4 or CR8: decode assists name its source.
void handle_control_write(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    const ControlMove move(features().decode_assists ? vmcb.exit_info1 : 0);
    if (!move.is_move) return hvm::emulate_instruction(vcpu);
    const bool wide = (vmcb.cs.attributes & hvm::SegmentRegister::long_mode) != 0;
    const u64 value = vcpu.arch.registers[move.source];
    const unsigned number = static_cast<unsigned>(vmcb.exit_code - static_cast<u64>(Exit::cr0_write));
    if (!hvm::write_control(vcpu, number, wide ? value : value & 0xffffffff)) return Common::refused(vcpu);
    skip_instruction(vcpu);
}

void handle_nested_fault(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    constexpr u64 present = 1, write = 2, fetch = 16;
    const u64 code = vmcb.exit_info1;
    const auto kind = (code & write) != 0 ? hvm::AccessKind::write : (code & fetch) != 0 ? hvm::AccessKind::fetch : hvm::AccessKind::read;
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
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    const bool in_64_bit_code = (vmcb.cs.attributes & hvm::SegmentRegister::long_mode) != 0;
    if (hvm::handle_hypercall(vcpu, vmcb.cpl, in_64_bit_code)) skip_instruction(vcpu);
}

/// The machine's, not the guest's: as if it had come a moment later.
void handle_machine_check(Vcpu&) { asm volatile("int $18" ::: "memory"); }

/// The guest's NMI handler ends: the next NMI may come.
void handle_iret(Vcpu& vcpu) {
    vcpu.arch.svm->vmcb->intercepts3 &= ~intercept3::iret;
    vcpu.arch.svm->vmcb->clean_bits &= ~clean::intercepts;
}

[[gnu::cold]] void report_unknown(Vcpu& vcpu) {
    const Vmcb& vmcb = *vcpu.arch.svm->vmcb;
    guest_log(LogLevel::error, "dom{} vcpu{}: unexpected AMD-V exit {:#x} ({:#x}, {:#x}) at rip {:#x}", vcpu.domain.id, vcpu.id,
              vmcb.exit_code, vmcb.exit_info1, vmcb.exit_info2, vcpu.arch.registers.rip);
    vcpu.domain.crash(vmcb.exit_code == static_cast<u64>(Exit::invalid) ? "invalid guest state" : "unexpected exit");
}

/// By exit code; those beyond are told apart in handle_exit().
constexpr auto table = [] {
    hvm::ExitTable<static_cast<usize>(Exit::rdpru) + 1> entries(report_unknown);
    entries.set(Common::nothing_to_do, Exit::intr, Exit::nmi, Exit::smi, Exit::init, Exit::vintr);
    entries.set_range(give_debug_registers, Exit::dr0_read, Exit::exception);
    entries.set(handle_machine_check, Exit::machine_check);
    entries.set(handle_hypercall, Exit::vmmcall);
    entries.set(Common::cpuid, Exit::cpuid);
    entries.set(handle_msr, Exit::msr);
    entries.set(handle_io, Exit::io);
    entries.set(Common::halt, Exit::hlt);
    entries.set(Common::pause, Exit::pause);
    entries.set(Common::xsetbv, Exit::xsetbv);
    entries.set(handle_iret, Exit::iret);
    entries.set(skip_instruction, Exit::wbinvd, Exit::invd);  // no uncached device: caches stay coherent
    entries.set(handle_control_write, Exit::cr4_write, Exit::cr8_write);
    entries.set(Common::rdtsc, Exit::rdtsc);
    entries.set(Common::rdtscp, Exit::rdtscp);
    entries.set(hvm::handle_shutdown, Exit::shutdown);
    entries.set(Common::refused, Exit::rdpmc);
    entries.set(Common::undefined, Exit::vmrun, Exit::vmload, Exit::vmsave, Exit::stgi, Exit::clgi, Exit::skinit, Exit::invlpga,
                Exit::monitor, Exit::mwait, Exit::rdpru);
    return entries;
}();

}  // namespace

void handle_exit(Vcpu& vcpu) {
    const u64 code = vcpu.arch.svm->vmcb->exit_code;
    if (code < table.size()) return table[code](vcpu);
    if (Exit{code} == Exit::nested_page_fault) return handle_nested_fault(vcpu);
    report_unknown(vcpu);
}

}  // namespace px::svm
