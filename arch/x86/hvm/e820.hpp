// Memory maps as the ABI passes them: packed E820 entries.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/base/spinlock.hpp"
#include "hypervisor/mm/heap.hpp"

namespace px {
class Domain;
}

namespace px::hvm {

struct [[gnu::packed]] E820Entry {
    u64 start, size;
    u32 type;
};
static_assert(sizeof(E820Entry) == 20);

/// The map that a domain is told (XENMEM_memory_map); none at first.
using E820Map = Locked<HeapArray<E820Entry>, LockRank::domain>;

}  // namespace px::hvm
