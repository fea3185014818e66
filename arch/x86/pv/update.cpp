// Changing one entry of a valid page table.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/update.hpp"

#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/table.hpp"
#include "arch/x86/pv/use.hpp"

namespace px::pv {
namespace {

Result<Progress> change_page(LockedTable table, const EntryChange& change) {
    Domain& owner = *table.frame().owner;
    const Entries entries = table.entries();
    const Entry old = entries.at(change.index);
    if (same_but_for_harmless_bits(old, adjusted(change.entry, Level::l1), Level::l1)) {
        entries.exchange(change.index, adjusted(change.entry, Level::l1), change.keep_accessed_dirty);
        return Progress::done;
    }
    const Entry taken = TRY(take_page(change.entry, owner, change.pages));
    entries.exchange(change.index, adjusted(taken, Level::l1), change.keep_accessed_dirty);
    table.unlock();
    drop_page(old, owner);
    return Progress::done;
}

Result<Progress> change_table(VcpuMemory& caller, LockedTable table, const EntryChange& change) {
    const Domain& owner = *table.frame().owner;
    const Level level = table.level();
    REQUIRE(level != Level::l4 || is_guest_slot(change.index), einval);
    const Entries entries = table.entries();
    const Entry old = entries.at(change.index), wanted = adjusted(change.entry, level);
    Frame* dropped = nullptr;
    if (!same_but_for_harmless_bits(old, wanted, level)) {
        const Taken taken = take_entry(table.frame(), level, change.entry);
        if (taken.child_left) return settle_child(caller, FrameRef(frame_of(change.entry.mfn())), owner, taken.result);
        if (TRY(taken.result) == Progress::more) return Progress::more;
        dropped = detach_entry(table.frame(), level, old);
    }
    entries.exchange(change.index, wanted, change.keep_accessed_dirty);
    if (level == Level::l4) machine::root_slots_changed(mfn_of(table.frame()));
    table.unlock();
    if (dropped != nullptr) give_use(caller, *dropped);
    return Progress::done;
}

}  // namespace

Result<Progress> change_entry(VcpuMemory& caller, LockedTable table, const EntryChange& change) {
    REQUIRE(!table.frame().owner->is_dying(), einval);
    if (table.level() == Level::l1) return change_page(std::move(table), change);
    return change_table(caller, std::move(table), change);
}

Result<Progress> change_word(VcpuMemory& caller, Domain& owner, Paddr at, Entry entry, const PageOwner& pages,
                             bool keep_accessed_dirty) {
    const Mfn mfn = to_mfn(at);
    const unsigned index = static_cast<unsigned>(at.raw % page_size / sizeof(Entry));
    REQUIRE(has_frame(mfn) && try_get_frame(frame_of(mfn), &owner), einval);
    const FrameRef frame(frame_of(mfn));
    if (auto table = LockedTable::lock(*frame); table.ok()) {
        return change_entry(caller, std::move(*table), {index, entry, pages, keep_accessed_dirty});
    }
    TRY(acquire(*frame, FrameType::writable));
    Entries(*frame).set(index, entry);
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
