// Moves between registers and memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/handlers.hpp"

namespace px::emulate {

Step<> move_to_rm(Execution& x) {
    const unsigned size = x.byte_or_size();
    return x.write_rm(size, x.gpr(x.in.reg, size));
}

Step<> move_from_rm(Execution& x) {
    const unsigned size = x.byte_or_size();
    x.set_gpr(x.in.reg, size, TRY(x.read_rm(size)));
    return {};
}

Step<> move_immediate_to_rm(Execution& x) {
    if (x.in.reg_field() == 7 && x.in.modrm == 0xf8) return x.unhandled();  // XABORT, XBEGIN
    if (x.in.reg_field() != 0) return x.undefined();
    return x.write_rm(x.byte_or_size(), x.in.immediate);
}

Step<> move_immediate_to_reg(Execution& x) {
    x.set_gpr(x.in.rm, x.in.opcode & 8 ? x.in.operand_size : 1, x.in.immediate);
    return {};
}

Step<> move_from_offset(Execution& x) {
    const unsigned size = x.byte_or_size();
    x.set_gpr(rax, size, TRY(x.read_rm(size)));
    return {};
}

Step<> move_to_offset(Execution& x) {
    const unsigned size = x.byte_or_size();
    return x.write_rm(size, x.gpr(rax, size));
}

/// Memory always gets 16 bits, a register the selector zero-extended to the operand size.
Step<> move_from_segment(Execution& x) {
    if (x.in.reg_field() >= segment_count) return x.undefined();
    return x.write_rm(x.in.has_memory ? 2 : x.in.operand_size, x.now[Segment(x.in.reg_field())].selector);
}

Step<> move_zero_extended(Execution& x) {
    x.set_gpr(x.in.reg, x.in.operand_size, TRY(x.read_rm(x.in.opcode & 1 ? 2 : 1)));
    return {};
}

Step<> move_sign_extended(Execution& x) {
    const unsigned from = x.in.opcode & 1 ? 2 : 1;
    x.set_gpr(x.in.reg, x.in.operand_size, alu::sign_extend(TRY(x.read_rm(from)), from));
    return {};
}

Step<> move_doubleword_sign_extended(Execution& x) {
    if (x.in.mode != Mode::bits64) return x.unhandled();  // ARPL
    x.set_gpr(x.in.reg, x.in.operand_size, alu::sign_extend(TRY(x.read_rm(4)), 4));
    return {};
}

/// The source is read, and a 32-bit destination zero-extended, also if the condition is false.
Step<> move_conditionally(Execution& x) {
    const unsigned size = x.in.operand_size;
    const u64 source = TRY(x.read_rm(size));
    x.set_gpr(x.in.reg, size, alu::condition(x.in.opcode, x.now.rflags) ? source : x.gpr(x.in.reg, size));
    return {};
}

Step<> set_conditionally(Execution& x) { return x.write_rm(1, alu::condition(x.in.opcode, x.now.rflags)); }

Step<> move_non_temporal(Execution& x) {
    if (!x.in.has_memory || x.in.repeat != Repeat::none || x.in.operand_size_prefix) return x.undefined();
    return x.write_rm(x.in.operand_size, x.gpr(x.in.reg, x.in.operand_size));
}

/// With F2 these opcodes are CRC32; with F3 they don't exist.
Step<> move_from_rm_swapped(Execution& x) {
    if (x.in.repeat == Repeat::not_equal) return x.unhandled();
    if (!x.in.has_memory || x.in.repeat == Repeat::equal) return x.undefined();
    const unsigned size = x.in.operand_size;
    x.set_gpr(x.in.reg, size, alu::byte_swap(TRY(x.read_rm(size)), size));
    return {};
}

Step<> move_to_rm_swapped(Execution& x) {
    if (x.in.repeat == Repeat::not_equal) return x.unhandled();
    if (!x.in.has_memory || x.in.repeat == Repeat::equal) return x.undefined();
    const unsigned size = x.in.operand_size;
    return x.write_rm(size, alu::byte_swap(x.gpr(x.in.reg, size), size));
}

Step<> load_effective_address(Execution& x) {
    if (!x.in.has_memory) return x.undefined();
    x.set_gpr(x.in.reg, x.in.operand_size, x.effective_address());
    return {};
}

}  // namespace px::emulate
