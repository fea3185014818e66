// What a frame is used as: the bits of Frame::use, and of Frame::state beside it, for frames of PV domains.
//
//   use    31    29 28     27        26      25     24 23             0
//          │ type  │pinned│validated│partial│locked│  │ count         │
//   state  31              16 15  11     10      9                  0
//          │ linear          │     │ child     │ validated entries   │    of a page table in use
//          │ stamp of the last use's end                             │    of everything else
//
// Everything that changes `use` does it by one compare-and-exchange; docs/pv.md has the table of transitions.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>

#include "hypervisor/mm/frame.hpp"

namespace px::pv {

enum class FrameType : u8 {
    none,  ///< never used since it was allocated
    l1,
    l2,
    l3,
    l4,
    descriptors,  ///< part of a GDT or LDT
    writable,     ///< the guest may write it
    shared        ///< the hypervisor writes it, and the guest may: for the frame's life it is nothing else
};

constexpr bool is_page_table(FrameType type) { return type >= FrameType::l1 && type <= FrameType::l4; }
/// What must be looked at before it may be used so.
constexpr bool needs_validation(FrameType type) { return is_page_table(type) || type == FrameType::descriptors; }

/// As `use` holds it: bits in the order of the picture above, from the right.
struct FrameUse {
    static constexpr u32 most = 0xffffff;

    u32 count : 24 = 0;
    bool spare : 1 = false;
    bool locked : 1 = false;     ///< one of the count is the lock of its entries
    bool partial : 1 = false;    ///< an interrupted validation, or its undoing: count is 1 and nobody's; anyone may go on
    bool validated : 1 = false;  ///< count ≠ 0 without this: *busy*, one CPU is making or undoing the use; others wait or fail
    bool pinned : 1 = false;     ///< one of the count is the guest's pin
    FrameType type : 3 = FrameType::none;

    /// Nothing but a type.
    static constexpr FrameUse unused(FrameType type) {
        FrameUse use;
        use.type = type;
        return use;
    }
    /// Its first use, which isn't validated yet.
    static constexpr FrameUse busy_as(FrameType type) {
        FrameUse use = unused(type);
        use.count = 1;
        return use;
    }
    static constexpr FrameUse partial_as(FrameType type) {
        FrameUse use = busy_as(type);
        use.partial = true;
        return use;
    }
    static constexpr FrameUse valid_as(FrameType type) {
        FrameUse use = busy_as(type);
        use.validated = true;
        return use;
    }

    bool busy() const { return count != 0 && !validated && !partial; }

    static constexpr FrameUse from(u32 word) { return std::bit_cast<FrameUse>(word); }
    constexpr u32 word() const { return std::bit_cast<u32>(*this); }
};

inline FrameUse use_of(const Frame& frame) { return FrameUse::from(frame.use.load(std::memory_order_acquire)); }
/// False: it is no longer `expected`, which is then what it is now.
inline bool replace_use(Frame& frame, FrameUse& expected, FrameUse wanted) {
    u32 word = expected.word();
    if (frame.use.compare_exchange_strong(word, wanted.word(), std::memory_order_acq_rel, std::memory_order_acquire)) return true;
    expected = FrameUse::from(word);
    return false;
}
/// One more use of what is valid as `type`: the count goes up, and nothing else changes. False: it isn't, or has too many.
inline bool count_up(Frame& frame, FrameType type) {
    const u32 validated = FrameUse::valid_as(FrameType::none).word() - 1, any_type = FrameUse::unused(FrameType{7}).word();
    const u32 wanted = FrameUse::valid_as(type).word() - 1;
    u32 word = frame.use.load(std::memory_order_relaxed);
    do {
        if ((word & (any_type | validated)) != wanted || (word & FrameUse::most) == FrameUse::most) return false;
    } while (!frame.use.compare_exchange_weak(word, word + 1, std::memory_order_acq_rel, std::memory_order_relaxed));
    return true;
}
/// One use less of what is valid, where others are left. False: it would be the last, but for a lock.
inline bool count_down(Frame& frame) {
    const u32 locked = FrameUse{.locked = true}.word();
    u32 word = frame.use.load(std::memory_order_relaxed);
    do {
        if ((word & FrameUse::most) <= ((word & locked) != 0 ? 2 : 1)) return false;
    } while (!frame.use.compare_exchange_weak(word, word - 1, std::memory_order_acq_rel, std::memory_order_relaxed));
    return true;
}

/// Only by the CPU that has it busy.
inline void settle_use(Frame& frame, FrameUse wanted) { frame.use.store(wanted.word(), std::memory_order_release); }

/// How far a page table is: the first `entries` hold their references.
struct TableState {
    u16 entries = 0;
    bool child = false;  ///< the entry after them holds a reference to its table, whose own validation or undoing is unfinished
    i16 linear = 0;      ///< > 0: entries of other tables of its level that name it; < 0: such entries of its own

    static constexpr TableState from(u32 word) {
        return {static_cast<u16>(word & 0x3ff), (word >> 10 & 1) != 0, static_cast<i16>(word >> 16)};
    }
    constexpr u32 word() const { return entries | u32{child} << 10 | u32{static_cast<u16>(linear)} << 16; }
};

}  // namespace px::pv
