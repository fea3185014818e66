// The frames of one domain.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/mm/domain_memory.hpp"

#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px {
namespace {
constinit std::atomic<u64> claims{0};

AllocationHint at_home(AllocationHint hint, const NodeMask& home) {
    if (hint.nodes.empty()) hint.nodes = home;
    return hint;
}
}  // namespace

u64 outstanding_claims() { return claims.load(std::memory_order_relaxed); }

void DomainMemory::link(List& list, Frame& frame) {
    const u32 number = static_cast<u32>(mfn_of(frame).raw);
    frame.prev = 0;
    frame.next = list.head;
    if (list.head != 0) frame_of(Mfn{list.head}).prev = number;
    list.head = number;
}

void DomainMemory::unlink(List& list, Frame& frame) {
    for (Walk* walk : {&list.relinquish, &list.visit}) {
        if (walk->at == mfn_of(frame).raw) walk->at = frame.next;
    }
    if (frame.prev != 0) frame_of(Mfn{frame.prev}).next = frame.next;
    else list.head = frame.next;
    if (frame.next != 0) frame_of(Mfn{frame.next}).prev = frame.prev;
    frame.next = frame.prev = 0;
}

/// `take(nodes)` gives a block of `count` frames without references, of these nodes if it can.
Result<Mfn> DomainMemory::allocate_by(u64 count, auto take) {
    auto list = list_.lock();
    REQUIRE(!domain_.is_dying(), enomem);
    REQUIRE(frames() + count <= max_frames(), enomem);
    const u64 own_claim = std::min(list->claim, count);
    REQUIRE(memory_totals().free_frames >= outstanding_claims() - list->claim + count, enomem);
    const Mfn first = TRY(take(list->nodes));
    list->claim -= own_claim;
    claims.fetch_sub(own_claim, std::memory_order_relaxed);
    for (u64 i = 0; i < count; ++i) {
        Frame& frame = frame_of(first + i);
        frame.owner = &domain_;
        frame.flags.store(Frame::domain_listed | Frame::allocation_held, std::memory_order_relaxed);
        frame.use.store(0, std::memory_order_relaxed);
        link(*list, frame);
        frame.references.store(1, std::memory_order_release);
    }
    if (frames_.fetch_add(count, std::memory_order_relaxed) == 0) domain_.get();  // kept while it owns any frame
    return first;
}

Result<Mfn> DomainMemory::allocate(unsigned order, const AllocationHint& hint) {
    return allocate_by(u64{1} << order, [&](const NodeMask& home) { return take_block(order, serial_, at_home(hint, home)); });
}

Result<> DomainMemory::allocate_exactly(Mfn mfn) {
    TRY(allocate_by(1, [&](const NodeMask&) -> Result<Mfn> {
        TRY(take_frame(mfn, serial_));
        return mfn;
    }));
    return {};
}

Result<Mfn> DomainMemory::allocate_shared() {
    const Mfn mfn = TRY(take_block(0, 0, {}));
    Frame& frame = frame_of(mfn);
    frame.owner = &domain_;
    frame.flags.store(0, std::memory_order_relaxed);
    frame.use.store(Frame::use_shared, std::memory_order_relaxed);
    domain_.get();
    frame.references.store(1, std::memory_order_release);
    return mfn;
}

void DomainMemory::adopt(Mfn first, u64 count) {
    auto list = list_.lock();
    for (u64 i = 0; i < count; ++i) {
        Frame& frame = frame_of(first + i);
        PX_ASSERT(frame.references.load(std::memory_order_relaxed) == 0);
        frame.owner = &domain_;
        frame.flags.store(Frame::domain_listed | Frame::allocation_held | Frame::reserved_home, std::memory_order_relaxed);
        link(*list, frame);
        frame.references.store(1, std::memory_order_release);
    }
    if (count != 0 && frames_.fetch_add(count, std::memory_order_relaxed) == 0) domain_.get();
}

bool DomainMemory::release(Frame& frame) {
    {
        auto list = list_.lock();
        if (frame.owner != &domain_) return false;
        const u8 before = frame.flags.fetch_and(static_cast<u8>(~Frame::allocation_held), std::memory_order_acq_rel);
        if ((before & Frame::allocation_held) == 0) return false;
    }
    put_frame(frame);
    return true;
}

