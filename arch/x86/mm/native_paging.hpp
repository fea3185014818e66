// The CPU's own page tables: bits of an entry. [intel/sdm3 4.5] [amd/apm2 5.3]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/frame.hpp"

namespace px::arch {

/// Entries of the PAT: PAT, PCD and PWT of an entry.
enum class Cache : u8 { write_back = 0, write_through = 1, uncached_minus = 2, uncached = 3, write_combining = 4, write_protected = 5 };
/// What MSR PAT holds on every CPU: the entries above, as the PV ABI has them. [intel/sdm3 11.12] [xen/public arch-x86/xen.h]
inline constexpr u64 pat_value = 0x0000'0501'0007'0406;

struct NativePaging {
    struct Attributes {
        bool writable = false;
        bool executable = false;
        Cache cache = Cache::write_back;
        bool global = true;
        bool operator==(const Attributes&) const = default;
    };

    static constexpr unsigned levels = 4;
    static constexpr unsigned max_leaf_level = 2;

    static constexpr u64 bit_present = 1, bit_writable = 2, bit_user = 4, bit_accessed = 32, bit_dirty = 64, bit_large = 128,
                         bit_global = 256, bit_no_execute = u64{1} << 63;
    static constexpr u64 address_mask = 0x000f'ffff'ffff'f000;

    static constexpr u64 table(Mfn mfn) { return to_paddr(mfn).raw | bit_present | bit_writable | bit_accessed; }
    static constexpr u64 leaf(Mfn mfn, unsigned level, Attributes attributes) {
        return to_paddr(mfn).raw | bit_present | bit_accessed | bit_dirty | (level > 0 ? bit_large : 0) |
               (attributes.writable ? bit_writable : 0) | (attributes.executable ? 0 : bit_no_execute) |
               (attributes.global ? bit_global : 0) | u64{static_cast<u8>(attributes.cache)} % 4 << 3 |
               (static_cast<u8>(attributes.cache) >= 4 ? bit_pat(level) : 0);
    }
    static constexpr u64 bit_pat(unsigned level) { return level == 0 ? 1u << 7 : 1u << 12; }
    static constexpr bool present(u64 entry) { return (entry & bit_present) != 0; }
    static constexpr bool is_leaf(u64 entry, unsigned) { return (entry & bit_large) != 0; }
    static constexpr Mfn frame(u64 entry, unsigned level) {
        const u64 low = level > 0 && is_leaf(entry, level) ? (u64{1} << (level * 9 + page_shift)) - 1 : 0;
        return to_mfn(Paddr{entry & address_mask & ~low});
    }
    static constexpr Attributes attributes(u64 entry, unsigned level) {
        const Cache cache = Cache((entry >> 3 & 3) + ((entry & bit_pat(level)) != 0 ? 4 : 0));
        return {(entry & bit_writable) != 0, (entry & bit_no_execute) == 0, cache, (entry & bit_global) != 0};
    }

    /// Where new tables come from: early memory until the frame allocator exists.
    Result<Mfn> allocate_table();
    void free_table(Mfn table);
    static u64* entries(Mfn table) { return static_cast<u64*>(to_virtual(table)); }
};

}  // namespace px::arch
