// The table of frame numbers that guests without a physmap read, as far as a test wants to know it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

/// What set_frame_number() said last; 0: nothing.
u64 host_frame_number(Mfn mfn);

}  // namespace px::arch
