// The instruction decoder: bytes to Instruction, for all opcode maps and modes.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "arch/x86/emulate/instruction.hpp"
#include "hypervisor/base/result.hpp"

namespace px::emulate {

enum class DecodeError : u8 {
    need_more_bytes,  ///< the bytes given are a proper beginning: append the following page's bytes and
                      ///< decode again
    too_long,         ///< more than 15 bytes: the processor raises #GP(0)
    undefined,        ///< the processor raises #UD
};

/// Decode the instruction at the start of `bytes` (bytes beyond the fifteenth don't matter).
///
/// Length and operands are exact for every instruction that the processor would execute. The converse is not
/// promised: reserved opcodes inside the vector maps (0F38, 0F3A, VEX, EVEX, XOP) and reserved values of
/// ModRM.reg decode by the rule of their map. No side effects, no state.
Result<Instruction, DecodeError> decode(std::span<const u8> bytes, Mode mode);

}  // namespace px::emulate
