// What an HVM domain's builder leaves in low memory for its firmware [xen/public hvm/hvm_info_table.h, hvm/e820.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi::x86 {

inline constexpr u64 hvm_info_pfn = 0x09f, hvm_info_offset = 0x800;
inline constexpr u64 hvm_info_paddr = (hvm_info_pfn << 12) + hvm_info_offset;
inline constexpr unsigned hvm_max_vcpus = 128;

struct HvmInfoTable {
    char signature[8];  ///< "HVM INFO"
    u32 length;
    u8 checksum;  ///< all bytes add up to 0
    u8 apic_mode;
    u32 nr_vcpus;
    u32 low_mem_pgend;         ///< page after RAM below 4 GiB
    u32 reserved_mem_pgstart;  ///< first special page (xenstore, console, ioreq)
    u32 high_mem_pgend;        ///< page after RAM above 4 GiB, 0: none
    u8 vcpu_online[(hvm_max_vcpus + 7) / 8];
};

/// Where hvmloader puts the memory map for the BIOS.
inline constexpr u32 hvm_e820_page = 0x00090000, hvm_e820_nr_offset = 0x1e8, hvm_e820_offset = 0x2d0;
/// RAM below 4 GiB ends here at the latest; MMIO follows.
inline constexpr u64 hvm_below_4g_ram_end = 0xf0000000, hvm_below_4g_mmio_start = hvm_below_4g_ram_end;
inline constexpr u64 hvm_below_4g_mmio_length = (u64{1} << 32) - hvm_below_4g_mmio_start;

}  // namespace px::abi::x86
