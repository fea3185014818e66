// Segmentation.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/emulate/segmentation.hpp"

namespace px::emulate {
namespace {

Outcome segment_fault(const Registers& registers, Segment segment) {
    const u8 vector = segment == Segment::ss ? stack_fault : general_protection;
    return registers.protected_mode() ? Outcome::exception(vector, 0) : Outcome::exception(vector);
}

bool is_canonical(const Registers& registers, u64 linear) {
    const unsigned unused = registers.cr4 & cr4::la57 ? 64 - 57 : 64 - 48;
    return static_cast<u64>(static_cast<i64>(linear << unused) >> unused) == linear;
}

bool type_permits(const SegmentRegister& segment, Intent intent) {
    if (!segment.present()) return false;
    return intent == Intent::read ? segment.is_readable() : segment.is_writable();
}

bool limit_permits(const SegmentRegister& segment, u64 offset, usize size, bool has_descriptors) {
    const u64 last = offset + size - 1;
    if (!has_descriptors || !segment.expands_down()) return last <= segment.limit;
    return offset > segment.limit && last <= (segment.is_big() ? 0xffffffff : 0xffff);
}

/// What is added to offsets: in 64-bit mode only FS and GS have a base.
u64 segment_base(const Registers& registers, Segment segment) {
    const bool flat = registers.code_mode() == Mode::bits64 && segment != Segment::fs && segment != Segment::gs;
    return flat ? 0 : registers[segment].base;
}

}  // namespace

Outcome general_protection_fault(const Registers& registers) { return segment_fault(registers, Segment::ds); }

Step<u64> linear_address(const Registers& registers, Segment name, u64 offset, usize size, Intent intent) {
    const SegmentRegister& segment = registers[name];
    if (registers.code_mode() == Mode::bits64) {
        const u64 linear = offset + segment_base(registers, name);
        if (is_canonical(registers, linear) && is_canonical(registers, linear + size - 1)) return linear;
        return Err{segment_fault(registers, name)};
    }
    const bool has_descriptors = registers.has_descriptors();
    if ((has_descriptors && !type_permits(segment, intent)) || !limit_permits(segment, offset, size, has_descriptors)) {
        return Err{segment_fault(registers, name)};
    }
    const u64 linear = static_cast<u32>(segment.base + offset);
    if (linear + size - 1 > 0xffffffff) return Err{Outcome::unhandled()};
    return linear;
}

Step<u64> aligned_linear_address(const Registers& registers, Segment segment, u64 offset, usize size, Intent intent) {
    if ((segment_base(registers, segment) + offset) & (size - 1)) return Err{general_protection_fault(registers)};
    return linear_address(registers, segment, offset, size, intent);
}

Step<> check_alignment(const Registers& registers, u64 linear, usize size) {
    const bool on = (registers.cr0 & cr0::am) && (registers.rflags & rflags::ac) && registers.cpl == 3;
    if (on && (linear & (size - 1))) return Err{Outcome::exception(alignment_check, 0)};
    return {};
}

}  // namespace px::emulate
