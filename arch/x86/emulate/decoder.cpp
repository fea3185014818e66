// The instruction decoder.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/decoder.hpp"

#include <algorithm>

#include "arch/x86/emulate/opcode_table.hpp"

namespace px::emulate {
namespace {

template <class T = void>
using Decoded = Result<T, DecodeError>;

constexpr u64 sign_extend(u64 value, unsigned size) {
    const unsigned unused = 64 - 8 * size;
    return static_cast<u64>(static_cast<i64>(value << unused) >> unused);
}

class Decoder {
public:
    Decoder(std::span<const u8> bytes, Mode mode) : bytes_(bytes) { in_.mode = mode; }

    Decoded<Instruction> run() {
        TRY(prefixes());
        const char format = TRY(opcode());
        if (format == 'x') return Err{DecodeError::undefined};
        set_sizes_of_legacy();
        if (takes_modrm(format)) {
            TRY(modrm(format == 'r'));
        } else {
            in_.rm = static_cast<u8>((in_.opcode & 7) | rex_b_);
        }
        set_default_operand_size();
        TRY(immediates(format));
        in_.length = static_cast<u8>(cursor_);
        return in_;
    }

private:
    bool long_mode() const { return in_.mode == Mode::bits64; }

    /// Next `size` bytes, little endian, zero-extended.
    Decoded<u64> take(unsigned size) {
        if (cursor_ + size > max_instruction_length) return Err{DecodeError::too_long};
        if (cursor_ + size > bytes_.size()) return Err{DecodeError::need_more_bytes};
        u64 value = 0;
        for (unsigned i = 0; i < size; ++i) value |= u64{bytes_[cursor_ + i]} << 8 * i;
        cursor_ += size;
        return value;
    }
    Decoded<u8> take_byte() { return static_cast<u8>(TRY(take(1))); }
    Decoded<u8> peek() {
        const u8 byte = TRY(take_byte());
        --cursor_;
        return byte;
    }

    /// Legacy prefixes in any order and number, then REX. A REX that isn't last is ignored.
    Decoded<> prefixes() {
        for (;;) {
            const u8 byte = TRY(peek());
            const bool is_rex = long_mode() && (byte & 0xf0) == 0x40;
            if (!is_rex && !is_legacy_prefix(byte)) break;
            rex_ = is_rex ? byte : 0;
            ++cursor_;
        }
        if (rex_) {
            in_.rex_present = true;
            set_extensions(rex_ & 8, rex_ & 4, rex_ & 2, rex_ & 1);
        }
        return {};
    }

    /// Takes note of it, too.
    // clang-format off
    bool is_legacy_prefix(u8 byte) {
        switch (byte) {
            case 0x26: case 0x2e: case 0x36: case 0x3e:  // ignored in 64-bit mode: an earlier FS or GS stays
                if (!long_mode()) in_.segment_override = Segment(byte >> 3 & 3);
                return true;
            case 0x64: case 0x65: in_.segment_override = Segment(byte & 7); return true;
            case 0x66: in_.operand_size_prefix = true; return true;
            case 0x67: address_size_prefix_ = true; return true;
            case 0xf0: in_.lock = true; return true;
            case 0xf2: in_.repeat = Repeat::not_equal; return true;
            case 0xf3: in_.repeat = Repeat::equal; return true;
            default: return false;
        }
    }
    // clang-format on

    void set_extensions(bool w, bool r, bool x, bool b) {
        in_.wide = w;
        rex_r_ = r ? 8 : 0;
        rex_x_ = x ? 8 : 0;
        rex_b_ = b ? 8 : 0;
    }

    /// Consumes escapes, VEX and its kin, and the opcode byte; returns the opcode's format letter.
    Decoded<char> opcode() {
        const u8 first = TRY(take_byte());
        in_.opcode = first;
        switch (first) {
        case 0x0f: return escaped();
        case 0xc4:
        case 0xc5:
            if (TRY(registers_follow())) return vex(first == 0xc5);
            break;
        case 0x62:
            if (TRY(registers_follow())) return evex();
            break;
        case 0x8f:
            if ((TRY(peek()) & 0x1f) >= 8) return xop();
            break;
        }
        if (long_mode() && not_in_64_bit_mode.contains(first)) return 'x';
        return one_byte_formats[first];
    }

    Decoded<char> escaped() {
        in_.map = Map::map_0f;
        in_.opcode = TRY(take_byte());
        if (in_.opcode != 0x38 && in_.opcode != 0x3a) return map_0f_formats[in_.opcode];
        in_.map = in_.opcode == 0x38 ? Map::map_0f38 : Map::map_0f3a;
        in_.opcode = TRY(take_byte());
        return in_.map == Map::map_0f38 ? 'M' : 'B';
    }

