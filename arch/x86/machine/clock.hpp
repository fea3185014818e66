// The nanosecond clock: TSC × scale, the same on every CPU; and the local APIC's timer.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/time.hpp"
#include "arch/x86/machine/tick_scale.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/cmdline/boot_options.hpp"

namespace px::arch {

/// Measures the TSC against the wanted clock, else HPET, PM timer or PIT; boot CPU, interrupts off. Panics where none runs.
void init_clock(cmdline::ClockSource wanted);
/// The boot CPU's and later each CPU's timer.
void init_cpu_timer();

u64 tsc_khz();
TickScale tsc_scale();
/// Nanoseconds at TSC value `tsc` of this CPU.
Nanoseconds time_at(u64 tsc);
/// The TSC at time 0.
u64 boot_tsc_value();
/// True where the TSC is invariant and was seen in step on all CPUs.
bool tsc_is_stable();
void note_tsc_unstable();

/// Busy wait.
void delay(Nanoseconds duration);

/// Seconds since 1970 UTC as the CMOS clock tells, read anew.
u64 read_cmos_clock();

}  // namespace px::arch
