// The debug keys that tell about domains, and about what the hypervisor has in use.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace px {

/// Registers the keys `g`, `m`, `q` and `r`. Once, at boot. `m` prints lines `PX-COUNT name value`, names without blanks: free
/// frames, domains, open event ports, live grant mappings, and the heap's objects by type. What a domain leaves behind shows
/// there.
void register_debug_keys();

}  // namespace px
