// Changing one entry of a valid page table: the one place for hypercalls, for trapped writes and for grants.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/guest.hpp"
#include "arch/x86/pv/mapping.hpp"

namespace px::pv {

struct EntryChange {
    unsigned index;  ///< below entries_per_table
    Entry entry;
    PageOwner pages;  ///< whose pages an L1 entry may name; kept by the caller
    bool keep_accessed_dirty = false;
};

/// Makes the change to a valid page table, which the caller has a reference to, and gives back what the old entry held. Nothing is taken
/// or given back under the table's lock. Progress::more: nothing has changed, again. Errors: einval (bits, slot of the
/// hypervisor's, no valid table, L1TF; a dying owner), eperm, ebusy: as take_child(), take_page().
Result<Progress> change_entry(VcpuMemory& caller, Frame& table, const EntryChange& change);

/// The L1 table that a batch is at: valid as long as this has its use and reference, so that its entries may be changed.
class OpenTable {
public:
    OpenTable() = default;
    ~OpenTable() { close(); }
    OpenTable(const OpenTable&) = delete;

    Frame* frame() const { return frame_; }  ///< nullptr: none
    /// In place of another one. Adopts the reference; that is dropped where there is an error. Errors: einval (no valid L1).
    Result<> open(FrameRef table);
    void close();

private:
    Frame* frame_ = nullptr;
};

/// The same at a machine address. Frames that are no page tables are written as they are, as long as nothing else but writable memory
/// is made of them. `open`: of the same owner; what this leaves open serves the next change of the same table.
/// Errors: also einval: not the owner's, descriptors, or a table whose validation isn't finished.
Result<Progress> change_word(VcpuMemory& caller, Domain& owner, Paddr at, Entry entry, const PageOwner& pages, bool keep_accessed_dirty,
                             OpenTable& open);

/// The L1 table that maps the address in the caller's kernel tables, with a reference. Other vCPUs may change the way to it
/// meanwhile. Errors: einval (not the guest's address, a table is missing).
Result<FrameRef> find_l1(VcpuMemory& caller, u64 linear);

}  // namespace px::pv
