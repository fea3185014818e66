// x86 parts of the per-domain and per-vCPU shared structures [xen/public arch-x86/xen.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi::x86 {

/// vCPUs whose VcpuInfo lies in the shared info page; further ones must register a place of their own.
inline constexpr unsigned legacy_max_vcpus = 32;

/// Part of VcpuInfo.
struct ArchVcpuInfo {
    u64 cr2;  ///< PV: the address of the last page fault
    u64 pad;
};

/// Part of SharedInfo. All but nmi_reason is written by PV guests, for the tools that save them.
struct ArchSharedInfo {
    u64 max_pfn;                     ///< last valid pfn in the p2m list
    u64 pfn_to_mfn_frame_list_list;  ///< mfn of the root of the three-level p2m list; ~0: use p2m_vaddr
    u64 nmi_reason;                  ///< bits of abi::nmi_reason
    u64 p2m_cr3;                     ///< 0: the linear p2m fields are not in use
    u64 p2m_vaddr;                   ///< linear address of the p2m list under p2m_cr3
    u64 p2m_generation;              ///< incremented before and after each change of the mapping of the list
};

/// Devices emulated inside the hypervisor for a domain (DomainConfig::emulation_flags).
namespace emu {
inline constexpr u32 lapic = 1u << 0;
inline constexpr u32 hpet = 1u << 1;
inline constexpr u32 pm = 1u << 2;
inline constexpr u32 rtc = 1u << 3;
inline constexpr u32 ioapic = 1u << 4;
inline constexpr u32 pic = 1u << 5;
inline constexpr u32 vga = 1u << 6;
inline constexpr u32 iommu = 1u << 7;
inline constexpr u32 pit = 1u << 8;
inline constexpr u32 use_pirq = 1u << 9;  ///< the guest may route pirqs over event channels
inline constexpr u32 vpci = 1u << 10;
inline constexpr u32 all = (1u << 11) - 1;
}  // namespace emu

/// Reads of unknown MSRs give 0 and writes are dropped, instead of #GP (DomainConfig::misc_flags).
inline constexpr u32 msr_relaxed = 1u << 0;
inline constexpr u32 misc_flags_max = msr_relaxed;

/// Part of DomctlCreatedomain and DomctlGetdomaininfo.
struct DomainConfig {
    u32 emulation_flags;
    u32 misc_flags;
};

/// One CPUID leaf of a policy. Leaves without sub-leaves have subleaf == cpuid_no_subleaf.
struct CpuidLeaf {
    u32 leaf, subleaf;
    u32 a, b, c, d;
};
inline constexpr u32 cpuid_no_subleaf = 0xffffffffu;

/// One MSR of a policy.
struct MsrEntry {
    u32 idx;
    u32 flags;  ///< must be 0
    u64 val;
};

/// Port of the byte-wide debug console of HVM and PVH guests.
inline constexpr u16 hvm_debugcons_ioport = 0xe9;

}  // namespace px::abi::x86
