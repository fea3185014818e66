// The build host as an architecture: time stands still until a test moves it (host_set_now).
// Contract: see arch/x86/include/arch/time.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/nanoseconds.hpp"
#include "hypervisor/base/types.hpp"

namespace px::arch {

Nanoseconds now();
void program_timer(Nanoseconds deadline);

struct WallClock {
    u64 seconds;
    u32 nanoseconds;
};
WallClock wall_clock();

/// Sets the clock; 0 at the start of every test. Returns nothing to wait for: software timers run when the test says so.
void host_set_now(Nanoseconds now);

}  // namespace px::arch
