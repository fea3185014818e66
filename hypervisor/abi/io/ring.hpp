// Request rings of split drivers: the header of the shared page [xen/public io/ring.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

/// Entries (requests and responses share their places) follow, a power of two of them.
/// Whoever produces moves its prod index, then notifies if the other's event index was passed.
struct SringHeader {
    u32 req_prod, req_event;
    u32 rsp_prod, rsp_event;
    u8 pvt[4];
    u8 pad[44];
};

/// Number of entries in a ring of `bytes`: the largest power of two that fits.
constexpr u32 ring_size(u32 bytes, u32 entry_size) {
    u32 entries = (bytes - static_cast<u32>(sizeof(SringHeader))) / entry_size;
    while (entries & (entries - 1)) entries &= entries - 1;
    return entries;
}

}  // namespace px::abi
