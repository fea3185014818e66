// The type machine: transitions of one frame.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/type_machine.hpp"

#include "arch/x86/pv/descriptor.hpp"
#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/table.hpp"
#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::pv {
namespace {

/// Another CPU may need this long for it that waiting must be interruptible.
constexpr bool takes_long(FrameType type) { return is_page_table(type) && type != FrameType::l1; }

/// Before a busy frame is looked at or given to the guest for its new use: no CPU may still write it, or walk it, by a
/// translation of its old one.
void flush_stale(const Frame& frame) {
    const CpuMask cpus = machine::tlb_clock().stale(machine::cpus_of(*frame.owner), frame.state.load(std::memory_order_relaxed));
    if (!cpus.empty()) machine::flush_tlb(cpus);
}

void end_use(Frame& frame, FrameType type) {
    // The stamp is taken while the frame is busy, after the last use of anybody: later than every translation to it.
    frame.state.store(machine::tlb_clock().stamp(), std::memory_order_relaxed);
    settle_use(frame, FrameUse::unused(type));
}

void become_valid(Frame& frame, FrameType type) { settle_use(frame, FrameUse::valid_as(type)); }

/// The frame becomes partial: the use's count and one reference are its own, until somebody goes on.
Progress park(Frame& frame, FrameType type) {
    get_frame_reference(frame);
    settle_use(frame, FrameUse::partial_as(type));
    return Progress::more;
}

Progress undo(Frame& frame, FrameType type) {
    if (is_page_table(type) && drop_entries(frame, level_of(type)) == Progress::more) return park(frame, type);
    end_use(frame, type);
    return Progress::done;
}

/// Of a busy frame.
Result<Progress> validate(Frame& frame, FrameType type) {
    const Result<Progress> result = type == FrameType::descriptors ? validate_descriptors(frame) : take_entries(frame, level_of(type));
    if (!result.ok()) {
        (void)undo(frame, type);
        return result;
    }
    if (*result == Progress::more) return park(frame, type);
    become_valid(frame, type);
    return Progress::done;
}

/// The first use, or the first as another type. The frame is busy.
Result<Progress> begin(Frame& frame, FrameType type, bool other_type) {
    if (other_type) flush_stale(frame);
    if (needs_validation(type)) {
        frame.state.store(TableState{}.word(), std::memory_order_relaxed);
        return validate(frame, type);
    }
    become_valid(frame, type);
    return Progress::done;
}

}  // namespace

Result<Progress> acquire_slowly(Frame& frame, FrameType type) {
    for (FrameUse old = use_of(frame);;) {
        if (old.count == 0) {
            const bool valid_at_once = old.type == type && !needs_validation(type);
            if (!replace_use(frame, old, valid_at_once ? FrameUse::valid_as(type) : FrameUse::busy_as(type))) continue;
            return valid_at_once ? Progress::done : begin(frame, type, old.type != type);
        }
        REQUIRE(old.type == type && old.count < FrameUse::most, einval);
        if (old.validated) {
            if (count_up(frame, type)) return Progress::done;
            old = use_of(frame);
        } else if (old.partial) {
            if (!replace_use(frame, old, FrameUse::busy_as(type))) continue;
            put_frame(frame);  // the partial table's own; the caller has one
            return validate(frame, type);
        } else {
            if (takes_long(type) && machine::pause_wanted()) return Progress::more;
            arch::cpu_relax();
            old = use_of(frame);
        }
    }
}

Progress release_slowly(Frame& frame) {
    while (!count_down(frame)) {
        FrameUse old = use_of(frame);
        PX_ASSERT(old.count != 0 && old.validated);
        if (old.count > 1) {  // locked: unlock() undoes nothing, so who drops the last use waits for it
            arch::cpu_relax();
        } else if (replace_use(frame, old, FrameUse::busy_as(old.type))) {
            PX_ASSERT(!old.pinned);
            return undo(frame, old.type);
        }
    }
    return Progress::done;
}

Progress dissolve(Frame& frame) {
    FrameUse old = use_of(frame);
    while (old.partial) {
        if (!replace_use(frame, old, FrameUse::busy_as(old.type))) continue;
        const Progress progress = undo(frame, old.type);
        put_frame(frame);  // the partial table's own; the caller has one
        return progress;
    }
    return Progress::done;
}

bool set_pinned(Frame& frame) {
    FrameUse old = use_of(frame), pinned;
    do {
        if (old.pinned) return false;
        pinned = old;
        pinned.pinned = true;
    } while (!replace_use(frame, old, pinned));
    return true;
}

bool clear_pinned(Frame& frame) {
    FrameUse old = use_of(frame), unpinned;
    do {
        if (!old.pinned) return false;
        unpinned = old;
        unpinned.pinned = false;
    } while (!replace_use(frame, old, unpinned));
    return true;
}

Result<LockedTable> LockedTable::lock(Frame& frame) {
    if constexpr (check_lock_ranks) lock_rank_acquire(LockRank::page_table, false);
    for (FrameUse old = use_of(frame);;) {
        if (!old.validated || !is_page_table(old.type) || old.count >= FrameUse::most) {
            if constexpr (check_lock_ranks) lock_rank_release(LockRank::page_table);
            return Err{Errno::einval};
        }
        FrameUse locked = old;
        locked.locked = true;
        ++locked.count;
        if (!old.locked && replace_use(frame, old, locked)) return LockedTable(frame, level_of(old.type));
        arch::cpu_relax();
        old = use_of(frame);
    }
}

void LockedTable::unlock() {
    if (frame_ == nullptr) return;
    FrameUse old = use_of(*frame_), unlocked;
    do {
        unlocked = old;
        unlocked.locked = false;
        --unlocked.count;
        PX_ASSERT(old.locked && unlocked.count != 0);
    } while (!replace_use(*frame_, old, unlocked));
    if constexpr (check_lock_ranks) lock_rank_release(LockRank::page_table);
    frame_ = nullptr;
}

}  // namespace px::pv
