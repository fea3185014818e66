// The firmware's screen: choosing its mode, and noting where its pixels are.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>

#include "boot/efi/firmware.hpp"
#include "boot/entry/efi.hpp"

namespace px::efi {

/// 0: any.
struct VideoMode {
    u32 width = 0, height = 0, depth = 0;
    bool operator==(const VideoMode&) const = default;
};

/// `video=` of a configuration: gfx-<width>[x<height>[x<depth>]]. Nullopt where it is something else.
std::optional<VideoMode> parse_video(std::string_view text);

/// Switches to the first mode that is as wanted; says so where there is none, and stays then. Before files are read: the screen
/// of the firmware's own messages may be cleared.
void choose_mode(const Firmware& firmware, const VideoMode& wanted);

/// Notes the screen in its present mode, or that there is none (address 0). Before boot services end.
void note_screen(const Firmware& firmware, boot::EfiHandover& out);

}  // namespace px::efi