    /// LES, LDS and BOUND can't name a register: such a ModRM makes them VEX or EVEX. 64-bit mode lacks the
    /// three.
    Decoded<bool> registers_follow() { return long_mode() || TRY(peek()) >= 0xc0; }

    /// VEX, EVEX and XOP admit no 66, F2, F3, LOCK or REX before them.
    bool clashing_prefix() const { return rex_ || in_.lock || in_.operand_size_prefix || in_.repeat != Repeat::none; }

    Decoded<char> vex(bool two_bytes) {
        const u8 first = two_bytes ? 0 : TRY(take_byte());
        const u8 last = TRY(take_byte());
        if (clashing_prefix()) return 'x';
        in_.encoding = Encoding::vex;
        in_.map = two_bytes ? Map::map_0f : Map(first & 0x1f);
        set_inverted_extensions(two_bytes ? (last & 0x80) | 0x60 : first);
        set_vector_fields(last, !two_bytes);
        in_.opcode = TRY(take_byte());
        return vector_format();
    }

    Decoded<char> xop() {
        const u8 first = TRY(take_byte());
        const u8 last = TRY(take_byte());
        if (clashing_prefix()) return 'x';
        in_.encoding = Encoding::xop;
        in_.map = Map(first & 0x1f);
        set_inverted_extensions(first);
        set_vector_fields(last, true);
        in_.opcode = TRY(take_byte());
        switch (in_.map) {
        case Map::xop_8: return 'B';
        case Map::xop_9: return 'M';
        case Map::xop_a: return 'Z';
        default: return 'x';
        }
    }

    Decoded<char> evex() {
        const u8 p0 = TRY(take_byte());
        const u8 p1 = TRY(take_byte());
        const u8 p2 = TRY(take_byte());
        if (clashing_prefix() || (p0 & 0x08) || !(p1 & 0x04)) return 'x';
        in_.encoding = Encoding::evex;
        in_.map = Map(p0 & 7);
        set_inverted_extensions(p0);
        set_vector_fields(p1, true);
        in_.vector_length = p2 >> 5 & 3;
        in_.opcode = TRY(take_byte());
        return vector_format();
    }

    void set_inverted_extensions(u8 rxb) { set_extensions(false, !(rxb & 0x80), !(rxb & 0x40), !(rxb & 0x20)); }

    /// The byte W.vvvv.L.pp (its W is R̄ in the short VEX).
    void set_vector_fields(u8 byte, bool has_wide) {
        constexpr Repeat repeats[] = {Repeat::none, Repeat::none, Repeat::equal, Repeat::not_equal};
        in_.wide = has_wide && (byte & 0x80);
        in_.vvvv = ~byte >> 3 & 0xf;
        in_.vector_length = byte >> 2 & 1;
        in_.operand_size_prefix = (byte & 3) == 1;
        in_.repeat = repeats[byte & 3];
        if (!long_mode()) rex_r_ = rex_x_ = rex_b_ = 0;
    }

    char vector_format() const {
        const bool evex = in_.encoding == Encoding::evex;
        switch (in_.map) {
        case Map::map_0f:
            if (!evex && in_.opcode == 0x77) return '.';
            return vector_0f_immediate.contains(in_.opcode) ? 'B' : 'M';
        case Map::map_0f38: return 'M';
        case Map::map_0f3a: return 'B';
        case Map::map_5:
        case Map::map_6: return evex ? 'M' : 'x';
        default: return 'x';
        }
    }

    static constexpr bool takes_modrm(char format) {
        for (char c : {'M', 'B', 'Z', 'r', 'g', 'G', 's'}) {
            if (format == c) return true;
        }
        return false;
    }

    void set_sizes_of_legacy() {
        constexpr u8 sizes[3][2] = {{2, 4}, {4, 2}, {8, 4}};
        in_.address_size = sizes[static_cast<u8>(in_.mode)][address_size_prefix_];
        const bool vector = in_.encoding != Encoding::legacy;
        const bool small = !vector && (in_.mode == Mode::bits16) != in_.operand_size_prefix;
        in_.operand_size = in_.wide && long_mode() ? 8 : small ? 2 : 4;
    }

    /// A near branch with 66 keeps 16 bits as on AMD; Intel ignores the prefix there. No such branch is ever
    /// emulated.
    void set_default_operand_size() {
        if (!long_mode() || in_.encoding != Encoding::legacy || in_.operand_size != 4) return;
        const bool group_5 = in_.opcode == 0xff && (in_.reg_field() & 1) == 0 && in_.reg_field() >= 2;
        const bool is_wide = in_.map == Map::one_byte ? group_5 || one_byte_wide_by_default.contains(in_.opcode)
                                                      : in_.map == Map::map_0f && map_0f_wide_by_default.contains(in_.opcode);
        if (is_wide) in_.operand_size = 8;
    }

