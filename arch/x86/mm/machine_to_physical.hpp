// The machine-to-physical table: what each frame's PV owner calls it. Guests read it at its ABI address, slot 256; we write it through
// the direct map. [xen/public arch-x86/xen-x86_64.h]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::arch {

/// Builds the table for the frames [start, end) as well, machine addresses; at boot, before anybody's page tables are made from ours.
void map_machine_to_physical(u64 start, u64 end);
/// Frames beyond the table are ignored.
void set_machine_to_physical(Mfn mfn, u64 number);
/// One more than the largest frame number that the table has.
u64 m2p_frames();

}  // namespace px::arch
