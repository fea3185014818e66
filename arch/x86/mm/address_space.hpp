// For boot only: the page table before it is shared.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/mm/native_paging.hpp"
#include "hypervisor/mm/page_table.hpp"

namespace px::arch {

/// Page numbers are those of the lower 48 bits of an address.
inline constexpr u64 page_number_mask = (u64{1} << 36) - 1;
constexpr u64 page_number(u64 address) { return address >> page_shift & page_number_mask; }

/// Unlocked: only while one CPU runs.
PageTable<NativePaging>& boot_page_table();

}  // namespace px::arch
