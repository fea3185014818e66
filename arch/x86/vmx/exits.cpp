// VT-x exits: from exit reasons to their neutral meaning.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/hvm/common_exits.hpp"
#include "arch/x86/vmx/apic.hpp"
#include "arch/x86/vmx/instructions.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::vmx {
namespace {

constexpr u64 single_step = 1u << 8;  ///< RFLAGS.TF

/// The shadow of STI and MOV SS ends with the instruction behind them.
void leave_shadow() {
    const u32 blocked = read(Field32::guest_interruptibility);
    constexpr u32 shadow = blocking::sti | blocking::mov_ss;
    if ((blocked & shadow) != 0) write(Field32::guest_interruptibility, blocked & ~shadow);
}

bool in_64_bit_code() { return (read(Field32::guest_cs_rights) & 1u << 13) != 0; }

/// Puts the guest behind the instruction that exited.
void skip_instruction(Vcpu& vcpu) {
    hvm::GuestRegisters& regs = vcpu.arch.registers;
    regs.rip += read(Field32::exit_instruction_length);
    if (regs.rip >> 32 != 0 && !in_64_bit_code()) regs.rip &= 0xffffffff;
    leave_shadow();
    if ((regs.rflags & single_step) != 0) [[unlikely]]
        write(FieldNatural::guest_pending_debug, pending_single_step);
}

using Common = hvm::CommonExits<skip_instruction>;

void emulate(Vcpu& vcpu) {
    const u64 rip = vcpu.arch.registers.rip;
    hvm::emulate_instruction(vcpu);
    if (vcpu.arch.registers.rip != rip) leave_shadow();
}

/// #DB, intercepted until the guest has the debug registers: then the CPU keeps DR6 by itself. [intel/sdm3 28.2.1]
void handle_debug_exception(Vcpu& vcpu, bool by_instruction) {
    hvm::GuestRegisters& regs = vcpu.arch.registers;
    vcpu.arch.dr6 |= read(FieldNatural::exit_qualification);
    give_debug_registers(vcpu);
    if (by_instruction) regs.rip += read(Field32::exit_instruction_length);  // ICEBP is a trap
    hvm::inject_exception(vcpu, arch::exception::debug);
    // An entry in the shadow of MOV SS or STI insists on a pending single step where TF is set [intel/sdm3 27.3.1.5].
    const bool shadow = (read(Field32::guest_interruptibility) & (blocking::sti | blocking::mov_ss)) != 0;
    if (shadow && (regs.rflags & single_step) != 0) write(FieldNatural::guest_pending_debug, pending_single_step);
}

void handle_exception(Vcpu& vcpu) {
    const u32 info = read(Field32::exit_interruption);
    if ((info & interruption::type_mask) == interruption::nmi) return;
    if ((info & interruption::vector_mask) != arch::exception::debug) return;
    handle_debug_exception(vcpu, (info & interruption::type_mask) == interruption::privileged_exception);
}

void handle_hypercall(Vcpu& vcpu) {
    const unsigned privilege = read(Field32::guest_ss_rights) >> 5 & 3;
    if (hvm::handle_hypercall(vcpu, privilege, in_64_bit_code())) skip_instruction(vcpu);
}

/// The exit qualification of an I/O instruction [intel/sdm3 28.2.1, table 28-5].
void handle_io(Vcpu& vcpu) {
    const u64 info = read(FieldNatural::exit_qualification);
    const bool in = (info & 8) != 0, string = (info & 16) != 0;
    if (string) return emulate(vcpu);
    hvm::access_port(vcpu, static_cast<u16>(info >> 16), static_cast<unsigned>(info & 7) + 1, in);
    skip_instruction(vcpu);
}

void write_control(Vcpu& vcpu, unsigned number, u64 value) {
    if (!hvm::write_control(vcpu, number, value)) return Common::refused(vcpu);
    skip_instruction(vcpu);
}

/// The exit qualification of a control register's access [intel/sdm3 28.2.1, table 28-3].
void handle_control_register(Vcpu& vcpu) {
    enum : u64 { mov_to = 0, mov_from = 1, clts = 2, lmsw = 3 };
    const u64 info = read(FieldNatural::exit_qualification);
    const u64 kind = info >> 4 & 3;
    const unsigned number = info & 15;
    u64& value = vcpu.arch.registers[static_cast<unsigned>(info >> 8 & 15)];
    constexpr u64 low = arch::cr0::pe | arch::cr0::mp | arch::cr0::em | arch::cr0::ts;
    if (kind == clts) return write_control(vcpu, 0, hvm::current_control(vcpu).cr0 & ~arch::cr0::ts);
    if (kind == lmsw) {
        const u64 cr0 = hvm::current_control(vcpu).cr0, source = info >> 16 & low;
        return write_control(vcpu, 0, (cr0 & ~(low & ~arch::cr0::pe)) | source);  // it can set PE, and not clear it
    }
    if (kind == mov_to) return write_control(vcpu, number, in_64_bit_code() ? value : value & 0xffffffff);
    value = vcpu.arch.apic.task_priority() >> 4;  // CR8, where there is no TPR shadow
    skip_instruction(vcpu);
}

void handle_ept_violation(Vcpu& vcpu) {
    const u64 info = read(FieldNatural::exit_qualification);
    const bool while_delivering = (read(Field32::idt_vectoring) & interruption::valid) != 0;
    if ((info & ept_violation::nmi_unblocked) != 0 && !while_delivering) {
        // The IRET that ended an NMI handler faulted here; it runs again.
        write(Field32::guest_interruptibility, read(Field32::guest_interruptibility) | blocking::nmi);
    }
    const auto kind = (info & ept_violation::write) != 0   ? hvm::AccessKind::write
                      : (info & ept_violation::fetch) != 0 ? hvm::AccessKind::fetch
                                                           : hvm::AccessKind::read;
    const Gpaddr address{read(Field64::guest_physical_address)};
    if (map_apic_page(vcpu, address)) return;
    const u64 rip = vcpu.arch.registers.rip;
    hvm::handle_physmap_fault(vcpu, address, kind, (info & ept_violation::any_right) != 0);
    if (vcpu.arch.registers.rip != rip) leave_shadow();
}

/// An access to the local APIC's page that the processor doesn't virtualize. [intel/sdm3 28.2.1, table 28-6]
void handle_apic_access(Vcpu& vcpu) {
    constexpr u64 write_access = 1;
    if ((read(FieldNatural::exit_qualification) >> 12 & 15) > write_access) {
        return vcpu.domain.crash("code, stack or page tables in the local APIC's page");
    }
    emulate(vcpu);
}

[[gnu::cold]] void report_unknown(Vcpu& vcpu) {
    const u32 reason = read(Field32::exit_reason);
    guest_log(LogLevel::error, "dom{} vcpu{}: unexpected VT-x exit {:#x} (qualification {:#x}, guest physical {:#x}) at rip {:#x}",
              vcpu.domain.id, vcpu.id, reason, read(FieldNatural::exit_qualification), read(Field64::guest_physical_address),
              vcpu.arch.registers.rip);
    vcpu.domain.crash("unexpected exit");
}

[[gnu::cold]] void report_failed_entry(Vcpu& vcpu, u32 reason) {
    vcpu.arch.vmx->launched = false;
    guest_log(LogLevel::error, "dom{} vcpu{}: VT-x refuses the guest's state: reason {:#x}, qualification {:#x}, rip {:#x}", vcpu.domain.id,
              vcpu.id, reason, read(FieldNatural::exit_qualification), vcpu.arch.registers.rip);
    guest_log(LogLevel::error, "  cr0 {:#x} cr3 {:#x} cr4 {:#x} efer {:#x} entry controls {:#x} rflags {:#x} blocked {:#x} event {:#x}",
              read(FieldNatural::guest_cr0), read(FieldNatural::guest_cr3), read(FieldNatural::guest_cr4), read(Field64::guest_efer),
              read(Field32::entry_controls), read(FieldNatural::guest_rflags), read(Field32::guest_interruptibility),
              read(Field32::entry_interruption));
    for (u32 i = 0; i < 8; ++i) {
        const hvm::SegmentRegister segment = hvm::backend()->segment(vcpu, hvm::Segment(i));
        guest_log(LogLevel::error, "  segment {}: {:#x} attributes {:#x} base {:#x} limit {:#x}", i, segment.selector, segment.attributes,
                  segment.base, segment.limit);
    }
    vcpu.domain.crash("invalid guest state");
}

constexpr auto table = [] {
    hvm::ExitTable<static_cast<usize>(Exit::count)> entries(report_unknown);
    entries.set(Common::nothing_to_do, Exit::external_interrupt, Exit::interrupt_window, Exit::nmi_window, Exit::tpr_below_threshold,
                Exit::init);
    entries.set(handle_exception, Exit::exception_or_nmi);
    entries.set(handle_ept_violation, Exit::ept_violation);
    entries.set(handle_apic_access, Exit::apic_access);
    entries.set(handle_apic_write, Exit::apic_write);
    entries.set(handle_virtualized_eoi, Exit::virtualized_eoi);
    entries.set(handle_hypercall, Exit::vmcall);
    entries.set(Common::cpuid, Exit::cpuid);
    entries.set(Common::rdmsr, Exit::rdmsr);
    entries.set(Common::wrmsr, Exit::wrmsr);
    entries.set(handle_io, Exit::io);
    entries.set(Common::halt, Exit::hlt);
    entries.set(Common::pause, Exit::pause);
    entries.set(Common::xsetbv, Exit::xsetbv);
    entries.set(handle_control_register, Exit::control_register);
    entries.set(give_debug_registers, Exit::debug_register);
    entries.set(skip_instruction, Exit::wbinvd, Exit::invd);  // no uncached device: caches stay coherent
    entries.set(Common::rdtsc, Exit::rdtsc);
    entries.set(Common::rdtscp, Exit::rdtscp);
    entries.set(hvm::handle_shutdown, Exit::triple_fault);
    entries.set(Common::refused, Exit::rdpmc);
    entries.set(Common::undefined, Exit::vmclear, Exit::vmlaunch, Exit::vmptrld, Exit::vmptrst, Exit::vmread, Exit::vmresume, Exit::vmwrite,
                Exit::vmxoff, Exit::vmxon, Exit::invept, Exit::invvpid, Exit::vmfunc, Exit::getsec, Exit::rsm, Exit::monitor, Exit::mwait,
                Exit::xsaves, Exit::xrstors);
    return entries;
}();

}  // namespace

void handle_exit(Vcpu& vcpu, u32 reason) {
    if ((reason & entry_failed) != 0) [[unlikely]]
        return report_failed_entry(vcpu, reason);
    const u16 basic = static_cast<u16>(reason);
    if (basic < table.size()) return table[basic](vcpu);
    report_unknown(vcpu);
}

}  // namespace px::vmx
