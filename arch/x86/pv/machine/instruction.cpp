// The emulator's view of the current PV vCPU.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/machine/instruction.hpp"

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/machine/guest_memory.hpp"

namespace px::pv {
namespace {

using emulate::Outcome;
using emulate::Step;

constexpr u32 error_write = 2, error_fetch = 16;

Outcome page_fault(u64 linear, u32 code) { return Outcome::exception(emulate::page_fault, code, linear); }

/// Access rights of a selector [LAR], 0 where it names nothing.
u32 access_rights(u16 selector) {
    u32 rights = 0;
    asm volatile("larl %1, %0" : "+r"(rights) : "r"(u32{selector}) : "cc");
    return rights;
}

}  // namespace

emulate::Registers registers_of(Vcpu& vcpu) {
    const arch::TrapFrame& from = state_of(vcpu).area.frame;
    emulate::Registers to;
    to.gpr = {from.rax, from.rcx, from.rdx, from.rbx, from.rsp, from.rbp, from.rsi, from.rdi,
              from.r8,  from.r9,  from.r10, from.r11, from.r12, from.r13, from.r14, from.r15};
    to.rip = from.rip;
    to.rflags = from.rflags;
    constexpr u16 flat = 0xcf3;  // present, ring 3, writable, 32 bits
    for (emulate::SegmentRegister& segment : to.segment) segment = {.selector = 3, .attributes = flat, .limit = ~u32{0}, .base = 0};
    const u32 code = access_rights(static_cast<u16>(from.cs));
    to[emulate::Segment::cs] = {static_cast<u16>(from.cs), static_cast<u16>((code >> 8 & 0xff) | (code >> 12 & 0xf00)), ~u32{0}, 0};
    to[emulate::Segment::fs].base = arch::read_msr(arch::msr::fs_base);
    to[emulate::Segment::gs].base = arch::read_msr(arch::msr::gs_base);
    to.cr0 = arch::cr0::pe | arch::cr0::pg;
    to.cr4 = arch::read_cr<4>();
    to.efer = arch::efer::lma | arch::efer::lme;
    to.cpl = 3;
    return to;
}

void take_registers(Vcpu& vcpu, const emulate::Registers& from) {
    constexpr u64 taken = emulate::rflags::arithmetic | emulate::rflags::rf;
    arch::TrapFrame& to = state_of(vcpu).area.frame;
    const auto& gpr = from.gpr;
    to.rax = gpr[0], to.rcx = gpr[1], to.rdx = gpr[2], to.rbx = gpr[3], to.rsp = gpr[4], to.rbp = gpr[5], to.rsi = gpr[6], to.rdi = gpr[7];
    to.r8 = gpr[8], to.r9 = gpr[9], to.r10 = gpr[10], to.r11 = gpr[11], to.r12 = gpr[12], to.r13 = gpr[13], to.r14 = gpr[14],
    to.r15 = gpr[15];
    to.rip = from.rip;
    to.rflags = (to.rflags & ~taken) | (from.rflags & taken);
}

Step<> InstructionAccess::read(u64 linear, std::span<u8> into, emulate::Intent) {
    if (!read_mapped(into.data(), linear, into.size())) return Err{page_fault(linear, 0)};
    return {};
}
Step<> InstructionAccess::write(u64 linear, std::span<const u8> from) {
    if (!write_mapped(linear, from.data(), from.size())) return Err{page_fault(linear, error_write)};
    return {};
}
Step<bool> InstructionAccess::compare_exchange(u64, std::span<const u8>, std::span<const u8>) { return Err{Outcome::unhandled()}; }
Step<> InstructionAccess::probe_write(u64, usize) { return {}; }
Step<> InstructionAccess::fetch(u64 linear, std::span<u8> into) {
    if (!read_mapped(into.data(), linear, into.size())) return Err{page_fault(linear, error_fetch)};
    return {};
}
Step<u32> InstructionAccess::port_in(u16, unsigned) { return Err{Outcome::unhandled()}; }
Step<> InstructionAccess::port_out(u16, unsigned, u32) { return Err{Outcome::unhandled()}; }

bool run_instruction(Vcpu& vcpu, InstructionAccess& access) {
    emulate::Registers registers = registers_of(vcpu);
    const emulate::Outcome outcome = emulate::run(registers, access);
    if (outcome.kind != emulate::Outcome::Kind::done && outcome.kind != emulate::Outcome::Kind::again) return false;
    take_registers(vcpu, registers);
    return true;
}

}  // namespace px::pv
