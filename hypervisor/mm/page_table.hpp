// One page-table walker; a policy says what the bits mean (x86 native, NPT, EPT, IOMMU, ARM stage 1 and 2).
//
// Addresses are page numbers. Sizes are orders: 0, 9, 18 on tables of 512 entries. The walker splits a larger leaf when
// part of it changes and gives up the tables below an entry that a larger leaf replaces. It does no locking and no TLB
// flush: the caller holds the lock that guards the table, owes the flush that `Changed` names, and says flushed() after it:
// only then are the tables free that the hardware might have been walking.
//
// A policy provides:
//   static constexpr unsigned levels;               number of levels, the leaf level is 0
//   static constexpr unsigned max_leaf_level;       the largest leaf's level (1: 2 MiB, 2: 1 GiB)
//   static u64 table(Mfn), leaf(Mfn, unsigned level, Attributes);
//   static bool present(u64), is_leaf(u64, unsigned level);   present: a table or a leaf
//   static Mfn frame(u64 entry, unsigned level); static Attributes attributes(u64 entry, unsigned level);
//   Result<Mfn> allocate_table(); void free_table(Mfn); static u64* entries(Mfn);
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>
#include <utility>

#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/frame.hpp"

namespace px {

/// What a change of a page table leaves to be done.
enum class Changed : u8 {
    nothing,    ///< no cached translation can be stale: entries only became present
    must_flush  ///< a present entry was changed or removed: flush before its frame is reused, then say flushed()
};
constexpr Changed operator|(Changed a, Changed b) { return a == Changed::nothing ? b : a; }

template <class Policy>
class PageTable {
public:
    static constexpr unsigned bits_per_level = 9;
    static constexpr unsigned entries_per_table = 1u << bits_per_level;
    using Attributes = typename Policy::Attributes;

    struct Translation {
        Mfn mfn;         ///< frame of the page asked for, also inside a large leaf
        unsigned order;  ///< size of the leaf that maps it
        Attributes attributes;
    };

    PageTable() = default;
    explicit PageTable(Policy policy) : policy_(policy) {}
    Policy& policy() { return policy_; }
    const Policy& policy() const { return policy_; }
    Mfn root() const { return root_; }
    bool exists() const { return root_ != invalid_mfn; }

    /// Allocates the root. Errors: enomem.
    Result<> create() {
        root_ = TRY(policy_.allocate_table());
        return {};
    }
    /// Adopts a table that exists already.
    void adopt(Mfn root) { root_ = root; }

    Result<Translation> lookup(u64 page) const {
        const u64* table = Policy::entries(root_);
        for (unsigned level = Policy::levels - 1;; --level) {
            const u64 entry = load(table[index(page, level)]);
            if (!Policy::present(entry)) return Err{Errno::enoent};
            if (level == 0 || Policy::is_leaf(entry, level)) {
                const u64 within = page & ((u64{1} << order_of(level)) - 1);
                return Translation{Policy::frame(entry, level) + within, order_of(level), Policy::attributes(entry, level)};
            }
            table = Policy::entries(Policy::frame(entry, level));
        }
    }

    /// Maps 2^order pages; `page` and `mfn` are aligned to the order (0, 9 or 18). Errors: enomem, and then nothing changed.
    Result<Changed> map(u64 page, Mfn mfn, unsigned order, Attributes attributes) {
        const unsigned level = order / bits_per_level;
        u64& entry = *TRY(descend(page, level, true));
        return replace(entry, level, Policy::leaf(mfn, level, attributes));
    }

    /// Unmaps 2^order pages; holes are fine. Errors: enomem (when a larger leaf had to be split), and then nothing changed.
    Result<Changed> unmap(u64 page, unsigned order) {
        const unsigned level = order / bits_per_level;
        const auto entry = descend(page, level, false);
        if (!entry) {
            if (entry.error() == Errno::enoent) return Changed::nothing;
            return Err{entry.error()};
        }
        return replace(**entry, level, 0);
    }

    /// Largest order ≤ `limit` that a leaf for (page, mfn) may have, with `count` pages left to map.
    static unsigned best_order(u64 page, Mfn mfn, u64 count, unsigned limit = Policy::max_leaf_level * bits_per_level) {
        unsigned order = limit;
        while (order > 0 && (((page | mfn.raw) & ((u64{1} << order) - 1)) != 0 || count < (u64{1} << order))) { order -= bits_per_level; }
        return order;
    }

    /// Maps a range with the largest leaves that fit. Errors: enomem, with a prefix mapped.
    Result<Changed> map_range(u64 page, Mfn mfn, u64 count, Attributes attributes,
                              unsigned limit = Policy::max_leaf_level * bits_per_level) {
        Changed changed = Changed::nothing;
        while (count > 0) {
            const unsigned order = best_order(page, mfn, count, limit);
            changed = changed | TRY(map(page, mfn, order, attributes));
            page += u64{1} << order;
            mfn += u64{1} << order;
            count -= u64{1} << order;
        }
        return changed;
    }

    /// The flush that was owed is done: frees the tables that went out of use before it.
    void flushed() {
        while (retired_ != 0) {
            const Mfn table{retired_};
            retired_ = std::exchange(frame_of(table).next, 0);
            policy_.free_table(table);
        }
    }

