// The hypervisor's CPUID leaves and synthetic MSR [xen/public arch-x86/cpuid.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi::x86::xen_cpuid {

/// 0x40000000, or 0x40000100 where Viridian leaves come first. Leaf +0: eax the last leaf, ebx, ecx, edx
/// "XenVMMXenVMM".
inline constexpr u32 first_leaf = 0x40000000;
constexpr u32 leaf(u32 index) { return first_leaf + index; }
inline constexpr u32 signature_ebx = 0x566e6558, signature_ecx = 0x65584d4d, signature_edx = 0x4d4d566e;
inline constexpr u32 max_num_leaves = 5;

// +1: eax = major << 16 | minor.

/// +2: eax = number of hypercall pages, ebx = hypercall_page_msr, ecx = features.
inline constexpr u32 feat1_mmu_pt_update_preserve_ad = 1u << 0;
/// A guest physical address written to it is filled with a hypercall page (bits 0–11: number of the page).
inline constexpr u32 hypercall_page_msr = 0x40000000;
/// The same where Viridian leaves come first.
inline constexpr u32 hypercall_page_msr_viridian = 0x40000200;

// +3: time. Sub-leaf 0: eax = flags (bit 0: TSC emulated, bit 1: host TSC reliable, bit 2: RDTSCP), ebx = tsc_mode,
// ecx = kHz, edx = incarnation. Sub-leaf 1: eax:ebx offset, ecx multiplier, edx shift. Sub-leaf 2: eax = host kHz.

/// +4: HVM and PVH. eax = flags, ebx = vCPU id, ecx = domain id.
inline constexpr u32 hvm_apic_access_virt = 1u << 0;
inline constexpr u32 hvm_x2apic_virt = 1u << 1;
inline constexpr u32 hvm_iommu_mappings = 1u << 2;
inline constexpr u32 hvm_vcpu_id_present = 1u << 3;
inline constexpr u32 hvm_domid_present = 1u << 4;
inline constexpr u32 hvm_ext_dest_id = 1u << 5;
inline constexpr u32 hvm_upcall_vector = 1u << 6;

/// +5: PV. ebx bits 0–7: width of machine addresses.
inline constexpr u32 machine_address_width_mask = 0xff;

}  // namespace px::abi::x86::xen_cpuid
