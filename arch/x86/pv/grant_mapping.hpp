// Grants in the page tables of a PV guest, by host address: what a grant table's map and unmap do there. [xen/public grant_table.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/guest.hpp"
#include "arch/x86/pv/tlb_flush.hpp"

namespace px::pv {

/// host_addr: a linear address of the caller, or with GNTMAP_contains_pte the machine address of the L1 entry itself.
struct GrantPlace {
    u64 address;
    bool is_entry = false;
};

/// The L1 entry of a mapping by these flags (abi::gntmap).
Entry grant_entry(Mfn mfn, u32 flags);

/// Puts the entry of a pinned grant there; what stood there is given back. The entry holds a reference and, of a PV granter, a use of its
/// own: the guest may overwrite it as any other. Errors: einval (no valid L1 of the caller's there), ebusy (the frame is no
/// writable page).
Result<> place_grant(VcpuMemory& caller, const GrantPlace& place, Entry entry);

/// Takes the entry away again; `replacement` ≠ 0: puts the entry that maps this linear address there instead, which then maps nothing
/// itself. Nobody may use the granted frame before the flush. Errors: einval (another entry stands there, or none; a
/// replacement for a place that is an entry, or that isn't mapped).
Result<TlbFlush> remove_grant(VcpuMemory& caller, const GrantPlace& place, Entry entry, u64 replacement = 0);

}  // namespace px::pv
