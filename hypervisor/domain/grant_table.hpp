// The grant table of one domain: what it lends to others, and what it has mapped of theirs. [xen/public grant_table.h]
//
//   shared frames ── entries that the guest writes: "domain 3 may read frame f"      (guest memory: untrusted, atomic)
//   pins          ── what others use right now, per entry: domain, frame, counts     (ours)
//   maptrack      ── what this domain has mapped of other tables: handle → entry     (ours)
//
// A pin says reading/writing in the shared entry (version 2: in the status word) so that the guest can't take the grant
// back, and holds a reference to the frame. While an entry is pinned its meaning is what it was at the first pin: the
// shared entry is read once, and never trusted twice.
//
// Locks: maptrack (LockRank::grant_maps) before table (LockRank::grant_table). No path holds two of either: a mapping
// takes its handle first, then pins in the granter's table, then enters its own physmap.
//
// Life: a live pin holds a frame of the granter, and a frame holds its domain: so a maptrack entry's granter exists.
// Frames of a dying granter stay until the last pin goes.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <atomic>

#include "hypervisor/abi/grant_table.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/mm/frame.hpp"
#include "hypervisor/mm/heap.hpp"
#include "hypervisor/mm/physmap.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px {

class Domain;
class GrantTable;

/// Result of one element of a batch [xen/public grant_table.h].
template <class T = void>
using GrantResult = Result<T, abi::GntStatus>;

/// The right to use a granted frame, given back at the end of its life.
class GrantPin {
public:
    GrantPin() = default;
    GrantPin(GrantPin&& other) { *this = std::move(other); }
    GrantPin& operator=(GrantPin&& other) {
        std::swap(table_, other.table_);
        std::swap(ref_, other.ref_);
        std::swap(writable_, other.writable_);
        std::swap(mfn, other.mfn);
        std::swap(start, other.start);
        std::swap(length, other.length);
        return *this;
    }
    ~GrantPin();
    explicit operator bool() const { return table_ != nullptr; }
    bool writable() const { return writable_; }
    /// Leaves the pin to somebody who calls GrantTable::unpin() later.
    void keep() { table_ = nullptr; }

    Mfn mfn{};
    u16 start = 0;  ///< sub-page grants: the part that may be used
    u16 length = page_size;

private:
    friend class GrantTable;
    GrantTable* table_ = nullptr;
    GrantRef ref_{};
    bool writable_ = false;
};

/// Mappings of one domain that end, or are replaced, together: one flush, then their granters hear. At the latest when the
/// batch ends. Finishing may drop a granter's last reference: no lock is held.
class GrantBatch {
public:
    explicit GrantBatch(Domain& mapper);
    ~GrantBatch() { finish(); }
    /// Before each operation of the batch.
    void make_room() {
        if (flushes_.full() || ended_.full()) finish();
    }
    void finish();

private:
    friend class GrantTable;
    struct Ended {
        GrantTable* granter;
        GrantRef ref;
        bool writable;
    };
    Domain& mapper_;
    bool owes_tables_ = false;  ///< a mapper's page tables have lost an entry (arch/grant_places.hpp)
    FlushBatch flushes_;
    StaticVector<Ended, FlushBatch::capacity> ended_;
};

class GrantTable {
public:
    static constexpr u32 status_words_per_frame = page_size / sizeof(abi::GrantStatusWord);
    static constexpr u32 no_handle = ~u32{0};

    explicit GrantTable(Domain& domain) : domain_(domain) {}
    ~GrantTable();
    GrantTable(const GrantTable&) = delete;
    /// Before anything else, once settings are known. Errors: einval (no frame allowed at all, or too many), enomem.
    Result<> create();

    // Size and version.
    u32 version();
    u32 frame_count();
    u32 max_frames() const;
    /// Grows to at least `frames`. Errors: einval (over the domain's maximum), enomem.
    Result<> grow(u32 frames);
    /// Keeps the first gnttab_nr_reserved_entries entries and clears all others. Errors: einval, enosys (over the domain's
    /// maximum), ebusy (an entry beyond the reserved is pinned), erange (a reserved one doesn't fit version 1), enomem.
    Result<> set_version(u32 version);
    /// Frame `index` of the table, or of the status words (version 2; else einval); grows the table as far as allowed.
    /// `at` is where the domain will see it, for frame_gfn(). Errors: einval, enomem.
    Result<Mfn> frame_for_mapping(u32 index, bool status, Gfn at = invalid_gfn);
    /// As above by the id of XENMEM_acquire_resource: 0 table, 1 status [xen/public memory.h].
    Result<Mfn> resource_frame(u32 id, u32 index);
    /// Frames of status words; 0 under version 1.
    u32 status_frame_count();
    /// Where frame_for_mapping() was told that it is seen; invalid_gfn where it wasn't. Of a domain without a physmap: the frame itself.
    Gfn frame_gfn(u32 index, bool status);
    /// Exchanges two entries. Errors: bad_gntref, eagain (pinned).
    GrantResult<> swap(GrantRef a, GrantRef b);
    /// Logs every pinned entry.
    void dump();

    // Lending.
    /// The right of `user` to what entry `ref` grants. `whole_page`: for a mapping; sub-page grants are refused then.
    /// Errors: bad_gntref, general_error (not granted to `user`, or not for writing; no memory), bad_page.
    /// Transitive grants are refused with general_error: no guest in use makes them.
    GrantResult<GrantPin> pin(DomId user, GrantRef ref, bool write, bool whole_page);
    void unpin(GrantRef ref, bool writable);

