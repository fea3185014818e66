// AArch64: the generic timer's physical counter, and its EL2 timer. Contract: see arch/x86/include/arch/time.hpp.
// [arm/ddi0487 D12]
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
