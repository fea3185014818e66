// The build host as an architecture: CPU primitives. Contract: see arch/x86/include/arch/cpu.hpp.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <thread>

namespace px::arch {

using IrqState = bool;

inline void cpu_relax() { std::this_thread::yield(); }
inline IrqState irq_save() { return true; }
inline void irq_restore(IrqState) {}

}  // namespace px::arch
