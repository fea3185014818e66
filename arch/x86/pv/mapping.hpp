// What an entry of an L1 table maps: a page of RAM, somebody's, or device memory.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/pv/entry.hpp"
#include "hypervisor/base/result.hpp"

namespace px::pv {

/// Whose pages new entries may name: "FD" of mmu_update [xen/public xen.h].
struct PageOwner {
    enum class Kind : u8 {
        domain,
        device_memory,  ///< DOMID_IO: nothing but device memory, with the rights of `domain`, the caller
        hypervisor      ///< DOMID_XEN: frames that the hypervisor shares with privileged domains, to be read
    };
    Kind kind;
    Domain& domain;
    static PageOwner of(Domain& domain) { return {Kind::domain, domain}; }
};

/// What an L1 entry in a table of `tables` needs: a reference, and a writable use where it may write. Gives the entry as it may be
/// written, which may be read-only or uncached where it isn't asked so: device memory.
/// Errors: einval (bits; a frame number of ones; L1TF), eperm (device memory that isn't the domain's), ebusy (RAM that isn't the
/// owner's, or is no writable page) [known behaviour of 4.17].
Result<Entry> take_page(Entry entry, Domain& tables, const PageOwner& pages);
/// Gives back what take_page() took for an entry that is in no table any more.
void drop_page(Entry entry, Domain& tables);

}  // namespace px::pv
