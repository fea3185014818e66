// The build host as an architecture: machine memory is an arena of the test process.
// Contract: see arch/x86/include/arch/memory.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px {
struct Frame;
}

namespace px::arch {

/// The machine of a test: `frames` frames of zeroed RAM starting at frame 0; frame 0 is never handed out.
/// Called once per test that wants a fresh machine; forgets the previous one and its allocator's lists are refilled.
void host_machine_reset(u64 frames);

void* to_virtual(Paddr address);
Paddr to_physical(const void* pointer);
Frame* frame_table();
bool is_ram(Mfn mfn);

}  // namespace px::arch
