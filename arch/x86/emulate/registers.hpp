// The processor state that the emulator reads and writes.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "arch/x86/emulate/instruction.hpp"

namespace px::emulate {

namespace rflags {
inline constexpr u64 cf = 1 << 0, pf = 1 << 2, af = 1 << 4, zf = 1 << 6, sf = 1 << 7, df = 1 << 10, of = 1 << 11, rf = 1 << 16,
                     vm = 1 << 17, ac = 1 << 18;
inline constexpr u64 arithmetic = cf | pf | af | zf | sf | of;
inline constexpr unsigned iopl_shift = 12;
}  // namespace rflags

namespace cr0 {
inline constexpr u64 pe = 1 << 0, em = 1 << 2, ts = 1 << 3, am = 1 << 18;
}
namespace cr4 {
inline constexpr u64 osfxsr = 1 << 9, la57 = 1 << 12, osxsave = 1 << 18;
}
namespace efer {
inline constexpr u64 lma = 1 << 10;
}

/// A segment register with its hidden part, attributes packed as the VMCB packs them [amd/apm2 15.5.1].
struct SegmentRegister {
    u16 selector = 0;
    u16 attributes = 0;  ///< type 3:0, S 4, DPL 6:5, P 7, AVL 8, L 9, D/B 10, G 11
    u32 limit = 0;       ///< last valid offset in bytes, granularity applied
    u64 base = 0;

    constexpr unsigned type() const { return attributes & 0xf; }
    constexpr bool present() const { return attributes & 0x80; }
    constexpr bool is_long() const { return attributes & 0x200; }
    constexpr bool is_big() const { return attributes & 0x400; }
    constexpr bool is_code() const { return type() & 8; }
    constexpr bool is_readable() const { return !is_code() || (type() & 2); }
    constexpr bool is_writable() const { return !is_code() && (type() & 2); }
    constexpr bool expands_down() const { return !is_code() && (type() & 4); }
};

struct Registers {
    std::array<u64, 16> gpr{};
    u64 rip = 0;
    u64 rflags = 2;
    std::array<SegmentRegister, segment_count> segment{};
    SegmentRegister task;  ///< TR: its I/O permission bitmap guards ports
    u64 cr0 = 0, cr4 = 0, efer = 0;
    u8 cpl = 0;

    constexpr const SegmentRegister& operator[](Segment name) const { return segment[static_cast<u8>(name)]; }
    constexpr SegmentRegister& operator[](Segment name) { return segment[static_cast<u8>(name)]; }

    constexpr bool protected_mode() const { return cr0 & cr0::pe; }
    constexpr bool virtual_8086() const { return rflags & rflags::vm; }
    /// Segments have descriptors (types, null selectors); not so in real and virtual-8086 mode.
    constexpr bool has_descriptors() const { return protected_mode() && !virtual_8086(); }
    constexpr Mode code_mode() const {
        const SegmentRegister& code = (*this)[Segment::cs];
        if ((efer & efer::lma) && code.is_long()) return Mode::bits64;
        return code.is_big() ? Mode::bits32 : Mode::bits16;
    }
};

}  // namespace px::emulate
