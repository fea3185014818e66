// A decoded x86 instruction: what its bytes say, before anything is known about registers.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::emulate {

/// Longest instruction that a processor accepts; one byte more is #GP [amd/apm3 1.1].
inline constexpr unsigned max_instruction_length = 15;

/// Default operand and address size of the code segment; bits64 is 64-bit mode (CS.L with EFER.LMA).
enum class Mode : u8 { bits16, bits32, bits64 };

enum class Encoding : u8 { legacy, vex, evex, xop };

/// Opcode maps, numbered as VEX, EVEX and XOP number them.
enum class Map : u8 { one_byte, map_0f, map_0f38, map_0f3a, map_4, map_5, map_6, map_7, xop_8, xop_9, xop_a };

/// Segment registers in the order of their encoding.
enum class Segment : u8 { es, cs, ss, ds, fs, gs, none };
inline constexpr unsigned segment_count = 6;

/// F3 and F2, also where they are no repeat prefix but select an operation.
enum class Repeat : u8 { none, equal, not_equal };

/// General registers in the order of their encoding.
enum Gpr : u8 { rax, rcx, rdx, rbx, rsp, rbp, rsi, rdi, r8, r9, r10, r11, r12, r13, r14, r15, no_gpr = 0xff };

/// A memory operand: segment:[base + (index << shift) + displacement], truncated to the address size.
struct MemoryOperand {
    i64 displacement = 0;  ///< sign-extended; with EVEX an 8-bit one still lacks its scale
    u8 base = no_gpr;
    u8 index = no_gpr;
    u8 shift = 0;
    bool rip_relative = false;      ///< the address of the next instruction is added
    Segment segment = Segment::ds;  ///< the override if it counts, otherwise the default of this form
};

struct Instruction {
    u8 length = 0;  ///< bytes, prefixes included
    Mode mode = Mode::bits64;
    Encoding encoding = Encoding::legacy;
    Map map = Map::one_byte;
    u8 opcode = 0;

    u8 operand_size = 4;  ///< 2, 4 or 8 bytes; that opcodes with an even number often mean a byte is the reader's to know
    u8 address_size = 8;  ///< 2, 4 or 8 bytes
    Segment segment_override = Segment::none;
    Repeat repeat = Repeat::none;
    bool lock = false;
    bool operand_size_prefix = false;  ///< 66 (or the same in VEX.pp)
    bool rex_present = false;          ///< SPL…DIL instead of AH…BH
    bool wide = false;                 ///< REX.W, VEX.W
    u8 vector_length = 0;              ///< VEX.L, EVEX.L'L: 16 << vector_length bytes
    u8 vvvv = 0;                       ///< register named by VEX.vvvv (0 if none)

    bool has_modrm = false;
    bool has_sib = false;
    bool has_memory = false;  ///< `memory` is an operand (ModRM.mod ≠ 3, or an offset as in MOV AL, moffs)
    u8 modrm = 0;
    u8 sib = 0;
    u8 reg = 0;  ///< ModRM.reg with REX.R
    u8 rm = 0;   ///< ModRM.rm with REX.B if it names a register; without ModRM the opcode's low bits with REX.B
    MemoryOperand memory;

    u8 displacement_size = 0;  ///< bytes
    u8 immediate_size = 0;     ///< bytes, 0 if there is none
    u8 immediate2_size = 0;    ///< ENTER's level, a far pointer's selector, EXTRQ's index
    u64 immediate = 0;         ///< sign-extended
    u64 immediate2 = 0;        ///< zero-extended

    constexpr unsigned reg_field() const { return modrm >> 3 & 7; }
    constexpr bool is(Map m, u8 o) const { return encoding == Encoding::legacy && map == m && opcode == o; }
};

}  // namespace px::emulate
