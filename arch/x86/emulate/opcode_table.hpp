// Opcode tables: what follows each opcode byte, one letter per opcode.
//
// The letters:
//   .  nothing                     b  imm8                     M  ModRM
//   x  undefined (#UD)             w  imm16                    B  ModRM, imm8
//   p  prefix, escape byte         z  imm16/32                 Z  ModRM, imm16/32
//   a  offset of address size      v  imm16/32/64              g  ModRM, imm8 if reg < 2      (group F6)
//   f  far pointer                 e  imm16, imm8 (ENTER)      G  ModRM, imm16/32 if reg < 2  (group F7)
//   r  ModRM that always names registers, whatever mod says    s  ModRM; with 66 or F2 two imm8 (SSE4a)
// Sources: [amd/apm3 appendix A], [intel/sdm2 appendix A].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::emulate {

using namespace std::string_view_literals;

// clang-format off
inline constexpr auto one_byte_formats =
    // 0123456789abcdef
    "MMMMbz..MMMMbz.p"    // 00  ADD, PUSH/POP ES, OR, PUSH CS, escape 0F
    "MMMMbz..MMMMbz.."    // 10  ADC, SS, SBB, DS
    "MMMMbzp.MMMMbzp."    // 20  AND, DAA, SUB, DAS
    "MMMMbzp.MMMMbzp."    // 30  XOR, AAA, CMP, AAS
    "................"    // 40  INC, DEC (REX in 64-bit mode)
    "................"    // 50  PUSH, POP
    "..MMppppzZbB...."    // 60  PUSHA, POPA, BOUND, ARPL/MOVSXD, PUSH, IMUL, INS, OUTS
    "bbbbbbbbbbbbbbbb"    // 70  Jcc
    "BZBBMMMMMMMMMMMM"    // 80  group 1, TEST, XCHG, MOV, LEA, POP
    "..........f....."    // 90  XCHG, CBW, CWD, CALLF, PUSHF, POPF
    "aaaa....bz......"    // a0  MOV moffs, strings, TEST
    "bbbbbbbbvvvvvvvv"    // b0  MOV
    "BBw.MMBZe.w..b.."    // c0  shifts, RET, LES, LDS, MOV, ENTER, LEAVE, RETF, INT
    "MMMMbb..MMMMMMMM"    // d0  shifts, AAM, AAD, SALC, XLAT, x87
    "bbbbbbbbzzfb...."    // e0  LOOP, JCXZ, IN, OUT, CALL, JMP
    "p.pp..gG......MM"sv; // f0  LOCK, INT1, REP, HLT, groups 3, 4, 5

inline constexpr auto map_0f_formats =
    // 0123456789abcdef
    "MMMMx.....x.xM.B"    // 00  groups 6, 7, LAR, LSL, SYSCALL, CLTS, SYSRET, INVD, WBINVD, UD2, FEMMS, 3DNow!
    "MMMMMMMMMMMMMMMM"    // 10  moves, hints, NOP
    "rrrrxxxxMMMMMMMM"    // 20  MOV CR, DR, conversions
    "......x.pxpxxxxx"    // 30  WRMSR, RDTSC, RDMSR, RDPMC, SYSENTER, SYSEXIT, GETSEC, escapes 38 and 3A
    "MMMMMMMMMMMMMMMM"    // 40  CMOVcc
    "MMMMMMMMMMMMMMMM"    // 50
    "MMMMMMMMMMMMMMMM"    // 60
    "BBBBMMM.sMxxMMMM"    // 70  PSHUF, vector shifts, EMMS, VMREAD/EXTRQ, VMWRITE
    "zzzzzzzzzzzzzzzz"    // 80  Jcc
    "MMMMMMMMMMMMMMMM"    // 90  SETcc
    "...MBMxx...MBMMM"    // a0  FS, CPUID, BT, SHLD, GS, RSM, BTS, SHRD, group 15, IMUL
    "MMMMMMMMMMBMMMMM"    // b0  CMPXCHG, LSS, BTR, LFS, LGS, MOVZX, POPCNT, UD1, group 8, BTC, BSF, BSR, MOVSX
    "MMBMBBBM........"    // c0  XADD, CMPPS, MOVNTI, PINSRW, PEXTRW, SHUFPS, group 9, BSWAP
    "MMMMMMMMMMMMMMMM"    // d0
    "MMMMMMMMMMMMMMMM"    // e0
    "MMMMMMMMMMMMMMMM"sv; // f0

// clang-format on
static_assert(one_byte_formats.size() == 256 && map_0f_formats.size() == 256);

/// A set of opcodes of one map.
class OpcodeSet {
public:
    struct Range {
        u8 first, last;
    };
    template <usize N>
    consteval explicit OpcodeSet(const Range (&ranges)[N]) {
        for (const Range& range : ranges) {
            for (unsigned opcode = range.first; opcode <= range.last; ++opcode) { bits_[opcode / 64] |= u64{1} << opcode % 64; }
        }
    }
    constexpr bool contains(u8 opcode) const { return bits_[opcode / 64] >> opcode % 64 & 1; }

private:
    std::array<u64, 4> bits_{};
};

/// Opcodes that 64-bit mode doesn't have (those that became prefixes are not met as opcodes).
inline constexpr OpcodeSet not_in_64_bit_mode{{{0x06, 0x07},
                                               {0x0e, 0x0e},
                                               {0x16, 0x17},
                                               {0x1e, 0x1f},
                                               {0x27, 0x27},
                                               {0x2f, 0x2f},
                                               {0x37, 0x37},
                                               {0x3f, 0x3f},
                                               {0x60, 0x61},
                                               {0x82, 0x82},
                                               {0x9a, 0x9a},
                                               {0xce, 0xce},
                                               {0xd4, 0xd6},
                                               {0xea, 0xea}}};

/// Opcodes whose operands have 64 bits in 64-bit mode without REX.W: stack and near branches [amd/apm3 table
/// B-5]. FF depends on reg.
inline constexpr OpcodeSet one_byte_wide_by_default{{{0x50, 0x5f},
                                                     {0x68, 0x68},
                                                     {0x6a, 0x6a},
                                                     {0x70, 0x7f},
                                                     {0x8f, 0x8f},
                                                     {0x9c, 0x9d},
                                                     {0xc2, 0xc3},
                                                     {0xc8, 0xc9},
                                                     {0xe0, 0xe3},
                                                     {0xe8, 0xe9},
                                                     {0xeb, 0xeb}}};
inline constexpr OpcodeSet map_0f_wide_by_default{{{0x80, 0x8f}, {0xa0, 0xa1}, {0xa8, 0xa9}}};

/// Of map 0F with VEX or EVEX: opcodes with an imm8.
inline constexpr OpcodeSet vector_0f_immediate{{{0x70, 0x73}, {0xc2, 0xc2}, {0xc4, 0xc6}}};

}  // namespace px::emulate
