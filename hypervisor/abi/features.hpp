// Features that a guest asks for and gets [xen/public features.h].
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/types.hpp"

namespace px::abi {

/// Bit numbers; also those of the elf notes `features` and `supported_features`.
enum class Feature : u32 {
    writable_page_tables = 0,
    writable_descriptor_tables = 1,
    auto_translated_physmap = 2,
    supervisor_mode_kernel = 3,
    pae_pgdir_above_4gb = 4,
    mmu_pt_update_preserve_ad = 5,
    highmem_assist = 6,
    gnttab_map_avail_bits = 7,
    hvm_callback_vector = 8,
    hvm_safe_pvclock = 9,
    hvm_pirqs = 10,
    dom0 = 11,
    memory_op_vnode_supported = 13,
    arm_smccc_supported = 14,
    linux_rsdp_unrestricted = 15,
    not_direct_mapped = 16,
    direct_mapped = 17,
};
inline constexpr unsigned feature_nr_submaps = 1;

}  // namespace px::abi
