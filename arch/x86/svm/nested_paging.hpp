// Nested page tables of AMD-V as a physmap's entries. [amd/apm2 15.25]
//
// The bits are those of ordinary long-mode tables with the user bit set; the type of a guest frame number lies in the
// software bits 52…55 and 9…11 (bit 58 and above are left alone: IOMMUs may share these tables one day).
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/mm/counted_tables.hpp"
#include "hypervisor/mm/gfn_type.hpp"

namespace px::svm {

struct NestedPaging : CountedTables {
    struct Attributes {
        GfnType type = GfnType::invalid;
        bool read_only = false;   ///< device memory that the domain may only read
        bool operator==(const Attributes&) const = default;
    };

    static constexpr unsigned levels = 4;
    static constexpr unsigned max_leaf_level = 2;

    static constexpr u64 bit_present = 1, bit_writable = 2, bit_user = 4, bit_accessed = 32, bit_dirty = 64, bit_large = 128,
                         bit_no_execute = u64{1} << 63;
    static constexpr u64 address_mask = 0x000f'ffff'ffff'f000;
    static constexpr unsigned type_shift = 52;

    static constexpr bool hardware_may_write(Attributes attributes) {
        if (attributes.type == GfnType::mmio_direct) return !attributes.read_only;
        return is_writable_ram(attributes.type) && attributes.type != GfnType::log_dirty;
    }
    static constexpr bool hardware_may_access(GfnType type) {
        return is_readable_ram(type) || type == GfnType::mmio_direct;
    }

    static constexpr u64 table(Mfn mfn) { return to_paddr(mfn).raw | bit_present | bit_writable | bit_user | bit_accessed; }
    /// An entry that the hardware may not use is not present to it, yet carries frame and type: software_present.
    static constexpr u64 software_present = 1u << 9;
    static constexpr u64 leaf(Mfn mfn, unsigned level, Attributes attributes) {
        const u64 common = to_paddr(mfn).raw | software_present | u64{static_cast<u8>(attributes.type)} << type_shift |
                           (level > 0 ? bit_large : 0) | (attributes.read_only ? u64{1} << 10 : 0);
        if (!hardware_may_access(attributes.type)) return common;
        return common | bit_present | bit_user | bit_accessed | bit_dirty | (hardware_may_write(attributes) ? bit_writable : 0) |
               (attributes.type == GfnType::mmio_direct ? bit_no_execute : 0);
    }
    static constexpr bool present(u64 entry) { return (entry & (bit_present | software_present)) != 0; }
    static constexpr bool is_leaf(u64 entry, unsigned level) { return level == 0 || (entry & bit_large) != 0; }
    static constexpr Mfn frame(u64 entry, unsigned level) {
        const u64 low = level > 0 && (entry & bit_large) != 0 ? (u64{1} << (level * 9 + page_shift)) - 1 : 0;
        return to_mfn(Paddr{entry & address_mask & ~low});
    }
    static constexpr Attributes attributes(u64 entry, unsigned) {
        return {GfnType(entry >> type_shift & 15), (entry >> 10 & 1) != 0};
    }
};

}  // namespace px::svm
