// Register state of a vCPU that VCPUOP_initialise and the domctls take [xen/public arch-arm.h], by AArch64's names.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi::arm {

struct VcpuGuestCoreRegs {
    u64 x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17, x18, x19, x20, x21, x22, x23, x24, x25, x26, x27,
        x28, x29, x30;
    u64 pc64;  ///< ELR_EL2
    u64 cpsr;  ///< SPSR_EL2
    u64 spsr_el1;
    u32 spsr_fiq, spsr_irq, spsr_und, spsr_abt;  ///< AArch32 guests only
    u64 sp_el0, sp_el1, elr_el1;
};

inline constexpr u32 vgcf_online = 1u << 0;

struct VcpuGuestContext {
    u32 flags;  ///< vgcf_online
    VcpuGuestCoreRegs user_regs;
    u64 sctlr;
    u64 ttbcr, ttbr0, ttbr1;
};

}  // namespace px::abi::arm
