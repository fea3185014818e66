// Which handler executes which opcode.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/handlers.hpp"

namespace px::emulate {
namespace {

// Opcode lists read as tables.
// clang-format off

/// 00–3F, columns 0–5: eight operations in four forms.
Handler binary_handler(u8 opcode) {
    switch (opcode & 7) {
        case 0 ... 1: return binary_to_rm;
        case 2 ... 3: return binary_from_rm;
        default: return binary_immediate_to_accumulator;
    }
}

Handler one_byte_handler(const Instruction& in) {
    const u8 opcode = in.opcode;
    if (opcode < 0x40) return (opcode & 7) < 6 ? binary_handler(opcode) : nullptr;
    switch (opcode) {
        case 0x40 ... 0x4f: return increment_or_decrement_reg;
        case 0x50 ... 0x57: return push_reg;
        case 0x58 ... 0x5f: return pop_reg;
        case 0x63: return move_doubleword_sign_extended;
        case 0x68: case 0x6a: return push_immediate;
        case 0x69: case 0x6b: return multiply_signed;
        case 0x6c ... 0x6f: return string_operation;
        case 0x80 ... 0x83: return binary_immediate_to_rm;
        case 0x84 ... 0x85: return test_rm_reg;
        case 0x86 ... 0x87: return exchange;
        case 0x88 ... 0x89: return move_to_rm;
        case 0x8a ... 0x8b: return move_from_rm;
        case 0x8c: return move_from_segment;
        case 0x8d: return load_effective_address;
        case 0x8f: return pop_rm;
        case 0xa0 ... 0xa1: return move_from_offset;
        case 0xa2 ... 0xa3: return move_to_offset;
        case 0xa4 ... 0xa7: case 0xaa ... 0xaf: return string_operation;
        case 0xa8 ... 0xa9: return test_accumulator;
        case 0xb0 ... 0xbf: return move_immediate_to_reg;
        case 0xc0: case 0xc1: case 0xd0 ... 0xd3: return shift_rm;
        case 0xc6 ... 0xc7: return move_immediate_to_rm;
        case 0xe4 ... 0xe7: case 0xec ... 0xef: return port_operation;
        case 0xf6 ... 0xf7: return group_3;
        case 0xfe: case 0xff:
            if (in.reg_field() < 2) return increment_or_decrement;
            return opcode == 0xff && in.reg_field() == 6 ? push_rm : nullptr;
        default: return nullptr;
    }
}

Handler map_0f_handler(const Instruction& in) {
    switch (in.opcode) {
        case 0x40 ... 0x4f: return move_conditionally;
        case 0x90 ... 0x9f: return set_conditionally;
        case 0xa3: case 0xab: case 0xb3: case 0xbb: return bit_by_register;
        case 0xa4: case 0xa5: case 0xac ... 0xad: return shift_double;
        case 0xaf: return multiply_signed;
        case 0xb0 ... 0xb1: return compare_exchange;
        case 0xb6 ... 0xb7: return move_zero_extended;
        case 0xba: return bit_by_immediate;
        case 0xbe ... 0xbf: return move_sign_extended;
        case 0xc0 ... 0xc1: return exchange_add;
        case 0xc3: return move_non_temporal;
        case 0xc7: return in.reg_field() == 1 && in.has_memory ? compare_exchange_double : nullptr;
        default: return find_vector_handler(in);
    }
}

Handler map_0f38_handler(const Instruction& in) {
    switch (in.opcode) {
        case 0xf0: return move_from_rm_swapped;
        case 0xf1: return move_to_rm_swapped;
        default: return find_vector_handler(in);
    }
}

}  // namespace

// clang-format on

Handler find_handler(const Instruction& in) {
    if (in.encoding != Encoding::legacy) return find_vector_handler(in);
    switch (in.map) {
    case Map::one_byte: return one_byte_handler(in);
    case Map::map_0f: return map_0f_handler(in);
    case Map::map_0f38: return map_0f38_handler(in);
    default: return nullptr;
    }
}

// clang-format off
bool lock_is_legal(const Instruction& in) {
    if (in.encoding != Encoding::legacy || !in.has_memory) return false;
    const unsigned reg = in.reg_field();
    if (in.map == Map::one_byte) {
        switch (in.opcode) {
            case 0x00 ... 0x37: return (in.opcode & 7) < 2;  // 38, 39 are CMP
            case 0x80 ... 0x83: return reg != 7;
            case 0x86 ... 0x87: return true;
            case 0xf6 ... 0xf7: return reg == 2 || reg == 3;
            case 0xfe ... 0xff: return reg < 2;
            default: return false;
        }
    }
    if (in.map != Map::map_0f) return false;
    switch (in.opcode) {
        case 0xab: case 0xb3: case 0xbb: case 0xb0: case 0xb1: case 0xc0 ... 0xc1: return true;
        case 0xba: return reg > 4;
        case 0xc7: return reg == 1;
        default: return false;
    }
}

// clang-format on

}  // namespace px::emulate
