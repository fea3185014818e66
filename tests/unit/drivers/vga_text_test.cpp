// VGA text console on a screen of plain memory.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/vga_text.hpp"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace px {
namespace {

constexpr usize columns = VgaCells::columns, rows = VgaCells::rows;

struct Screen {
    std::array<u16, columns * rows + 1> cells{};
    VgaText vga{VgaCells{std::span<volatile u16, columns * rows>{cells.data(), columns* rows}}, columns, rows};

    Screen() { cells.back() = 0xdead; }
    ~Screen() { EXPECT_EQ(cells.back(), 0xdead) << "wrote past the screen"; }

    std::string row(usize index) const {
        std::string text;
        for (usize x = 0; x < columns; ++x) text += static_cast<char>(cells[index * columns + x]);
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

TEST(VgaText, LeavesTheScreenUntilTheFirstWrite) {
    Screen screen;
    screen.cells.fill(0x1234);
    screen.cells.back() = 0xdead;
    EXPECT_EQ(screen.cells[0], 0x1234);
    screen.vga.write("");
    for (usize i = 0; i < columns * rows; ++i) ASSERT_EQ(screen.cells[i], 0x0720) << i;
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
    for (const bool at_once : {false, true}) {
        Screen screen;
        std::string all;
        for (int line = 0; line < 30; ++line) {
            const std::string text = "line " + std::to_string(line) + (line < 29 ? "\n" : "");
            if (at_once) all += text;
            else screen.vga.write(text);
        }
        screen.vga.write(all);
        EXPECT_EQ(screen.row(0), "line 5");
        EXPECT_EQ(screen.row(24), "line 29");
        EXPECT_EQ(screen.vga.row(), 24u);
        screen.vga.write("\n");
        EXPECT_EQ(screen.row(23), "line 29");
        EXPECT_EQ(screen.row(24), "");
    }
}

TEST(VgaText, TabAtTheLineEndStaysInside) {
    Screen screen;
    screen.vga.write(std::string(79, '.') + "\t");
    EXPECT_EQ(screen.vga.column(), 80u);
    screen.vga.write("\tw");
    EXPECT_EQ(screen.row(1), "        w");
}

/// Counts what is painted.
struct Counter {
    unsigned* painted;
    void clear() {}
    void paint(usize, usize, char) { ++*painted; }
};

TEST(TextScreen, PaintsOnlyWhatChanged) {
    unsigned painted = 0;
    TextScreen<Counter, 40, 10> screen(Counter{&painted}, 40, 10);
    screen.write("abc");
    EXPECT_EQ(painted, 3u);
    screen.write("\rabd");
    EXPECT_EQ(painted, 4u);
    for (unsigned i = 0; i < 9; ++i) screen.write("\nabd");
    painted = 0;
    screen.write("\nabd");
    EXPECT_EQ(painted, 0u) << "each row is like the one above it";
    screen.write("\nxyz");
    EXPECT_EQ(painted, 3u);
}

TEST(VgaText, BeginsAnewOverWhatOthersPainted) {
    Screen screen;
    screen.vga.write("one\ntwo");
    screen.cells.fill('?');
    screen.cells.back() = 0xdead;
    screen.vga.restart();
    screen.vga.write("two");
    EXPECT_EQ(screen.row(0), "two");
    for (usize row = 1; row < rows; ++row) EXPECT_EQ(screen.row(row), "");
}

TEST(TextScreen, KeepsNoMoreThanThereIsRoomFor) {
    unsigned painted = 0;
    TextScreen<Counter, 4, 2> screen(Counter{&painted}, 1000, 1000);
    EXPECT_EQ(screen.columns(), 4u);
    EXPECT_EQ(screen.rows(), 2u);
    screen.write("123456789abcdef\t\t\n\n");
    EXPECT_EQ(screen.row(), 1u);
    EXPECT_EQ(screen.column(), 0u);
}

}  // namespace
}  // namespace px
