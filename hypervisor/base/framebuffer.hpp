// A linear framebuffer as firmware or boot loader leaves it.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "hypervisor/base/result.hpp"

namespace px {

/// A colour's bits in a pixel.
struct ColourField {
    u8 position = 0, size = 0;
    bool operator==(const ColourField&) const = default;
};

/// A linear framebuffer in direct colour, as firmware or boot loader describes it.
struct Framebuffer {
    u64 address = 0;            ///< machine address
    u32 width = 0, height = 0;  ///< pixels
    u32 pitch = 0;              ///< bytes from one row of pixels to the next
    u8 bits = 0;                ///< of a pixel: 15, 16, 24 or 32
    ColourField red, green, blue;

    constexpr u32 pixel_bytes() const { return (u32{bits} + 7) / 8; }
    constexpr u64 size() const { return u64{pitch} * height; }
    bool operator==(const Framebuffer&) const = default;
};

/// Errors: einval where text can't be shown on it: too small or large, rows that overlap, pixels of another kind, a range that wraps.
constexpr Result<> check(const Framebuffer& screen) {
    constexpr u32 least_width = 160, least_height = 100, most = 32768;
    REQUIRE(screen.width >= least_width && screen.width <= most && screen.height >= least_height && screen.height <= most, einval);
    REQUIRE(screen.bits == 15 || screen.bits == 16 || screen.bits == 24 || screen.bits == 32, einval);
    REQUIRE(screen.pitch >= screen.width * screen.pixel_bytes() && screen.pitch <= most * 4, einval);
    for (const ColourField& field : {screen.red, screen.green, screen.blue}) {
        REQUIRE(field.size >= 1 && field.size <= 16 && field.position + field.size <= screen.bits, einval);
    }
    if (screen.bits != 24) REQUIRE(screen.pitch % screen.pixel_bytes() == 0 && screen.address % screen.pixel_bytes() == 0, einval);
    REQUIRE(screen.address != 0 && screen.address + screen.size() > screen.address, einval);
    return {};
}

}  // namespace px
