// The state in which a PVH guest's vCPUs start, as records for sethvmcontext.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "hypervisor/abi/x86/hvm_save.hpp"

namespace px::builder {

/// The record of `code` for `instance` within `context` (what gethvmcontext gave), without its descriptor.
std::optional<std::span<const u8>> find_record(std::span<const u8> context, abi::x86::HvmSaveCode code, u16 instance = 0);

/// Records that start vCPU 0 at `entry` as PVH wants it: 32-bit protected mode, flat segments, paging off, ebx the start
/// info [xen/public arch-x86/hvm/start_info.h]. Nothing when `context` has no header.
std::optional<std::vector<u8>> start_records(std::span<const u8> context, u32 entry, Gpaddr start_info);

/// Records that give `vcpu` MTRRs under which all memory is write-back. Nothing when `context` lacks its record.
std::optional<std::vector<u8>> mtrr_records(std::span<const u8> context, u16 vcpu);

}  // namespace px::builder
