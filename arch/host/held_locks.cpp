// The build host as an architecture: each thread is a CPU as far as locks are concerned.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/lock_ranks.hpp"

namespace px::arch {

HeldLocks* held_locks() {
    static thread_local HeldLocks held;  // NOLINT: the host's CPUs are threads
    return &held;
}

}  // namespace px::arch
