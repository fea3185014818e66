// The build host as an architecture: the bits of a physmap's entries. Contract: see arch/x86/include/arch/physmap.hpp.
//
//   63        12 11      8 7     4  3          2        1     0
//   │ frame     │         │ type  │          │read only│leaf│present│
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/mm/counted_tables.hpp"
#include "hypervisor/mm/gfn_type.hpp"

namespace px::arch {

struct PhysmapPolicy : CountedTables {
    struct Attributes {
        GfnType type = GfnType::invalid;
        bool read_only = false;
        bool operator==(const Attributes&) const = default;
    };
    static constexpr unsigned levels = 4;
    static constexpr unsigned max_leaf_level = 2;

    static constexpr u64 table(Mfn mfn) { return to_paddr(mfn).raw | 1; }
    static constexpr u64 leaf(Mfn mfn, unsigned, Attributes attributes) {
        return to_paddr(mfn).raw | u64{static_cast<u8>(attributes.type)} << 4 | u64{attributes.read_only} << 2 | 3;
    }
    static constexpr bool present(u64 entry) { return (entry & 1) != 0; }
    static constexpr bool is_leaf(u64 entry, unsigned) { return (entry & 2) != 0; }
    static constexpr Mfn frame(u64 entry, unsigned) { return to_mfn(Paddr{entry & page_mask}); }
    static constexpr Attributes attributes(u64 entry, unsigned) { return {GfnType(entry >> 4 & 15), (entry >> 2 & 1) != 0}; }
};

unsigned largest_physmap_order();

}  // namespace px::arch
