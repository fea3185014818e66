// Segment descriptors of PV guests.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/descriptor.hpp"

#include "hypervisor/abi/x86/vcpu_context.hpp"

namespace px::pv {
namespace {

constexpr u64 bit_present = u64{1} << 47, bit_segment = u64{1} << 44;  ///< segment: code or data, no system descriptor
constexpr unsigned type_shift = 40, privilege_shift = 45;
constexpr u64 call_gate = 0xc;
constexpr u64 user_privilege = 3;

constexpr u16 target_of(u64 gate) { return static_cast<u16>(gate >> 16); }

/// Code that a gate may lead to: the guest's own tables, or the flat segments that every guest has.
constexpr bool is_guest_code(u16 selector) {
    constexpr u16 local = 4, privilege = 3;
    if ((selector & local) != 0 || u32{selector} >> 3 < abi::x86::first_reserved_gdt_entry) return true;
    return (selector | privilege) == abi::x86::flat_ring3::cs32 || (selector | privilege) == abi::x86::flat_ring3::cs64;
}

std::optional<u64> safe_call_gate(u64 gate) {
    constexpr u64 reserved = 0xff;  // bits 32 … 39; 64-bit gates copy no parameters
    if ((gate >> 32 & reserved) != 0 || !is_guest_code(target_of(gate))) return std::nullopt;
    // A gate of ring 0 faults with its own selector as error code, in every ring of the guest. Its real privilege waits in the
    // target's low bits.
    gate &= ~(user_privilege << privilege_shift);
    return gate | user_privilege << 16;
}

}  // namespace

std::optional<u64> safe_descriptor(u64 descriptor) {
    if ((descriptor & bit_present) == 0) return descriptor;
    const u64 type = descriptor >> type_shift & 15;
    const bool segment = (descriptor & bit_segment) != 0;
    if (!segment && type == call_gate) return safe_call_gate(descriptor);
    if (!segment && type != 0) return std::nullopt;  // 0 also is the upper half of a call gate
    return descriptor | user_privilege << privilege_shift;
}

Result<Progress> validate_descriptors(Frame& frame) {
    u64* const descriptors = static_cast<u64*>(to_virtual(mfn_of(frame)));
    for (unsigned i = 0; i < descriptors_per_page; ++i) {
        const auto safe = safe_descriptor(descriptors[i]);
        REQUIRE(safe.has_value(), einval);
        if (*safe != descriptors[i]) descriptors[i] = *safe;
    }
    return Progress::done;
}

}  // namespace px::pv
