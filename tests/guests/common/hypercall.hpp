// Hypercalls of a tiny kernel: one call instruction behind a pointer, so that VMMCALL, VMCALL and the page are one code.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::guest {

/// Finds the hypervisor's CPUID leaves and chooses VMMCALL or VMCALL by the CPU's vendor. Before any hypercall.
void init_hypercalls();

/// Asks the hypervisor to fill `page` (page-aligned, 4 KiB) through its MSR, and makes all hypercalls through it from now on.
void use_hypercall_page(void* page);

/// First of the hypervisor's CPUID leaves, 0 when there is no hypervisor.
u32 hypervisor_leaf();

extern u64 hypercall_base;    ///< address of the call instruction, or of the page
extern u64 hypercall_stride;  ///< 32 on a hypercall page, else 0

/// rax = number, then rdi, rsi, rdx, r10, r8 [xen/public arch-x86/xen-x86_64.h]. Returns what rax holds after.
inline i64 hypercall(u64 number, u64 a1 = 0, u64 a2 = 0, u64 a3 = 0, u64 a4 = 0, u64 a5 = 0) {
    register u64 r10 asm("r10") = a4;
    register u64 r8 asm("r8") = a5;
    i64 result;
    asm volatile("call *%[entry]"
                 : "=a"(result), "+D"(a1), "+S"(a2), "+d"(a3), "+r"(r10), "+r"(r8)
                 : "0"(number), [entry] "r"(hypercall_base + number * hypercall_stride)
                 : "memory", "rcx", "r11");
    return result;
}
inline i64 hypercall_ptr(u64 number, u64 op, const volatile void* argument) {
    return hypercall(number, op, reinterpret_cast<u64>(argument));
}

}  // namespace px::guest
