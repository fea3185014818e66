// What guests print becomes lines.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/console/guest_line.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace px {
namespace {

struct GuestLineTest : ::testing::Test {
    GuestLine line;
    std::vector<std::string> lines;
    void put(std::string_view text) { line.put(text, [this](std::string_view text) { lines.emplace_back(text); }); }
};

TEST_F(GuestLineTest, PiecesBecomeOneLine) {
    put("hel");
    put("lo");
    EXPECT_TRUE(lines.empty());
    put(", world\nand");
    EXPECT_EQ(lines, (std::vector<std::string>{"hello, world"}));
    put(" more\n\n");
    EXPECT_EQ(lines, (std::vector<std::string>{"hello, world", "and more", ""}));
}
TEST_F(GuestLineTest, ControlCharactersAreDropped) {
    put("\x1b[2Ja\r\b\x01\tb\x7f\xff\n");
    EXPECT_EQ(lines, (std::vector<std::string>{"[2Ja\tb"}));
}
TEST_F(GuestLineTest, ALineWithoutEndIsCut) {
    put(std::string(1000, 'x') + "\n");
    usize total = 0;
    for (const std::string& piece : lines) {
        EXPECT_LE(piece.size(), 200u);
        total += piece.size();
    }
    EXPECT_EQ(total, 1000u);
}

}  // namespace
}  // namespace px
