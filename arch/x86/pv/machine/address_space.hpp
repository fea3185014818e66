// The page tables that the processor walks while a PV vCPU is on it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu/registers.hpp"
#include "arch/x86/pv/machine/vcpu.hpp"

namespace px::pv {

/// Loads the root of the mode that the vCPU is in. What both modes share stays in the TLB.
inline void load_root(const VcpuState& state) {
    const Frame* const root = state.in_kernel ? state.memory.kernel_root : state.memory.user_root;
    arch::write_cr<3>(to_paddr(mfn_of(*root)).raw);
}

/// From the guest's kernel to its users or back, of the current vCPU. Only to users where there is a user_root.
inline void change_mode(VcpuState& state) {
    state.in_kernel = !state.in_kernel;
    asm volatile("swapgs" ::: "memory");
    load_root(state);
}

/// This CPU forgets every translation, and the clock hears of it.
void flush_this_cpu();
/// The vCPU leaves the CPU: no translation of its domain's stays, and the hypervisor's own page table is loaded.
void leave_address_space();

/// GDT and LDT of the current vCPU, in the CPU's linear memory for them.
void load_descriptor_tables(const VcpuState& state);
/// A page of the current vCPU's LDT that map_ldt_page() has found; unless it is forgotten already.
void load_ldt_page(const VcpuState& state, unsigned page);
/// This CPU reads none of its LDT's pages any more. Interrupts off.
void unload_ldt_pages();

}  // namespace px::pv
