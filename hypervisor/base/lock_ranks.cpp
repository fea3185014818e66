// Checks the order of locks in debug builds and on the build host.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/spinlock.hpp"

#ifdef PX_DEBUG_LOCKS

#include "hypervisor/console/log.hpp"
#include "hypervisor/cpu/per_cpu.hpp"

namespace px {

// A handler that interrupts this code leaves the stack as it found it, so no lock is needed.

void lock_rank_acquire(LockRank rank, bool same_rank_allowed) {
    PerCpu& cpu = this_cpu();
    for (u32 i = 0; i < cpu.lock_depth; ++i) {
        const LockRank held{cpu.lock_ranks[i]};
        if (held < rank || (held == rank && same_rank_allowed)) continue;
        const u32 depth = std::exchange(cpu.lock_depth, 0);  // the panic's own locks are not the question
        panic("lock of rank {} taken under one of rank {} ({} held)", rank, held, depth);
    }
    PX_ASSERT(cpu.lock_depth < std::size(cpu.lock_ranks));
    cpu.lock_ranks[cpu.lock_depth++] = static_cast<u8>(rank);
}

void lock_rank_release(LockRank rank) {
    PerCpu& cpu = this_cpu();
    // Nearly always the innermost one.
    for (u32 i = cpu.lock_depth; i-- > 0;) {
        if (cpu.lock_ranks[i] != static_cast<u8>(rank)) continue;
        for (--cpu.lock_depth; i < cpu.lock_depth; ++i) cpu.lock_ranks[i] = cpu.lock_ranks[i + 1];
        return;
    }
    panic("lock of rank {} released, but not held", rank);
}

}  // namespace px

#endif
