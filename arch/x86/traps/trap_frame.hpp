// What trap entry leaves on the stack.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

struct TrapFrame {
    u64 r15, r14, r13, r12, r11, r10, r9, r8, rdi, rsi, rbp, rbx, rdx, rcx, rax;
    u64 vector, error_code;
    u64 rip, cs, rflags, rsp, ss;
};

namespace exception {
inline constexpr u8 divide = 0, debug = 1, nmi = 2, breakpoint = 3, overflow = 4, bound = 5, invalid_opcode = 6, device_not_available = 7,
                    double_fault = 8, invalid_tss = 10, not_present = 11, stack = 12, general_protection = 13, page_fault = 14, x87 = 16,
                    alignment = 17, machine_check = 18, simd = 19;
}

/// Vectors of the hypervisor, by falling priority. Device interrupts lie between first_device and last_device.
namespace vector {
inline constexpr u8 first_device = 0x30, last_device = 0xdf;
inline constexpr u8 int80 = 0x80;    ///< no device's: the old system call of PV guests
inline constexpr u8 console = 0xe0;  ///< the serial port's own line
inline constexpr u8 timer = 0xf0;    ///< local APIC timer
inline constexpr u8 softirq = 0xf1;  ///< another CPU noted work for this one
inline constexpr u8 call = 0xf2;     ///< a function to run in the handler
inline constexpr u8 posted = 0xf3;   ///< a vCPU's local APIC has requests; where the processor takes them, no exit
inline constexpr u8 error = 0xfe;
inline constexpr u8 spurious = 0xff;
}  // namespace vector

/// A handler of a vector; runs with interrupts off, on the interrupted stack; acknowledges the local APIC itself.
using InterruptHandler = void (*)(u8 vector);
void set_interrupt_handler(u8 vector, InterruptHandler handler);

/// Runs the handler of an interrupt that was taken off the local APIC otherwise than through the IDT; interrupts off.
void dispatch_interrupt(u8 vector);

/// Fills the IDT; once, on the boot CPU.
void init_traps();
/// Whether NMI, #MC, #DB and #DF use their own stacks on this CPU. Off while TR is a guest's (AMD-V leaves it loaded).
void use_emergency_stacks(bool on);
/// Loads GDT, TSS and IDT of the CPU whose stack block is at `stack_block`.
void load_descriptors(struct PerCpuState& cpu);

}  // namespace px::arch
