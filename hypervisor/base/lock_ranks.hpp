// Which locks a CPU holds, by rank: for the checks of debug builds (PX_DEBUG_LOCKS) and of the build host.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>

#include "hypervisor/base/types.hpp"

namespace px {

enum class LockRank : u8;

struct HeldLocks {
    u32 depth = 0;
    std::array<LockRank, 16> ranks{};  ///< in the order of their taking
};

namespace arch {
/// Of the CPU that runs this; nullptr as long as there is nothing to note it in (early boot). Any context but NMI and #MC
/// handlers, which take no lock.
HeldLocks* held_locks();
}  // namespace arch

/// Panics where the order is broken: a lock of this rank or of an inner one is held.
void lock_rank_acquire(LockRank rank, bool same_rank_allowed);
/// Panics where none of this rank is held.
void lock_rank_release(LockRank rank);

}  // namespace px
