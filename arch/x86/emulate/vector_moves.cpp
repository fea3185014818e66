// Vector moves to and from memory: what compilers and drivers use on frame buffers and write-combining
// windows.
//
// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <iterator>

#include "arch/x86/emulate/handlers.hpp"
#include "arch/x86/emulate/segmentation.hpp"

namespace px::emulate {
namespace {

enum class Prefix : u8 { none, p66, f3, f2 };
enum class Width : u8 { single, twofold, by_w, full };  ///< 4 bytes, 8 bytes, 4 or 8 by REX.W, a whole register
enum class Direction : u8 { load, store };

struct VectorMove {
    Map map;
    u8 opcode;
    Prefix prefix;
    Direction direction;
    Width width;
    bool aligned = false;  ///< #GP on a misaligned operand
};

// clang-format off
// Loads narrower than a register clear its other bytes, up to 128 bits or (VEX) all of them.
constexpr VectorMove vector_moves[] = {
    {Map::map_0f, 0x10, Prefix::none, Direction::load, Width::full},          // MOVUPS
    {Map::map_0f, 0x10, Prefix::p66, Direction::load, Width::full},           // MOVUPD
    {Map::map_0f, 0x10, Prefix::f3, Direction::load, Width::single},          // MOVSS
    {Map::map_0f, 0x10, Prefix::f2, Direction::load, Width::twofold},         // MOVSD
    {Map::map_0f, 0x11, Prefix::none, Direction::store, Width::full},
    {Map::map_0f, 0x11, Prefix::p66, Direction::store, Width::full},
    {Map::map_0f, 0x11, Prefix::f3, Direction::store, Width::single},
    {Map::map_0f, 0x11, Prefix::f2, Direction::store, Width::twofold},
    {Map::map_0f, 0x28, Prefix::none, Direction::load, Width::full, true},    // MOVAPS
    {Map::map_0f, 0x28, Prefix::p66, Direction::load, Width::full, true},     // MOVAPD
    {Map::map_0f, 0x29, Prefix::none, Direction::store, Width::full, true},
    {Map::map_0f, 0x29, Prefix::p66, Direction::store, Width::full, true},
    {Map::map_0f, 0x2b, Prefix::none, Direction::store, Width::full, true},   // MOVNTPS
    {Map::map_0f, 0x2b, Prefix::p66, Direction::store, Width::full, true},    // MOVNTPD
    {Map::map_0f, 0x6e, Prefix::p66, Direction::load, Width::by_w},           // MOVD, MOVQ
    {Map::map_0f, 0x7e, Prefix::p66, Direction::store, Width::by_w},
    {Map::map_0f, 0x7e, Prefix::f3, Direction::load, Width::twofold},         // MOVQ
    {Map::map_0f, 0xd6, Prefix::p66, Direction::store, Width::twofold},
    {Map::map_0f, 0x6f, Prefix::p66, Direction::load, Width::full, true},     // MOVDQA
    {Map::map_0f, 0x6f, Prefix::f3, Direction::load, Width::full},            // MOVDQU
    {Map::map_0f, 0x7f, Prefix::p66, Direction::store, Width::full, true},
    {Map::map_0f, 0x7f, Prefix::f3, Direction::store, Width::full},
    {Map::map_0f, 0xe7, Prefix::p66, Direction::store, Width::full, true},    // MOVNTDQ
    {Map::map_0f, 0xf0, Prefix::f2, Direction::load, Width::full},            // LDDQU
    {Map::map_0f38, 0x2a, Prefix::p66, Direction::load, Width::full, true},   // MOVNTDQA
};
// clang-format on

Prefix prefix_of(const Instruction& in) {
    switch (in.repeat) {
    case Repeat::equal: return Prefix::f3;
    case Repeat::not_equal: return Prefix::f2;
    case Repeat::none: break;
    }
    return in.operand_size_prefix ? Prefix::p66 : Prefix::none;
}

/// nullptr if there is none.
const VectorMove* find_move(const Instruction& in) {
    const auto* move = std::ranges::find_if(
        vector_moves, [&](const VectorMove& row) { return row.map == in.map && row.opcode == in.opcode && row.prefix == prefix_of(in); });
    return move == std::end(vector_moves) ? nullptr : move;
}

bool is_vex(const Instruction& in) { return in.encoding == Encoding::vex; }

/// Control registers that switch the vector unit on. XCR0 is the callee's: it knows the state that exists.
Step<> check_enabled(const Execution& x) {
    const bool on =
        is_vex(x.in) ? (x.now.cr4 & cr4::osxsave) && x.now.has_descriptors() : (x.now.cr4 & cr4::osfxsr) && !(x.now.cr0 & cr0::em);
    if (!on) return x.undefined();
    if (x.now.cr0 & cr0::ts) return x.fault(device_not_available);
    return {};
}

usize width_in_bytes(Width width, const Instruction& in) {
    switch (width) {
    case Width::single: return 4;
    case Width::twofold: return 8;
    case Width::by_w: return in.operand_size == 8 ? 8 : 4;  // outside 64-bit mode W is ignored
    case Width::full: break;
    }
    return in.vector_length ? 32 : 16;
}

Step<u64> operand_address(const Execution& x, const VectorMove& move, usize size) {
    const Intent intent = move.direction == Direction::load ? Intent::read : Intent::write;
    const auto translate = move.aligned ? aligned_linear_address : linear_address;
    const u64 linear = TRY(translate(x.now, x.in.memory.segment, x.effective_address(), size, intent));
    TRY(check_alignment(x.now, linear, size));
    return linear;
}

/// Only memory forms are here: the others touch nothing that needs an emulator.
Step<> vector_move(Execution& x) {
    const VectorMove& move = *find_move(x.in);
    if (is_vex(x.in) && x.in.vvvv != 0) return x.undefined();
    TRY(check_enabled(x));
    const usize size = width_in_bytes(move.width, x.in);
    const u64 linear = TRY(operand_address(x, move, size));

    std::array<u8, 32> data{};
    const auto whole = std::span(data).first(std::max<usize>(size, 16));
    if (move.direction == Direction::store) {
        TRY(x.access.read_vector(x.in.reg, whole));
        return x.access.write(linear, whole.first(size));
    }
    TRY(x.access.read(linear, whole.first(size), Intent::read));
    return x.access.write_vector(x.in.reg, whole, is_vex(x.in));
}

}  // namespace

Handler find_vector_handler(const Instruction& in) {
    const bool known_encoding = in.encoding == Encoding::legacy || in.encoding == Encoding::vex;
    return known_encoding && in.has_memory && find_move(in) ? vector_move : nullptr;
}

}  // namespace px::emulate
