// PUSH and POP.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/handlers.hpp"

namespace px::emulate {
namespace {

unsigned stack_address_size(const Execution& x) {
    if (x.in.mode == Mode::bits64) return 8;
    return x.now[Segment::ss].is_big() ? 4 : 2;
}

Step<> push(Execution& x, u64 value) {
    const unsigned address_size = stack_address_size(x), size = x.in.operand_size;
    const u64 top = (x.now.gpr[rsp] - size) & alu::mask(address_size);
    TRY(x.store(Segment::ss, top, size, value));
    x.add_to_gpr(rsp, address_size, -u64{size});
    return {};
}

Step<u64> pop(Execution& x) {
    const unsigned address_size = stack_address_size(x), size = x.in.operand_size;
    const u64 value = TRY(x.load(Segment::ss, x.gpr(rsp, address_size), size));
    x.add_to_gpr(rsp, address_size, size);
    return value;
}

}  // namespace

Step<> push_rm(Execution& x) { return push(x, TRY(x.read_rm(x.in.operand_size))); }
Step<> push_reg(Execution& x) { return push(x, x.gpr(x.in.rm, x.in.operand_size)); }
Step<> push_immediate(Execution& x) { return push(x, x.in.immediate); }

/// An address based on RSP sees the incremented RSP, and a popped RSP wins over the increment.
Step<> pop_rm(Execution& x) {
    if (x.in.reg_field() != 0) return x.undefined();
    const u64 value = TRY(pop(x));
    return x.write_rm(x.in.operand_size, value);
}

Step<> pop_reg(Execution& x) {
    x.set_gpr(x.in.rm, x.in.operand_size, TRY(pop(x)));
    return {};
}

}  // namespace px::emulate
