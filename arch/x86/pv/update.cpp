// Changing one entry of a valid page table.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/update.hpp"

#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/table.hpp"
#include "arch/x86/pv/use.hpp"

namespace px::pv {
namespace {

/// The table, locked, where it still is one of this level. Errors: einval.
Result<LockedTable> lock_as(Frame& table, Level level) {
    auto locked = TRY(LockedTable::lock(table));
    REQUIRE(locked.level() == level, einval);
    return locked;
}

/// True: nothing but harmless bits had to change, and that is done. Of an L1 in use. It may change under us.
bool change_harmless_bits(const Entries& entries, const EntryChange& change) {
    const Entry wanted = adjusted(change.entry, Level::l1);
    for (Entry old = entries.at(change.index); same_but_for_harmless_bits(old, wanted, Level::l1);) {
        const u64 kept = change.keep_accessed_dirty ? old.raw & Entry::accessed_dirty : 0;
        if (entries.replace(change.index, old, Entry{wanted.raw | kept})) return true;
    }
    return false;
}

/// The same above L1. Errors: einval.
Result<bool> change_harmless_bits(Frame& table, Level level, const EntryChange& change) {
    const Entry wanted = adjusted(change.entry, level);
    if (!same_but_for_harmless_bits(Entries(table).at(change.index), wanted, level)) return false;
    const LockedTable locked = TRY(lock_as(table, level));
    if (!same_but_for_harmless_bits(locked.entries().at(change.index), wanted, level)) return false;
    locked.entries().exchange(change.index, wanted, change.keep_accessed_dirty);
    if (level == Level::l4) machine::root_slots_changed(mfn_of(table));
    return true;
}

/// Of an L1 in use: it stays valid, and the exchange of a word says whose the old entry is.
Result<Progress> change_page(Frame& table, const EntryChange& change) {
    Domain& owner = *table.owner;
    REQUIRE(!owner.is_dying(), einval);
    const Entries entries(table);
    if (change_harmless_bits(entries, change)) return Progress::done;
    const Entry taken = TRY(take_page(change.entry, owner, change.pages));
    drop_page(entries.exchange(change.index, adjusted(taken, Level::l1), change.keep_accessed_dirty), owner);
    return Progress::done;
}

/// Of a table above L1, with what the entry needs: taken, or the reference to a candidate for a linear one.
Result<Progress> exchange_table(VcpuMemory& caller, Frame& table, Level level, const EntryChange& change, bool is_candidate) {
    const bool names_other = change.entry.present() && change.entry.mfn() != mfn_of(table);
    auto locked = lock_as(table, level);
    const Linear linear = locked.ok() && is_candidate ? take_linear(table, level, change.entry) : Linear::refused;
    if (!locked || (is_candidate && linear != Linear::taken)) {
        if (locked.ok()) locked->unlock();
        Frame& child = frame_of(change.entry.mfn());
        if (is_candidate && linear == Linear::refused) put_frame(child);
        else if (names_other) give_use(caller, child);
        return Err{Errno::einval};
    }
    const Entry old = locked->entries().exchange(change.index, adjusted(change.entry, level), change.keep_accessed_dirty);
    Frame* const dropped = detach_entry(table, level, old);
    if (level == Level::l4) machine::root_slots_changed(mfn_of(table));
    locked->unlock();
    if (dropped != nullptr) give_use(caller, *dropped);
    return Progress::done;
}

Result<Progress> change_table(VcpuMemory& caller, Frame& table, Level level, const EntryChange& change) {
    const Taken taken = take_child(table, level, change.entry);
    switch (taken.reference) {
    case Taken::Reference::of_candidate: return exchange_table(caller, table, level, change, true);
    case Taken::Reference::of_partial: return settle_child(caller, FrameRef(frame_of(change.entry.mfn())), *table.owner, taken.result);
    case Taken::Reference::settled: break;
    }
    if (TRY(taken.result) == Progress::more) return Progress::more;
    return exchange_table(caller, table, level, change, false);
}

}  // namespace

Result<> OpenTable::open(FrameRef table) {
    close();
    REQUIRE(count_up(*table, FrameType::l1), einval);
    frame_ = &table.release();
    return {};
}

void OpenTable::close() {
    if (frame_ == nullptr) return;
    release_at_once(*frame_);
    put_frame(*std::exchange(frame_, nullptr));
}

Result<Progress> change_entry(VcpuMemory& caller, Frame& table, const EntryChange& change) {
    const FrameUse use = use_of(table);
    REQUIRE(use.validated && is_page_table(use.type) && !table.owner->is_dying(), einval);
    const Level level = level_of(use.type);
    REQUIRE(level != Level::l4 || is_guest_slot(change.index), einval);
    if (level == Level::l1) {
        REQUIRE(count_up(table, FrameType::l1), einval);
        const Result<Progress> changed = change_page(table, change);
        release_at_once(table);
        return changed;
    }
    if (TRY(change_harmless_bits(table, level, change))) return Progress::done;
    return change_table(caller, table, level, change);
}

Result<Progress> change_word(VcpuMemory& caller, Domain& owner, Paddr at, Entry entry, const PageOwner& pages, bool keep_accessed_dirty,
                             OpenTable& open) {
    const Mfn mfn = to_mfn(at);
    const EntryChange change{static_cast<unsigned>(at.raw % page_size / sizeof(Entry)), entry, pages, keep_accessed_dirty};
    if (open.frame() != nullptr && mfn_of(*open.frame()) == mfn) return change_page(*open.frame(), change);
    REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &owner), einval);
    FrameRef frame(frame_of(mfn));
    const FrameUse use = use_of(*frame);
    if (use.validated && use.type == FrameType::l1) {
        TRY(open.open(std::move(frame)));
        return change_page(*open.frame(), change);
    }
    // Whatever else changes may take the open table's other uses away, and wants it undone then.
    open.close();
    if (use.validated && is_page_table(use.type)) return change_entry(caller, *frame, change);
    TRY(acquire(*frame, FrameType::writable));
    Entries(*frame).set(change.index, entry);
    release_at_once(*frame);
    return Progress::done;
}

Result<FrameRef> find_l1(VcpuMemory& caller, u64 linear) {
    REQUIRE(is_guest_address(linear) && caller.kernel_root != nullptr, einval);
    Frame* table = caller.kernel_root;
    // What is read may be of a frame that is a table no more: so the end is checked by itself, by whoever locks it.
    for (Level level = Level::l4; level != Level::l1; level = below(level)) {
        const Entry entry = Entries(*table).at(slot_of(linear, level));
        REQUIRE(entry.present() && has_frame(entry.mfn()), einval);
        table = &frame_of(entry.mfn());
    }
    REQUIRE(try_get_frame(*table, &caller.vcpu.domain), einval);
    return FrameRef(*table);
}

}  // namespace px::pv
