// What both back ends do with their exits: handlers that differ only in how an instruction is skipped, and the table of all.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/hvm/exits.hpp"
#include "arch/x86/hvm/interrupts.hpp"
#include "arch/x86/traps/trap_frame.hpp"
#include "hypervisor/domain/vcpu.hpp"

namespace px::hvm {

using ExitHandler = void (*)(Vcpu& vcpu);

/// `skip_instruction`: puts the guest behind the instruction that exited.
template <ExitHandler skip_instruction>
struct CommonExits {
    /// Host interrupts were taken already; an open window is used by the next entry.
    static void nothing_to_do(Vcpu&) {}
    static void undefined(Vcpu& vcpu) { inject_exception(vcpu, arch::exception::invalid_opcode); }
    static void refused(Vcpu& vcpu) { inject_exception(vcpu, arch::exception::general_protection, 0); }

    static void cpuid(Vcpu& vcpu) {
        handle_cpuid(vcpu);
        skip_instruction(vcpu);
    }
    static void halt(Vcpu& vcpu) {
        skip_instruction(vcpu);
        handle_halt(vcpu);
    }
    static void rdmsr(Vcpu& vcpu) {
        if (access_msr(vcpu, false)) skip_instruction(vcpu);
    }
    static void wrmsr(Vcpu& vcpu) {
        if (access_msr(vcpu, true)) skip_instruction(vcpu);
    }
    static void xsetbv(Vcpu& vcpu) {
        const GuestRegisters& regs = vcpu.arch.registers;
        const u64 value = (regs.rax & 0xffffffff) | regs.rdx << 32;
        if (!set_xcr(vcpu, static_cast<u32>(regs.rcx), value)) return refused(vcpu);
        skip_instruction(vcpu);
    }
    static void pause(Vcpu& vcpu) {
        skip_instruction(vcpu);
        handle_pause(vcpu);
    }
    static void rdtsc(Vcpu& vcpu) {
        read_guest_tsc(vcpu);
        skip_instruction(vcpu);
    }
    static void rdtscp(Vcpu& vcpu) {
        vcpu.arch.registers.rcx = vcpu.arch.tsc_aux;
        rdtsc(vcpu);
    }
};

/// Handlers by exit code.
template <usize count>
class ExitTable {
public:
    constexpr explicit ExitTable(ExitHandler others) { handlers_.fill(others); }
    template <class... Codes>
    constexpr void set(ExitHandler handler, Codes... codes) {
        ((handlers_[static_cast<usize>(codes)] = handler), ...);
    }
    /// Codes from `first` up to `last`, which isn't one of them.
    template <class Code>
    constexpr void set_range(ExitHandler handler, Code first, Code last) {
        for (auto code = static_cast<usize>(first); code < static_cast<usize>(last); ++code) handlers_[code] = handler;
    }
    static constexpr usize size() { return count; }
    ExitHandler operator[](usize code) const { return handlers_[code]; }

private:
    std::array<ExitHandler, count> handlers_{};
};

}  // namespace px::hvm
