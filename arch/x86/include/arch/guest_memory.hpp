// Contract: access to the memory of the current vCPU.
//
// copy_from_guest / copy_to_guest   `address` is a linear address of the current vCPU, translated by its page tables
//                                   and physmap with its privileges; partial copies may have happened on efault.
//                                   No lock may be held that ranks at or above LockRank::p2m.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px::arch {

Result<> copy_from_guest(void* to, u64 address, usize bytes);
Result<> copy_to_guest(u64 address, const void* from, usize bytes);

}  // namespace px::arch
