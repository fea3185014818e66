// Contract: other CPUs.
//
// interrupt_cpu(cpu)        makes `cpu` leave its guest or its halt, so that it sees its softirqs; never waits; any context
// call_on(cpus, f, context) runs f(context) on each CPU of `cpus` (not the caller's), in its interrupt handler, and waits
//                           for all; no lock held that such a handler takes
// idle()                    with interrupts off and nothing pending: halts until an interrupt, returns with them on
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/cpu_mask.hpp"

namespace px::arch {

void interrupt_cpu(CpuId cpu);
void call_on(const CpuMask& cpus, void (*function)(void*), void* context);
void idle();

}  // namespace px::arch
