// Contract: the bits of a physmap's entries. A policy of hypervisor/mm/page_table.hpp whose Attributes hold a GfnType
// and `read_only`, and that counts its tables: frames().
//
// largest_physmap_order()   of a leaf that this machine's processors know: 9 or 18 where tables have 512 entries
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/hvm/physmap_policy.hpp"

namespace px::arch {

using PhysmapPolicy = hvm::PhysmapPolicy;

unsigned largest_physmap_order();

}  // namespace px::arch
