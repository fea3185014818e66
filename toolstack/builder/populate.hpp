// Filling a range of guest memory with frames, the largest blocks first.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <span>

#include "boot/loader/extent.hpp"
#include "toolstack/call/error.hpp"

namespace px::builder {

/// Gives the guest blocks of 2^order frames at these frame numbers; returns how many it gave, from the front.
using Populate = std::function<call::Outcome<usize>(std::span<const u64> starts, unsigned order)>;

/// `range` is page aligned. Blocks are 1 GiB, 2 MiB or 4 KiB; where one can't be had, smaller ones take its place.
/// Error ENOMEM when there isn't even a single frame left.
call::Outcome<> populate_range(loader::Extent range, const Populate& populate);

}  // namespace px::builder
