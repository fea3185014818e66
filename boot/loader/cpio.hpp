// Finding a file in an initrd's first, uncompressed part. [linux early-userspace/buffer-format]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::loader {

/// The file `path` (without a leading slash) of the cpio archives ("newc") that stand one after the other at the start of `initrd`.
/// Nullopt where there is none before something else begins (compressed data) or an entry is broken.
std::optional<std::span<const u8>> find_in_cpio(std::span<const u8> initrd, std::string_view path);

}  // namespace px::loader
