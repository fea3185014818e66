// Arithmetic, logic, shifts and bit operations.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/handlers.hpp"

namespace px::emulate {
namespace {

using alu::Binary;

/// rm = rm OP source; CMP reads only.
Step<> apply_to_rm(Execution& x, Binary operation, unsigned size, u64 source) {
    if (operation == Binary::cmp) {
        x.now.rflags = alu::binary(operation, TRY(x.read_rm(size)), source, x.now.rflags, size).flags;
        return {};
    }
    return x.modify_rm(size, [&](u64 value) { return alu::binary(operation, value, source, x.now.rflags, size); });
}

void apply_to_reg(Execution& x, Binary operation, unsigned number, unsigned size, u64 source) {
    const alu::Result r = alu::binary(operation, x.gpr(number, size), source, x.now.rflags, size);
    if (operation != Binary::cmp) x.set_gpr(number, size, r.value);
    x.now.rflags = r.flags;
}

Binary operation_of_opcode(const Instruction& in) { return Binary(in.opcode >> 3 & 7); }

Step<> test(Execution& x, u64 source) {
    const unsigned size = x.byte_or_size();
    x.now.rflags = alu::logic(TRY(x.read_rm(size)) & source, x.now.rflags, size).flags;
    return {};
}

}  // namespace

Step<> binary_to_rm(Execution& x) {
    const unsigned size = x.byte_or_size();
    return apply_to_rm(x, operation_of_opcode(x.in), size, x.gpr(x.in.reg, size));
}

Step<> binary_from_rm(Execution& x) {
    const unsigned size = x.byte_or_size();
    apply_to_reg(x, operation_of_opcode(x.in), x.in.reg, size, TRY(x.read_rm(size)));
    return {};
}

Step<> binary_immediate_to_accumulator(Execution& x) {
    apply_to_reg(x, operation_of_opcode(x.in), rax, x.byte_or_size(), x.in.immediate);
    return {};
}

Step<> binary_immediate_to_rm(Execution& x) { return apply_to_rm(x, Binary(x.in.reg_field()), x.byte_or_size(), x.in.immediate); }

Step<> test_rm_reg(Execution& x) { return test(x, x.gpr(x.in.reg, x.byte_or_size())); }

Step<> test_accumulator(Execution& x) {
    const unsigned size = x.byte_or_size();
    x.now.rflags = alu::logic(x.gpr(rax, size) & x.in.immediate, x.now.rflags, size).flags;
    return {};
}

Step<> group_3(Execution& x) {
    const unsigned size = x.byte_or_size();
    switch (x.in.reg_field()) {
    case 0:
    case 1: return test(x, x.in.immediate);
    case 2: return x.modify_rm(size, [&](u64 value) { return alu::Result{~value, x.now.rflags}; });
    case 3: return x.modify_rm(size, [&](u64 value) { return alu::negate(value, x.now.rflags, size); });
    default: return x.unhandled();  // MUL, IMUL, DIV, IDIV
    }
}

Step<> increment_or_decrement(Execution& x) {
    const unsigned size = x.byte_or_size();
    if (x.in.reg_field() == 0) {
        return x.modify_rm(size, [&](u64 value) { return alu::increment(value, x.now.rflags, size); });
    }
    return x.modify_rm(size, [&](u64 value) { return alu::decrement(value, x.now.rflags, size); });
}

Step<> increment_or_decrement_reg(Execution& x) {
    const unsigned size = x.in.operand_size;
    const u64 value = x.gpr(x.in.rm, size);
    const alu::Result r = x.in.opcode & 8 ? alu::decrement(value, x.now.rflags, size) : alu::increment(value, x.now.rflags, size);
    x.set_gpr(x.in.rm, size, r.value);
    x.now.rflags = r.flags;
    return {};
}

Step<> shift_rm(Execution& x) {
    const unsigned size = x.byte_or_size();
    const u64 count = x.in.opcode < 0xd0 ? x.in.immediate : x.in.opcode < 0xd2 ? 1 : x.now.gpr[rcx];
    return x.modify_rm(size, [&](u64 value) { return alu::shift(alu::Shift(x.in.reg_field()), value, count, x.now.rflags, size); });
}

Step<> shift_double(Execution& x) {
    const unsigned size = x.in.operand_size;
    const u64 source = x.gpr(x.in.reg, size);
    const u64 count = x.in.opcode & 1 ? x.now.gpr[rcx] : x.in.immediate;
    return x.modify_rm(size, [&](u64 value) {
        return x.in.opcode & 8 ? alu::shift_double_right(value, source, count, x.now.rflags, size)
                               : alu::shift_double_left(value, source, count, x.now.rflags, size);
    });
}

/// The number in a register is signed and reaches beyond the operand: memory is a bit string in units of the
/// operand size.
Step<> bit_by_register(Execution& x) {
    const unsigned size = x.in.operand_size;
    const alu::Bit operation{static_cast<u8>(x.in.opcode >> 3 & 3)};
    const i64 number = static_cast<i64>(alu::sign_extend(x.gpr(x.in.reg, size), size));
    const unsigned within = static_cast<unsigned>(number) & (alu::bits_of(size) - 1);
    const u64 unit = static_cast<u64>((number - within) >> 3);
    const u64 offset = x.truncate_address(x.effective_address() + unit);
    const bool writes = operation != alu::Bit::test;

    const u64 before =
        x.in.has_memory ? TRY(x.load(x.in.memory.segment, offset, size, writes ? Intent::modify : Intent::read)) : x.gpr(x.in.rm, size);
    const alu::Result after = alu::bit(operation, before, within, x.now.rflags);
    if (writes && x.in.has_memory) {
        TRY(x.update(x.in.memory.segment, offset, size, before, after.value, x.in.lock));
    } else if (writes) {
        x.set_gpr(x.in.rm, size, after.value);
    }
    x.now.rflags = after.flags;
    return {};
}

Step<> bit_by_immediate(Execution& x) {
    if (x.in.reg_field() < 4) return x.undefined();
    const unsigned size = x.in.operand_size;
    const alu::Bit operation{static_cast<u8>(x.in.reg_field() & 3)};
    const unsigned number = x.in.immediate & (alu::bits_of(size) - 1);
    if (operation == alu::Bit::test) {
        x.now.rflags = alu::bit(operation, TRY(x.read_rm(size)), number, x.now.rflags).flags;
        return {};
    }
    return x.modify_rm(size, [&](u64 value) { return alu::bit(operation, value, number, x.now.rflags); });
}

/// Two and three operands; the product is truncated.
Step<> multiply_signed(Execution& x) {
    const unsigned size = x.in.operand_size;
    const u64 a = TRY(x.read_rm(size));
    const u64 b = x.in.immediate_size ? x.in.immediate : x.gpr(x.in.reg, size);
    const alu::Result r = alu::multiply_signed(a, b, x.now.rflags, size);
    x.set_gpr(x.in.reg, size, r.value);
    x.now.rflags = r.flags;
    return {};
}

}  // namespace px::emulate
