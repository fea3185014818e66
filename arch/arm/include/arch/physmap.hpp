// AArch64: the descriptors of stage 2, 4 KiB granule. Contract: see arch/x86/include/arch/physmap.hpp. [arm/ddi0487 D8.3]
//
//   63     59 58   55   54 53    47    12  11 10  9   8  7    6 5      2   1    0
//   │        │ type │   XN   │ │  frame │   │AF│  SH  │  S2AP  │MemAttr│ page│valid│
//
// A leaf that the hardware may not use isn't valid; its type and frame are there nevertheless.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/mm/counted_tables.hpp"
#include "hypervisor/mm/gfn_type.hpp"

namespace px::arch {

class PhysmapPolicy : public CountedTables {
public:
    struct Attributes {
        GfnType type = GfnType::invalid;
        bool read_only = false;
        bool operator==(const Attributes&) const = default;
    };
    static constexpr unsigned levels = 4, max_leaf_level = 2;

    static constexpr u64 table(Mfn mfn) { return to_paddr(mfn).raw | valid | table_or_page; }
    static constexpr u64 leaf(Mfn mfn, unsigned level, Attributes attributes) {
        const u64 software = to_paddr(mfn).raw | u64{static_cast<u8>(attributes.type)} << type_shift;
        const bool device = attributes.type == GfnType::mmio_direct;
        if (!device && !is_readable_ram(attributes.type)) return software | (attributes.read_only ? software_read_only : 0);
        const bool writes = device ? !attributes.read_only : is_writable_ram(attributes.type) && attributes.type != GfnType::log_dirty;
        return software | valid | (level == 0 ? table_or_page : 0) | (device ? device_memory | never_executed : normal_memory) | readable |
               (writes ? writable : 0) | inner_shareable | accessed;
    }
    static constexpr bool present(u64 entry) { return (entry & valid) != 0 || (entry >> type_shift & type_mask) != 0; }
    static constexpr bool is_leaf(u64 entry, unsigned level) {
        return level == 0 || (entry & (valid | table_or_page)) != (valid | table_or_page);
    }
    static constexpr Mfn frame(u64 entry, unsigned) { return to_mfn(Paddr{entry & address_mask}); }
    static constexpr Attributes attributes(u64 entry, unsigned) {
        const GfnType type{static_cast<u8>(entry >> type_shift & type_mask)};
        const bool read_only =
            (entry & valid) != 0 ? type == GfnType::mmio_direct && (entry & writable) == 0 : (entry & software_read_only) != 0;
        return {type, read_only};
    }

private:
    static constexpr u64 valid = 1u << 0, table_or_page = 1u << 1;
    static constexpr u64 device_memory = 0b0001u << 2, normal_memory = 0b1111u << 2;  ///< nGnRE; write-back, both levels
    static constexpr u64 readable = 1u << 6, writable = 1u << 7, inner_shareable = 0b11u << 8, accessed = 1u << 10;
    static constexpr u64 never_executed = u64{1} << 54;
    static constexpr u64 address_mask = 0x0000'ffff'ffff'f000;
    static constexpr u64 software_read_only = 1u << 2;  ///< of leaves that aren't valid: the hardware reads nothing but bit 0 of them
    static constexpr unsigned type_shift = 55;
    static constexpr u64 type_mask = 15;
};

unsigned largest_physmap_order();

}  // namespace px::arch