void DomainMemory::last_reference_dropped(Frame& frame) {
    if ((frame.flags.load(std::memory_order_relaxed) & Frame::domain_listed) == 0) {  // of allocate_shared()
        return_block(mfn_of(frame), 0, serial_);
        return domain_.put();
    }
    const bool home = (frame.flags.load(std::memory_order_relaxed) & Frame::reserved_home) != 0;
    bool was_last;
    {
        auto list = list_.lock();
        unlink(*list, frame);
        was_last = frames_.fetch_sub(1, std::memory_order_relaxed) == 1;
        if (home && !domain_.is_dying()) {
            // Reserved for the same guest frame number: adopt_back() finds it unreferenced and still owned.
            frame.flags.store(Frame::reserved_home, std::memory_order_relaxed);
        } else {
            return_block(mfn_of(frame), 0, serial_);
        }
    }
    if (was_last) domain_.put();
}

bool DomainMemory::adopt_back(Frame& frame) {
    auto list = list_.lock();
    if (frame.owner != &domain_ || frame.references.load(std::memory_order_acquire) != 0) return false;
    if (frame.flags.load(std::memory_order_relaxed) != Frame::reserved_home || frames() >= max_frames()) return false;
    frame.flags.store(Frame::domain_listed | Frame::allocation_held | Frame::reserved_home, std::memory_order_relaxed);
    link(*list, frame);
    frame.references.store(1, std::memory_order_release);
    if (frames_.fetch_add(1, std::memory_order_relaxed) == 0) domain_.get();
    return true;
}

Result<> DomainMemory::lend(Frame& frame) {
    auto list = list_.lock();
    REQUIRE(frame.owner == &domain_ && !domain_.is_dying(), einval);
    REQUIRE(frame.flags.load(std::memory_order_relaxed) == (Frame::domain_listed | Frame::allocation_held), einval);
    u32 alone = 1;
    REQUIRE(frame.references.compare_exchange_strong(alone, 0, std::memory_order_acquire), einval);
    unlink(*list, frame);
    return {};
}

Result<Mfn> DomainMemory::find_block(unsigned order, const AllocationHint& hint) {
    REQUIRE(memory_totals().free_frames >= outstanding_claims() + (u64{1} << order), enomem);
    return take_block(order, serial_, at_home(hint, list_.lock()->nodes));
}

void DomainMemory::restore(Frame& frame) {
    {
        auto list = list_.lock();
        if (!domain_.is_dying()) {
            frame.owner = &domain_;
            frame.flags.store(Frame::domain_listed | Frame::allocation_held, std::memory_order_relaxed);
            link(*list, frame);
            frame.references.store(1, std::memory_order_release);
            return;
        }
    }
    forget(frame);
    if (frames_.fetch_sub(1, std::memory_order_relaxed) == 1) domain_.put();
}

void DomainMemory::forget(Frame& frame) { return_block(mfn_of(frame), 0, serial_); }

Frame* DomainMemory::advance(List& list, Walk& walk) {
    if (!std::exchange(walk.begun, true)) walk.at = list.head;
    if (walk.at == 0) return nullptr;
    Frame& frame = frame_of(Mfn{walk.at});
    walk.at = frame.next;
    return &frame;
}

FrameRef DomainMemory::visit_next() {
    auto list = list_.lock();
    for (;;) {
        Frame* const frame = advance(*list, list->visit);
        if (frame == nullptr) return {};
        // One whose last reference is being dropped waits for this lock to leave the list.
        if (try_get_frame(*frame, &domain_)) return FrameRef(*frame);
    }
}

Progress DomainMemory::relinquish() {
    // A dying domain's list only shrinks, so one walk sees all; unlink() moves the walk on where others drop a frame.
    for (;;) {
        Frame* victim = nullptr;
        {
            auto list = list_.lock();
            claims.fetch_sub(std::exchange(list->claim, 0), std::memory_order_relaxed);
            victim = advance(*list, list->relinquish);
            if (victim == nullptr) return Progress::done;
        }
        release(*victim);
        if (preemption_pending()) return Progress::more;
    }
}

Result<> DomainMemory::set_claim(u64 frames_wanted) {
    auto list = list_.lock();
    REQUIRE(!domain_.is_dying(), einval);
    const u64 more = frames_wanted > frames() ? frames_wanted - frames() : 0;
    REQUIRE(frames_wanted == 0 || frames_wanted <= max_frames(), einval);
    const u64 others = outstanding_claims() - list->claim;
    REQUIRE(memory_totals().free_frames >= others + more, enomem);
    claims.fetch_add(more - list->claim, std::memory_order_relaxed);
    list->claim = more;
    return {};
}

u64 DomainMemory::claim() const { return list_.unlocked().claim; }

}  // namespace px
