// Text on a linear framebuffer, in our own font.
//
// A cell is 6×10 font pixels, each a square of `scale` screen pixels: as large as leaves 80×25 cells.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "drivers/font.hpp"
#include "drivers/text_screen.hpp"
#include "hypervisor/base/framebuffer.hpp"

namespace px {

class FramebufferCells {
public:
    static constexpr u32 cell_width = font::glyph_width + 1, cell_height = font::glyph_height + 2;

    /// `pixels` is where the framebuffer, for which check() is fine, is mapped.
    constexpr FramebufferCells(volatile u8* pixels, const Framebuffer& screen)
        : pixels_(pixels),
          screen_(screen),
          scale_(std::max(1u, std::min(screen.width / (80 * cell_width), screen.height / (25 * cell_height)))),
          ink_(ink(screen.red) | ink(screen.green) | ink(screen.blue)) {}

    usize columns() const { return screen_.width / (cell_width * scale_); }
    usize rows() const { return screen_.height / (cell_height * scale_); }
    u32 scale() const { return scale_; }

    void clear() {
        for (u32 y = 0; y < screen_.height; ++y) {
            for (u32 x = 0; x < screen_.width; ++x) set(x, y, 0);
        }
    }

    void paint(usize row, usize column, char c) {
        const font::Glyph& glyph = font::glyph_of(c);
        const u32 left = static_cast<u32>(column) * cell_width * scale_, top = static_cast<u32>(row) * cell_height * scale_;
        for (u32 y = 0; y < cell_height * scale_; ++y) {
            // One empty row above the glyph, one below.
            const u32 line = y / scale_;
            const u32 bits = line >= 1 && line <= font::glyph_height ? glyph[line - 1] : 0;
            for (u32 x = 0; x < cell_width * scale_; ++x) {
                const bool on = x / scale_ < font::glyph_width && (bits >> (font::glyph_width - 1 - x / scale_) & 1) != 0;
                set(left + x, top + y, on ? ink_ : 0);
            }
        }
    }

private:
    /// Light grey: three quarters of each colour.
    static constexpr u32 ink(const ColourField& field) { return ((u32{1} << field.size) - 1) * 3 / 4 << field.position; }

    void set(u32 x, u32 y, u32 value) {
        volatile u8* const at = pixels_ + u64{y} * screen_.pitch + u64{x} * screen_.pixel_bytes();
        switch (screen_.pixel_bytes()) {
        case 4: *reinterpret_cast<volatile u32*>(at) = value; return;
        case 2: *reinterpret_cast<volatile u16*>(at) = static_cast<u16>(value); return;
        default:
            for (unsigned i = 0; i < 3; ++i) at[i] = static_cast<u8>(value >> (8 * i));
        }
    }

    volatile u8* pixels_;
    Framebuffer screen_;
    u32 scale_;
    u32 ink_;
};

using FramebufferText = TextScreen<FramebufferCells, 160, 100>;

}  // namespace px
