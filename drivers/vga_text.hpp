// VGA text mode as a scrolling terminal.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

#include "hypervisor/base/types.hpp"

namespace px {

/// Writes into the cells of text mode 3: 80×25, each a character in the low and an attribute in the high
/// byte. Not locked: the console serialises its callers.
class VgaText {
public:
    static constexpr usize columns = 80;
    static constexpr usize rows = 25;
    static constexpr u64 address = 0xb8000;  ///< where a PC has the cells
    static constexpr u16 light_grey = 0x0700;

    /// `cells` are the mapped video memory. Leaves the screen as it is until the first write, which starts at
    /// the top.
    constexpr explicit VgaText(std::span<volatile u16, columns * rows> cells) : cells_(cells) {}

    void clear() {
        fill(0, columns * rows);
        row_ = column_ = 0;
    }

    /// Understands \n, \r, \b and \t (moves to the next multiple of 8); other control characters show as a
    /// dot.
    void write(std::string_view text) {
        for (const char c : text) put(c);
    }

    void put(char c) {
        switch (c) {
            case '\n': newline(); return;
            case '\r': column_ = 0; return;
            case '\b': column_ -= column_ != 0 ? 1 : 0; return;
            case '\t':
                if (column_ == columns) newline();
                column_ = align_up<usize>(column_ + 1, 8);
                return;
            default: break;
        }
        // A full line wraps only when something follows, so that 80 characters and a newline take one row.
        if (column_ == columns) newline();
        const u8 shown = static_cast<u8>(c) < ' ' ? u8{'.'} : static_cast<u8>(c);
        cells_[row_ * columns + column_++] = static_cast<u16>(light_grey | shown);
    }

    usize row() const { return row_; }
    usize column() const { return column_; }

private:
    void fill(usize first, usize count) {
        for (usize i = first; i < first + count; ++i) cells_[i] = light_grey | ' ';
    }

    void newline() {
        column_ = 0;
        if (row_ + 1 < rows) {
            ++row_;
            return;
        }
        for (usize i = 0; i < columns * (rows - 1); ++i) cells_[i] = cells_[i + columns];
        fill(columns * (rows - 1), columns);
    }

    std::span<volatile u16, columns * rows> cells_;
    usize row_ = 0;
    usize column_ = 0;
};

}  // namespace px
