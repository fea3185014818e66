// VGA text console on a screen of plain memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/vga_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace px {
namespace {

struct Screen {
    std::array<u16, VgaText::columns * VgaText::rows + 1> cells{};
    VgaText vga{std::span<volatile u16, VgaText::columns * VgaText::rows>{cells.data(),
                                                                          VgaText::columns* VgaText::rows}};

    Screen() {
        cells.back() = 0xdead;
        vga.clear();
    }
    ~Screen() { EXPECT_EQ(cells.back(), 0xdead) << "wrote past the screen"; }

    std::string row(usize index) const {
        std::string text;
        for (usize x = 0; x < VgaText::columns; ++x)
            text += static_cast<char>(cells[index * VgaText::columns + x]);
        text.erase(text.find_last_not_of(' ') + 1);
        return text;
    }
};

TEST(VgaText, WritesWithAttribute) {
    Screen screen;
    screen.vga.write("Hi");
    EXPECT_EQ(screen.cells[0], 0x0700 | 'H');
    EXPECT_EQ(screen.cells[1], 0x0700 | 'i');
    EXPECT_EQ(screen.cells[2], 0x0700 | ' ');
}

TEST(VgaText, ControlCharacters) {
    Screen screen;
    screen.vga.write("one\ntwo\rT\tx\b\by\x01");
    EXPECT_EQ(screen.row(0), "one");
    EXPECT_EQ(screen.row(1), "Two    y.");
    screen.vga.write("\r\b");
    EXPECT_EQ(screen.vga.column(), 0u);
}

TEST(VgaText, WrapsLateSoThatAFullLineIsOneRow) {
    Screen screen;
    const std::string full(80, 'f');
    screen.vga.write(full + "\nnext");
    EXPECT_EQ(screen.row(0), full);
    EXPECT_EQ(screen.row(1), "next");
    screen.vga.write("\n" + full + "z");
    EXPECT_EQ(screen.row(2), full);
    EXPECT_EQ(screen.row(3), "z");
}

TEST(VgaText, Scrolls) {
    Screen screen;
    for (int line = 0; line < 30; ++line)
        screen.vga.write("line " + std::to_string(line) + (line < 29 ? "\n" : ""));
    EXPECT_EQ(screen.row(0), "line 5");
    EXPECT_EQ(screen.row(24), "line 29");
    EXPECT_EQ(screen.vga.row(), 24u);
    screen.vga.put('\n');
    EXPECT_EQ(screen.row(24), "");
}

TEST(VgaText, TabAtTheLineEndStaysInside) {
    Screen screen;
    screen.vga.write(std::string(79, '.') + "\t");
    EXPECT_EQ(screen.vga.column(), 80u);
    screen.vga.write("\tw");
    EXPECT_EQ(screen.row(1), "        w");
}

}  // namespace
}  // namespace px
