// Contract: the clock and the per-CPU timer of an architecture.
//
// now()                  nanoseconds since boot, the same on every CPU; any context; never steps back on one CPU
// program_timer(deadline) makes this CPU raise Softirq::timer at `deadline` (the past: at once; never(): not at all)
// wall_clock()           seconds and nanoseconds since 1970 UTC at now() == 0
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

}  // namespace px::arch
