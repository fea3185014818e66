// The machine-to-physical table.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/mm/machine_to_physical.hpp"

#include <algorithm>
#include <cstring>

#include "arch/x86/mm/early_memory.hpp"
#include "arch/x86/mm/mappings.hpp"

namespace px::arch {
namespace {

constexpr u64 chunk_size = u64{2} << 20, chunk_frames = chunk_size / sizeof(u64);  ///< a page of the table: of 1 GiB of frames
constexpr u64 user_table_bits = NativePaging::bit_present | NativePaging::bit_user | NativePaging::bit_accessed;
/// Read-only, and not global: some address spaces don't have it.
constexpr u64 chunk_bits = user_table_bits | NativePaging::bit_dirty | NativePaging::bit_large | NativePaging::bit_no_execute;

constinit u64 end_of_frames = 0;

/// The table that an entry names; made where there is none and `make` says so.
u64* table_below(u64& entry, bool make) {
    if (!NativePaging::present(entry)) {
        if (!make) return nullptr;
        entry = early_memory().take(1).raw | user_table_bits;
    }
    return NativePaging::entries(NativePaging::frame(entry, 3));
}

/// The L2 entry of a chunk; nullptr where its tables don't exist.
u64* entry_of(u64 chunk, bool make) {
    constexpr unsigned slot = 256;
    u64* const level3 = table_below(NativePaging::entries(address_space_root())[slot], make);
    u64* const level2 = level3 != nullptr ? table_below(level3[chunk / 512], make) : nullptr;
    return level2 != nullptr ? &level2[chunk % 512] : nullptr;
}

}  // namespace

void map_machine_to_physical(u64 start, u64 end) {
    for (u64 chunk = (start >> page_shift) / chunk_frames; chunk <= ((end >> page_shift) - 1) / chunk_frames; ++chunk) {
        u64& entry = *entry_of(chunk, true);
        if (NativePaging::present(entry)) continue;
        const Paddr memory = early_memory().take(chunk_size >> page_shift, chunk_size);
        std::memset(to_virtual(memory), 0xff, chunk_size);  // no number
        entry = memory.raw | chunk_bits;
    }
    end_of_frames = std::max(end_of_frames, end >> page_shift);
}

void set_machine_to_physical(Mfn mfn, u64 number) {
    if (mfn.raw >= end_of_frames) return;
    const u64* const entry = entry_of(mfn.raw / chunk_frames, false);
    if (entry == nullptr || !NativePaging::present(*entry)) return;
    u64* const numbers = static_cast<u64*>(to_virtual(NativePaging::frame(*entry, 1)));
    __atomic_store_n(&numbers[mfn.raw % chunk_frames], number, __ATOMIC_RELAXED);
}

u64 m2p_frames() { return end_of_frames; }

}  // namespace px::arch
