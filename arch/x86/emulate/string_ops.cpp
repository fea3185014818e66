// String instructions: MOVS, CMPS, STOS, LODS, SCAS, INS, OUTS, with and without REP.
//
// Each round of a REP commits by itself, as on a processor: a fault or a retry in round n keeps rounds 0…n-1,
// and RIP stays, so that the instruction goes on from there.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "arch/x86/emulate/handlers.hpp"
#include "arch/x86/emulate/port_ops.hpp"
#include "arch/x86/emulate/segmentation.hpp"

namespace px::emulate {
namespace {

/// Rounds of one run; bounds the time in the hypervisor, after which the guest simply meets the instruction
/// again.
constexpr unsigned max_rounds = 512;

/// DS:rSI (the segment can be overridden) and ES:rDI (it can't).
class StringOperands {
public:
    StringOperands(Execution& x, unsigned size) : x_(x), size_(size) {}

    Step<u64> source() { return x_.load(source_segment(), x_.gpr(rsi, address_size()), size_); }
    Step<u64> destination() { return x_.load(Segment::es, x_.gpr(rdi, address_size()), size_); }
    Step<> store(u64 value) { return x_.store(Segment::es, x_.gpr(rdi, address_size()), size_, value); }
    Step<> probe_store() {
        const u64 offset = x_.gpr(rdi, address_size());
        return x_.access.probe_write(TRY(linear_address(x_.now, Segment::es, offset, size_, Intent::write)), size_);
    }
    void advance_source() { advance(rsi); }
    void advance_destination() { advance(rdi); }

private:
    unsigned address_size() const { return x_.in.address_size; }
    Segment source_segment() const { return x_.in.segment_override == Segment::none ? Segment::ds : x_.in.segment_override; }
    void advance(Gpr number) {
        const u64 step = x_.now.rflags & rflags::df ? -u64{size_} : size_;
        x_.add_to_gpr(number, address_size(), step);
    }

    Execution& x_;
    unsigned size_;
};

void compare(Execution& x, u64 a, u64 b, unsigned size) { x.now.rflags = alu::binary(alu::Binary::cmp, a, b, x.now.rflags, size).flags; }

Step<> move_string(Execution&, StringOperands& operands, unsigned) {
    TRY(operands.store(TRY(operands.source())));
    operands.advance_source();
    operands.advance_destination();
    return {};
}

Step<> compare_strings(Execution& x, StringOperands& operands, unsigned size) {
    const u64 source = TRY(operands.source());
    compare(x, source, TRY(operands.destination()), size);
    operands.advance_source();
    operands.advance_destination();
    return {};
}

Step<> store_string(Execution& x, StringOperands& operands, unsigned size) {
    TRY(operands.store(x.gpr(rax, size)));
    operands.advance_destination();
    return {};
}

Step<> load_string(Execution& x, StringOperands& operands, unsigned size) {
    x.set_gpr(rax, size, TRY(operands.source()));
    operands.advance_source();
    return {};
}

Step<> scan_string(Execution& x, StringOperands& operands, unsigned size) {
    compare(x, x.gpr(rax, size), TRY(operands.destination()), size);
    operands.advance_destination();
    return {};
}

u16 port_of(const Execution& x) { return static_cast<u16>(x.now.gpr[rdx]); }

Step<> input_string(Execution& x, StringOperands& operands, unsigned size) {
    TRY(operands.probe_store());
    TRY(operands.store(TRY(x.access.port_in(port_of(x), size))));
    operands.advance_destination();
    return {};
}

Step<> output_string(Execution& x, StringOperands& operands, unsigned size) {
    TRY(x.access.port_out(port_of(x), size, static_cast<u32>(TRY(operands.source()))));
    operands.advance_source();
    return {};
}

using Round = Step<> (*)(Execution&, StringOperands&, unsigned size);

struct StringInstruction {
    Round round;
    bool compares = false;  ///< F3 and F2 are REPE and REPNE
    bool port = false;      ///< at most 4 bytes
};

StringInstruction string_instruction(u8 opcode) {
    switch (opcode & ~1) {
    case 0x6c: return {.round = input_string, .port = true};
    case 0x6e: return {.round = output_string, .port = true};
    case 0xa4: return {.round = move_string};
    case 0xa6: return {.round = compare_strings, .compares = true};
    case 0xaa: return {.round = store_string};
    case 0xac: return {.round = load_string};
    default: return {.round = scan_string, .compares = true};
    }
}

}  // namespace

Step<> string_operation(Execution& x) {
    const StringInstruction instruction = string_instruction(x.in.opcode);
    const unsigned size = instruction.port ? std::min(x.byte_or_size(), 4u) : x.byte_or_size();
    StringOperands operands(x, size);
    if (instruction.port) TRY(check_port(x, port_of(x), size));  // even if the count is 0
    if (x.in.repeat == Repeat::none) return instruction.round(x, operands, size);

    for (unsigned rounds = 0; x.gpr(rcx, x.in.address_size) != 0; ++rounds) {
        if (rounds == max_rounds) return Err{Outcome::again()};
        TRY(instruction.round(x, operands, size));
        x.add_to_gpr(rcx, x.in.address_size, ~u64{0});
        const bool equal = x.now.rflags & rflags::zf;
        if (instruction.compares && equal != (x.in.repeat == Repeat::equal)) break;
        x.commit();
    }
    return {};
}

}  // namespace px::emulate