    Decoded<> modrm(bool registers_only) {
        in_.has_modrm = true;
        in_.modrm = TRY(take_byte());
        in_.reg = static_cast<u8>(in_.reg_field() | rex_r_);
        in_.rm = static_cast<u8>((in_.modrm & 7) | rex_b_);
        if (registers_only || in_.modrm >= 0xc0) return {};
        in_.has_memory = true;
        TRY(in_.address_size == 2 ? address_16() : address_32());
        if (in_.displacement_size) {
            in_.memory.displacement = static_cast<i64>(sign_extend(TRY(take(in_.displacement_size)), in_.displacement_size));
        }
        const bool stack = in_.memory.base == rsp || in_.memory.base == rbp;
        set_segment(stack ? Segment::ss : Segment::ds);
        return {};
    }

    void set_segment(Segment by_default) { in_.memory.segment = in_.segment_override == Segment::none ? by_default : in_.segment_override; }

    Decoded<> address_16() {
        constexpr u8 bases[] = {rbx, rbx, rbp, rbp, rsi, rdi, rbp, rbx};
        constexpr u8 indexes[] = {rsi, rdi, rsi, rdi, no_gpr, no_gpr, no_gpr, no_gpr};
        const unsigned mod = in_.modrm >> 6, rm = in_.modrm & 7;
        in_.displacement_size = static_cast<u8>(mod);  // 0, 1 or 2 bytes, as mod says
        if (mod == 0 && rm == 6) {
            in_.displacement_size = 2;
            return {};
        }
        in_.memory.base = bases[rm];
        in_.memory.index = indexes[rm];
        return {};
    }

    Decoded<> address_32() {
        const unsigned mod = in_.modrm >> 6;
        constexpr u8 displacements[] = {0, 1, 4};
        in_.displacement_size = displacements[mod];
        unsigned base = in_.modrm & 7;
        if (base == 4) {
            in_.has_sib = true;
            in_.sib = TRY(take_byte());
            base = in_.sib & 7;
            const u8 index = static_cast<u8>((in_.sib >> 3 & 7) | rex_x_);
            if (index != rsp) in_.memory.index = index;
            in_.memory.shift = in_.sib >> 6;
        }
        if (mod == 0 && base == 5) {
            in_.displacement_size = 4;
            in_.memory.rip_relative = long_mode() && !in_.has_sib;
            return {};
        }
        in_.memory.base = static_cast<u8>(base | rex_b_);
        return {};
    }

    Decoded<> immediate(unsigned size) {
        in_.immediate_size = static_cast<u8>(size);
        in_.immediate = sign_extend(TRY(take(size)), size);
        return {};
    }
    Decoded<> immediate2(unsigned size) {
        in_.immediate2_size = static_cast<u8>(size);
        in_.immediate2 = TRY(take(size));
        return {};
    }

    Decoded<> immediates(char format) {
        const unsigned z = std::min<unsigned>(in_.operand_size, 4);
        switch (format) {
        case 'b':
        case 'B': return immediate(1);
        case 'w': return immediate(2);
        case 'z':
        case 'Z': return immediate(z);
        case 'v': return immediate(in_.operand_size);
        case 'g': return in_.reg_field() < 2 ? immediate(1) : Decoded<>{};
        case 'G': return in_.reg_field() < 2 ? immediate(z) : Decoded<>{};
        case 'a': return offset();
        case 'f': TRY(immediate(z)); return immediate2(2);
        case 'e': TRY(immediate(2)); return immediate2(1);
        case 's':
            if (!in_.operand_size_prefix && in_.repeat != Repeat::not_equal) return {};
            TRY(immediate(1));
            return immediate2(1);
        default: return {};
        }
    }

    /// MOV between the accumulator and an absolute offset.
    Decoded<> offset() {
        in_.has_memory = true;
        in_.displacement_size = in_.address_size;
        in_.memory.displacement = static_cast<i64>(TRY(take(in_.address_size)));
        set_segment(Segment::ds);
        return {};
    }

    std::span<const u8> bytes_;
    unsigned cursor_ = 0;
    Instruction in_;
    bool address_size_prefix_ = false;
    u8 rex_ = 0;
    u8 rex_r_ = 0, rex_x_ = 0, rex_b_ = 0;  // 0 or 8: added to ModRM.reg, SIB.index, and ModRM.rm or SIB.base
};

}  // namespace

Result<Instruction, DecodeError> decode(std::span<const u8> bytes, Mode mode) { return Decoder{bytes, mode}.run(); }

}  // namespace px::emulate
