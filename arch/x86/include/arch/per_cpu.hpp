// Contract: finding this CPU's block, and what the architecture keeps in it.
//
// this_cpu_pointer()   any context whose stack lies in a CPU's stack block, NMI and #MC handlers included
// PerCpuState          default-constructible
//
// A stack block is 64 KiB, aligned to its size: guard, #DF, guard, NMI, guard, #MC, guard, #DB, guard, then 28 KiB of
// main stack whose last 16 bytes hold the pointer to the CPU's PerCpu.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/cpu/descriptors.hpp"
#include "arch/x86/hvm/tlb_tags.hpp"
#include "hypervisor/base/types.hpp"

namespace px {
struct PerCpu;
}

namespace px::arch {

inline constexpr usize stack_block_size = 65536;
inline constexpr usize stack_block_top = stack_block_size - 16;

inline PerCpu* this_cpu_pointer() {
    u64 stack;
    asm("movq %%rsp, %0" : "=r"(stack));
    return *reinterpret_cast<PerCpu**>((stack & ~u64{stack_block_size - 1}) + stack_block_top);
}

/// Linear memory of a CPU for its GDT, 16 pages, and after it its LDT, 16 pages. The current PV guest's pages are mapped there.
struct DescriptorArea {
    static constexpr unsigned gdt_pages = 16, ldt_pages = 16, pages = gdt_pages + ldt_pages, own_page = selector::first / page_size;
    u64 base = 0;
    u64* entries = nullptr;  ///< of the page table: `pages` of them
    Gdt* own = nullptr;      ///< the reserved page

    u64 ldt() const { return base + gdt_pages * page_size; }
};

struct PerCpuState {
    u32 apic_id = 0;
    u32 acpi_uid = 0;
    u64 stack_block = 0;         ///< lowest address of the stack block
    DescriptorArea descriptors;  ///< what GDTR and LDTR name
    Tss tss{};
    Mfn host_save{};        ///< AMD-V host save area / VMXON region
    Mfn host_vmcb{};        ///< AMD-V: hidden host state for VMLOAD
    hvm::TlbTags tlb_tags;  ///< ASIDs, VPIDs
    u64 current_vmcs = 0;   ///< VT-x: physical address of the VMCS that is current; 0: none
    u64 tsc_offset = 0;
    bool syscall_entry_loaded = false;  ///< the MSRs of SYSCALL and SYSENTER are ours, not those of an HVM guest that ran
    u64 last_guest = 0;                 ///< the vCPU that ran here last; see before_guest()
};

}  // namespace px::arch
