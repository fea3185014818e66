// CPU features that the hypervisor turns on for itself.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

namespace detail {
extern constinit u64 cr4_value;
}

/// From `smep=` and `smap=`; before enable_host_features().
struct HostFeatureChoice {
    bool smep = true;
    bool smap = true;
};
void choose_host_features(const HostFeatureChoice& choice);
/// CR4 as it is while no PV guest runs; the same on all CPUs.
inline u64 host_cr4() { return detail::cr4_value; }
/// Turns more of CR4 on, on this CPU; every CPU calls it at its start.
void add_to_host_cr4(u64 bits);
/// CR0, CR4 and EFER of this CPU.
void enable_host_features();

}  // namespace px::arch
