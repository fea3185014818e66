// Segment registers as a VMCS holds them. [intel/sdm3 25.4.1, 27.3.1.2]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/registers.hpp"
#include "arch/x86/vmx/vmcs.hpp"

namespace px::vmx {

/// Bits 0…7 and 12…15 are those of a descriptor; bit 16 says that the register can't be used.
inline constexpr u32 unusable = 1u << 16;

constexpr u32 to_rights(u16 attributes) {
    if ((attributes & hvm::SegmentRegister::present) == 0) return unusable | (attributes & 0x60u);  // SS keeps the CPL
    return (attributes & 0xffu) | (attributes & 0xf00u) << 4;
}
constexpr u16 to_attributes(u32 rights) {
    const u32 joined = (rights & 0xff) | (rights >> 4 & 0xf00);
    return static_cast<u16>((rights & unusable) != 0 ? joined & ~u32{hvm::SegmentRegister::present} : joined);
}

/// As an entry wants it: the granularity must fit the limit, and memory segments are marked accessed.
constexpr hvm::SegmentRegister normalised(hvm::SegmentRegister value) {
    using Register = hvm::SegmentRegister;
    if ((value.attributes & Register::present) == 0) return value;
    if (value.limit >> 20 != 0) {
        value.attributes |= Register::granular;
        value.limit |= 0xfff;
    } else if ((value.limit & 0xfff) != 0xfff) {
        value.attributes &= static_cast<u16>(~Register::granular);
    }
    if ((value.attributes & Register::code_or_data) != 0) value.attributes |= 1;
    return value;
}

/// Encodings of one segment register follow those of ES in steps of 2, in the order of hvm::Segment.
constexpr Field16 selector_of(hvm::Segment which) { return Field16(static_cast<u32>(Field16::guest_es) + 2 * static_cast<u32>(which)); }
constexpr Field32 limit_of(hvm::Segment which) { return Field32(static_cast<u32>(Field32::guest_es_limit) + 2 * static_cast<u32>(which)); }
constexpr Field32 rights_of(hvm::Segment which) {
    return Field32(static_cast<u32>(Field32::guest_es_rights) + 2 * static_cast<u32>(which));
}
constexpr FieldNatural base_of(hvm::Segment which) {
    return FieldNatural(static_cast<u32>(FieldNatural::guest_es_base) + 2 * static_cast<u32>(which));
}
static_assert(selector_of(hvm::Segment::tr) == Field16::guest_tr && limit_of(hvm::Segment::tr) == Field32::guest_tr_limit);
static_assert(rights_of(hvm::Segment::tr) == Field32::guest_tr_rights && base_of(hvm::Segment::tr) == FieldNatural::guest_tr_base);

}  // namespace px::vmx
