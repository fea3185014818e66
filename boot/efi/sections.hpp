// Sections of the loaded image: a unified image brings configuration, kernel and initrd along. [microsoft pe, section table]
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px::efi {

/// The content of the section `name` (at most 8 characters) of the PE image that the firmware has loaded at `image`; empty where
/// there is none, or where the headers name memory outside of the image.
std::span<const u8> image_section(std::span<const u8> image, std::string_view name);

}  // namespace px::efi
