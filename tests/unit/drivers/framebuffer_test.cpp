// Text on framebuffers of several shapes, read back pixel by pixel.
//
// SPDX-License-Identifier: Apache-2.0
#include "drivers/framebuffer.hpp"

#include <gtest/gtest.h>

#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace px {
namespace {

constexpr u64 somewhere = 0x8000'0000;

Framebuffer mode(u32 width, u32 height, u8 bits, u32 spare = 0) {
    Framebuffer screen{
        .address = somewhere, .width = width, .height = height, .pitch = 0, .bits = bits, .red = {16, 8}, .green = {8, 8}, .blue = {0, 8}};
    if (bits == 16) screen.red = {11, 5}, screen.green = {5, 6}, screen.blue = {0, 5};
    if (bits == 15) screen.red = {10, 5}, screen.green = {5, 5}, screen.blue = {0, 5};
    screen.pitch = width * screen.pixel_bytes() + spare;
    return screen;
}

class Shown {
public:
    explicit Shown(const Framebuffer& screen)
        : screen_(screen),
          memory_(screen.size(), 0xaa),
          cells_(memory_.data(), screen),
          text_(std::make_unique<FramebufferText>(cells_, cells_.columns(), cells_.rows())) {}
    FramebufferText& text() { return *text_; }
    const FramebufferCells& cells() const { return cells_; }

    u32 pixel(u32 x, u32 y) const {
        u32 value = 0;
        std::memcpy(&value, memory_.data() + u64{y} * screen_.pitch + u64{x} * screen_.pixel_bytes(), screen_.pixel_bytes());
        return value;
    }
    /// The character in a cell, 0: none of the font.
    char read(usize row, usize column) const {
        const u32 scale = cells_.scale();
        font::Glyph found{};
        for (u32 y = 0; y < 10 * scale; ++y) {
            for (u32 x = 0; x < 6 * scale; ++x) {
                const bool on = pixel(static_cast<u32>(column) * 6 * scale + x, static_cast<u32>(row) * 10 * scale + y) != 0;
                const u32 line = y / scale, bit = x / scale;
                if (bit == 5 || line == 0 || line == 9) {
                    EXPECT_FALSE(on) << "between cells";
                    continue;
                }
                if (on) found[line - 1] |= static_cast<u8>(1 << (4 - bit));
            }
        }
        for (char c = font::first; c <= font::last; ++c) {
            if (font::glyph_of(c) == found) return c;
        }
        return found == font::unknown ? '\x7f' : '\0';
    }
    std::string row(usize row) const {
        std::string text;
        for (usize column = 0; column < text_->columns(); ++column) text += read(row, column);
        text.erase(text.find_last_not_of(' ') + 1);
        return text;
    }
    bool padding_untouched() const {
        for (u32 y = 0; y < screen_.height; ++y) {
            for (u64 at = u64{screen_.width} * screen_.pixel_bytes(); at < screen_.pitch; ++at) {
                if (memory_[u64{y} * screen_.pitch + at] != 0xaa) return false;
            }
        }
        return true;
    }

private:
    Framebuffer screen_;
    std::vector<u8> memory_;
    FramebufferCells cells_;
    std::unique_ptr<FramebufferText> text_;
};

TEST(Font, EveryCharacterLooksDifferent) {
    std::set<font::Glyph> seen{font::unknown};
    for (const font::Glyph& glyph : font::glyphs) {
        EXPECT_TRUE(seen.insert(glyph).second) << font::first + static_cast<char>(&glyph - font::glyphs);
        for (const u8 row : glyph) EXPECT_LT(row, 1u << font::glyph_width);
    }
    EXPECT_EQ(font::glyph_of('\x80'), font::unknown);
}

TEST(FramebufferText, WhatIsWrittenCanBeRead) {
    const std::string all = " !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz{|}~\x7f";
    for (const auto& [width, height] : {std::pair{640u, 480u}, {800u, 600u}, {1366u, 768u}, {1920u, 1080u}, {161u, 103u}}) {
        for (const u8 bits : {u8{15}, u8{16}, u8{24}, u8{32}}) {
            Shown shown(mode(width, height, bits, 16));
            const usize length = std::min(all.size(), shown.text().columns());
            shown.text().write("first\n" + all.substr(all.size() - length));
            EXPECT_EQ(shown.row(0), "first");
            EXPECT_EQ(shown.row(1), all.substr(all.size() - length)) << width << 'x' << height << 'x' << int{bits};
            EXPECT_EQ(shown.row(2), "");
            EXPECT_TRUE(shown.padding_untouched());
        }
    }
}

TEST(FramebufferText, CellsAreAsLargeAsLeavesEighty) {
    const auto scale = [](u32 width, u32 height) { return FramebufferCells(nullptr, mode(width, height, 32)).scale(); };
    EXPECT_EQ(scale(640, 480), 1u);
    EXPECT_EQ(scale(1024, 768), 2u);
    EXPECT_EQ(scale(1920, 1080), 4u);
    EXPECT_EQ(scale(3840, 2160), 8u);
    EXPECT_EQ(scale(160, 100), 1u);
}

TEST(FramebufferText, ScrollsAndClears) {
    Shown shown(mode(640, 250, 32));
    ASSERT_EQ(shown.cells().rows(), 25u);
    for (int line = 0; line < 40; ++line) shown.text().write("line " + std::to_string(line) + "\n");
    EXPECT_EQ(shown.row(0), "line 16");
    EXPECT_EQ(shown.row(23), "line 39");
    EXPECT_EQ(shown.row(24), "");
}

TEST(FramebufferText, InkIsGreyInAnyLayout) {
    Framebuffer turned = mode(640, 480, 32);
    turned.red = {0, 8}, turned.blue = {16, 8};
    Shown shown(turned);
    shown.text().write("|");
    EXPECT_EQ(shown.pixel(2, 1), 0xbfbfbfu);
    Shown narrow(mode(640, 480, 16));
    narrow.text().write("|");
    EXPECT_EQ(narrow.pixel(2, 1), 23u << 11 | 47u << 5 | 23u);
}

TEST(Framebuffer, BadDescriptionsAreRefused) {
    EXPECT_TRUE(check(mode(1024, 768, 32)).ok());
    const auto bad = [](auto change) {
        Framebuffer screen = mode(1024, 768, 32);
        change(screen);
        EXPECT_FALSE(check(screen).ok());
    };
    bad([](auto& s) { s.address = 0; });
    bad([](auto& s) { s.address = ~u64{0} - 3; });
    bad([](auto& s) { s.address += 2; });
    bad([](auto& s) { s.width = 0; });
    bad([](auto& s) { s.height = 0; });
    bad([](auto& s) { s.height = ~u32{0}; });
    bad([](auto& s) { s.width = 0x4000'0000, s.pitch = 0; });
    bad([](auto& s) { s.pitch = 4095; });
    bad([](auto& s) { s.pitch = ~u32{0}; });
    bad([](auto& s) { s.bits = 8; });
    bad([](auto& s) { s.bits = 255; });
    bad([](auto& s) { s.red = {30, 8}; });
    bad([](auto& s) { s.blue = {0, 0}; });
    bad([](auto& s) { s.green = {255, 255}; });
}

}  // namespace
}  // namespace px
