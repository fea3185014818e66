// Page-table entries of PV guests: bits, and which of them a guest may set. [intel/sdm3 4.5] [xen/public xen.h mmu_update]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/frame_use.hpp"

namespace px::pv {

/// Of a page table; 1 is the level whose entries name pages.
enum class Level : u8 { l1 = 1, l2, l3, l4 };

constexpr FrameType type_of(Level level) { return FrameType(static_cast<u8>(level)); }
/// Only for is_page_table(type).
constexpr Level level_of(FrameType type) { return Level(static_cast<u8>(type)); }
/// Only above l1.
constexpr Level below(Level level) { return Level(static_cast<u8>(level) - 1); }

inline constexpr unsigned entries_per_table = 512;

/// The L4 slots that are the hypervisor's [xen/public arch-x86/xen-x86_64.h].
inline constexpr unsigned first_hypervisor_slot = 256, end_hypervisor_slots = 272;
constexpr bool is_guest_slot(unsigned slot) { return slot < first_hypervisor_slot || slot >= end_hypervisor_slots; }
/// Linear addresses that a guest may map: canonical and in its slots.
constexpr bool is_guest_address(u64 linear) {
    const u64 upper = linear >> 47;
    return (upper == 0 || upper == 0x1ffff) && is_guest_slot(static_cast<unsigned>(linear >> 39) & 511);
}
constexpr unsigned slot_of(u64 linear, Level level) {
    return static_cast<unsigned>(linear >> (3 + 9 * static_cast<unsigned>(level))) & (entries_per_table - 1);
}

struct Entry {
    static constexpr u64 bit_present = 1, bit_writable = 2, bit_user = 4, bit_write_through = 8, bit_uncached = 0x10, bit_accessed = 0x20,
                         bit_dirty = 0x40, bit_pat = 0x80, bit_large = 0x80, bit_global = 0x100, bits_software = 0xe00,
                         bit_no_execute = u64{1} << 63;
    /// Software's as well; bit 52 is ours: a page of the guest's kernel, which the processor must see as a user's.
    static constexpr u64 bits_software_high = u64{0x7ff} << 52, bit_kernel = u64{1} << 52;
    static constexpr u64 frame_bits = 0x000f'ffff'ffff'f000;
    static constexpr u64 cache_bits = bit_write_through | bit_uncached | bit_pat;
    static constexpr u64 accessed_dirty = bit_accessed | bit_dirty;

    u64 raw = 0;

    constexpr bool has(u64 bits) const { return (raw & bits) != 0; }
    constexpr bool present() const { return has(bit_present); }
    constexpr bool writable() const { return has(bit_writable); }
    constexpr Mfn mfn() const { return to_mfn(Paddr{raw & frame_bits}); }
    constexpr Entry with_mfn(Mfn mfn) const { return {(raw & ~frame_bits) | (to_paddr(mfn).raw & frame_bits)}; }
    constexpr bool operator==(const Entry&) const = default;
};

/// Bits that may be no guest's in an entry of this level. Large pages are refused, and with them PAT above L1.
/// `cache_control`: the domain may choose memory types, for it has devices.
constexpr u64 forbidden_bits(Level level, bool cache_control) {
    if (level != Level::l1) return Entry::bit_write_through | Entry::bit_uncached | Entry::bit_large | Entry::bit_global;
    return cache_control ? 0 : Entry::cache_bits;
}

/// Bits whose change needs no new look at the frame that an entry names.
constexpr u64 harmless_bits(Level level) {
    const u64 everywhere =
        Entry::bit_user | Entry::accessed_dirty | Entry::bits_software | Entry::bits_software_high | Entry::bit_no_execute;
    return level == Level::l1 ? everywhere | Entry::bit_global : everywhere;
}
constexpr bool same_but_for_harmless_bits(Entry a, Entry b, Level level) {
    return a.present() && b.present() && ((a.raw ^ b.raw) & ~harmless_bits(level)) == 0;
}

/// The entry as the processor gets it. Guest kernels run in ring 3, so every page is a user's; pages of the kernel are marked, and
/// those of its users are global: both of a guest's address spaces hold them.
constexpr Entry adjusted(Entry entry, Level level) {
    if (!entry.present()) return entry;
    if (level != Level::l1) return {entry.raw | Entry::bit_user};
    if (!entry.has(Entry::bit_user)) return {entry.raw | Entry::bit_kernel | Entry::bit_user};
    return entry.has(Entry::bit_kernel) ? entry : Entry{entry.raw | Entry::bit_global};
}

/// The entries of a page table: the processor sets A and D in them at any time.
class Entries {
public:
    explicit Entries(const Frame& table) : words_(static_cast<u64*>(to_virtual(mfn_of(table)))) {}
    Entry at(unsigned index) const { return {__atomic_load_n(&words_[index], __ATOMIC_RELAXED)}; }
    void set(unsigned index, Entry entry) const { __atomic_store_n(&words_[index], entry.raw, __ATOMIC_RELEASE); }
    /// False: another entry than `expected` stood there, which is then that one.
    bool replace(unsigned index, Entry& expected, Entry wanted) const {
        return __atomic_compare_exchange_n(&words_[index], &expected.raw, wanted.raw, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED);
    }
    /// Gives what stood there. `keep_accessed_dirty`: those bits stay set where they were.
    Entry exchange(unsigned index, Entry entry, bool keep_accessed_dirty) const {
        u64 old = __atomic_load_n(&words_[index], __ATOMIC_RELAXED);
        u64 wanted;
        do {
            wanted = entry.raw | (keep_accessed_dirty ? old & Entry::accessed_dirty : 0);
        } while (!__atomic_compare_exchange_n(&words_[index], &old, wanted, false, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED));
        return {old};
    }

private:
    u64* words_;
};

}  // namespace px::pv
