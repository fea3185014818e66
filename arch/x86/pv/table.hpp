// All entries of a page table at once: what its validation takes and its undoing gives back.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/entry.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px::pv {

/// Of a busy table: takes what its entries need from where TableState says on, and stores them adjusted. Progress::more: TableState
/// says how far. Errors: einval; as take_page() of an L1; TableState says what is to be given back.
Result<Progress> take_entries(Frame& table, Level level);
/// Of a busy table: gives back what TableState says is held. Progress::more: it says what is left.
Progress drop_entries(Frame& table, Level level);

/// What became of taking an entry above L1, and of the reference to the frame that it names.
struct Taken {
    enum class Reference : u8 {
        settled,      ///< the entry's, or dropped
        of_partial,   ///< left: the frame is partial; for TableState::child or settle_child()
        of_candidate  ///< left: the frame isn't a table of the level below, and may be a linear one; for take_linear()
    };
    Result<Progress> result;
    Reference reference = Reference::settled;
};
/// What an entry of level 2 … 4 at `table` needs: a use of the table that it names, one level below, and a reference to that. No lock is
/// held. `reference_held`: of TableState::child. Errors: einval.
Taken take_child(const Frame& table, Level level, Entry entry, bool reference_held = false);

/// Linear page tables, as of 4.17: an entry, not writable, may name a valid table of its own level, which itself has no such entry, while
/// none such names `table`. (One that names its own table takes nothing: take_child() is done with it.) `table` is busy or locked.
enum class Linear : u8 {
    taken,        ///< the candidate's use and reference are the entry's
    refused,      ///< it has only the reference that it had before
    refused_used  ///< and a use, to be given back (release()) when nothing is locked
};
Linear take_linear(Frame& table, Level level, Entry entry);

/// The entry of a valid or busy table is no more: the frame whose use (release()) and reference the caller is to give back;
/// nullptr: none.
Frame* detach_entry(Frame& table, Level level, Entry entry);

/// A not-present entry may be one through which a speculating CPU could read what isn't the guest's. [L1TF; CVE-2018-3620]
/// The reference shadows or crashes such domains; we refuse the entry. Errors: einval.
Result<> check_not_present(const Domain& tables, Entry entry);

}  // namespace px::pv
