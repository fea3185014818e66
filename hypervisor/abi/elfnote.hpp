// ELF notes ("Xen") by which a kernel says what it needs [xen/public elfnote.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

enum class ElfNote : u32 {
    info = 0,
    entry = 1,  ///< PV: linear address
    hypercall_page = 2,
    virt_base = 3,
    paddr_offset = 4,
    xen_version = 5,
    guest_os = 6,
    guest_version = 7,
    loader = 8,
    pae_mode = 9,
    features = 10,
    bsd_symtab = 11,
    hv_start_low = 12,
    l1_mfn_valid = 13,
    suspend_cancel = 14,
    init_p2m = 15,
    mod_start_pfn = 16,
    supported_features = 17,
    phys32_entry = 18,  ///< PVH: physical address, 32-bit protected mode
    crash_info = 0x1000001,
    crash_regs = 0x1000002,
    dumpcore_none = 0x2000000,
    dumpcore_header = 0x2000001,
    dumpcore_xen_version = 0x2000002,
    dumpcore_format_version = 0x2000003,
};
inline constexpr u32 elfnote_max = 18;

}  // namespace px::abi
