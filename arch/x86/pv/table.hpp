// All entries of a page table at once: what its validation takes and its undoing gives back.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/entry.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px::pv {

/// Of a busy table: takes what its entries need from where TableState says on, and stores them adjusted. Progress::more: TableState
/// says how far. Errors: as take_entry(); TableState says what is to be given back.
Result<Progress> take_entries(Frame& table, Level level);
/// Of a busy table: gives back what TableState says is held. Progress::more: it says what is left.
Progress drop_entries(Frame& table, Level level);

/// What taking an entry above L1 has left.
struct Taken {
    Result<Progress> result;
    bool child_left = false;  ///< a reference to the entry's frame, which is partial, is left for TableState::child
};
/// What a present entry of level 2 … 4 at `table` needs: a use of the table that it names, and a reference to that. Entries that name
/// a valid table of their own level (linear page tables) take a use of that as of 4.17: not writable, and tables that do so aren't
/// named by such entries themselves; a table that names itself takes nothing. `reference_held`: of TableState::child.
/// Errors: einval.
Taken take_entry(Frame& table, Level level, Entry entry, bool reference_held = false);
/// The entry of a valid or busy table is no more: the frame whose use (release()) and reference the caller is to give back;
/// nullptr: none.
Frame* detach_entry(Frame& table, Level level, Entry entry);

/// A not-present entry may be one through which a speculating CPU could read what isn't the guest's. [L1TF; CVE-2018-3620]
/// The reference shadows or crashes such domains; we refuse the entry. Errors: einval.
Result<> check_not_present(const Domain& tables, Entry entry);

}  // namespace px::pv
