// The type machine: how a frame of a PV domain comes to a use, keeps it and loses it. docs/pv.md has the picture.
//
// A frame has one type at a time, and a count of those who rely on it. It changes type only while nobody does, after the stale
// translations of the old one are flushed; a page table or descriptor page is looked at, entry by entry, before the first may
// rely on it. So a page that any CPU can write is never walked or loaded by one.
//
// Whoever has a use also holds a reference to the frame. Lock-free: `use` changes by compare-and-exchange, and a frame that is
// *busy* belongs to the CPU that made it so. Waits go down the levels only, so no circle of CPUs waits for each other.
// Interrupts are enabled: a change of type waits for other CPUs' flushes.
//
// Long operations stop where machine::pause_wanted() says so, after one entry at least, with Progress::more. What is done stays in
// the frame as a *partial* table, which nobody owns: whoever asks next goes on.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/entry.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/console/log.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px::pv {

/// One more use as `type`. The caller holds a reference, and keeps it with the use. Progress::more: ask again; only of l2 … l4.
/// Errors: einval (it is used as something else, too often, or isn't valid as such), ebusy, eperm (of an L1's entries). After an
/// error the frame may be left partial: left_over() then.
Result<Progress> acquire_slowly(Frame& frame, FrameType type);
inline Result<Progress> acquire(Frame& frame, FrameType type) {
    if (count_up(frame, type)) return Progress::done;
    return acquire_slowly(frame, type);
}

/// One use less; the last undoes it. Progress::more: it is partial now, and dissolve() goes on, only of l2 … l4.
Progress release_slowly(Frame& frame);
inline Progress release(Frame& frame) { return count_down(frame) ? Progress::done : release_slowly(frame); }
/// As release() of a use that is no L2 … L4.
inline void release_at_once(Frame& frame) {
    const Progress progress = release(frame);
    PX_ASSERT(progress == Progress::done);
}

/// Undoes a partial table. Progress::more: again. It may be somebody else's meanwhile, then nothing is left to do.
Progress dissolve(Frame& frame);

/// Whether the frame holds references that dissolve() would give back.
inline bool left_over(const Frame& frame) { return use_of(frame).partial; }

/// Marks one use of a valid page table as the guest's pin. False: it is pinned already.
bool set_pinned(Frame& frame);
/// Takes the mark away; the use is the caller's then. False: there is none.
bool clear_pinned(Frame& frame);

/// The entries of a valid page table, locked (LockRank::page_table): nobody takes their validity away, nor changes them above L1.
class LockedTable {
public:
    /// Errors: einval where it isn't a valid page table. The caller holds a reference for longer than this lives.
    static Result<LockedTable> lock(Frame& frame);
    LockedTable(LockedTable&& other) : frame_(std::exchange(other.frame_, nullptr)), level_(other.level_) {}
    LockedTable& operator=(LockedTable&&) = delete;
    ~LockedTable() { unlock(); }
    void unlock();

    Frame& frame() const { return *frame_; }
    Level level() const { return level_; }
    Entries entries() const { return Entries(*frame_); }

private:
    LockedTable(Frame& frame, Level level) : frame_(&frame), level_(level) {}
    Frame* frame_;
    Level level_;
};

}  // namespace px::pv
