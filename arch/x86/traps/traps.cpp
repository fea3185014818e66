// Exceptions and interrupts of the hypervisor itself.
//
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "arch/per_cpu.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/machine/crash.hpp"
#include "arch/x86/machine/local_apic.hpp"
#include "arch/x86/machine/machine_check.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/console/log.hpp"

namespace px::arch {
namespace {

constinit std::array<IdtEntry, 256> idt{};
constinit std::array<IdtEntry, 256> idt_on_main_stack{};
constinit std::array<InterruptHandler, 256> handlers{};

extern "C" const char trap_stubs[];

struct Fixup {
    u64 fault, resume;
};
extern "C" const Fixup exception_table_start[];
extern "C" const Fixup exception_table_end[];

bool fix_up(TrapFrame& frame) {
    for (const Fixup* entry = exception_table_start; entry != exception_table_end; ++entry) {
        if (entry->fault == frame.rip) {
            frame.rip = entry->resume;
            return true;
        }
    }
    return false;
}

Ist stack_of(unsigned vector) {
    switch (vector) {
    case exception::double_fault: return Ist::double_fault;
    case exception::nmi: return Ist::nmi;
    case exception::machine_check: return Ist::machine_check;
    case exception::debug: return Ist::debug;
    default: return Ist::none;
    }
}

/// INT3, INTO and INT 80 are everybody's; the other gates can't be called by guests, whose INT n is a general protection fault.
unsigned ring_of(unsigned vector) {
    return vector == exception::breakpoint || vector == exception::overflow || vector == vector::int80 ? 3 : 0;
}

/// NMI: another CPU's crash, or the machine's; touches lock-free memory only.
void handle_nmi(const TrapFrame& frame) {
    if (crash_in_progress()) stop_this_cpu();
    count_nmi(frame);
}

/// A debug trap in the hypervisor is never of its own making, and means nothing: a PV guest's breakpoint on memory that is copied for it,
/// or one that MOV SS held back until after the instruction by which the guest came here [CVE-2018-8897].
void forget_debug_trap() { write_debug_status(0xffff0ff0); }

}  // namespace

extern "C" void handle_trap(TrapFrame* frame) {
    const u8 number = static_cast<u8>(frame->vector);
    if (number >= 32) return dispatch_interrupt(number);
    if (number == exception::nmi) return handle_nmi(*frame);
    if (number == exception::machine_check) return handle_machine_check(*frame);
    if (number == exception::debug) return forget_debug_trap();
    // What may fault reads or writes a guest's memory, or loads what a guest said.
    if (number >= exception::invalid_opcode && number <= exception::alignment && fix_up(*frame)) return;
    crash_on_trap(*frame);
}

void dispatch_interrupt(u8 number) {
    if (handlers[number] != nullptr) return handlers[number](number);
    if (number == vector::spurious) return;
    local_apic_eoi();
    log_warning("no handler for interrupt vector {:#x}", number);
}

void set_interrupt_handler(u8 number, InterruptHandler handler) { handlers[number] = handler; }

void init_traps() {
    for (unsigned i = 0; i < idt.size(); ++i) {
        const u64 stub = reinterpret_cast<u64>(trap_stubs) + i * 16;
        idt[i] = IdtEntry::interrupt_gate(stub, stack_of(i), ring_of(i));
        idt_on_main_stack[i] = IdtEntry::interrupt_gate(stub, Ist::none, ring_of(i));
    }
}

void use_emergency_stacks(bool on) {
    const auto& table = on ? idt : idt_on_main_stack;
    const TablePointer pointer{sizeof(idt) - 1, reinterpret_cast<u64>(table.data())};
    asm volatile("lidt %0" ::"m"(pointer));
}

void load_descriptors(PerCpuState& cpu) {
    // The tops of the emergency stacks; see the picture in arch/per_cpu.hpp.
    for (unsigned i = 0; i < 4; ++i) cpu.tss.ist[i] = cpu.stack_block + (2 * i + 2) * page_size;
    cpu.tss.rsp0 = cpu.stack_block + stack_block_top;
    cpu.descriptors.own->set_tss(reinterpret_cast<u64>(&cpu.tss), sizeof(Tss) - 1);
    const TablePointer gdt{Gdt::limit, cpu.descriptors.base};
    const TablePointer idt_pointer{sizeof(idt) - 1, reinterpret_cast<u64>(idt.data())};
    asm volatile(
        "lgdt %0\n"
        "pushq %2\n"
        "leaq 1f(%%rip), %%rax\n"
        "pushq %%rax\n"
        "lretq\n"
        "1: movw %w3, %%ss\n"
        "xorl %%eax, %%eax\n"
        "movw %%ax, %%ds\n"
        "movw %%ax, %%es\n"
        "lidt %1\n"
        "lldt %w5\n"
        "ltr %w4" ::"m"(gdt),
        "m"(idt_pointer), "i"(u64{selector::code}), "r"(selector::data), "r"(selector::tss), "r"(u16{0})
        : "rax", "memory");
}

}  // namespace px::arch
