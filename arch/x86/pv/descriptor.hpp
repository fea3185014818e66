// Segment descriptors of PV guests. [xen/public arch-x86/xen.h segdesc] [intel/sdm3 3.4.5, 3.5]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "arch/x86/pv/frame_use.hpp"
#include "hypervisor/base/result.hpp"
#include "hypervisor/mm/progress.hpp"

namespace px::pv {

inline constexpr unsigned descriptors_per_page = page_size / sizeof(u64);

/// The descriptor as a guest may have it: with its privilege lowered to ring 3, a call gate such that it always faults and can be
/// emulated. Nothing: it would give what no guest has, a system segment or a gate to code of ours.
std::optional<u64> safe_descriptor(u64 descriptor);

/// Of a busy frame: every descriptor becomes safe. Errors: einval.
Result<Progress> validate_descriptors(Frame& frame);

}  // namespace px::pv
