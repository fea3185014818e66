// The bits of a physmap's entries, in the format of this machine's second-level page tables.
//
// The kinds of hardware agree on more than they differ: frame in bits 12…51, large leaves by bit 7, bits 9…11 and 52…56
// ignored where an entry is in use. What differs are a few masks: a SecondLevelFormat, chosen by the back end's probe.
//
//   63            57 56      55    52 51        12  11       10 8   7    6           0
//   │ the format's  │read only│ type  │   frame    │software│     │large│ the format's│
//                                                 │present │
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/mm/counted_tables.hpp"
#include "hypervisor/mm/gfn_type.hpp"

namespace px::hvm {

struct PhysmapAttributes {
    GfnType type = GfnType::invalid;
    bool read_only = false;  ///< device memory that the domain may only read
    bool operator==(const PhysmapAttributes&) const = default;
};

struct SecondLevelFormat {
    u64 table = 0;       ///< an entry that names a table
    u64 memory = 0;      ///< a leaf of RAM: may be read and executed
    u64 device = 0;      ///< a leaf of device memory: may be read, with the type of memory that devices want
    u64 write = 0;       ///< and may be written
    u64 small_only = 0;  ///< of `memory`, what larger leaves go without; a leaf is split when that is missed

    static constexpr u64 large = 1u << 7, address_mask = 0x000f'ffff'ffff'f000;
    /// Tables and leaves have it, also leaves that the hardware may not use: those carry a frame and a type nevertheless.
    static constexpr u64 software_present = 1u << 11;
    static constexpr u64 read_only = u64{1} << 56;
    static constexpr unsigned type_shift = 52;

    static constexpr bool hardware_may_write(PhysmapAttributes attributes) {
        if (attributes.type == GfnType::mmio_direct) return !attributes.read_only;
        return is_writable_ram(attributes.type) && attributes.type != GfnType::log_dirty;
    }
    static constexpr bool hardware_may_access(GfnType type) { return is_readable_ram(type) || type == GfnType::mmio_direct; }

    constexpr u64 table_entry(Mfn mfn) const { return to_paddr(mfn).raw | software_present | table; }
    constexpr u64 leaf(Mfn mfn, unsigned level, PhysmapAttributes attributes) const {
        const u64 common = to_paddr(mfn).raw | software_present | u64{static_cast<u8>(attributes.type)} << type_shift |
                           (level > 0 ? large : 0) | (attributes.read_only ? read_only : 0);
        if (!hardware_may_access(attributes.type)) return common;
        const u64 ram = level > 0 ? memory & ~small_only : memory;
        return common | (attributes.type == GfnType::mmio_direct ? device : ram) | (hardware_may_write(attributes) ? write : 0);
    }
};

/// A policy of mm/page_table.hpp in the chosen format. The software's part of an entry is the same in each.
class PhysmapPolicy : public CountedTables {
public:
    using Attributes = PhysmapAttributes;
    static constexpr unsigned levels = 4, max_leaf_level = 2;

    /// Before the first physmap exists. `largest_order` is that of the largest leaf: 0, 9 or 18.
    static void choose(const SecondLevelFormat& format, unsigned largest_order) {
        chosen_ = format;
        largest_order_ = largest_order;
    }
    static unsigned largest_order() { return largest_order_; }

    static u64 table(Mfn mfn) { return chosen_.table_entry(mfn); }
    static u64 leaf(Mfn mfn, unsigned level, Attributes attributes) { return chosen_.leaf(mfn, level, attributes); }
    static constexpr bool present(u64 entry) { return (entry & SecondLevelFormat::software_present) != 0; }
    static constexpr bool is_leaf(u64 entry, unsigned level) { return level == 0 || (entry & SecondLevelFormat::large) != 0; }
    static constexpr Mfn frame(u64 entry, unsigned level) {
        const bool large = level > 0 && (entry & SecondLevelFormat::large) != 0;
        const u64 low = large ? (u64{1} << (level * 9 + page_shift)) - 1 : 0;
        return to_mfn(Paddr{entry & SecondLevelFormat::address_mask & ~low});
    }
    static constexpr Attributes attributes(u64 entry, unsigned) {
        return {GfnType(entry >> SecondLevelFormat::type_shift & 15), (entry & SecondLevelFormat::read_only) != 0};
    }

private:
    static inline constinit SecondLevelFormat chosen_{};
    static inline constinit unsigned largest_order_ = 9;
};

}  // namespace px::hvm
