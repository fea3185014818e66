// Limits of domains whose creator doesn't say.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {

struct DefaultLimits {
    u32 grant_frames = 64;
    u32 maptrack_frames = 1024;
};
/// Changed at boot only, by `gnttab_max_frames` and `gnttab_max_maptrack_frames`.
inline constinit DefaultLimits default_limits;

}  // namespace px
