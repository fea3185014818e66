// Arm's part of the ABI, compiled for AArch64 (preset `arm`).
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/abi/shared_info.hpp"
#include "tests/unit/abi/same.hpp"

SAME(arm::legacy_max_vcpus, XEN_LEGACY_MAX_VCPUS);
SAME(arm::gic::native, XEN_DOMCTL_CONFIG_GIC_NATIVE);
SAME(arm::gic::v2, XEN_DOMCTL_CONFIG_GIC_V2);
SAME(arm::gic::v3, XEN_DOMCTL_CONFIG_GIC_V3);
SAME(arm::tee::none, XEN_DOMCTL_CONFIG_TEE_NONE);
SAME(arm::tee::optee, XEN_DOMCTL_CONFIG_TEE_OPTEE);
SAME_STRUCT(arm::DomainConfig, xen_arch_domainconfig, gic_version, tee_type, nr_spis, clock_frequency);
SAME(arm::vgcf_online, VGCF_online);
SAME_STRUCT(arm::VcpuGuestCoreRegs, vcpu_guest_core_regs, x0, x1, x2, x3, x4, x5, x6, x7, x8, x9, x10, x11, x12, x13, x14, x15, x16, x17,
            x18, x19, x20, x21, x22, x23, x24, x25, x26, x27, x28, x29, x30, pc64, cpsr, spsr_el1, spsr_fiq, spsr_irq, spsr_und, spsr_abt,
            sp_el0, sp_el1, elr_el1);
SAME_STRUCT(arm::VcpuGuestContext, vcpu_guest_context, flags, user_regs, sctlr, ttbcr, ttbr0, ttbr1);

// C++ gives the reference's empty structures a size, so these figures are of its headers in C.
static_assert(sizeof(px::abi::VcpuInfo) == 48 && offsetof(px::abi::VcpuInfo, time) == 16);
static_assert(sizeof(px::abi::SharedInfo) == 1088 && offsetof(px::abi::SharedInfo, evtchn_mask) == 560);
