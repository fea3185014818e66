// Starting the other CPUs.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/cpu/per_cpu.hpp"

namespace px::arch {

/// Makes the boot CPU's block and moves onto its guarded stack: calls `next` there, which never returns.
[[noreturn]] void become_boot_cpu(void (*next)());
/// Starts every enabled CPU of the ACPI tables, at most `limit` in all. Boot CPU.
void start_other_cpus(unsigned limit);
/// What each CPU does before it takes work: traps, local APIC, timer, virtualization.
void set_up_this_cpu();
/// As interrupt_cpu(), for what a guest can take without leaving: posted interrupts of the vCPU that runs there. Any context.
void interrupt_cpu_for_posted(CpuId cpu);

}  // namespace px::arch
