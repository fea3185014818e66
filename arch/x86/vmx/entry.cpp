// VT-x entries and what follows an exit.
//
// SPDX-License-Identifier: Apache-2.0
#include <cstddef>

#include "arch/cpu.hpp"
#include "arch/x86/cpu/mitigations.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "arch/x86/vmx/apic.hpp"
#include "arch/x86/vmx/extended_paging.hpp"
#include "arch/x86/vmx/instructions.hpp"
#include "arch/x86/vmx/owed_flush.hpp"
#include "arch/x86/vmx/vmx.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::vmx {
namespace {

static_assert(offsetof(hvm::GuestRegisters, rcx) == 8 && offsetof(hvm::GuestRegisters, rbp) == 40);
static_assert(offsetof(hvm::GuestRegisters, rsi) == 48 && offsetof(hvm::GuestRegisters, r8) == 64);
extern "C" void vmx_loop(Vcpu* vcpu, hvm::GuestRegisters* registers);

enum EntryKind : u32 { stop = 0, launch = 1, resume = 2 };

bool vpid_is_good(const Vcpu& vcpu, const VcpuVmx& vmx, const PerCpu& cpu) {
    return vcpu.arch.last_cpu == cpu.id.raw && cpu.arch.tlb_tags.holds(vmx.vpid);
}

OwedFlush give_vpid(Vcpu& vcpu, VcpuVmx& vmx, PerCpu& cpu) {
    const hvm::TlbTags::Given given = cpu.arch.tlb_tags.give();
    vcpu.arch.last_cpu = cpu.id.raw;
    vmx.vpid = given.tag;
    if (!setup().abilities.vpid) return OwedFlush::none();  // each entry flushes
    write(Field16::vpid, static_cast<u16>(given.tag.number));
    return OwedFlush::given_vpid(setup().abilities.flush, given.anew);
}

/// The marks are set before the flush: whoever changes the physmap afterwards takes them away and waits for this CPU.
OwedFlush take_stale_physmap(Vcpu& vcpu, const PerCpu& cpu) {
    return vcpu.domain.arch.physmap_known_to.add(cpu.id) ? OwedFlush::none() : OwedFlush::physmap();
}

/// Most entries follow an exit that changed nothing but registers; the others come here.
bool entry_needs_work(Vcpu& vcpu, VcpuVmx& vmx, const PerCpu& cpu) {
    const bool window_open = (vmx.primary_controls & (primary::interrupt_window | primary::nmi_window)) != 0;
    return window_open || hvm::may_have_direct_event(vcpu) || apic_needs_work(vcpu, vmx) || !vpid_is_good(vcpu, vmx, cpu) ||
           !vcpu.domain.arch.physmap_known_to.has(cpu.id);
}

[[gnu::noinline]] void do_entry_work(Vcpu& vcpu, VcpuVmx& vmx, PerCpu& cpu) {
    OwedFlush owed = pass_apic_state(vcpu);
    choose_event(vcpu);
    set_tpr_threshold(vcpu);
    owed = owed | take_stale_physmap(vcpu, cpu);
    if (!vpid_is_good(vcpu, vmx, cpu)) owed = owed | give_vpid(vcpu, vmx, cpu);
    if (!owed.nothing()) { owed.settle(setup().abilities.flush, vmx.ept_pointer, static_cast<u16>(vmx.vpid.number), Invalidate{}); }
}

void write_registers(const hvm::GuestRegisters& registers, VcpuVmx& vmx) {
    const auto update = [](FieldNatural field, u64& known, u64 value) {
        if (known != value) write(field, known = value);
    };
    update(FieldNatural::guest_rip, vmx.rip, registers.rip);
    update(FieldNatural::guest_rsp, vmx.rsp, registers.rsp);
    update(FieldNatural::guest_rflags, vmx.rflags, registers.rflags);
}

void read_registers(hvm::GuestRegisters& registers, VcpuVmx& vmx) {
    registers.rip = vmx.rip = read(FieldNatural::guest_rip);
    registers.rsp = vmx.rsp = read(FieldNatural::guest_rsp);
    registers.rflags = vmx.rflags = read(FieldNatural::guest_rflags);
}

/// What was meant for this CPU, with interrupts still off: the exit took the interrupt off the local APIC, and an NMI
/// blocks further ones until an IRET.
void take_host_event(u32 reason) {
    if (Exit(reason) == Exit::external_interrupt) { return arch::dispatch_interrupt(static_cast<u8>(read(Field32::exit_interruption))); }
    if (Exit(reason) != Exit::exception_or_nmi) return;
    const u32 info = read(Field32::exit_interruption);
    if ((info & interruption::type_mask) == interruption::nmi) asm volatile("int $2" ::: "memory");
    else if ((info & interruption::vector_mask) == arch::exception::machine_check) asm volatile("int $18" ::: "memory");
}

/// The exit interrupted the delivery of an event.
[[gnu::noinline]] void handle_exit_and_repeat(Vcpu& vcpu, u32 reason, u32 interrupted) {
    repeat_event(vcpu, interrupted);
    handle_exit(vcpu, reason);
}

}  // namespace

void Vmx::run(Vcpu& vcpu) { vmx_loop(&vcpu, &vcpu.arch.registers); }

/// Everything up to the entry, which happens with interrupts off.
///
/// From then on, whoever has something for this vCPU either stored it before our looks below, or the interrupt that it
/// sends afterwards waits and ends the guest's run at once. switch_in()'s locked operation orders these looks behind the
/// store by which others know that the vCPU is on this CPU.
extern "C" u32 vmx_before_entry(Vcpu* entered) {
    Vcpu& vcpu = *entered;
    PerCpu& cpu = this_cpu();
    arch::irq_disable();
    if (cpu.softirqs.load(std::memory_order_relaxed) != 0 || !vcpu.is_runnable()) [[unlikely]] {
        arch::irq_enable();
        return stop;
    }
    VcpuVmx& vmx = *vcpu.arch.vmx;
    if (entry_needs_work(vcpu, vmx, cpu)) [[unlikely]]
        do_entry_work(vcpu, vmx, cpu);
    write_registers(vcpu.arch.registers, vmx);
    if (arch::mitigations().at_entries()) arch::clear_before_entry();
    return std::exchange(vmx.launched, true) ? resume : launch;
}

/// Everything after an exit; interrupts off.
extern "C" void vmx_after_exit(Vcpu* left) {
    Vcpu& vcpu = *left;
    VcpuVmx& vmx = *vcpu.arch.vmx;
    read_registers(vcpu.arch.registers, vmx);
    vcpu.arch.control_is_current = false;
    const u32 reason = read(Field32::exit_reason);
    take_host_event(reason);
    arch::irq_enable();
    const u32 interrupted = read(Field32::idt_vectoring);
    if ((interrupted & interruption::valid) != 0) [[unlikely]]
        return handle_exit_and_repeat(vcpu, reason, interrupted);
    handle_exit(vcpu, reason);
}

/// VMLAUNCH or VMRESUME itself failed: a fault of ours, never the guest's.
extern "C" [[noreturn]] void vmx_refused(Vcpu* vcpu) {
    panic("VT-x refuses to enter dom{} vcpu{}: VM-instruction error {}", vcpu->domain.id, vcpu->id, read(Field32::instruction_error));
}

}  // namespace px::vmx
