// Integer arithmetic with x86 flags: pure functions of operands, flags and operand size.
//
// Flags that the manuals leave undefined are as an AMD Zen 5 sets them, except where processors disagree
// most: AF of shifts and SF, ZF, AF, PF of IMUL stay as they were.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>

#include "arch/x86/emulate/registers.hpp"

namespace px::emulate::alu {

/// A result truncated to its size, and the whole RFLAGS after it.
struct Result {
    u64 value;
    u64 flags;
};

constexpr unsigned bits_of(unsigned size) { return 8 * size; }
constexpr u64 mask(unsigned size) { return ~u64{0} >> (64 - bits_of(size)); }
constexpr bool sign(u64 value, unsigned size) { return value >> (bits_of(size) - 1) & 1; }
constexpr u64 sign_extend(u64 value, unsigned size) {
    const unsigned unused = 64 - bits_of(size);
    return static_cast<u64>(static_cast<i64>(value << unused) >> unused);
}
constexpr u64 byte_swap(u64 value, unsigned size) { return __builtin_bswap64(value) >> (64 - bits_of(size)); }

constexpr u64 flag(u64 bit, bool set) { return set ? bit : 0; }
constexpr u64 with(u64 flags, u64 changed, u64 values) { return (flags & ~changed) | (values & changed); }

/// ZF, SF and PF of a result.
constexpr u64 result_flags(u64 value, unsigned size) {
    return flag(rflags::zf, (value & mask(size)) == 0) | flag(rflags::sf, sign(value, size)) |
           flag(rflags::pf, std::popcount(value & 0xff) % 2 == 0);
}

/// In the order of their encoding in opcodes 00–3F and ModRM.reg of group 1.
enum class Binary : u8 { add, or_, adc, sbb, and_, sub, xor_, cmp };

/// `carries`: bit n is the carry (borrow) out of bit n.
constexpr Result with_carries(u64 value, u64 carries, bool overflow, u64 flags, unsigned size) {
    const u64 set =
        result_flags(value, size) | flag(rflags::cf, sign(carries, size)) | flag(rflags::af, carries >> 3 & 1) | flag(rflags::of, overflow);
    return {value & mask(size), with(flags, rflags::arithmetic, set)};
}
constexpr Result add(u64 a, u64 b, bool carry, u64 flags, unsigned size) {
    const u64 sum = a + b + carry;
    return with_carries(sum, (a & b) | ((a | b) & ~sum), sign((a ^ sum) & (b ^ sum), size), flags, size);
}
constexpr Result subtract(u64 a, u64 b, bool borrow, u64 flags, unsigned size) {
    const u64 difference = a - b - borrow;
    return with_carries(difference, (~a & b) | ((~a | b) & difference), sign((a ^ b) & (a ^ difference), size), flags, size);
}
constexpr Result logic(u64 value, u64 flags, unsigned size) {
    return {value & mask(size), with(flags, rflags::arithmetic, result_flags(value, size))};
}

/// CMP's value is to be thrown away.
constexpr Result binary(Binary operation, u64 a, u64 b, u64 flags, unsigned size) {
    const bool carry = flags & rflags::cf;
    switch (operation) {
    case Binary::add: return add(a, b, false, flags, size);
    case Binary::adc: return add(a, b, carry, flags, size);
    case Binary::sub:
    case Binary::cmp: return subtract(a, b, false, flags, size);
    case Binary::sbb: return subtract(a, b, carry, flags, size);
    case Binary::or_: return logic(a | b, flags, size);
    case Binary::and_: return logic(a & b, flags, size);
    case Binary::xor_: return logic(a ^ b, flags, size);
    }
    return {};
}

/// INC and DEC leave CF alone.
constexpr Result increment(u64 a, u64 flags, unsigned size) {
    const Result r = add(a, 1, false, flags, size);
    return {r.value, with(r.flags, rflags::cf, flags)};
}
constexpr Result decrement(u64 a, u64 flags, unsigned size) {
    const Result r = subtract(a, 1, false, flags, size);
    return {r.value, with(r.flags, rflags::cf, flags)};
}
constexpr Result negate(u64 a, u64 flags, unsigned size) { return subtract(0, a, false, flags, size); }

/// In the order of ModRM.reg of group 2; sal is shl.
enum class Shift : u8 { rol, ror, rcl, rcr, shl, shr, sal, sar };

constexpr unsigned shift_count(u64 count, unsigned size) { return count & (size == 8 ? 63 : 31); }

/// Rotations change CF and OF only.
constexpr Result rotated(u64 value, bool carry, bool overflow, u64 flags, unsigned size) {
    return {value & mask(size), with(flags, rflags::cf | rflags::of, flag(rflags::cf, carry) | flag(rflags::of, overflow))};
}
constexpr bool top_two_differ(u64 value, unsigned size) { return sign(value ^ value << 1, size); }

/// `count` is not 0 (masked). A rotation by a multiple of the width still sets CF.
constexpr Result rotate_left(u64 a, unsigned count, u64 flags, unsigned size) {
    const unsigned n = count % bits_of(size);
    const u64 value = n ? a << n | (a & mask(size)) >> (bits_of(size) - n) : a;
    return rotated(value, value & 1, sign(value, size) != (value & 1), flags, size);
}
constexpr Result rotate_right(u64 a, unsigned count, u64 flags, unsigned size) {
    const unsigned n = count % bits_of(size);
    const u64 value = n ? (a & mask(size)) >> n | a << (bits_of(size) - n) : a;
    return rotated(value, sign(value, size), top_two_differ(value, size), flags, size);
}
/// Through CF, one bit at a time: rare enough.
constexpr Result rotate_carry_left(u64 a, unsigned count, u64 flags, unsigned size) {
    bool carry = flags & rflags::cf;
    for (unsigned n = count % (bits_of(size) + 1); n > 0; --n) {
        const bool out = sign(a, size);
        a = a << 1 | carry;
        carry = out;
    }
    return rotated(a, carry, sign(a, size) != carry, flags, size);
}
constexpr Result rotate_carry_right(u64 a, unsigned count, u64 flags, unsigned size) {
    bool carry = flags & rflags::cf;
    for (unsigned n = count % (bits_of(size) + 1); n > 0; --n) {
        const bool out = a & 1;
        a = a >> 1 | u64{carry} << (bits_of(size) - 1);
        carry = out;
    }
    return rotated(a, carry, top_two_differ(a, size), flags, size);
}

constexpr Result shifted(u64 value, bool carry, bool overflow, u64 flags, unsigned size) {
    const u64 changed = rflags::arithmetic & ~rflags::af;
    const u64 set = result_flags(value, size) | flag(rflags::cf, carry) | flag(rflags::of, overflow);
    return {value & mask(size), with(flags, changed, set)};
}

/// `count` as in the instruction. Masked to 0 it changes nothing, flags included.
constexpr Result shift(Shift operation, u64 a, u64 count_operand, u64 flags, unsigned size) {
    const unsigned count = shift_count(count_operand, size);
    if (count == 0) return {a & mask(size), flags};
    a &= mask(size);
    switch (operation) {
    case Shift::rol: return rotate_left(a, count, flags, size);
    case Shift::ror: return rotate_right(a, count, flags, size);
    case Shift::rcl: return rotate_carry_left(a, count, flags, size);
    case Shift::rcr: return rotate_carry_right(a, count, flags, size);
    case Shift::shl:
    case Shift::sal: {
        const u64 before_last = a << (count - 1);
        const bool carry = sign(before_last, size);
        return shifted(before_last << 1, carry, sign(before_last << 1, size) != carry, flags, size);
    }
    case Shift::shr: {
        const u64 before_last = a >> (count - 1);
        return shifted(before_last >> 1, before_last & 1, top_two_differ(before_last >> 1, size), flags, size);
    }
    case Shift::sar: {
        const i64 before_last = static_cast<i64>(sign_extend(a, size)) >> (count - 1);
        return shifted(static_cast<u64>(before_last >> 1), before_last & 1, false, flags, size);
    }
    }
    return {};
}

/// SHLD and SHRD. A count beyond a 16-bit operand gives an undefined result; here the operand itself is
/// shifted in again.
constexpr Result shift_double_left(u64 a, u64 source, u64 count_operand, u64 flags, unsigned size) {
    const unsigned count = shift_count(count_operand, size);
    if (count == 0) return {a & mask(size), flags};
    u64 value = a & mask(size), feed = source & mask(size);
    bool carry = false;
    for (unsigned n = 0; n < count; ++n) {
        carry = sign(value, size);
        const bool next = sign(feed, size);
        feed = feed << 1 | carry;  // what leaves at the top follows the source
        value = value << 1 | next;
    }
    return shifted(value, carry, sign(value, size) != carry, flags, size);
}
constexpr Result shift_double_right(u64 a, u64 source, u64 count_operand, u64 flags, unsigned size) {
    const unsigned count = shift_count(count_operand, size);
    if (count == 0) return {a & mask(size), flags};
    u64 value = a & mask(size), feed = source & mask(size);
    bool carry = false;
    for (unsigned n = 0; n < count; ++n) {
        carry = value & 1;
        const u64 next = feed & 1;
        feed = feed >> 1 | u64{carry} << (bits_of(size) - 1);
        value = value >> 1 | next << (bits_of(size) - 1);
    }
    return shifted(value, carry, top_two_differ(value, size), flags, size);
}

/// IMUL with a truncated product: CF and OF tell that bits were lost. SF, ZF, AF and PF are undefined and
/// stay.
constexpr Result multiply_signed(u64 a, u64 b, u64 flags, unsigned size) {
    const __int128 product = static_cast<__int128>(static_cast<i64>(sign_extend(a, size))) * static_cast<i64>(sign_extend(b, size));
    const u64 value = static_cast<u64>(product) & mask(size);
    const bool lost = product != static_cast<i64>(sign_extend(value, size));
    return {value, with(flags, rflags::cf | rflags::of, lost ? rflags::cf | rflags::of : 0)};
}

/// In the order of opcodes 0F A3, AB, B3, BB and ModRM.reg 4–7 of group 8.
enum class Bit : u8 { test, set, reset, complement };

/// Changes CF only; the manuals leave the others but ZF undefined.
constexpr Result bit(Bit operation, u64 a, unsigned number, u64 flags) {
    const u64 one = u64{1} << number;
    const u64 after = with(flags, rflags::cf, flag(rflags::cf, a & one));
    switch (operation) {
    case Bit::test: return {a, after};
    case Bit::set: return {a | one, after};
    case Bit::reset: return {a & ~one, after};
    case Bit::complement: return {a ^ one, after};
    }
    return {};
}

/// Condition codes in the order of Jcc, SETcc, CMOVcc; odd ones negate.
constexpr bool condition(unsigned code, u64 flags) {
    const bool less = !(flags & rflags::sf) != !(flags & rflags::of);
    bool holds = false;
    switch (code >> 1 & 7) {
    case 0: holds = flags & rflags::of; break;
    case 1: holds = flags & rflags::cf; break;
    case 2: holds = flags & rflags::zf; break;
    case 3: holds = flags & (rflags::cf | rflags::zf); break;
    case 4: holds = flags & rflags::sf; break;
    case 5: holds = flags & rflags::pf; break;
    case 6: holds = less; break;
    case 7: holds = less || (flags & rflags::zf); break;
    }
    return holds != (code & 1);
}

}  // namespace px::emulate::alu
