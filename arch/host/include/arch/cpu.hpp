// The build host as an architecture: CPU primitives. Contract: see arch/x86/include/arch/cpu.hpp.
//
// Interrupts are whatever a test calls by itself; their flag is kept so that nesting can be checked.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>
#include <utility>

namespace px::arch {

using IrqState = bool;

inline thread_local bool host_interrupts = true;  // NOLINT: the host's CPUs are threads

inline void cpu_relax() { std::this_thread::yield(); }
inline IrqState irq_save() { return std::exchange(host_interrupts, false); }
inline void irq_restore(IrqState state) { host_interrupts = state; }
inline void irq_enable() { host_interrupts = true; }
inline void irq_disable() { host_interrupts = false; }
inline bool irq_enabled() { return host_interrupts; }

}  // namespace px::arch
