// Contract: translations that outlive the mappings of freed frames.
//
// freed_stamp(domain)   a frame of the domain loses its last reference: names this moment for flush_stale(). 0: its owner's mappings,
//                       and all others', were flushed when they ended. Any context that may drop a frame's reference
// flush_stale(stamp)    a frame that was freed then is about to be used anew: no CPU uses an older translation afterwards; waits.
//                       No lock that IPI handlers take
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {
class Domain;
}

namespace px::arch {

u32 freed_stamp(const Domain& domain);
void flush_stale(u32 stamp);

}  // namespace px::arch
