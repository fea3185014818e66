// The end of the machine.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/machine/crash.hpp"

#include <atomic>

#include "arch/per_cpu.hpp"
#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/machine/acpi_tables.hpp"
#include "arch/x86/machine/local_apic.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/console/input.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px::arch {
namespace {

constinit std::atomic<bool> crashing{false};
constinit std::atomic<u64> nmi_count{0};
constinit bool reboot_after_crash = true;
constinit RebootMethod first_method = RebootMethod::acpi;

extern "C" const u8 symbol_table_start[];
extern "C" const u8 symbol_table_end[];
extern "C" const char image_start[];
extern "C" const char text_end[];

bool is_text(u64 address) { return address >= reinterpret_cast<u64>(image_start) && address < reinterpret_cast<u64>(text_end); }

void print_address(std::string_view what, u64 address) {
    const SymbolName name = symbol_of(address);
    crash_print("  {} {:016x} {}+{:#x}\n", what, address, std::string_view(name.text, name.length), name.offset);
}

/// Follows the frame pointers while they rise within this CPU's stack block.
void print_stack(u64 frame_pointer) {
    const u64 block = frame_pointer & ~u64{stack_block_size - 1};
    for (unsigned depth = 0; depth < 24; ++depth) {
        if (frame_pointer < block || frame_pointer + 16 > block + stack_block_top || (frame_pointer & 7) != 0) return;
        const u64* frame = reinterpret_cast<const u64*>(frame_pointer);
        if (!is_text(frame[1])) return;
        print_address("from", frame[1]);
        if (frame[0] <= frame_pointer) return;
        frame_pointer = frame[0];
    }
}

/// First CPU in reports; a second crash on the way stops silently.
void begin_crash() {
    irq_disable();
    if (crashing.exchange(true)) stop_this_cpu();
    local_apic_nmi_all_others();
}

[[noreturn]] void end_crash() {
    if (!reboot_after_crash) {
        crash_print("(PX) noreboot: the machine stays as it is\n");
        stop_this_cpu();
    }
    crash_print("(PX) rebooting\n");
    reboot_machine();
}

void print_registers(const TrapFrame& frame) {
    crash_print("  rip {:016x} rsp {:016x} rflags {:016x} error {:#x}\n", frame.rip, frame.rsp, frame.rflags, frame.error_code);
    crash_print("  rax {:016x} rbx {:016x} rcx {:016x} rdx {:016x}\n", frame.rax, frame.rbx, frame.rcx, frame.rdx);
    crash_print("  rsi {:016x} rdi {:016x} rbp {:016x} r8  {:016x}\n", frame.rsi, frame.rdi, frame.rbp, frame.r8);
    crash_print("  r9  {:016x} r10 {:016x} r11 {:016x} r12 {:016x}\n", frame.r9, frame.r10, frame.r11, frame.r12);
    crash_print("  r13 {:016x} r14 {:016x} r15 {:016x}\n", frame.r13, frame.r14, frame.r15);
    crash_print("  cr0 {:016x} cr2 {:016x} cr3 {:016x} cr4 {:016x}\n", read_cr<0>(), read_cr<2>(), read_cr<3>(), read_cr<4>());
}

/// As they are in the function that has this written into it: of what its callers had, those that a call preserves.
[[gnu::always_inline]] inline void capture_registers(TrapFrame& frame) {
    asm volatile(
        "movq %%r15, 0(%0); movq %%r14, 8(%0); movq %%r13, 16(%0); movq %%r12, 24(%0)\n"
        "movq %%r11, 32(%0); movq %%r10, 40(%0); movq %%r9, 48(%0); movq %%r8, 56(%0)\n"
        "movq %%rdi, 64(%0); movq %%rsi, 72(%0); movq %%rbp, 80(%0); movq %%rbx, 88(%0)\n"
        "movq %%rdx, 96(%0); movq %%rcx, 104(%0); movq %%rax, 112(%0)\n"
        "movq %%rsp, %c1(%0); pushfq; popq %c2(%0)\n"
        "leaq 1f(%%rip), %%rax; movq %%rax, %c3(%0)\n"
        "1:" ::"b"(&frame),
        "i"(offsetof(TrapFrame, rsp)), "i"(offsetof(TrapFrame, rflags)), "i"(offsetof(TrapFrame, rip))
        : "rax", "memory");
}

constexpr const char* exception_names[] = {"divide error",
                                           "debug",
                                           "NMI",
                                           "breakpoint",
                                           "overflow",
                                           "bound range",
                                           "invalid opcode",
                                           "device not available",
                                           "double fault",
                                           "coprocessor overrun",
                                           "invalid TSS",
                                           "segment not present",
                                           "stack fault",
                                           "general protection",
                                           "page fault",
                                           "reserved",
                                           "x87 error",
                                           "alignment check",
                                           "machine check",
                                           "SIMD error"};

}  // namespace

