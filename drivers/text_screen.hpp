// A scrolling terminal over anything that can show a character in a cell.
//
// The text is kept in memory: a scroll moves it there, and only cells that changed are painted. Video memory is never read.
//
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "hypervisor/base/types.hpp"

namespace px {

/// `Painter` has paint(row, column, character) and, called once before the first paint, clear(). Nothing is shown until the
/// first write, which starts at the top of an empty screen. Not locked: the console serialises its callers.
template <class Painter, usize most_columns, usize most_rows>
class TextScreen {
public:
    /// Both at least 1; what is beyond the most that is kept stays empty.
    constexpr TextScreen(const Painter& painter, usize columns, usize rows)
        : painter_(painter), columns_(std::min(columns, most_columns)), rows_(std::min(rows, most_rows)) {}

    /// Somebody else has painted: the next write begins with an empty screen.
    void restart() {
        opened_ = false;
        row_ = column_ = first_changed_ = 0;
    }

    usize columns() const { return columns_; }
    usize rows() const { return rows_; }
    usize row() const { return row_; }
    usize column() const { return column_; }

    /// Understands \n, \r, \b and \t (moves to the next multiple of 8); other control characters show as a dot.
    void write(std::string_view text) {
        if (!std::exchange(opened_, true)) {
            painter_.clear();
            for (usize row = 0; row < rows_; ++row) wanted_[row].fill(' '), shown_[row].fill(' ');
        }
        for (const char c : text) put(c);
        show();
    }

private:
    using Line = std::array<char, most_columns>;

    void put(char c) {
        switch (c) {
        case '\n': return new_line();
        case '\r': column_ = 0; return;
        case '\b': column_ -= column_ != 0 ? 1 : 0; return;
        case '\t':
            if (column_ == columns_) new_line();
            column_ = std::min(align_up<usize>(column_ + 1, 8), columns_);
            return;
        default: break;
        }
        // A full line wraps only when something follows, so that a line of the screen's width and a newline take one row.
        if (column_ == columns_) new_line();
        wanted_[row_][column_++] = static_cast<u8>(c) < ' ' ? '.' : c;
        first_changed_ = std::min(first_changed_, row_);
    }

    void new_line() {
        column_ = 0;
        if (row_ + 1 < rows_) {
            ++row_;
            return;
        }
        std::move(wanted_.data() + 1, wanted_.data() + rows_, wanted_.data());
        wanted_[rows_ - 1].fill(' ');
        first_changed_ = 0;
    }

    void show() {
        for (usize row = first_changed_; row <= row_; ++row) {
            for (usize column = 0; column < columns_; ++column) {
                const char c = wanted_[row][column];
                if (std::exchange(shown_[row][column], c) != c) painter_.paint(row, column, c);
            }
        }
        first_changed_ = row_;
    }

    Painter painter_;
    usize columns_, rows_;
    usize row_ = 0, column_ = 0;
    usize first_changed_ = 0;  ///< rows above it show what is wanted
    bool opened_ = false;
    std::array<Line, most_rows> wanted_{}, shown_{};
};

}  // namespace px
