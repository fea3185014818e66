// A domain's memory: what it has, and what its map says.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "hypervisor/abi/start_info.hpp"
#include "toolstack/control/domain.hpp"

namespace px::control {

/// Gives `domain` a block of 2^order frames at each of `starts`. Returns how many it got: fewer than asked for when the
/// hypervisor has no more blocks of that size.
call::Outcome<usize> populate(Domain domain, std::span<const u64> starts, unsigned order);

/// The same for a domain without a physmap: `starts` become the first machine frame of each block that it got.
call::Outcome<usize> populate_pv(Domain domain, std::span<u64> starts, unsigned order);

/// Pins a page table of such a domain as one of level 4.
call::Outcome<> pin_root(Domain domain, u64 mfn);

/// Sets what XENMEM_memory_map tells the domain.
call::Outcome<> set_memory_map(Domain domain, std::span<const abi::HvmMemmapTableEntry> map);

}  // namespace px::control
