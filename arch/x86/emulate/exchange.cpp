// Exchanges: XCHG, XADD, CMPXCHG and its double-width forms.
//
// SPDX-License-Identifier: Apache-2.0
#include <array>

#include "arch/x86/emulate/handlers.hpp"
#include "arch/x86/emulate/segmentation.hpp"

namespace px::emulate {

/// Locked with or without the prefix.
Step<> exchange(Execution& x) {
    const unsigned size = x.byte_or_size();
    const u64 from_rm = TRY(x.read_rm(size, Intent::modify));
    TRY(x.update_rm(size, from_rm, x.gpr(x.in.reg, size), true));
    x.set_gpr(x.in.reg, size, from_rm);
    return {};
}

Step<> exchange_add(Execution& x) {
    const unsigned size = x.byte_or_size();
    const u64 before = TRY(x.read_rm(size, Intent::modify));
    const alu::Result sum = alu::add(before, x.gpr(x.in.reg, size), false, x.now.rflags, size);
    if (x.in.has_memory) TRY(x.update_rm(size, before, sum.value, x.in.lock));
    x.set_gpr(x.in.reg, size, before);
    if (!x.in.has_memory) x.set_gpr(x.in.rm, size, sum.value);  // last: XADD AX, AX leaves the sum
    x.now.rflags = sum.flags;
    return {};
}

/// Memory is written in both cases, with its own value if the comparison fails [amd/apm3 CMPXCHG]; a register
/// isn't, so that a 32-bit one keeps its upper half (seen on Zen 5).
Step<> compare_exchange(Execution& x) {
    const unsigned size = x.byte_or_size();
    const u64 before = TRY(x.read_rm(size, Intent::modify));
    const alu::Result comparison = alu::binary(alu::Binary::cmp, x.gpr(rax, size), before, x.now.rflags, size);
    const bool equal = comparison.flags & rflags::zf;
    if (equal || x.in.has_memory) TRY(x.update_rm(size, before, equal ? x.gpr(x.in.reg, size) : before, x.in.lock));
    if (!equal) x.set_gpr(rax, size, before);
    x.now.rflags = comparison.flags;
    return {};
}

namespace {

struct Pair {
    std::array<u8, 16> data{};
    std::span<u8> bytes(unsigned half) { return std::span(data).first(2 * half); }
    u64 get(unsigned index, unsigned half) const {
        u64 value = 0;
        for (unsigned i = 0; i < half; ++i) value |= u64{data[index * half + i]} << 8 * i;
        return value;
    }
    void set(unsigned index, unsigned half, u64 value) {
        for (unsigned i = 0; i < half; ++i) data[index * half + i] = static_cast<u8>(value >> 8 * i);
    }
};

}  // namespace

/// CMPXCHG8B, and CMPXCHG16B with REX.W.
Step<> compare_exchange_double(Execution& x) {
    const unsigned half = x.in.operand_size == 8 ? 8 : 4;
    const auto translate = half == 8 ? aligned_linear_address : linear_address;
    const u64 linear = TRY(translate(x.now, x.in.memory.segment, x.effective_address(), 2 * half, Intent::modify));
    TRY(check_alignment(x.now, linear, 2 * half));

    Pair before;
    TRY(x.access.read(linear, before.bytes(half), Intent::modify));
    const u64 low = before.get(0, half), high = before.get(1, half);
    const bool equal = low == x.gpr(rax, half) && high == x.gpr(rdx, half);
    Pair after = before;
    if (equal) {
        after.set(0, half, x.gpr(rbx, half));
        after.set(1, half, x.gpr(rcx, half));
    }
    if (!x.in.lock) TRY(x.access.write(linear, after.bytes(half)));
    else if (!TRY(x.access.compare_exchange(linear, before.bytes(half), after.bytes(half)))) return Err{Outcome::again()};
    if (!equal) {
        x.set_gpr(rax, half, low);
        x.set_gpr(rdx, half, high);
    }
    x.now.rflags = alu::with(x.now.rflags, rflags::zf, alu::flag(rflags::zf, equal));
    return {};
}

}  // namespace px::emulate
