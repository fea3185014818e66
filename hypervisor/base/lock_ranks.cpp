// Checks the order of locks.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/lock_ranks.hpp"

#include <utility>

#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/console/log.hpp"

namespace px {

// A handler that interrupts this code leaves the list as it found it, so no lock is needed.

void lock_rank_acquire(LockRank rank, bool same_rank_allowed) {
    HeldLocks* const held = arch::held_locks();
    if (held == nullptr) return;
    for (u32 i = 0; i < held->depth; ++i) {
        const LockRank other = held->ranks[i];
        if (other < rank || (other == rank && same_rank_allowed)) continue;
        const u32 depth = std::exchange(held->depth, 0);  // the panic's own locks are not the question
        panic("lock of rank {} taken under one of rank {} ({} held)", rank, other, depth);
    }
    PX_ASSERT(held->depth < held->ranks.size());
    held->ranks[held->depth++] = rank;
}

void lock_rank_release(LockRank rank) {
    HeldLocks* const held = arch::held_locks();
    if (held == nullptr) return;
    // Nearly always the innermost one.
    for (u32 i = held->depth; i-- > 0;) {
        if (held->ranks[i] != rank) continue;
        for (--held->depth; i < held->depth; ++i) held->ranks[i] = held->ranks[i + 1];
        return;
    }
    panic("lock of rank {} released, but not held", rank);
}

}  // namespace px
