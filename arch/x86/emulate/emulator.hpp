// The emulator: executes one instruction on a vCPU's registers through access callbacks.
//
// A pure function: no state of its own, so that an instruction which has to wait is simply run again
// (access.hpp, "Replay"). On any outcome but done and again the registers are unchanged, except that
// completed rounds of a REP stay.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "arch/x86/emulate/access.hpp"
#include "arch/x86/emulate/instruction.hpp"
#include "arch/x86/emulate/registers.hpp"

namespace px::emulate {

/// Fetch and decode the instruction at CS:RIP, touching a second page only if the instruction reaches into
/// it. `fetched`: what the CPU has read of it already, at most max_instruction_length bytes; only what lies behind
/// them is fetched. Errors: #GP(0) for a bad RIP or more than 15 bytes, #UD for an undefined opcode, and what
/// Access::fetch answers.
Step<Instruction> fetch_instruction(const Registers& registers, Access& access, std::span<const u8> fetched = {});

/// Execute an instruction decoded before (it stands at CS:RIP).
Outcome run(Registers& registers, const Instruction& instruction, Access& access);

/// Fetch, decode and execute.
Outcome run(Registers& registers, Access& access);

}  // namespace px::emulate