    /// Calls visit(page, order, entry's frame, attributes) for each leaf from `*cursor` on, and removes the leaf; stops when
    /// visit returns false, when go_on(), asked once per table's worth of entries, does, or at the end. `*cursor` is where to go
    /// on; true at the end. Preemptible teardown, of tables that nothing runs on: no flush is owed.
    template <class Visitor, class GoOn>
    bool strip(u64* cursor, Visitor visit, GoOn go_on) {
        constexpr u64 end = u64{1} << order_of(Policy::levels);
        for (unsigned looks = 0; *cursor < end; ++looks) {
            if (looks == entries_per_table) {
                if (!go_on()) return false;
                looks = 0;
            }
            unsigned level = 0;
            u64* entry = deepest(*cursor, &level);
            const u64 next = ((*cursor >> order_of(level)) + 1) << order_of(level);
            const u64 value = load(*entry);
            if (Policy::present(value)) {
                const u64 page = *cursor & ~((u64{1} << order_of(level)) - 1);
                const bool more = visit(page, order_of(level), Policy::frame(value, level), Policy::attributes(value, level));
                store(*entry, 0);
                *cursor = next;
                if (!more) return *cursor >= end;
            }
            *cursor = next;
        }
        return true;
    }

    /// Frees every table, the root as well. Leaves are forgotten: strip() first where they hold references.
    void destroy() {
        if (!exists()) return;
        flushed();
        free_below(root_, Policy::levels - 1);
        policy_.free_table(root_);
        root_ = invalid_mfn;
    }

private:
    static constexpr unsigned order_of(unsigned level) { return level * bits_per_level; }
    static unsigned index(u64 page, unsigned level) { return static_cast<unsigned>(page >> order_of(level)) & (entries_per_table - 1); }
    // Hardware walks the table while it changes: entries are read and written whole.
    static u64 load(const u64& entry) { return __atomic_load_n(&entry, __ATOMIC_ACQUIRE); }
    static void store(u64& entry, u64 value) { __atomic_store_n(&entry, value, __ATOMIC_RELEASE); }

    /// The entry that covers `page` at its lowest existing level.
    u64* deepest(u64 page, unsigned* at) {
        u64* table = Policy::entries(root_);
        for (unsigned level = Policy::levels - 1;; --level) {
            u64* entry = &table[index(page, level)];
            const u64 value = load(*entry);
            if (level == 0 || !Policy::present(value) || Policy::is_leaf(value, level)) {
                *at = level;
                return entry;
            }
            table = Policy::entries(Policy::frame(value, level));
        }
    }

    /// The entry for `page` at `level`; makes tables and splits leaves on the way. enoent: not there and `make` is false.
    Result<u64*> descend(u64 page, unsigned level, bool make) {
        u64* table = Policy::entries(root_);
        for (unsigned at = Policy::levels - 1; at > level; --at) {
            u64& entry = table[index(page, at)];
            const u64 value = load(entry);
            if (!Policy::present(value)) {
                REQUIRE(make, enoent);
                store(entry, Policy::table(TRY(policy_.allocate_table())));
            } else if (Policy::is_leaf(value, at)) {
                TRY(split(entry, at));
            }
            table = Policy::entries(Policy::frame(load(entry), at));
        }
        return &table[index(page, level)];
    }

    /// The same translations by leaves one level below; no flush is owed for equal translations.
    Result<> split(u64& entry, unsigned level) {
        const u64 value = load(entry);
        const Mfn table = TRY(policy_.allocate_table());
        u64* const below = Policy::entries(table);
        for (unsigned i = 0; i < entries_per_table; ++i) {
            below[i] =
                Policy::leaf(Policy::frame(value, level) + (u64{i} << order_of(level - 1)), level - 1, Policy::attributes(value, level));
        }
        store(entry, Policy::table(table));
        return {};
    }

    Changed replace(u64& entry, unsigned level, u64 value) {
        const u64 old = load(entry);
        store(entry, value);
        if (!Policy::present(old)) return Changed::nothing;
        if (level > 0 && !Policy::is_leaf(old, level)) retire(Policy::frame(old, level), level - 1);
        return old == value ? Changed::nothing : Changed::must_flush;
    }

    /// visit(table, its level) for each table that an entry of `table` leads to.
    template <class Visitor>
    void for_each_below(Mfn table, unsigned level, Visitor visit) {
        if (level == 0) return;
        const u64* entries = Policy::entries(table);
        for (unsigned i = 0; i < entries_per_table; ++i) {
            const u64 value = load(entries[i]);
            if (Policy::present(value) && !Policy::is_leaf(value, level)) visit(Policy::frame(value, level), level - 1);
        }
    }

    /// Notes a table that is out of use, and those below, until flushed(). Its entries stay as they are: they may be walked.
    void retire(Mfn table, unsigned level) {
        for_each_below(table, level, [this](Mfn lower, unsigned at) { retire(lower, at); });
        frame_of(table).next = std::exchange(retired_, static_cast<u32>(table.raw));
    }

    void free_below(Mfn table, unsigned level) {
        for_each_below(table, level, [this](Mfn lower, unsigned at) {
            free_below(lower, at);
            policy_.free_table(lower);
        });
    }

    Policy policy_{};
    Mfn root_ = invalid_mfn;
    u32 retired_ = 0;  ///< tables that wait for flushed(), linked by Frame::next; 0: none
};

}  // namespace px
