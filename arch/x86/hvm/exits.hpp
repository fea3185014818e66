// What a guest's exits mean, whatever the back end. Called with interrupts on, on the vCPU's own CPU.
//
// The back end has decoded its exit; where the instruction completes, it is skipped by the callee through Skip.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {
class Vcpu;
}

namespace px::hvm {

/// CPUID: fills RAX…RDX from the domain's policy.
void handle_cpuid(Vcpu& vcpu);
/// RDMSR, WRMSR. Errors: efault → #GP(0).
Result<u64> read_msr(Vcpu& vcpu, u32 index);
Result<> write_msr(Vcpu& vcpu, u32 index, u64 value);
/// HLT: blocks unless something is deliverable; with interrupts closed and nothing to wake it the vCPU is finished.
void handle_halt(Vcpu& vcpu);
/// PAUSE in a loop that goes on for long: the vCPU waits for another one, which may be waiting for this CPU.
void handle_pause(Vcpu& vcpu);
/// XSETBV. Errors: efault → #GP(0).
Result<> set_xcr(Vcpu& vcpu, u32 index, u64 value);
/// A hypercall instruction at this privilege level; RIP stands on it. True: it is complete, skip it. False: it is to be
/// executed again.
bool handle_hypercall(Vcpu& vcpu, unsigned privilege, bool in_64_bit_code);
/// IN, OUT without a string: `value` of OUT; result of IN. True: done.
u32 port_in(Vcpu& vcpu, u16 port, unsigned size);
void port_out(Vcpu& vcpu, u16 port, unsigned size, u32 value);

enum class AccessKind : u8 { read, write, fetch };
/// The hardware's walk of the physmap failed for a guest access: emulates, or ends the guest.
void handle_physmap_fault(Vcpu& vcpu, Gpaddr address, AccessKind kind, bool present);
/// Runs the instruction at RIP in the emulator: MMIO, string I/O, control register moves.
void emulate_instruction(Vcpu& vcpu);
/// The guest's processor would have shut down: a triple fault.
void handle_shutdown(Vcpu& vcpu);

/// RDMSR and WRMSR with the guest's registers. False: #GP was injected, and the instruction isn't to be skipped.
bool access_msr(Vcpu& vcpu, bool write);
/// IN and OUT of 1, 2 or 4 bytes without a string, with the guest's registers.
void access_port(Vcpu& vcpu, u16 port, unsigned size, bool in);
/// RDTSC where it exits: the guest's TSC into EDX:EAX.
void read_guest_tsc(Vcpu& vcpu);

/// Writes CR0 by MOV, CLTS or LMSW where the back end doesn't let the guest do it. Errors: efault → #GP(0).
Result<> write_cr0(Vcpu& vcpu, u64 value);
/// MOV to control register 0, 4 or 8. Errors: efault → #GP(0).
Result<> write_control(Vcpu& vcpu, unsigned number, u64 value);

/// Length of the instruction at RIP, by decoding: for back ends that don't tell. 0: it can't be fetched or decoded.
unsigned instruction_length(Vcpu& vcpu);

}  // namespace px::hvm
