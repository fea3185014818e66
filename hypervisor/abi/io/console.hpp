// The PV console's ring page [xen/public io/console.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

/// Indices run freely; the place is the index modulo the size. `in` is towards the guest.
struct XenconsInterface {
    char in[1024];
    char out[2048];
    u32 in_cons, in_prod;
    u32 out_cons, out_prod;
};

constexpr u32 mask_xencons_idx(u32 index, u32 ring_size) { return index & (ring_size - 1); }

}  // namespace px::abi
