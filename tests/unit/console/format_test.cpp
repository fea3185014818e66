// Formatting of log lines.
//
// SPDX-License-Identifier: Apache-2.0
#include "hypervisor/base/format.hpp"

#include <gtest/gtest.h>

#include <array>
#include <limits>
#include <random>
#include <string>

namespace px {
namespace {

template <class... Args>
std::string text(std::string_view format, const Args&... args) {
    std::array<char, 300> out;
    return {out.data(), format_to(out, format, args...)};
}

TEST(Format, Numbers) {
    EXPECT_EQ(text("{} {} {}", 0u, 42, -7), "0 42 -7");
    EXPECT_EQ(text("{}", std::numeric_limits<u64>::max()), "18446744073709551615");
    EXPECT_EQ(text("{}", std::numeric_limits<i64>::min()), "-9223372036854775808");
    EXPECT_EQ(text("{:x} {:#x}", 0xabcu, 0xabcu), "abc 0xabc");
    EXPECT_EQ(text("{:#x}", std::numeric_limits<u64>::max()), "0xffffffffffffffff");
    EXPECT_EQ(text("{} {}", u8{200}, i8{-100}), "200 -100");
}
TEST(Format, Widths) {
    EXPECT_EQ(text("[{:5}] [{:<5}] [{:05}]", 42u, 42u, 42u), "[   42] [42   ] [00042]");
    EXPECT_EQ(text("[{:05}] [{:5}]", -42, -42), "[-0042] [  -42]");
    EXPECT_EQ(text("[{:#08x}]", 0xabcu), "[0x000abc]");
    EXPECT_EQ(text("[{:2}]", 12345u), "[12345]");
    EXPECT_EQ(text("[{:5}] [{:<5}]", "ab", "ab"), "[   ab] [ab   ]");
}
TEST(Format, OtherKinds) {
    EXPECT_EQ(text("{} {} {} {}", true, 'c', "text", std::string_view("view")), "true c text view");
    EXPECT_EQ(text("{}", Mfn{0x77}), "119");
    EXPECT_EQ(text("{}", reinterpret_cast<const void*>(0x1000)), "0x1000");
    enum class Colour : u8 { blue = 3 };
    EXPECT_EQ(text("{}", Colour::blue), "3");
}
TEST(Format, BadFormatsHarmNobody) {
    EXPECT_EQ(text("{} {}", 1u), "1 {?}");
    EXPECT_EQ(text("no place", 1u), "no place");
    EXPECT_EQ(text("{{}} {", 1u), "{} {");
    EXPECT_EQ(text("}", 1u), "}");
    EXPECT_EQ(text("{:q}", 1u), "1");
    EXPECT_LE(text("{:99999999999}", 1u).size(), 300u);
}
TEST(Format, TextEndsWhereTheBufferDoes) {
    for (usize size = 0; size < 20; ++size) {
        std::string out(size, '#');
        EXPECT_EQ(format_to(std::span(out), "{} {:8}", "name", 42u), std::min<usize>(size, 13));
        EXPECT_EQ(out, std::string("name       42#######").substr(0, size)) << size;
    }
}
TEST(Format, RandomFormatsStayInsideTheBuffer) {
    std::mt19937 random(1);
    for (unsigned round = 0; round < 20000; ++round) {
        std::string format;
        for (unsigned n = random() % 20; n > 0; --n) format += "{}:#x08<9 a"[random() % 11];
        std::string out(random() % 40, '#');  // the sanitizer watches its end
        EXPECT_LE(format_to(std::span(out), format, 1u, "text", -5, true), out.size());
    }
}

}  // namespace
}  // namespace px
