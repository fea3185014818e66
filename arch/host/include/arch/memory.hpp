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

/// Starts the machine: `frames` frames of zeroed RAM from frame 0 on (never handed out), `cpus` CPUs, a scheduler. It is
/// one machine for the life of the process, as the hypervisor's own globals are: later calls only make the calling thread
/// CPU 0 without a vCPU, put the clock to 0 and forget guest memory. That every test leaves the machine as it found it is
/// for the tests to check (memory_totals, heap types).
void host_machine_start(u64 frames = 65536, unsigned cpus = 4);

/// What largest_physmap_order() says; 18 at the start of every test.
void host_set_largest_physmap_order(unsigned order);

void* to_virtual(Paddr address);
Paddr to_physical(const void* pointer);
Frame* frame_table();
bool is_ram(Mfn mfn);

}  // namespace px::arch
