// The frames of one domain: its list, its counters and its claim.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/base/result.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/mm/frame_allocator.hpp"
#include "hypervisor/mm/physmap.hpp"

namespace px {

class DomainMemory {
public:
    /// `serial`: unique for the life of the host; tells whose data a freed frame holds.
    DomainMemory(Domain& domain, u32 serial) : domain_(domain), serial_(serial) {}

    /// 2^order frames, each with its allocation reference, of the domain's nodes unless the hint names others.
    /// Errors: enomem (none free, over max_frames, or claimed by others).
    Result<Mfn> allocate(unsigned order, const AllocationHint& hint = {});
    /// The frame `mfn` itself, with its allocation reference: for the 1:1 hardware domain, beyond what was reserved for it.
    /// Errors: enomem (it isn't free; as allocate()).
    Result<> allocate_exactly(Mfn mfn);
    /// A zeroed frame that the hypervisor shares with the guest (grant table, …): the domain's, but not of its account. Its one
    /// reference is the caller's, dropped by put_frame() when the domain is killed: it keeps the domain alive, as does
    /// whoever else maps the frame. Errors: enomem.
    Result<Mfn> allocate_shared();
    /// Boot memory becomes the domain's (the 1:1 hardware domain): each frame gets its allocation reference.
    void adopt(Mfn first, u64 count);
    /// Gives up a frame: drops its allocation reference, once. False: it had been given up already, or isn't ours.
    bool release(Frame& frame);
    /// The 1:1 hardware domain takes a frame back that it had ballooned out. False: it isn't such a frame.
    bool adopt_back(Frame& frame);
    /// Called by put_frame() for the last reference.
    void last_reference_dropped(Frame& frame);
    /// The frames of a dying domain one after the other, each once, with a reference; none: that was all. For the architecture,
    /// before relinquish(); one caller at a time.
    FrameRef visit_next();
    /// Gives up every frame; preemptible; for a dying domain.
    Progress relinquish();

    u64 frames() const { return frames_.load(std::memory_order_relaxed); }
    u64 max_frames() const { return max_frames_.load(std::memory_order_relaxed); }
    void set_max_frames(u64 frames) { max_frames_.store(frames, std::memory_order_relaxed); }
    /// Frames promised but not yet allocated [xen/public memory.h claim_pages]. Errors: enomem, einval.
    Result<> set_claim(u64 frames);
    u64 claim() const;
    u32 serial() const { return serial_; }
    /// Where allocate() looks first.
    void prefer(const NodeMask& nodes) { list_.lock()->nodes = nodes; }

private:
    friend class FrameExchange;
    // A frame that is lent is no longer found: unlisted and without references, but in the account.
    /// Errors: einval (not this domain's alone).
    Result<> lend(Frame& frame);
    /// A block in place of as many lent frames. Errors: enomem.
    Result<Mfn> find_block(unsigned order, const AllocationHint& hint);
    /// The domain has it for a lent one, with its allocation reference; a dying domain has it no more.
    void restore(Frame& frame);
    /// To the allocator.
    void forget(Frame& frame);

    Result<Mfn> allocate_by(u64 count, auto take);
    /// A walk over the list of a dying domain, in parts.
    struct Walk {
        bool begun = false;
        u32 at = 0;  ///< the next frame; unlink() moves it on
    };
    struct List {
        u32 head = 0;
        Walk relinquish;  ///< frames before it are held by others only
        Walk visit;
        u64 claim = 0;
        NodeMask nodes;
    };
    static Frame* advance(List& list, Walk& walk);
    void link(List& list, Frame& frame);
    void unlink(List& list, Frame& frame);

    Domain& domain_;
    u32 serial_;
    std::atomic<u64> frames_{0};
    std::atomic<u64> max_frames_{0};
    Locked<List, LockRank::domain_memory> list_;
};

/// Sum of all claims: what take_block must leave free for others.
u64 outstanding_claims();

}  // namespace px
