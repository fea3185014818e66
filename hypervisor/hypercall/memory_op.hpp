// Inside of HYPERVISOR_memory_op: what its parts share.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/abi/memory.hpp"
#include "hypervisor/hypercall/hypercall.hpp"
#include "hypervisor/mm/frame_allocator.hpp"
#include "hypervisor/mm/physmap.hpp"

namespace px::memory {

/// The sub-operation and, above it, how far an interrupted one came [xen/public memory.h].
inline constexpr unsigned extent_shift = 6;
inline constexpr u64 most_extents = ~u32{0} >> extent_shift;

/// A call in progress: `start` counts what earlier parts of it have done.
struct Call {
    u64 argument;
    u64 start;
    /// Set with Reply again: where the next part starts.
    u64 next = 0;

    Reply go_on_at(u64 done) {
        next = done;
        return run_again;
    }
};
using Handler = Result<Reply> (*)(Vcpu& caller, Call& call);

Result<Reply> increase_reservation(Vcpu& caller, Call& call);
Result<Reply> decrease_reservation(Vcpu& caller, Call& call);
Result<Reply> populate_physmap(Vcpu& caller, Call& call);
Result<Reply> exchange(Vcpu& caller, Call& call);
Result<Reply> claim_pages(Vcpu& caller, Call& call);

Result<Reply> add_to_physmap(Vcpu& caller, Call& call);
Result<Reply> add_to_physmap_batch(Vcpu& caller, Call& call);
Result<Reply> remove_from_physmap(Vcpu& caller, Call& call);
Result<Reply> acquire_resource(Vcpu& caller, Call& call);

/// Large blocks are scarce: how large a domain may ask for.
u32 largest_order(const Domain& caller);
/// Where memory by these flags may lie (abi::memf).
AllocationHint hint_of(u32 flags);

/// Makes room at `gfn`: RAM of the domain that stands there is given back, a foreign frame let go. A page that the
/// hypervisor shares with the domain (shared info, grant table) only leaves this place. Errors: enomem.
Result<> clear_slot(Domain& domain, Gfn gfn);

}  // namespace px::memory
