// Segmentation: from a segment and an offset to a checked linear address.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "arch/x86/emulate/access.hpp"
#include "arch/x86/emulate/registers.hpp"

namespace px::emulate {

/// #GP(0); real mode pushes no error code [amd/apm2 8.2].
Outcome general_protection_fault(const Registers& registers);

/// The linear address of `size` bytes at segment:offset, checked for limit, type and canonical form.
/// Errors: #SS(0) through SS, otherwise #GP(0); unhandled where a 32-bit linear address would wrap inside the
/// access.
Step<u64> linear_address(const Registers& registers, Segment segment, u64 offset, usize size, Intent intent);

/// The same for an operand that must be aligned to its size (a power of two): #GP(0) if it isn't, before any
/// other fault.
Step<u64> aligned_linear_address(const Registers& registers, Segment segment, u64 offset, usize size, Intent intent);

/// #AC(0) if alignment checks are on at this CPL and `linear` isn't a multiple of `size` (a power of two).
Step<> check_alignment(const Registers& registers, u64 linear, usize size);

}  // namespace px::emulate
