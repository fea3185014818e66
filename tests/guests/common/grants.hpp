// Grant tables of a tiny kernel: its own table, a hole to map into, and the calls.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "tests/guests/common/xen.hpp"

namespace px::guest {

/// Frame 0 of this domain's grant table, mapped over a page of ours.
void* grant_table_frame();

/// Frame 0 of the status array (version 2).
u16* grant_status_frame();

/// Address of a page that was given back to the hypervisor: a place to map grants at. One and the same at each call.
u64 grant_window();

i64 set_grant_version(u32 version);

/// GNTTABOP_copy of `length` bytes out of grant `ref` of domain `owner` into `to`. Returns the element's status.
abi::GntStatus copy_from_grant(u16 owner, u32 ref, u16 offset, void* to, u16 length);
abi::GntStatus copy_to_grant(u16 owner, u32 ref, u16 offset, const void* from, u16 length);

struct GrantMapping {
    abi::GntStatus status;
    u32 handle;
};
GrantMapping map_grant(u16 owner, u32 ref, u64 address, u32 flags);
abi::GntStatus unmap_grant(u64 address, u32 handle);

}  // namespace px::guest
