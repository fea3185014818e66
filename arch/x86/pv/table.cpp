// All entries of a page table at once.
//
// SPDX-License-Identifier: Apache-2.0
#include "arch/x86/pv/table.hpp"

#include <limits>

#include "arch/x86/pv/machine.hpp"
#include "arch/x86/pv/mapping.hpp"
#include "arch/x86/pv/type_machine.hpp"
#include "hypervisor/domain/domain.hpp"

namespace px::pv {
namespace {

TableState state_of(const Frame& table) { return TableState::from(table.state.load(std::memory_order_relaxed)); }

/// Of a busy table: nobody else changes its state.
void set_progress(Frame& table, unsigned entries, bool child) {
    TableState state = state_of(table);
    state.entries = static_cast<u16>(entries);
    state.child = child;
    table.state.store(state.word(), std::memory_order_relaxed);
}

/// Others change the linear count of a valid table meanwhile. False: `change` doesn't want to.
template <class Change>
bool change_linear(Frame& table, Change change) {
    u32 old = table.state.load(std::memory_order_relaxed);
    TableState state;
    do {
        state = TableState::from(old);
        if (!change(state.linear)) return false;
    } while (!table.state.compare_exchange_weak(old, state.word(), std::memory_order_relaxed));
    return true;
}

/// An entry of `table` names `target`, a table of the same level: none of either side may play the other part as well.
bool begin_linear(Frame& table, Frame& target) {
    const bool from = change_linear(table, [](i16& count) { return count <= 0 && count-- != std::numeric_limits<i16>::min(); });
    if (!from) return false;
    const bool to = change_linear(target, [](i16& count) { return count >= 0 && count++ != std::numeric_limits<i16>::max(); });
    if (!to) change_linear(table, [](i16& count) { return ++count, true; });
    return to;
}
void end_linear(Frame& table, Frame& target) {
    change_linear(table, [](i16& count) { return ++count, true; });
    change_linear(target, [](i16& count) { return --count, true; });
}

/// One more use of a table that is valid at this level already; it isn't waited for.
bool acquire_valid(Frame& frame, Level level) {
    FrameUse old = use_of(frame), more;
    do {
        if (!old.validated || old.type != type_of(level) || old.count >= FrameUse::most) return false;
        more = old;
        ++more.count;
    } while (!replace_use(frame, old, more));
    return true;
}

/// An entry of a busy table, by either way.
Taken take_entry(Frame& table, Level level, Entry entry, bool reference_held) {
    const Taken taken = take_child(table, level, entry, reference_held);
    if (taken.reference != Taken::Reference::of_candidate) return taken;
    const Linear linear = take_linear(table, level, entry);
    if (linear == Linear::taken) return {Progress::done};
    Frame& candidate = frame_of(entry.mfn());
    if (linear == Linear::refused_used) (void)release(candidate);
    if (left_over(candidate)) return {taken.result, Taken::Reference::of_partial};
    put_frame(candidate);
    return {taken.result};
}

bool skips(Level level, unsigned index) { return level == Level::l4 && !is_guest_slot(index); }

Result<> take_pages(Frame& table) {
    Domain& owner = *table.owner;
    const Entries entries(table);
    for (unsigned i = 0; i < entries_per_table; ++i) {
        const Entry entry = entries.at(i);
        if (entry.raw == 0) continue;
        const auto taken = take_page(entry, owner, PageOwner::of(owner));
        if (!taken) {
            set_progress(table, i, false);
            return Err{taken.error()};
        }
        if (entry.present()) entries.set(i, adjusted(*taken, Level::l1));
    }
    set_progress(table, entries_per_table, false);
    return {};
}

void drop_pages(Frame& table) {
    const Entries entries(table);
    for (unsigned i = state_of(table).entries; i-- > 0;) drop_page(entries.at(i), *table.owner);
}

}  // namespace

Result<> check_not_present(const Domain& tables, Entry entry) {
    const u64 safe_from = machine::l1tf_safe_from(tables);
    const u64 address = entry.raw & Entry::frame_bits;
    if (safe_from == 0 || address == 0 || address >= safe_from) return {};
    return Err{Errno::einval};
}

Taken take_child(const Frame& table, Level level, Entry entry, bool reference_held) {
    using Reference = Taken::Reference;
    Domain& owner = *table.owner;
    if (!entry.present()) {
        const auto checked = check_not_present(owner, entry);
        return {checked ? Result<Progress>(Progress::done) : Err{checked.error()}};
    }
    if (entry.has(forbidden_bits(level, false)) || !has_frame(entry.mfn())) return {Err{Errno::einval}};
    Frame& child = frame_of(entry.mfn());
    if (&child == &table) return {entry.writable() ? Result<Progress>(Err{Errno::einval}) : Progress::done};
    if (!reference_held && !try_get_frame(child, &owner)) return {Err{Errno::einval}};
    const Result<Progress> acquired = acquire(child, type_of(below(level)));
    if (acquired.ok() && *acquired == Progress::done) return {Progress::done};
    if (left_over(child)) return {acquired, Reference::of_partial};
    if (!acquired.ok() && acquired.error() == Errno::einval && !entry.writable()) return {acquired, Reference::of_candidate};
    put_frame(child);
    return {acquired};
}

Linear take_linear(Frame& table, Level level, Entry entry) {
    Frame& target = frame_of(entry.mfn());
    if (!acquire_valid(target, level)) return Linear::refused;
    return begin_linear(table, target) ? Linear::taken : Linear::refused_used;
}

Frame* detach_entry(Frame& table, Level level, Entry entry) {
    if (!entry.present() || entry.mfn() == mfn_of(table)) return nullptr;
    Frame& child = frame_of(entry.mfn());
    if (use_of(child).type == type_of(level)) end_linear(table, child);
    return &child;
}

Result<Progress> take_entries(Frame& table, Level level) {
    if (level == Level::l1) {
        TRY(take_pages(table));
        return Progress::done;
    }
    const Entries entries(table);
    const TableState start = state_of(table);
    for (unsigned i = start.entries; i < entries_per_table; ++i) {
        const Entry entry = entries.at(i);
        if (entry.raw == 0 || skips(level, i)) continue;
        if (i != start.entries && machine::pause_wanted()) {
            set_progress(table, i, false);
            return Progress::more;
        }
        const Taken taken = take_entry(table, level, entry, start.child && i == start.entries);
        if (!taken.result.ok() || *taken.result == Progress::more) {
            set_progress(table, i, taken.reference == Taken::Reference::of_partial);
            return taken.result;
        }
        if (entry.present()) entries.set(i, adjusted(entry, level));
    }
    set_progress(table, entries_per_table, false);
    if (level == Level::l4) machine::fill_hypervisor_slots(mfn_of(table));
    return Progress::done;
}

Progress drop_entries(Frame& table, Level level) {
    if (level == Level::l1) {
        drop_pages(table);
        return Progress::done;
    }
    const Entries entries(table);
    TableState state = state_of(table);
    if (state.child) {
        Frame& child = frame_of(entries.at(state.entries).mfn());
        if (dissolve(child) == Progress::more) return Progress::more;
        put_frame(child);
        set_progress(table, state.entries, false);
    }
    const unsigned start = state.entries;
    for (unsigned i = start; i-- > 0;) {
        const Entry entry = entries.at(i);
        if (entry.raw == 0 || skips(level, i)) continue;
        if (i + 1 != start && machine::pause_wanted()) {
            set_progress(table, i + 1, false);
            return Progress::more;
        }
        Frame* const child = detach_entry(table, level, entry);
        if (child == nullptr) continue;
        if (release(*child) == Progress::more) {
            set_progress(table, i, true);
            return Progress::more;
        }
        put_frame(*child);
    }
    set_progress(table, 0, false);
    return Progress::done;
}

}  // namespace px::pv