SymbolName symbol_of(u64 address) {
    SymbolName best{"?", 1, 0};
    for (const u8* at = symbol_table_start; at + 9 < symbol_table_end;) {
        u64 start;
        __builtin_memcpy(&start, at, sizeof start);
        if (start > address || start == 0) break;
        best = {reinterpret_cast<const char*>(at + 9), at[8], address - start};
        at += 9 + at[8];
    }
    return best;
}

bool crash_in_progress() { return crashing.load(std::memory_order_relaxed); }

void stop_this_cpu() {
    for (;;) asm volatile("cli; hlt");
}

void count_nmi(const TrapFrame&) { nmi_count.fetch_add(1, std::memory_order_relaxed); }

void crash_on_trap(const TrapFrame& frame, void (*details)()) {
    begin_crash();
    const char* name = frame.vector < std::size(exception_names) ? exception_names[frame.vector] : "exception";
    crash_print("\n(PX) the hypervisor crashed on CPU {}: {} (vector {})\n", this_cpu_pointer() != nullptr ? this_cpu().id.raw : 0, name,
                frame.vector);
    if (details != nullptr) details();
    print_registers(frame);
    print_address("at  ", frame.rip);
    print_stack(frame.rbp);
    end_crash();
}

void set_reboot_policy(bool after_crash, RebootMethod first) {
    reboot_after_crash = after_crash;
    first_method = first;
}

namespace {

void reboot_by(RebootMethod method) {
    switch (method) {
    case RebootMethod::acpi: return acpi_reset();
    case RebootMethod::keyboard: return out8(0x64, 0xfe);
    case RebootMethod::pci: return out8(0xcf9, 0x06);
    case RebootMethod::triple_fault: {
        const TablePointer nothing{0, 0};
        asm volatile("lidt %0; int3" ::"m"(nothing));
    }
    }
}

}  // namespace

void reboot_machine() {
    irq_disable();
    reboot_by(first_method);
    for (const auto method : {RebootMethod::acpi, RebootMethod::keyboard, RebootMethod::pci, RebootMethod::triple_fault}) {
        for (unsigned i = 0; i < 100000; ++i) cpu_relax();
        reboot_by(method);
    }
    stop_this_cpu();
}

void register_machine_keys() {
    register_debug_key({'C', "crash the hypervisor", [] { panic("asked for by the debug key 'C'"); }});
    register_debug_key({'N', "count of NMIs", [] { log_reply("NMIs that no crash sent: {}", nmi_count.load(std::memory_order_relaxed)); }});
    register_debug_key({'R', "reboot the machine", [] { reboot_machine(); }});
}

void power_off_machine() {
    irq_disable();
    acpi_power_off();
    log_warning("ACPI names no way to power off: the machine is halted");
    stop_this_cpu();
}

}  // namespace px::arch

namespace px {

void vpanic(std::string_view format, std::span<const FormatArg> arguments) {
    arch::TrapFrame frame{};
    arch::capture_registers(frame);
    arch::begin_crash();
    char line[240];
    const usize used = vformat(line, format, arguments);
    arch::crash_print("\n(PX) panic on CPU {}: {}\n", arch::this_cpu_pointer() != nullptr ? this_cpu().id.raw : 0,
                      std::string_view(line, used));
    arch::print_registers(frame);
    arch::print_stack(frame.rbp);
    arch::end_crash();
}

}  // namespace px
