// A domain's physmap: what stands behind each of its guest frame numbers.
//
// The entries' bits are the architecture's (arch::PhysmapPolicy: NPT, EPT, stage 2); the meaning is here. An entry that
// names a frame of another domain (foreign, grant) owns a reference to it. After a change the stale translations are
// flushed from every CPU before a removed frame's reference can be dropped. The lock ranks LockRank::p2m.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/physmap.hpp"
#include "hypervisor/base/rw_lock.hpp"
#include "hypervisor/base/static_vector.hpp"
#include "hypervisor/mm/frame.hpp"
#include "hypervisor/mm/gfn_type.hpp"
#include "hypervisor/mm/page_table.hpp"
#include "hypervisor/mm/progress.hpp"
#include "hypervisor/mm/writable_frame.hpp"

namespace px {

struct GfnEntry {
    Mfn mfn = invalid_mfn;
    GfnType type = GfnType::invalid;
    u8 order = 0;  ///< size of the leaf that holds it
};

class FlushBatch;

class Physmap {
public:
    explicit Physmap(Domain& domain) : domain_(domain) {}

    /// As many frame numbers as the tables can hold; beyond lies nothing, and nothing can be added (einval).
    static constexpr u64 frame_numbers = u64{1} << (arch::PhysmapPolicy::levels * 9);

    /// Allocates the root table. Errors: enomem.
    Result<> create();
    /// The root for the hardware's nested walk.
    Mfn root() const;

    GfnEntry lookup(Gfn gfn);
    /// Whether the domain has frame numbers of its own. Others (PV) say machine frame numbers, also where a call says gfn.
    bool is_translated() const;

    /// A reference to the RAM frame behind `gfn` (ram, foreign and grant types; read-only types only when `write` is
    /// false). Errors: efault when there is none.
    Result<FrameRef> get_frame(Gfn gfn, bool write, GfnType* type = nullptr);
    /// Calls use(u8* page) with the RAM behind `gfn`, under the physmap's lock in place of a reference: for a few bytes.
    /// Errors: efault, as get_frame().
    template <class Use>
    Result<> with_page(Gfn gfn, bool write, Use use) {
        if (!is_translated()) {
            use(static_cast<u8*>(TRY(get_frame(gfn, write)).data()));
            return {};
        }
        const auto table = table_.lock_shared();
        const Found found = TRY(find_frame(*table, gfn, write));
        use(static_cast<u8*>(to_virtual(mfn_of(*found.frame))));
        return {};
    }

    /// Puts 2^order frames of the domain itself at `gfn`. Errors: enomem, eexist when something is mapped there.
    Result<> add_ram(Gfn gfn, Mfn mfn, unsigned order);
    /// Device memory, `count` frames. Errors: enomem.
    Result<> add_mmio(Gfn gfn, Mfn mfn, u64 count, bool read_only = false);
    /// Another domain's frame; the entry takes over `frame`'s reference. What was there is removed as by remove().
    /// `type`: foreign, which has the right to write it as well (where that can't be had: grant_read_only in its place), grant_writable
    /// or grant_read_only, of a grant that is pinned. Errors: enomem.
    Result<> add_foreign(Gfn gfn, FrameRef frame, GfnType type);
    /// Marks a frame number as handled by an emulator, ours or an ioreq server's. Errors: enomem.
    Result<> add_emulated(Gfn gfn, u64 count, GfnType type = GfnType::mmio_emulated);
    /// Changes ram ↔ ram_read_only ↔ log_dirty … of what is mapped. Errors: enoent, enomem.
    Result<> change_type(Gfn gfn, GfnType type);
    /// Removes one frame number; flushed; gives what was there. The reference of a foreign or grant entry has been dropped;
    /// own RAM stays the domain's. Errors: enomem (a large leaf had to be split).
    Result<GfnEntry> remove(Gfn gfn);

    // The same as parts of a batch, which must have room.
    Result<> add_foreign(Gfn gfn, FrameRef frame, GfnType type, FlushBatch& batch);
    Result<GfnEntry> remove(Gfn gfn, FlushBatch& batch);

    /// The highest frame number that ever was in use [xen/public memory.h maximum_gpfn].
    Gfn highest_gfn() const { return Gfn{highest_.load(std::memory_order_relaxed)}; }

    /// Drops every foreign and grant entry; preemptible; for a dying domain.
    Progress relinquish();
    /// Frees the tables; nothing may run on them any more.
    void destroy();

    /// Frames of the tables, in use and in the pool [xen/public domctl.h paging_mempool].
    u64 table_frames() const;

private:
    friend class FlushBatch;
    using Table = PageTable<arch::PhysmapPolicy>;
    struct Found {
        Frame* frame;
        GfnType type;
    };
    /// Errors: efault.
    Result<Found> find_frame(const Table& table, Gfn gfn, bool write) const;
    /// A domain without a physmap has nothing in reach.
    bool in_reach(Gfn gfn, u64 count = 1) const { return is_translated() && count <= frame_numbers && gfn.raw <= frame_numbers - count; }
    /// Flushes if that is owed, then frees the tables that waited for it.
    void settle(Table& table, Changed changed);
    void used_up_to(Gfn gfn) {
        if (gfn.raw > highest_.load(std::memory_order_relaxed)) highest_.store(gfn.raw, std::memory_order_relaxed);
    }

    Domain& domain_;
    RwLocked<Table, LockRank::p2m> table_;
    u64 relinquish_cursor_ = 0;
    std::atomic<u64> highest_{0};  ///< changes under the lock
};

/// Changes of one physmap that are flushed together, at the latest when the batch ends. What was removed is kept until then:
/// frames that a stale translation may lead to stay what they are. Its end may drop a frame's last reference: no lock is held.
class FlushBatch {
public:
    static constexpr usize capacity = 32;
    explicit FlushBatch(Physmap& physmap) : physmap_(physmap) {}
    ~FlushBatch() { finish(); }
    FlushBatch(const FlushBatch&) = delete;
    bool full() const { return kept_.full(); }
    /// Flushes if that is owed and drops what was kept; the batch can go on.
    void finish();

private:
    friend class Physmap;
    /// What an entry of another domain's frame held.
    struct Kept {
        FrameRef frame;
        WritableFrame writable;
        /// It is an entry's from now on.
        void keep() {
            if (frame) (void)frame.release();
            if (writable) (void)writable.release();
        }
    };
    static Kept held_by(Mfn mfn, GfnType type);
    void add(Changed changed, Kept removed);

    Physmap& physmap_;
    Changed owed_ = Changed::nothing;
    StaticVector<Kept, capacity> kept_;
};

}  // namespace px
