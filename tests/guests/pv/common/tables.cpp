// Frames and page tables of a tiny PV kernel.
//
// SPDX-License-Identifier: Apache-2.0
#include "tests/guests/pv/common/pv.hpp"

namespace px::guest {

namespace {

constexpr u64 frame_bits = 0x000f'ffff'ffff'f000;

}  // namespace

u64 mfn_of_pfn(u64 pfn) { return reinterpret_cast<const u64*>(pv_start_info().mfn_list)[pfn]; }

u64* entry_on_way(u64 linear, unsigned level) {
    u64* table = reinterpret_cast<u64*>(pv_start_info().pt_base);
    for (unsigned at = 4;; --at) {
        u64* const entry = &table[linear >> (3 + 9 * at) & 511];
        if (at == level) return entry;
        if (!(*entry & pte_present)) return nullptr;
        table = static_cast<u64*>(address_of_mfn((*entry & frame_bits) >> page_shift));
    }
}

i64 set_writable(const volatile void* page, bool writable) {
    return update_va(reinterpret_cast<u64>(page),
                     mfn_of(page) << page_shift | pte_present | pte_accessed | pte_dirty | (writable ? pte_writable : 0));
}

}  // namespace px::guest