    // Borrowing; this domain is the one that maps.
    struct Mapping {
        u32 handle;
        Mfn mfn;
    };
    // Without a batch: one that is finished when the call returns.
    /// Maps entry `ref` of `granter` at `host_addr` if `flags` has host_map: a guest physical address; of a domain without a physmap, whose
    /// vCPU calls, what arch::place_grant() takes.
    /// device_map is noted; there is no IOMMU, so a device reaches the frame by its machine address.
    /// Errors: bad_gntref (neither map flag; as pin()), general_error (flags of PV without being one; no place; as pin()), no_space (handles).
    GrantResult<Mapping> map(Domain& granter, GrantRef ref, u64 host_addr, u32 flags, GrantBatch& batch);
    GrantResult<Mapping> map(Domain& granter, GrantRef ref, u64 host_addr, u32 flags);
    /// A zero address is ignored; the handle ends with its last mapping; the granter hears of it when the batch is finished.
    /// `replacement`: see arch::remove_grant(). Errors: bad_handle, general_error (mapped elsewhere), bad_dev_addr.
    GrantResult<> unmap(u32 handle, u64 host_addr, u64 dev_bus_addr, GrantBatch& batch, u64 replacement = 0);
    GrantResult<> unmap(u32 handle, u64 host_addr, u64 dev_bus_addr);
    /// Number of live handles.
    u32 mapped() { return maps_.lock()->live; }

    /// For a dying domain, preemptible: gives back every pin that it has on others, then the table's own frames.
    Progress relinquish();

private:
    struct Pin {
        FrameRef frame;  ///< held while pinned
        u32 readers = 0, writers = 0;
        u16 domid = 0;
        u16 start = 0, length = 0;
        bool pinned() const { return readers + writers != 0; }
    };
    static constexpr u32 pins_per_page = 64;
    struct PinPage {
        Pin pins[pins_per_page];
    };
    /// A frame that is shared with the guest.
    struct Shared {
        Mfn mfn;
        Gfn seen_at;
    };
    struct Table {
        u8 version = 1;
        bool gone = false;  ///< relinquished: nothing can be granted, pins are still given back
        u32 frames = 0;
        u32 status_frames = 0;  ///< never freed before the domain's end: the guest may see them somewhere
        HeapArray<Shared> shared;
        HeapArray<Shared> status;
        HeapArray<PinPage*> pins;  ///< pages made on demand

        u32 entries() const;
        abi::GrantEntryV1& v1(GrantRef ref) const;
        abi::GrantEntryV2& v2(GrantRef ref) const;
        abi::GrantEntryHeader& header(GrantRef ref) const;
        /// Where reading and writing are noted.
        u16& use_flags(GrantRef ref) const;
        bool pinned(GrantRef ref) const;
        u32 status_frames_for(u32 grant_frames) const;
    };
    /// What a shared entry grants, as read once.
    struct Grant {
        Gfn gfn;
        u16 start = 0, length = page_size;
    };

    /// One mapping of this domain.
    struct Map {
        GrantTable* granter = nullptr;  ///< nullptr: free, or being made
        Mfn mfn;
        Gfn gfn;        ///< of the host mapping
        u32 ref = 0;    ///< of a free one: the next free handle
        u32 flags = 0;  ///< gntmap: host_map and device_map as long as it is mapped so; how it was mapped
    };
    static constexpr u32 maps_per_page = page_size / sizeof(Map);
    struct MapPage {
        Map maps[maps_per_page];
    };
    struct Maps {
        HeapArray<MapPage*> pages;  ///< made on demand
        u32 page_count = 0;
        u32 first_free = no_handle;
        u32 live = 0;
        u32 relinquish_cursor = 0;
        Map& at(u32 handle) const { return pages[handle / maps_per_page]->maps[handle % maps_per_page]; }
        Map* find(u32 handle) const;  ///< nullptr where it isn't live
        void give(u32 handle);
    };

    Result<> add_frame(HeapArray<Shared>& list, u32& count);
    Result<> grow_status(Table& table, u32 status_frames);
    Result<> grow_table(Table& table, u32 frames);
    Result<> check_representable(const Table& table) const;
    void convert(Table& table, u32 version);
    GrantResult<Pin*> find_pin(Table& table, GrantRef ref);
    GrantResult<> fill_pin(Table& table, GrantRef ref, Pin& pin, DomId user, bool write, bool whole_page, FrameRef& rejected);
    static GrantResult<Grant> claim_v1(const Table& table, GrantRef ref, DomId user, bool write);
    static GrantResult<Grant> claim_v2(const Table& table, GrantRef ref, const Pin& pin, DomId user, bool write, bool whole_page);
    static void clear_use(const Table& table, GrantRef ref, const Pin& pin);
    GrantResult<u32> take_handle();
    GrantResult<> place(const GrantPin& pin, u64 host_addr, u32 flags, GrantBatch& batch);
    GrantResult<> take_away(const Map& map, u64 host_addr, u64 replacement, GrantBatch& batch);
    Progress relinquish_maps();

    Domain& domain_;
    Locked<Table, LockRank::grant_table> table_;
    Locked<Maps, LockRank::grant_maps> maps_;
};

inline GrantPin::~GrantPin() {
    if (table_ != nullptr) table_->unpin(ref_, writable_);
}

}  // namespace px
