// VGA text mode.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>

#include "drivers/text_screen.hpp"

namespace px {

/// The cells of text mode 3: 80×25, each a character in the low and an attribute in the high byte.
class VgaCells {
public:
    static constexpr usize columns = 80;
    static constexpr usize rows = 25;
    static constexpr u64 address = 0xb8000;  ///< where a PC has the cells
    static constexpr u16 light_grey = 0x0700;

    /// `cells` are the mapped video memory.
    constexpr explicit VgaCells(std::span<volatile u16, columns * rows> cells) : cells_(cells) {}

    void clear() {
        for (volatile u16& cell : cells_) cell = light_grey | ' ';
    }
    void paint(usize row, usize column, char c) { cells_[row * columns + column] = static_cast<u16>(light_grey | static_cast<u8>(c)); }

private:
    std::span<volatile u16, columns * rows> cells_;
};

using VgaText = TextScreen<VgaCells, VgaCells::columns, VgaCells::rows>;

}  // namespace px
